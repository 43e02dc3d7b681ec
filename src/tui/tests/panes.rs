use super::*;
use crate::domain::layout::Rect;
use crate::domain::outer::Depth;

fn rects(rig: &Rig) -> Vec<(TerminalId, Rect)> {
    rig.model.visible()
}

#[test]
fn the_first_panes_come_in_their_order_and_the_first_is_in_front() {
    let mut rig = Rig::new(80, 24);
    let specs = vec![spec_of(&["one"]), spec_of(&["two"]), spec_of(&["three"])];
    let mut effects = Vec::new();
    update::first(&mut rig.model, First::Panes(specs), &mut effects);
    for effect in effects.into_iter().rev() {
        let Effect::Open(place, spec, _) = effect else {
            panic!("{effect:?}")
        };
        rig.opened += 1;
        let info = info_of(rig.opened, &spec);
        rig.opened_as(place, *spec, info);
    }
    let names: Vec<&str> = rig
        .model
        .session
        .in_order()
        .iter()
        .map(|id| rig.model.session.panes[id].name())
        .collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert_eq!(rig.model.session.active, 0);
}

#[test]
fn one_pane_has_all_but_two_lines() {
    let rig = Rig::with_shell(80, 24);
    assert_eq!(rects(&rig), vec![(id(1), Rect::new(0, 1, 80, 22))]);
    assert_eq!(rig.model.session.panes[&id(1)].size, Size::clamped(80, 22));
}

#[test]
fn a_split_halves_the_pane_and_takes_the_focus() {
    let mut rig = Rig::with_shell(81, 24);
    rig.command("|");
    rig.answer_opens();
    assert_eq!(
        rects(&rig),
        vec![
            (id(1), Rect::new(0, 2, 40, 21)),
            (id(2), Rect::new(41, 2, 40, 21))
        ]
    );
    assert_eq!(rig.focus(), id(2));
    let resized = rig.take();
    assert!(
        resized
            .iter()
            .any(|e| matches!(e, Effect::Resize(one, size) if *one == id(1) && *size == Size::clamped(40, 21))),
        "{resized:?}"
    );
}

#[test]
fn zoom_shows_one_pane_alone_and_all_again() {
    let mut rig = Rig::with_shell(81, 24);
    rig.command("|");
    rig.answer_opens();
    let split = rects(&rig);
    rig.command("z");
    assert_eq!(rects(&rig), vec![(id(2), Rect::new(0, 1, 81, 22))]);
    rig.command("z");
    assert_eq!(rects(&rig), split);
    rig.command("z").command("left");
    assert_eq!(rig.focus(), id(1));
    assert_eq!(rects(&rig), split);
}

#[test]
fn a_terminal_opened_elsewhere_gets_a_tab_behind_and_keeps_its_size_until_shown() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    let before = rects(&rig);
    let behind = rig.opened_outside("beside");
    assert_eq!(rects(&rig), before);
    assert_eq!(rig.focus(), id(1));
    assert_eq!(rig.model.session.tabs.len(), 2);
    assert!(rig.shows("2 beside"), "{}", rig.text());
    rig.tell(Msg::Resized(90, 30));
    let told = |rig: &mut Rig| {
        rig.take()
            .iter()
            .any(|e| matches!(e, Effect::Resize(id, _) if *id == behind))
    };
    assert!(!told(&mut rig));
    rig.command("n");
    assert_eq!(rig.focus(), behind);
    assert!(told(&mut rig));
}

#[test]
fn on_a_wide_screen_too_a_terminal_opened_elsewhere_moves_nothing_until_it_is_looked_at() {
    let mut rig = Rig::with_shell(200, 50);
    let before = rects(&rig);
    rig.take();
    rig.opened_outside("beside");
    assert_eq!(rects(&rig), before);
    assert!(rig.take().is_empty());
    rig.command("2");
    assert!(rig.shows("tab 2"), "{}", rig.text());
    assert_eq!(rects(&rig), vec![(id(2), Rect::new(26, 1, 174, 48))]);
    rig.command("1");
    assert_eq!(rects(&rig), vec![(id(1), Rect::new(26, 1, 174, 48))]);
}

#[test]
fn a_program_that_ends_well_takes_its_pane_along_and_the_last_one_ends_the_front_end() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("|");
    rig.answer_opens();
    rig.take();
    rig.exit(id(2), Exit::Code(0));
    assert_eq!(rects(&rig).len(), 1);
    assert_eq!(rig.focus(), id(1));
    rig.exit(id(1), Exit::Code(0));
    assert!(rig.take().iter().any(|e| matches!(e, Effect::Emptied)));
}

#[test]
fn a_program_that_fails_leaves_its_last_screen_and_can_be_restarted() {
    let mut rig = Rig::new(80, 24);
    let mut effects = Vec::new();
    let first = First::Only(Box::new(spec_of(&["make"])));
    update::first(&mut rig.model, first, &mut effects);
    rig.effects = effects;
    rig.answer_opens();
    rig.take();
    rig.screen(id(1), &["oh no"], InputModes::default());
    rig.exit(id(1), Exit::Code(3));
    assert!(
        rig.shows("oh no") && rig.shows("exited with 3 - press enter to close, r to restart"),
        "{}",
        rig.text()
    );
    rig.keys("x");
    assert!(rig.inputs().is_empty());
    rig.keys("r");
    rig.answer_opens();
    assert_eq!(rig.model.session.in_order(), vec![id(2)]);
    rig.exit(id(2), Exit::Signal(9));
    assert!(rig.shows("killed by signal 9"));
    rig.take();
    rig.keys("enter");
    assert!(rig.take().iter().any(|e| matches!(e, Effect::Emptied)));
}

#[test]
fn a_shell_that_is_left_after_a_failed_command_closes() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c");
    rig.answer_opens();
    rig.exit(id(2), Exit::Code(130));
    assert_eq!(rig.model.session.in_order(), vec![id(1)]);
}

#[test]
fn what_the_user_ended_goes_without_a_word() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c");
    rig.answer_opens();
    rig.command("x").keys("y");
    rig.exit(id(2), Exit::Signal(1));
    assert_eq!(rig.model.session.in_order(), vec![id(1)]);
}

#[test]
fn what_was_ended_from_the_command_line_goes_too() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c");
    rig.answer_opens();
    rig.exit(id(2), Exit::Signal(1));
    assert_eq!(rig.model.session.in_order(), vec![id(1)]);
    assert!(rig.shows("bash was killed by signal 1"), "{}", rig.text());
}

#[test]
fn what_cannot_be_opened_is_told() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("c");
    let Some(Effect::Open(place, spec, _)) = rig.take().pop() else {
        panic!("nothing is opened")
    };
    rig.tell(Msg::Opened {
        place,
        spec,
        result: Err(crate::pane::PaneError::AtCapacity { max: 10 }),
    });
    assert!(rig.shows("pty pool is at capacity (10)"), "{}", rig.text());
    rig.tell(Msg::Gauge(Gauge {
        active: 10,
        max: 10,
    }));
    rig.command("|");
    assert!(rig.take().is_empty());
    assert!(
        rig.text().contains("pty pool is at capacity (10) (x2)"),
        "{}",
        rig.text()
    );
}

#[test]
fn agents_show_their_state_and_the_next_one_that_waits_is_a_key_away() {
    let mut rig = Rig::with_shell(80, 24);
    let agent = rig.opened_outside("claude");
    rig.agent(agent, AgentState::Working);
    assert!(rig.shows("working"), "{}", rig.text());
    rig.agent(agent, AgentState::Waiting);
    assert!(rig.shows("waiting") && rig.shows("ctrl-b w next waiting"));
    rig.take();
    rig.command("w");
    assert_eq!(rig.focus(), agent);
    rig.agent(agent, AgentState::Done);
    assert!(
        rig.take()
            .iter()
            .any(|e| matches!(e, Effect::Seen(seen) if *seen == agent))
    );
}

#[test]
fn a_notice_is_a_line_a_bell_and_a_sequence_and_says_what_is_the_matter() {
    let mut rig = Rig::with_shell(80, 24);
    let id = rig.opened_outside("claude");
    let table = [
        (AgentState::Waiting, "claude waits for you: no key"),
        (AgentState::Done, "claude is done"),
        (AgentState::Quota, "claude is out of quota until 14:20"),
        (AgentState::Failed, "claude failed: no key"),
    ];
    for (state, text) in table {
        rig.agent(id, state);
        rig.change(id, |info| {
            let agent = info.agent.as_mut().unwrap();
            agent.until = Some("1970-01-01T14:20:00Z".parse().unwrap());
            agent.message = Some("no key".to_owned());
        });
        rig.take();
        rig.tell(Msg::AgentNotice(AgentNotice { id, state }));
        assert!(rig.shows(text), "{}", rig.text());
        let effects = rig.take();
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Bell)));
        let told = |effect: &Effect| matches!(effect, Effect::Notify(told) if told == text);
        assert!(effects.iter().any(told), "{effects:?}");
    }
}

#[test]
fn the_next_pane_is_the_one_that_needs_its_user_most() {
    let mut rig = Rig::with_shell(80, 24);
    let states = [
        AgentState::Done,
        AgentState::Quota,
        AgentState::Failed,
        AgentState::Waiting,
    ];
    let agents = states.map(|state| {
        let id = rig.opened_outside(state.name());
        rig.agent(id, state);
        id
    });
    for agent in agents.into_iter().rev() {
        rig.command("w");
        assert_eq!(rig.focus(), agent);
        rig.agent(agent, AgentState::Idle);
        rig.command("1");
    }
}

#[test]
fn a_bell_behind_leaves_a_badge_until_it_is_seen() {
    let mut rig = Rig::with_shell(80, 24);
    let behind = rig.opened_outside("beside");
    rig.tell(Msg::Terminal(TerminalEvent::Bell { id: behind }, None));
    assert!(rig.model.session.panes[&behind].badge);
    assert!(rig.take().iter().any(|e| matches!(e, Effect::Bell)));
    rig.command("2");
    assert!(!rig.model.session.panes[&behind].badge);
}

#[test]
fn what_an_agent_behind_rings_and_notifies_is_left_to_the_notices() {
    let mut rig = Rig::with_shell(80, 24);
    let agent = rig.opened_outside("claude");
    rig.agent(agent, AgentState::Waiting);
    rig.input(InputEvent::Focus(false));
    rig.take();
    let asks = TerminalEvent::Notification {
        id: agent,
        text: "may I?".to_owned(),
    };
    let told = |rig: &mut Rig| {
        rig.tell(Msg::Terminal(TerminalEvent::Bell { id: agent }, None));
        rig.tell(Msg::Terminal(asks.clone(), None));
        let effects = rig.take().into_iter();
        effects
            .filter(|effect| matches!(effect, Effect::Bell | Effect::Notify(_)))
            .count()
    };
    assert_eq!(told(&mut rig), 0);
    // In the pane that its user is in, it rings like any program.
    rig.input(InputEvent::Focus(true)).command("2");
    rig.take();
    assert_eq!(told(&mut rig), 1);
}

#[test]
fn only_the_pane_in_front_may_set_the_clipboard() {
    let mut rig = Rig::with_shell(80, 24);
    let behind = rig.opened_outside("beside");
    rig.take();
    let set = |id| {
        Msg::Terminal(
            TerminalEvent::Clipboard {
                id,
                text: "secret".to_owned(),
            },
            None,
        )
    };
    rig.tell(set(behind));
    assert!(rig.take().is_empty() && rig.shows("wanted to set the clipboard"));
    rig.tell(set(id(1)));
    assert!(matches!(&rig.take()[..], [Effect::Clipboard(text)] if text == "secret"));
}

#[test]
fn panes_are_told_which_of_them_has_the_focus() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("|");
    rig.answer_opens();
    let told = |rig: &mut Rig| -> Vec<(TerminalId, bool)> {
        rig.take()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Input(id, Input::Focus(on)) => Some((id, on)),
                _ => None,
            })
            .collect()
    };
    told(&mut rig);
    rig.command("left");
    assert_eq!(told(&mut rig), vec![(id(2), false), (id(1), true)]);
    rig.input(InputEvent::Focus(false));
    assert_eq!(told(&mut rig), vec![(id(1), false)]);
    rig.input(InputEvent::Focus(true));
    assert_eq!(told(&mut rig), vec![(id(1), true)]);
}

#[test]
fn a_window_that_is_too_small_says_so_and_leaves_the_programs_alone() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.tell(Msg::Resized(19, 4));
    assert!(
        rig.text().starts_with("too small: 19x4, ne"),
        "{}",
        rig.text()
    );
    assert!(rig.take().is_empty());
    rig.tell(Msg::Resized(80, 24));
    assert!(rig.take().is_empty());
    assert!(rig.shows("$"));
}

#[test]
fn missed_events_are_made_up_for_by_the_list() {
    let mut rig = Rig::with_shell(80, 24);
    let gone = rig.opened_outside("gone");
    let mut first = rig.model.session.panes[&id(1)].info.clone();
    first.name = "renamed".to_owned();
    let mut ended = rig.model.session.panes[&gone].info.clone();
    ended.exit = Some(Exit::Code(0));
    let new = TerminalInfo {
        owner: Owner::Local,
        ..info_of(9, &spec_of(&["new"]))
    };
    rig.tell(Msg::Listed(vec![first, ended, new]));
    assert_eq!(rig.model.session.in_order(), vec![id(1), id(9)]);
    assert!(
        rig.shows("1 renamed") && rig.shows("2 new"),
        "{}",
        rig.text()
    );
}

#[test]
fn the_theme_can_change_while_it_runs() {
    let mut rig = Rig::with_shell(80, 24);
    let options = Arc::clone(&rig.model.options);
    let theme = rig.model.client.theme.with_depth(Depth::None);
    rig.tell(Msg::Options(options, theme));
    assert_eq!(rig.redraw, Redraw::All);
    assert_eq!(rig.model.client.theme.depth(), Depth::None);
}
