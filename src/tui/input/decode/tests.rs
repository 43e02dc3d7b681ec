use proptest::prelude::*;

use super::*;
use crate::domain::input::{KeyKind, MediaKey, ModifierKey, MouseButton, MouseEvent, MouseKind};

fn decode(bytes: &[u8]) -> Vec<InputEvent> {
    let mut events = Vec::new();
    let mut decoder = Decoder::default();
    decoder.feed(bytes, &mut events);
    decoder.flush(&mut events);
    events
}

fn pressed(code: KeyCode, mods: Mods) -> InputEvent {
    InputEvent::Key(KeyEvent::press(code, mods))
}

#[test]
fn legacy_keys_are_told_apart() {
    let ctrl = |c| pressed(KeyCode::Char(c), Mods::CTRL);
    let plain = |code| pressed(code, Mods::NONE);
    let table: &[(&[u8], InputEvent)] = &[
        (b"a", plain(KeyCode::Char('a'))),
        (b"\x02", ctrl('b')),
        (b"\x00", ctrl(' ')),
        (b"\x1c", ctrl('\\')),
        (b"\x1f", ctrl('_')),
        (b"\n", ctrl('j')),
        (b"\r", plain(KeyCode::Enter)),
        (b"\x7f", plain(KeyCode::Backspace)),
        (b"\x1b", plain(KeyCode::Escape)),
        (b"\x1b[", pressed(KeyCode::Char('['), Mods::ALT)),
        (b"\x1bx", pressed(KeyCode::Char('x'), Mods::ALT)),
        (
            b"\x1b\x02",
            pressed(KeyCode::Char('b'), Mods::CTRL.with(Mods::ALT)),
        ),
        ("\u{fc}".as_bytes(), plain(KeyCode::Char('\u{fc}'))),
        (b"\x1b[A", plain(KeyCode::Up)),
        (b"\x1bOA", plain(KeyCode::Up)),
        (b"\x1b\x1b[A", pressed(KeyCode::Up, Mods::ALT)),
        (b"\x1b[1;5C", pressed(KeyCode::Right, Mods::CTRL)),
        (b"\x1b[3;2~", pressed(KeyCode::Delete, Mods::SHIFT)),
        (b"\x1b[Z", pressed(KeyCode::Tab, Mods::SHIFT)),
        (b"\x1b[1;3R", pressed(KeyCode::F(3), Mods::ALT)),
        (b"\x1b[[C", plain(KeyCode::F(3))),
        (b"\x1b[24~", plain(KeyCode::F(12))),
        (b"\x1bOM", plain(KeyCode::Keypad(KeypadKey::Enter))),
        (b"\x1bOq", plain(KeyCode::Keypad(KeypadKey::Digit(1)))),
        (b"\x1b[27;5;13~", pressed(KeyCode::Enter, Mods::CTRL)),
    ];
    for (bytes, expected) in table {
        assert_eq!(decode(bytes), vec![expected.clone()], "{bytes:?}");
    }
}

#[test]
fn kitty_keys_keep_kind_modifiers_and_shifted_character() {
    let with_kind = |code, mods, kind| {
        InputEvent::Key(KeyEvent {
            kind,
            ..KeyEvent::press(code, mods)
        })
    };
    let on = |base, code, mods| {
        InputEvent::Key(KeyEvent {
            base: Some(base),
            ..KeyEvent::press(code, mods)
        })
    };
    let table: &[(&[u8], InputEvent)] = &[
        (b"\x1b[27u", pressed(KeyCode::Escape, Mods::NONE)),
        (b"\x1b[97;5u", pressed(KeyCode::Char('a'), Mods::CTRL)),
        (b"\x1b[97:65;2u", pressed(KeyCode::Char('A'), Mods::SHIFT)),
        (
            b"\x1b[49:33;2:3u",
            with_kind(KeyCode::Char('!'), Mods::SHIFT, KeyKind::Release),
        ),
        (
            b"\x1b[1;1:2A",
            with_kind(KeyCode::Up, Mods::NONE, KeyKind::Repeat),
        ),
        (
            b"\x1b[57441;2u",
            pressed(KeyCode::Modifier(ModifierKey::LeftShift), Mods::SHIFT),
        ),
        (
            b"\x1b[57430u",
            pressed(KeyCode::Media(MediaKey::PlayPause), Mods::NONE),
        ),
        (
            b"\x1b[57414;129u",
            pressed(KeyCode::Keypad(KeypadKey::Enter), Mods::NUM_LOCK),
        ),
        (b"\x1b[1089::99;5u", on('c', KeyCode::Char('с'), Mods::CTRL)),
        (
            b"\x1b[1079:1047:112;2u",
            on('p', KeyCode::Char('З'), Mods::SHIFT),
        ),
        (b"\x1b[57398u", pressed(KeyCode::F(35), Mods::NONE)),
        (b"\x1b[0;;229u", InputEvent::Text("\u{e5}".to_owned())),
    ];
    for (bytes, expected) in table {
        assert_eq!(decode(bytes), vec![expected.clone()], "{bytes:?}");
    }
}

#[test]
fn escape_twice_is_two_keys_however_it_is_cut() {
    let escape = || pressed(KeyCode::Escape, Mods::NONE);
    for cut in 0..=2 {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.feed(&b"\x1b\x1b"[..cut], &mut events);
        decoder.feed(&b"\x1b\x1b"[cut..], &mut events);
        decoder.flush(&mut events);
        assert_eq!(events, [escape(), escape()], "cut at {cut}");
    }
    // With something behind it only the last one belongs to that.
    assert_eq!(
        decode(b"\x1b\x1bx"),
        [escape(), pressed(KeyCode::Char('x'), Mods::ALT)]
    );
    assert_eq!(decode(b"\x1b\x1b[A"), [pressed(KeyCode::Up, Mods::ALT)]);
}

#[test]
fn mouse_paste_focus_and_replies_are_read() {
    let mouse = |kind, col, row, mods| {
        InputEvent::Mouse(MouseEvent {
            kind,
            row,
            col,
            mods,
        })
    };
    let table: &[(&[u8], InputEvent)] = &[
        (
            b"\x1b[<0;1;1M",
            mouse(MouseKind::Press(MouseButton::Left), 0, 0, Mods::NONE),
        ),
        (
            b"\x1b[<2;300;200m",
            mouse(MouseKind::Release(MouseButton::Right), 299, 199, Mods::NONE),
        ),
        (
            b"\x1b[<36;5;6M",
            mouse(MouseKind::Drag(MouseButton::Left), 4, 5, Mods::SHIFT),
        ),
        (b"\x1b[<35;5;6M", mouse(MouseKind::Move, 4, 5, Mods::NONE)),
        (
            b"\x1b[<65;5;6M",
            mouse(MouseKind::WheelDown, 4, 5, Mods::NONE),
        ),
        (
            b"\x1b[M !!",
            mouse(MouseKind::Press(MouseButton::Left), 0, 0, Mods::NONE),
        ),
        (b"\x1b[I", InputEvent::Focus(true)),
        (b"\x1b[?1u", InputEvent::Reply(Reply::Keyboard(1))),
        (b"\x1b[?62;4c", InputEvent::Reply(Reply::DeviceAttributes)),
        (
            b"\x1b]11;rgb:ffff/0000/8080\x1b\\",
            InputEvent::Reply(Reply::Background(Background {
                red: 0xffff,
                green: 0,
                blue: 0x8080,
            })),
        ),
        (
            b"\x1b[200~a\x1b[31mb\r\n\x1b[201~",
            InputEvent::Paste("a\x1b[31mb\r\n".to_owned()),
        ),
    ];
    for (bytes, expected) in table {
        assert_eq!(decode(bytes), vec![expected.clone()], "{bytes:?}");
    }
}

#[test]
fn noise_leaves_no_trace() {
    let mut noise = b"\x1bP".to_vec();
    noise.extend(vec![b'q'; 3 * STRING_BYTES]);
    noise.extend(b"\x1b\\\x1b[?2026;2$y\x1b[5;9;1;1;1t\xffz");
    assert_eq!(
        decode(&noise),
        vec![pressed(KeyCode::Char('z'), Mods::NONE)]
    );
}

#[test]
fn a_paste_beyond_the_limit_comes_in_pieces() {
    let text = "\u{fc}x".repeat(2 << 20);
    let mut bytes = b"\x1b[200~".to_vec();
    bytes.extend(text.as_bytes());
    bytes.extend(PASTE_END);
    let mut events = Vec::new();
    let mut decoder = Decoder::default();
    for chunk in bytes.chunks(65536) {
        decoder.feed(chunk, &mut events);
    }
    let pieces: Vec<String> = events
        .into_iter()
        .map(|event| match event {
            InputEvent::Paste(text) => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), text);
}

#[test]
fn a_paste_that_is_cut_is_told_once_and_what_is_left_of_it_is_not() {
    let mut events = Vec::new();
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~first", &mut events);
    assert!(decoder.is_in_paste());
    decoder.cut_paste(&mut events);
    decoder.cut_paste(&mut events);
    assert_eq!(events, [InputEvent::Paste("first".to_owned())]);
    events.clear();
    decoder.feed(b" second\x1b[2", &mut events);
    decoder.feed(b"01~k", &mut events);
    assert_eq!(events, [pressed(KeyCode::Char('k'), Mods::NONE)]);
    assert!(!decoder.is_in_paste() && !decoder.is_between());
    // The next one is whole again.
    events.clear();
    decoder.feed(b"\x1b[200~x\x1b[201~", &mut events);
    assert_eq!(events, [InputEvent::Paste("x".to_owned())]);
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_does_not_matter(
        parts in proptest::collection::vec(
            prop_oneof![
                Just(b"\x1b[1;5:2A".to_vec()),
                Just(b"\x1b[<0;12;7M".to_vec()),
                Just(b"\x1b[200~p\x1b[2\x1b[201~".to_vec()),
                Just(b"\x1b]11;rgb:1/2/3\x07".to_vec()),
                Just(b"\x1bOPx\x1by".to_vec()),
                Just("\u{4e16}\u{1f600}".as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 0..12),
            ],
            0..8,
        ),
        cut in 0_usize..200,
    ) {
        let bytes = parts.concat();
        let mut whole = Vec::new();
        Decoder::default().feed(&bytes, &mut whole);
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        let mut cut_up = Vec::new();
        let mut decoder = Decoder::default();
        decoder.feed(head, &mut cut_up);
        for byte in tail {
            decoder.feed(&[*byte], &mut cut_up);
        }
        prop_assert_eq!(whole, cut_up);
    }
}

#[test]
fn what_one_decoder_has_begun_the_next_ends_at_any_byte() {
    let all =
        "a\u{1b}[1;5Cb\u{1b}[200~pasted \u{e9}\u{1b}[31m text\u{1b}[201~\u{fc}\u{1b}[A".as_bytes();
    let text_of = |events: Vec<InputEvent>| {
        let mut pasted = String::new();
        let mut rest = Vec::new();
        for event in events {
            match event {
                InputEvent::Paste(text) => pasted.push_str(&text),
                other => rest.push(other),
            }
        }
        (pasted, rest)
    };
    let expected = text_of(decode(all));
    for cut in 0..=all.len() {
        let mut events = Vec::new();
        let mut first = Decoder::default();
        first.feed(&all[..cut], &mut events);
        let begun = first.hand_on(&mut events);
        let mut second = Decoder::default();
        second.go_on(&begun, &mut events);
        second.feed(&all[cut..], &mut events);
        second.flush(&mut events);
        assert_eq!(text_of(events), expected, "cut at {cut}");
    }
}

#[test]
fn answers_to_questions_that_were_asked_in_the_middle_of_a_paste_are_no_part_of_it() {
    let mut events = Vec::new();
    let mut decoder = Decoder::default();
    decoder.go_on(b"\x1b[200~", &mut events);
    let rest = b"one\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?62;22c two \x1b[?62;22c\x1b[201~";
    for byte in rest {
        decoder.feed(&[*byte], &mut events);
    }
    let (replies, rest): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| matches!(event, InputEvent::Reply(_)));
    assert_eq!(replies.len(), 2);
    let text = "one two \x1b[?62;22c".to_owned();
    assert_eq!(
        rest,
        [InputEvent::Paste(text)],
        "after the last answer all is text"
    );
}
