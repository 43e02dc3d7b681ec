//! What the router is told while calls are under way, and what it tells those who watch and wait.

use super::*;
use crate::domain::profile::Capabilities;

#[test]
fn a_key_that_is_found_or_gone_counts_from_the_next_request_on() {
    let profiles = vec![(profile("a", 0), KeyState::Missing)];
    let mut router = Router::new(RouteSettings::default(), profiles, 7, at(0));
    assert_eq!(goes_to(&mut router, at(0)), None);
    router.set_key(&named("a"), KeyState::Present, at(1));
    assert_eq!(goes_to(&mut router, at(1)).as_deref(), Some("a"));
    router.set_key(&named("a"), KeyState::Missing, at(2));
    assert_eq!(goes_to(&mut router, at(2)), None);
}

#[test]
fn a_probe_closes_its_breaker_at_the_first_valid_event_and_not_only_at_its_end() {
    let mut router = router([profile("a", 0)]);
    open_first(&mut router, at(0));
    let mut probe = go(&mut router, &mut Run::default(), at(40));
    assert!(probe.is_probe());
    router.confirm(&mut probe, at(41));
    let status = router.status(&Usage::default(), at(41));
    assert_eq!(status.providers[0].breaker.state, BreakerState::Closed);
    router.settle(probe, Settlement::ignored(Used::AsReserved), at(42));
    assert_eq!(goes_to(&mut router, at(42)).as_deref(), Some("a"));
}

#[test]
fn a_providers_word_on_what_is_left_of_its_limits_counts() {
    let mut router = router([limited("a", 0, 60, 60)]);
    let permit = go(&mut router, &mut Run::default(), at(0));
    let left = Remaining {
        requests: Some(5),
        tokens: None,
    };
    router.learn(&permit, left, at(0));
    let status = router.status(&Usage::default(), at(0));
    let bucket = status.providers[0].requests_bucket.unwrap();
    assert_eq!((bucket.capacity, bucket.available), (60, 5));
    router.settle(permit, Settlement::success(Used::AsReserved), at(0));
}

#[test]
fn those_who_wait_look_again_when_a_call_gives_back_what_it_had_reserved() {
    let mut router = router([profile("a", 0)]);
    let wakes = |router: &mut Router, used| {
        let permit = go(router, &mut Run::default(), at(0));
        let _ = router.take_capacity_changed();
        router.settle(permit, Settlement::success(used), at(0));
        // Asked and forgotten.
        (
            router.take_capacity_changed(),
            router.take_capacity_changed(),
        )
    };
    assert_eq!(wakes(&mut router, Used::AsReserved), (false, false));
    assert_eq!(wakes(&mut router, Used::Nothing), (true, false));
    let permit = go(&mut router, &mut Run::default(), at(0));
    router
        .command(&RouterCommand::Unpin, By::Key, at(0))
        .unwrap();
    router.settle(permit, Settlement::success(Used::AsReserved), at(0));
    assert!(
        router.take_capacity_changed(),
        "a command may have made room"
    );
}

#[test]
fn the_revision_rises_when_a_call_begins_when_it_ends_and_with_every_command() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut last = router.revision();
    let mut rises = |router: &Router| {
        let before = std::mem::replace(&mut last, router.revision());
        assert!(last >= before);
        last > before
    };
    let permit = go(&mut router, &mut Run::default(), at(0));
    assert!(rises(&router), "a call begins");
    router.settle(permit, Settlement::success(Used::AsReserved), at(0));
    assert!(rises(&router), "it ends");
    let disable = RouterCommand::Disable(named("a"));
    router.command(&disable, By::Key, at(0)).unwrap();
    assert!(rises(&router), "a command");
    router.plan_changed();
    assert!(rises(&router), "a plan");
    let _ = router.status(&Usage::default(), at(1));
    assert!(!rises(&router), "a look changes nothing");
}

#[test]
fn a_first_command_of_a_fresh_router_is_a_change() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let fresh = router.revision();
    let disable = RouterCommand::Disable(named("a"));
    router.command(&disable, By::Key, at(0)).unwrap();
    assert!(router.revision() > fresh);
}

#[test]
fn calls_under_way_are_counted_until_they_are_settled() {
    let mut router = router([profile("a", 0)]);
    let in_flight = |router: &Router| {
        let status = router.status(&Usage::default(), at(0));
        (status.in_flight, status.providers[0].in_flight)
    };
    let one = go(&mut router, &mut Run::default(), at(0));
    let other = go(&mut router, &mut Run::default(), at(0));
    assert_eq!(in_flight(&router), (2, 2));
    router.settle(one, Settlement::success(Used::AsReserved), at(0));
    assert_eq!(in_flight(&router), (1, 1));
    router.settle(other, Settlement::ignored(Used::AsReserved), at(0));
    assert_eq!(in_flight(&router), (0, 0));
}

#[test]
fn whoever_waits_holds_no_place_at_a_profile_that_could_never_take_its_call() {
    let mut blind = limited("blind", 1, 60, 1);
    blind.capabilities = Some(Capabilities::NONE);
    let mut router = router([limited("sees", 0, 60, 1), blind]);
    let looks = Call {
        capabilities: Capabilities::of(&[Capability::Vision]),
        ..call()
    };
    let mut run = Run::default();
    assert!(matches!(
        router.admit(&looks, &mut run, at(0)),
        Admission::Go(_)
    ));
    let mut waiting = Run::default();
    let admission = router.admit(&looks, &mut waiting, at(0));
    assert!(matches!(admission, Admission::Wait { .. }), "{admission:?}");
    assert_eq!(goes_to(&mut router, at(0)).as_deref(), Some("blind"));
}

#[test]
fn a_reload_keeps_what_an_operator_said_until_the_configuration_says_otherwise() {
    let off = |mut profile: Profile| {
        profile.enabled = false;
        profile
    };
    let mut router = router([profile("a", 0)]);
    let disable = RouterCommand::Disable(named("a"));
    router.command(&disable, By::Key, at(0)).unwrap();
    let reload = |router: &mut Router, profile| {
        let settings = RouteSettings::default();
        router.reload(settings, keyed([profile]), By::Reload, at(1));
        router.status(&Usage::default(), at(1)).providers[0].enabled
    };
    assert!(!reload(&mut router, profile("a", 5)), "another setting");
    assert!(!reload(&mut router, off(profile("a", 5))), "the same word");
    assert!(reload(&mut router, profile("a", 5)), "the other word");
}

#[test]
fn a_reload_takes_other_limits_and_gives_nothing_back() {
    let mut router = router([limited("a", 0, 60, 10)]);
    for _ in 0..4 {
        let permit = go(&mut router, &mut Run::default(), at(0));
        router.settle(permit, Settlement::success(Used::AsReserved), at(0));
    }
    let gauge = |router: &mut Router, profile| {
        let settings = RouteSettings::default();
        router.reload(settings, keyed([profile]), By::Reload, at(0));
        let status = router.status(&Usage::default(), at(0));
        let gauge = status.providers[0].requests_bucket.unwrap();
        (gauge.available, gauge.capacity)
    };
    assert_eq!(gauge(&mut router, limited("a", 3, 60, 10)), (6, 10));
    assert_eq!(gauge(&mut router, limited("a", 3, 60, 20)), (6, 20));
}

#[test]
fn a_profile_of_another_dialect_is_asked_where_translation_allows_it_and_the_request_can_be_said() {
    let with = |translation| {
        let settings = RouteSettings {
            translation,
            ..RouteSettings::default()
        };
        let mut chat = profile("chat", 0);
        chat.dialects = ProviderKind::OpenAi.dialects();
        Router::new(settings, keyed([chat]), 7, at(0))
    };
    let dialect = |translation, foreign| {
        let call = Call { foreign, ..call() };
        match with(translation).admit(&call, &mut Run::default(), at(0)) {
            Admission::Go(permit) => Ok(permit.dialect),
            Admission::Refused(left) => Err(left.profiles[0].reason.clone()),
            other @ Admission::Wait { .. } => panic!("{other:?}"),
        }
    };
    for translation in [Translation::Fallback, Translation::Priority] {
        assert_eq!(dialect(translation, Foreign::Unknown), Ok(Dialect::Chat));
        let refused = Err("unsupported: messages".to_owned());
        assert_eq!(dialect(translation, Foreign::Never), refused);
    }
    let off = Err("unsupported: messages".to_owned());
    assert_eq!(dialect(Translation::Off, Foreign::Unknown), off);
    let no_words = |dialect| (dialect, Feature::new("web_search"));
    let judged = Foreign::Judged(vec![no_words(Dialect::Chat)]);
    let other = dialect(Translation::Fallback, judged);
    assert_eq!(other, Ok(Dialect::Responses));
    let judged = Foreign::Judged(vec![no_words(Dialect::Chat), no_words(Dialect::Responses)]);
    let none = Err("unsupported: web_search".to_owned());
    assert_eq!(dialect(Translation::Fallback, judged), none);
}

#[test]
fn a_reload_tells_whose_settings_or_key_changed() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut told = |profiles: Vec<(Profile, KeyState)>| {
        router.reload(RouteSettings::default(), profiles, By::Reload, at(0));
        let events = router.take_events().into_iter();
        let changed = events.filter_map(|event| match event {
            RouterEvent::Reloaded { changed, .. } => Some(changed),
            _ => None,
        });
        changed.flatten().collect::<Vec<_>>()
    };
    let both = || keyed([profile("a", 0), profile("b", 1)]);
    assert_eq!(told(both()), []);
    let mut keyless = both();
    keyless[1].1 = KeyState::Missing;
    assert_eq!(told(keyless), [named("b")]);
    assert_eq!(told(both()), [named("b")]);
    assert_eq!(
        told(keyed([profile("a", 5), profile("b", 1)])),
        [named("a")]
    );
}

#[test]
fn each_way_not_to_be_asked_has_its_state_and_tells_whether_another_time_could_do() {
    let state = |router: &Router| router.status(&Usage::default(), at(0)).providers[0].state;
    let able = |router: &mut Router| {
        let left = refused(router, &mut Run::default(), at(0));
        left.profiles[0].able
    };
    let mut off = profile("a", 0);
    off.enabled = false;
    let mut off = router([off]);
    assert_eq!(
        (state(&off), able(&mut off)),
        (ProviderState::Disabled, false)
    );

    let keyless = vec![(profile("a", 0), KeyState::Missing)];
    let mut keyless = Router::new(RouteSettings::default(), keyless, 7, at(0));
    assert_eq!(
        (state(&keyless), able(&mut keyless)),
        (ProviderState::NoKey, false)
    );

    let mut away = router([profile("a", 0)]);
    away.set_server(&named("a"), ServerState::Unreachable, at(0));
    assert_eq!((state(&away), able(&mut away)), (ProviderState::Down, true));

    let mut open = router([profile("a", 0)]);
    open_first(&mut open, at(0));
    assert_eq!((state(&open), able(&mut open)), (ProviderState::Open, true));
}

#[test]
fn every_state_has_the_name_of_the_interface() {
    let states = [
        (ProviderState::Ready, "ready"),
        (ProviderState::Open, "open"),
        (ProviderState::HalfOpen, "half_open"),
        (ProviderState::Cooling, "cooling"),
        (ProviderState::Held, "held"),
        (ProviderState::Exhausted, "exhausted"),
        (ProviderState::Disabled, "disabled"),
        (ProviderState::NoKey, "no_key"),
        (ProviderState::NoLogin, "no_login"),
        (ProviderState::Down, "down"),
        (ProviderState::Rejected, "rejected"),
    ];
    for (state, name) in states {
        assert_eq!(state.as_str(), name);
    }
}
