//! Scrolling back, searching, selecting, copying and pasting.

use super::{list, shell};
use crate::support::Home;

#[test]
fn scroll_mode_goes_back_searches_and_copies() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 300; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    assert!(!terminal.look(|screen| screen.has("151")));
    terminal.command("[");
    terminal.type_("g");
    terminal.wait_for("the oldest line", |s| {
        s.lines().iter().any(|l| l.contains("seq 1 300"))
    });
    terminal.type_("G");
    terminal.wait_text("300");
    terminal.type_("?");
    terminal.type_("151\r");
    terminal.wait_text("151");
    // The match is under the cursor: select to the end of the line and copy.
    terminal.type_("0v$y");
    terminal.wait_for("it is in the clipboard", |screen| {
        screen
            .clipboard()
            .iter()
            .any(|data| data.starts_with(b"MTUx"))
    });
    terminal.say("back-at-the-shell");
}

#[test]
fn output_does_not_move_what_is_being_read() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 200; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    terminal.command("[");
    terminal.type_("g");
    terminal.wait_text("seq 1 200");
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    home.cli(&["send", &id, "--enter", "--", "seq 500 600; echo mo\"\"re"])
        .ok();
    home.cli(&["wait", &id, "--text", "(?m)^more"]).ok();
    assert!(terminal.look(|screen| screen.has("seq 1 200") && !screen.has("600")));
    terminal.type_("q");
    terminal.wait_text("more");
}

#[test]
fn keys_typed_at_once_after_a_search_act_where_it_led() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 9000; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    terminal.command("[");
    terminal.type_("?^123$\rv$y");
    terminal.wait_for("it is in the clipboard", |screen| {
        screen.clipboard().iter().any(|data| data == b"MTIz")
    });
    terminal.say("back-at-the-shell");
}

#[test]
fn search_from_the_prefix_finds_in_the_history() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("echo nee\"\"dle; seq 1 300; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    terminal.command("/");
    terminal.type_("needle\r");
    terminal.wait_for("the needle", |s| {
        s.lines()
            .iter()
            .any(|line| line.contains("needle") && !line.contains("echo"))
    });
    terminal.type_("q");
    terminal.wait_text("finished");
}

#[test]
fn the_wheel_scrolls_back() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 200; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    assert!(!terminal.look(|screen| screen.has("150")));
    for _ in 0..20 {
        terminal.type_("\x1b[<64;5;10M");
    }
    terminal.wait_for("older rows", |screen| {
        !screen.has("finished") && screen.has("130")
    });
}

#[test]
fn what_the_mouse_selects_is_copied() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("selectable");
    let (row, col) = terminal
        .look(|screen| {
            let (row, line) = screen
                .lines()
                .into_iter()
                .enumerate()
                .find(|(_, line)| line.starts_with("selectable"))?;
            Some((row + 1, line.find("selectable")? + 1))
        })
        .unwrap();
    let end = col + 9;
    terminal.type_(&format!(
        "\x1b[<0;{col};{row}M\x1b[<32;{end};{row}M\x1b[<0;{end};{row}m"
    ));
    terminal.wait_for("it is in the clipboard", |screen| {
        screen
            .clipboard()
            .iter()
            .any(|data| data == b"c2VsZWN0YWJsZQ==")
    });
}

#[test]
fn what_was_copied_is_pasted() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("copy-me");
    terminal.command("[");
    terminal.type_("?copy-me\r");
    terminal.wait_for("the cursor is on the match", |screen| {
        let (row, col) = screen.vt().cursor_position();
        col == 0 && screen.lines()[usize::from(row)].starts_with("copy-me")
    });
    terminal.type_("v$y");
    terminal.wait_for("it is in the clipboard", |screen| {
        !screen.clipboard().is_empty()
    });
    terminal.type_("echo \"");
    terminal.command("]");
    terminal.wait_text("echo \"copy-me");
}

#[test]
fn the_clipboard_of_a_program_is_passed_on() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033]52;c;aGVsbG8=\\007'; echo cop\"\"ied\r");
    terminal.wait_text("copied");
    terminal.wait_for("it is in the clipboard", |screen| {
        screen.clipboard().iter().any(|data| data == b"aGVsbG8=")
    });
}

#[test]
fn copy_mode_stays_on_its_text_when_the_window_narrows_and_widens() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("i=0; while [ $i -lt 80 ]; do printf '%0140d\\n' $i; i=$((i+1)); [ $i = 40 ] && echo the need\"\"le; done; echo print\"\"ed\r");
    terminal.wait_text("printed");
    terminal.command("[");
    terminal.type_("?needle\r");
    terminal.wait_text("the needle");
    for (rows, cols) in [(30, 60), (30, 100), (24, 47)] {
        terminal.resize(rows, cols);
        let narrow = usize::from(cols);
        terminal.wait_for("lines are wrapped at the new width", |screen| {
            screen.has("the needle")
                && screen
                    .lines()
                    .iter()
                    .any(|line| line.len() == narrow && line.starts_with("000"))
        });
    }
    terminal.type_("v");
    terminal.type_("e");
    terminal.type_("y");
    terminal.wait_for("the word under the cursor is copied", |screen| {
        screen
            .clipboard()
            .last()
            .is_some_and(|text| text == b"bmVlZGxl")
    });
}

#[test]
fn a_selection_keeps_its_text_while_sizes_change() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("for i in 1 2 3 4 5 6 7 8; do printf '%0150d\\n' $i; done; printf '%s %060d %s\\n' fro\"\"m 7 un\"\"til\r");
    terminal.wait_text("until");
    terminal.command("[");
    terminal.type_("?from\r");
    terminal.wait_text("from 0");
    // From the word to the end of the next but one: it takes more than one row once the window is narrow.
    terminal.type_("veee");
    for (rows, cols) in [(30, 50), (24, 31), (30, 100)] {
        terminal.resize(rows, cols);
        let narrow = usize::from(cols);
        terminal.wait_for("lines are wrapped at the new width", |screen| {
            let is_full = |line: &String| line.len() == narrow && line.starts_with("000");
            screen.lines().iter().any(is_full)
        });
    }
    terminal.type_("y");
    terminal.wait_for("what was selected is copied", |screen| {
        let copied = screen.clipboard();
        let expected = b"ZnJvbSAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDcgdW50aWw=";
        copied.last().is_some_and(|text| text == expected)
    });
}
