//! Commands, and what a reload keeps.

use super::*;

#[test]
fn while_a_probe_is_under_way_nobody_says_that_no_provider_is_left() {
    let mut router = router([profile("a", 0)]);
    open_first(&mut router, at(0));
    let due = at(33);
    // Any look at the route finds that a can be asked again.
    router.set_key(&named("a"), KeyState::Present, due);
    let probe = go(&mut router, &mut Run::default(), due);
    assert!(probe.is_probe());
    let status = router.status(&Usage::default(), due);
    assert_eq!(status.providers[0].state, ProviderState::HalfOpen);
    assert!(status.providers[0].active);
    assert_eq!(router.active(due), Some(named("a")));
    router.settle(probe, Settlement::failed(&http(), Used::AsReserved), due);
    assert_eq!(router.active(due), None);
    let told: Vec<_> = (router.take_events().iter())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "a: breaker closed → open",
            "no provider can take requests now",
            "requests now go to a",
            "a: breaker open → half_open",
            "a: breaker half_open → open",
            "no provider can take requests now",
        ]
    );
}

#[test]
fn a_used_up_login_is_followed_by_who_costs_nothing_or_by_who_is_agreed_to() {
    let login = || Profile::for_callers("login", ProviderKind::Anthropic);
    let paid = |name: &str, kind| {
        let mut paid = Profile::new(name, kind);
        paid.priority = 1;
        paid
    };
    let local = || profile("local", 9);
    let follows = |profiles: Vec<Profile>, spill, translation, agreed| {
        let profiles = profiles.into_iter();
        let profiles = profiles
            .map(|profile| (profile, KeyState::Present))
            .collect();
        let settings = RouteSettings {
            translation,
            spill,
            ..RouteSettings::default()
        };
        let router = Router::new(settings, profiles, 7, at(0));
        let substitute = router.substitute(&named("login"), agreed, at(0))?;
        Some((substitute.profile.to_string(), substitute.asks))
    };
    let (claude, gpt) = (
        || paid("zclaude", ProviderKind::Anthropic),
        || paid("gpt", ProviderKind::OpenAi),
    );
    let (ask, fallback) = (Spill::Ask, Translation::Fallback);
    let is = |name: &str, asks| Some((name.to_owned(), asks));
    assert_eq!(follows(vec![login()], ask, fallback, false), None);
    // The caller's dialect comes first.
    let both = || vec![login(), gpt(), claude()];
    assert_eq!(follows(both(), ask, fallback, false), is("zclaude", true));
    assert_eq!(follows(both(), ask, fallback, true), is("zclaude", false));
    let by_priority = Translation::Priority;
    assert_eq!(follows(both(), ask, by_priority, false), is("gpt", true));
    assert_eq!(
        follows(both(), Spill::Always, fallback, false),
        is("zclaude", false)
    );
    assert_eq!(follows(both(), Spill::Never, fallback, true), None);
    let foreign = || vec![login(), gpt()];
    assert_eq!(follows(foreign(), ask, fallback, false), is("gpt", true));
    assert_eq!(follows(foreign(), ask, Translation::Off, true), None);
    // A local model is asked without a word.
    let with_local = || vec![login(), claude(), local()];
    assert_eq!(
        follows(with_local(), ask, fallback, false),
        is("local", false)
    );
    assert_eq!(
        follows(with_local(), ask, fallback, true),
        is("zclaude", false)
    );
}

fn failover(router: &mut Router, now: Moment) -> Result<Done, CommandError> {
    let command = RouterCommand::Failover {
        from: None,
        hold: DEFAULT_HOLD,
    };
    router.command(&command, By::Key, now)
}

fn tell(router: &mut Router, command: &RouterCommand) -> Done {
    router
        .command(command, By::Cli, at(0))
        .expect("the command is carried out")
}

#[test]
fn failover_moves_on_until_nobody_is_left_and_then_holds_nothing() {
    let mut router = router([profile("a", 0), profile("b", 1), profile("c", 2)]);
    let done = failover(&mut router, at(0)).expect("b takes over");
    assert_eq!(
        done,
        Done {
            profile: Some(named("a")),
            active: Some(named("b")),
            held_for: Some(DEFAULT_HOLD),
        }
    );
    let done = failover(&mut router, at(0)).expect("c takes over");
    assert_eq!(done.active, Some(named("c")));
    let error = failover(&mut router, at(0)).expect_err("nobody is left");
    assert_eq!(error.to_string(), "no other profile can take over");
    assert_eq!(goes_to(&mut router, at(1)).as_deref(), Some("c"));
    let status = router.status(&Usage::default(), at(1));
    assert_eq!(status.providers[0].state, ProviderState::Held);
    assert_eq!(
        status.providers[0].reason.as_deref(),
        Some("held for 9m59s")
    );
    assert_eq!(status.providers[2].held, None);
    assert_eq!(goes_to(&mut router, at(600)).as_deref(), Some("a"));
}

#[test]
fn failover_needs_somebody_who_can_take_requests_now() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    tell(&mut router, &RouterCommand::Disable(named("b")));
    assert_eq!(failover(&mut router, at(0)), Err(CommandError::NobodyLeft));
    tell(&mut router, &RouterCommand::Enable(named("b")));
    assert!(failover(&mut router, at(0)).is_ok());
}

#[test]
fn failover_from_a_named_profile_holds_that_one() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let command = RouterCommand::Failover {
        from: Some(named("b")),
        hold: Duration::from_secs(5),
    };
    let done = tell(&mut router, &command);
    assert_eq!(
        (done.profile, done.active),
        (Some(named("b")), Some(named("a")))
    );
    let unknown = RouterCommand::Failover {
        from: Some(named("x")),
        hold: DEFAULT_HOLD,
    };
    let error = router.command(&unknown, By::Http, at(0));
    assert_eq!(error, Err(CommandError::NotFound(named("x"))));
}

#[test]
fn a_pin_is_preferred_until_unpinned_and_yields_to_a_hold() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    assert_eq!(
        tell(&mut router, &RouterCommand::Pin(named("b"))).active,
        Some(named("b"))
    );
    let permit = go(&mut router, &mut Run::default(), at(0));
    assert_eq!(permit.choice, Choice::Pinned);
    router.settle(permit, Settlement::success(Used::AsReserved), at(0));
    assert_eq!(
        failover(&mut router, at(0)).expect("a can").active,
        Some(named("a"))
    );
    assert_eq!(goes_to(&mut router, at(600)).as_deref(), Some("b"));
    // Pinning ends the hold.
    failover(&mut router, at(600)).expect("a can");
    let pin = RouterCommand::Pin(named("b"));
    let done = router.command(&pin, By::Key, at(601)).expect("b is there");
    assert_eq!(done.active, Some(named("b")));
    assert_eq!(
        tell(&mut router, &RouterCommand::Unpin).active,
        Some(named("a"))
    );
    assert_eq!(tell(&mut router, &RouterCommand::Unpin).profile, None);
}

#[test]
fn reset_ends_breaker_cooldown_exhaustion_and_hold() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    open_first(&mut router, at(0));
    tell(&mut router, &RouterCommand::Reset(named("a")));
    assert_eq!(goes_to(&mut router, at(0)).as_deref(), Some("a"));
    for cool in [Cool::Spent(None), Cool::RateLimit(Duration::from_secs(60))] {
        let permit = go(&mut router, &mut Run::default(), at(0));
        let settlement = Settlement::failed(&rate_limited(60), Used::AsReserved);
        router.settle(permit, settlement.with(cool), at(0));
        assert_eq!(goes_to(&mut router, at(0)).as_deref(), Some("b"));
        tell(&mut router, &RouterCommand::Restart(named("a")));
        assert_eq!(goes_to(&mut router, at(0)).as_deref(), Some("a"));
    }
    failover(&mut router, at(0)).expect("b can");
    tell(&mut router, &RouterCommand::Reset(named("a")));
    assert_eq!(goes_to(&mut router, at(0)).as_deref(), Some("a"));
}

#[test]
fn commands_are_told_with_who_gave_them() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    failover(&mut router, at(0)).expect("b can");
    let told: Vec<_> = router
        .take_events()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told, ["failover for 10m (by key)", "requests now go to b"]);
    assert!(router.take_capacity_changed());
    assert!(router.take_events().is_empty());
}

#[test]
fn a_reload_keeps_the_state_of_those_that_reach_the_same_provider() {
    let mut router = router([profile("a", 0), profile("b", 1), profile("c", 2)]);
    open_first(&mut router, at(0));
    tell(&mut router, &RouterCommand::Pin(named("c")));
    let running = go(&mut router, &mut Run::default(), at(0));
    let _before = router.take_events();
    let mut moved = profile("b", 1);
    moved.base_url = "http://127.0.0.1:9".into();
    let profiles = [profile("a", 5), moved, profile("d", 3)]
        .map(|profile| (profile, KeyState::Present))
        .to_vec();
    router.reload(RouteSettings::default(), profiles, By::Reload, at(1));
    let status = router.status(&Usage::default(), at(1));
    let seen: Vec<_> = status
        .providers
        .iter()
        .map(|provider| (provider.profile.name.to_string(), provider.state))
        .collect();
    assert_eq!(
        seen,
        [
            ("b".to_owned(), ProviderState::Ready),
            ("d".to_owned(), ProviderState::Ready),
            ("a".to_owned(), ProviderState::Open),
        ]
    );
    assert!(status.providers.iter().all(|provider| !provider.pinned));
    let events = router.take_events();
    let expected = RouterEvent::Reloaded {
        by: By::Reload,
        added: vec![named("b"), named("d")],
        changed: vec![named("a")],
        removed: vec![named("b"), named("c")],
        at: at(1),
    };
    assert_eq!(events[0], expected);
    // A call to one that is gone ends without a trace.
    router.settle(running, Settlement::success(Used::AsReserved), at(1));
    assert_eq!(router.status(&Usage::default(), at(1)).in_flight, 0);
}

#[test]
fn a_hold_is_shown_for_as_long_as_it_lasts() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let hold = Duration::from_secs(60);
    let command = RouterCommand::of(Verb::Failover, None, Some(hold)).unwrap();
    tell(&mut router, &command);
    let shown = |second| router.status(&Usage::default(), at(second)).providers[0].held;
    assert_eq!(shown(0), Some(hold));
    assert_eq!(shown(59), Some(Duration::from_secs(1)));
    assert_eq!(shown(60), None);
}
