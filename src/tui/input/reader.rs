//! The thread that reads the outer terminal.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::decode::Decoder;
use super::event::InputEvent;

/// A lone Escape is a key once nothing has followed it for so long: longer than a sequence takes to arrive whole,
/// shorter than anybody notices.
const ESCAPE_TIMEOUT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 30_000_000,
};
/// Big enough to take a paste in few reads.
const READ_BYTES: usize = 64 * 1024;

/// Starts the thread. It ends when the terminal is gone, when the other end of `stop` is closed, or with the first
/// event after the receiver was dropped. Once it was stopped, what is typed stays for whoever reads next.
///
/// Full means that the front end is busy: the thread waits, and the kernel holds what was typed.
pub fn spawn(terminal: OwnedFd, stop: OwnedFd, events: mpsc::Sender<InputEvent>) -> io::Result<()> {
    std::thread::Builder::new()
        .name("tui-input".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            read(&terminal, &stop, &events);
            // The receiver may be gone as well; then nobody is left to tell.
            let _ = events.blocking_send(InputEvent::Closed);
        })?;
    Ok(())
}

fn read(terminal: &OwnedFd, stop: &OwnedFd, events: &mpsc::Sender<InputEvent>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut read_now = Vec::new();
    loop {
        let timeout = decoder.waits_for_more().then_some(ESCAPE_TIMEOUT);
        match wait(terminal, stop, timeout.as_ref()) {
            Waited::Stopped => return,
            Waited::Silence => decoder.flush(&mut read_now),
            Waited::Input => match rustix::io::read(terminal, &mut buffer[..]) {
                Ok(0) => return,
                Ok(length) => decoder.feed(&buffer[..length], &mut read_now),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => return,
            },
        }
        for event in read_now.drain(..) {
            if events.blocking_send(event).is_err() {
                return;
            }
        }
    }
}

enum Waited {
    Input,
    Silence,
    Stopped,
}

fn wait(terminal: &OwnedFd, stop: &OwnedFd, timeout: Option<&Timespec>) -> Waited {
    let mut fds = [
        PollFd::new(terminal, PollFlags::IN),
        PollFd::new(stop, PollFlags::IN),
    ];
    match poll(&mut fds, timeout) {
        Ok(0) => Waited::Silence,
        Ok(_) if !fds[1].revents().is_empty() => Waited::Stopped,
        Ok(_) => Waited::Input,
        Err(_) => wait(terminal, stop, timeout),
    }
}
