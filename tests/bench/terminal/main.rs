//! How fast and how small tundra is beside a bare pseudoterminal and tmux, in one run on one machine.
//!
//! `cargo bench --bench terminal -- [--rounds N] [--seconds N] [--only NAME] [--quick]`
//!
//! The driver is the outer terminal, 200 columns by 50 rows: it starts each target in turn, answers what a terminal is
//! asked, drains as fast as it can on a thread of its own, and prints the medians as a table. Nothing is pinned; what
//! counts is the ratio within one run, on a machine that does nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench prints its result and has nothing to recover; its numbers are far from 2^52"
)]

#[path = "../support/files.rs"]
mod files;
mod measure;
#[path = "../support/options.rs"]
#[allow(dead_code, reason = "shared with the benches that ask for more")]
mod options;
#[path = "../support/outer.rs"]
mod outer;
#[path = "../support/process.rs"]
mod process;
#[path = "../../it/support/pty.rs"]
mod pty;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/rounds.rs"]
mod rounds;
mod target;

use measure::Measure;
use options::Options;
use target::Target;

const USAGE: &str = "usage: cargo bench --bench terminal -- [--rounds N] [--seconds N] [--keys N] \
[--only start|attach|echo|flood|cat|memory|freeze|idle|upgrade]… [--tundra FILE] [--quick]";

fn main() {
    let options = Options::read(USAGE, 5);
    let targets = Target::ALL
        .into_iter()
        .filter(|target| target.present(&options))
        .map(|target| (target, target.name()));
    rounds::run::<Measure>(&options, &targets.collect::<Vec<_>>());
}
