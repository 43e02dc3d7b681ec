//! Lines are wrapped anew when the width changes, and nothing is lost by it.

use proptest::prelude::*;

use super::Terminal;
use crate::domain::size::Size;

/// Each logical line of history and screen: wrapped rows joined, without trailing blanks.
fn lines(terminal: &Terminal) -> Vec<String> {
    let mut lines = vec![String::new()];
    for row in terminal.emulator.rows(0..u64::MAX) {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if row.wrapped {
            let filler = row.cells.last().is_some_and(|cell| cell.ch == '\0');
            let cells = row.cells.len() - usize::from(filler);
            for cell in &row.cells[..cells] {
                row.push_cell_text(cell, line);
            }
        } else {
            line.push_str(&row.text());
            lines.push(String::new());
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[test]
fn a_line_that_is_too_long_now_is_wrapped_and_comes_back() {
    let mut terminal = Terminal::new(14, 4);
    terminal.feed("$ echo hello!\r\nhello!\r\n$ ");
    let before = terminal.snapshot().rows;
    terminal.resize(7, 4);
    assert_eq!(terminal.text(), "$ echo|hello!|hello!|$");
    assert!(terminal.row(0).wrapped);
    assert_eq!(terminal.cursor(), (3, 2));
    terminal.resize(14, 4);
    assert_eq!(terminal.snapshot().rows, before);
    assert_eq!(terminal.cursor(), (2, 2));
}

#[test]
fn rows_that_have_no_room_any_more_go_into_history_and_come_back() {
    let mut terminal = Terminal::new(8, 3);
    terminal.feed("11112222\r\n33334444\r\n55556666");
    terminal.resize(4, 3);
    assert_eq!(terminal.history(), "1111|2222|3333");
    assert_eq!(terminal.text(), "4444|5555|6666");
    assert_eq!(terminal.cursor(), (2, 4 - 1));
    terminal.feed("7");
    assert_eq!(terminal.text(), "5555|6666|7");
    terminal.resize(8, 3);
    assert_eq!(terminal.history(), "11112222");
    assert_eq!(terminal.text(), "33334444|55556666|7");
    assert_eq!(terminal.cursor(), (2, 1));
}

#[test]
fn the_cursor_stays_on_its_character() {
    let mut terminal = Terminal::new(10, 4);
    terminal.feed("0123456789abcde\x1b[1;8H");
    for (cols, at) in [
        (4, (1, 3)),
        (5, (1, 2)),
        (12, (0, 7)),
        (3, (2, 1)),
        (10, (0, 7)),
    ] {
        terminal.resize(cols, 6);
        assert_eq!(terminal.cursor(), at, "{cols} columns");
        assert_eq!(terminal.cell(at.0.into(), at.1.into()).ch, '7');
    }
}

#[test]
fn the_saved_cursor_stays_on_its_character() {
    let mut terminal = Terminal::new(10, 4);
    terminal.feed("0123456789abcde\x1b[2;3H\x1b7\x1b[1;1H");
    terminal.resize(4, 5).feed("\x1b8");
    assert_eq!(terminal.cursor(), (3, 0));
    assert_eq!(terminal.cell(3, 0).ch, 'c');
}

#[test]
fn a_cursor_whose_text_has_gone_into_history_comes_back_with_it() {
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\x1b[2;2H");
    terminal.resize(10, 2);
    assert_eq!(
        (terminal.text(), terminal.cursor()),
        ("3|4".to_owned(), (0, 1))
    );
    terminal.resize(10, 4);
    assert_eq!(terminal.cursor(), (1, 1));
    terminal.resize(10, 2).feed("x").resize(10, 4);
    assert_eq!(terminal.cursor(), (2, 2));
}

#[test]
fn blank_rows_below_are_lent_and_given_back() {
    let mut terminal = Terminal::new(8, 5);
    terminal.feed("1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[H\x1b[Jaaaabbbb\r\ncc");
    assert_eq!(terminal.history(), "1");
    let before = terminal.snapshot().rows;
    terminal.resize(2, 5);
    assert_eq!(terminal.text(), "aa|aa|bb|bb|cc");
    terminal.resize(8, 5);
    assert_eq!(
        (terminal.history(), terminal.snapshot().rows),
        ("1".to_owned(), before)
    );
}

#[test]
fn colours_links_and_clusters_go_along() {
    let mut terminal = Terminal::new(12, 3);
    terminal.feed(
        "\x1b[1;31mred\x1b[4:3;58;5;2mwavy\x1b[m\x1b]8;;http://a/\x07e\u{301}語b\x1b]8;;\x07",
    );
    let before = terminal.snapshot().rows;
    terminal.resize(5, 4).resize(3, 7).resize(12, 3);
    assert_eq!(terminal.snapshot().rows, before);
}

#[test]
fn a_wide_character_goes_whole_into_the_next_row() {
    let mut terminal = Terminal::new(8, 4);
    terminal.feed("ab語字cd");
    terminal.resize(3, 5);
    assert_eq!(terminal.text(), "ab|語|字c|d");
    terminal.resize(8, 4);
    assert_eq!(terminal.text(), "ab語字cd");
}

#[test]
fn the_alternate_screen_is_cut_and_the_other_one_wrapped() {
    let mut terminal = Terminal::new(8, 3);
    terminal.feed("12345678\x1b[?1049h\x1b[Habcdefgh");
    terminal.resize(4, 3);
    assert_eq!(terminal.text(), "abcd");
    terminal.feed("\x1b[?1049l");
    assert_eq!(terminal.text(), "1234|5678");
}

#[test]
fn a_new_line_where_a_wrapped_one_was_does_not_belong_to_it() {
    let mut terminal = Terminal::new(4, 3);
    terminal.feed("abcdefgh\x1b[2;1H\x1b[Kxy");
    terminal.resize(8, 3);
    assert_eq!(terminal.text(), "abcd|xy");
    let mut terminal = Terminal::new(4, 2);
    terminal.feed("abcdefgh\r\n\x1b[H\x1b[2Jxy");
    assert_eq!(terminal.history(), "abcd");
    terminal.resize(8, 2);
    assert_eq!(terminal.emulator.rows(0..1)[0].text(), "abcd");
    assert!(terminal.text().contains("xy"));
}

#[test]
fn history_is_counted_anew_and_read_at_any_width() {
    let mut terminal = Terminal::new(10, 4);
    for number in 0..200 {
        terminal.feed(format!("{number:03} is a line with more\r\n"));
    }
    let before = lines(&terminal);
    for cols in [7, 3, 40, 10, 2, 10] {
        terminal.resize(cols, 4);
        assert_eq!(lines(&terminal), before, "{cols} columns");
        let (start, _, end) = terminal.emulator.extent();
        let all = terminal.emulator.rows(start..end);
        assert_eq!(all.len() as u64, end - start);
        for row in start..end {
            let index = usize::try_from(row - start).unwrap();
            assert_eq!(terminal.emulator.rows(row..row + 1), all[index..=index]);
        }
    }
    terminal.resize(7, 4);
    terminal.emulator.set_history_lines(20);
    let kept = lines(&terminal);
    assert!(before.ends_with(&kept[1..]), "{kept:?}");
}

#[test]
fn a_full_history_loses_nothing_while_only_the_size_changes() {
    let mut terminal = Terminal::new(10, 4);
    terminal.emulator.set_history_lines(30);
    for number in 0..200 {
        terminal.feed(format!("{number:03}456789ab\r\n"));
    }
    let before = lines(&terminal);
    terminal.resize(3, 4).resize(5, 9).resize(10, 4);
    assert_eq!(lines(&terminal), before);
}

#[test]
fn places_follow_their_text() {
    let mut terminal = Terminal::new(10, 4);
    for number in 0..20 {
        terminal.feed(format!("{number:02}語3456789abc\r\n"));
    }
    let find = |terminal: &Terminal, what: char| {
        let (start, _, end) = terminal.emulator.extent();
        let rows = terminal.emulator.rows(start..end);
        let mut found = Vec::new();
        for (number, row) in (start..).zip(&rows) {
            for (col, cell) in (0u16..).zip(&row.cells) {
                if cell.ch == what {
                    found.push((number, col));
                }
            }
        }
        found
    };
    let since = terminal.emulator.rewraps();
    let before = find(&terminal, 'b');
    assert_eq!(before.len(), 20);
    for cols in [7, 4, 3, 30, 10] {
        terminal.resize(cols, 4);
        assert_eq!(
            terminal.emulator.places_now(since, &before),
            find(&terminal, 'b'),
            "{cols} columns"
        );
    }
}

/// Text as programs print it, wide characters and colours included.
fn printed() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        4 => "[a-z0-9 ]{0,40}[a-z]",
        1 => "[a-z語字]{0,30}x",
        1 => Just("e\u{301}e\u{301}❤\u{fe0f}x".to_owned()),
        1 => Just("\x1b[44mblue\x1b[K\x1b[m".to_owned()),
        1 => Just(String::new()),
    ];
    prop::collection::vec(line, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_sizes_come_the_text_and_the_cursor_come_back(
        printed in printed(),
        prompt in "[a-z$]{1,30}",
        cols in 4u16..30,
        rows in 3u16..12,
        sizes in prop::collection::vec((2u16..40, 2u16..14), 1..6),
    ) {
        let mut terminal = Terminal::new(cols, rows);
        terminal.feed(printed.join("\r\n")).feed("\r\n").feed(&prompt);
        let (before, cursor) = (lines(&terminal), terminal.cursor());
        let (_, top, _) = terminal.emulator.extent();
        for (cols, rows) in sizes {
            terminal.resize(cols, rows);
            prop_assert_eq!(&lines(&terminal), &before);
            let size = Size::clamped(cols, rows);
            prop_assert_eq!(terminal.snapshot().rows.len(), usize::from(size.rows()));
            prop_assert!(terminal.snapshot().rows.iter().all(|row| row.cells.len() == usize::from(size.cols())));
        }
        terminal.resize(cols, rows);
        prop_assert_eq!(&lines(&terminal), &before);
        let (_, now, _) = terminal.emulator.extent();
        prop_assert_eq!((now + u64::from(terminal.cursor().0), terminal.cursor().1),
            (top + u64::from(cursor.0), cursor.1));
        // What is typed next lands behind the prompt.
        terminal.feed("!");
        let after = lines(&terminal);
        prop_assert_eq!(after.last(), Some(&format!("{prompt}!")));
    }
}
