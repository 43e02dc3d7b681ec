use super::{Terminal, shows};
use crate::domain::screen::{Attrs, Color};

const FULL: &str = "aaa\r\nbbb\r\nccc\r\nddd";

#[test]
fn erasing_takes_a_part_of_the_line_or_screen() {
    assert_eq!(shows("abcde\x1b[3G\x1b[K"), "ab");
    assert_eq!(shows("abcde\x1b[3G\x1b[1K"), "   de");
    assert_eq!(shows("abcde\x1b[3G\x1b[2K"), "");
    assert_eq!(shows(format!("{FULL}\x1b[2;2H\x1b[J")), "aaa|b");
    assert_eq!(shows(format!("{FULL}\x1b[2;2H\x1b[1J")), "|  b|ccc|ddd");
    assert_eq!(shows(format!("{FULL}\x1b[2;2H\x1b[2J")), "");
    assert_eq!(
        Terminal::fed(format!("{FULL}\x1b[2;2H\x1b[2J")).cursor(),
        (1, 1)
    );
    assert_eq!(shows("abcde\x1b[2G\x1b[2X"), "a  de");
    assert_eq!(shows("abcde\x1b[2G\x1b[65535X"), "a");
}

#[test]
fn erased_cells_have_the_background_and_nothing_else() {
    let terminal = Terminal::fed("\x1b[1;3;4;7;9;31;42mabc\x1b[2K");
    let cell = terminal.cell(0, 5);
    assert_eq!(
        (cell.ch, cell.fg, cell.bg, cell.attrs),
        ('\0', Color::DEFAULT, Color::indexed(2), Attrs::NONE)
    );
}

#[test]
fn what_comes_in_has_the_background_too() {
    let background = |bytes: &str, row: usize, col: usize| Terminal::fed(bytes).cell(row, col).bg;
    let blue = Color::indexed(4);
    assert_eq!(background("\x1b[44m\x1b[4;1H\n", 3, 9), blue);
    assert_eq!(background("\x1b[44m\x1b[4;1H0123456789a", 3, 9), blue);
    assert_eq!(background("\x1b[44m\x1bM", 0, 0), blue);
    assert_eq!(background("\x1b[44m\x1b[2S", 3, 5), blue);
    assert_eq!(background("\x1b[44m\x1b[2T", 1, 5), blue);
    assert_eq!(background("\x1b[44m\x1b[L", 0, 9), blue);
    assert_eq!(background("\x1b[44m\x1b[M", 3, 9), blue);
    assert_eq!(background("abc\x1b[44m\x1b[1G\x1b[2@", 0, 1), blue);
    assert_eq!(background("abc\x1b[44m\x1b[1G\x1b[2P", 0, 9), blue);
    assert_eq!(background("\x1b[44m\x1b[2J", 2, 2), blue);
    assert_eq!(background("\x1b[44m\x1b[m\x1b[2J", 2, 2), Color::DEFAULT);
}

#[test]
fn characters_are_inserted_and_deleted() {
    assert_eq!(shows("abcde\x1b[2G\x1b[2@"), "a  bcde");
    assert_eq!(shows("abcde\x1b[2G\x1b[2P"), "ade");
    assert_eq!(shows("0123456789\x1b[1G\x1b[@"), " 012345678");
    assert_eq!(shows("0123456789\x1b[2G\x1b[65535@x"), "0x");
    assert_eq!(shows("0123456789\x1b[2G\x1b[65535Px"), "0x");
}

#[test]
fn editing_within_a_wide_character_blanks_both_halves() {
    assert_eq!(shows("a語b\x1b[3G\x1b[@"), "a   b");
    assert_eq!(shows("a語b\x1b[3G\x1b[P"), "a b");
    assert_eq!(shows("a語b\x1b[3G\x1b[X"), "a  b");
    assert_eq!(shows("a語b\x1b[3G\x1b[K"), "a");
}

#[test]
fn lines_are_inserted_and_deleted_within_the_margins() {
    assert_eq!(shows(format!("{FULL}\x1b[2;2H\x1b[L")), "aaa||bbb|ccc");
    assert_eq!(shows(format!("{FULL}\x1b[2;2H\x1b[M")), "aaa|ccc|ddd");
    assert_eq!(
        shows(format!("{FULL}\x1b[1;3r\x1b[2;2H\x1b[L")),
        "aaa||bbb|ddd"
    );
    assert_eq!(
        shows(format!("{FULL}\x1b[1;3r\x1b[4;2H\x1b[L")),
        "aaa|bbb|ccc|ddd"
    );
    assert_eq!(
        shows(format!("{FULL}\x1b[2;2H\x1b[65535L\x1b[65535M")),
        "aaa"
    );
    assert_eq!(
        Terminal::fed(format!("{FULL}\x1b[2;2H\x1b[L")).cursor(),
        (1, 0)
    );
}

#[test]
fn the_screen_scrolls_by_lines_and_columns() {
    assert_eq!(shows(format!("{FULL}\x1b[2S")), "ccc|ddd");
    assert_eq!(shows(format!("{FULL}\x1b[2T")), "||aaa|bbb");
    assert_eq!(shows(format!("{FULL}\x1b[2^")), "||aaa|bbb");
    assert_eq!(shows("0123456789\x1b[Sx"), "|x");
    assert_eq!(shows("abc\r\ndef\x1b[ @"), "bc|ef");
    assert_eq!(shows("abc\r\ndef\x1b[2 A"), "  abc|  def");
    assert_eq!(shows("abc\r\ndef\x1b[1;2H\x1b['}"), "a bc|d ef");
    assert_eq!(shows("abc\r\ndef\x1b[1;2H\x1b['~"), "ac|df");
    assert_eq!(shows("abc\r\ndef\x1b[1;1H\x1b6"), " abc| def");
    assert_eq!(shows("abc\r\ndef\x1b[1;10H\x1b9"), "bc|ef");
}

#[test]
fn five_parameters_of_sd_are_mouse_tracking_and_move_nothing() {
    assert_eq!(shows("abc\x1b[1;1;1;1;4T"), "abc");
}

#[test]
fn protected_characters_outlive_selective_erasing_alone() {
    assert_eq!(shows("a\x1b[1\"qb\x1b[0\"qc\x1b[?2K"), " b");
    assert_eq!(shows("a\x1b[1\"qb\x1b[2\"qc\x1b[1G\x1b[?J"), " b");
    assert_eq!(shows("a\x1b[1\"qb\x1b[0\"qc\x1b[?1K"), " b");
    assert_eq!(shows("a\x1b[1\"qb\x1b[0\"qc\x1b[2K"), "");
    assert_eq!(shows("\x1b[1\"q\x1b[mb\x1b[?2K"), "b");
}

#[test]
fn the_alignment_pattern_fills_the_screen_and_drops_the_margins() {
    let mut terminal = Terminal::fed("\x1b[31m\x1b[2;3r\x1b#8");
    assert_eq!(
        terminal.text(),
        "EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE|EEEEEEEEEE"
    );
    assert_eq!(
        (terminal.cursor(), terminal.cell(0, 0).fg),
        ((0, 0), Color::DEFAULT)
    );
    assert_eq!(terminal.feed("\x1b[9A\x1b[9B").cursor(), (3, 0));
}

#[test]
fn a_row_below_the_margins_takes_a_wrap_without_scrolling() {
    assert_eq!(shows("a\x1b[1;2r\x1b[4;1H0123456789x"), "a|||x123456789");
}
