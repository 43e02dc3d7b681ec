//! The thread that reads the outer terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::begun::Begun;
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

/// What has begun to arrive when the reading is stopped is whole within so long.
const SEQUENCE_PATIENCE: Duration = Duration::from_millis(50);
/// What is left of a paste when the reading is stopped is waited for, so that it does not run in the user's shell.
const PASTE_PATIENCE: Duration = Duration::from_secs(1);

/// A thread that was stopped ends within so long.
pub const READING_ENDS_WITHIN: Duration = Duration::from_millis(1500);

/// Starts the thread. It ends when the terminal is gone, when the other end of `stop` is closed, or with the first
/// event after the receiver was dropped. Once it was stopped, what is typed stays for whoever reads next, but for the end of
/// what has begun: of a key it is read, of a paste it is thrown away. Where another program reads on, nothing is: `begun` has
/// what that one is to begin with, as it has what this one does.
///
/// Full means that the front end is busy: the thread waits, and the kernel holds what was typed.
pub fn spawn(
    terminal: OwnedFd,
    stop: OwnedFd,
    begun: Arc<Begun>,
    events: mpsc::Sender<InputEvent>,
) -> io::Result<()> {
    std::thread::Builder::new()
        .name("tui-input".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            read(&terminal, &stop, &begun, &events);
            // The receiver may be gone as well; then nobody is left to tell.
            let _ = events.blocking_send(InputEvent::Closed);
        })?;
    Ok(())
}

fn read(terminal: &OwnedFd, stop: &OwnedFd, begun: &Begun, events: &mpsc::Sender<InputEvent>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut read_now = Vec::new();
    let mut stopped = None;
    decoder.go_on(&begun.take(), &mut read_now);
    loop {
        let patience = decoder.waits_for_more().then_some(ESCAPE_TIMEOUT);
        let waited = match stopped {
            None => wait(terminal, Some(stop), patience.as_ref()),
            Some(since) if decoder.is_in_paste() => {
                wait(terminal, None, Some(&until(since + PASTE_PATIENCE)))
            }
            Some(since) => wait(terminal, None, Some(&until(since + SEQUENCE_PATIENCE))),
        };
        let mut is_over = false;
        match waited {
            Waited::Stopped => stopped = Some(Instant::now()),
            Waited::Silence => {
                decoder.flush(&mut read_now);
                is_over = stopped.is_some();
            }
            Waited::Input => match rustix::io::read(terminal, &mut buffer[..]) {
                Ok(length @ 1..) => decoder.feed(&buffer[..length], &mut read_now),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Ok(0) | Err(_) => is_over = true,
            },
        }
        let goes_on = stopped.is_some() && begun.goes_on();
        if goes_on {
            begun.put(decoder.hand_on(&mut read_now));
        } else if is_over || stopped.is_some() {
            decoder.cut_paste(&mut read_now);
        }
        for event in read_now.drain(..) {
            if events.blocking_send(event).is_err() {
                return;
            }
        }
        let is_whole = !decoder.is_in_paste() && !decoder.is_between();
        if is_over || goes_on || (stopped.is_some() && is_whole) {
            return;
        }
    }
}

/// How long it is until then.
fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    }
}

enum Waited {
    Input,
    Silence,
    Stopped,
}

fn wait(terminal: &OwnedFd, stop: Option<&OwnedFd>, timeout: Option<&Timespec>) -> Waited {
    let mut fds = vec![PollFd::new(terminal, PollFlags::IN)];
    fds.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
    match poll(&mut fds, timeout) {
        Ok(0) => Waited::Silence,
        Ok(_) if fds.get(1).is_some_and(|stop| !stop.revents().is_empty()) => Waited::Stopped,
        Ok(_) => Waited::Input,
        Err(_) => wait(terminal, stop, timeout),
    }
}
