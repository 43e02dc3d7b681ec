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
fn a_request_is_one_early_probe_at_most() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    open_first(&mut router, at(0));
    open_first(&mut router, at(0));
    // Whoever opened first comes first, and the others with the requests after it.
    for name in ["a", "b"] {
        let mut run = Run::default();
        let early = go(&mut router, &mut run, at(20));
        let chosen = (early.profile.name.as_str(), early.choice);
        assert_eq!(chosen, (name, Choice::EarlyProbe));
        router.settle(early, Settlement::failed(&http(), Used::AsReserved), at(20));
        run.failed(&http());
        refused(&mut router, &mut run, at(20));
        assert_eq!(run.attempts(), 1);
    }
    // One that could not be said in its profile's dialect has asked nobody.
    let mut run = Run::default();
    let unsaid = go(&mut router, &mut run, at(22));
    router.settle(unsaid, Settlement::ignored(Used::Nothing), at(22));
    run.not_tried();
    let said = go(&mut router, &mut run, at(24));
    assert_eq!(said.choice, Choice::EarlyProbe);
    router.settle(said, Settlement::ignored(Used::Nothing), at(24));
}

#[test]
fn who_is_not_there_for_a_request_hides_no_rate_limit() {
    let mut off = profile("off", 1);
    off.enabled = false;
    let mut login = profile("login", 2);
    login.auth = Auth::Caller;
    let mut chat = profile("chat", 3);
    chat.dialects = crate::domain::profile::Dialects::of(&[Dialect::Chat]);
    let mut guess = profile("guess", 4);
    guess.is_guess = true;
    let mut profiles = keyed([profile("limited", 0), off, login, chat, guess]);
    profiles.push((profile("keyless", 5), KeyState::Missing));
    let mut router = Router::new(RouteSettings::default(), profiles, 7, at(0));
    fail(&mut router, &rate_limited(20), at(0));
    let left = refused(&mut router, &mut Run::default(), at(1));
    assert!(left.all_rate && !left.never, "{left}");
    assert_eq!((left.profiles.len(), left.retry_after_s()), (6, 19));
    // One that waits for something else is a reason of its own.
    let enable = RouterCommand::Enable(named("off"));
    router.command(&enable, By::Key, at(1)).unwrap();
    open_first(&mut router, at(1));
    let left = refused(&mut router, &mut Run::default(), at(1));
    assert!(!left.all_rate, "{left}");
    // Where nobody is there at all, no waiting helps.
    let mut login = profile("login", 0);
    login.auth = Auth::Caller;
    let mut alone = Router::new(RouteSettings::default(), keyed([login]), 7, at(0));
    let left = refused(&mut alone, &mut Run::default(), at(0));
    assert!(!left.all_rate && !left.never, "{left}");
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

/// When a client is served that comes again as often as told, from second 0 on; at most ten times, as Claude Code does.
///
/// Both providers fail for so long, at once, each time that they are asked.
fn served_at(outage: Duration) -> Option<Duration> {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut now = at(0);
    for _ in 0..=10 {
        let mut run = Run::default();
        loop {
            match router.admit(&call(), &mut run, now) {
                Admission::Go(permit) if now.since(at(0)) >= outage => {
                    router.settle(permit, Settlement::success(Used::AsReserved), now);
                    return Some(now.since(at(0)));
                }
                Admission::Go(permit) => {
                    router.settle(permit, Settlement::failed(&http(), Used::AsReserved), now);
                    run.failed(&http());
                }
                Admission::Wait { .. } => panic!("no rate keeps it"),
                Admission::Refused(left) => {
                    now = now.after(Duration::from_secs(left.retry_after_s()));
                    break;
                }
            }
        }
    }
    None
}

#[test]
fn an_outage_of_everybody_costs_little_more_than_it_lasts_and_a_long_one_uses_up_no_retries() {
    for tenths in 0..100 {
        let outage = Duration::from_millis(100 * tenths);
        let served = served_at(outage).expect("ten tries are enough");
        assert!(
            served <= outage + Duration::from_secs(3),
            "{outage:?}: {served:?}"
        );
    }
    for seconds in [15, 30, 60, 120] {
        let outage = Duration::from_secs(seconds);
        let served = served_at(outage).expect("ten tries are enough");
        assert!(
            served <= outage + Duration::from_secs(32),
            "{outage:?}: {served:?}"
        );
    }
}

#[test]
fn what_is_told_grows_with_an_outage_alone_and_begins_anew_with_the_next() {
    let mut router = router([profile("a", 0)]);
    let told = |router: &mut Router, seconds| {
        let mut run = Run::default();
        while let Admission::Go(permit) = router.admit(&call(), &mut run, at(seconds)) {
            router.settle(
                permit,
                Settlement::failed(&http(), Used::AsReserved),
                at(seconds),
            );
            run.failed(&http());
        }
        let left = refused(router, &mut run, at(seconds));
        // Each profile's own word is what it was.
        assert!(left.retry_in <= Some(Duration::from_secs(2)), "{left}");
        left.retry_after_s()
    };
    let ages = [0, 1, 4, 20, 25];
    let answers = ages.map(|age| told(&mut router, age));
    assert_eq!(answers, [1, 3, 3, 20, 25]);
    // Nobody asked for long enough: its breaker's early probe is the soonest moment.
    assert_eq!(told(&mut router, 200), 2);
    assert_eq!(told(&mut router, 220), 20);
    // Somebody was served.
    router
        .command(&RouterCommand::Reset(named("a")), By::Key, at(221))
        .expect("a is there");
    let permit = go(&mut router, &mut Run::default(), at(221));
    router.settle(permit, Settlement::success(Used::AsReserved), at(221));
    assert_eq!(told(&mut router, 222), 1);
}
