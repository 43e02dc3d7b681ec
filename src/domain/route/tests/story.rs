//! Who is asked, who is skipped and why, and what is said when nobody is left.

use super::*;

#[test]
fn profiles_are_asked_by_priority_and_then_by_name() {
    let mut router = router([profile("b", 1), profile("a", 1), profile("z", 0)]);
    let mut run = Run::default();
    let mut asked = Vec::new();
    for choice in [Choice::First, Choice::Failover, Choice::Failover] {
        let permit = go(&mut router, &mut run, at(1));
        assert_eq!(permit.choice, choice);
        asked.push(permit.profile.name.to_string());
        router.settle(permit, Settlement::failed(&http(), Used::AsReserved), at(1));
        run.failed(&http());
    }
    assert_eq!(asked, ["z", "a", "b"]);
    let left = refused(&mut router, &mut run, at(1));
    assert_eq!(run.attempts(), 3);
    assert!(!left.all_rate);
    assert_eq!(left.retry_after_s(), 1);
    assert_eq!(
        left.to_string(),
        "no provider can take this request: z: HTTP error: connection refused; \
         a: HTTP error: connection refused; b: HTTP error: connection refused (soonest retry in 1s)"
    );
}

#[test]
fn every_skipped_profile_has_its_reason() {
    let mut disabled = profile("disabled", 0);
    disabled.enabled = false;
    let mut mute = profile("mute", 2);
    mute.dialects = ProviderKind::OpenAi.dialects();
    let mut blind = profile("blind", 3);
    blind.capabilities = Some(Capabilities::of(&[Capability::Streaming]));
    let keyless = Profile {
        name: named("keyless"),
        priority: 1,
        ..Profile::new("keyless", ProviderKind::Anthropic)
    };
    let good = profile("good", 9);
    let profiles = vec![
        (disabled, KeyState::Present),
        (keyless, KeyState::Missing),
        (mute, KeyState::Present),
        (blind, KeyState::Present),
        (good, KeyState::Present),
    ];
    let router = Router::new(RouteSettings::default(), profiles, 7, at(0));
    let mut call = call();
    call.capabilities = Capabilities::of(&[Capability::Streaming, Capability::Vision]);
    let reasons: Vec<_> = router
        .plan(&call, at(0))
        .into_iter()
        .map(|(profile, skip)| skip.map(|skip| skip.text(&profile, at(0))))
        .collect();
    let expected = [
        Some("disabled"),
        Some("no key: ANTHROPIC_API_KEY is not set"),
        Some("unsupported: vision"),
        None,
        Some("unsupported: messages"),
    ]
    .map(|text| text.map(str::to_owned));
    assert_eq!(reasons, expected);
}

#[test]
fn an_open_breaker_sends_requests_on_and_a_probe_brings_them_back() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    open_first(&mut router, at(0));
    assert_eq!(goes_to(&mut router, at(1)).as_deref(), Some("b"));
    let status = router.status(&Usage::default(), at(1));
    assert_eq!(status.providers[0].state, ProviderState::Open);
    assert_eq!(
        status.providers[0].reason.as_deref(),
        Some("circuit is open – refusing call")
    );
    // Jitter adds up to 3 s.
    let due = at(33);
    let status = router.status(&Usage::default(), due);
    assert_eq!(status.providers[0].state, ProviderState::HalfOpen);
    assert!(status.providers[0].active);
    let probe = go(&mut router, &mut Run::default(), due);
    assert_eq!(&*probe.profile.name.to_string(), "a");
    assert!(probe.is_probe());
    assert_eq!(goes_to(&mut router, due).as_deref(), Some("b"));
    router.settle(probe, Settlement::success(Used::AsReserved), due);
    assert_eq!(goes_to(&mut router, due).as_deref(), Some("a"));
    let moves: Vec<_> = router
        .take_events()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        moves,
        [
            "a: breaker closed → open",
            "requests now go to b",
            "a: breaker open → half_open",
            "a: breaker half_open → closed",
            "requests now go to a",
        ]
    );
}

#[test]
fn a_rate_limit_cools_down_and_counts_for_no_breaker() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    for _ in 0..9 {
        let from = fail(&mut router, &rate_limited(20), at(0));
        if from == named("b") {
            break;
        }
    }
    let status = router.status(&Usage::default(), at(1));
    for provider in &status.providers {
        assert_eq!(provider.state, ProviderState::Cooling);
        assert_eq!(provider.cooldown, Some(Duration::from_secs(19)));
        assert_eq!(provider.breaker.state, BreakerState::Closed);
    }
    let left = refused(&mut router, &mut Run::default(), at(1));
    assert!(left.all_rate);
    assert_eq!(left.retry_after_s(), 19);
    assert_eq!(left.profiles[0].reason, "rate limited: retry after 19s");
    assert_eq!(goes_to(&mut router, at(20)).as_deref(), Some("a"));
}

#[test]
fn an_overload_that_names_a_time_counts_and_cools_down_and_is_no_matter_of_rate() {
    let mut router = router([profile("a", 0)]);
    let permit = go(&mut router, &mut Run::default(), at(0));
    let error = CallError::Api {
        status: 529,
        message: "overloaded".into(),
    };
    let settlement =
        Settlement::failed(&error, Used::AsReserved).with(Cool::Overload(Duration::from_secs(30)));
    router.settle(permit, settlement, at(0));
    let left = refused(&mut router, &mut Run::default(), at(0));
    assert!(!left.all_rate);
    assert_eq!(left.retry_after_s(), 30);
    assert_eq!(
        router.status(&Usage::default(), at(0)).providers[0]
            .breaker
            .failures,
        1
    );
}

#[test]
fn a_spent_budget_takes_a_profile_out_for_an_hour() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let spent = Settlement::failed(&rate_limited(60), Used::Tokens(0)).with(Cool::Spent(None));
    let permit = go(&mut router, &mut Run::default(), at(0));
    router.settle(permit, spent, at(0));
    assert_eq!(goes_to(&mut router, at(3_599)).as_deref(), Some("b"));
    let status = router.status(&Usage::default(), at(10));
    assert_eq!(status.providers[0].state, ProviderState::Exhausted);
    // Who asks again may leave before there is an answer; the budget is then as spent as before.
    assert_eq!(goes_to(&mut router, at(3_600)).as_deref(), Some("a"));
    let ask = go(&mut router, &mut Run::default(), at(3_600));
    assert_eq!(ask.profile.name, named("a"));
    assert_eq!(goes_to(&mut router, at(3_600)).as_deref(), Some("b"));
    router.settle(ask, Settlement::success(Used::AsReserved), at(3_601));
    assert_eq!(goes_to(&mut router, at(3_602)).as_deref(), Some("a"));
}

#[test]
fn an_empty_bucket_sends_on_and_the_last_one_makes_wait() {
    let mut router = router([limited("a", 0, 60, 1), limited("b", 1, 30, 1)]);
    let first = go(&mut router, &mut Run::default(), at(0));
    let second = go(&mut router, &mut Run::default(), at(0));
    assert_eq!(second.choice, Choice::Next);
    assert_eq!(second.profile.name, named("b"));
    let mut run = Run::default();
    let wait = router.admit(&call(), &mut run, at(0));
    assert!(matches!(wait, Admission::Wait { until } if until == at(1)));
    assert!(run.waits());
    let third = go(&mut router, &mut run, at(1));
    assert_eq!(third.profile.name, named("a"));
    assert!(!run.waits());
    for permit in [first, second, third] {
        router.settle(permit, Settlement::success(Used::AsReserved), at(1));
    }
    assert_eq!(router.status(&Usage::default(), at(1)).in_flight, 0);
}

#[test]
fn whoever_waits_longest_goes_first_and_newcomers_do_not_barge() {
    let mut router = router([limited("a", 0, 60, 1)]);
    let _first = go(&mut router, &mut Run::default(), at(0));
    let mut runs = [Run::default(), Run::default(), Run::default()];
    for (ahead, run) in runs.iter_mut().enumerate() {
        let wait = router.admit(&call(), run, at(0));
        let expected = at(1 + ahead as u64);
        assert!(matches!(wait, Admission::Wait { until } if until == expected));
    }
    let [one, two, three] = &mut runs;
    // At the moment when one is due, neither a newcomer nor a later one gets the token.
    let newcomer = router.admit(&call(), &mut Run::default(), at(1));
    assert!(matches!(newcomer, Admission::Wait { until } if until == at(4)));
    assert!(matches!(
        router.admit(&call(), two, at(1)),
        Admission::Wait { .. }
    ));
    let _permit = go(&mut router, one, at(1));
    // One who gives up makes room for those behind.
    router.leave_queue(two);
    assert!(router.take_capacity_changed());
    let _permit = go(&mut router, three, at(2));
    router.leave_queue(three);
}

#[test]
fn whoever_waits_looks_again_when_anybody_is_due() {
    let mut router = router([limited("a", 0, 60, 1), profile("b", 1)]);
    let hold = RouterCommand::Failover {
        from: Some(named("b")),
        hold: Duration::from_millis(300),
    };
    router.command(&hold, By::Cli, at(0)).expect("a can");
    let _first = go(&mut router, &mut Run::default(), at(0));
    let mut run = Run::default();
    let due = Moment::ORIGIN.after(Duration::from_millis(300));
    assert!(matches!(
        router.admit(&call(), &mut run, at(0)),
        Admission::Wait { until } if until == due
    ));
    assert_eq!(go(&mut router, &mut run, due).profile.name, named("b"));
}

#[test]
fn nobody_waits_longer_than_patience_lasts() {
    let mut router = router([limited("a", 0, 5, 1)]);
    let _first = go(&mut router, &mut Run::default(), at(0));
    let mut run = Run::default();
    let left = refused(&mut router, &mut run, at(0));
    assert!(left.all_rate);
    assert_eq!(left.retry_in, Some(Duration::from_secs(12)));
    assert_eq!(
        left.profiles[0].reason,
        "rate limit exceeded for key 'a' – retry after 12s"
    );
    assert!(!run.waits());
    assert!(matches!(
        router.admit(&call(), &mut Run::default(), at(3)),
        Admission::Wait { until } if until == at(12)
    ));
}

#[test]
fn the_line_is_bounded() {
    let mut router = router([limited("a", 0, 6_000, 1)]);
    let _first = go(&mut router, &mut Run::default(), at(0));
    let mut waiting = 0;
    for _ in 0..100 {
        match router.admit(&call(), &mut Run::default(), at(0)) {
            Admission::Wait { .. } => waiting += 1,
            Admission::Refused(left) => assert!(left.all_rate),
            Admission::Go(_) => panic!("there is no room"),
        }
    }
    assert_eq!(waiting, 64);
    assert_eq!(router.status(&Usage::default(), at(0)).waiting, 64);
}

#[test]
fn a_profile_that_failed_this_request_is_not_waited_for() {
    let mut router = router([profile("a", 0)]);
    let mut run = Run::default();
    let permit = go(&mut router, &mut run, at(0));
    let settlement = Settlement::failed(&rate_limited(2), Used::Tokens(0));
    router.settle(permit, settlement, at(0));
    assert_eq!(refused(&mut router, &mut run, at(0)).retry_after_s(), 2);
    // The next request waits for it.
    assert!(matches!(
        router.admit(&call(), &mut Run::default(), at(0)),
        Admission::Wait { until } if until == at(2)
    ));
}

#[test]
fn a_profile_asked_for_by_name_is_the_only_one() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut call = call();
    call.only = Some(named("b"));
    let Admission::Go(permit) = router.admit(&call, &mut Run::default(), at(0)) else {
        panic!("b can");
    };
    assert_eq!(
        (permit.profile.name.as_str(), permit.choice),
        ("b", Choice::Named)
    );
    call.only = Some(named("c"));
    let Admission::Refused(left) = router.admit(&call, &mut Run::default(), at(0)) else {
        panic!("there is no c");
    };
    assert_eq!(left.profiles[0].reason, "profile not found: c");
}

#[test]
fn reconnections_are_paid_from_the_budget() {
    let mut router = router([profile("a", 0)]);
    let permit = go(&mut router, &mut Run::default(), at(0));
    let allowed = (0..20).filter(|_| router.may_reconnect(&permit)).count();
    assert_eq!(allowed, 10);
    router.settle(permit, Settlement::success(Used::AsReserved), at(0));
}

#[test]
fn a_profile_whose_server_is_not_there_is_skipped_until_it_is() {
    let mut router = router([profile("local", 1), profile("cloud", 2)]);
    let local = named("local");
    for (server, reason) in [
        (ServerState::Starting, "its server is starting"),
        (
            ServerState::Down,
            "its server ended and is being started again",
        ),
    ] {
        router.set_server(&local, server, at(1));
        assert_eq!(router.active(at(1)), Some(named("cloud")));
        let status = router.status(&Usage::default(), at(1)).providers.remove(0);
        assert_eq!(
            (status.state, status.reason.as_deref()),
            (ProviderState::Held, Some(reason))
        );
    }
    let failover = RouterCommand::Failover {
        from: Some(named("cloud")),
        hold: Duration::from_secs(60),
    };
    assert_eq!(
        router.command(&failover, By::Key, at(1)),
        Err(CommandError::NobodyLeft)
    );
    router
        .command(&RouterCommand::Disable(named("cloud")), By::Key, at(1))
        .unwrap();
    let left = refused(&mut router, &mut Run::default(), at(1));
    assert!(!left.all_rate);
    assert_eq!(
        (left.profiles[0].retry_in, left.retry_after_s()),
        (Some(Duration::from_secs(1)), 1)
    );
    router.set_server(&local, ServerState::Serving, at(2));
    let permit = go(&mut router, &mut Run::default(), at(2));
    assert_eq!(permit.profile.name, local);
}

#[test]
fn a_server_that_nobody_wrote_down_never_had_the_route_before_somebody_looked() {
    let mut guess = profile("local", 1);
    guess.is_guess = true;
    let mut router = router([guess]);
    let local = named("local");
    router.set_server(&local, ServerState::Unreachable, at(1));
    assert_eq!(router.active(at(1)), None);
    assert!(router.take_events().is_empty());
    router.set_server(&local, ServerState::Serving, at(2));
    assert_eq!(router.active(at(2)), Some(local));
}

#[test]
fn an_answer_that_a_spent_budget_would_not_give_shows_that_there_is_one_again() {
    let refused = CallError::Api {
        status: 400,
        message: "no such model".into(),
    };
    let rejected = CallError::Api {
        status: 401,
        message: "wrong key".into(),
    };
    // A refusal for what was asked, or a mere matter of rate, is paid for; a key that is rejected or a cut tells nothing.
    for (error, is_there) in [
        (refused, true),
        (rate_limited(0), true),
        (rejected, false),
        (http(), false),
    ] {
        let mut router = router([profile("a", 0)]);
        let permit = go(&mut router, &mut Run::default(), at(0));
        let spent = Settlement::failed(&rate_limited(60), Used::Tokens(0)).with(Cool::Spent(None));
        router.settle(permit, spent, at(0));
        let ask = go(&mut router, &mut Run::default(), at(3_600));
        let settlement = Settlement::failed(&error, Used::AsReserved);
        router.settle(ask, settlement, at(3_600));
        // While it is spent only one at a time asks again.
        let _asking = go(&mut router, &mut Run::default(), at(3_601));
        let other = router.admit(&call(), &mut Run::default(), at(3_601));
        let goes = matches!(other, Admission::Go(_));
        assert_eq!(goes, is_there, "{error}");
    }
}
