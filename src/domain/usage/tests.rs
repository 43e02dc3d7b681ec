use std::time::Duration;

use super::*;
use crate::domain::bucket::Used;
use crate::domain::caller::RequestNumber;
use crate::domain::outcome::CallError;
use crate::domain::profile::Dialect;
use crate::domain::route::{
    Admission, Choice, RouteSettings, Router, Run, Settlement, Skip, fixtures,
};

fn attempt(seconds: u64, end: AttemptEnd) -> Attempt {
    Attempt {
        request: RequestNumber(seconds),
        at: Moment::ORIGIN.after(Duration::from_secs(seconds)),
        caller: Caller::Outside,
        model: "asked".into(),
        sent_model: "sent".into(),
        dialect: Dialect::Messages,
        translated: false,
        without: Vec::new(),
        choice: Some(Choice::First),
        end,
        waited: Duration::ZERO,
        first_byte: Some(Duration::from_millis(20)),
        total: Duration::from_millis(100),
        tokens: Some(Tokens {
            input: 10,
            output: 5,
            cache_read: 1_000,
            cache_write: 3,
        }),
        estimated: false,
        nanodollars: Some(500),
    }
}

fn failed(kind: ErrorKind) -> AttemptEnd {
    AttemptEnd::Failed {
        kind,
        message: "no".into(),
    }
}

fn name() -> ProfileName {
    ProfileName::from("p")
}

#[test]
fn an_attempt_counts_once_for_its_row_and_once_for_its_profile() {
    let mut usage = Usage::default();
    usage.record(&name(), attempt(0, AttemptEnd::Success));
    usage.record(&name(), attempt(1, failed(ErrorKind::Timeout)));
    let profile = usage.profile(&name()).expect("counted");
    assert_eq!(profile.counters.requests, 2);
    assert_eq!(profile.counters.errors.of(ErrorKind::Timeout), 1);
    assert_eq!(profile.counters.errors.total(), 1);
    assert_eq!(profile.counters.tokens.cache_read, 2_000);
    assert_eq!(profile.counters.cost.dollars(), Some(0.000_001));
    let error = profile.last_error.as_ref().expect("kept");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Timeout, "no")
    );
    let rows: Vec<_> = usage.rows().collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(&*rows[0].0.model, "sent");
    assert_eq!(*rows[0].1, profile.counters);
}

#[test]
fn what_has_no_price_makes_the_sum_unknown() {
    let mut usage = Usage::default();
    let mut unknown = attempt(0, AttemptEnd::Success);
    unknown.nanodollars = None;
    usage.record(&name(), attempt(0, AttemptEnd::Success));
    usage.record(&name(), unknown);
    let cost = usage.profile(&name()).expect("counted").counters.cost;
    assert_eq!((cost.nanodollars, cost.unknown), (500, 1));
    assert_eq!(cost.dollars(), None);
}

#[test]
fn the_last_twenty_requests_are_kept_and_skips_count_for_nothing() {
    let mut usage = Usage::default();
    for second in 0..30 {
        usage.record(&name(), attempt(second, AttemptEnd::Success));
    }
    usage.record(&name(), attempt(30, AttemptEnd::Skipped(Skip::Disabled)));
    let kept: Vec<_> = usage
        .requests(&name())
        .map(|request| request.tries[0].attempt.request.0)
        .collect();
    assert_eq!(kept, (11..=30).rev().collect::<Vec<_>>());
    assert_eq!(
        usage.profile(&name()).expect("counted").counters.requests,
        30
    );
}

#[test]
fn a_request_is_one_entry_with_its_tries_at_all_profiles() {
    let (a, b, off) = ("a", "b", "off");
    let mut usage = Usage::default();
    let mut record = |name: &str, end| {
        let mut made = attempt(0, end);
        made.request = RequestNumber(7);
        usage.record(&ProfileName::from(name), made);
    };
    record(off, AttemptEnd::Skipped(Skip::NoKey));
    record(a, failed(ErrorKind::Http));
    record(off, AttemptEnd::Skipped(Skip::Disabled));
    record(a, AttemptEnd::Skipped(Skip::Tried));
    record(b, AttemptEnd::Success);
    let wanted = [
        (a, failed(ErrorKind::Http)),
        (off, AttemptEnd::Skipped(Skip::Disabled)),
        (b, AttemptEnd::Success),
    ];
    for name in [a, b, off] {
        let name = ProfileName::from(name);
        let mut requests = usage.requests(&name);
        let only = requests.next().expect("kept");
        let tries: Vec<_> = (only.tries.iter())
            .map(|made| (made.profile.as_str(), made.attempt.end.clone()))
            .collect();
        assert_eq!(tries, wanted, "{name}");
        assert!(requests.next().is_none(), "{name}");
    }
    assert_eq!(usage.last_answered(), Some(&ProfileName::from(b)));
}

#[test]
fn a_request_is_let_go_with_the_last_profile_that_kept_it() {
    let mut usage = Usage::default();
    let (quiet, busy) = (ProfileName::from("quiet"), ProfileName::from("busy"));
    usage.record(&quiet, attempt(0, failed(ErrorKind::Timeout)));
    for request in 0..100 {
        usage.record(&busy, attempt(request, AttemptEnd::Success));
    }
    assert_eq!(usage.requests(&busy).count(), 20);
    let kept: Vec<_> = usage.requests(&quiet).collect();
    assert_eq!((kept.len(), kept[0].tries.len()), (1, 2));
    assert_eq!(usage.requests.len(), 21);
}

#[test]
fn rows_are_bounded_and_none_is_lost() {
    let mut usage = Usage::default();
    for number in 0..MOST_ROWS + 100 {
        let mut attempt = attempt(0, AttemptEnd::Success);
        attempt.sent_model = format!("m{number}").into();
        usage.record(&name(), attempt);
    }
    assert_eq!(usage.rows().count(), MOST_ROWS + 1);
    let all: u64 = usage.rows().map(|(_, row)| row.requests).sum();
    assert_eq!(all, MOST_ROWS as u64 + 100);
}

#[test]
fn ten_minutes_are_shown_and_then_forgotten() {
    let mut usage = Usage::default();
    usage.record(&name(), attempt(5, AttemptEnd::Success));
    usage.record(&name(), attempt(6, failed(ErrorKind::RateLimited)));
    usage.record(&name(), attempt(25, AttemptEnd::Success));
    let timeline = &usage.profile(&name()).expect("counted").timeline;
    let at = |seconds| Moment::ORIGIN.after(Duration::from_secs(seconds));
    let slots: Vec<_> = timeline.slots(at(30)).collect();
    assert_eq!(slots.len(), SLOTS);
    let requests: Vec<_> = slots[SLOTS - 4..]
        .iter()
        .map(|slot| slot.requests)
        .collect();
    assert_eq!(requests, [2, 0, 1, 0]);
    let first = slots[SLOTS - 4];
    assert_eq!((first.errors, first.rate_limited), (1, 1));
    assert_eq!(first.first_byte, Some(Duration::from_millis(20)));
    assert_eq!(
        timeline
            .slots(at(615))
            .map(|slot| slot.requests)
            .sum::<u32>(),
        1
    );
    assert_eq!(
        timeline
            .slots(at(5_000))
            .map(|slot| slot.requests)
            .sum::<u32>(),
        0
    );
}

#[test]
fn percentiles_are_those_of_the_latest() {
    let mut latency = Latency::default();
    assert_eq!(latency.percentiles(), None);
    for millis in (1..=1_000).rev() {
        latency.add(Duration::from_millis(millis));
    }
    // The latest 256 are 256 ms down to 1 ms.
    let percentiles = latency.percentiles().expect("some");
    assert_eq!(percentiles.p50, Duration::from_millis(128));
    assert_eq!(percentiles.p95, Duration::from_millis(244));
    assert_eq!(latency.count(), 1_000);
    let below: Vec<_> = latency.cumulative().collect();
    assert_eq!(below[0], (10, 10));
    assert_eq!(below[7], (1_280, 1_000));
}

#[test]
fn the_error_that_opened_a_breaker_is_told_as_its_reason() {
    let profiles = fixtures::keyed([fixtures::profile("p", 0)]);
    let mut router = Router::new(RouteSettings::default(), profiles, 7, Moment::ORIGIN);
    let error = CallError::Timeout;
    while let Admission::Go(permit) =
        router.admit(&fixtures::call(), &mut Run::default(), Moment::ORIGIN)
    {
        let settlement = Settlement::failed(&error, Used::AsReserved);
        router.settle(permit, settlement, Moment::ORIGIN);
    }
    let reason = |usage: &Usage| {
        router.status(usage, Moment::ORIGIN).providers[0]
            .reason
            .clone()
    };
    let untold = "circuit is open – refusing call".to_owned();
    assert_eq!(reason(&Usage::default()), Some(untold));
    let mut usage = Usage::default();
    usage.record(&name(), attempt(0, failed(ErrorKind::Timeout)));
    assert_eq!(reason(&usage), Some("no".to_owned()));
}

#[test]
fn counters_of_an_earlier_run_count_as_if_they_had_been_counted_in_this_one() {
    let mut translated = attempt(0, failed(ErrorKind::Timeout));
    translated.translated = true;
    translated.estimated = true;
    translated.nanodollars = None;
    let earlier = [translated.clone(), attempt(1, AttemptEnd::Success)];
    let later = [
        translated,
        attempt(2, failed(ErrorKind::Http)),
        attempt(3, AttemptEnd::Success),
    ];
    let recorded = |attempts: &[Attempt]| {
        let mut usage = Usage::default();
        for attempt in attempts {
            usage.record(&name(), attempt.clone());
        }
        usage
    };
    let counters = |usage: &Usage| usage.profile(&name()).unwrap().counters;
    let mut resumed = recorded(&later);
    resumed.resume(&name(), &counters(&recorded(&earlier)));
    let all = counters(&recorded(&[&earlier[..], &later].concat()));
    assert_eq!(counters(&resumed), all);
    assert_eq!((all.requests, all.translated, all.estimated), (5, 2, 2));
    assert_eq!((all.cost.nanodollars, all.cost.unknown), (1500, 2));
    assert_eq!(all.errors.total(), 3);
    let kinds = [ErrorKind::Timeout, ErrorKind::Http, ErrorKind::Parse];
    assert_eq!(kinds.map(|kind| all.errors.of(kind)), [2, 1, 0]);
}

#[test]
fn what_came_from_a_cache_does_not_count_towards_a_limit() {
    let tokens = Tokens {
        input: 1,
        output: 20,
        cache_read: 300,
        cache_write: 4_000,
    };
    assert_eq!(tokens.towards_limit(), 4_021);
}

#[test]
fn a_slot_counts_its_rate_limits_among_its_errors() {
    let mut usage = Usage::default();
    for kind in [
        ErrorKind::RateLimited,
        ErrorKind::Http,
        ErrorKind::RateLimited,
    ] {
        usage.record(&name(), attempt(1, failed(kind)));
    }
    usage.record(&name(), attempt(1, AttemptEnd::Success));
    let timeline = &usage.profile(&name()).unwrap().timeline;
    let slot = timeline
        .slots(Moment::ORIGIN.after(Duration::from_secs(2)))
        .last();
    let slot = slot.unwrap();
    assert_eq!((slot.requests, slot.errors, slot.rate_limited), (4, 3, 2));
}
