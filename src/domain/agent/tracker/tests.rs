use proptest::prelude::*;

use super::*;
use crate::domain::agent::{Ending, TitleRule, TitleRules};

struct Story {
    tracker: Tracker,
    start: Instant,
}

fn traits() -> AgentTraits {
    AgentTraits {
        titles: TitleRules::new(vec![
            TitleRule::new("\u{2801}-\u{28ff}", TitleMeaning::Working),
            TitleRule::new("✳", TitleMeaning::Idle),
            TitleRule::new("?", TitleMeaning::Waiting),
        ]),
        ..AgentTraits::default()
    }
}

fn wall(millis: u64) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap()
}

impl Story {
    fn new() -> Self {
        Self::observed(true)
    }

    fn observed(observed: bool) -> Self {
        let start = Instant::now();
        let agent = Agent::new("claude".into(), Timestamp::UNIX_EPOCH, observed);
        Self {
            tracker: Tracker::new(agent, traits(), start),
            start,
        }
    }

    fn at(&mut self, millis: u64, sign: &Sign) -> (AgentState, Evidence) {
        let now = self.start + Duration::from_millis(millis);
        self.tracker.handle(sign, now, wall(millis));
        let agent = self.tracker.agent();
        (agent.state, agent.by)
    }

    fn wire(&mut self, millis: u64, fact: WireFact) -> (AgentState, Evidence) {
        self.at(millis, &Sign::Wire(fact))
    }

    /// Tells what is due at that moment.
    fn time(&mut self, millis: u64, busy: bool) -> (AgentState, Evidence) {
        let now = self.start + Duration::from_millis(millis);
        let sign = if self.tracker.asks_for_children(now) {
            Sign::Children { busy }
        } else {
            Sign::Tick
        };
        self.at(millis, &sign)
    }

    fn due(&self) -> Option<u64> {
        let due = self.tracker.due()?;
        u64::try_from(due.duration_since(self.start).as_millis()).ok()
    }

    fn since(&self) -> i64 {
        self.tracker.agent().since.as_millisecond()
    }

    /// An answer with a tool call has ended at that moment.
    fn open_call(millis: u64) -> Self {
        let mut story = Self::new();
        story.wire(0, began(1));
        story.wire(millis, ended(1, Ending::Answered { calls: true }));
        story
    }
}

fn began(id: RequestId) -> WireFact {
    WireFact::Began { id, tools: true }
}

fn ended(id: RequestId, ending: Ending) -> WireFact {
    WireFact::Ended { id, ending }
}

use crate::domain::agent::RequestId;
use AgentState::{Done, Failed, Idle, Quota, Unknown, Waiting, Working};
use Evidence::{Notification, Output, Title};

const CALLS: Ending = Ending::Answered { calls: true };
const PLAIN: Ending = Ending::Answered { calls: false };
const WIRE: Evidence = Evidence::Wire;

fn refused(until: Option<u64>) -> Ending {
    Ending::Refused {
        until: until.map(wall),
        message: "used up".to_owned(),
    }
}

fn failed() -> Ending {
    Ending::Failed {
        message: "no".to_owned(),
    }
}

#[test]
fn a_request_in_flight_is_work_and_its_plain_end_is_done_a_second_later() {
    let mut story = Story::new();
    assert_eq!(story.wire(5, began(1)), (Working, WIRE));
    assert_eq!(story.wire(700, ended(1, PLAIN)), (Working, WIRE));
    assert_eq!(story.due(), Some(1_700));
    assert_eq!(story.time(1_699, false), (Working, WIRE));
    assert_eq!(story.time(1_700, false), (Done, WIRE));
    assert_eq!((story.since(), story.due()), (1_700, None));
    assert_eq!(story.at(2_000, &Sign::Seen), (Idle, WIRE));
}

#[test]
fn a_request_that_follows_within_a_second_goes_on_working() {
    let mut story = Story::new();
    story.wire(0, began(1));
    story.wire(100, ended(1, PLAIN));
    assert_eq!(story.wire(900, began(2)), (Working, WIRE));
    assert_eq!(story.time(1_200, false), (Working, WIRE));
    assert_eq!(story.wire(3_000, ended(2, PLAIN)), (Working, WIRE));
    assert_eq!(story.time(4_000, false), (Done, WIRE));
    assert_eq!(story.since(), 4_000);
    assert_eq!(story.at(4_100, &Sign::Input), (Idle, WIRE));
}

#[test]
fn a_tool_call_with_a_still_screen_and_no_child_waits() {
    let mut story = Story::open_call(100);
    assert_eq!(story.at(200, &Sign::Output), (Working, WIRE));
    assert_eq!(story.due(), Some(3_200));
    assert_eq!(story.time(3_199, false), (Working, WIRE));
    assert_eq!(story.time(3_200, true), (Working, WIRE));
    assert_eq!(story.due(), Some(3_700));
    assert_eq!(story.time(3_700, false), (Waiting, WIRE));
    assert_eq!(story.due(), None);
    // The screen moves again: the tool was let run.
    assert_eq!(story.at(9_000, &Sign::Output), (Working, WIRE));
    assert_eq!(story.wire(9_500, began(2)), (Working, WIRE));
}

#[test]
fn a_notification_after_a_tool_call_waits_at_once_and_until_it_is_answered() {
    let mut story = Story::open_call(100);
    let asks = Sign::Notification("may I?".to_owned());
    assert_eq!(story.at(200, &asks), (Waiting, Notification));
    assert_eq!(story.tracker.agent().message.as_deref(), Some("may I?"));
    assert_eq!(story.at(300, &Sign::Output), (Waiting, Notification));
    assert_eq!(story.at(400, &Sign::Input), (Working, WIRE));
    assert_eq!(story.tracker.agent().message, None);
    assert_eq!(story.at(500, &asks), (Waiting, Notification));
    assert_eq!(story.wire(600, began(2)), (Working, WIRE));
}

#[test]
fn a_question_that_comes_before_the_end_of_its_turn_or_beside_another_request_is_kept() {
    let asks = Sign::Notification("may I?".to_owned());
    let mut story = Story::new();
    story.wire(0, began(1));
    assert_eq!(story.at(50, &asks), (Working, WIRE));
    assert_eq!(story.wire(100, ended(1, CALLS)), (Waiting, Notification));
    let aside = WireFact::Began {
        id: 2,
        tools: false,
    };
    assert_eq!(story.wire(200, aside), (Working, WIRE));
    assert_eq!(story.wire(300, ended(2, PLAIN)), (Waiting, Notification));
    // What rang long before the call was no question about it.
    story.wire(350, began(5));
    story.at(360, &asks);
    assert_eq!(story.wire(2_400, ended(5, CALLS)), (Working, WIRE));
    // A turn that ends without a call had no question.
    story.wire(2_500, began(3));
    story.at(2_600, &asks);
    story.wire(2_700, ended(3, PLAIN));
    assert_eq!(story.time(3_700, false), (Done, WIRE));
    story.wire(4_000, began(4));
    assert_eq!(story.wire(4_100, ended(4, CALLS)), (Working, WIRE));
}

#[test]
fn a_title_for_the_turn_aside_does_not_end_a_tool_call() {
    let mut story = Story::open_call(100);
    let aside = WireFact::Began {
        id: 2,
        tools: false,
    };
    assert_eq!(story.wire(200, aside), (Working, WIRE));
    assert_eq!(story.wire(300, ended(2, PLAIN)), (Working, WIRE));
    assert_eq!(story.time(3_100, false), (Waiting, WIRE));
}

#[test]
fn a_title_that_is_asked_for_beside_a_turn_says_nothing_of_it_however_it_ends() {
    for ending in [refused(None), failed()] {
        let mut story = Story::new();
        let aside = |id| WireFact::Began { id, tools: false };
        story.wire(0, aside(1));
        story.wire(5, began(2));
        let told = story.wire(10, ended(2, ending.clone()));
        // One that is still under way is work.
        assert_eq!(told, (Working, WIRE));
        let state = story.wire(400, ended(1, PLAIN)).0;
        assert!(matches!(state, Quota | Failed), "{state}");
        assert_eq!(story.time(2_000, false).0, state);
        story.wire(2_100, began(3));
        story.wire(2_200, aside(4));
        story.wire(2_300, ended(4, failed()));
        story.wire(2_400, ended(3, PLAIN));
        assert_eq!(story.time(3_400, false), (Done, WIRE));
    }
}

#[test]
fn a_request_without_tools_long_after_a_turn_is_one_of_its_own() {
    let mut story = Story::open_call(100);
    story.wire(
        2_100,
        WireFact::Began {
            id: 2,
            tools: false,
        },
    );
    story.wire(2_200, ended(2, PLAIN));
    assert_eq!(story.time(3_200, false), (Done, WIRE));
}

#[test]
fn a_caller_that_never_declares_tools_ends_its_turns_all_the_same() {
    let mut story = Story::new();
    let plain = |id| WireFact::Began { id, tools: false };
    story.wire(0, plain(1));
    story.wire(10, ended(1, CALLS));
    story.wire(20, plain(2));
    story.wire(30, ended(2, PLAIN));
    assert_eq!(story.time(1_030, false), (Done, WIRE));
}

#[test]
fn a_title_that_is_asked_for_before_the_turn_is_not_its_end() {
    let mut story = Story::new();
    story.tracker.wire = Wire::new(true);
    story.wire(
        0,
        WireFact::Began {
            id: 1,
            tools: false,
        },
    );
    story.wire(300, ended(1, PLAIN));
    assert_eq!(story.time(1_900, false), (Working, WIRE));
    story.wire(1_900, began(2));
    story.wire(2_500, ended(2, PLAIN));
    assert_eq!(story.time(3_500, false), (Done, WIRE));
}

#[test]
fn quota_stands_until_its_time_or_the_next_admitted_request() {
    let mut story = Story::new();
    story.wire(0, began(1));
    assert_eq!(
        story.wire(10, ended(1, refused(Some(60_000)))),
        (Quota, WIRE)
    );
    let agent = story.tracker.agent();
    assert_eq!(agent.until, Some(wall(60_000)));
    assert_eq!(agent.message.as_deref(), Some("used up"));
    assert_eq!(story.wire(20, began(2)), (Quota, WIRE));
    assert_eq!(
        story.wire(30, WireFact::Admitted { id: 2 }),
        (Working, WIRE)
    );
    assert_eq!(story.wire(40, ended(2, Ending::Left)), (Quota, WIRE));
    assert_eq!(story.due(), Some(60_000));
    assert_eq!(story.time(60_000, false), (Idle, WIRE));
    assert_eq!(story.tracker.agent().until, None);
}

#[test]
fn quota_without_a_time_stands_until_the_next_success() {
    let mut story = Story::new();
    story.wire(0, began(1));
    story.wire(10, ended(1, refused(None)));
    assert_eq!(story.due(), None);
    story.wire(20, began(2));
    assert_eq!(story.wire(30, ended(2, refused(Some(90)))), (Quota, WIRE));
    story.wire(40, began(3));
    assert_eq!(story.time(90, false), (Working, WIRE));
}

#[test]
fn a_failure_stands_until_the_next_success() {
    let mut story = Story::new();
    story.wire(0, began(1));
    assert_eq!(story.wire(10, ended(1, failed())), (Failed, WIRE));
    assert_eq!(story.tracker.agent().message.as_deref(), Some("no"));
    assert_eq!(story.at(20, &Sign::Seen), (Failed, WIRE));
    assert_eq!(story.wire(30, began(2)), (Working, WIRE));
    assert_eq!(story.wire(40, ended(2, Ending::Left)), (Failed, WIRE));
    story.wire(50, began(3));
    story.wire(60, ended(3, PLAIN));
    assert_eq!(story.time(1_060, false), (Done, WIRE));
    assert_eq!(story.tracker.agent().message, None);
}

#[test]
fn a_request_that_was_given_up_leaves_what_was_before_it() {
    let mut story = Story::new();
    story.wire(0, began(1));
    assert_eq!(story.wire(10, ended(1, Ending::Left)), (Unknown, Output));
    story.wire(20, began(2));
    story.wire(30, ended(2, PLAIN));
    story.time(1_030, false);
    story.wire(2_000, began(3));
    assert_eq!(story.wire(2_010, ended(3, Ending::Left)), (Done, WIRE));
}

#[test]
fn the_end_of_a_request_that_never_began_means_nothing() {
    let mut story = Story::new();
    assert_eq!(story.wire(0, ended(7, PLAIN)), (Unknown, Output));
    story.wire(10, began(1));
    assert_eq!(story.wire(20, began(2)), (Working, WIRE));
    assert_eq!(story.wire(30, ended(1, PLAIN)), (Working, WIRE));
    assert_eq!(story.time(1_030, false), (Working, WIRE));
    story.wire(1_500, ended(2, Ending::Left));
    assert_eq!(story.tracker.agent().state, Done);
}

#[test]
fn the_wire_outranks_all_that_follows_it() {
    let mut story = Story::new();
    assert_eq!(story.at(0, &Sign::Title("⠂ x".into())), (Working, Title));
    story.wire(10, began(1));
    story.wire(20, ended(1, PLAIN));
    story.time(1_020, false);
    for sign in [
        Sign::Notification(String::new()),
        Sign::Title("⠂ x".into()),
        Sign::Title("?".into()),
        Sign::Progress { running: true },
        Sign::Output,
    ] {
        assert_eq!(story.at(5_000, &sign), (Done, WIRE), "{sign:?}");
    }
}

#[test]
fn what_an_agent_draws_at_its_start_is_no_work() {
    let mut story = Story::observed(false);
    assert_eq!(story.at(0, &Sign::Output), (Unknown, Output));
    assert_eq!(story.at(2_999, &Sign::Output), (Unknown, Output));
    assert_eq!(story.at(3_000, &Sign::Output), (Working, Output));
    assert_eq!(story.time(5_999, false), (Working, Output));
    assert_eq!(story.time(6_000, false), (Done, Output));
    assert_eq!(story.at(6_100, &Sign::Seen), (Idle, Output));
}

#[test]
fn an_observed_agent_has_longer_for_its_start_since_the_wire_tells_of_its_work() {
    let mut story = Story::new();
    assert_eq!(story.at(9_999, &Sign::Output), (Unknown, Output));
    assert_eq!(story.at(10_000, &Sign::Output), (Working, Output));
}

#[test]
fn a_screen_that_rests_ends_no_work_of_an_observed_agent_that_works_by_requests() {
    for (observed, rests) in [(true, Idle), (false, Done)] {
        let mut story = Story::observed(observed);
        story.tracker.traits.works_by_requests = true;
        story.at(20_000, &Sign::Input);
        assert_eq!(story.at(21_000, &Sign::Output), (Working, Output));
        assert_eq!(story.time(24_000, false), (rests, Output));
    }
}

#[test]
fn the_echo_of_typing_is_not_work() {
    let mut story = Story::new();
    story.at(0, &Sign::Input);
    assert_eq!(story.at(399, &Sign::Output), (Unknown, Output));
    assert_eq!(story.at(400, &Sign::Output), (Working, Output));
}

#[test]
fn a_screen_that_is_drawn_again_for_another_size_is_no_work() {
    let mut story = Story::observed(false);
    assert_eq!(story.at(20_000, &Sign::Resized), (Unknown, Output));
    assert_eq!(story.at(20_999, &Sign::Output), (Unknown, Output));
    assert_eq!(story.at(21_000, &Sign::Output), (Working, Output));
    assert_eq!(story.time(24_000, false), (Done, Output));
    story.at(30_000, &Sign::Resized);
    assert_eq!(story.at(30_100, &Sign::Output), (Done, Output));
    let mut story = Story::open_call(100);
    assert_eq!(story.time(3_100, false), (Waiting, WIRE));
    story.at(4_000, &Sign::Resized);
    assert_eq!(story.at(4_100, &Sign::Output), (Waiting, WIRE));
}

#[test]
fn a_question_stands_until_the_user_types() {
    let mut story = Story::observed(false);
    story.at(3_000, &Sign::Output);
    let bell = Sign::Notification(String::new());
    assert_eq!(story.at(3_010, &bell), (Waiting, Notification));
    assert_eq!(story.at(4_000, &Sign::Output), (Waiting, Notification));
    assert_eq!(
        story.at(4_100, &Sign::Title("✳".into())),
        (Waiting, Notification)
    );
    assert_eq!(story.at(5_000, &Sign::Input), (Idle, Title));
}

#[test]
fn a_title_outranks_output_and_its_rest_after_work_is_done() {
    let mut story = Story::observed(false);
    assert_eq!(story.at(10, &Sign::Title("✳ c".into())), (Idle, Title));
    assert_eq!(story.at(4_000, &Sign::Output), (Idle, Title));
    let title =
        |story: &mut Story, millis, title: &str| story.at(millis, &Sign::Title(title.to_owned()));
    // Its start is no work that anybody asked for.
    assert_eq!(title(&mut story, 4_010, "⠂ c"), (Working, Title));
    assert_eq!(title(&mut story, 9_990, "✳ c"), (Idle, Title));
    assert_eq!(title(&mut story, 10_010, "⠂ c"), (Working, Title));
    assert_eq!(title(&mut story, 10_020, "✳ c"), (Done, Title));
    assert_eq!(title(&mut story, 10_030, "✳ d"), (Done, Title));
    assert_eq!(title(&mut story, 10_040, "other"), (Done, Title));
    assert_eq!(story.at(10_050, &Sign::Input), (Idle, Title));
    assert_eq!(title(&mut story, 10_060, "? c"), (Waiting, Title));
}

#[test]
fn the_spinner_of_an_observed_agents_start_is_no_work_however_long_that_takes() {
    let mut story = Story::new();
    story.at(20_000, &Sign::Title("⠂ c".into()));
    assert_eq!(story.at(30_000, &Sign::Title("✳ c".into())), (Idle, Title));
}

#[test]
fn progress_and_a_shells_commands_that_end_are_the_end_of_work_alone() {
    let signs: [fn(bool) -> Sign; 2] = [
        |running| Sign::Progress { running },
        |running| Sign::Command { running },
    ];
    for sign in signs {
        let mut story = Story::new();
        assert_eq!(story.at(0, &sign(false)), (Unknown, Output));
        assert_eq!(story.at(5, &sign(true)), (Working, Title));
        assert_eq!(story.at(8, &sign(false)), (Unknown, Output), "it starts");
        story.at(9, &Sign::Input);
        assert_eq!(story.at(10, &sign(true)), (Working, Title));
        assert_eq!(story.at(20, &sign(false)), (Done, Title));
    }
}

#[test]
fn since_is_when_the_state_began_and_not_when_another_sign_said_it_again() {
    let mut story = Story::observed(false);
    story.at(3_000, &Sign::Output);
    story.at(3_700, &Sign::Progress { running: true });
    assert_eq!(story.tracker.agent().by, Title);
    assert_eq!(story.since(), 3_000);
    story.at(3_900, &Sign::Notification(String::new()));
    assert_eq!(story.since(), 3_900);
}

#[test]
fn one_that_is_not_observed_says_so_unless_it_has_words_of_its_own() {
    let mut story = Story::observed(false);
    let message = |story: &Story| story.tracker.agent().message.clone();
    assert_eq!(message(&story).as_deref(), Some("not observed"));
    story.at(3_000, &Sign::Output);
    assert_eq!(message(&story).as_deref(), Some("not observed"));
    story.at(3_100, &Sign::Notification("look".into()));
    assert_eq!(message(&story).as_deref(), Some("look"));
    assert_eq!(message(&Story::new()), None);
}

#[test]
fn what_was_known_goes_on_in_another_programs_place() {
    let now = Instant::now();
    let states = [
        (Done, WIRE, None),
        (Waiting, WIRE, None),
        (Quota, WIRE, Some("used up")),
        (Failed, WIRE, Some("no")),
        (Waiting, Notification, Some("may I?")),
        (Working, Title, None),
        (Idle, Output, None),
        (Unknown, Output, None),
    ];
    for (state, by, message) in states {
        let agent = Agent {
            state,
            by,
            until: (state == Quota).then(|| wall(9_000)),
            message: message.map(str::to_owned),
            ..Agent::new("claude".into(), wall(1), true)
        };
        let mut tracker = Tracker::resume(agent.clone(), traits(), now, wall(5_000));
        assert_eq!(*tracker.agent(), agent);
        assert!(!tracker.handle(&Sign::Tick, now, wall(5_000)), "{agent:?}");
        if state == Quota {
            assert_eq!(tracker.due(), Some(now + Duration::from_secs(4)));
        }
    }
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        any::<bool>().prop_map(|calls| Ending::Answered { calls }),
        prop::option::of(0_u64..100_000).prop_map(refused),
        Just(failed()),
        Just(Ending::Left),
    ]
}

fn any_weak_sign() -> impl Strategy<Value = Sign> {
    prop_oneof![
        Just(Sign::Notification(String::new())),
        prop::sample::select(vec!["⠂", "✳", "?", "x"])
            .prop_map(|title| Sign::Title(title.to_owned())),
        any::<bool>().prop_map(|running| Sign::Progress { running }),
        Just(Sign::Output),
    ]
}

fn any_sign() -> impl Strategy<Value = Sign> {
    prop_oneof![
        (0_u64..3, any::<bool>()).prop_map(|(id, tools)| Sign::Wire(WireFact::Began { id, tools })),
        (0_u64..3).prop_map(|id| Sign::Wire(WireFact::Admitted { id })),
        (0_u64..3, any_ending())
            .prop_map(|(id, ending)| Sign::Wire(WireFact::Ended { id, ending })),
        any_weak_sign(),
        Just(Sign::Input),
        Just(Sign::Seen),
        any::<bool>().prop_map(|busy| Sign::Children { busy }),
        Just(Sign::Tick),
    ]
}

proptest! {
    #[test]
    fn no_weaker_sign_overrules_what_the_wire_says(
        signs in prop::collection::vec((any_sign(), 0_u64..2_000), 0..40),
        weak in any_weak_sign(),
    ) {
        let mut story = Story::new();
        let mut millis = 0;
        for (sign, after) in signs {
            millis += after;
            let before = story.tracker.agent().clone();
            let now = story.start + Duration::from_millis(millis);
            let changed = story.tracker.handle(&sign, now, wall(millis));
            prop_assert_eq!(changed, before != *story.tracker.agent());
            prop_assert!(story.tracker.agent().until.is_none() || story.tracker.agent().state == Quota);
        }
        let before = story.tracker.agent().clone();
        let open = story.tracker.wire.has_open_call();
        story.at(millis, &weak);
        if before.by == WIRE && !open {
            prop_assert_eq!(&before, story.tracker.agent());
        }
    }

    #[test]
    fn whatever_was_before_a_request_that_is_given_up_is_after_it(
        signs in prop::collection::vec((any_sign(), 0_u64..2_000), 0..40),
    ) {
        let mut story = Story::new();
        let mut millis = 0;
        for (sign, after) in signs {
            millis += after;
            story.at(millis, &sign);
        }
        let notified = story.tracker.notified.is_some();
        let before = story.tracker.agent().clone();
        let amid = story.wire(millis, began(9));
        if before.state != Quota {
            prop_assert_eq!(amid, (Working, WIRE));
        }
        prop_assert_eq!(story.wire(millis, WireFact::Admitted { id: 9 }), (Working, WIRE));
        story.wire(millis, ended(9, Ending::Left));
        if !notified {
            let after = Agent { since: before.since, ..story.tracker.agent().clone() };
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn what_is_due_is_over_once_it_was_told(
        signs in prop::collection::vec((any_sign(), 0_u64..2_000), 0..40),
    ) {
        let mut story = Story::new();
        let mut millis = 0;
        for (sign, after) in signs {
            millis += after;
            story.at(millis, &sign);
        }
        for _ in 0..4 {
            let Some(due) = story.due() else { return Ok(()) };
            millis = millis.max(due);
            story.time(millis, false);
        }
        prop_assert!(story.due().is_none(), "something stays due");
    }
}
