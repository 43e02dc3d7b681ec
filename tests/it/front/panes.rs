//! Panes and tabs: split, focused, zoomed, moved, named, ended.

use super::{alive, answer, list, pane_size, shell};
use crate::support::condition::eventually;
use crate::support::{Home, Terminal};

#[test]
fn a_split_halves_the_pane_and_takes_the_focus() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let whole = pane_size(&home, &mut terminal);
    terminal.say("left-one");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let right = pane_size(&home, &mut terminal);
    assert!(
        right.1 * 2 <= whole.1 && right.1 * 2 + 6 >= whole.1,
        "{whole:?} {right:?}"
    );
    terminal.command("-");
    eventually("three panes", || alive(&home) == 3);
    let below = pane_size(&home, &mut terminal);
    assert!(
        below.0 * 2 <= right.0 + 1 && below.1 == right.1,
        "{right:?} {below:?}"
    );
    terminal.wait_text("left-one");
}

#[test]
fn focus_follows_arrows_and_letters() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.say("right-side");
    for (go_left, go_right) in [("\x1b[D", "\x1b[C"), ("h", "l")] {
        terminal.command(go_left);
        terminal.say("now-left");
        let (_, col) = terminal.look(|screen| screen.find("now-left")).unwrap();
        assert!(col < 10, "{col}");
        terminal.command(go_right);
        terminal.say("now-right");
        let (_, col) = terminal.look(|screen| screen.find("now-right")).unwrap();
        assert!(col > 45, "{col}");
        terminal.type_("clear\r");
        terminal.wait_for("the right pane is clear", |screen| !screen.has("now-right"));
        terminal.command("h");
        terminal.type_("clear\r");
        terminal.wait_for("the left pane is clear", |screen| !screen.has("now-left"));
        terminal.command("l");
    }
}

#[test]
fn zoom_shows_one_pane_alone_and_all_again() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let whole = pane_size(&home, &mut terminal);
    terminal.say("other");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let half = pane_size(&home, &mut terminal);
    terminal.command("z");
    terminal.wait_for("the other pane is hidden", |screen| !screen.has("other"));
    let zoomed = pane_size(&home, &mut terminal);
    assert_eq!(zoomed.1, whole.1);
    terminal.command("z");
    terminal.wait_text("other");
    assert_eq!(pane_size(&home, &mut terminal), half);
}

#[test]
fn tabs_are_opened_and_switched() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("tab-the-first");
    terminal.command("c");
    terminal.wait_for("the first tab is hidden", |screen| {
        !screen.has("tab-the-first")
    });
    terminal.wait_text("$");
    terminal.say("tab-the-second");
    terminal.command("p");
    terminal.wait_for("the first tab", |s| {
        s.has("tab-the-first") && !s.has("tab-the-second")
    });
    terminal.command("n");
    terminal.wait_for("the second tab", |s| {
        s.has("tab-the-second") && !s.has("tab-the-first")
    });
    terminal.command("1");
    terminal.wait_for("the first tab by number", |s| s.has("tab-the-first"));
    terminal.command("2");
    terminal.wait_for("the second tab by number", |s| s.has("tab-the-second"));
    // There is no ninth.
    terminal.command("9");
    terminal.say("still-second");
}

#[test]
fn killing_a_pane_asks_first() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("x");
    answer(&mut terminal, "\x1b");
    terminal.say("spared");
    assert_eq!(alive(&home), 2);
    terminal.command("x");
    answer(&mut terminal, "\r");
    terminal.say("spared-again");
    assert_eq!(alive(&home), 2, "no is what Enter means");
    terminal.command("x");
    answer(&mut terminal, "y");
    eventually("one pane is left", || alive(&home) == 1);
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "the other one has the room: {cols}");
}

#[test]
fn a_pane_is_renamed_and_the_command_line_sees_it() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command(",");
    let old = list(&home)[0]["name"].as_str().unwrap().to_owned();
    for _ in 0..old.chars().count() {
        terminal.write(b"\x7f");
    }
    terminal.type_("kettle\r");
    terminal.wait_text("kettle");
    eventually("the name is known outside", || {
        list(&home)[0]["name"] == "kettle"
    });
    home.cli(&["rename", "kettle", "teapot"]).ok();
    terminal.wait_text("teapot");
}

#[test]
fn a_click_moves_the_focus() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.say("right-side");
    terminal.click(10, 5);
    terminal.say("clicked-left");
    let (_, col) = terminal.look(|screen| screen.find("clicked-left")).unwrap();
    assert!(col < 10, "{col}");
}

#[test]
fn a_border_is_dragged() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.wait_text("│");
    let before = pane_size(&home, &mut terminal);
    let (_, border) = terminal.look(|screen| screen.find("│")).unwrap();
    let (from, to) = (border + 1, border - 19);
    terminal.type_(&format!(
        "\x1b[<0;{from};10M\x1b[<32;{to};10M\x1b[<0;{to};10m"
    ));
    eventually("the right pane is wider by what was dragged", || {
        pane_size(&home, &mut terminal).1 == before.1 + 20
    });
}

#[test]
fn a_pane_is_moved_to_a_tab_of_its_own() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("stays");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("!");
    terminal.wait_for("the other pane is elsewhere", |screen| !screen.has("stays"));
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "{cols}");
    terminal.command("p");
    terminal.wait_text("stays");
}

#[test]
fn borders_move_by_keys_and_are_evened_out() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let even = pane_size(&home, &mut terminal);
    terminal.command("H");
    terminal.command("H");
    eventually("the right pane has grown", || {
        pane_size(&home, &mut terminal).1 > even.1
    });
    terminal.command("=");
    eventually("both are the same again", || {
        pane_size(&home, &mut terminal).1 == even.1
    });
}

#[test]
fn a_program_that_ends_badly_keeps_its_last_screen() {
    let home = Home::new();
    let mut terminal = shell(&home);
    home.cli(&[
        "new",
        "--name",
        "failing",
        "--",
        "sh",
        "-c",
        "echo went wrong; exit 3",
    ])
    .ok();
    terminal.wait_text("failing");
    terminal.command("n");
    terminal.wait_for("its last words and how it ended", |screen| {
        screen.has("went wrong") && screen.has("3")
    });
    say_back(&mut terminal);
}

/// Goes to the first tab and speaks there.
fn say_back(terminal: &mut Terminal) {
    terminal.command("1");
    terminal.wait_text("$");
    terminal.say("back");
}

#[test]
fn the_next_pane_that_waits_is_found() {
    let home = Home::new();
    let claude = home.script(
        "claude",
        "#!/bin/sh\necho pretending; read x; printf '\\033]9;may I?\\007'; exec cat\n",
    );
    let mut terminal = shell(&home);
    let id = home
        .cli(&["new", "--agent", "claude", "--", claude.to_str().unwrap()])
        .ok();
    let id = id.trim();
    home.cli(&["wait", id, "--text", "pretending"]).ok();
    home.cli(&["send", id, "--enter", "go"]).ok();
    home.cli(&["wait", id, "--state", "waiting", "--timeout", "20s"])
        .ok();
    assert!(!terminal.look(|screen| screen.has("pretending")));
    terminal.command("w");
    terminal.wait_text("pretending");
}

#[test]
fn an_ended_program_is_started_once_more_however_often_one_asks() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let again = [
        "new",
        "--name",
        "again",
        "--",
        "sh",
        "-c",
        "echo RUNNING; read x; exit 3",
    ];
    home.cli(&again).ok();
    terminal.command("n");
    terminal.wait_text("RUNNING");
    terminal.type_("\r");
    terminal.wait_text("restart");
    terminal.type_("rrrrr");
    terminal.wait_for("it runs again", |screen| {
        screen.has("RUNNING") && !screen.has("restart")
    });
    assert_eq!(alive(&home), 2);
    say_back(&mut terminal);
    assert_eq!(alive(&home), 2);
}

#[test]
fn the_history_opens_in_the_editor_of_its_user() {
    let home = Home::new();
    let editor = home.file("editor");
    std::fs::write(
        &editor,
        format!(
            "#!/bin/sh\ncp \"$1\" {0}/kept\necho \"$1\" > {0}/path\necho EDITING\nread line\n",
            home.path().display()
        ),
    )
    .unwrap();
    let mut command = home.tundra(&["--", "sh"]);
    command.env("EDITOR", format!("sh {}", editor.display()));
    command.env_remove("VISUAL");
    let mut terminal = Terminal::start(command, crate::support::terminal::Options::default());
    terminal.wait_text("$");
    terminal.type_("seq 1 200; echo fin''ished\r");
    terminal.wait_text("finished");
    terminal.command("e");
    terminal.wait_text("EDITING");
    let kept = std::fs::read_to_string(home.path().join("kept")).unwrap();
    let lines: Vec<&str> = kept.lines().collect();
    assert!(lines.contains(&"1") && lines.contains(&"200"), "{kept}");
    terminal.type_("\r");
    eventually("the editor's pane is gone", || alive(&home) == 1);
    let path = std::fs::read_to_string(home.path().join("path")).unwrap();
    eventually("the file is gone", || {
        !std::path::Path::new(path.trim()).exists()
    });
}

#[test]
fn a_pane_moves_between_tabs_and_a_command_gets_one() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("tab-the-first");
    terminal.command("$");
    terminal.wait_text("command");
    terminal.type_("echo ran-as-typed; exec cat\r");
    terminal.wait_for("it runs in a tab of its own", |screen| {
        screen.has("ran-as-typed") && !screen.has("tab-the-first")
    });
    terminal.command("@");
    terminal.wait_text("move the pane to");
    terminal.type_("\r");
    terminal.wait_for("both are in one tab", |screen| {
        screen.has("ran-as-typed") && screen.has("tab-the-first")
    });
    terminal.command("T");
    terminal.wait_text("name of the tab");
    terminal.type_("workshop\r");
    terminal.wait_text("1 workshop");
}

#[test]
fn a_pane_follows_its_program_until_it_is_named() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.wait_text("1 sh ");
    terminal.type_("sleep 1000\r");
    terminal.wait_text("1 sleep ");
    terminal.write(b"\x03");
    terminal.wait_text("1 sh ");
    home.cli(&["rename", "sh", "kept"]).ok();
    terminal.wait_text("1 kept ");
    terminal.type_("sleep 1000\r");
    terminal.wait_text("sleep 1000");
    terminal.wait_text("1 kept ");
}
