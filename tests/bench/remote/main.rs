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
#[path = "../terminal/files.rs"]
#[allow(
    dead_code,
    reason = "shared with the bench of panes, which uses all of it"
)]
mod files;
mod front;
mod measure;
mod options;
#[path = "../terminal/outer.rs"]
#[allow(
    dead_code,
    reason = "shared with the bench of panes, which uses all of it"
)]
mod outer;
#[path = "../../it/support/pty.rs"]
mod pty;
#[path = "../gateway/report.rs"]
mod report;
mod viewer;

use arm::Arm;
use measure::Measure;
use options::Options;
use report::Report;

fn main() {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{}", options::USAGE);
            std::process::exit(2);
        }
    };
    let scratch = files::Scratch::new();
    let arms: Vec<Arm> = Arm::ALL
        .into_iter()
        .filter(|arm| arm.present(&options))
        .collect();
    let mut report = Report::default();
    for _ in 0..options.rounds {
        for measure in Measure::ALL {
            if !options.wants(measure.name()) {
                continue;
            }
            for arm in arms.iter().copied().filter(|arm| measure.applies_to(*arm)) {
                for (row, value) in measure.run(arm, &options, &scratch) {
                    report.add(measure.name(), row, arm.name(), value);
                }
            }
        }
    }
    report.print();
}
