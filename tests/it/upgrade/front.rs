//! What a terminal shows goes on.

use super::answer;
use crate::support::condition::eventually;
use crate::support::terminal::last;
use crate::support::{Home, Terminal};

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
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.type_("seq 1001 1200; echo en\"\"d\r");
    terminal.wait_text("end");
    terminal.command("[");
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
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal.type_("seq 1001 1200; echo en\"\"d\r");
    terminal.wait_text("end");
    terminal.command("[");
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
    let mut terminal = Terminal::tundra(&home, &["--", "sh", "-c", &command]);
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
