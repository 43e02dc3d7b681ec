//! What is done before a request is refused, and what a refusal says.

use super::*;

#[test]
fn an_early_probe_is_the_last_resort_and_closes_the_breaker_if_it_succeeds() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    for _ in 0..5 {
        let mut run = Run::default();
        for _ in 0..2 {
            let permit = go(&mut router, &mut run, at(0));
            router.settle(permit, Settlement::failed(&http(), Used::AsReserved), at(0));
            run.failed(&http());
        }
    }
    // Both are open since second 0: no probe is due before second 2.
    let left = refused(&mut router, &mut Run::default(), at(1));
    assert_eq!(left.retry_in, Some(Duration::from_secs(1)));
    let mut run = Run::default();
    let early = go(&mut router, &mut run, at(2));
    assert_eq!(
        (early.profile.name.as_str(), early.choice),
        ("a", Choice::EarlyProbe)
    );
    // One at a time: the next request takes the other one, and a third is refused.
    let other = go(&mut router, &mut Run::default(), at(2));
    assert_eq!(other.profile.name.as_str(), "b");
    refused(&mut router, &mut Run::default(), at(2));
    // A failure leaves everything as it was, and the next one goes two seconds later.
    router.settle(early, Settlement::failed(&http(), Used::AsReserved), at(2));
    router.settle(other, Settlement::ignored(Used::AsReserved), at(2));
    let status = router.status(&Usage::default(), at(2));
    assert_eq!(status.providers[0].breaker.state, BreakerState::Open);
    assert_eq!(status.providers[0].breaker.failures, 5);
    refused(&mut router, &mut Run::default(), at(3));
    let early = go(&mut router, &mut Run::default(), at(4));
    router.settle(early, Settlement::success(Used::AsReserved), at(4));
    let status = router.status(&Usage::default(), at(4));
    assert_eq!(status.providers[0].breaker.state, BreakerState::Closed);
}

#[test]
fn an_early_probe_can_be_forbidden_and_never_asks_who_is_held() {
    let mut settings = RouteSettings::default();
    settings.breaker.early_probe = Duration::ZERO;
    let one = vec![(profile("a", 0), KeyState::Present)];
    let mut never = Router::new(settings, one, 7, at(0));
    open_first(&mut never, at(0));
    refused(&mut never, &mut Run::default(), at(20));

    let mut router = router([profile("a", 0), profile("b", 1)]);
    open_first(&mut router, at(0));
    open_first(&mut router, at(0));
    router
        .command(&RouterCommand::Disable(named("a")), By::Key, at(1))
        .expect("a is there");
    let early = go(&mut router, &mut Run::default(), at(5));
    assert_eq!(early.profile.name.as_str(), "b");
}

#[test]
fn a_rejected_key_is_shown_again_after_ten_minutes_or_when_somebody_says_so() {
    let rejected = |status| {
        let error = CallError::Api {
            status,
            message: "invalid x-api-key".into(),
        };
        let rejection = Rejection {
            status,
            words: "invalid x-api-key".into(),
        };
        Settlement::failed(&error, Used::Tokens(0)).with(Cool::Rejected(rejection))
    };
    for (status, state) in [
        (401, ProviderState::Rejected),
        (402, ProviderState::Exhausted),
        (403, ProviderState::Rejected),
    ] {
        let mut router = router([profile("a", 0)]);
        let permit = go(&mut router, &mut Run::default(), at(0));
        router.settle(permit, rejected(status), at(0));
        let shown = router.status(&Usage::default(), at(1)).providers.remove(0);
        assert_eq!(shown.state, state);
        assert_eq!(
            shown.reason.as_deref(),
            Some(
                format!("request without a key rejected (status {status}): invalid x-api-key")
                    .as_str()
            )
        );
        let left = refused(&mut router, &mut Run::default(), at(599));
        assert!(!left.all_rate, "no waiting mends a key");
        assert_eq!(goes_to(&mut router, at(600)).as_deref(), Some("a"));
        let permit = go(&mut router, &mut Run::default(), at(600));
        router.settle(permit, rejected(status), at(600));
        router
            .command(&RouterCommand::Reset(named("a")), By::Key, at(601))
            .expect("a is there");
        assert_eq!(goes_to(&mut router, at(601)).as_deref(), Some("a"));
    }
}

#[test]
fn a_profile_that_answered_429_is_asked_once_more_within_the_patience() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut run = Run::default();
    for seconds in [5, 20] {
        let permit = go(&mut router, &mut run, at(0));
        router.settle(
            permit,
            Settlement::failed(&rate_limited(seconds), Used::Tokens(0)),
            at(0),
        );
        run.failed(&rate_limited(seconds));
    }
    let Admission::Wait { until } = router.admit(&call(), &mut run, at(0)) else {
        panic!("five seconds are within ten");
    };
    assert_eq!(until, at(5));
    let again = go(&mut router, &mut run, at(5));
    assert_eq!(again.profile.name.as_str(), "a");
    router.settle(
        again,
        Settlement::failed(&rate_limited(1), Used::Tokens(0)),
        at(5),
    );
    run.failed(&rate_limited(1));
    let left = refused(&mut router, &mut run, at(5));
    assert!(left.all_rate);
    assert_eq!(run.attempts(), 3);
}

#[test]
fn what_no_enabled_profile_could_ever_serve_is_told_from_what_waits() {
    let mut blind = profile("a", 0);
    blind.capabilities = Some(Capabilities::NONE);
    let mut off = profile("b", 1);
    off.enabled = false;
    let mut router = router([blind, off]);
    let picture = Call {
        capabilities: Capabilities::of(&[Capability::Vision]),
        ..call()
    };
    let Admission::Refused(left) = router.admit(&picture, &mut Run::default(), at(0)) else {
        panic!("nobody sees");
    };
    assert!(left.never);
    assert!(!refused_all_off().never);
}

/// Nobody is enabled, which somebody may change.
fn refused_all_off() -> NothingLeft {
    let mut off = profile("a", 0);
    off.enabled = false;
    refused(&mut router([off]), &mut Run::default(), at(0))
}
