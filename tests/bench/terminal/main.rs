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

mod files;
mod measure;
mod options;
mod outer;
#[path = "../../it/support/pty.rs"]
mod pty;
mod table;
mod target;

use measure::Measure;
use options::Options;
use table::Table;
use target::Target;

fn main() {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{}", options::USAGE);
            std::process::exit(2);
        }
    };
    let scratch = files::Scratch::new();
    let mut table = Table::default();
    let targets = Target::ALL.map(|target| target.present(&options).then_some(target));
    for round in 1..=options.rounds {
        for measure in Measure::ALL {
            if !options.wants(measure.name()) {
                continue;
            }
            for target in targets.into_iter().flatten() {
                if !measure.applies_to(target) {
                    continue;
                }
                let samples = measure.run(target, &options, &scratch);
                for (row, value) in samples {
                    eprintln!("round {round}: {row}, {}: {value}", target.name());
                    table.add(row, target, value);
                }
            }
        }
    }
    println!("{}", table.render(&options));
}
