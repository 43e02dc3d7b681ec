//! What the gateway costs beside a bare axum and reqwest pass-through and beside peers, in one run on one machine.
//!
//! `cargo bench --bench gateway -- [--rounds N] [--quick] [--only NAME]`
//!
//! `-- --hostile` measures nothing: it prints what a Messages caller reads of a Chat provider's odd streams through tundra
//! and those peers that translate, judged by the reader that the tests use.
//!
//! Every arm is a process of its own: a scripted provider, the pass-through, tundra's gateway, and, where
//! `TUNDRA_BENCH_LITELLM` and `TUNDRA_BENCH_ANTHROPIC_PROXY` name their programs, the peers (`TUNDRA_BENCH_SWITCHYARD` a
//! Python that has it, for the odd streams alone). Client and provider run on
//! core 0, arms on core 1. Rounds are interleaved, the numbers are medians over rounds. CPU is what the scheduler
//! counts for the arm's process, time is measured at the client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench prints its result and has nothing to recover; its numbers are far from 2^52"
)]

mod allocator;
mod arm;
mod client;
mod floor;
mod hostile;
mod load;
#[path = "../support/options.rs"]
#[allow(
    dead_code,
    reason = "shared with benches that strike keys and watch for a while"
)]
mod options;
mod provider;
#[path = "../support/report.rs"]
mod report;
#[path = "../../it/gateway/translation/strict.rs"]
mod strict;
mod subject;

use allocator::BinarysAllocator;
use arm::Arms;
use options::Options;
use report::Report;

#[global_allocator]
static ALLOCATOR: BinarysAllocator = BinarysAllocator::plain();

const USAGE: &str =
    "usage: cargo bench --bench gateway -- [--rounds N] [--only NAME]… [--quick], or --hostile";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.find(|argument| argument != "--bench");
    match role.as_deref() {
        Some("provider") => return provider::run(),
        Some("hostile") => return hostile::run(),
        Some("--hostile") => {
            let (_provider, arms) = arm::translators();
            return hostile::table(&arms.iter().collect::<Vec<_>>());
        }
        Some("floor") => return floor::run(&arguments.next().unwrap()),
        Some("subject") => return subject::run(&arguments.collect::<Vec<_>>()),
        _ => {}
    }
    let options = Options::read(USAGE, 7);
    arm::pin(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let arms = Arms::start();
    let mut report = Report::default();
    runtime.block_on(load::run(&options, &arms, &mut report));
    report.print();
}
