use super::Terminal;
use crate::pane::ansi::row_to_ansi;

#[test]
fn rows_that_leave_the_top_are_kept_in_order() {
    let terminal = Terminal::fed("1\r\n2\r\n3\r\n4\r\n5\r\n6");
    assert_eq!(
        (terminal.history(), terminal.text()),
        ("1|2".to_owned(), "3|4|5|6".to_owned())
    );
    assert_eq!(terminal.emulator.extent(), (0, 2, 6));
}

#[test]
fn a_region_at_the_top_feeds_history_and_one_below_does_not() {
    assert_eq!(
        Terminal::fed("1\r\n2\r\n3\x1b[1;2r\x1b[2;1H\n\n").history(),
        "1|2"
    );
    assert_eq!(
        Terminal::fed("1\r\n2\r\n3\x1b[2;3r\x1b[3;1H\n\n").history(),
        ""
    );
    assert_eq!(Terminal::fed("1\r\n2\r\n3\x1b[2S").history(), "1|2");
    assert_eq!(Terminal::fed("1\r\n2\r\n3\x1b[1;1H\x1b[2M").history(), "");
}

#[test]
fn clearing_the_screen_keeps_history_and_clearing_history_keeps_the_screen() {
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\r\n5\x1b[2J");
    assert_eq!(
        (terminal.history(), terminal.text()),
        ("1".to_owned(), String::new())
    );
    terminal.feed("\x1b[Hx\x1b[3J");
    assert_eq!(
        (terminal.history(), terminal.text()),
        (String::new(), "x".to_owned())
    );
    assert_eq!(terminal.emulator.extent(), (1, 1, 5));
}

#[test]
fn row_numbers_go_on_when_old_rows_are_dropped() {
    let mut terminal = Terminal::new(10, 4);
    terminal.emulator.set_history_lines(3);
    for number in 0..100 {
        terminal.feed(format!("{number}\r\n"));
    }
    assert_eq!(
        (terminal.history(), terminal.text()),
        ("94|95|96".to_owned(), "97|98|99".to_owned())
    );
    assert_eq!(terminal.emulator.extent(), (94, 97, 101));
    assert_eq!(
        terminal
            .emulator
            .rows(95..98)
            .iter()
            .map(|row| row.text())
            .collect::<Vec<_>>(),
        ["95", "96", "97"]
    );
    assert_eq!(terminal.emulator.rows(0..1), []);
    assert_eq!(terminal.emulator.rows(101..u64::MAX), []);
    terminal.emulator.set_history_lines(0);
    assert_eq!(terminal.history(), "");
}

#[test]
fn a_flood_in_one_chunk_gives_what_single_lines_give() {
    let line = |number| format!("\x1b[3{}mline\t{number}\x1b[m wörter 語\r\n", number % 8);
    let lines = (0..500).map(line).collect::<Vec<_>>().concat();
    let mut whole = Terminal::new(12, 5);
    whole.feed(&lines);
    let mut single = Terminal::new(12, 5);
    for byte in lines.bytes() {
        single.feed([byte]);
        single.snapshot();
    }
    assert_eq!(
        whole.emulator.rows(0..u64::MAX),
        single.emulator.rows(0..u64::MAX)
    );
    assert_eq!(whole.cursor(), single.cursor());
}

#[test]
fn less_height_takes_blank_rows_below_the_cursor_first() {
    let mut terminal = Terminal::fed("1\r\n2");
    terminal.resize(10, 2);
    assert_eq!(
        (terminal.text(), terminal.history(), terminal.cursor()),
        ("1|2".to_owned(), String::new(), (1, 1))
    );
    terminal.resize(10, 4);
    assert_eq!(
        (terminal.text(), terminal.cursor()),
        ("1|2".to_owned(), (1, 1))
    );
}

#[test]
fn then_top_rows_go_into_history_and_come_back_as_they_were() {
    let mut terminal = Terminal::fed("\x1b[9;31m1\x1b[m\r\n語2\r\n3\r\n4");
    let before = terminal.snapshot().rows;
    terminal.resize(10, 2);
    assert_eq!(
        (terminal.text(), terminal.history(), terminal.cursor()),
        ("3|4".to_owned(), "1|語2".to_owned(), (1, 1))
    );
    terminal.resize(10, 4);
    assert_eq!(
        (terminal.history(), terminal.cursor()),
        (String::new(), (3, 1))
    );
    assert_eq!(row_to_ansi(&terminal.row(0)), "\x1b[9;31m1\x1b[0m");
    assert_eq!(terminal.snapshot().rows, before);
}

#[test]
fn more_height_pulls_history_back() {
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\r\n5\r\n6");
    terminal.resize(10, 5);
    assert_eq!(
        (terminal.text(), terminal.history(), terminal.cursor()),
        ("2|3|4|5|6".to_owned(), "1".to_owned(), (4, 1))
    );
    assert_eq!(terminal.emulator.extent(), (0, 1, 6));
}

#[test]
fn wrapped_rows_that_come_back_are_still_wrapped() {
    let mut terminal = Terminal::fed("0123456789ab\r\n3\r\n4\r\n5");
    assert_eq!(terminal.history(), "0123456789");
    terminal.resize(10, 5);
    assert!(terminal.row(0).wrapped);
    assert_eq!(terminal.text(), "0123456789|ab|3|4|5");
}

#[test]
fn the_primary_screen_is_resized_behind_the_alternate_one() {
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\x1b[?1049hfull");
    terminal.resize(10, 2).resize(12, 3).feed("\x1b[?1049l");
    assert_eq!(
        (terminal.text(), terminal.history(), terminal.cursor()),
        ("2|3|4".to_owned(), "1".to_owned(), (2, 1))
    );
}

#[test]
fn text_below_the_cursor_is_kept_and_the_cursor_stays_on_the_screen() {
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\x1b[1;1H");
    terminal.resize(10, 3).resize(10, 2);
    assert_eq!(
        (terminal.text(), terminal.history(), terminal.cursor()),
        ("3|4".to_owned(), "1|2".to_owned(), (0, 0))
    );
    terminal.resize(10, 4);
    assert_eq!(
        (terminal.text(), terminal.history()),
        ("1|2|3|4".to_owned(), String::new())
    );
}

#[test]
fn a_wide_character_cut_by_a_narrower_screen_is_blanked() {
    let mut terminal = Terminal::fed("01234567語\x1b[1;1H");
    terminal.resize(9, 4).feed("x\x1b[1;9Hyz");
    assert_eq!(terminal.text(), "x1234567y|z");
}

#[test]
fn ten_thousand_lines_cost_little_more_than_their_text() {
    use super::super::history::History;
    use super::super::packed::Packer;
    use super::super::style::Style;
    let mut history = History::new(10_000, 100);
    let mut row = Packer::default();
    row.push_ascii(&[b'x'; 100], &Style::default());
    for _ in 0..30_000 {
        history.push(&row, false);
    }
    assert_eq!(history.len(), 10_000);
    assert!(history.bytes() < 1_400_000, "{} bytes", history.bytes());
}
