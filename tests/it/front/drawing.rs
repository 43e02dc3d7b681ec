//! What reaches the outer terminal: frames, sizes, characters, colours.

use std::time::Duration;

use super::{alive, shell};
use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::{Home, Terminal};

#[test]
fn a_program_is_told_the_outer_terminals_background() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "sh"]);
    terminal.wait_text("$");
    let ask =
        "stty raw -echo; printf '\\033]11;?\\007'; head -c 24 | tr '\\033\\007' '<>'; stty sane";
    terminal.type_(&format!("{ask}\r"));
    terminal.wait_text("<]11;rgb:1010/1010/1010>");
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let home = Home::new();
    let terminal = Terminal::script(&home, "echo READY; exec cat");
    terminal.wait_text("READY");
    // Settled: two looks a while apart see the same number of bytes.
    let mut seen = terminal.raw_len();
    let mut quiet = std::time::Instant::now();
    eventually("a second passes without a byte", || {
        let now = terminal.raw_len();
        if now != seen {
            seen = now;
            quiet = std::time::Instant::now();
        }
        quiet.elapsed() > Duration::from_secs(1)
    });
}

#[test]
fn frames_come_in_synchronized_updates() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("framed");
    let raw = terminal.raw();
    let count = |needle: &[u8]| {
        raw.windows(needle.len())
            .filter(|window| *window == needle)
            .count()
    };
    let (begun, ended) = (count(b"\x1b[?2026h"), count(b"\x1b[?2026l"));
    assert!(begun > 0, "the outer terminal said that it knows mode 2026");
    assert!(begun.abs_diff(ended) <= 1, "{begun} begun, {ended} ended");
}

#[test]
fn a_storm_of_resizes_down_to_one_cell_is_survived() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("-");
    eventually("three panes", || alive(&home) == 3);
    for (rows, cols) in [
        (1, 1),
        (2, 2),
        (1, 200),
        (100, 1),
        (5, 5),
        (24, 80),
        (3, 10),
        (200, 500),
    ]
    .into_iter()
    .cycle()
    .take(80)
    {
        terminal.resize(rows, cols);
    }
    terminal.resize(4, 9);
    eventually("it still answers", || alive(&home) == 3);
    terminal.resize(30, 100);
    terminal.wait_for("the screen is back", |screen| {
        screen.has("$") && screen.lines().len() == 30
    });
    terminal.say("survived");
    assert!(!home.logs().contains("panicked"));
}

#[test]
fn a_window_too_small_says_so() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.resize(4, 16);
    terminal.wait_for("it says so", |screen| {
        screen.text().to_lowercase().contains("small")
    });
    terminal.resize(30, 100);
    terminal.wait_text("$");
    terminal.say("large-again");
}

#[test]
fn titles_bells_and_names_reach_the_screen() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033]2;my%stitle\\007' -; echo se\"\"t\r");
    terminal.wait_text("set");
    terminal.wait_for("the title is shown", |screen| {
        screen.has("my-title") || screen.title().contains("my-title")
    });
    let bells = terminal.look(|screen| screen.bells());
    terminal.type_("printf '\\007'; echo ru\"\"ng\r");
    terminal.wait_text("rung");
    terminal.wait_for("the bell rings outside", |screen| screen.bells() > bells);
}

#[test]
fn wide_and_combining_characters_stand_where_they_should() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\346\\227\\245\\346\\234\\254|e\\314\\201|\\360\\237\\230\\200|x\\n'; echo sh\"\"own\r");
    terminal.wait_text("shown");
    let (row, col) = terminal.look(|screen| screen.find("日本|")).unwrap();
    terminal.look(|screen| {
        let cell = |offset| {
            screen
                .vt()
                .cell(row, col + offset)
                .unwrap()
                .contents()
                .to_owned()
        };
        assert_eq!(cell(4), "|");
        assert_eq!(cell(5), "e\u{301}");
        assert_eq!(cell(6), "|");
        assert_eq!(cell(7), "😀");
        assert_eq!(cell(9), "|");
        assert_eq!(cell(10), "x");
    });
}

#[test]
fn colours_pass_to_the_outer_terminal() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033[38;2;1;2;3;48;5;20mC%sR\\033[m\\n' OLOU\r");
    terminal.wait_text("COLOUR");
    let (row, col) = terminal.look(|screen| screen.find("COLOUR")).unwrap();
    terminal.look(|screen| {
        let cell = screen.vt().cell(row, col).unwrap();
        assert_eq!(cell.fgcolor(), vt100::Color::Rgb(1, 2, 3));
        assert_eq!(cell.bgcolor(), vt100::Color::Idx(20));
    });
}

#[test]
fn no_color_takes_the_colours_of_tundra_and_not_those_of_programs() {
    let home = Home::new();
    let mut command = home.tundra(&["--", "sh"]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_text("$");
    terminal.say("plain");
    let colour = regex::Regex::new(
        "\x1b\\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m",
    )
    .unwrap();
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let found: Vec<&str> = colour
        .find_iter(&raw)
        .map(|found| found.as_str())
        .take(5)
        .collect();
    assert!(found.is_empty(), "{found:?}");
    terminal.type_("printf '\\033[38;2;1;2;3mC%sR\\033[m\\n' OLOU\r");
    terminal.wait_text("COLOUR");
    let (row, col) = terminal.look(|screen| screen.find("COLOUR")).unwrap();
    terminal.look(|screen| {
        let cell = screen.vt().cell(row, col).unwrap();
        assert_eq!(cell.fgcolor(), vt100::Color::Rgb(1, 2, 3));
    });
}

#[test]
fn without_utf_8_the_frame_is_ascii() {
    let home = Home::new();
    let mut command = home.tundra(&["--", "sh"]);
    command.env("LC_ALL", "C").env_remove("LANG");
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_text("$");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.say("ascii");
    let raw = terminal.raw();
    assert!(
        raw.is_ascii(),
        "{:?}",
        raw.iter().find(|byte| !byte.is_ascii())
    );
}
