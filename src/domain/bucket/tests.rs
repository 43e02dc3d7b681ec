use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_secs(seconds))
}

fn limits(rpm: u32, burst: u32, tpm: u64) -> Limits {
    Limits {
        rpm: NonZeroU32::new(rpm),
        burst: NonZeroU32::new(burst),
        tpm: NonZeroU64::new(tpm),
    }
}

fn wait(refusal: Result<Reservation, NoRoom>) -> Duration {
    refusal.expect_err("there is no room").wait
}

#[test]
fn a_minute_of_sixty_is_one_a_second_after_the_burst() {
    let mut bucket = Bucket::new(limits(60, 2, 0), at(0));
    for _ in 0..2 {
        let _kept = bucket.reserve(Amount::call(0), at(0)).expect("the burst");
    }
    assert_eq!(
        wait(bucket.reserve(Amount::call(0), at(0))),
        Duration::from_secs(1)
    );
    let early = Moment::from_nanos(at(1).nanos() - 1);
    assert_eq!(
        wait(bucket.reserve(Amount::call(0), early)),
        Duration::from_nanos(1)
    );
    assert!(bucket.reserve(Amount::call(0), at(1)).is_ok());
}

#[test]
fn the_burst_is_the_rate_where_none_is_given_and_no_limit_is_no_gauge() {
    let bucket = Bucket::new(limits(50, 0, 0), at(0));
    let gauge = bucket.requests(at(0)).expect("limited");
    assert_eq!((gauge.capacity, gauge.available), (50, 50));
    assert_eq!(bucket.tokens(at(0)), None);
}

#[test]
fn both_dimensions_are_taken_or_none() {
    let mut bucket = Bucket::new(limits(60, 0, 6_000), at(0));
    let kept = bucket.reserve(Amount::call(5_000), at(0)).expect("room");
    assert_eq!(
        wait(bucket.reserve(Amount::call(2_000), at(0))),
        Duration::from_secs(10)
    );
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 59);
    bucket.settle(kept, Used::Tokens(1_000), at(0));
    assert_eq!(bucket.tokens(at(0)).expect("limited").available, 5_000);
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 59);
}

#[test]
fn what_never_left_goes_back_whole_and_more_than_reserved_is_a_debt() {
    let mut bucket = Bucket::new(limits(60, 0, 600), at(0));
    let kept = bucket.reserve(Amount::call(600), at(0)).expect("room");
    bucket.settle(kept, Used::Nothing, at(0));
    assert_eq!(bucket.tokens(at(0)).expect("limited").available, 600);
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 60);
    let kept = bucket.reserve(Amount::call(100), at(0)).expect("room");
    bucket.settle(kept, Used::Tokens(1_000_000), at(0));
    // In debt by the whole capacity, and no deeper.
    assert_eq!(
        wait(bucket.reserve(Amount::call(1), at(0))),
        Duration::from_millis(60_100)
    );
}

#[test]
fn a_request_beyond_the_capacity_needs_a_full_bucket_and_gets_it() {
    let mut bucket = Bucket::new(limits(0, 0, 600), at(0));
    let kept = bucket.reserve(Amount::call(10), at(0)).expect("room");
    assert_eq!(
        wait(bucket.reserve(Amount::call(9_999), at(0))),
        Duration::from_secs(1)
    );
    let big = bucket.reserve(Amount::call(9_999), at(1)).expect("full");
    assert_eq!(big.taken().tokens, 600);
    bucket.settle(kept, Used::AsReserved, at(1));
    bucket.settle(big, Used::AsReserved, at(1));
}

#[test]
fn a_provider_that_counts_less_is_believed_less_what_others_have_under_way() {
    let mut bucket = Bucket::new(limits(100, 0, 10_000), at(0));
    let own = bucket.reserve(Amount::call(100), at(0)).expect("room");
    let other = bucket.reserve(Amount::call(700), at(0)).expect("room");
    bucket.learn(
        &own,
        Remaining {
            requests: Some(40),
            tokens: Some(5_000),
        },
        at(0),
    );
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 39);
    assert_eq!(bucket.tokens(at(0)).expect("limited").available, 4_300);
    let more = Remaining {
        requests: Some(99),
        tokens: None,
    };
    bucket.learn(&own, more, at(0));
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 39);
    bucket.settle(own, Used::AsReserved, at(0));
    bucket.settle(other, Used::AsReserved, at(0));
}

#[test]
fn other_limits_keep_what_is_there() {
    let mut bucket = Bucket::new(limits(60, 0, 0), at(0));
    for _ in 0..30 {
        let _kept = bucket.reserve(Amount::call(0), at(0)).expect("room");
    }
    bucket.reconfigure(limits(120, 10, 500), at(0));
    assert_eq!(bucket.requests(at(0)).expect("limited").available, 10);
    assert_eq!(bucket.tokens(at(0)).expect("new").available, 500);
    bucket.reconfigure(limits(0, 0, 500), at(0));
    assert_eq!(bucket.requests(at(0)), None);
}

#[test]
fn a_clock_that_steps_back_mints_nothing() {
    let mut bucket = Bucket::new(limits(60, 1, 0), at(100));
    let _kept = bucket.reserve(Amount::call(0), at(100)).expect("room");
    for _ in 0..10 {
        assert!(bucket.reserve(Amount::call(0), at(40)).is_err());
        assert!(bucket.reserve(Amount::call(0), at(100)).is_err());
    }
    assert_eq!(
        wait(bucket.reserve(Amount::call(0), at(40))),
        Duration::from_secs(61)
    );
}

#[derive(Clone, Debug)]
enum Step {
    Take(u64),
    Settle(prop::sample::Index, Option<u64>),
    Advance(u64),
    /// To the moment that the last refusal told, or a nanosecond before or after.
    AdvanceToDue(i64),
    Back(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let used = prop::option::of(0..3_000_u64);
    let step = prop_oneof![
        4 => (0..2_000_u64).prop_map(Step::Take),
        2 => (any::<prop::sample::Index>(), used).prop_map(|(at, used)| Step::Settle(at, used)),
        3 => (0..3_000_000_000_u64).prop_map(Step::Advance),
        3 => (-1..=1_i64).prop_map(Step::AdvanceToDue),
        1 => (0..1_000_000_000_u64).prop_map(Step::Back),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn grants_stay_within_burst_and_rate_and_waits_are_exact(
        steps in steps(),
        rpm in 1..300_u32,
        burst in 1..20_u32,
        tpm in 1..20_000_u64,
    ) {
        let mut bucket = Bucket::new(limits(rpm, burst, tpm), at(1));
        let mut now = at(1);
        // The latest time ever seen, since a step back lets no time pass.
        let mut latest = now;
        let mut told = now;
        let mut grants: Vec<(Moment, u64)> = Vec::new();
        let mut held: Vec<Reservation> = Vec::new();
        let (mut taken, mut refunded, mut debited) = (0_i128, 0_i128, 0_i128);
        for step in steps {
            match step {
                Step::Take(tokens) => {
                    let amount = Amount::call(tokens);
                    match bucket.reserve(amount, now) {
                        Ok(reservation) => {
                            let tokens = reservation.taken().tokens;
                            taken += i128::from(tokens);
                            // Its own idea of the time, which a step back does not change.
                            grants.push((bucket.requests.expect("limited").at, tokens));
                            held.push(reservation);
                        }
                        Err(NoRoom { wait }) => {
                            prop_assert!(wait >= Duration::from_nanos(1));
                            let due = now.after(wait);
                            told = due;
                            let early = Moment::from_nanos(due.nanos() - 1);
                            prop_assert!(bucket.check(amount, Amount::default(), early).is_err());
                            prop_assert_eq!(bucket.check(amount, Amount::default(), due), Ok(()));
                        }
                    }
                }
                Step::Settle(at, used) if !held.is_empty() => {
                    let reservation = held.swap_remove(at.index(held.len()));
                    let reserved = i128::from(reservation.taken().tokens);
                    match used {
                        Some(used) => {
                            let more = i128::from(used) - reserved;
                            debited += more.max(0);
                            refunded += (-more).max(0);
                            bucket.settle(reservation, Used::Tokens(used), now);
                        }
                        None => bucket.settle(reservation, Used::AsReserved, now),
                    }
                }
                Step::Settle(..) => {}
                Step::Advance(nanos) => now = now.after(Duration::from_nanos(nanos)),
                Step::AdvanceToDue(around) => {
                    let due = Moment::from_nanos(told.nanos().saturating_add_signed(around));
                    now = now.max(due);
                }
                Step::Back(nanos) => {
                    now = Moment::from_nanos(now.nanos().saturating_sub(nanos));
                }
            }
            latest = latest.max(now);
            for level in [bucket.requests, bucket.tokens].into_iter().flatten() {
                let most = grains(level.capacity.get());
                prop_assert!((-most..=most).contains(&level.balance));
            }
            // Nothing is minted: what is there is at most what was there, came in, and came back.
            let level = bucket.tokens.expect("limited");
            let came_in = i128::from(latest.nanos() - at(1).nanos()) * i128::from(tpm);
            // The floor forgives debts, at most what was debited.
            let most = grains(tpm) + came_in + (refunded + debited - taken).max(0) * GRAINS;
            prop_assert!(level.balance <= most);
        }
        for (index, (from, _)) in grants.iter().enumerate() {
            for (count, (to, _)) in grants[index..].iter().enumerate() {
                let granted = grains(count as u64 + 1);
                let window = i128::from(to.nanos() - from.nanos());
                prop_assert!(granted <= grains(burst.into()) + window * i128::from(rpm));
            }
        }
        let outstanding = held.iter().fold(Amount::default(), |sum, one| sum.and(one.taken()));
        prop_assert_eq!(bucket.outstanding, outstanding);
    }

    #[test]
    fn what_never_left_leaves_no_trace(tokens in prop::collection::vec(0..500_u64, 1..10)) {
        let mut bucket = Bucket::new(limits(60, 0, 10_000), at(0));
        let held: Vec<_> = tokens
            .iter()
            .map(|tokens| bucket.reserve(Amount::call(*tokens), at(0)).expect("room"))
            .collect();
        for reservation in held {
            bucket.settle(reservation, Used::Nothing, at(0));
        }
        prop_assert_eq!(bucket.requests(at(0)).expect("limited").available, 60);
        prop_assert_eq!(bucket.tokens(at(0)).expect("limited").available, 10_000);
        prop_assert_eq!(bucket.outstanding, Amount::default());
    }
}
