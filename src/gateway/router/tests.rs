use std::future::Future;
use std::num::NonZeroU64;
use std::pin::pin;
use std::task::{Context, Waker};

use super::*;
use crate::domain::breaker::BreakerState;
use crate::domain::outcome::{CallError, ErrorKind};
use crate::domain::route::{Choice, ProviderStatus, Run, Skip, fixtures};
use crate::domain::usage::{AttemptEnd, Tokens};
use crate::gateway::upstream_call::UpstreamCall;
use crate::gateway::wire::TokenUsage;

/// A profile with limits on requests and tokens.
fn limited(name: &str, priority: i64, rpm: u32, burst: u32) -> Profile {
    let mut profile = fixtures::limited(name, priority, rpm, burst);
    profile.limits.tpm = NonZeroU64::new(10_000);
    profile
}

fn handle(profiles: impl IntoIterator<Item = Profile>, clock: Clock) -> RouterHandle {
    let profiles = fixtures::keyed(profiles);
    RouterHandle::new(RouteSettings::default(), profiles, 7, clock)
}

fn call() -> Call {
    Call {
        tokens: 100,
        ..fixtures::call()
    }
}

async fn admitted(handle: &RouterHandle) -> UpstreamCall {
    let mut run = Run::default();
    handle.admit(&call(), &mut run).await.expect("admitted")
}

fn first(handle: &RouterHandle) -> ProviderStatus {
    handle.status().providers.remove(0)
}

fn tokens_left(handle: &RouterHandle) -> u64 {
    first(handle).tokens_bucket.expect("limited").available
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_their_order_and_in_time() {
    let handle = handle([limited("a", 0, 60, 1)], Clock::of_runtime());
    let began = tokio::time::Instant::now();
    let served = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..6_u64 {
        let (task_handle, served) = (handle.clone(), Arc::clone(&served));
        tasks.push(tokio::spawn(async move {
            let mut permit = admitted(&task_handle).await;
            permit.sending("m".into());
            served
                .lock()
                .expect("whole")
                .push((number, began.elapsed().as_secs()));
            permit.succeed();
        }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("done");
    }
    let expected: Vec<_> = (0..6).map(|number| (number, number)).collect();
    assert_eq!(*served.lock().expect("whole"), expected);
}

#[tokio::test(start_paused = true)]
async fn a_command_wakes_those_who_wait() {
    let mut spare = limited("b", 1, 60, 5);
    spare.enabled = false;
    let handle = handle([limited("a", 0, 10, 1), spare], Clock::of_runtime());
    let _held = admitted(&handle).await;
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { admitted(&handle).await.profile().name.clone() }
    });
    while handle.status().waiting == 0 {
        tokio::task::yield_now().await;
    }
    let began = tokio::time::Instant::now();
    let enable = RouterCommand::Enable(ProfileName::from("b"));
    handle.command(&enable, By::Cli).expect("b is there");
    assert_eq!(waiting.await.expect("done").as_str(), "b");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// A whole call, as a server makes it: it waits for room, is sent, answers bit by bit, and ends.
async fn whole_call(handle: &RouterHandle) {
    let mut permit = admitted(handle).await;
    tokio::task::yield_now().await;
    permit.sending("m".into());
    tokio::task::yield_now().await;
    permit.first_byte();
    permit.confirm();
    tokio::task::yield_now().await;
    permit.succeed();
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_poll_leaves_nothing_behind() {
    for open in [false, true] {
        let mut finished = false;
        for polls in 0..64 {
            let handle = handle([limited("a", 0, 60, 1)], Clock::of_runtime());
            if open {
                // The call is a probe of a half-open breaker.
                for _ in 0..3 {
                    admitted(&handle).await.fail(&CallError::Timeout);
                }
                tokio::time::advance(Duration::from_secs(34)).await;
            } else {
                // The call waits for the one before.
                whole_call(&handle).await;
            }
            {
                let mut whole = pin!(whole_call(&handle));
                let mut context = Context::from_waker(Waker::noop());
                for _ in 0..polls {
                    finished |= whole.as_mut().poll(&mut context).is_ready();
                    if finished {
                        break;
                    }
                    tokio::time::advance(Duration::from_millis(250)).await;
                }
            }
            let status = handle.status();
            assert_eq!((status.in_flight, status.waiting), (0, 0), "{polls} polls");
            assert_eq!(status.providers[0].in_flight, 0, "{polls} polls");
            // The next one finds its place, at the latest when the token is back.
            tokio::time::advance(Duration::from_secs(1)).await;
            admitted(&handle).await.succeed();
            assert_eq!(first(&handle).breaker.state, BreakerState::Closed);
            if finished {
                break;
            }
        }
        assert!(finished, "the call comes to its end within the polls");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_back_depends_on_how_far_the_call_came() {
    let handle = handle([limited("a", 0, 60, 9)], Clock::of_runtime());
    drop(admitted(&handle).await);
    assert_eq!(tokens_left(&handle), 10_000);
    assert_eq!(first(&handle).usage.counters.requests, 0);

    let mut refused = admitted(&handle).await;
    refused.sending("m".into());
    refused.never_left();
    refused.fail(&CallError::Http("connection refused".into()));
    assert_eq!(tokens_left(&handle), 10_000);
    assert_eq!(first(&handle).usage.counters.errors.of(ErrorKind::Http), 1);

    let mut gone = admitted(&handle).await;
    gone.sending("m".into());
    drop(gone);
    assert_eq!(tokens_left(&handle), 9_900);

    let mut answered = admitted(&handle).await;
    answered.sending("m".into());
    let used = Tokens {
        input: 10,
        output: 20,
        cache_read: 5_000,
        cache_write: 0,
    };
    let told = TokenUsage {
        input: 10,
        output: 20,
        cache_read: 5_000,
        ..TokenUsage::default()
    };
    answered.used(told, false);
    answered.succeed();
    assert_eq!(tokens_left(&handle), 9_870);
    let counters = first(&handle).usage.counters;
    assert_eq!((counters.requests, counters.tokens), (3, used));
    assert_eq!(first(&handle).in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_vanishes_frees_its_place_and_a_confirmed_one_closes() {
    let handle = handle([limited("a", 0, 600, 50)], Clock::of_runtime());
    for _ in 0..3 {
        admitted(&handle).await.fail(&CallError::Timeout);
    }
    let mut run = Run::default();
    let left = handle.admit(&call(), &mut run).await.expect_err("open");
    assert_eq!(left.profiles[0].reason, "circuit is open – refusing call");
    tokio::time::advance(Duration::from_secs(34)).await;
    let probe = admitted(&handle).await;
    assert!(handle.admit(&call(), &mut Run::default()).await.is_err());
    drop(probe);
    let mut probe = admitted(&handle).await;
    probe.sending("m".into());
    probe.confirm();
    assert_eq!(first(&handle).breaker.state, BreakerState::Closed);
    probe.fail(&CallError::Timeout);
    let status = first(&handle);
    assert_eq!(status.breaker.state, BreakerState::Closed);
    assert_eq!(status.breaker.timeouts, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failover_is_kept_with_who_was_skipped_and_why() {
    let mut off = limited("off", -1, 60, 9);
    off.enabled = false;
    let profiles = [off, limited("a", 0, 60, 9), limited("b", 1, 60, 9)];
    let handle = handle(profiles, Clock::of_runtime());
    let mut events = handle.events();
    let mut changes = handle.watch();
    let mut run = Run::default();
    let mut first = handle.admit(&call(), &mut run).await.expect("a");
    assert_eq!(first.choice(), Some(Choice::Next));
    first.sending("big".into());
    let error = CallError::RateLimited {
        retry_after: Duration::from_secs(9),
    };
    run.failed(&error);
    first.fail(&error);
    let second = handle.admit(&call(), &mut run).await.expect("b");
    assert_eq!(second.choice(), Some(Choice::Failover));
    second.succeed();
    assert_eq!(run.attempts(), 2);
    let [request] = &handle.requests(&ProfileName::from("a"))[..] else {
        panic!("one request is one entry");
    };
    let tries: Vec<_> = (request.tries.iter())
        .map(|made| (made.profile.as_str(), &made.attempt.end))
        .collect();
    let limited = AttemptEnd::Failed {
        kind: ErrorKind::RateLimited,
        message: "rate limited: retry after 9s".into(),
    };
    assert_eq!(
        tries,
        [
            ("a", &limited),
            ("off", &AttemptEnd::Skipped(Skip::Disabled)),
            ("b", &AttemptEnd::Success),
        ]
    );
    assert_eq!(&*request.tries[0].attempt.sent_model, "big");
    for other in ["off", "b"] {
        let name = ProfileName::from(other);
        let kept = handle.requests(&name);
        assert_eq!(kept.as_slice(), std::slice::from_ref(request), "{other}");
    }
    let told = [events.try_recv(), events.try_recv()].map(|event| event.expect("told").to_string());
    assert_eq!(told, ["a: cooling for 9s", "requests now go to b"]);
    assert!(changes.has_changed().expect("open"));
    changes.mark_unchanged();
    assert!(!changes.has_changed().expect("open"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_callers_on_many_threads_leave_the_books_balanced() {
    let profiles = [limited("a", 0, 600_000, 20), limited("b", 1, 600_000, 20)];
    let handle = handle(profiles, Clock::start());
    let mut tasks = Vec::new();
    for task in 0..16_u64 {
        let handle = handle.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..100_u64 {
                let fate = task.wrapping_mul(31).wrapping_add(round * 17) % 7;
                let patience = Duration::from_micros(fate * 60);
                let whole = async {
                    let mut permit = admitted(&handle).await;
                    permit.sending("m".into());
                    tokio::task::yield_now().await;
                    match fate {
                        0 => permit.fail(&CallError::Http("reset".into())),
                        1 => drop(permit),
                        _ => permit.succeed(),
                    }
                };
                // Being cut off here is the point.
                let _ = tokio::time::timeout(patience, whole).await;
                if fate == 0 {
                    let reset = RouterCommand::Reset(ProfileName::from("a"));
                    handle.command(&reset, By::Cli).expect("a is there");
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("done");
    }
    let status = handle.status();
    assert_eq!((status.in_flight, status.waiting), (0, 0));
    assert!(status.providers.iter().all(|one| one.in_flight == 0));
}
