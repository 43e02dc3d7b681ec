//! Conversations that stay with who answered them, and callers who bring a login of their own.

use super::*;
use crate::domain::affinity::ConversationId;
use crate::domain::login::{Login, LoginId};
use crate::domain::plan::UsedUp;

const BRINGS: Login = Login {
    id: LoginId::from_hash([1; 16]),
    is_api_key: false,
};

fn in_conversation(number: u64) -> Call {
    Call {
        conversation: Some(ConversationId(number)),
        ..call()
    }
}

fn with_login(login: CallLogin) -> Call {
    Call {
        login: Some(login),
        ..call()
    }
}

/// A profile for callers who bring their login.
fn for_callers(name: &str, priority: i64) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Anthropic);
    profile.priority = priority;
    profile.auth = Auth::Caller;
    profile
}

fn paid(name: &str, priority: i64) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Anthropic);
    profile.priority = priority;
    profile
}

/// Who is chosen for a call, and why; the call ends as told.
fn chosen(
    router: &mut Router,
    call: &Call,
    settlement: Settlement,
    now: Moment,
) -> (String, Choice) {
    match router.admit(call, &mut Run::default(), now) {
        Admission::Go(permit) => {
            let chosen = (permit.profile.name.to_string(), permit.choice);
            router.settle(permit, settlement, now);
            chosen
        }
        other => panic!("no permit but {other:?}"),
    }
}

fn answered() -> Settlement {
    Settlement::success(Used::AsReserved)
}

fn given_up() -> Settlement {
    Settlement::ignored(Used::AsReserved)
}

#[test]
fn a_conversation_stays_with_who_answered_it_last() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let first = |name: &str| (name.to_owned(), Choice::First);
    let (one, other) = (in_conversation(1), in_conversation(2));
    assert_eq!(chosen(&mut router, &one, answered(), at(0)), first("a"));
    fail(&mut router, &rate_limited(20), at(0));
    let next = ("b".to_owned(), Choice::Next);
    assert_eq!(chosen(&mut router, &one, answered(), at(1)), next);
    assert_eq!(chosen(&mut router, &other, given_up(), at(1)), next);
    // The first in order is back.
    let stays = ("b".to_owned(), Choice::Affinity);
    assert_eq!(chosen(&mut router, &one, given_up(), at(21)), stays);
    assert_eq!(chosen(&mut router, &other, given_up(), at(21)), first("a"));
    assert_eq!(chosen(&mut router, &call(), given_up(), at(21)), first("a"));
    // A command says where requests go from now on.
    let unpin = RouterCommand::Unpin;
    router.command(&unpin, By::Key, at(22)).unwrap();
    assert_eq!(chosen(&mut router, &one, given_up(), at(22)), first("a"));
}

#[test]
fn a_conversation_that_stays_with_the_first_in_order_has_no_other_reason_to_go_there() {
    let mut router = router([profile("a", 0), profile("b", 1)]);
    let one = in_conversation(1);
    for _ in 0..2 {
        let first = ("a".to_owned(), Choice::First);
        assert_eq!(chosen(&mut router, &one, answered(), at(0)), first);
    }
}

#[test]
fn a_login_goes_to_its_own_profile_whatever_the_priorities() {
    let mut router = router([paid("paid", 0), for_callers("plan", 1)]);
    let mut login = CallLogin::from(BRINGS);
    login.may_spill = true;
    let (name, _) = chosen(&mut router, &with_login(login), given_up(), at(0));
    assert_eq!(name, "plan");
    let (name, _) = chosen(&mut router, &call(), given_up(), at(0));
    assert_eq!(name, "paid", "without a login nobody is asked for one");
    assert_eq!(router.for_callers().collect::<Vec<_>>(), [named("plan")]);
}

#[test]
fn where_nothing_else_may_be_asked_a_used_up_plans_own_answer_is_the_callers() {
    let mut router = router([paid("paid", 0), for_callers("plan", 1)]);
    let mut login = CallLogin::from(BRINGS);
    login.used_up = Some(at(600));
    let call = with_login(login);
    let mut run = Run::default();
    let Admission::Go(permit) = router.admit(&call, &mut run, at(0)) else {
        panic!("its own profile answers it");
    };
    assert_eq!(permit.profile.name, named("plan"));
    router.settle(permit, given_up(), at(0));
    // Once, for a request: its own 429 is an answer too, and the caller knows best when to come again.
    run.failed(&rate_limited(0));
    let Admission::Refused(left) = router.admit(&call, &mut run, at(0)) else {
        panic!("nobody is left");
    };
    let reasons = left.profiles.iter().map(|profile| profile.name.as_str());
    assert_eq!(reasons.collect::<Vec<_>>(), ["plan", "paid"]);
}

#[test]
fn what_a_login_is_told_to_wait_for_is_no_matter_where_it_may_pay() {
    let mut router = router([paid("paid", 0), for_callers("plan", 1)]);
    let mut login = CallLogin::from(BRINGS);
    login.cooling = Some(at(600));
    login.may_spill = true;
    let (name, choice) = chosen(&mut router, &with_login(login), given_up(), at(0));
    assert_eq!((name.as_str(), choice), ("paid", Choice::Next));
}

#[test]
fn how_a_login_stands_is_shown_and_told_once() {
    let mut router = router([for_callers("plan", 0), paid("paid", 1)]);
    let state = |router: &Router| router.status(&Usage::default(), at(0)).providers[0].state;
    assert_eq!(state(&router), ProviderState::NoLogin);
    let came = LoginState {
        seen: true,
        used_up: None,
    };
    router.set_login(&named("plan"), came, at(0));
    assert_eq!(state(&router), ProviderState::Ready);
    let told = router.revision();
    router.set_login(&named("plan"), came, at(0));
    assert_eq!(router.revision(), told);
}

/// What stands against each profile for a call, in the order in which they would be asked.
fn against(router: &Router, call: &Call, now: Moment) -> Vec<(String, Option<Skip>)> {
    let plan = router.plan(call, now).into_iter();
    plan.map(|(profile, skip)| (profile.name.to_string(), skip))
        .collect()
}

#[test]
fn a_subscription_takes_no_api_key_of_its_vendor_and_other_profiles_take_either() {
    let chatgpt = Profile::for_callers("chatgpt", ProviderKind::OpenAi);
    let claude = Profile::for_callers("claude", ProviderKind::Anthropic);
    let router = router([chatgpt, claude]);
    let with = |is_api_key, dialect| {
        let call = Call {
            dialect,
            ..with_login(CallLogin::from(Login {
                is_api_key,
                ..BRINGS
            }))
        };
        let mut against = against(&router, &call, at(0));
        against.retain(|(_, skip)| !matches!(skip, Some(Skip::Unsupported(_))));
        against
    };
    let needs_login = vec![("chatgpt".to_owned(), Some(Skip::NeedsLogin))];
    let mut of_key = with(true, Dialect::Responses);
    of_key.retain(|(name, _)| name == "chatgpt");
    assert_eq!(of_key, needs_login);
    let free = |name: &str| vec![(name.to_owned(), None)];
    assert_eq!(with(false, Dialect::Responses), free("chatgpt"));
    let mut of_key = with(true, Dialect::Messages);
    of_key.retain(|(name, _)| name == "claude");
    assert_eq!(of_key, free("claude"));
    // Without a login nobody for callers is asked; what a login would not mend is told first.
    let mut skips = against(&router, &call(), at(0)).into_iter();
    assert!(skips.all(|(name, skip)| match skip {
        Some(Skip::Unsupported(_)) => name == "chatgpt",
        other => other == Some(Skip::NeedsLogin),
    }));
}

#[test]
fn a_login_pays_for_nothing_that_its_user_has_not_agreed_to_but_what_is_free() {
    let router = router([profile("here", 0), paid("paid", 1)]);
    let mut login = CallLogin::from(BRINGS);
    let skips = |login| {
        let against = against(&router, &with_login(login), at(0));
        against
            .into_iter()
            .map(|(_, skip)| skip)
            .collect::<Vec<_>>()
    };
    assert_eq!(skips(login), [None, Some(Skip::NeedsConsent)]);
    login.may_spill = true;
    assert_eq!(skips(login), [None, None]);
}

#[test]
fn a_login_that_is_used_up_or_told_to_wait_is_so_until_its_time_and_not_beyond() {
    let router = router([for_callers("plan", 0)]);
    let skip = |login, second| {
        let mut against = against(&router, &with_login(login), at(second));
        against.remove(0).1
    };
    let mut used_up = CallLogin::from(BRINGS);
    used_up.used_up = Some(at(60));
    assert_eq!(skip(used_up, 59), Some(Skip::UsedUp { until: at(60) }));
    assert_eq!(skip(used_up, 60), None);
    let mut cooling = CallLogin::from(BRINGS);
    cooling.cooling = Some(at(60));
    let cause = crate::domain::cooldown::CoolingCause::RateLimit;
    let until = at(60);
    assert_eq!(skip(cooling, 59), Some(Skip::Cooling { until, cause }));
    assert_eq!(skip(cooling, 60), None);
}

#[test]
fn what_a_profile_for_callers_shows_is_how_the_login_stands_that_came_last() {
    let mut router = router([for_callers("plan", 0)]);
    let used_up = LoginState {
        seen: true,
        used_up: Some(at(60)),
    };
    router.set_login(&named("plan"), used_up, at(0));
    let state = |second| router.status(&Usage::default(), at(second)).providers[0].state;
    assert_eq!(state(59), ProviderState::Exhausted);
    assert_eq!(state(60), ProviderState::Ready);
}

#[test]
fn news_of_a_plan_is_told_with_who_would_go_on() {
    let mut router = router([for_callers("plan", 0), paid("paid", 1)]);
    let news = PlanNews::UsedUp(UsedUp {
        until: jiff::Timestamp::UNIX_EPOCH,
        family: None,
    });
    router.tell_plan(&named("plan"), news.clone(), at(1));
    let told = RouterEvent::Plan {
        profile: named("plan"),
        news,
        substitute: Some(Substitute {
            profile: named("paid"),
            asks: true,
        }),
        at: at(1),
    };
    assert_eq!(router.take_events(), [told]);
}

#[test]
fn a_hold_by_hand_sends_every_login_elsewhere_until_it_is_taken_back() {
    let mut router = router([for_callers("plan", 0), paid("paid", 1)]);
    let call = with_login(CallLogin::from(BRINGS));
    assert!(!router.sends_away(&call, at(0)));
    let hold = RouterCommand::Failover {
        from: Some(named("plan")),
        hold: Duration::from_secs(60),
    };
    router.command(&hold, By::Cli, at(0)).unwrap();
    assert!(router.sends_away(&call, at(59)));
    assert!(!router.sends_away(&call, at(60)), "it ends by itself");
    assert!(!router.sends_away(&super::call(), at(0)), "it has no login");
    router
        .command(&RouterCommand::Unpin, By::Cli, at(1))
        .unwrap();
    assert!(!router.sends_away(&call, at(1)));
    let (name, _) = chosen(&mut router, &call, given_up(), at(1));
    assert_eq!(name, "plan");

    // Where nothing may cost money nobody could take over, and nothing is held.
    let settings = RouteSettings {
        spill: Spill::Never,
        ..RouteSettings::default()
    };
    let profiles = keyed([for_callers("plan", 0), paid("paid", 1)]);
    let mut never = Router::new(settings, profiles, 7, at(0));
    let refused = never.command(&hold, By::Cli, at(0)).unwrap_err();
    assert!(matches!(refused, CommandError::NobodyLeft), "{refused}");
}
