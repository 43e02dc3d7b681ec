//! A terminal asked what it can do, without being drawn on.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{read, write};
use rustix::termios;

use super::raw::RawInput;

/// Kitty's keyboard protocol, and device attributes, which every terminal answers: whoever answers the second alone does not
/// know the first.
const QUESTION: &[u8] = b"\x1b[?u\x1b[c";
/// Longer than both answers.
const MOST: usize = 256;

/// What a terminal told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalAnswer {
    pub cols: u16,
    pub rows: u16,
    /// `None` where it answered nothing.
    pub speaks_kitty: Option<bool>,
}

/// Asks the terminal behind standard input and output; `None` where they are none. It is in raw mode meanwhile, for at most
/// `patience`, and what the user types then is lost.
#[must_use]
pub fn ask_terminal(patience: Duration) -> Option<TerminalAnswer> {
    let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    if !termios::isatty(stdin) || !termios::isatty(stdout) {
        return None;
    }
    let size = termios::tcgetwinsize(stdout).ok()?;
    Some(TerminalAnswer {
        cols: size.ws_col,
        rows: size.ws_row,
        speaks_kitty: ask(stdin, stdout, patience),
    })
}

fn ask(stdin: BorrowedFd<'_>, stdout: BorrowedFd<'_>, patience: Duration) -> Option<bool> {
    let _raw = RawInput::enter().ok()?;
    answer(stdin, stdout, patience)
}

fn answer(stdin: BorrowedFd<'_>, stdout: BorrowedFd<'_>, patience: Duration) -> Option<bool> {
    write(stdout, QUESTION).ok()?;
    let deadline = Instant::now() + patience;
    let mut said = Vec::new();
    while said.len() < MOST {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok()?;
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout)).ok()? == 0 {
            return None;
        }
        let mut bytes = [0; MOST];
        let count = read(stdin, &mut bytes).ok()?;
        said.extend_from_slice(bytes.get(..count).filter(|bytes| !bytes.is_empty())?);
        if said.contains(&b'c') {
            return Some(speaks_kitty(&said));
        }
    }
    None
}

/// Whether `CSI ? flags u` is among the answers.
fn speaks_kitty(said: &[u8]) -> bool {
    let text = String::from_utf8_lossy(said);
    text.split("\x1b[?").skip(1).any(|answer| {
        let end = answer.find(|c: char| !c.is_ascii_digit());
        end.and_then(|end| answer.get(end..))
            .is_some_and(|rest| rest.starts_with('u'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_the_attributes_alone_does_not_speak_the_protocol() {
        assert!(speaks_kitty(b"\x1b[?0u\x1b[?62;c"));
        assert!(!speaks_kitty(b"\x1b[?62;22c"));
    }
}
