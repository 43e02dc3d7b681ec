//! What the rules cost: nanoseconds and allocations per call, median of seven rounds, slowest thread.
//!
//! `cargo bench --bench rules`

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::io::Write;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use tundra::domain::breaker::{Breaker, BreakerSettings, Jitter};
use tundra::domain::bucket::{Amount, Bucket, Used};
use tundra::domain::caller::Caller;
use tundra::domain::moment::Moment;
use tundra::domain::outcome::{CallError, Outcome};
use tundra::domain::profile::{Dialect, Limits, Profile, ProviderKind};
use tundra::domain::route::{
    Admission, Call, Cool, KeyState, RouteSettings, Router, Run, Settlement,
};
use tundra::gateway::content_coding::ContentCoding;
use tundra::gateway::{Clock, RouterHandle};

const ROUNDS: usize = 7;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counter is a constant-initialised thread local that
// itself never allocates.
#[allow(unsafe_code, reason = "counting allocations needs an allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let turns = if quick { 1_000 } else { 300_000 };
    let mut report = Report { turns };

    let clock = Clock::start();
    report.line("clock, one reading", 1, || clock.now());

    let mut breaker = Breaker::new(BreakerSettings::default());
    report.line_mut("breaker, admit and settle, no lock", || {
        admit_and_settle(&mut breaker);
    });
    let breaker = Mutex::new(Breaker::new(BreakerSettings::default()));
    for threads in [1, 2, 4] {
        report.line("breaker, admit and settle, mutex", threads, || {
            if let Ok(mut breaker) = breaker.lock() {
                admit_and_settle(&mut breaker);
            }
        });
    }
    for threads in [1, 4] {
        report.line(
            "breaker, admit then settle, two locks and clock",
            threads,
            || {
                let admitted = breaker.lock().map(|mut breaker| breaker.admit(clock.now()));
                if let (Ok(Ok((ticket, _))), Ok(mut breaker)) = (admitted, breaker.lock()) {
                    let now = clock.now();
                    breaker.settle(ticket, Outcome::Success, now, Jitter::default());
                }
            },
        );
    }
    let open = Mutex::new(Breaker::new(BreakerSettings::default()));
    if let Ok(mut open) = open.lock() {
        open.force(tundra::domain::breaker::Forced::Open, Moment::ORIGIN);
    }
    for threads in [1, 4] {
        report.line("breaker, refusal while open, mutex", threads, || {
            open.lock()
                .is_ok_and(|mut open| open.admit(Moment::ORIGIN).is_err())
        });
    }

    let mut bucket = Bucket::new(limits(), Moment::ORIGIN);
    report.line_mut("bucket, reserve and settle, no lock", || {
        if let Ok(taken) = bucket.reserve(Amount::call(10), Moment::ORIGIN) {
            bucket.settle(taken, Used::Nothing, Moment::ORIGIN);
        }
    });

    let call = call();
    for threads in [1, 4] {
        let router = Mutex::new(router());
        report.line("router of 8, admit and settle, mutex", threads, || {
            let mut run = Run::default();
            let Ok(mut router) = router.lock() else {
                return;
            };
            if let Admission::Go(grant) = router.admit(&call, &mut run, Moment::ORIGIN) {
                let success = Settlement::success(Used::Tokens(10));
                router.settle(grant, success, Moment::ORIGIN);
            }
        });
    }
    let down = Mutex::new(all_down());
    report.line("router of 8, all down, the whole reason", 1, || {
        down.lock()
            .map(|mut down| down.admit(&call, &mut Run::default(), Moment::ORIGIN))
    });
    // What Codex sends to its own service: some 200 KB of JSON, in a frame that does not say its size.
    let text = conversation(200_000);
    let frame = zstd::encode_all(text.as_bytes(), 3).unwrap_or_default();
    let most = 32 * 1024 * 1024;
    report.turns = if quick { 10 } else { 2_000 };
    report.line("zstd, 200 KB decoded beside", 1, || {
        ContentCoding::Zstd.decode(&frame, most)
    });
    report.turns = turns;

    let handle = RouterHandle::new(RouteSettings::default(), profiles(), 7, clock);
    for threads in [1, 4] {
        report.line(
            "gateway, a permit from admission to the books",
            threads,
            || {
                let mut run = Run::default();
                let admission = std::pin::pin!(handle.admit(&call, &mut run));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                if let std::task::Poll::Ready(Ok(permit)) = admission.poll(&mut context) {
                    permit.succeed();
                }
            },
        );
    }
}

fn admit_and_settle(breaker: &mut Breaker) {
    if let Ok((ticket, _)) = breaker.admit(black_box(Moment::ORIGIN)) {
        let transition = breaker.settle(
            ticket,
            black_box(Outcome::Success),
            Moment::ORIGIN,
            Jitter::default(),
        );
        black_box(transition);
    }
}

/// A request of so many bytes as agents send them: much that repeats, and words between.
fn conversation(bytes: usize) -> String {
    let mut text = String::from(r#"{"model":"gpt-5","input":["#);
    let mut word = 7_u64;
    while text.len() < bytes {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let tail = format!(
            r#"{{"type":"function_call_output","call_id":"call_{word:016x}","output":"src/{}.rs:{}: let value = state.get(\"{:x}\")?;\n"}},"#,
            word % 97,
            word % 1013,
            word >> 32
        );
        text.push_str(&tail);
    }
    text + "]}"
}

fn limits() -> Limits {
    Limits {
        rpm: NonZeroU32::new(60_000_000),
        burst: None,
        tpm: NonZeroU64::new(60_000_000_000),
    }
}

fn profiles() -> Vec<(Profile, KeyState)> {
    (0..8)
        .map(|number| {
            let mut profile = Profile::new(&format!("p{number}"), ProviderKind::Local);
            profile.limits = limits();
            (profile, KeyState::Present)
        })
        .collect()
}

fn router() -> Router {
    Router::new(RouteSettings::default(), profiles(), 7, Moment::ORIGIN)
}

fn all_down() -> Router {
    let mut router = router();
    let error = CallError::Http("connection refused".into());
    let cool = Cool::Overload(Duration::from_secs(60));
    let mut run = Run::default();
    while let Admission::Go(grant) = router.admit(&call(), &mut run, Moment::ORIGIN) {
        let settlement = Settlement::failed(&error, Used::AsReserved).with(cool.clone());
        router.settle(grant, settlement, Moment::ORIGIN);
    }
    router
}

fn call() -> Call {
    Call {
        tokens: 10,
        ..Call::new(Caller::Outside, "m".into(), Dialect::Messages)
    }
}

struct Report {
    turns: u32,
}

impl Report {
    fn line_mut(&mut self, what: &str, mut work: impl FnMut()) {
        let rounds = (0..ROUNDS)
            .map(|_| measure(self.turns, &mut work))
            .collect();
        Self::write(what, 1, rounds);
    }

    fn line<T>(&mut self, what: &str, threads: usize, work: impl Fn() -> T + Sync) {
        let turns = self.turns;
        let rounds = (0..ROUNDS)
            .map(|_| {
                let start = Barrier::new(threads);
                std::thread::scope(|scope| {
                    let running: Vec<_> = (0..threads)
                        .map(|_| {
                            scope.spawn(|| {
                                start.wait();
                                measure(turns, &mut || {
                                    black_box(work());
                                })
                            })
                        })
                        .collect();
                    let measured = running.into_iter().filter_map(|one| one.join().ok());
                    measured.fold((0.0, 0.0), |slowest: (f64, f64), one| {
                        (slowest.0.max(one.0), slowest.1.max(one.1))
                    })
                })
            })
            .collect();
        Self::write(what, threads, rounds);
    }

    fn write(what: &str, threads: usize, mut rounds: Vec<(f64, f64)>) {
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((nanos, allocations)) = rounds.get(ROUNDS / 2) {
            let mut out = std::io::stdout().lock();
            // A reader who has gone is no fault of the bench.
            let _ = writeln!(
                out,
                "{what:<52} {threads} threads {nanos:>9.1} ns {allocations:>6.2} allocations"
            );
        }
    }
}

/// Nanoseconds and allocations per turn.
fn measure(turns: u32, work: &mut impl FnMut()) -> (f64, f64) {
    for _ in 0..turns / 20 {
        work();
    }
    let before = ALLOCATIONS.get();
    let began = Instant::now();
    for _ in 0..turns {
        work();
    }
    let nanos = began.elapsed().as_secs_f64() * 1e9 / f64::from(turns);
    let allocations = u32::try_from(ALLOCATIONS.get() - before).unwrap_or(u32::MAX);
    (nanos, f64::from(allocations) / f64::from(turns))
}
