//! Tabs and panes: named, moved, found again; lists that hide; keys without the prefix.

use super::*;
use crate::domain::action::Action;

fn names(rig: &Rig) -> Vec<String> {
    let session = &rig.model.session;
    let of = |tab: &crate::tui::session::Tab| {
        let ids = tab.layout.ids();
        let ids: Vec<String> = ids
            .iter()
            .map(|id| id.to_string()[35..].to_owned())
            .collect();
        ids.join(" ")
    };
    session.tabs.iter().map(of).collect()
}

fn three_tabs() -> Rig {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c").answer_opens();
    rig.command("c").answer_opens();
    rig
}

#[test]
fn a_tab_is_named_until_the_name_is_taken_away() {
    let mut rig = three_tabs();
    rig.command("T").keys("b u i l d enter");
    assert!(rig.shows(" 3 build "), "{}", rig.text());
    rig.command("T").keys("ctrl-u enter");
    assert!(
        rig.shows(" 3 bash ") && !rig.shows("build"),
        "{}",
        rig.text()
    );
}

#[test]
fn a_tab_moves_around_the_ends_and_again_without_the_prefix() {
    let mut rig = three_tabs();
    rig.command("<");
    assert_eq!(names(&rig), ["1", "3", "2"]);
    rig.keys("<");
    assert_eq!(names(&rig), ["3", "1", "2"]);
    rig.keys("<");
    assert_eq!(names(&rig), ["1", "2", "3"]);
    rig.wait(1_000).command(">");
    assert_eq!(names(&rig), ["3", "1", "2"]);
    assert_eq!(rig.focus(), id(3));
}

#[test]
fn the_tab_before_is_found_again_wherever_it_has_moved() {
    let mut rig = three_tabs();
    rig.command("1");
    rig.command("tab");
    assert_eq!(rig.focus(), id(3));
    rig.command("<");
    rig.wait(1_000).command("tab");
    assert_eq!(rig.focus(), id(1));
    rig.command("tab");
    assert_eq!(rig.focus(), id(3));
    rig.exit(id(1), Exit::Code(0));
    rig.command("tab");
    assert!(rig.shows("there was no other tab before"), "{}", rig.text());
}

#[test]
fn a_tab_beyond_nine_is_gone_to_by_its_number() {
    let mut rig = Rig::with_shell(80, 24);
    for number in 0..11 {
        rig.opened_outside(&format!("tab{number}"));
    }
    rig.command("'").keys("1 2 enter");
    assert_eq!(rig.focus(), id(12));
    rig.command("'").keys("1 3 enter");
    assert!(
        rig.shows("there is no tab 13, only 1 to 12"),
        "{}",
        rig.text()
    );
    assert_eq!(rig.focus(), id(12));
}

#[test]
fn a_pane_moves_to_another_tab_or_to_a_new_one() {
    let mut rig = three_tabs();
    rig.command("@");
    assert!(
        rig.shows("move the pane to") && rig.shows("tab 1"),
        "{}",
        rig.text()
    );
    rig.keys("enter");
    assert_eq!(
        (names(&rig), rig.focus()),
        (vec!["1 3".to_owned(), "2".to_owned()], id(3))
    );
    rig.command("@").keys("n e w enter");
    assert_eq!(names(&rig), ["1", "2", "3"]);
    assert_eq!(rig.focus(), id(3));
    // Alone in its only tab there is nowhere to go.
    let mut rig = Rig::with_shell(80, 24);
    rig.command("@");
    assert!(rig.shows("there is no other tab"), "{}", rig.text());
}

#[test]
fn a_command_runs_in_a_new_pane_from_its_prompt_or_the_palette() {
    let mut rig = Rig::with_shell(80, 24);
    let opened = |rig: &mut Rig| {
        rig.take().into_iter().find_map(|effect| match effect {
            Effect::Open(place, spec, near) => Some((place, spec.name, spec.command, near)),
            _ => None,
        })
    };
    let ran = |text: &str, name: &str| {
        let command = ["bash", "-c", text].map(str::to_owned).to_vec();
        Some((Placement::Tab, Some(name.to_owned()), command, Some(id(1))))
    };
    rig.command("$");
    rig.input(InputEvent::Paste("make -j2 | tail".to_owned()));
    rig.keys("enter");
    assert_eq!(opened(&mut rig), ran("make -j2 | tail", "make"));
    rig.command(":");
    rig.input(InputEvent::Paste("htop -d 9z".to_owned()));
    assert!(rig.shows("enter runs it in a new pane"), "{}", rig.text());
    rig.keys("enter");
    assert_eq!(opened(&mut rig), ran("htop -d 9z", "htop"));
    // Nothing typed, nothing run.
    rig.command("$").keys("enter");
    assert_eq!(opened(&mut rig), None);
}

#[test]
fn lists_hide_and_come_back() {
    let mut rig = Rig::with_shell(160, 40);
    rig.command("c").answer_opens();
    assert!(rig.model.areas().sidebar.is_some());
    rig.command("b");
    assert_eq!(rig.model.areas().sidebar, None);
    assert!(rig.shows("the list of panes is hidden"), "{}", rig.text());
    let wide = rig.model.session.panes.get(&id(1)).unwrap().size.cols();
    assert_eq!(wide, 160);
    rig.command("b");
    assert!(rig.model.areas().sidebar.is_some());
}

#[test]
fn a_chord_without_the_prefix_acts_at_once_and_reaches_no_program() {
    let mut rig = three_tabs();
    let keys = [
        ("next-tab", "n no-prefix:alt-n"),
        ("copy-mode", "no-prefix:f7"),
    ];
    let keys = keys.map(|(action, chords)| (action.to_owned(), chords.to_owned()));
    let options = Options {
        keymap: Keymap::new("ctrl-b".parse().unwrap(), &keys.into()).unwrap(),
        ..Options::clone(&rig.model.options)
    };
    rig.tell(Msg::Options(Arc::new(options), true_colour()));
    rig.keys("alt-n");
    assert_eq!(rig.focus(), id(1));
    rig.command("n");
    assert_eq!(rig.focus(), id(2));
    rig.keys("f7");
    assert!(rig.model.session.focused().unwrap().copy.is_some());
    rig.keys("alt-n");
    assert_eq!(rig.focus(), id(3));
    assert_eq!(rig.inputs(), []);
    rig.command("?");
    assert!(
        rig.shows("without the prefix") && rig.shows("alt-n"),
        "{}",
        rig.text()
    );
}

#[test]
fn a_pane_is_called_by_its_program_and_title_until_its_user_names_it() {
    let mut rig = three_tabs();
    let line = |rig: &Rig| rig.text().lines().next().unwrap().to_owned();
    rig.tell(Msg::Program(id(3), "vim".to_owned()));
    assert!(line(&rig).contains(" 3 vim "), "{}", line(&rig));
    rig.change(id(3), |info| info.title = "notes.md".to_owned());
    assert!(line(&rig).contains(" 3 notes.md "), "{}", line(&rig));
    rig.change(id(3), |info| info.title = String::new());
    rig.tell(Msg::Program(id(3), "bash".to_owned()));
    assert!(line(&rig).contains(" 3 bash "), "{}", line(&rig));
    rig.change(id(3), |info| {
        info.name = "work".to_owned();
        info.named = true;
        info.title = "other".to_owned();
    });
    rig.tell(Msg::Program(id(3), "top".to_owned()));
    assert!(line(&rig).contains(" 3 work "), "{}", line(&rig));
}

#[test]
fn the_pane_before_is_found_again_in_its_tab() {
    let mut rig = three_tabs();
    rig.command("|").answer_opens();
    rig.command("-").answer_opens();
    assert_eq!(rig.focus(), id(5));
    rig.command(";");
    assert_eq!(rig.focus(), id(4));
    rig.command(";");
    assert_eq!(rig.focus(), id(5));
    // In another tab, which has a pane before of its own.
    rig.command("1").command(";");
    assert!(
        rig.shows("there was no other pane before"),
        "{}",
        rig.text()
    );
    assert_eq!(rig.focus(), id(1));
    rig.command("3");
    rig.exit(id(4), Exit::Code(0));
    rig.command(";");
    assert_eq!(rig.focus(), id(5));
}

#[test]
fn what_is_reached_for_in_the_first_hour_is_in_palette_and_help() {
    for action in [
        Action::RenameTab,
        Action::MoveTabLeft,
        Action::MoveTabRight,
        Action::LastTab,
        Action::GoToTab,
        Action::MovePane,
        Action::BreakPane,
        Action::LastPane,
        Action::EditHistory,
        Action::RunCommand,
        Action::ToggleSidebar,
        Action::ToggleProviders,
    ] {
        let mut rig = three_tabs();
        rig.command(":");
        rig.input(InputEvent::Paste(action.description().to_owned()));
        assert!(rig.shows(action.description()), "{}", rig.text());
        let mut rig = Rig::with_shell(200, 120);
        rig.command("?");
        assert!(rig.shows(action.description()), "{}", rig.text());
    }
}
