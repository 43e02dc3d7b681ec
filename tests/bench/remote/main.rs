//! What attaching costs beside a bare WebSocket of the same bytes and beside ttyd, in one run on one machine.
//!
//! `cargo bench --bench remote -- [--rounds N] [--seconds N] [--keys N] [--only NAME] [--tundra FILE] [--quick]`
//!
//! The driver is every client: it reads as fast as it can and, in `tundra.v1`, acknowledges each frame at once. The bare
//! arm is a thread of the driver that streams, echoes or paints the same bytes from memory, with nothing behind it. ttyd
//! is taken from `TUNDRA_BENCH_TTYD` or the `PATH`, and left out, loudly, where it is not. Rounds are interleaved and the
//! numbers are medians over rounds; what counts is the ratio within one run, on a machine that does nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench prints its result and has nothing to recover; its numbers are far from 2^52"
)]

mod arm;
mod bare;
mod crowd;
#[path = "../support/files.rs"]
#[allow(
    dead_code,
    reason = "shared with the bench of panes, which uses all of it"
)]
mod files;
mod front;
mod measure;
#[path = "../support/options.rs"]
#[allow(dead_code, reason = "shared with the benches that ask for more")]
mod options;
#[path = "../support/outer.rs"]
#[allow(
    dead_code,
    reason = "shared with the bench of panes, which uses all of it"
)]
mod outer;
#[path = "../support/process.rs"]
mod process;
#[path = "../../it/support/pty.rs"]
mod pty;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/rounds.rs"]
mod rounds;
mod viewer;

use arm::Arm;
use measure::Measure;
use options::Options;

const USAGE: &str = "usage: cargo bench --bench remote -- [--rounds N] [--seconds N] [--keys N] \
[--only cat|echo|repaint|idle|stopped|hundred|local]… [--tundra FILE] [--quick]";

fn main() {
    let options = Options::read(USAGE, 5);
    let arms = Arm::ALL
        .into_iter()
        .filter(|arm| arm.present(&options))
        .map(|arm| (arm, arm.name()));
    rounds::run::<Measure>(&options, &arms.collect::<Vec<_>>());
}
