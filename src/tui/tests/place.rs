//! Terminals that come and go, and panes whose program waits to be run.

use super::*;
use crate::tui::session::{Origin, SavedSession};

impl Rig {
    fn leave(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        update::away(&mut self.model, Client::away(true_colour()), &mut effects);
        effects
    }

    fn come(&mut self, cols: u16, rows: u16) -> Vec<Effect> {
        let client = Client::new((cols, rows), true_colour(), true);
        let mut effects = Vec::new();
        update::shown(&mut self.model, client, &mut effects);
        effects
    }
}

fn sizes(effects: &[Effect]) -> Vec<(TerminalId, u16, u16)> {
    let mut sizes: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Resize(id, size) => Some((*id, size.cols(), size.rows())),
            _ => None,
        })
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[test]
fn a_terminal_that_leaves_is_told_to_every_pane_and_nothing_is_seen_any_more() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("|");
    rig.answer_opens();
    rig.take();
    let effects = rig.leave();
    let unshown: Vec<TerminalId> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Unshown(id) => Some(*id),
            _ => None,
        })
        .collect();
    assert_eq!(unshown, [id(1), id(2)]);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Input(_, Input::Focus(false))))
    );
    assert!(rig.model.visible().is_empty());
    // What happens meanwhile changes no size.
    rig.exit(id(2), Exit::Code(0));
    assert_eq!(sizes(&rig.take()), []);
    let effects = rig.come(120, 40);
    assert_eq!(sizes(&effects), [(id(1), 120, 38)]);
    assert_eq!(rig.focus(), id(1));
}

#[test]
fn a_new_terminal_has_the_users_place_and_none_of_the_old_ones_dialogs() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c");
    rig.answer_opens();
    rig.command("|");
    rig.answer_opens();
    rig.command("z");
    rig.command("?");
    rig.leave();
    rig.come(100, 30);
    assert!(rig.model.client.overlay.is_none());
    assert_eq!((rig.model.session.active, rig.focus()), (1, id(3)));
    assert!(rig.model.session.tab().unwrap().zoomed);
}

#[test]
fn a_question_about_text_that_was_read_is_asked_again_in_the_next_terminal() {
    let mut rig = Rig::with_shell(80, 24);
    rig.input(InputEvent::Paste("one\ntwo".to_owned()));
    assert!(rig.shows("Paste 2 lines"));
    rig.leave();
    rig.come(80, 24);
    assert!(rig.shows("Paste 2 lines"));
    rig.keys("y");
    let pasted = (id(1), Input::Paste("one\ntwo".to_owned()));
    assert_eq!(rig.inputs(), [pasted]);
}

fn origin() -> Origin {
    Origin {
        cwd: "/srv/work".into(),
        spec: None,
        budget: Budget::default(),
    }
}

/// The session of two panes as it would be brought back.
fn brought_back() -> Rig {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("|");
    rig.answer_opens();
    let saved = SavedSession::of(&rig.model.session, |_| Some(origin())).unwrap();
    let mut rig = Rig::new(200, 40);
    rig.model.session = saved.restore().unwrap();
    rig.come(200, 40);
    rig
}

fn opens(rig: &mut Rig) -> usize {
    let opens = |effect: &Effect| matches!(effect, Effect::Open(Placement::Instead(_), _, _));
    rig.take().iter().filter(|effect| opens(effect)).count()
}

#[test]
fn a_pane_that_waits_says_what_ran_and_runs_with_enter_alone() {
    let mut rig = brought_back();
    for text in [
        "in /srv/work",
        "ran since 1970-01-01 00:00, until tundra ended",
        "Enter runs it again",
    ] {
        assert!(rig.shows(text), "{text}: {}", rig.text());
    }
    rig.keys("a").keys("q").keys("r");
    assert_eq!(opens(&mut rig), 0);
    rig.keys("enter").keys("enter");
    assert_eq!(opens(&mut rig), 1);
    assert!(rig.shows("starting"));
}

#[test]
fn all_that_wait_run_at_once_and_each_keeps_its_place() {
    let mut rig = brought_back();
    rig.keys("A");
    let ids = rig.answer_opens();
    assert_eq!(ids.len(), 2);
    assert_eq!(rig.model.session.in_order(), ids);
    assert!(rig.model.session.waiting().is_empty());
    assert_eq!(rig.model.session.tabs.len(), 1);
}

#[test]
fn a_pane_that_waits_is_dropped_without_a_question_and_the_last_one_is_the_end() {
    let mut rig = brought_back();
    rig.keys("x");
    assert_eq!(rig.model.session.panes.len(), 1);
    rig.command("x");
    assert!(rig.model.client.overlay.is_none());
    assert!(
        rig.take()
            .iter()
            .any(|effect| matches!(effect, Effect::Emptied))
    );
}

#[test]
fn what_a_new_instance_would_start_is_offered_where_there_is_nothing() {
    let mut rig = Rig::new(80, 24);
    update::offer(&mut rig.model, First::Panes(vec![spec_of(&["make"])]));
    assert!(rig.shows("was not started yet") && rig.shows("Enter runs it,"));
    rig.keys("enter");
    assert_eq!(rig.answer_opens(), [id(1)]);
}
