//! The thread that reads the outer terminal.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::{Decoder, InputEvent};

/// A lone Escape is a key once nothing has followed it for so long: longer than a sequence takes to arrive whole,
/// shorter than anybody notices.
const ESCAPE_TIMEOUT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 30_000_000,
};
/// Big enough to take a paste in few reads.
const READ_BYTES: usize = 64 * 1024;

/// Starts the thread. It ends when the terminal is gone, or with the first event after the receiver was dropped; a
/// read that waits cannot be called off, so at the end of tundra the thread is simply left.
///
/// Full means that the front end is busy: the thread waits, and the kernel holds what was typed.
pub fn spawn(terminal: OwnedFd, events: mpsc::Sender<InputEvent>) -> io::Result<()> {
    std::thread::Builder::new()
        .name("tui-input".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            read(&terminal, &events);
            // The receiver may be gone as well; then nobody is left to tell.
            let _ = events.blocking_send(InputEvent::Closed);
        })?;
    Ok(())
}

fn read(terminal: &OwnedFd, events: &mpsc::Sender<InputEvent>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut decoded = Vec::new();
    loop {
        if decoder.waits_for_more() && !more_comes(terminal) {
            decoder.flush(&mut decoded);
        } else {
            match rustix::io::read(terminal, &mut buffer[..]) {
                Ok(0) => return,
                Ok(length) => decoder.feed(&buffer[..length], &mut decoded),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {
                    wait_readable(terminal);
                }
                Err(_) => return,
            }
        }
        for event in decoded.drain(..) {
            if events.blocking_send(event).is_err() {
                return;
            }
        }
    }
}

fn more_comes(terminal: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(terminal, PollFlags::IN)];
    !matches!(poll(&mut fds, Some(&ESCAPE_TIMEOUT)), Ok(0))
}

/// Standard input may have been left non-blocking by whoever had it before.
fn wait_readable(terminal: &OwnedFd) {
    let mut fds = [PollFd::new(terminal, PollFlags::IN)];
    let _ = poll(&mut fds, None);
}
