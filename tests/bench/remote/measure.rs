//! The measurements, one per row or group of rows of the table.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tundra::domain::size::Size;
use tundra::pane::Mirror;

use crate::arm::{Arm, Server};
use crate::bare::{self, Script};
use crate::crowd::Crowd;
use crate::files::{MEGABYTE, Scratch};
use crate::front::Front;
use crate::options::Options;
use crate::rounds::{self, Samples};
use crate::viewer::{Finder, Place, Seen};

/// Between two keys.
const KEY_EVERY: Duration = Duration::from_millis(10);
/// How long memory and load are left alone to settle before they are read.
const SETTLE: Duration = Duration::from_millis(1500);
/// How often a return is timed in a round.
const RETURNS: usize = 20;
const VIEWERS: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Cat,
    Echo,
    Repaint,
    Idle,
    Local,
    Stopped,
    Hundred,
}

impl rounds::Measure for Measure {
    type Arm = Arm;

    const ALL: &'static [Self] = &[
        Self::Cat,
        Self::Echo,
        Self::Repaint,
        Self::Idle,
        Self::Local,
        Self::Stopped,
        Self::Hundred,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Cat => "cat",
            Self::Echo => "echo",
            Self::Repaint => "repaint",
            Self::Idle => "idle",
            Self::Local => "local",
            Self::Stopped => "stopped",
            Self::Hundred => "hundred",
        }
    }

    fn applies_to(self, arm: Arm) -> bool {
        match self {
            Self::Cat | Self::Echo => true,
            // A connection to ttyd is a program of its own: there is nothing to come back to.
            Self::Repaint => arm != Arm::Ttyd,
            Self::Idle => arm != Arm::Bare,
            Self::Stopped | Self::Hundred => arm.is_tundra(),
            // The floor of the two before it.
            Self::Local => arm == Arm::V1,
        }
    }

    fn run(self, arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
        match self {
            Self::Cat => cat(arm, options, scratch),
            Self::Echo => echo(arm, options, scratch),
            Self::Repaint => repaint(arm, options, scratch),
            Self::Idle => idle(arm, options, scratch),
            Self::Local => local(arm, options, scratch),
            Self::Stopped => stopped(arm, options, scratch),
            Self::Hundred => hundred(arm, options, scratch),
        }
    }
}

/// What is measured at, and the server where one must be kept.
fn terminal(
    arm: Arm,
    bare: Script,
    script: &str,
    options: &Options,
    scratch: &Scratch,
) -> (Option<Server>, Place) {
    if arm == Arm::Bare {
        let place = Place {
            arm,
            address: bare::serve(bare),
            path: "/".to_owned(),
            token: String::new(),
        };
        return (None, place);
    }
    let server = arm.start(options, scratch, script);
    let place = server.place.clone();
    (Some(server), place)
}

/// From a key until the viewer has all that the program wrote.
fn cat(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let [sample, ..] = scratch.samples();
    let bytes = Bytes::from(fs::read(&sample.file).unwrap());
    let script = format!(
        "stty -echo; printf READY; read x; cat {}; printf '@DO''NE@'; exec cat >/dev/null",
        sample.file.display()
    );
    let (_server, place) = terminal(
        arm,
        Script::Stream(bytes, "@DONE@"),
        &script,
        options,
        scratch,
    );
    let mut viewer = place.attach();
    if arm != Arm::Bare {
        viewer.read_until("READY");
    }
    let start = Instant::now();
    viewer.type_(b"\n");
    let got = viewer.read_until("@DONE@");
    let seconds = start.elapsed().as_secs_f64();
    vec![
        (
            "48 MB base64 to one viewer, MB/s",
            sample.bytes as f64 / MEGABYTE as f64 / seconds,
        ),
        (
            "the same: part that was sent, %",
            got as f64 / sample.bytes as f64 * 100.0,
        ),
    ]
}

fn echo(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let script = "stty raw echo; printf READY; exec cat >/dev/null";
    let (_server, place) = terminal(arm, Script::Echo, script, options, scratch);
    let mut viewer = place.attach();
    if arm != Arm::Bare {
        viewer.read_until("READY");
    }
    thread::sleep(SETTLE);
    let mut times = Vec::with_capacity(options.keys);
    for key in ('a'..='z').cycle().take(options.keys) {
        thread::sleep(KEY_EVERY);
        let struck = Instant::now();
        viewer.type_(key.to_string().as_bytes());
        viewer.read_until(&key.to_string());
        times.push(milliseconds(struck.elapsed()));
    }
    vec![
        ("key to echo, p50, ms", percentile(&mut times, 50)),
        ("key to echo, p99, ms", percentile(&mut times, 99)),
    ]
}

/// From the first packet of a connection until a terminal shows the screen.
fn repaint(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let [_, sample, _] = scratch.samples();
    // A few screens of it: the last one is what there is to see.
    let file = scratch.path("screen");
    let redraws = fs::read(&sample.file).unwrap();
    let last = memchr::memmem::rfind(&redraws[..200_000], b"\x1b[?2026h").unwrap();
    fs::write(&file, &redraws[..last]).unwrap();
    let script = format!("cat {}; printf READY; exec cat >/dev/null", file.display());
    let bare = Script::Paint(Bytes::from(redraws[last..][..20_000].to_vec()));
    let (_server, place) = terminal(arm, bare, &script, options, scratch);
    let size = Size::clamped(200, 50);
    // Somebody else stays, so that each return is painted.
    let mut stays = place.attach();
    if arm != Arm::Bare {
        stays.read_until("READY");
    }
    let mut times: Vec<f64> = (0..RETURNS)
        .map(|_| {
            let start = Instant::now();
            let mut viewer = place.attach();
            loop {
                if let Seen::Screen(bytes) | Seen::Output(bytes) = viewer.read() {
                    let mut mirror = Mirror::new(size, 0);
                    mirror.restore(size, &bytes);
                    break milliseconds(start.elapsed());
                }
            }
        })
        .collect();
    vec![(
        "connect to 200x50 colours parsed, ms",
        percentile(&mut times, 50),
    )]
}

fn idle(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let script = "printf READY; exec cat >/dev/null";
    let server = arm.start(options, scratch, script);
    let mut viewers = vec![attached(&server.place)];
    thread::sleep(SETTLE);
    let one = server.pss_kib();
    viewers.extend((0..VIEWERS).map(|_| attached(&server.place)));
    thread::sleep(SETTLE);
    let growth = server.pss_kib().saturating_sub(one);
    vec![("100 idle viewers, MiB", growth as f64 / 1024.0)]
}

fn attached(place: &Place) -> crate::viewer::Viewer {
    let mut viewer = place.attach();
    viewer.read_until("READY");
    viewer
}

/// Keys of a local pane, alone and beside a hidden flood that nobody watches.
fn local(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let mut front = Front::start(arm, options, scratch);
    thread::sleep(SETTLE);
    let mut alone = front.echo(options.keys, Duration::ZERO);
    front.go();
    thread::sleep(SETTLE);
    let mut beside = front.echo(options.keys, Duration::ZERO);
    vec![
        ("local echo alone, p50, ms", percentile(&mut alone, 50)),
        ("local echo alone, p99, ms", percentile(&mut alone, 99)),
        (
            "local echo beside yes without viewers, p50, ms",
            percentile(&mut beside, 50),
        ),
        (
            "local echo beside yes without viewers, p99, ms",
            percentile(&mut beside, 99),
        ),
    ]
}

fn stopped(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let mut front = Front::start(arm, options, scratch);
    let mut viewer = attached(&front.flood);
    front.go();
    let warm = Instant::now() + SETTLE;
    while Instant::now() < warm {
        viewer.read();
    }
    let before = front.pss_kib();
    let mut times = front.echo(options.keys, options.time);
    let growth = front.pss_kib().saturating_sub(before);
    front.go();
    thread::sleep(SETTLE);
    // One that was given up meanwhile comes back.
    let mut finder = Finder::new("@CURRENT@");
    let (mut on_its_way, mut after) = (0, 0);
    loop {
        match viewer.read() {
            Seen::Output(bytes) if after == 0 && !finder.finds(&bytes) => on_its_way += bytes.len(),
            Seen::Output(bytes) | Seen::Screen(bytes) => {
                after += bytes.len();
                if finder.finds(&bytes) {
                    break;
                }
            }
            Seen::Nothing => {}
            Seen::Closed => viewer = front.flood.attach(),
        }
    }
    vec![
        (
            "a viewer stops reading under yes: growth, MiB",
            growth as f64 / 1024.0,
        ),
        (
            "the same: KB that were on their way",
            on_its_way as f64 / 1000.0,
        ),
        (
            "the same: KB from there to the present",
            after as f64 / 1000.0,
        ),
        ("the same: local echo, p50, ms", percentile(&mut times, 50)),
        ("the same: local echo, p99, ms", percentile(&mut times, 99)),
    ]
}

fn hundred(arm: Arm, options: &Options, scratch: &Scratch) -> Samples {
    let mut front = Front::start(arm, options, scratch);
    let crowd = Crowd::attach(&front.flood, VIEWERS, "@CURRENT@");
    front.go();
    thread::sleep(2 * SETTLE);
    let before = front.pss_kib();
    let mut times = front.echo(options.keys, options.time);
    let growth = front.pss_kib().saturating_sub(before);
    let ended = Instant::now();
    front.go();
    let bytes: u64 = crowd.join().iter().sum();
    let current = milliseconds(ended.elapsed());
    let seconds = (options.time + 2 * SETTLE).as_secs_f64();
    vec![
        ("100 viewers under yes: growth, MiB", growth as f64 / 1024.0),
        (
            "the same: MB/s to all",
            bytes as f64 / MEGABYTE as f64 / seconds,
        ),
        ("the same: all are current after, ms", current),
        ("the same: local echo, p50, ms", percentile(&mut times, 50)),
        ("the same: local echo, p99, ms", percentile(&mut times, 99)),
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
