use super::{Terminal, shows};

#[test]
fn the_cursor_moves_within_the_screen() {
    let cursor = |bytes: &str| Terminal::fed(bytes).cursor();
    assert_eq!(cursor("\x1b[2;3H"), (1, 2));
    assert_eq!(cursor("\x1b[2;3f"), (1, 2));
    assert_eq!(cursor("\x1b[;3H"), (0, 2));
    assert_eq!(cursor("\x1b[99;99H"), (3, 9));
    assert_eq!(cursor("\x1b[99;99H\x1b[2A\x1b[3D"), (1, 6));
    assert_eq!(cursor("\x1b[99B\x1b[99C"), (3, 9));
    assert_eq!(cursor("\x1b[2;5H\x1b[E"), (2, 0));
    assert_eq!(cursor("\x1b[3;5H\x1b[2F"), (0, 0));
    assert_eq!(cursor("\x1b[2;5H\x1b[7G"), (1, 6));
    assert_eq!(cursor("\x1b[2;5H\x1b[7`"), (1, 6));
    assert_eq!(cursor("\x1b[2;5H\x1b[3d"), (2, 4));
    assert_eq!(cursor("\x1b[2;5H\x1b[2a\x1b[e"), (2, 6));
    assert_eq!(cursor("\x1b[0A\x1b[0;0H"), (0, 0));
    assert_eq!(cursor("\x1b[65535;65535H\x1b[65535A\x1b[65535D"), (0, 0));
}

#[test]
fn index_and_its_kin_scroll_at_the_margins() {
    assert_eq!(shows("a\x1bDb"), "a| b");
    assert_eq!(shows("a\x1bEb"), "a|b");
    assert_eq!(shows("a\x1b[1;1H\x1bMb"), "b|a");
    assert_eq!(shows("a\x1b[4;1H\x1bDb"), "|||b");
}

#[test]
fn row_margins_keep_the_rest_of_the_screen_where_it_is() {
    let full = "a\r\nb\r\nc\r\nd";
    assert_eq!(shows(format!("{full}\x1b[2;3r\x1b[3;1H\nX")), "a|c|X|d");
    assert_eq!(shows(format!("{full}\x1b[2;3r\x1b[2;1H\x1bMX")), "a|X|b|d");
    assert_eq!(shows(format!("{full}\x1b[2;3r\x1b[4;1H\nX")), "a|b|c|X");
    assert_eq!(Terminal::fed("\x1b[3;3H\x1b[2;3r").cursor(), (0, 0));
    assert_eq!(Terminal::fed("\x1b[3;3H\x1b[3;2r").cursor(), (2, 2));
}

#[test]
fn margins_stop_a_cursor_that_is_within_them() {
    assert_eq!(Terminal::fed("\x1b[2;3r\x1b[2;1H\x1b[9A").cursor(), (1, 0));
    assert_eq!(Terminal::fed("\x1b[2;3r\x1b[1;1H\x1b[9B").cursor(), (2, 0));
    assert_eq!(Terminal::fed("\x1b[2;3r\x1b[4;1H\x1b[9A").cursor(), (1, 0));
    assert_eq!(Terminal::fed("\x1b[1;2r\x1b[4;1H\x1b[A").cursor(), (2, 0));
}

#[test]
fn origin_mode_counts_from_the_margins() {
    let mut terminal = Terminal::fed("\x1b[2;3r\x1b[?6h");
    assert_eq!(terminal.cursor(), (1, 0));
    assert_eq!(terminal.feed("\x1b[9;9H").cursor(), (2, 8));
    terminal.feed("\x1b[6n\x1b[?6l\x1b[6n");
    assert_eq!(terminal.replies(), "^[[2;9R^[[1;1R");
    assert_eq!(Terminal::fed("\x1b[2;3r\x1b[?6h\x1b[2d").cursor(), (2, 0));
}

#[test]
fn side_margins_confine_text_and_scrolling() {
    let margins = "\x1b[?69h\x1b[3;6s";
    assert_eq!(shows(format!("{margins}\x1b[1;3Habcdef")), "  abcd|  ef");
    assert_eq!(
        shows(format!("0123456789\r\nabcdefghij{margins}\x1b[1;3H\x1b[L")),
        "01    6789|ab2345ghij|  cdef"
    );
    assert_eq!(
        shows(format!("0123456789{margins}\x1b[1;4H\x1b[2P")),
        "0125  6789"
    );
    assert_eq!(
        shows(format!("0123456789{margins}\x1b[1;4H\x1b[@")),
        "012 346789"
    );
    assert_eq!(
        shows(format!("0123456789{margins}\x1b[1;9H\x1b[P")),
        "0123456789"
    );
    assert_eq!(
        shows(format!("0123456789\r\nabcdefghij{margins}\x1b[S")),
        "01cdef6789|ab    ghij"
    );
    assert_eq!(
        Terminal::fed(format!("{margins}\x1b[1;5H\r")).cursor(),
        (0, 2)
    );
    assert_eq!(
        Terminal::fed(format!("{margins}\x1b[1;5H\x1b[9C")).cursor(),
        (0, 5)
    );
}

#[test]
fn side_margins_go_with_their_mode_and_leave_history_alone() {
    let mut terminal = Terminal::fed("\x1b[?69h\x1b[3;6s\x1b[9S");
    assert_eq!(terminal.history(), "");
    terminal.feed("\x1b[?69l\x1b[1;1H0123456789a");
    assert_eq!(terminal.text(), "0123456789|a");
}

#[test]
fn saved_cursors_bring_back_pen_charset_origin_and_pending_wrap() {
    assert_eq!(
        Terminal::fed("\x1b[2;3H\x1b7\x1b[4;4H\x1b8").cursor(),
        (1, 2)
    );
    assert_eq!(
        Terminal::fed("\x1b[2;3H\x1b[s\x1b[4;4H\x1b[u").cursor(),
        (1, 2)
    );
    assert_eq!(shows("\x1b(0\x1b7\x1b(B\x1b8q"), "─");
    assert_eq!(shows("0123456789\x1b7\x1b[3;3H\x1b8X"), "0123456789|X");
    assert_eq!(
        Terminal::fed("\x1b[2;3r\x1b[?6h\x1b7\x1b[?6l\x1b8\x1b[H").cursor(),
        (1, 0)
    );
    assert_eq!(Terminal::fed("\x1b[2;3H\x1b8").cursor(), (0, 0));
}

#[test]
fn reverse_wrap_goes_back_to_the_row_above() {
    assert_eq!(Terminal::fed("\x1b[?45h\x1b[2;1H\x08").cursor(), (0, 9));
    assert_eq!(Terminal::fed("\x1b[2;1H\x08").cursor(), (1, 0));
    assert_eq!(shows("\x1b[?45h0123456789ab\x08\x08\x08X"), "012345678X|ab");
}

#[test]
fn the_cursor_can_be_hidden_and_shaped() {
    use crate::domain::screen::CursorShape;
    let cursor = |bytes: &str| {
        let cursor = Terminal::fed(bytes).snapshot().cursor;
        (cursor.visible, cursor.shape, cursor.blinking)
    };
    assert_eq!(cursor(""), (true, CursorShape::Default, false));
    assert_eq!(cursor("\x1b[?25l"), (false, CursorShape::Default, false));
    assert_eq!(
        cursor("\x1b[?25l\x1b[?25h\x1b[5 q"),
        (true, CursorShape::Bar, true)
    );
    assert_eq!(
        cursor("\x1b[4 q\x1b[?12h"),
        (true, CursorShape::Underline, true)
    );
    assert_eq!(
        cursor("\x1b[2 q\x1b[9 q"),
        (true, CursorShape::Block, false)
    );
    assert_eq!(
        cursor("\x1b[2 q\x1b[ q"),
        (true, CursorShape::Default, false)
    );
}
