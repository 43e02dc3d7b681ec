//! What keeping what happened costs: a fact, a batch, a month of usage, a day of history, and nothing while nothing happens.
//!
//!   cargo bench --bench store
//!
//! Each figure stands beside the one it is measured against; `sqlite3`'s own select runs in the same minute.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement tells its figures and fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tundra::domain::fact::{Fact, Recorder, What};
use tundra::store::{Journal, JournalOptions, MOST_FACTS};

const FACTS: usize = 200_000;
const RUNS: usize = 7;

fn main() {
    let folder = std::env::temp_dir().join(format!("tundra-bench-store-{}", std::process::id()));
    fs::create_dir_all(folder.join("data")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(writing(&folder));
    if Command::new("sqlite3").arg("--version").output().is_ok() {
        reading(&folder);
    } else {
        println!("sqlite3 is not installed: nothing to compare reading with");
    }
    fs::remove_dir_all(&folder).unwrap();
}

fn options(path: PathBuf) -> JournalOptions {
    JournalOptions {
        path,
        host: "bench".to_owned(),
        version: "0".to_owned(),
        pid: std::process::id(),
        started_at: Timestamp::now(),
        retention: Duration::from_secs(90 * 86_400),
        outbox: false,
    }
}

fn fact() -> Fact {
    let why = "a text as long as most of them are, with a name in it".to_owned();
    Fact::at(Timestamp::now(), What::ConfigRefused { why })
}

async fn writing(folder: &Path) {
    let path = folder.join("written.db");
    let (journal, thread) = Journal::start(options(path)).unwrap();
    journal.opened().await.unwrap();
    // As fast as they come, with pauses so that none is given up.
    let mut told = Vec::with_capacity(FACTS);
    let began = Instant::now();
    for _ in 0..FACTS / (MOST_FACTS / 2) {
        for _ in 0..MOST_FACTS / 2 {
            let fact = fact();
            let before = Instant::now();
            journal.record(fact);
            told.push(before.elapsed());
        }
        journal.flush().await;
    }
    let rate = told.len() as f64 / began.elapsed().as_secs_f64();
    told.sort_unstable();
    let at = |percent: usize| told[told.len() * percent / 100];
    let mean = told.iter().sum::<Duration>() / u32::try_from(told.len()).unwrap();
    println!("a fact: mean {mean:?}, p50 {:?}, p99 {:?}", at(50), at(99));
    println!("rows written and on the disk: {rate:.0} a second");
    let before = (ticks(), journal.status().size);
    std::thread::sleep(Duration::from_secs(5));
    let after = (ticks(), journal.status().size);
    println!(
        "idle for 5 s: {} switches of the journal's thread, {} bytes",
        after.0 - before.0,
        after.1 - before.1
    );
    thread.close().await;
}

/// How often the journal's thread went to sleep.
fn ticks() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let journal = tasks.map(|entry| entry.path()).find(|path| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "journal")
    });
    let status = fs::read_to_string(journal.unwrap().join("status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("voluntary_ctxt"));
    line.unwrap()
        .split_whitespace()
        .last()
        .unwrap()
        .parse()
        .unwrap()
}

fn reading(folder: &Path) {
    let path = folder.join("data/tundra.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (journal, thread) = Journal::start(options(path.clone())).unwrap();
        journal.opened().await.unwrap();
        thread.close().await;
    });
    // A million rows of usage in the last 30 days: 720 hours, 5 profiles, 5 models, 56 terminals.
    let now = Timestamp::now().as_millisecond();
    let hour = now - now % 3_600_000;
    sqlite(
        &path,
        &format!(
            "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 999999)
             INSERT INTO usage_hour SELECT {hour} - (x / 1400) * 3600000, 'i', 'p' || (x % 5), 'm' || (x / 5 % 5),
               't' || (x / 25 % 56), '', 1, 0, 0, 100, 10, 0, 0, 5, 0 FROM n WHERE true ON CONFLICT DO NOTHING;
             WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n WHERE x < 99999)
             INSERT INTO event SELECT printf('%08d-0000-7000-8000-000000000000', x), {now} - 86000000 + x * 800, 'i',
               'provider.failed', '', 'p', '', 'p: API error (status 500): no', '{{\"kind\":\"api\",\"message\":\"no\"}}' FROM n;"
        ),
    );
    let home = folder.to_owned();
    let tundra = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tundra"));
        command.args(args).env("TUNDRA_HOME", &home);
        best(command)
    };
    println!(
        "usage --since 30d over a million rows: {:?}",
        tundra(&["usage", "--since", "30d", "--json"])
    );
    let ours = tundra(&["history", "--since", "24h", "--json"]);
    let mut command = Command::new("sqlite3");
    command.arg("-json").arg(&path).arg(format!(
        "SELECT e.id, e.at_ms, e.kind, e.terminal_id, t.name, e.profile, e.\"by\", e.text, e.data FROM event e
         LEFT JOIN terminal t ON t.id = e.terminal_id WHERE e.at_ms >= {} ORDER BY e.at_ms",
        now - 86_400_000
    ));
    let theirs = best(command);
    println!("history --since 24h, 100,000 events: {ours:?}, sqlite3 -json {theirs:?}");
}

fn sqlite(path: &Path, statements: &str) {
    let done = Command::new("sqlite3").arg(path).arg(statements).status();
    assert!(done.unwrap().success());
}

/// The shortest of some runs, from start to end.
fn best(mut command: Command) -> Duration {
    command.stdout(Stdio::null());
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let began = Instant::now();
        assert!(command.status().unwrap().success());
        best = best.min(began.elapsed());
    }
    best
}
