use super::{Terminal, shows};
use crate::domain::screen::{InputModes, MouseEncoding, MouseMode};

#[test]
fn the_alternate_screen_is_another_one() {
    let mut terminal = Terminal::fed("one\x1b[?1049htwo");
    assert_eq!(
        (terminal.text(), terminal.snapshot().alternate_screen),
        ("   two".to_owned(), true)
    );
    terminal.feed("\x1b[?1049l!");
    assert_eq!(
        (terminal.text(), terminal.snapshot().alternate_screen),
        ("one!".to_owned(), false)
    );
}

#[test]
fn each_mode_of_the_alternate_screen_does_its_part() {
    assert_eq!(shows("one\x1b[?1049h\x1b[Htwo\x1b[?1049l\x1b[?47h"), "two");
    assert_eq!(shows("one\x1b[?1047h\x1b[Htwo\x1b[?1047l\x1b[?47h"), "");
    assert_eq!(
        shows("one\x1b[?1048h\x1b[2;2Htwo\x1b[?1048l!"),
        "one!|  two".replace("  two", " two")
    );
    assert_eq!(Terminal::fed("\x1b[2;3H\x1b[?47h").cursor(), (1, 2));
    assert_eq!(shows("\x1b[?1049h\x1b[Hx\x1b[?1049l\x1b[?1049h"), "");
}

#[test]
fn the_alternate_screen_never_writes_history() {
    let terminal = Terminal::fed("\x1b[?1049h1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[3S\x1b[?1049l");
    assert_eq!(terminal.history(), "");
}

#[test]
fn a_saved_cursor_belongs_to_its_screen() {
    assert_eq!(
        Terminal::fed("\x1b[2;3H\x1b7\x1b[?47h\x1b[4;4H\x1b7\x1b[?47l\x1b8").cursor(),
        (1, 2)
    );
}

#[test]
fn a_full_reset_forgets_everything() {
    let mut terminal = Terminal::fed(
        "1\r\n2\r\n3\r\n4\r\n5\x1b[?1049h\x1b[?25l\x1b[?1h\x1b[4h\x1b(0\x1b[2;3r\x1b[31m\x1b[?2026h\x1bc",
    );
    let snapshot = terminal.snapshot();
    assert_eq!(
        (terminal.text(), terminal.history()),
        (String::new(), String::new())
    );
    assert!(
        snapshot.cursor.visible && !snapshot.alternate_screen && !terminal.emulator.update_open()
    );
    assert_eq!(
        snapshot.modes,
        InputModes {
            alternate_scroll: true,
            ..InputModes::default()
        }
    );
    assert_eq!(terminal.feed("q\x1b[9B").text(), "q");
    assert_eq!(terminal.cursor(), (3, 1));
}

#[test]
fn a_soft_reset_leaves_text_and_cursor() {
    let mut terminal = Terminal::fed(
        "abc\x1b[?25l\x1b[?6h\x1b[?7l\x1b[4h\x1b(0\x1b[31;9m\x1b[?1h\x1b[2;3H\x1b[!p",
    );
    assert_eq!(
        (terminal.text(), terminal.cursor()),
        ("abc".to_owned(), (1, 2))
    );
    let snapshot = terminal.snapshot();
    assert!(snapshot.cursor.visible && !snapshot.modes.application_cursor);
    assert_eq!(terminal.feed("q\x1b8x").text(), "xbc|  q");
}

#[test]
fn changing_columns_clears_the_screen_but_setting_up_does_not() {
    assert_eq!(shows("abc\x1b[?3h"), "");
    assert_eq!(shows("abc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>"), "abc");
    assert_eq!(shows("abc\x1b[?40h\x1b[?3l"), "");
    assert_eq!(Terminal::fed("\x1b[?3h").snapshot().size.cols(), 10);
}

#[test]
fn input_modes_are_told() {
    let modes = |bytes: &str| Terminal::fed(bytes).emulator.input_modes();
    assert!(modes("\x1b[?1h").application_cursor && !modes("\x1b[?1h\x1b[?1l").application_cursor);
    assert!(modes("\x1b=").application_keypad && !modes("\x1b=\x1b>").application_keypad);
    assert!(modes("\x1b[?66h").application_keypad);
    assert!(
        modes("\x1b[?2004h").bracketed_paste
            && modes("\x1b[?1004h").focus
            && modes("\x1b[20h").newline
    );
    assert!(modes("\x1b[?67h").backarrow_sends_bs && !modes("\x1b[?1007l").alternate_scroll);
    for (number, mode) in [
        (9, MouseMode::X10),
        (1000, MouseMode::Normal),
        (1002, MouseMode::Button),
        (1003, MouseMode::Any),
    ] {
        assert_eq!(modes(&format!("\x1b[?{number}h")).mouse, mode);
        assert_eq!(
            modes(&format!("\x1b[?{number}h\x1b[?{number}l")).mouse,
            MouseMode::None
        );
    }
    for (number, encoding) in [
        (1005, MouseEncoding::Utf8),
        (1006, MouseEncoding::Sgr),
        (1015, MouseEncoding::Urxvt),
        (1016, MouseEncoding::SgrPixels),
    ] {
        assert_eq!(modes(&format!("\x1b[?{number}h")).mouse_encoding, encoding);
    }
    assert_eq!(modes("\x1b[?1000;1006h").mouse_encoding, MouseEncoding::Sgr);
}

#[test]
fn keyboard_flags_are_stacked_for_each_screen() {
    let flags = |bytes: &str| Terminal::fed(bytes).emulator.input_modes().kitty_flags;
    assert_eq!(flags("\x1b[>5u"), 5);
    assert_eq!(flags("\x1b[>5u\x1b[>1u"), 1);
    assert_eq!(flags("\x1b[>5u\x1b[>1u\x1b[<u"), 5);
    assert_eq!(flags("\x1b[>5u\x1b[>1u\x1b[<2u"), 0);
    assert_eq!(flags("\x1b[>1u\x1b[<99u"), 0);
    assert_eq!(flags("\x1b[=5u"), 5);
    assert_eq!(flags("\x1b[=5u\x1b[=2;2u"), 7);
    assert_eq!(flags("\x1b[=5u\x1b[=1;3u"), 4);
    assert_eq!(flags("\x1b[>255u"), 31);
    assert_eq!(flags("\x1b[>5u\x1b[?1049h"), 0);
    assert_eq!(flags("\x1b[>5u\x1b[?1049h\x1b[>1u\x1b[?1049l"), 5);
    assert_eq!(flags(&"\x1b[>3u".repeat(1000)), 3);
}

#[test]
fn other_keys_are_modified_when_asked() {
    let level = |bytes: &str| {
        Terminal::fed(bytes)
            .emulator
            .input_modes()
            .modify_other_keys
    };
    assert_eq!(level("\x1b[>4;2m"), 2);
    assert_eq!(level("\x1b[>4;2m\x1b[>4m"), 0);
    assert_eq!(level("\x1b[>4;2m\x1b[>4n"), 0);
    assert_eq!(level("\x1b[>4;1m\x1b[31m"), 1);
}

#[test]
fn modes_can_be_saved_and_restored() {
    let modes = Terminal::fed("\x1b[?2004h\x1b[?2004s\x1b[?2004l\x1b[?2004r")
        .emulator
        .input_modes();
    assert!(modes.bracketed_paste);
    assert_eq!(shows("\x1b[?7s\x1b[?7l\x1b[?7r0123456789a"), "0123456789|a");
}

#[test]
fn an_update_is_open_until_it_is_closed() {
    let mut terminal = Terminal::new(10, 4);
    assert!(terminal.feed("\x1b[?2026h").emulator.update_open());
    assert!(!terminal.feed("x\x1b[?2026l").emulator.update_open());
    assert!(terminal.feed("\x1bP=1s\x1b\\").emulator.update_open());
    assert!(!terminal.feed("\x1bP=2s\x1b\\").emulator.update_open());
}

#[test]
fn the_whole_screen_can_be_reversed() {
    assert!(
        Terminal::fed("\x1b[?5h").snapshot().reverse
            && !Terminal::fed("\x1b[?5h\x1b[?5l").snapshot().reverse
    );
}
