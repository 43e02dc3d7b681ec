//! What a terminal shows goes on.

use rustix::process::Signal;

use super::answer;
use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::terminal::last;
use crate::support::{Home, Terminal, procs};

/// A front end that shows a shell.
fn showing(home: &Home) -> Terminal {
    let terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal
}

/// Upgrades the instance that a terminal shows, and waits until it is shown again.
fn upgrade(home: &Home, terminal: &Terminal) {
    let instance = home.instance();
    let before = terminal.raw_len();
    let done = home.cli(&["upgrade", "--json"]).json();
    assert_eq!(done["pid"], instance);
    assert_eq!(done["lost"], serde_json::json!([]));
    eventually("it is shown again", || {
        answer(home, "status")["front"]["attached"] == true && terminal.raw_len() > before
    });
}

/// A terminal in copy mode, above which 1001 to 1200 have gone by.
fn looking_back(home: &Home) -> Terminal {
    let mut terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.type_("seq 1001 1200; echo en\"\"d\r");
    terminal.wait_text("end");
    terminal.command("[");
    terminal
}

#[test]
fn tabs_layout_zoom_focus_and_names_are_what_they_were() {
    let home = Home::new();
    let mut terminal = Terminal::arranged(&home);
    terminal.wait_for("the names follow the programs", |screen| !screen.has("sh-"));
    let shown = terminal.look(|screen| screen.lines());
    upgrade(&home, &terminal);
    terminal.wait_for("the same is shown", |screen| {
        // The hint line tells what was last.
        let lines = screen.lines();
        lines.len() == shown.len() && lines.iter().zip(&shown).rev().skip(2).all(|(a, b)| a == b)
    });
    terminal.say("onward");
    terminal.command("z");
    terminal.wait_for("the focus is on the right", |screen| {
        !screen.has("remembered") && screen.has("onward")
    });
    upgrade(&home, &terminal);
    terminal.say("zoomed");
    assert!(!terminal.look(|screen| screen.has("remembered")));
    terminal.command("2");
    terminal.wait_text("second");
    terminal.say("alive");
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_name_that_follows_its_program_stands_from_the_first_frame_on() {
    let home = Home::new();
    let starter = home.script("starter", "exec sleep 1000");
    let terminal = Terminal::tundra(&home, &["--", starter.to_str().unwrap()]);
    terminal.wait_for("the tab is named after what runs", |screen| {
        screen.has("1 sleep") && !screen.has("starter")
    });
    let before = terminal.raw_len();
    upgrade(&home, &terminal);
    terminal.wait_text("1 sleep");
    let drawn = terminal.raw();
    let drawn = String::from_utf8_lossy(&drawn[before..]).into_owned();
    assert!(drawn.contains("sleep"), "{drawn:?}");
    assert!(!drawn.contains("starter"), "{drawn:?}");
}

#[test]
fn the_terminal_is_not_left_meanwhile_and_keys_are_not_lost() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.say("ready");
    terminal.type_("echo be\"\"fore-");
    let mut upgrading = home.tundra(&["upgrade"]).spawn().unwrap();
    terminal.type_("mean\"\"while-");
    assert!(upgrading.wait().unwrap().success());
    terminal.type_("after\r");
    terminal.wait_text("before-meanwhile-after");
    assert_eq!(last(&terminal.raw(), b"\x1b[?1049l"), None);
}

#[test]
fn whoever_looks_back_looks_on_at_the_same_lines() {
    let home = Home::new();
    let mut terminal = looking_back(&home);
    terminal.type_("ggjj");
    terminal.wait_text("1001");
    upgrade(&home, &terminal);
    terminal.wait_text("1001");
    terminal.type_("q");
    terminal.wait_text("end");
}

#[test]
fn one_that_nobody_looks_at_is_there_for_the_next() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.say("kept");
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
    home.cli(&["upgrade"]).ok();
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("kept");
    terminal.say("alive");
    terminal.type_("exit\r");
    assert_eq!(terminal.exit(), 0);
}

#[test]
fn what_is_selected_and_searched_for_stays() {
    let home = Home::new();
    let mut terminal = looking_back(&home);
    terminal.type_("?11.7\r");
    terminal.wait_text("1197");
    terminal.type_("n");
    terminal.wait_for("the next match is gone to", |screen| screen.has("1187"));
    // From here on down, in whole lines.
    terminal.type_("Vj");
    upgrade(&home, &terminal);
    terminal.wait_text("1187");
    terminal.type_("y");
    terminal.wait_for("both lines are in the clipboard", |screen| {
        // `1187`, a line's end and `1188`, in base64.
        let mut copied = screen.clipboard().iter();
        copied.any(|data| data.starts_with(b"MTE4NwoxMTg4"))
    });
    terminal.command("[");
    terminal.type_("?10.5\r");
    terminal.wait_text("1095");
    upgrade(&home, &terminal);
    terminal.wait_text("1095");
    terminal.type_("nnnn");
    terminal.wait_text("1055");
}

#[test]
fn a_paste_under_way_comes_whole() {
    let home = Home::new();
    let taken = home.file("taken");
    let command = format!(
        "stty raw -echo; printf '\\033[?2004hready'; exec cat > {}",
        taken.display()
    );
    let mut terminal = Terminal::script(&home, &command);
    terminal.wait_text("ready");
    let text: String = (0..20_000).map(|n| format!("line {n} \u{e9}\n")).collect();
    terminal.type_("\u{1b}[200~");
    let (first, rest) = text.split_at(text.len() / 2 - 1);
    terminal.type_(first);
    upgrade(&home, &terminal);
    terminal.type_(rest);
    terminal.type_("\u{1b}[201~done\u{1}");
    let read = || std::fs::read(&taken).unwrap_or_default();
    eventually("all of it is there", || read().ends_with(b"done\x01"));
    let told = String::from_utf8(read()).unwrap();
    let told = told.strip_suffix("done\u{1}").unwrap();
    let pasted = told.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let text = text.replace('\n', "\r");
    assert_eq!(pasted.len(), text.len());
    assert!(pasted == text, "every character came once");
    let marks = (
        told.matches("\u{1b}[200~").count(),
        told.matches("\u{1b}[201~").count(),
    );
    assert_eq!(marks.0, marks.1, "each piece is closed");
    assert!(told.starts_with("\u{1b}[200~") && told.ends_with("\u{1b}[201~"));
}

#[test]
fn a_terminal_whose_next_program_ends_at_once_is_restored_and_told() {
    let home = Home::new();
    let mut terminal = showing(&home);
    let script = format!(
        "#!/bin/bash\nif [[ $* == *--can-resume* ]]; then exec {TUNDRA} \"$@\"; fi\nexit 9\n"
    );
    let binary = home.script("ending", &script);
    let done = home.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(terminal.exit(), 1);
    terminal.assert_restored();
    terminal.wait_after("it says so", |screen| screen.has("has died"));
}

#[test]
fn whoever_wants_it_left_is_answered_once_it_has_come_again_and_is_left() {
    let home = Home::new();
    let mut terminal = showing(&home);
    // Its process does not come again before it is let go on.
    terminal.signal(Signal::STOP);
    home.cli(&["upgrade"]).ok();
    let mut leaving = home.tundra(&["detach"]).spawn().unwrap();
    eventually("it has asked", || {
        procs::descriptors(leaving.id())
            .iter()
            .any(|open| open.starts_with("socket:"))
    });
    terminal.signal(Signal::CONT);
    assert!(leaving.wait().unwrap().success());
    assert_eq!(answer(&home, "status")["front"]["attached"], false);
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_signal_that_comes_while_nobody_listens_ends_the_next_program() {
    let home = Home::with_config("[pty]\nkill_grace = \"3s\"\n");
    let mut terminal = showing(&home);
    let stubborn =
        "trap '' HUP TERM; echo READY; while :; do read -t 1 x < /dev/zero || sleep 0.1; done";
    let id = home.cli(&["new", "--", "bash", "-c", stubborn]).ok();
    home.cli(&["wait", id.trim(), "--text", "READY"]).ok();
    // Its end is waited for once everything else has stopped.
    let mut ending = home.tundra(&["kill", id.trim()]).spawn().unwrap();
    eventually("its end has begun", || {
        home.logs().contains("terminal ended on request")
    });
    let mut upgrading = home.tundra(&["upgrade"]).spawn().unwrap();
    eventually("the front end has stopped", || {
        home.logs().contains("why=\"upgrade\"")
    });
    procs::signal(home.instance(), Signal::TERM);
    assert_eq!(terminal.exit(), 143);
    terminal.assert_restored();
    terminal.wait_after("it says so", |screen| screen.has("got SIGTERM"));
    upgrading.wait().unwrap();
    ending.wait().unwrap();
    eventually("nothing is left", || home.processes().is_empty());
}
