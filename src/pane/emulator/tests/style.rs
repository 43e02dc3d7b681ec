use super::Terminal;
use crate::domain::screen::{Attrs, Color, Underline};
use crate::pane::ansi::row_to_ansi;

/// The first row as SGR sequences and text.
fn drawn(bytes: &str) -> String {
    row_to_ansi(&Terminal::fed(bytes).row(0)).replace('\x1b', "^[")
}

#[test]
fn every_attribute_comes_and_goes() {
    let attrs = |bytes: &str| Terminal::fed(format!("{bytes}x")).cell(0, 0).attrs;
    for (on, off, attr) in [
        ("1", "22", Attrs::BOLD),
        ("2", "22", Attrs::DIM),
        ("3", "23", Attrs::ITALIC),
        ("5", "25", Attrs::BLINK),
        ("6", "25", Attrs::BLINK),
        ("7", "27", Attrs::INVERSE),
        ("8", "28", Attrs::HIDDEN),
        ("9", "29", Attrs::STRIKE),
        ("53", "55", Attrs::OVERLINE),
    ] {
        assert_eq!(attrs(&format!("\x1b[{on}m")), attr, "SGR {on}");
        assert_eq!(
            attrs(&format!("\x1b[{on}m\x1b[{off}m")),
            Attrs::NONE,
            "SGR {off}"
        );
        assert_eq!(attrs(&format!("\x1b[{on}m\x1b[m")), Attrs::NONE);
        assert_eq!(attrs(&format!("\x1b[{on};0m")), Attrs::NONE);
    }
    assert_eq!(attrs("\x1b[1;2m"), Attrs::BOLD.with(Attrs::DIM));
    assert_eq!(attrs("\x1b[1;2;22m"), Attrs::NONE);
}

#[test]
fn underlines_have_five_styles() {
    let underline = |bytes: &str| {
        Terminal::fed(format!("{bytes}x"))
            .cell(0, 0)
            .attrs
            .underline()
    };
    assert_eq!(underline("\x1b[4m"), Underline::Single);
    assert_eq!(underline("\x1b[4:2m"), Underline::Double);
    assert_eq!(underline("\x1b[21m"), Underline::Double);
    assert_eq!(underline("\x1b[4:3m"), Underline::Curly);
    assert_eq!(underline("\x1b[4:4m"), Underline::Dotted);
    assert_eq!(underline("\x1b[4:5m"), Underline::Dashed);
    assert_eq!(underline("\x1b[4:3m\x1b[4:0m"), Underline::None);
    assert_eq!(underline("\x1b[4:3m\x1b[24m"), Underline::None);
    assert_eq!(underline("\x1b[4:3m\x1b[4m"), Underline::Single);
}

#[test]
fn colours_come_in_every_notation() {
    let fg = |bytes: &str| Terminal::fed(format!("{bytes}x")).cell(0, 0).fg;
    assert_eq!(fg("\x1b[31m"), Color::indexed(1));
    assert_eq!(fg("\x1b[97m"), Color::indexed(15));
    assert_eq!(fg("\x1b[38;5;200m"), Color::indexed(200));
    assert_eq!(fg("\x1b[38:5:200m"), Color::indexed(200));
    assert_eq!(fg("\x1b[38;2;1;2;3m"), Color::rgb(1, 2, 3));
    assert_eq!(fg("\x1b[38:2:1:2:3m"), Color::rgb(1, 2, 3));
    assert_eq!(fg("\x1b[38:2::1:2:3m"), Color::rgb(1, 2, 3));
    assert_eq!(fg("\x1b[38:2::1:2:3:0:0m"), Color::rgb(1, 2, 3));
    assert_eq!(fg("\x1b[31m\x1b[39m"), Color::DEFAULT);
    assert_eq!(fg("\x1b[31m\x1b[38;5;300m"), Color::indexed(1));
    assert_eq!(fg("\x1b[31m\x1b[38;2;1m"), Color::indexed(1));
    let bg = Terminal::fed("\x1b[48;2;1;2;3mx\x1b[103my\x1b[49mz");
    assert_eq!(
        [0, 1, 2].map(|col| bg.cell(0, col).bg),
        [Color::rgb(1, 2, 3), Color::indexed(11), Color::DEFAULT]
    );
}

#[test]
fn a_colour_between_other_parameters_swallows_its_own_alone() {
    assert_eq!(
        drawn("\x1b[1;38;5;9;4;48;2;1;2;3mx"),
        "^[[1;4;91;48;2;1;2;3mx^[[0m"
    );
    assert_eq!(drawn("\x1b[58;2;1;2;3;4mx"), "^[[4;58:2::1:2:3mx^[[0m");
    assert_eq!(
        drawn("\x1b[4;58:5:9mx\x1b[59my"),
        "^[[4;58:5:9mx^[[59my^[[0m"
    );
}

#[test]
fn styles_move_with_their_characters() {
    let styled = "\x1b[9mab\x1b[m";
    assert_eq!(drawn(&format!("{styled}\x1b[1G\x1b[2@")), "  ^[[9mab^[[0m");
    assert_eq!(
        drawn(&format!("x\r\n{styled}\x1b[1;1H\x1b[M")),
        "^[[9mab^[[0m"
    );
    assert_eq!(drawn(&format!("{styled}\x1b[2G\x1b[X")), "^[[9ma^[[0m");
    let mut terminal = Terminal::fed(format!("{styled}\r\n1\r\n2\r\n3\r\n4"));
    assert_eq!(terminal.history(), "ab");
    terminal.resize(10, 5);
    assert_eq!(row_to_ansi(&terminal.row(0)), "\x1b[9mab\x1b[0m");
}

#[test]
fn a_character_keeps_its_look_when_another_joins_it() {
    assert_eq!(drawn("\x1b[9me\x1b[m\u{301}"), "^[[9me\u{301}^[[0m");
    assert_eq!(drawn("\x1b[9m❤\u{fe0f}\x1b[mx"), "^[[9m❤\u{fe0f}^[[0mx");
}

#[test]
fn links_belong_to_their_characters() {
    let terminal = Terminal::fed("\x1b]8;id=1;http://a/\x1b\\ab\x1b]8;;\x1b\\c");
    let row = terminal.row(0);
    let link = |col: usize| {
        row.extra(&row.cells[col])
            .and_then(|extra| extra.link.as_deref())
    };
    assert_eq!(
        [link(0), link(1), link(2)],
        [Some("http://a/"), Some("http://a/"), None]
    );
    assert_eq!(row.extras.len(), 1);
}

#[test]
fn links_outlive_a_reset_of_the_pen_and_reach_history() {
    let terminal = Terminal::fed("\x1b]8;;http://a/\x07\x1b[1mx\x1b[my\x1b]8;;\x07\r\n\n\n\n\n");
    let (start, top, _) = terminal.emulator.extent();
    let row = terminal.emulator.rows(start..top).remove(0);
    assert_eq!(row.text(), "xy");
    assert_eq!(
        row.extra(&row.cells[1])
            .and_then(|extra| extra.link.as_deref()),
        Some("http://a/")
    );
}

#[test]
fn more_looks_than_there_are_marks_lose_links_but_no_text() {
    let mut terminal = Terminal::new(80, 24);
    for number in 0..10_000 {
        terminal.feed(format!("\x1b[H\x1b]8;;http://a/{number}\x07x{number}"));
    }
    let row = terminal.row(0);
    assert_eq!(row.text(), "x9999");
    assert_eq!(
        row.extra(&row.cells[0])
            .and_then(|extra| extra.link.as_deref()),
        Some("http://a/9999")
    );
}

#[test]
fn a_programs_own_marks_are_dropped() {
    assert_eq!(Terminal::fed("a\u{e0200}b").text(), "ab");
    assert_eq!(Terminal::fed("a\u{e0100}b").text(), "a\u{e0100}b");
}
