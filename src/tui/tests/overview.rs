//! The overview of all agents.

use super::*;
use crate::tui::client::{AgentLook, Overlay};

/// Four agents, the one in front among them.
pub(super) fn rig() -> (Rig, [TerminalId; 4]) {
    let mut rig = Rig::with_shell(80, 24);
    let states = [
        ("builder", AgentState::Working),
        ("tests", AgentState::Waiting),
        ("docs", AgentState::Idle),
        ("deploy", AgentState::Quota),
    ];
    let agents = states.map(|(name, state)| {
        let id = rig.opened_outside(name);
        rig.agent(id, state);
        id
    });
    rig.change(agents[1], |info| {
        let agent = info.agent.as_mut().unwrap();
        agent.by = Evidence::Notification;
        agent.message = Some("May I run cargo test?".to_owned());
    });
    rig.change(agents[3], |info| {
        let agent = info.agent.as_mut().unwrap();
        agent.by = Evidence::Wire;
        agent.until = Some("1970-01-01T14:20:00Z".parse().unwrap());
    });
    rig.take();
    (rig, agents)
}

pub(super) fn looks(agents: [TerminalId; 4]) -> Msg {
    let look = |id, branch: &str, lines: &[&str]| AgentLook {
        id,
        lines: lines.iter().map(ToString::to_string).collect(),
        branch: Some(branch.to_owned()),
    };
    Msg::AgentLooks(vec![
        look(agents[0], "main", &["building"]),
        look(
            agents[1],
            "feature/tests",
            &[
                "Bash command",
                "  cargo test",
                "Do you want to proceed?",
                "❯ 1. Yes",
                "  2. No",
            ],
        ),
    ])
}

#[test]
fn agents_are_shown_by_who_needs_the_user_with_what_the_chosen_one_asks() {
    let (mut rig, agents) = rig();
    rig.command("v");
    let asked = rig.take();
    let [waiting, quota, working, idle] = [agents[1], agents[3], agents[0], agents[2]];
    assert!(
        matches!(&asked[..], [Effect::LookAtAgents(ids)] if *ids == [waiting, quota, working, idle]),
        "{asked:?}"
    );
    rig.tell(looks(agents));
    insta::assert_snapshot!("overview_80x24", rig.text());
    rig.keys("down");
    assert!(
        rig.shows("quota until 14:20, told by wire"),
        "{}",
        rig.text()
    );
    // Whatever changes is looked at anew.
    rig.agent(idle, AgentState::Done);
    assert!(matches!(&rig.take()[..], [Effect::LookAtAgents(_)]));
}

#[test]
fn ages_count_on_while_nothing_else_happens() {
    let (mut rig, _) = rig();
    rig.command("v");
    let ages = |rig: &mut Rig| -> Vec<String> {
        let text = rig.text();
        let states = ["working ", "waiting ", "idle ", "quota "];
        let rows = text
            .lines()
            .filter(|line| states.iter().any(|state| line.contains(state)));
        let age = |line: &str| {
            line.split_whitespace()
                .find(|word| {
                    word.strip_suffix(['s', 'm', 'h', 'd'])
                        .is_some_and(|number| number.parse::<u64>().is_ok())
                })
                .map(str::to_owned)
        };
        rows.filter_map(age).collect()
    };
    let before = ages(&mut rig);
    let due = rig.model.next_deadline().unwrap();
    let later = Duration::from_secs(3600);
    let now = Now {
        instant: rig.instant + later,
        wall: Timestamp::UNIX_EPOCH + Duration::from_secs(3600) + later,
    };
    assert!(due <= now.instant);
    let redraw = update::update(&mut rig.model, Msg::Tick, now, &mut rig.effects);
    assert_eq!(redraw, Redraw::All);
    rig.pending = Redraw::All;
    assert_ne!(ages(&mut rig), before, "{}", rig.text());
}

#[test]
fn what_the_chosen_agent_shows_is_looked_at_while_it_is_shown() {
    let (mut rig, agents) = rig();
    rig.command("v");
    rig.take();
    rig.wait(900);
    assert!(rig.take().is_empty());
    rig.wait(100);
    let asked = rig.take();
    assert!(
        matches!(&asked[..], [Effect::LookAtAgents(ids)] if *ids == [agents[1]]),
        "{asked:?}"
    );
    rig.tell(looks(agents));
    let look = |lines: &[&str]| {
        Msg::AgentLooks(vec![AgentLook {
            id: agents[1],
            lines: lines.iter().map(ToString::to_string).collect(),
            branch: None,
        }])
    };
    rig.tell(look(&["Delete everything?"]));
    assert_eq!(rig.redraw, Redraw::All);
    assert!(rig.shows("Delete everything?"), "{}", rig.text());
    rig.tell(look(&["Delete everything?"]));
    assert_eq!(rig.redraw, Redraw::Nothing);
}

#[test]
fn a_line_for_an_agent_that_is_gone_is_typed_nowhere() {
    let (mut rig, agents) = rig();
    rig.command("v").keys("a").keys("1");
    rig.exit(agents[1], Exit::Code(0));
    rig.take();
    rig.keys("enter");
    let effects = rig.take();
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Answer(..))),
        "{effects:?}"
    );
}

#[test]
fn a_title_that_stands_nowhere_draws_nothing() {
    let (mut rig, agents) = rig();
    rig.change(agents[0], |info| info.title = "⠂ building".to_owned());
    assert_eq!(rig.redraw, Redraw::Nothing);
    rig.change(agents[0], |info| info.named = false);
    assert_eq!(rig.redraw, Redraw::All);
    assert!(rig.shows("⠂ building"), "{}", rig.text());
    rig.change(agents[0], |info| info.title = "⠐ building".to_owned());
    assert_eq!(rig.redraw, Redraw::All);
}

#[test]
fn enter_goes_to_the_chosen_agent_and_a_line_is_typed_without_going_there() {
    let (mut rig, agents) = rig();
    let before = rig.focus();
    rig.command("v");
    rig.take();
    rig.keys("a").keys("1 enter");
    let effects = rig.take();
    assert!(
        matches!(&effects[..], [Effect::Answer(id, text)] if *id == agents[1] && text == "1"),
        "{effects:?}"
    );
    assert_eq!(rig.focus(), before);
    rig.keys("a esc k");
    assert!(matches!(
        rig.model.client.overlay,
        Some(Overlay::Overview(_))
    ));
    rig.keys("enter");
    assert_eq!(rig.focus(), agents[2], "up from the first is the last");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn without_agents_it_says_how_to_get_one() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("v");
    assert!(
        rig.shows("no agents: ctrl-b a starts one"),
        "{}",
        rig.text()
    );
    rig.keys("enter down a q");
    assert!(rig.model.client.overlay.is_none());
}
