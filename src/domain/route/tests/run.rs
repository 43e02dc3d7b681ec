//! One request's way from profile to profile.

use super::*;

/// Asks the next profile, which answers with `error`; gives its name.
fn asked(router: &mut Router, run: &mut Run, error: &CallError) -> String {
    let permit = go(router, run, at(0));
    let name = permit.profile.name.to_string();
    router.settle(permit, Settlement::failed(error, Used::Tokens(0)), at(0));
    run.failed(error);
    name
}

#[test]
fn every_profile_that_was_asked_has_its_own_last_error_as_its_reason() {
    let mut router = router([profile("a", 0), profile("b", 1), profile("c", 2)]);
    let mut run = Run::default();
    let refusal = CallError::Http("no route to host".into());
    assert_eq!(asked(&mut router, &mut run, &http()), "a");
    assert_eq!(asked(&mut router, &mut run, &refusal), "b");
    assert_eq!(asked(&mut router, &mut run, &CallError::Timeout), "c");
    let left = refused(&mut router, &mut run, at(0));
    let told = left.profiles.iter().map(|profile| profile.reason.clone());
    let errors = [http(), refusal, CallError::Timeout];
    assert_eq!(
        told.collect::<Vec<_>>(),
        errors.map(|error| error.to_string())
    );
    assert!(!left.all_rate, "no matter of rate");
}

#[test]
fn rates_alone_left_nobody_where_every_last_answer_was_a_429() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let mut run = Run::default();
    for name in ["a", "a", "b", "b"] {
        // Free again at once, so that each is asked once more.
        assert_eq!(asked(&mut router, &mut run, &rate_limited(0)), name);
    }
    assert!(refused(&mut router, &mut run, at(0)).all_rate);

    let mut run = Run::default();
    for name in ["a", "a", "b"] {
        assert_eq!(asked(&mut router, &mut run, &rate_limited(0)), name);
    }
    assert_eq!(asked(&mut router, &mut run, &http()), "b");
    assert!(!refused(&mut router, &mut run, at(0)).all_rate);
}

#[test]
fn a_profile_that_was_not_asked_after_all_may_be_asked() {
    let mut router = router([profile("a", 0)]);
    let mut run = Run::default();
    let permit = go(&mut router, &mut run, at(0));
    assert_eq!(run.attempts(), 1);
    router.settle(permit, Settlement::ignored(Used::Nothing), at(0));
    run.not_tried();
    assert_eq!(run.attempts(), 0);
    let permit = go(&mut router, &mut run, at(0));
    assert_eq!(permit.choice, Choice::First);
}

#[test]
fn a_run_tells_whom_it_passed_over_and_whether_nothing_answered_there() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let passed_over = |router: &mut Router| {
        let mut run = Run::default();
        let permit = go(router, &mut run, at(0));
        router.settle(permit, Settlement::ignored(Used::Nothing), at(0));
        (run.skipped().to_vec(), run.met_unreachable())
    };
    assert_eq!(passed_over(&mut router), (vec![], false));
    router.set_server(&named("a"), ServerState::Starting, at(0));
    let starting = vec![(named("a"), Skip::Starting)];
    assert_eq!(passed_over(&mut router), (starting, false));
    router.set_server(&named("a"), ServerState::Unreachable, at(0));
    let unreachable = vec![(named("a"), Skip::Unreachable)];
    assert_eq!(passed_over(&mut router), (unreachable, true));
}

#[test]
fn every_reason_for_a_choice_has_a_name_of_its_own() {
    let all = [
        (Choice::First, "first"),
        (Choice::Pinned, "pinned"),
        (Choice::Named, "named"),
        (Choice::Affinity, "affinity"),
        (Choice::Next, "next"),
        (Choice::Failover, "failover"),
        (Choice::EarlyProbe, "early probe"),
    ];
    for (choice, name) in all {
        assert_eq!(choice.as_str(), name);
    }
}
