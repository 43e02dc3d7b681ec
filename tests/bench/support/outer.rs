//! The outer terminal: it drains, answers queries, and tells when something is shown.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use crate::pty::Pty;

pub const ROWS: u16 = 50;
pub const COLS: u16 = 200;

/// How long anything may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A target in its terminal.
pub struct Outer {
    pub child: Child,
    pub started: Instant,
    input: File,
    shared: Arc<Shared>,
    until: Option<PipeWriter>,
    drain: Option<JoinHandle<()>>,
    _pty: Pty,
}

#[derive(Default)]
struct Shared {
    bytes: AtomicU64,
    frozen: AtomicBool,
    thawed: Condvar,
    /// What the drain looks for next.
    watch: Mutex<Option<Watch>>,
}

/// Something whose appearance is to be told.
struct Watch {
    text: Vec<u8>,
    seen: Sender<Seen>,
    /// How much of `text` has been printed just now.
    matched: usize,
}

/// When something was shown, and how many bytes had come by then.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub at: Instant,
    pub bytes: u64,
}

/// A thing that was asked to be watched for.
pub struct Awaited(Receiver<Seen>);

impl Awaited {
    pub fn wait(self, what: &str) -> Seen {
        self.within(PATIENCE)
            .unwrap_or_else(|| panic!("not within {PATIENCE:?}: {what}"))
    }

    pub fn within(self, time: Duration) -> Option<Seen> {
        self.0.recv_timeout(time).ok()
    }
}

impl Outer {
    /// Starts `command` and watches for `text`.
    pub fn start(command: Command, text: &str) -> (Self, Awaited) {
        let pty = Pty::open(ROWS, COLS).unwrap();
        let shared = Arc::new(Shared::default());
        let awaited = shared.watch_for(text);
        let (end, until) = std::io::pipe().unwrap();
        let (master, seen) = (pty.master().unwrap(), Arc::clone(&shared));
        let drain = thread::spawn(move || drain(master, &end, &seen));
        let started = Instant::now();
        let child = pty.spawn(command).unwrap();
        let outer = Self {
            child,
            started,
            input: pty.master().unwrap(),
            shared,
            until: Some(until),
            drain: Some(drain),
            _pty: pty,
        };
        (outer, awaited)
    }

    /// Watches for text that has not been shown yet, from now on.
    pub fn watch_for(&self, text: &str) -> Awaited {
        self.shared.watch_for(text)
    }

    pub fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    pub fn type_(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    /// Stops reading, or goes on.
    pub fn freeze(&self, frozen: bool) {
        // Under the lock, so that the drain cannot miss it between looking and sleeping.
        let _guard = self.shared.watch.lock().unwrap();
        self.shared.frozen.store(frozen, Ordering::SeqCst);
        self.shared.thawed.notify_all();
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        self.freeze(false);
        self.until = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(drain) = self.drain.take() {
            let _ = drain.join();
        }
    }
}

impl Shared {
    fn watch_for(&self, text: &str) -> Awaited {
        let (seen, awaited) = mpsc::channel();
        *self.watch.lock().unwrap() = Some(Watch {
            text: text.as_bytes().to_vec(),
            seen,
            matched: 0,
        });
        Awaited(awaited)
    }
}

fn drain(mut master: File, end: &PipeReader, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    let mut parser = vte::Parser::new();
    loop {
        let mut ready = [
            PollFd::new(&master, PollFlags::IN),
            PollFd::new(end, PollFlags::IN),
        ];
        poll(&mut ready, None).unwrap();
        let hung_up = ready[0].revents().contains(PollFlags::HUP);
        if !ready[1].revents().is_empty() {
            return;
        }
        {
            let mut watch = shared.watch.lock().unwrap();
            while shared.frozen.load(Ordering::SeqCst) {
                watch = shared.thawed.wait(watch).unwrap();
            }
        }
        let Ok(count) = master.read(&mut buffer) else {
            // Nothing runs in it any more, or not yet.
            if hung_up {
                thread::yield_now();
            }
            continue;
        };
        let at = Instant::now();
        let total = shared.bytes.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
        let mut watch = shared.watch.lock().unwrap();
        let mut screen = Screen {
            watch: watch.as_mut(),
            found: false,
            replies: Vec::new(),
        };
        parser.advance(&mut screen, &buffer[..count]);
        let (found, replies) = (screen.found, screen.replies);
        if found && let Some(done) = watch.take() {
            let _ = done.seen.send(Seen { at, bytes: total });
        }
        drop(watch);
        if !replies.is_empty() {
            let _ = master.write_all(&replies);
        }
    }
}

/// Follows what is printed and answers queries.
struct Screen<'a> {
    watch: Option<&'a mut Watch>,
    found: bool,
    replies: Vec<u8>,
}

impl vte::Perform for Screen<'_> {
    fn print(&mut self, c: char) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        if watch.matched >= watch.text.len() {
            return;
        }
        if char::from(watch.text[watch.matched]) == c {
            watch.matched += 1;
            self.found |= watch.matched == watch.text.len();
        } else {
            watch.matched = usize::from(char::from(watch.text[0]) == c);
        }
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        let first = params.iter().next().and_then(|p| p.first()).copied();
        let first = first.unwrap_or(0);
        let reply = match (intermediates, action) {
            (b"", 'c') => "\x1b[?62;22c".to_owned(),
            (b">", 'c') => "\x1b[>1;10;0c".to_owned(),
            (b"", 'n') if first == 5 => "\x1b[0n".to_owned(),
            (b"", 'n') if first == 6 => "\x1b[1;1R".to_owned(),
            (b"?", 'u') => "\x1b[?0u".to_owned(),
            (b"?$", 'p') => format!("\x1b[?{first};{}$y", if first == 2026 { 2 } else { 0 }),
            (b">", 'q') => "\x1bP>|bench 1.0\x1b\\".to_owned(),
            _ => return,
        };
        self.replies.extend_from_slice(reply.as_bytes());
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        match params {
            [b"10", b"?", ..] => self
                .replies
                .extend_from_slice(b"\x1b]10;rgb:e0e0/e0e0/e0e0\x1b\\"),
            [b"11", b"?", ..] => self
                .replies
                .extend_from_slice(b"\x1b]11;rgb:1010/1010/1010\x1b\\"),
            _ => {}
        }
    }
}
