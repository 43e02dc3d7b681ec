//! The measurements, one per row or group of rows of the table.

use std::cell::{Cell, RefCell};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::files::{MEGABYTE, Scratch};
use crate::options::Options;
use crate::rounds::{self, Samples};
use crate::target::{Session, Target};

/// Between two keys.
const KEY_EVERY: Duration = Duration::from_millis(30);
/// How long memory and load are left alone to settle before they are read.
const SETTLE: Duration = Duration::from_millis(1500);
/// Panes whose memory is counted.
const FURTHER_PANES: u32 = 10;
/// Panes that go over to another program.
const PANES_OF_AN_UPGRADE: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Start,
    Attach,
    Echo,
    Flood,
    Cat,
    Memory,
    Freeze,
    Idle,
    Upgrade,
}

impl rounds::Measure for Measure {
    type Arm = Target;

    const ALL: &'static [Self] = &[
        Self::Start,
        Self::Attach,
        Self::Echo,
        Self::Flood,
        Self::Cat,
        Self::Memory,
        Self::Freeze,
        Self::Idle,
        Self::Upgrade,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Attach => "attach",
            Self::Echo => "echo",
            Self::Flood => "flood",
            Self::Cat => "cat",
            Self::Memory => "memory",
            Self::Freeze => "freeze",
            Self::Idle => "idle",
            Self::Upgrade => "upgrade",
        }
    }

    fn applies_to(self, target: Target) -> bool {
        match self {
            Self::Start | Self::Echo | Self::Cat => true,
            Self::Attach | Self::Flood | Self::Memory | Self::Freeze | Self::Idle => {
                target != Target::Bare
            }
            Self::Upgrade => target == Target::Tundra,
        }
    }

    fn run(self, target: Target, options: &Options, scratch: &Scratch) -> Samples {
        match self {
            Self::Start => start(target, options, scratch),
            Self::Attach => attach(target, options, scratch),
            Self::Echo => {
                let session = echoing(target, options, scratch);
                let rows = ["key to echo, idle, p50, ms", "key to echo, idle, p99, ms"];
                echo(session, options, rows)
            }
            Self::Flood => {
                let session = echoing(target, options, scratch);
                session.open_hidden("exec yes");
                thread::sleep(SETTLE);
                let rows = [
                    "key to echo while a hidden pane runs yes, p50, ms",
                    "key to echo while a hidden pane runs yes, p99, ms",
                ];
                echo(session, options, rows)
            }
            Self::Cat => cat(target, options, scratch),
            Self::Memory => memory(target, options, scratch),
            Self::Freeze => freeze(target, options, scratch),
            Self::Idle => idle(target, options, scratch),
            Self::Upgrade => upgrade(target, options, scratch),
        }
    }
}

/// How often a start is timed in a round.
const fn starts(options: &Options) -> usize {
    if options.is_quick { 3 } else { 10 }
}

/// From the start of the target to the first byte of its child on the screen.
fn start(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let mut times: Vec<f64> = (0..starts(options))
        .map(|_| {
            let script = "printf READY; exec cat >/dev/null";
            let (session, ready) = target.start(options, scratch, script, "READY");
            let seen = ready.wait("the child's first bytes");
            milliseconds(seen.at - session.outer.started)
        })
        .collect();
    vec![(
        "start to the child's first byte, ms",
        percentile(&mut times, 50),
    )]
}

/// From the start of what shows a running session to the last pane of its first frame: three panes full of text.
fn attach(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let fill = "seq 1000; printf '@DO''NE@'; exec cat >/dev/null";
    let (mut session, ready) = target.start(options, scratch, fill, "@DONE@");
    ready.wait("the first pane");
    // Both split with the same keys.
    for split in ["\x02%", "\x02\""] {
        session.outer.type_(split);
        thread::sleep(SETTLE);
        let done = session.outer.watch_for("@LAST@");
        session
            .outer
            .type_("clear; seq 1000; printf '@LA''ST@'; exec cat >/dev/null\r");
        done.wait("a pane more");
    }
    let mut times: Vec<f64> = (0..starts(options))
        .map(|_| {
            thread::sleep(SETTLE / 5);
            milliseconds(session.attach_again("@LAST@"))
        })
        .collect();
    let lender = session.lender_pss_kib();
    vec![
        (
            "attach to the first whole frame, three panes, ms",
            percentile(&mut times, 50),
        ),
        (
            "memory (PSS) of the process in the terminal, MiB",
            lender as f64 / 1024.0,
        ),
    ]
}

/// A session whose terminal echoes what is typed.
fn echoing(target: Target, options: &Options, scratch: &Scratch) -> Session {
    let script = "stty raw echo; printf READY; exec cat >/dev/null";
    let (session, ready) = target.start(options, scratch, script, "READY");
    ready.wait("the terminal that echoes");
    thread::sleep(SETTLE);
    session
}

fn echo(mut session: Session, options: &Options, rows: [&'static str; 2]) -> Samples {
    let mut times = Vec::with_capacity(options.keys);
    let mut next = Instant::now();
    for key in ('a'..='z').cycle().take(options.keys) {
        next += KEY_EVERY;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let awaited = session.outer.watch_for(&key.to_string());
        let struck = Instant::now();
        session.outer.type_(&key.to_string());
        let seen = awaited.wait("the echo of a key");
        times.push(milliseconds(seen.at - struck));
        next = next.max(Instant::now().checked_sub(KEY_EVERY).unwrap());
    }
    vec![
        (rows[0], percentile(&mut times, 50)),
        (rows[1], percentile(&mut times, 99)),
    ]
}

/// Throughput as the program in the pane sees it.
fn cat(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    scratch
        .samples()
        .into_iter()
        .map(|sample| {
            let script = format!(
                "a=$(date +%s%N); cat {}; b=$(date +%s%N); echo $((b - a)) > took; \
                 printf '\\033[m\\n@DO''NE@'; exec cat >/dev/null",
                sample.file.display()
            );
            let (session, done) = target.start(options, scratch, &script, "@DONE@");
            done.wait("the end of the file on the screen");
            let took = fs::read_to_string(session.folder().join("took")).unwrap();
            let seconds = took.trim().parse::<f64>().unwrap() / 1e9;
            (sample.row, sample.bytes as f64 / MEGABYTE as f64 / seconds)
        })
        .collect()
}

fn memory(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let script = format!(
        "printf READY; read x; cat {}; printf '@DO''NE@'; exec cat >/dev/null",
        scratch.history().display()
    );
    let (mut session, ready) = target.start(options, scratch, &script, "READY");
    ready.wait("the first pane");
    let one = settled(&session);
    for _ in 0..FURTHER_PANES {
        session.open_hidden("exec cat >/dev/null");
    }
    let many = settled(&session);
    let done = session.outer.watch_for("@DONE@");
    session.outer.type_("\r");
    done.wait("10,100 lines on the screen");
    let full = settled(&session);
    let mebibytes = |kib: u64| kib as f64 / 1024.0;
    vec![
        ("memory (PSS), one pane, MiB", mebibytes(one)),
        (
            "memory, each further empty pane, MiB",
            mebibytes(many.saturating_sub(one)) / f64::from(FURTHER_PANES),
        ),
        (
            "memory, 10,000 lines of 100 columns, MiB",
            mebibytes(full.saturating_sub(many)),
        ),
    ]
}

/// Memory once it no longer changes.
fn settled(session: &Session) -> u64 {
    thread::sleep(SETTLE);
    session.pss_kib()
}

fn freeze(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let script = "mkfifo go; printf READY; read x < go; yes & read x < go; kill $!; wait; \
                  printf '\\n@CUR''RENT@'; exec cat >/dev/null";
    let (session, ready) = target.start(options, scratch, script, "READY");
    ready.wait("the pane that is to run yes");
    let go = session.folder().join("go");
    fs::write(&go, "go\n").unwrap();
    thread::sleep(2 * SETTLE);
    let before = session.pss_kib();
    session.outer.freeze(true);
    thread::sleep(options.time);
    let growth = session.pss_kib().saturating_sub(before);
    let current = session.outer.watch_for("@CURRENT@");
    fs::write(&go, "go\n").unwrap();
    thread::sleep(SETTLE);
    let stale = session.outer.bytes();
    session.outer.freeze(false);
    let seen = current.wait("the marker after the flood");
    vec![
        (
            "outer terminal stops reading under yes: growth, MiB",
            growth as f64 / 1024.0,
        ),
        (
            "outer terminal stops reading under yes: bytes until current, KB",
            (seen.bytes - stale) as f64 / 1000.0,
        ),
    ]
}

fn idle(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let script = "printf READY; exec cat >/dev/null";
    let (session, ready) = target.start(options, scratch, script, "READY");
    ready.wait("the first pane");
    for _ in 1..10 {
        session.open_hidden("exec cat >/dev/null");
    }
    thread::sleep(2 * SETTLE);
    let (before, start) = (session.work(), Instant::now());
    thread::sleep(options.time);
    let (after, time) = (session.work(), start.elapsed().as_secs_f64());
    vec![
        (
            "ten idle panes, CPU, %",
            (after.seconds - before.seconds) / time * 100.0,
        ),
        (
            "ten idle panes, context switches a second",
            (after.switches - before.switches) as f64 / time,
        ),
    ]
}

/// How long the screen stands still while another program takes over ten panes full of history.
fn upgrade(target: Target, options: &Options, scratch: &Scratch) -> Samples {
    let history = scratch.history();
    let script = format!(
        "cat {}; printf READY; read x; i=0; while :; do i=$((i+1)); printf '\\r%d' $i; sleep 0.005; done",
        history.display()
    );
    let (mut session, ready) = target.start(options, scratch, &script, "READY");
    ready.wait("the first pane");
    for _ in 1..PANES_OF_AN_UPGRADE {
        session.open_hidden(&format!("cat {}; exec cat >/dev/null", history.display()));
    }
    thread::sleep(2 * SETTLE);
    session.outer.type_("\r");
    thread::sleep(SETTLE);
    let still = |session: &Session, until: &dyn Fn() -> bool| {
        let (mut longest, mut bytes, mut since) = (Duration::ZERO, 0, Instant::now());
        while !until() {
            let now = session.outer.bytes();
            if now != bytes {
                longest = longest.max(since.elapsed());
                (bytes, since) = (now, Instant::now());
            }
            thread::sleep(Duration::from_micros(500));
        }
        longest
    };
    let began = Instant::now();
    let before = still(&session, &|| began.elapsed() > SETTLE);
    let upgrade = RefCell::new(session.upgrade());
    let ended = Cell::new(None);
    let during = still(&session, &|| {
        let mut upgrade = upgrade.borrow_mut();
        if ended.get().is_none() && upgrade.try_wait().unwrap().is_some() {
            ended.set(Some(Instant::now()));
        }
        ended.get().is_some_and(|at| at.elapsed() > SETTLE)
    });
    vec![
        (
            "longest stillness of a busy screen, ms",
            milliseconds(before),
        ),
        (
            "the same over an upgrade with ten panes of 10,000 lines, ms",
            milliseconds(during),
        ),
    ]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The value below which `percent` of a hundred lie.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}
