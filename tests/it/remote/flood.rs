//! Viewers of a program that floods: what one costs that stops reading, how it is caught up, and how many there may be.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;
use tundra::domain::size::Size;
use tundra::pane::Mirror;
use tundra::remote::protocol::{ToClient, WINDOW};

use super::instance;
use crate::support::condition::within;
use crate::support::viewer::{Remote, Socket, timed};
use crate::support::{Serve, eventually, procs};

/// Floods between two lines that are typed into it; lines with numbers, so that no two screens are alike.
const FLOOD: &str = "stty -echo; printf ready; read -r go; seq 100000000 & read -r stop; kill $!; wait $!; \
                     printf '\\n@DO''NE@'; exec cat >/dev/null";
const DONE: &[u8] = b"@DONE@";

/// Output that passes while nothing is read: many times what the server keeps.
const MISSED: u64 = 8 << 20;
/// The same beside a hundred readers, which leave little time to the flood.
const MISSED_IN_A_CROWD: u64 = 2 << 20;

/// What may be sent to bring a viewer up to date.
const CATCH_UP: usize = 100 * 1024;

/// Enough of the newest lines to fill any screen here.
const TAIL: usize = 64 * 1024;

/// A viewer's terminal, which is not drawn before somebody looks at it.
#[derive(Default)]
struct Shown {
    bytes: Vec<u8>,
    /// How often the whole screen was sent.
    screens: usize,
    is_done: bool,
}

impl Shown {
    fn restore(&mut self, screen: &[u8]) {
        self.bytes.clear();
        self.screens += 1;
        self.feed(screen);
    }

    fn feed(&mut self, output: &[u8]) {
        let seam = self.bytes.len().saturating_sub(DONE.len());
        self.bytes.extend_from_slice(output);
        self.is_done |= memchr::memmem::find(&self.bytes[seam..], DONE).is_some();
        if self.bytes.len() > 4 * TAIL {
            let cut = self.bytes.len() - TAIL;
            let line = memchr::memchr(b'\n', &self.bytes[cut..]);
            self.bytes.drain(..=cut + line.unwrap());
        }
    }

    fn lines(&self) -> Vec<String> {
        let size = Size::clamped(80, 24);
        let mut mirror = Mirror::new(size, 0);
        mirror.restore(size, &self.bytes);
        let rows = &mirror.screen().rows;
        rows.iter().map(|row| row.text()).collect()
    }
}

fn lines_of(serve: &Serve, id: &str) -> Vec<String> {
    serde_json::from_value(serve.screen(id)["lines"].clone()).unwrap()
}

/// How much a terminal has written.
fn written(remote: &Remote, id: &str) -> u64 {
    remote.v1(id).notice("hello")["head"].as_u64().unwrap()
}

fn let_pass(remote: &Remote, id: &str, bytes: u64) {
    let start = written(remote, id);
    within(Duration::from_secs(60), "the flood went on", || {
        written(remote, id) > start + bytes
    });
}

#[test]
fn a_viewer_that_stops_reading_costs_little_and_is_caught_up_by_a_snapshot() {
    let (serve, remote) = instance("heartbeat_interval = \"60s\"");
    let id = serve.sh(FLOOD);
    serve.wait_text(&id, "ready");
    let mut viewer = remote.v1(&id);
    viewer.attach("0123456789abcdef", None);
    viewer.input(1, b"go\n");
    let mut shown = Shown::default();
    let mut acked = 0;
    while acked < 2_000_000 {
        acked = follow(&mut viewer, &mut shown);
    }
    let before = procs::resident_kib(serve.pid());
    let_pass(&remote, &id, MISSED);
    let growth = procs::resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth <= 1024, "{growth} KiB more");
    // What was on its way is within the window; the next thing after it is acknowledged is the present.
    let stale = acked;
    let caught_up = loop {
        match viewer.frame() {
            ToClient::Output { seq, bytes } => {
                acked = seq + bytes.len() as u64;
                assert!(acked - stale <= WINDOW + 16 * 1024);
                viewer.ack(acked);
            }
            ToClient::Snapshot { seq, bytes, .. } => {
                assert!(seq > stale + MISSED);
                shown.restore(&bytes);
                viewer.ack(seq);
                break bytes.len();
            }
        }
    };
    assert!(caught_up <= CATCH_UP, "{caught_up} bytes to catch up");
    viewer.input(2, b"stop\n");
    while !shown.is_done {
        follow(&mut viewer, &mut shown);
    }
    assert_eq!(shown.lines(), lines_of(&serve, &id));
}

/// Takes one frame in and acknowledges it; gives the number after it.
fn follow(viewer: &mut Socket, shown: &mut Shown) -> u64 {
    let next = match viewer.frame() {
        ToClient::Output { seq, bytes } => {
            shown.feed(&bytes);
            seq + bytes.len() as u64
        }
        ToClient::Snapshot { seq, bytes, .. } => {
            shown.restore(&bytes);
            seq
        }
    };
    viewer.ack(next);
    next
}

/// The same without acknowledgements: only the kernel's buffers tell that nobody reads.
fn follow_plain(viewer: &mut Socket, shown: &mut Shown) {
    let Message::Binary(bytes) = viewer.next() else {
        panic!("no output");
    };
    if bytes.starts_with(b"\x1bc") {
        shown.restore(&bytes);
    } else {
        shown.feed(&bytes);
    }
}

#[test]
fn a_plain_viewer_that_stops_reading_costs_little_and_is_painted_the_present_screen() {
    let (serve, remote) = instance("heartbeat_interval = \"60s\"");
    let id = serve.sh(FLOOD);
    serve.wait_text(&id, "ready");
    let mut viewer = remote.plain(&id);
    let mut shown = Shown::default();
    follow_plain(&mut viewer, &mut shown);
    viewer.text("go\n");
    // Until all buffers on the way are full, however large the kernel lets them become.
    let_pass(&remote, &id, MISSED);
    let before = procs::resident_kib(serve.pid());
    let_pass(&remote, &id, MISSED);
    let growth = procs::resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth <= 1024, "{growth} KiB more");
    while shown.screens == 1 {
        follow_plain(&mut viewer, &mut shown);
        assert!(!shown.is_done, "everything was kept for it");
    }
    let painted = shown.bytes.len();
    assert!(painted <= CATCH_UP, "{painted} bytes to paint");
    viewer.text("stop\n");
    while !shown.is_done {
        follow_plain(&mut viewer, &mut shown);
    }
    assert_eq!(shown.lines(), lines_of(&serve, &id));
}

#[derive(Clone, Copy)]
enum Mode {
    V1,
    Plain,
}

#[test]
fn a_hundred_viewers_of_a_flood_end_at_the_same_screen() {
    a_hundred(Mode::V1);
}

#[test]
fn a_hundred_plain_viewers_of_a_flood_end_at_the_same_screen() {
    a_hundred(Mode::Plain);
}

/// Every tenth of them stops reading while the flood goes on; another pane works meanwhile.
fn a_hundred(mode: Mode) {
    let (serve, remote) = instance("max_viewers = 110\nheartbeat_interval = \"60s\"");
    let id = serve.sh(FLOOD);
    serve.wait_text(&id, "ready");
    let quiet = serve.sh("stty raw -echo; printf ready; exec cat");
    serve.wait_text(&quiet, "ready");
    let mut go_on = Vec::new();
    let viewers: Vec<_> = (0..100)
        .map(|number| {
            let mut viewer = match mode {
                Mode::V1 => remote.v1(&id),
                Mode::Plain => remote.plain(&id),
            };
            if matches!(mode, Mode::V1) {
                viewer.attach(&format!("viewer-0123456789-{number}"), None);
            }
            let (send, told) = mpsc::channel::<()>();
            let stops = number % 10 == 0;
            if stops {
                go_on.push(send);
            }
            thread::spawn(move || {
                let mut shown = Shown::default();
                let mut step = |shown: &mut Shown| match mode {
                    Mode::V1 => drop(follow(&mut viewer, shown)),
                    Mode::Plain => follow_plain(&mut viewer, shown),
                };
                step(&mut shown);
                if stops {
                    let _ = told.recv();
                }
                while !shown.is_done {
                    step(&mut shown);
                }
                (stops, shown)
            })
        })
        .collect();
    eventually("all are attached", || {
        remote.terminal(&id)["viewers"] == 100
    });
    serve.send(&id, "go\n");
    for number in 0..5 {
        let key = format!("<{number}>");
        let (took, ()) = timed(|| {
            serve.send(&quiet, &key);
            serve.wait_text(&quiet, &key);
        });
        assert!(took < Duration::from_secs(5), "{took:?} for an echo");
    }
    let_pass(&remote, &id, MISSED_IN_A_CROWD);
    serve.send(&id, "stop\n");
    drop(go_on);
    serve.wait_text(&id, "@DONE@");
    let wanted = lines_of(&serve, &id);
    for viewer in viewers {
        let (stopped, shown) = viewer.join().unwrap();
        assert_eq!(shown.lines(), wanted);
        if stopped {
            assert!(shown.screens > 1, "everything was kept for it");
        }
    }
}
