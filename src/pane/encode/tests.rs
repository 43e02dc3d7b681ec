use proptest::prelude::*;

use super::*;
use crate::domain::chord::Chord;
use crate::domain::input::{
    KeyCode, KeypadKey, MediaKey, ModifierKey, Mods, MouseButton, MouseEvent, MouseKind,
};
use crate::domain::screen::{MouseEncoding, MouseMode};

fn bytes(input: &Input, modes: &InputModes) -> String {
    let mut out = Vec::new();
    encode(input, modes, false, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn chords_of_other_layouts_arrive_as_from_a_us_layout() {
    let on = |c, base, mods| {
        Input::Key(KeyEvent {
            base: Some(base),
            ..KeyEvent::press(KeyCode::Char(c), mods)
        })
    };
    let kitty = |kitty_flags| InputModes {
        kitty_flags,
        ..InputModes::default()
    };
    for (input, legacy, told_apart, with_alternates) in [
        (
            on('с', 'c', Mods::CTRL),
            "\x03",
            "\x1b[99;5u",
            "\x1b[1089::99;5u",
        ),
        (
            on('в', 'd', Mods::CTRL),
            "\x04",
            "\x1b[100;5u",
            "\x1b[1074::100;5u",
        ),
        (
            on('и', 'b', Mods::ALT),
            "\x1bb",
            "\x1b[98;3u",
            "\x1b[1080::98;3u",
        ),
        // What is typed stays what is typed.
        (on('с', 'c', Mods::NONE), "с", "с", "с"),
        (on('З', 'p', Mods::SHIFT), "З", "З", "З"),
        (
            on('a', 'q', Mods::CTRL),
            "\x01",
            "\x1b[97;5u",
            "\x1b[97::113;5u",
        ),
    ] {
        assert_eq!(bytes(&input, &kitty(0)), legacy);
        assert_eq!(bytes(&input, &kitty(1)), told_apart);
        assert_eq!(bytes(&input, &kitty(1 | 4)), with_alternates);
    }
    let shifted = on('З', 'p', Mods::SHIFT.with(Mods::CTRL));
    assert_eq!(bytes(&shifted, &kitty(1 | 4)), "\x1b[1079:1047:112;6u");
}

/// The bytes of the press of a chord; the keypad's keys come without Num Lock.
fn key_bytes(chord: &str, modes: &InputModes) -> String {
    let chord: Chord = chord.parse().unwrap();
    bytes(&Input::Key(chord.event()), modes)
}

fn event_bytes(code: KeyCode, held: Mods, kind: KeyKind, kitty_flags: u8) -> String {
    let event = KeyEvent {
        code,
        mods: held,
        kind,
        base: None,
    };
    let modes = InputModes {
        kitty_flags,
        ..InputModes::default()
    };
    bytes(&Input::Key(event), &modes)
}

fn check(modes: &InputModes, cases: &[(&str, &str)]) {
    for (chord, wanted) in cases {
        assert_eq!(key_bytes(chord, modes), *wanted, "{chord} with {modes:?}");
    }
}

#[test]
fn keys_without_modes_are_xterms() {
    check(
        &InputModes::default(),
        &[
            ("a", "a"),
            ("A", "A"),
            ("é", "é"),
            ("alt-a", "\x1ba"),
            ("alt-A", "\x1bA"),
            ("alt-é", "\x1bé"),
            ("ctrl-a", "\x01"),
            ("ctrl-z", "\x1a"),
            ("ctrl-shift-a", "\x01"),
            ("ctrl-alt-a", "\x1b\x01"),
            ("ctrl-space", "\0"),
            ("ctrl-alt-space", "\x1b\0"),
            ("ctrl-@", "\0"),
            ("ctrl-2", "\0"),
            ("ctrl-3", "\x1b"),
            ("ctrl-[", "\x1b"),
            ("ctrl-4", "\x1c"),
            ("ctrl-\\", "\x1c"),
            ("ctrl-5", "\x1d"),
            ("ctrl-]", "\x1d"),
            ("ctrl-6", "\x1e"),
            ("ctrl-^", "\x1e"),
            ("ctrl-~", "\x1e"),
            ("ctrl-7", "\x1f"),
            ("ctrl-_", "\x1f"),
            ("ctrl-/", "\x1f"),
            ("ctrl-8", "\x7f"),
            ("ctrl-?", "\x7f"),
            ("ctrl-1", "1"),
            ("ctrl-9", "9"),
            ("ctrl-0", "0"),
            ("ctrl-.", "."),
            ("ctrl-;", ";"),
            ("enter", "\r"),
            ("shift-enter", "\r"),
            ("ctrl-enter", "\r"),
            ("alt-enter", "\x1b\r"),
            ("esc", "\x1b"),
            ("alt-esc", "\x1b\x1b"),
            ("tab", "\t"),
            ("shift-tab", "\x1b[Z"),
            ("alt-tab", "\x1b\t"),
            ("backspace", "\x7f"),
            ("ctrl-backspace", "\x08"),
            ("alt-backspace", "\x1b\x7f"),
            ("space", " "),
            ("shift-space", " "),
            ("alt-space", "\x1b "),
        ],
    );
}

#[test]
fn keys_without_characters_are_xterms() {
    check(
        &InputModes::default(),
        &[
            ("up", "\x1b[A"),
            ("down", "\x1b[B"),
            ("right", "\x1b[C"),
            ("left", "\x1b[D"),
            ("home", "\x1b[H"),
            ("end", "\x1b[F"),
            ("shift-up", "\x1b[1;2A"),
            ("alt-up", "\x1b[1;3A"),
            ("alt-shift-up", "\x1b[1;4A"),
            ("ctrl-up", "\x1b[1;5A"),
            ("ctrl-shift-left", "\x1b[1;6D"),
            ("ctrl-alt-right", "\x1b[1;7C"),
            ("ctrl-alt-shift-end", "\x1b[1;8F"),
            ("insert", "\x1b[2~"),
            ("delete", "\x1b[3~"),
            ("shift-delete", "\x1b[3;2~"),
            ("pageup", "\x1b[5~"),
            ("pagedown", "\x1b[6~"),
            ("ctrl-pagedown", "\x1b[6;5~"),
            ("menu", "\x1b[29~"),
            ("f1", "\x1bOP"),
            ("f2", "\x1bOQ"),
            ("f3", "\x1bOR"),
            ("f4", "\x1bOS"),
            ("shift-f1", "\x1b[1;2P"),
            ("ctrl-f4", "\x1b[1;5S"),
            ("f5", "\x1b[15~"),
            ("f6", "\x1b[17~"),
            ("f10", "\x1b[21~"),
            ("f11", "\x1b[23~"),
            ("f12", "\x1b[24~"),
            ("shift-f5", "\x1b[15;2~"),
            ("alt-f12", "\x1b[24;3~"),
            ("f13", "\x1b[25~"),
            ("f14", "\x1b[26~"),
            ("f15", "\x1b[28~"),
            ("f16", "\x1b[29~"),
            ("f17", "\x1b[31~"),
            ("f20", "\x1b[34~"),
            ("f21", "\x1b[20;2~"),
            ("f25", "\x1b[1;5P"),
            ("f35", "\x1b[23;5~"),
            ("kp-5", "5"),
            ("kp-add", "+"),
            ("kp-enter", "\r"),
            ("kp-up", "\x1b[A"),
            ("kp-begin", "\x1b[E"),
            ("ctrl-kp-begin", "\x1b[1;5E"),
            ("super-k", ""),
            ("super-up", "\x1b[1;9A"),
            ("pause", ""),
            ("capslock", ""),
        ],
    );
}

#[test]
fn cursor_keys_follow_application_mode_unless_modified() {
    let modes = InputModes {
        application_cursor: true,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("up", "\x1bOA"),
            ("left", "\x1bOD"),
            ("home", "\x1bOH"),
            ("end", "\x1bOF"),
            ("kp-up", "\x1bOA"),
            ("ctrl-up", "\x1b[1;5A"),
            ("delete", "\x1b[3~"),
            ("a", "a"),
        ],
    );
}

#[test]
fn the_keypad_follows_application_mode_unless_modified_or_num_lock_is_on() {
    let modes = InputModes {
        application_keypad: true,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("kp-0", "\x1bOp"),
            ("kp-9", "\x1bOy"),
            ("kp-decimal", "\x1bOn"),
            ("kp-divide", "\x1bOo"),
            ("kp-multiply", "\x1bOj"),
            ("kp-subtract", "\x1bOm"),
            ("kp-add", "\x1bOk"),
            ("kp-separator", "\x1bOl"),
            ("kp-equal", "\x1bOX"),
            ("kp-enter", "\x1bOM"),
            ("kp-left", "\x1b[D"),
            ("alt-kp-5", "\x1b5"),
            ("5", "5"),
            ("enter", "\r"),
        ],
    );
    let five = KeyEvent::press(KeyCode::Keypad(KeypadKey::Digit(5)), Mods::NUM_LOCK);
    assert_eq!(bytes(&Input::Key(five), &modes), "5");
}

#[test]
fn enter_and_backspace_follow_their_modes() {
    let modes = InputModes {
        newline: true,
        backarrow_sends_bs: true,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("enter", "\r\n"),
            ("kp-enter", "\r\n"),
            ("backspace", "\x08"),
            ("ctrl-backspace", "\x7f"),
            ("alt-backspace", "\x1b\x08"),
        ],
    );
}

#[test]
fn modify_other_keys_one_writes_what_had_no_meaning_of_old() {
    let modes = InputModes {
        modify_other_keys: 1,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("a", "a"),
            ("A", "A"),
            ("ctrl-a", "\x01"),
            ("alt-a", "\x1ba"),
            ("ctrl-space", "\0"),
            ("ctrl-3", "\x1b"),
            ("ctrl-1", "\x1b[27;5;49~"),
            ("ctrl-.", "\x1b[27;5;46~"),
            ("ctrl-shift-a", "\x1b[27;6;65~"),
            ("enter", "\r"),
            ("alt-enter", "\x1b\r"),
            ("shift-enter", "\x1b[27;2;13~"),
            ("ctrl-enter", "\x1b[27;5;13~"),
            ("ctrl-tab", "\x1b[27;5;9~"),
            ("shift-tab", "\x1b[Z"),
            ("ctrl-shift-tab", "\x1b[27;6;9~"),
            ("esc", "\x1b"),
            ("ctrl-up", "\x1b[1;5A"),
        ],
    );
}

#[test]
fn modify_other_keys_two_writes_all_modified_keys() {
    let modes = InputModes {
        modify_other_keys: 2,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("a", "a"),
            ("A", "A"),
            ("|", "|"),
            ("ctrl-a", "\x1b[27;5;97~"),
            ("alt-a", "\x1b[27;3;97~"),
            ("alt-A", "\x1b[27;3;65~"),
            ("ctrl-shift-a", "\x1b[27;6;65~"),
            ("ctrl-space", "\x1b[27;5;32~"),
            ("shift-space", "\x1b[27;2;32~"),
            ("enter", "\r"),
            ("shift-enter", "\x1b[27;2;13~"),
            ("alt-enter", "\x1b[27;3;13~"),
            ("tab", "\t"),
            ("shift-tab", "\x1b[Z"),
            ("alt-tab", "\x1b[27;3;9~"),
            ("esc", "\x1b"),
            ("alt-esc", "\x1b[27;3;27~"),
            ("backspace", "\x7f"),
            ("ctrl-backspace", "\x08"),
            ("alt-backspace", "\x1b[27;3;127~"),
            ("ctrl-up", "\x1b[1;5A"),
            ("f1", "\x1bOP"),
        ],
    );
}

#[test]
fn kitty_disambiguation_leaves_typing_alone() {
    let modes = InputModes {
        kitty_flags: 1,
        application_cursor: true,
        application_keypad: true,
        modify_other_keys: 2,
        ..InputModes::default()
    };
    check(
        &modes,
        &[
            ("a", "a"),
            ("A", "A"),
            ("é", "é"),
            ("space", " "),
            ("shift-space", " "),
            ("ctrl-a", "\x1b[97;5u"),
            ("ctrl-shift-a", "\x1b[97;6u"),
            ("alt-a", "\x1b[97;3u"),
            ("alt-A", "\x1b[97;4u"),
            ("ctrl-alt-a", "\x1b[97;7u"),
            ("ctrl-space", "\x1b[32;5u"),
            ("ctrl-/", "\x1b[47;5u"),
            ("super-k", "\x1b[107;9u"),
            ("esc", "\x1b[27u"),
            ("alt-esc", "\x1b[27;3u"),
            ("enter", "\r"),
            ("shift-enter", "\x1b[13;2u"),
            ("alt-enter", "\x1b[13;3u"),
            ("tab", "\t"),
            ("shift-tab", "\x1b[9;2u"),
            ("backspace", "\x7f"),
            ("ctrl-backspace", "\x1b[127;5u"),
            ("up", "\x1b[A"),
            ("ctrl-up", "\x1b[1;5A"),
            ("home", "\x1b[H"),
            ("delete", "\x1b[3~"),
            ("f1", "\x1b[P"),
            ("f2", "\x1b[Q"),
            ("f3", "\x1b[13~"),
            ("shift-f3", "\x1b[13;2~"),
            ("f4", "\x1b[S"),
            ("f5", "\x1b[15~"),
            ("f12", "\x1b[24~"),
            ("f13", "\x1b[57376u"),
            ("f35", "\x1b[57398u"),
            ("printscreen", "\x1b[57361u"),
            ("pause", "\x1b[57362u"),
            ("menu", "\x1b[57363u"),
            ("capslock", ""),
            ("kp-5", "5"),
            ("kp-add", "+"),
            ("ctrl-kp-5", "\x1b[57404;5u"),
            ("kp-enter", "\x1b[57414u"),
            ("kp-left", "\x1b[57417u"),
            ("kp-delete", "\x1b[57426u"),
            ("kp-begin", "\x1b[E"),
        ],
    );
    let lock = Mods::NUM_LOCK.with(Mods::CTRL);
    let ctrl_a = event_bytes(KeyCode::Char('a'), lock, KeyKind::Press, 1);
    assert_eq!(ctrl_a, "\x1b[97;5u", "locks are not told with text keys");
    let up = event_bytes(KeyCode::Up, Mods::NUM_LOCK, KeyKind::Press, 1);
    assert_eq!(up, "\x1b[1;129A");
    let enter = event_bytes(KeyCode::Enter, Mods::CAPS_LOCK, KeyKind::Press, 1);
    assert_eq!(enter, "\r");
}

#[test]
fn kitty_event_types_tell_repeats_and_releases() {
    use KeyKind::{Press, Release, Repeat};
    let a = KeyCode::Char('a');
    let cases = [
        (a, Mods::NONE, Press, 3, "a"),
        (a, Mods::NONE, Repeat, 3, "a"),
        (a, Mods::NONE, Release, 3, "\x1b[97;1:3u"),
        (a, Mods::CTRL, Press, 3, "\x1b[97;5u"),
        (a, Mods::CTRL, Repeat, 3, "\x1b[97;5:2u"),
        (a, Mods::CTRL, Release, 3, "\x1b[97;5:3u"),
        (a, Mods::CTRL, Repeat, 1, "\x1b[97;5u"),
        (a, Mods::CTRL, Release, 1, ""),
        (a, Mods::CTRL, Press, 2, "\x01"),
        (a, Mods::CTRL, Release, 2, "\x1b[97;5:3u"),
        (a, Mods::NONE, Release, 0, ""),
        (a, Mods::NONE, Repeat, 0, "a"),
        (KeyCode::Up, Mods::NONE, Press, 3, "\x1b[A"),
        (KeyCode::Up, Mods::NONE, Repeat, 3, "\x1b[1;1:2A"),
        (KeyCode::Up, Mods::SHIFT, Release, 3, "\x1b[1;2:3A"),
        (KeyCode::Up, Mods::NONE, Release, 2, "\x1b[1;1:3A"),
        (KeyCode::Delete, Mods::NONE, Release, 3, "\x1b[3;1:3~"),
        (KeyCode::Escape, Mods::NONE, Press, 2, "\x1b"),
        (KeyCode::Escape, Mods::NONE, Release, 2, "\x1b[27;1:3u"),
        (KeyCode::Enter, Mods::NONE, Repeat, 3, "\r"),
        (KeyCode::Enter, Mods::NONE, Release, 3, ""),
        (KeyCode::Tab, Mods::NONE, Release, 3, ""),
        (KeyCode::Backspace, Mods::NONE, Release, 3, ""),
        (KeyCode::Enter, Mods::NONE, Release, 11, "\x1b[13;1:3u"),
    ];
    for (code, mods, kind, flags, wanted) in cases {
        let got = event_bytes(code, mods, kind, flags);
        assert_eq!(got, wanted, "{code:?} {mods:?} {kind:?} {flags}");
    }
}

#[test]
fn kitty_all_as_escapes_tells_every_key() {
    use KeyKind::{Press, Release};
    let left_shift = KeyCode::Modifier(ModifierKey::LeftShift);
    let level_five = KeyCode::Modifier(ModifierKey::IsoLevel5Shift);
    let five = KeyCode::Keypad(KeypadKey::Digit(5));
    let caps = Mods::CAPS_LOCK;
    let shift = Mods::SHIFT;
    let cases = [
        (KeyCode::Char('a'), Mods::NONE, Press, 8, "\x1b[97u"),
        (KeyCode::Char('A'), shift, Press, 8, "\x1b[97;2u"),
        (KeyCode::Char('A'), Mods::NONE, Press, 8, "\x1b[97;2u"),
        (KeyCode::Char('A'), caps, Press, 8, "\x1b[97;65u"),
        (KeyCode::Char('A'), shift, Press, 12, "\x1b[97:65;2u"),
        (KeyCode::Char('a'), Mods::NONE, Press, 12, "\x1b[97u"),
        (KeyCode::Char('a'), Mods::NONE, Press, 24, "\x1b[97;;97u"),
        (KeyCode::Char('A'), shift, Press, 24, "\x1b[97;2;65u"),
        (KeyCode::Char('A'), shift, Press, 31, "\x1b[97:65;2;65u"),
        (KeyCode::Char('A'), shift, Release, 31, "\x1b[97:65;2:3u"),
        (KeyCode::Char('a'), Mods::CTRL, Press, 31, "\x1b[97;5u"),
        (KeyCode::Char('é'), Mods::NONE, Press, 24, "\x1b[233;;233u"),
        (KeyCode::Char('!'), shift, Press, 31, "\x1b[33;2;33u"),
        (KeyCode::Char(' '), Mods::NONE, Press, 24, "\x1b[32;;32u"),
        (KeyCode::Enter, Mods::NONE, Press, 31, "\x1b[13u"),
        (KeyCode::Tab, Mods::NONE, Press, 8, "\x1b[9u"),
        (KeyCode::Backspace, Mods::NONE, Press, 8, "\x1b[127u"),
        (KeyCode::Escape, Mods::NONE, Press, 8, "\x1b[27u"),
        (KeyCode::Up, Mods::NONE, Press, 8, "\x1b[A"),
        (KeyCode::CapsLock, caps, Press, 8, "\x1b[57358;65u"),
        (left_shift, shift, Press, 8, "\x1b[57441;2u"),
        (level_five, Mods::NONE, Press, 8, "\x1b[57454u"),
        (left_shift, shift, Press, 1, ""),
        (five, Mods::NUM_LOCK, Press, 24, "\x1b[57404;129;53u"),
        (
            KeyCode::Media(MediaKey::MuteVolume),
            Mods::NONE,
            Press,
            8,
            "\x1b[57440u",
        ),
    ];
    for (code, mods, kind, flags, wanted) in cases {
        let got = event_bytes(code, mods, kind, flags);
        assert_eq!(got, wanted, "{code:?} {mods:?} {kind:?} {flags}");
    }
}

#[test]
fn kitty_text_or_alternates_alone_change_nothing() {
    for kitty_flags in [4, 16, 20] {
        let modes = InputModes {
            kitty_flags,
            application_cursor: true,
            ..InputModes::default()
        };
        check(
            &modes,
            &[("ctrl-a", "\x01"), ("up", "\x1bOA"), ("f1", "\x1bOP")],
        );
    }
}

fn mouse(kind: MouseKind, row: u16, col: u16, mods: Mods) -> Input {
    Input::Mouse(MouseEvent {
        kind,
        row,
        col,
        mods,
    })
}

fn mouse_modes(mouse: MouseMode, mouse_encoding: MouseEncoding) -> InputModes {
    InputModes {
        mouse,
        mouse_encoding,
        ..InputModes::default()
    }
}

#[test]
fn each_mouse_mode_tells_its_events() {
    use MouseKind::{Drag, Move, Press, Release, WheelUp};
    let left = MouseButton::Left;
    let events = [Press(left), Release(left), Drag(left), Move, WheelUp];
    let told = |mode| {
        let modes = mouse_modes(mode, MouseEncoding::Sgr);
        events.map(|kind| bytes(&mouse(kind, 1, 2, Mods::CTRL), &modes))
    };
    let (press, release) = ("\x1b[<16;3;2M", "\x1b[<16;3;2m");
    let (drag, moved, wheel) = ("\x1b[<48;3;2M", "\x1b[<51;3;2M", "\x1b[<80;3;2M");
    assert_eq!(told(MouseMode::None), ["", "", "", "", ""]);
    assert_eq!(told(MouseMode::X10), ["\x1b[<0;3;2M", "", "", "", ""]);
    assert_eq!(told(MouseMode::Normal), [press, release, "", "", wheel]);
    assert_eq!(told(MouseMode::Button), [press, release, drag, "", wheel]);
    assert_eq!(told(MouseMode::Any), [press, release, drag, moved, wheel]);
}

#[test]
fn each_mouse_encoding_writes_its_form() {
    let told = |encoding, input: &Input| {
        let mut out = Vec::new();
        let modes = mouse_modes(MouseMode::Any, encoding);
        encode(input, &modes, false, &mut out);
        out
    };
    let press = mouse(MouseKind::Press(MouseButton::Right), 1, 2, Mods::NONE);
    let release = mouse(MouseKind::Release(MouseButton::Right), 1, 2, Mods::ALT);
    let wheel = mouse(MouseKind::WheelRight, 0, 0, Mods::SHIFT);
    let far = mouse(MouseKind::Press(MouseButton::Left), 299, 2999, Mods::NONE);
    let cases: [(MouseEncoding, [&[u8]; 4]); 5] = [
        (
            MouseEncoding::Default,
            [
                b"\x1b[M\"#\"",
                b"\x1b[M+#\"",
                b"\x1b[Mg!!",
                b"\x1b[M \xff\xff",
            ],
        ),
        (
            MouseEncoding::Utf8,
            [
                b"\x1b[M\"#\"",
                b"\x1b[M+#\"",
                b"\x1b[Mg!!",
                b"\x1b[M \xdf\xbf\xc5\x8c",
            ],
        ),
        (
            MouseEncoding::Urxvt,
            [
                b"\x1b[34;3;2M",
                b"\x1b[43;3;2M",
                b"\x1b[103;1;1M",
                b"\x1b[32;3000;300M",
            ],
        ),
        (
            MouseEncoding::Sgr,
            [
                b"\x1b[<2;3;2M",
                b"\x1b[<10;3;2m",
                b"\x1b[<71;1;1M",
                b"\x1b[<0;3000;300M",
            ],
        ),
        (
            MouseEncoding::SgrPixels,
            [
                b"\x1b[<2;17;17M",
                b"\x1b[<10;17;17m",
                b"\x1b[<71;1;1M",
                b"\x1b[<0;23993;4785M",
            ],
        ),
    ];
    for (encoding, wanted) in cases {
        let got = [&press, &release, &wheel, &far].map(|input| told(encoding, input));
        assert_eq!(got, wanted.map(<[u8]>::to_vec), "{encoding:?}");
    }
}

#[test]
fn the_wheel_is_cursor_keys_on_the_alternate_screen_of_a_program_without_mouse() {
    let told = |kind, modes: &InputModes, alternate| {
        let mut out = Vec::new();
        encode(&mouse(kind, 0, 0, Mods::NONE), modes, alternate, &mut out);
        String::from_utf8(out).unwrap()
    };
    let mut modes = InputModes {
        alternate_scroll: true,
        ..InputModes::default()
    };
    assert_eq!(told(MouseKind::WheelUp, &modes, true), "\x1b[A\x1b[A\x1b[A");
    assert_eq!(told(MouseKind::WheelLeft, &modes, true), "");
    assert_eq!(told(MouseKind::WheelUp, &modes, false), "");
    modes.application_cursor = true;
    assert_eq!(
        told(MouseKind::WheelDown, &modes, true),
        "\x1bOB\x1bOB\x1bOB"
    );
    modes.mouse = MouseMode::Normal;
    modes.mouse_encoding = MouseEncoding::Sgr;
    assert_eq!(told(MouseKind::WheelDown, &modes, true), "\x1b[<65;1;1M");
    modes = InputModes::default();
    assert_eq!(told(MouseKind::WheelUp, &modes, true), "");
}

#[test]
fn a_paste_is_text_and_line_ends_alone() {
    let paste = |text: &str, bracketed_paste| {
        let modes = InputModes {
            bracketed_paste,
            ..InputModes::default()
        };
        bytes(&Input::Paste(text.to_owned()), &modes)
    };
    let nasty = "a\tb\r\nc\nd\re\u{1b}[201~\u{9b}201~\0\u{7f}\u{3}é€😀\n\n";
    let clean = "a\tb\rc\rd\re[201~201~é€😀\r\r";
    assert_eq!(paste(nasty, false), clean);
    assert_eq!(paste(nasty, true), format!("\x1b[200~{clean}\x1b[201~"));
    assert_eq!(paste("", false), "");
    assert_eq!(paste("", true), "\x1b[200~\x1b[201~");
}

#[test]
fn focus_is_told_where_asked_for() {
    let mut modes = InputModes::default();
    assert_eq!(bytes(&Input::Focus(true), &modes), "");
    modes.focus = true;
    assert_eq!(bytes(&Input::Focus(true), &modes), "\x1b[I");
    assert_eq!(bytes(&Input::Focus(false), &modes), "\x1b[O");
}

#[test]
fn text_and_bytes_go_as_they_are() {
    let modes = InputModes {
        kitty_flags: 31,
        bracketed_paste: true,
        ..InputModes::default()
    };
    assert_eq!(
        bytes(&Input::Text("é\u{3}\n".to_owned()), &modes),
        "é\u{3}\n"
    );
    assert_eq!(bytes(&Input::Bytes(b"\x1b[x".to_vec()), &modes), "\x1b[x");
}

proptest! {
    #[test]
    fn a_paste_never_ends_its_own_brackets(text in "(\\PC|\u{1b}|\u{9b}|\\[|201~|\n|\r|\u{0}){0,60}") {
        let modes = InputModes { bracketed_paste: true, ..InputModes::default() };
        let all = bytes(&Input::Paste(text), &modes);
        let inner = all.strip_prefix("\x1b[200~").and_then(|rest| rest.strip_suffix("\x1b[201~"));
        let inner = inner.unwrap();
        prop_assert!(inner.chars().all(|c| !c.is_control() || c == '\t' || c == '\r'), "{:?}", inner);
    }

    #[test]
    fn every_key_in_every_mode_is_one_sequence_or_text(
        key in 0..200u32, mods in any::<u8>(), kind in 0..3u8, flags in 0..32u8, level in 0..3u8, app in any::<bool>(),
    ) {
        let code = match key {
            0..=34 => KeyCode::F(u8::try_from(key).unwrap() + 1),
            35 => KeyCode::Enter,
            36 => KeyCode::Escape,
            37 => KeyCode::Tab,
            38 => KeyCode::Backspace,
            39 => KeyCode::Keypad(KeypadKey::Enter),
            40 => KeyCode::Keypad(KeypadKey::Digit(7)),
            41 => KeyCode::Home,
            _ => KeyCode::Char(char::from_u32(key).unwrap()),
        };
        let bits = [Mods::SHIFT, Mods::ALT, Mods::CTRL, Mods::SUPER, Mods::HYPER, Mods::META, Mods::CAPS_LOCK,
            Mods::NUM_LOCK];
        let held = bits.into_iter().enumerate().filter(|(bit, _)| mods & (1 << bit) != 0);
        let mods = held.fold(Mods::NONE, |all, (_, one)| all.with(one));
        let kind = [KeyKind::Press, KeyKind::Repeat, KeyKind::Release][usize::from(kind)];
        let modes = InputModes {
            kitty_flags: flags, modify_other_keys: level, application_cursor: app, application_keypad: app,
            ..InputModes::default()
        };
        let got = bytes(&Input::Key(KeyEvent { code, mods, kind, base: None }), &modes);
        if kind == KeyKind::Release && flags & 2 == 0 {
            prop_assert_eq!(&got, "");
        }
        // Alt puts an escape before a key that has a sequence already.
        let sequence = got.strip_prefix("\x1b").filter(|rest| rest.starts_with("\x1b[")).unwrap_or(&got);
        if let Some(rest) = sequence.strip_prefix("\x1b[").filter(|rest| !rest.is_empty()) {
            let parameters = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == ':');
            prop_assert!(parameters.len() == 1, "{:?}", got);
        } else {
            prop_assert!(got.chars().count() <= 3, "{:?}", got);
        }
    }
}
