use super::*;
use crate::domain::action::{Action, Context};
use crate::domain::input::{KeyCode, KeyKind, ModifierKey};
use crate::tui::client::{Choice, Mode, Overlay};

fn key(chord: &str) -> Input {
    Input::Key(press(chord))
}

#[test]
fn keys_go_to_the_focused_pane_and_the_prefix_does_not() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.keys("a ctrl-b ctrl-b ctrl-c");
    assert_eq!(
        rig.inputs(),
        vec![
            (id(1), key("a")),
            (id(1), key("ctrl-b")),
            (id(1), key("ctrl-c"))
        ]
    );
}

#[test]
fn a_struck_key_draws_nothing_by_itself() {
    let mut rig = Rig::with_shell(80, 24);
    rig.keys("a");
    assert_eq!(rig.redraw, Redraw::Nothing);
}

#[test]
fn the_release_of_a_key_follows_its_press() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    let release = |chord: &str| {
        InputEvent::Key(KeyEvent {
            kind: KeyKind::Release,
            ..press(chord)
        })
    };
    rig.keys("a").input(release("a"));
    rig.keys("ctrl-b").input(release("ctrl-b"));
    rig.keys("9").input(release("9"));
    let inputs: Vec<Input> = rig.inputs().into_iter().map(|(_, input)| input).collect();
    let InputEvent::Key(a_up) = release("a") else {
        panic!("not a key")
    };
    assert_eq!(inputs, vec![key("a"), Input::Key(a_up)]);
}

#[test]
fn a_modifier_alone_does_not_end_the_prefix() {
    let mut rig = Rig::with_shell(80, 24);
    let shift = KeyCode::Modifier(ModifierKey::LeftShift);
    rig.keys("ctrl-b")
        .input(InputEvent::Key(KeyEvent::press(shift, Mods::SHIFT)))
        .keys("|");
    assert_eq!(rig.answer_opens().len(), 1);
    assert_eq!(rig.model.session.tabs.len(), 1);
    assert_eq!(rig.model.visible().len(), 2);
}

#[test]
fn an_unbound_key_after_the_prefix_says_so() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("ctrl-q");
    assert!(
        rig.shows("ctrl-q does nothing after the prefix"),
        "{}",
        rig.text()
    );
}

#[test]
fn the_keys_are_listed_once_the_user_hesitates() {
    let mut rig = Rig::with_shell(80, 24);
    rig.keys("ctrl-b").wait(100);
    assert!(!rig.shows("after ctrl-b"));
    assert!(rig.model.next_deadline().is_some());
    rig.wait(400);
    assert!(rig.shows("after ctrl-b"), "{}", rig.text());
    rig.keys("esc");
    assert!(!rig.shows("after ctrl-b"));
    assert_eq!(rig.model.next_deadline(), None);
}

#[test]
fn quitting_asks_while_programs_run_and_no_is_the_default() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("q");
    assert!(
        rig.shows("Quit tundra and end the program in it?"),
        "{}",
        rig.text()
    );
    rig.keys("enter");
    assert!(rig.model.client.overlay.is_none());
    rig.command("q").keys("n");
    assert!(rig.take().is_empty());
    rig.command("q").keys("tab enter");
    assert!(matches!(rig.take()[..], [Effect::Quit]));
    rig.command("q").keys("y");
    assert!(matches!(rig.take()[..], [Effect::Quit]));
}

#[test]
fn killing_asks_and_names_what_it_ends() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("x");
    assert!(
        rig.shows("End bash?") && rig.shows("process 101"),
        "{}",
        rig.text()
    );
    let Some(Overlay::Confirm(confirm)) = &rig.model.client.overlay else {
        panic!("nothing asks")
    };
    assert_eq!(confirm.choice, Choice::No);
    rig.keys("esc");
    assert!(rig.take().is_empty());
    rig.command("x").keys("y");
    assert!(matches!(rig.take()[..], [Effect::Kill(killed)] if killed == id(1)));
}

#[test]
fn escape_and_a_key_at_once_are_not_taken_for_alt_where_alt_means_nothing() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("x").keys("alt-e");
    assert!(rig.model.client.overlay.is_none());
    assert_eq!(rig.inputs(), vec![(id(1), key("e"))]);
}

#[test]
fn renaming_starts_from_the_present_name() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command(",").keys("backspace backspace n k enter");
    let effects = rig.take();
    assert!(
        matches!(&effects[..], [Effect::Rename(renamed, name)] if *renamed == id(1) && name == "bank"),
        "{effects:?}"
    );
}

#[test]
fn the_palette_finds_actions_and_panes_and_shows_their_keys() {
    let mut rig = Rig::with_shell(80, 24);
    rig.opened_outside("builder");
    rig.command(":");
    assert!(
        rig.shows("new-pane") && rig.shows("ctrl-b c"),
        "{}",
        rig.text()
    );
    rig.keys("b u i l d e r enter");
    assert_eq!(rig.focus(), id(2));
    rig.take();
    rig.command(":").keys("s p l i t - d o w n enter");
    assert!(matches!(
        rig.take()[..],
        [Effect::Open(Placement::Split(..), _, _)]
    ));
}

#[test]
fn help_lists_the_keys_in_force_and_filters_them() {
    let mut rig = Rig::with_shell(100, 40);
    rig.command("?");
    assert!(rig.shows("after the prefix (ctrl-b)"), "{}", rig.text());
    rig.keys("z o o m");
    assert!(rig.shows("show this pane alone") && !rig.shows("rename"));
    rig.keys("esc");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn agents_that_are_not_installed_are_shown_and_not_started() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("a");
    assert!(matches!(rig.take()[..], [Effect::FindAgents]));
    let agents = [("claude".into(), false), ("codex".into(), true)];
    rig.tell(Msg::Agents(agents.to_vec()));
    assert!(rig.shows("not installed"), "{}", rig.text());
    rig.keys("up enter");
    assert!(rig.take().is_empty() && rig.shows("claude is not installed"));
    rig.keys("down enter");
    let effects = rig.take();
    assert!(
        matches!(&effects[..], [Effect::Open(Placement::Tab, spec, _)] if spec.agent == Some("codex".into()))
    );
}

#[test]
fn an_agent_is_started_under_a_name_in_a_folder_on_a_branch_and_with_a_budget() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    let agents = [("codex".into(), true), ("shell".into(), true)];
    rig.tell(Msg::Agents(agents.to_vec()));
    insta::assert_snapshot!("launcher_80x24", rig.text());
    rig.keys("s tab x tab")
        .input(InputEvent::Paste("~/repo".to_owned()));
    rig.keys("tab tab z enter");
    assert!(
        rig.shows("the budget must be a sum above 0"),
        "{}",
        rig.text()
    );
    rig.keys("ctrl-u")
        .input(InputEvent::Paste("2.50".to_owned()));
    rig.keys("enter");
    let effects = rig.take();
    let [Effect::Open(Placement::Tab, spec, Some(_))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(spec.agent, Some("shell".into()));
    assert_eq!(spec.name.as_deref(), Some("x"));
    assert_eq!(spec.cwd, Some("~/repo".into()));
    assert_eq!(spec.budget.usd(), Some(2.5));
    rig.tell(Msg::Agents(agents.to_vec()));
    rig.keys("shift-tab shift-tab")
        .input(InputEvent::Paste("feature/x".to_owned()));
    rig.keys("enter");
    let effects = rig.take();
    assert!(
        matches!(&effects[..], [Effect::OpenInWorktree(spec, branch, Some(_))] if branch == "feature/x" && spec.agent == Some("codex".into())),
        "{effects:?}"
    );
}

#[test]
fn a_border_is_moved_again_without_another_prefix_for_a_moment() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("|");
    rig.answer_opens();
    let width = |rig: &Rig| rig.model.visible()[0].1.width;
    let before = width(&rig);
    rig.command("R").keys("R ctrl-right");
    assert_eq!(width(&rig), before + 6);
    assert!(rig.inputs().is_empty());
    rig.wait(600).keys("R");
    assert_eq!(rig.inputs(), vec![(id(2), key("R"))]);
    assert_eq!(rig.model.client.mode, Mode::Normal);
}

#[test]
fn several_lines_are_pasted_at_once_only_where_the_program_can_tell() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    let text = "one\ntwo\n".to_owned();
    rig.input(InputEvent::Paste(text.clone()));
    assert!(rig.shows("Paste 2 lines into bash?"), "{}", rig.text());
    assert!(rig.inputs().is_empty());
    rig.keys("enter");
    assert_eq!(rig.inputs(), vec![(id(1), Input::Paste(text.clone()))]);
    rig.input(InputEvent::Paste("one\n".to_owned()));
    assert_eq!(rig.inputs().len(), 1);
    let modes = InputModes {
        bracketed_paste: true,
        ..InputModes::default()
    };
    rig.screen(id(1), &["$"], modes);
    rig.input(InputEvent::Paste(text.clone()));
    assert_eq!(rig.inputs(), vec![(id(1), Input::Paste(text))]);
}

#[test]
fn input_that_a_program_does_not_take_is_told() {
    let mut rig = Rig::with_shell(80, 24);
    let error = crate::pane::PaneError::InputFull { pending: 65536 };
    rig.tell(Msg::Refused(id(1), error.clone()));
    assert!(rig.shows("does not read its"), "{}", rig.text());
    rig.tell(Msg::Refused(id(1), error));
    assert!(rig.shows("(x2)"));
    rig.wait(30_000);
    assert!(!rig.shows("(x2) "), "{}", rig.text());
    // It is shown how old it is, in steps of minutes.
    let next = rig.model.next_deadline();
    assert_eq!(next, Some(rig.instant + Duration::from_secs(30)));
    rig.command("m");
    assert!(
        rig.shows("01:00:00 ") && rig.shows("(x2)"),
        "{}",
        rig.text()
    );
}

#[test]
fn no_text_of_the_listed_keys_is_cut() {
    for (cols, rows) in [(80, 24), (120, 36), (200, 50)] {
        let mut rig = Rig::with_shell(cols, rows);
        rig.command("|");
        rig.answer_opens();
        rig.command("c");
        rig.answer_opens();
        rig.model.session.paste_buffer = "x".to_owned();
        rig.keys("ctrl-b").wait(500);
        let text = rig.text();
        let listed: Vec<&str> = text
            .lines()
            .filter(|line| line.trim().starts_with('│'))
            .collect();
        let listed = listed.join("\n");
        assert!(!listed.contains('…'), "{cols}x{rows}: {text}");
        let valid = Action::ALL.iter().filter(|action| {
            action.context() == Context::Prefix
                && action.tab_number().is_none()
                && rig.model.is_valid(**action)
        });
        for action in valid {
            let (sentence, name) = (action.description(), action.name().replace('-', " "));
            assert!(
                listed.contains(sentence) || listed.contains(&name),
                "{cols}x{rows}: {action}: {text}"
            );
        }
    }
}

#[test]
fn help_tells_every_text_whole() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("?");
    let mut seen = String::new();
    for _ in 0..200 {
        seen.push_str(&rig.text());
        rig.keys("down");
    }
    assert!(!seen.contains('…'));
    assert!(seen.contains("(even-panes)"));
}

#[test]
fn typing_on_takes_down_a_toast_that_could_be_read() {
    let mut rig = Rig::with_shell(80, 24);
    rig.toast(Severity::Error, "something is wrong");
    rig.wait(500).keys("a");
    assert!(
        rig.text()
            .lines()
            .nth(1)
            .unwrap()
            .contains("something is wrong")
    );
    rig.wait(1500).keys("b");
    assert_eq!(rig.redraw, Redraw::All);
    let text = rig.text();
    assert!(
        !text.lines().nth(1).unwrap().contains("something"),
        "{text}"
    );
    assert!(
        text.lines().last().unwrap().contains("something is wrong"),
        "{text}"
    );
    assert_eq!(rig.inputs().len(), 2);
    rig.keys("c");
    assert_eq!(rig.redraw, Redraw::Nothing);
}

#[test]
fn a_notice_of_the_start_lies_over_nothing() {
    let mut rig = Rig::with_shell(80, 24);
    rig.tell(Msg::Notice(Notice {
        severity: Severity::Warning,
        prominence: Prominence::LastEvent,
        text: "the port has moved".to_owned(),
    }));
    let text = rig.text();
    assert_eq!(text.matches("the port has moved").count(), 1);
    assert!(text.lines().last().unwrap().contains("the port has moved"));
}

#[test]
fn keys_after_a_submitted_search_wait_until_it_has_moved() {
    let mut rig = Rig::with_shell(80, 24);
    let lines: Vec<String> = (0..20).map(|n| format!("line {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    rig.screen(id(1), &lines, InputModes::default());
    rig.command("[");
    rig.keys("?");
    rig.take();
    rig.keys("7 enter v $ y");
    let number = rig.take().into_iter().find_map(|effect| match effect {
        Effect::Search(_, number, _) => Some(number),
        Effect::Clipboard(text) => panic!("{text:?} was copied before the search"),
        _ => None,
    });
    let hit = crate::pane::Match {
        row: 7,
        cols: (5, 6),
    };
    rig.tell(Msg::Found(id(1), number.unwrap(), Ok(Some(hit))));
    let copied = rig.take().into_iter().find_map(|effect| match effect {
        Effect::Clipboard(text) => Some(text),
        _ => None,
    });
    assert_eq!(copied.as_deref(), Some("7"));
    assert!(rig.model.session.panes[&id(1)].copy.is_none());
}

#[test]
fn leaving_does_not_wait_for_a_search() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("[");
    rig.keys("? 7 enter q");
    assert!(rig.model.session.panes[&id(1)].copy.is_none());
    rig.take();
    rig.keys("x");
    assert_eq!(rig.inputs().len(), 1);
}

#[test]
fn what_alone_was_to_be_shown_and_cannot_start_ends_the_front_end() {
    let failed = |first: First| {
        let mut rig = Rig::new(80, 24);
        let mut effects = Vec::new();
        update::first(&mut rig.model, first, &mut effects);
        for effect in effects {
            let Effect::Open(place, spec, _) = effect else {
                continue;
            };
            let result = Err(crate::pane::PaneError::SpawnFailed(
                "no: not found".to_owned(),
            ));
            rig.tell(Msg::Opened {
                place,
                spec,
                result,
            });
        }
        rig.take().into_iter().find_map(|effect| match effect {
            Effect::Fail(why) => Some(why),
            _ => None,
        })
    };
    let spec = spec_of(&["no"]);
    assert_eq!(
        failed(First::Only(Box::new(spec.clone()))).as_deref(),
        Some("pty spawn failed: no: not found")
    );
    assert_eq!(failed(First::Panes(vec![spec])), None);
}

#[test]
fn commands_are_known_by_the_place_of_their_keys() {
    let on = |c, base, mods| {
        InputEvent::Key(KeyEvent {
            base: Some(base),
            ..KeyEvent::press(KeyCode::Char(c), mods)
        })
    };
    let mut rig = Rig::with_shell(80, 24);
    // The prefix and `?` on a Russian keyboard, where that key makes a comma.
    rig.input(on('и', 'b', Mods::CTRL))
        .input(on('Ё', '/', Mods::SHIFT));
    assert!(rig.shows("keys"), "{}", rig.text());
    rig.keys("esc");
    rig.command("x").input(on('н', 'y', Mods::NONE));
    assert!(
        rig.take()
            .iter()
            .any(|effect| matches!(effect, Effect::Kill(_)))
    );
    // In a prompt a letter is what it is.
    rig.command(",")
        .keys("ctrl-u")
        .input(on('и', 'b', Mods::NONE));
    assert!(rig.shows("и"), "{}", rig.text());
}

#[test]
fn the_next_pane_that_wants_its_user_may_have_rung() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c").answer_opens();
    rig.command("c").answer_opens();
    let agent = rig.opened_outside("claude");
    rig.tell(Msg::Terminal(TerminalEvent::Bell { id: id(1) }, None));
    assert!(rig.shows("ctrl-b w next waiting"), "{}", rig.text());
    // Who waits comes before who rang.
    rig.agent(agent, AgentState::Waiting);
    assert_eq!(rig.command("w").focus(), agent);
    rig.agent(agent, AgentState::Working);
    assert_eq!(rig.command("w").focus(), id(1));
    rig.command("w");
    assert!(rig.shows("no other pane waits"), "{}", rig.text());
}

#[test]
fn what_is_typed_is_seen_at_its_cursor_however_long_it_is() {
    let mut rig = Rig::with_shell(80, 24);
    let long: Vec<String> = (0..60).map(|n| format!("{n:02}")).collect();
    let long = long.concat();
    for (open, start) in [
        (",", "ctrl-u"),
        (":", "ctrl-u"),
        ("?", "ctrl-u"),
        ("/", "ctrl-u"),
    ] {
        rig.command(open).keys(start);
        rig.input(InputEvent::Paste(long.clone()));
        assert!(rig.shows("5859"), "{open}: {}", rig.text());
        let cursor = view::modes(&rig.model).cursor.unwrap();
        let text = rig.text();
        let row: Vec<char> = text
            .lines()
            .nth(usize::from(cursor.y))
            .unwrap()
            .chars()
            .collect();
        assert_eq!(row[usize::from(cursor.x) - 1], '9', "{open}");
        if open != "/" {
            rig.keys("home");
            let begins = rig.shows("0001");
            // The prompt of a search has no such key.
            assert!(begins, "{open}: {}", rig.text());
        }
        rig.keys("esc");
    }
}

#[test]
fn tabs_without_room_are_counted_at_the_ends_of_their_line() {
    let mut rig = Rig::with_shell(80, 24);
    for _ in 0..11 {
        rig.command("c").answer_opens();
    }
    let line = |rig: &Rig| rig.text().lines().next().unwrap().to_owned();
    rig.command("7");
    let middle = line(&rig);
    assert!(
        middle.contains(" 7 bash ") && middle.starts_with(" \u{2190}"),
        "{middle}"
    );
    assert!(middle.contains("\u{2192} "), "{middle}");
    rig.command("1");
    let first = line(&rig);
    assert!(
        first.starts_with(" 1 bash ") && first.contains("4\u{2192} "),
        "{first}"
    );
    // A click on what is hidden goes to the nearest of them.
    let column = first.chars().position(|c| c == '\u{2192}').unwrap();
    rig.mouse(
        MouseKind::Press(crate::domain::input::MouseButton::Left),
        u16::try_from(column).unwrap(),
        0,
    );
    assert_eq!(rig.model.session.active, 6, "{first}");
}

#[test]
fn the_last_event_grows_old_and_quiet() {
    let mut rig = Rig::with_shell(120, 24);
    rig.toast(Severity::Error, "first fault\nsecond fault\nthird fault");
    let last = |rig: &Rig| rig.text().lines().last().unwrap().trim_end().to_owned();
    assert!(
        rig.shows("error: first fault") && rig.shows("third fault"),
        "{}",
        rig.text()
    );
    assert!(
        last(&rig).ends_with("first fault (and 2 more)"),
        "{}",
        last(&rig)
    );
    let style = |rig: &Rig| {
        let chrome = chrome(&rig.model);
        let x = u16::try_from(last(rig).find("first").unwrap()).unwrap();
        chrome[(x, 23)].fg
    };
    let urgent = style(&rig);
    rig.wait(59_000);
    assert_eq!(style(&rig), urgent);
    rig.wait(1_000);
    assert!(
        last(&rig).ends_with("(and 2 more) 1m ago"),
        "{}",
        last(&rig)
    );
    assert_ne!(style(&rig), urgent);
    rig.wait(28 * 60_000);
    assert!(last(&rig).ends_with("29m ago"), "{}", last(&rig));
    rig.wait(60_000);
    assert!(!last(&rig).contains("first fault"), "{}", last(&rig));
    assert_eq!(rig.model.next_deadline(), None);
}
