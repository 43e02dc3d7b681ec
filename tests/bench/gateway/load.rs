//! The loads, and what is measured under each.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::arm::{Arm, Arms};
use super::client::{Client, Took, request};
use super::options::Options;
use super::report::Report;

const CLIENTS: usize = 8;
const WARM_UP: usize = 20;
/// Asks the provider for a stream of 200,000 deltas, in place of a pace.
const LONG: u64 = 200_000;

/// Requests a second in all, for the latencies.
const PACED: u32 = 400;

pub async fn run(options: &Options, arms: &Arms, report: &mut Report) {
    for (name, stream, size) in [
        ("plain, 0.2 KB", false, 200),
        ("plain, 50 KB", false, 50_000),
        ("plain, 200 KB", false, 200_000),
        ("stream of 40 deltas, 0.2 KB", true, 200),
    ] {
        if options.wants(name) {
            costs(options, arms, report, name, stream, size).await;
        }
    }
    if options.wants("latency") {
        latencies(options, arms, report).await;
    }
    if options.wants("failover") {
        failover(options, arms, report).await;
    }
    if options.wants("memory") {
        memory(arms, report).await;
    }
    if options.wants("long stream") {
        long_stream(arms, report).await;
    }
    if options.wants("1000 streams") {
        many_streams(arms, report).await;
    }
}

/// Requests of a round, a fifth of it for streams.
const fn requests_of(options: &Options) -> usize {
    if options.is_quick { 1000 } else { 4000 }
}

/// CPU a request, and how long a request takes while the arm is kept busy.
async fn costs(
    options: &Options,
    arms: &Arms,
    report: &mut Report,
    name: &str,
    stream: bool,
    size: usize,
) {
    let requests = match (stream, size) {
        (true, _) => requests_of(options) / 5,
        (false, 0..=1_000) => requests_of(options),
        (false, _) => requests_of(options) / 4,
    };
    for _ in 0..options.rounds {
        for arm in arms.all() {
            let requests = ((requests as f64 * arm.share) as usize).max(CLIENTS);
            let body = request(&arm.address, &arm.key, stream, size, 0);
            busy(arm, &body, WARM_UP).await;
            let before = arm.cost();
            let took = busy(arm, &body, requests).await;
            let cpu = arm.cost().cpu.saturating_sub(before.cpu);
            report.add(
                name,
                "CPU a request, ms",
                arm.name,
                millis(cpu) / took.len() as f64,
            );
            report.add(
                name,
                "p50 with 8 clients, ms",
                arm.name,
                millis(percentile(&took, 50)),
            );
        }
    }
}

/// Asks as fast as eight clients can.
async fn busy(arm: &Arm, body: &[u8], requests: usize) -> Vec<Took> {
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (address, body) = (arm.address.clone(), body.to_vec());
        let each = requests.div_ceil(CLIENTS);
        clients.spawn(async move {
            let mut client = Client::connect(&address).await;
            let mut took = Vec::with_capacity(each);
            for _ in 0..each {
                took.push(client.ask(&body).await);
            }
            took
        });
    }
    clients.join_all().await.concat()
}

/// Asks 400 times a second from eight clients, whatever the answers take.
async fn paced(arm: &Arm, body: &[u8], span: Duration) -> Vec<Took> {
    let every = Duration::from_secs(1) / PACED * CLIENTS as u32;
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS as u32 {
        let (address, body) = (arm.address.clone(), body.to_vec());
        clients.spawn(async move {
            let mut client = Client::connect(&address).await;
            let mut took = Vec::new();
            let mut next = began + every / CLIENTS as u32 * number;
            while next < began + span {
                tokio::time::sleep_until(next.into()).await;
                // Counted from when it was due, so that a slow answer does not hide the wait of those behind it.
                let late = next.elapsed();
                let mut one = client.ask(&body).await;
                // The timer itself is a millisecond coarse; only what an answer before held up counts.
                if late > Duration::from_millis(2) {
                    one.total += late;
                }
                took.push(one);
                next += every;
            }
            took
        });
    }
    clients.join_all().await.concat()
}

async fn latencies(options: &Options, arms: &Arms, report: &mut Report) {
    for (name, stream) in [
        ("latency at 400 a second, plain", false),
        ("latency at 400 a second, streams", true),
    ] {
        for _ in 0..options.rounds {
            let mut direct = None;
            for arm in arms.all().filter(|arm| arm.share >= 1.0) {
                let body = request(&arm.address, &arm.key, stream, 200, 0);
                busy(arm, &body, WARM_UP).await;
                let took = paced(arm, &body, Duration::from_secs(3)).await;
                let (p50, p99) = (millis(percentile(&took, 50)), millis(percentile(&took, 99)));
                let (direct_p50, direct_p99) = *direct.get_or_insert((p50, p99));
                report.add(name, "p50, ms", arm.name, p50);
                report.add(name, "p99, ms", arm.name, p99);
                report.add(name, "added p50, ms", arm.name, p50 - direct_p50);
                report.add(name, "added p99, ms", arm.name, p99 - direct_p99);
            }
        }
    }
}

/// What a provider that answers 503 at once costs before the next one answers: its own round trip included.
async fn failover(options: &Options, arms: &Arms, report: &mut Report) {
    for _ in 0..options.rounds {
        for arm in [&arms.subject, &arms.failing] {
            let body = request(&arm.address, &arm.key, false, 200, 0);
            let mut client = Client::connect(&arm.address).await;
            let mut took = Vec::new();
            for _ in 0..500 {
                took.push(client.ask(&body).await);
            }
            report.add(
                "failover, one client",
                "p50, ms",
                arm.name,
                millis(percentile(&took, 50)),
            );
            report.add(
                "failover, one client",
                "p99, ms",
                arm.name,
                millis(percentile(&took, 99)),
            );
        }
    }
}

async fn memory(arms: &Arms, report: &mut Report) {
    let name = "memory";
    for arm in [&arms.floor, &arms.subject].into_iter().chain(&arms.peers) {
        let body = request(&arm.address, &arm.key, false, 200, 0);
        for measure in [
            "RSS after 10,000 requests, MB",
            "RSS after 20,000 requests, MB",
            "RSS after 30,000 requests, MB",
        ] {
            busy(arm, &body, (10_000.0 * arm.share) as usize).await;
            report.add(name, measure, arm.name, arm.cost().rss as f64 / 1e6);
        }
    }
}

/// What a stream of 200,000 deltas adds to the memory of who passes or translates it.
async fn long_stream(arms: &Arms, report: &mut Report) {
    for arm in [&arms.subject, &arms.translating] {
        let warm_up = request(&arm.address, &arm.key, true, 200, 0);
        busy(arm, &warm_up, WARM_UP).await;
        let before = arm.cost();
        let body = request(&arm.address, &arm.key, true, 200, LONG);
        let most = Cell::new(before.rss);
        let watch = async {
            loop {
                most.set(arm.cost().rss.max(most.get()));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let mut client = Client::connect(&arm.address).await;
        tokio::select! {
            _ = client.ask(&body) => {}
            () = watch => {}
        }
        let grown = most.get().saturating_sub(before.rss) as f64 / 1_048_576.0;
        report.add(
            "long stream",
            "RSS added by 200,000 deltas, MiB",
            arm.name,
            grown,
        );
        let cpu = arm.cost().cpu.saturating_sub(before.cpu);
        report.add("long stream", "CPU of it, ms", arm.name, millis(cpu));
    }
}

/// A thousand streams at once, each of 45 events 50 ms apart.
async fn many_streams(arms: &Arms, report: &mut Report) {
    for arm in [&arms.provider, &arms.floor, &arms.subject] {
        let body = request(&arm.address, &arm.key, true, 200, 50);
        let began = Instant::now();
        let before = arm.cost();
        let mut clients = JoinSet::new();
        for _ in 0..1000 {
            let (address, body) = (arm.address.clone(), body.clone());
            clients.spawn(async move { Client::connect(&address).await.ask(&body).await });
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let during = arm.cost();
        let took = clients.join_all().await;
        let name = "1000 streams";
        let bytes = took.iter().map(|took| took.bytes).collect::<Vec<_>>();
        report.add(
            name,
            "whole",
            arm.name,
            bytes.iter().filter(|count| **count > 5_000).count() as f64,
        );
        report.add(
            name,
            "all done after, s",
            arm.name,
            began.elapsed().as_secs_f64(),
        );
        report.add(
            name,
            "p99 of a stream, s",
            arm.name,
            percentile(&took, 99).as_secs_f64(),
        );
        report.add(
            name,
            "CPU a stream, ms",
            arm.name,
            millis(arm.cost().cpu.saturating_sub(before.cpu)) / 1000.0,
        );
        report.add(name, "RSS meanwhile, MB", arm.name, during.rss as f64 / 1e6);
    }
}

fn percentile(took: &[Took], percent: usize) -> Duration {
    let mut totals: Vec<Duration> = took.iter().map(|took| took.total).collect();
    totals.sort_unstable();
    totals[(totals.len() * percent).div_ceil(100).max(1) - 1]
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
