use super::{Terminal, shows};
use crate::domain::screen::Attrs;

#[test]
fn text_wraps_at_the_right_edge_and_scrolls_at_the_bottom() {
    assert_eq!(shows("0123456789ab"), "0123456789|ab");
    assert_eq!(shows("a\r\nb\r\nc\r\nd\r\ne"), "b|c|d|e");
}

#[test]
fn a_wrap_stays_pending_until_the_next_character() {
    let mut terminal = Terminal::fed("0123456789");
    assert_eq!(terminal.cursor(), (0, 9));
    terminal.feed("a");
    assert_eq!(
        (terminal.text(), terminal.cursor()),
        ("0123456789|a".to_owned(), (1, 1))
    );
    assert!(terminal.row(0).wrapped);
}

#[test]
fn a_pending_wrap_is_forgotten_when_the_cursor_moves() {
    assert_eq!(shows("0123456789\rX"), "X123456789");
    assert_eq!(shows("0123456789\x08X"), "01234567X9");
    assert_eq!(shows("0123456789\x1b[DX"), "01234567X9");
    assert_eq!(shows("0123456789\x1b[CX"), "012345678X");
    assert_eq!(shows("0123456789\nX"), "0123456789|         X");
    assert_eq!(shows("0123456789\x1b[1GX"), "X123456789");
}

#[test]
fn a_pending_wrap_survives_colours_and_line_ends_in_colour() {
    assert_eq!(shows("0123456789\x1b[31mX"), "0123456789|X");
    assert_eq!(shows("0123456789\x1b[m\x1b[K\r\nX"), "0123456789|X");
}

#[test]
fn without_autowrap_the_last_column_is_overwritten() {
    assert_eq!(shows("\x1b[?7l0123456789abc"), "012345678c");
    assert_eq!(shows("\x1b[?7l0123456789abc\x1b[?7hd"), "012345678d");
    assert_eq!(shows("\x1b[?7l0123456789語"), "01234567語");
}

#[test]
fn insert_mode_pushes_the_rest_of_the_line() {
    assert_eq!(shows("abc\x1b[1G\x1b[4hXY\x1b[4lZ"), "XYZbc");
    assert_eq!(shows("0123456789\x1b[1G\x1b[4hX"), "X012345678");
    assert_eq!(shows("01234567語\x1b[1G\x1b[4hX"), "X01234567");
}

#[test]
fn a_wide_character_takes_two_columns_and_wraps_whole() {
    let terminal = Terminal::fed("a語b");
    let row = terminal.row(0);
    assert_eq!(row.text(), "a語b");
    assert!(
        row.cells[1].attrs.contains(Attrs::WIDE) && row.cells[2].attrs.contains(Attrs::WIDE_TAIL)
    );
    assert_eq!(shows("012345678語"), "012345678|語");
}

#[test]
fn half_of_a_wide_character_overwritten_takes_the_other_along() {
    assert_eq!(shows("語\x1b[2Gx"), " x");
    assert_eq!(shows("語\x1b[1Gx"), "x");
    assert_eq!(shows("a語\x1b[2G字"), "a字");
}

#[test]
fn combining_characters_join_the_cell_before_them() {
    let terminal = Terminal::fed("e\u{301}x");
    assert_eq!(terminal.text(), "e\u{301}x");
    assert_eq!(terminal.cursor(), (0, 2));
    assert_eq!(shows("012345678e\u{301}"), "012345678e\u{301}");
    assert_eq!(shows("\u{301}a"), "a");
}

#[test]
fn a_long_combining_sequence_stays_whole_wherever_it_goes() {
    let long = format!("e{}", "\u{301}".repeat(31));
    let wide = format!("❤\u{fe0f}{}", "\u{20d0}".repeat(18));
    let mut terminal = Terminal::fed(format!("\x1b[1;31m{long}\x1b[m{wide}x"));
    let shown = format!("{long}{wide}x");
    assert_eq!(
        (terminal.text(), terminal.cursor()),
        (shown.clone(), (0, 4))
    );
    terminal.resize(3, 4).resize(10, 4);
    assert_eq!(terminal.text(), shown);
    terminal.feed("\x1b[1;1H\x1b[@").feed("\r\n".repeat(4));
    assert_eq!(terminal.history(), format!(" {shown}"));
}

#[test]
fn a_cell_keeps_no_more_than_a_bounded_number_of_combining_characters() {
    let text = shows(format!("e{}x", "\u{301}".repeat(10_000)));
    assert!(text.len() < 300 && text.ends_with('x'), "{}", text.len());
}

#[test]
fn an_emoji_selector_widens_its_character() {
    let terminal = Terminal::fed("❤\u{fe0f}x");
    assert_eq!(terminal.text(), "❤\u{fe0f}x");
    assert_eq!(terminal.cursor(), (0, 3));
    assert_eq!(shows("012345678❤\u{fe0f}x"), "012345678|❤\u{fe0f}x");
    assert_eq!(Terminal::fed("\x1b[9m❤\u{fe0f}").cursor(), (0, 2));
}

#[test]
fn joined_emoji_are_counted_by_character() {
    let terminal = Terminal::fed("👨\u{200d}👩");
    assert_eq!(terminal.text(), "👨\u{200d}👩");
    assert_eq!(terminal.cursor(), (0, 4));
}

#[test]
fn bad_utf_8_shows_as_replacement_characters() {
    assert_eq!(shows(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(shows(b"a\xe2\x82b"), "a\u{fffd}b");
    assert_eq!(shows(b"\xf0\x9f\x41"), "\u{fffd}A");
    assert_eq!(shows(b"\xe2\x82\x1b[1mx"), "\u{fffd}x");
    assert_eq!(shows("a\u{fffd}b"), "a\u{fffd}b");
    assert_eq!(shows(b"\xed\xa0\x80"), "\u{fffd}\u{fffd}\u{fffd}");
}

#[test]
fn a_character_may_come_in_pieces() {
    let mut terminal = Terminal::new(10, 4);
    for byte in "é語🎉".bytes() {
        terminal.feed([byte]);
    }
    assert_eq!(terminal.text(), "é語🎉");
    let mut broken = Terminal::fed(b"\xe8\xaa");
    assert_eq!(broken.feed("x").text(), "\u{fffd}x");
}

#[test]
fn line_drawing_is_drawn() {
    assert_eq!(shows("\x1b(0lqqk\x1b(B lq"), "┌──┐ lq");
    assert_eq!(shows("\x1b)0a\x0eqx\x0fq"), "a─│q");
    assert_eq!(shows("\x1b*0a\x1bNqq"), "a─q");
    assert_eq!(shows("\x1b+0\x1boqq\x0fq"), "──q");
}

#[test]
fn national_character_sets_replace_their_characters() {
    assert_eq!(shows("\x1b(A#\x1b(B#"), "£#");
    assert_eq!(shows("\x1b(K[\\]{|}~"), "ÄÖÜäöüß");
    assert_eq!(shows("\x1b(Q@[\\"), "àâç");
}

#[test]
fn a_soft_hyphen_takes_a_column_wherever_it_goes() {
    let mut terminal = Terminal::fed("a\u{ad}b");
    assert_eq!(terminal.cursor(), (0, 3));
    assert_eq!(terminal.text(), "a\u{ad}b");
    // Through the grid's edits, a look of its own, a pending wrap, and history.
    terminal.feed("\x1b[1G\x1b[@\x1b[9;31m\x1b[2;1H012345678\u{ad}x");
    assert_eq!(terminal.text(), " a\u{ad}b|012345678\u{ad}|x");
    assert_eq!(shows("\x1b[4h1\u{ad}2\x1b[1Gx"), "x1\u{ad}2");
    assert_eq!(shows("\u{ad}\u{301}\x1b[2D\x1b[P"), "");
    assert_eq!(shows("\u{ad}\x1b[2b"), "\u{ad}\u{ad}\u{ad}");
}

#[test]
fn rep_repeats_the_last_character_with_what_joined_it() {
    assert_eq!(shows("a\x1b[3b"), "aaaa");
    assert_eq!(shows("e\u{301}\x1b[b"), "e\u{301}e\u{301}");
    assert_eq!(shows("\x1b[5bx"), "x");
    assert_eq!(shows("a\r\n\x1b[3bx"), "a|x");
    assert_eq!(shows("abc\x1b[2D\x1b[bx"), "axc");
    assert_eq!(Terminal::fed("x\x1b[65535b").text().len(), 34);
}

#[test]
fn c0_within_a_sequence_is_carried_out_and_delete_is_nothing() {
    assert_eq!(shows("ab\x1b[\r1Cx\x7f"), "ax");
    assert_eq!(shows("a\x1b[3\x18b"), "ab");
    assert_eq!(shows("a\0b"), "ab");
}

#[test]
fn c1_controls_in_utf_8_move_the_cursor_and_swallow_nothing() {
    assert_eq!(shows("a\u{85}b"), "a|b");
    assert_eq!(shows("a\u{84}b"), "a| b");
    assert_eq!(shows("a\u{9d}0;b"), "a0;b");
}

#[test]
fn tabs_go_to_every_eighth_column_until_told_otherwise() {
    assert_eq!(shows("a\tb"), "a       b");
    assert_eq!(shows("a\t\t\tb"), "a        b");
    assert_eq!(shows("\x1b[4G\x1bH\ra\tb"), "a  b");
    assert_eq!(shows("\x1b[3g\ra\tb"), "a        b");
    assert_eq!(shows("\x1b[9G\x1b[g\ra\tb"), "a        b");
    assert_eq!(shows("abcdefghi\x1b[Zx"), "abcdefghx");
    assert_eq!(shows("abcdefghi\x1b[2Zx"), "xbcdefghi");
    assert_eq!(shows("a\x1b[Ib"), "a       b");
    assert_eq!(shows("\x1b[3g\x1b[?5W\ra\tb"), "a       b");
}

#[test]
fn a_line_feed_returns_the_carriage_in_newline_mode() {
    assert_eq!(shows("ab\ncd"), "ab|  cd");
    assert_eq!(shows("\x1b[20hab\ncd"), "ab|cd");
    assert_eq!(shows("ab\x0bcd\x0cef"), "ab|  cd|    ef");
}

#[test]
fn unknown_sequences_show_nothing() {
    assert_eq!(shows("a\x1b[999zb\x1b[>1;2;3~c\x1b#3d\x1b%Ge"), "abcde");
    assert_eq!(shows("a\x1b[1;2;$$#xb"), "ab");
}
