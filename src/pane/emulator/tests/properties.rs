use std::sync::Arc;

use proptest::prelude::*;

use super::super::{Emulator, EmulatorEvent, Feedback};
use super::Terminal;
use crate::domain::size::Size;

/// What a program does, and what its window does.
#[derive(Clone, Debug)]
enum Step {
    Feed(Vec<u8>),
    Resize(u16, u16),
}

/// Output as programs write it, and as they should not.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        "[a-z ]{0,30}",
        Just("語文字".to_owned()),
        Just("e\u{301}".to_owned()),
        Just("❤\u{fe0f}".to_owned()),
        Just("👨\u{200d}👩".to_owned()),
        Just("\u{fffd}\u{e0205}\u{9b}".to_owned()),
    ];
    let control = prop::sample::select(vec![
        "\r\n", "\n", "\r", "\t", "\x08", "\x0e", "\x0f", "\x07",
    ]);
    let escape = prop::sample::select(vec![
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1bH",
        "\x1b6",
        "\x1b9",
        "\x1bc",
        "\x1b#8",
        "\x1b(0",
        "\x1b(B",
        "\x1b)0",
        "\x1b[!p",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[20h",
        "\x1b[20l",
        "\x1b[1\"q",
        "\x1b[0\"q",
        "\x1b[?2J",
        "\x1b[?K",
        "\x1b]8;;http://a/\x07",
        "\x1b]8;;\x07",
        "\x1b]2;title\x07",
        "\x1bP$qm\x1b\\",
        "\x1b[6n",
    ]);
    let csi = (
        0u16..14,
        0u16..14,
        prop::sample::select(b"@ABCDEFGHIJKLMPSTXZ`abdefgrsu".to_vec()),
    )
        .prop_map(|(one, two, last)| format!("\x1b[{one};{two}{}", char::from(last)));
    let sgr = prop::collection::vec(
        prop::sample::select(vec![0, 1, 2, 4, 7, 9, 21, 31, 42, 53, 100]),
        0..4,
    )
    .prop_map(|codes| {
        format!(
            "\x1b[{}m",
            codes
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(";")
        )
    });
    let mode = (
        prop::sample::select(vec![1, 3, 5, 6, 7, 25, 45, 47, 69, 1047, 1048, 1049, 2026]),
        any::<bool>(),
    )
        .prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }));
    let lines =
        (1usize..25).prop_map(|count| "a line \x1b[32mof\x1b[m text\x1b[K\r\n".repeat(count));
    let known = prop_oneof![
        text.boxed(),
        control.prop_map(str::to_owned).boxed(),
        escape.prop_map(str::to_owned).boxed(),
        csi.boxed(),
        sgr.boxed(),
        mode.boxed(),
        lines.boxed(),
    ];
    prop_oneof![9 => known.prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..20)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => output().prop_map(Step::Feed),
        1 => (2u16..30, 2u16..12).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
    ];
    prop::collection::vec(step, 0..60)
}

/// Everything that can be read of an emulator.
fn all(emulator: &Emulator) -> String {
    let snapshot = emulator.snapshot(None);
    format!(
        "{snapshot:?} {:?} {:?}",
        emulator.extent(),
        emulator.rows(0..u64::MAX)
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_the_stream_anywhere_and_looking_in_between_changes_nothing(
        steps in steps(),
        history in prop::sample::select(vec![0usize, 3, 100]),
        size in 1usize..6,
    ) {
        let mut whole = Emulator::new(Size::clamped(20, 6), history);
        let mut pieces = Emulator::new(Size::clamped(20, 6), history);
        let (mut one, mut other) = (Feedback::default(), Feedback::default());
        for step in &steps {
            match step {
                Step::Feed(bytes) => {
                    whole.feed(bytes, &mut one);
                    for piece in bytes.chunks(size) {
                        pieces.feed(piece, &mut other);
                        pieces.snapshot(None);
                    }
                }
                Step::Resize(cols, rows) => {
                    whole.resize(Size::clamped(*cols, *rows));
                    pieces.resize(Size::clamped(*cols, *rows));
                }
            }
        }
        prop_assert!(!one.events.contains(&EmulatorEvent::Reset));
        prop_assert_eq!(all(&whole), all(&pieces));
        prop_assert_eq!(one.replies, other.replies);
    }

    #[test]
    fn a_snapshot_shares_the_rows_that_did_not_change_and_no_others(steps in steps()) {
        let mut emulator = Emulator::new(Size::clamped(20, 6), 50);
        let mut feedback = Feedback::default();
        let mut previous = emulator.snapshot(None);
        for step in &steps {
            match step {
                Step::Feed(bytes) => emulator.feed(bytes, &mut feedback),
                Step::Resize(cols, rows) => emulator.resize(Size::clamped(*cols, *rows)),
            }
            let snapshot = emulator.snapshot(Some(&previous));
            prop_assert_eq!(snapshot.rows.len(), usize::from(snapshot.size.rows()));
            for (row, older) in snapshot.rows.iter().zip(&previous.rows) {
                prop_assert_eq!(row.cells.len(), usize::from(snapshot.size.cols()));
                prop_assert_eq!(Arc::ptr_eq(row, older), row == older);
            }
            // Rows that have become more on a smaller width are kept.
            prop_assert!(snapshot.rewraps > 0 || snapshot.top - snapshot.history_start <= 50);
            prop_assert!(snapshot.cursor.row < snapshot.size.rows() && snapshot.cursor.col < snapshot.size.cols());
            previous = snapshot;
        }
    }

    #[test]
    fn any_bytes_at_any_size_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000), sizes in prop::collection::vec((0u16..80, 0u16..40), 1..6)) {
        let mut terminal = Terminal::new(2, 2);
        let part = bytes.len() / sizes.len() + 1;
        for (chunk, (cols, rows)) in bytes.chunks(part).zip(&sizes) {
            terminal.resize(*cols, *rows).feed(chunk).snapshot();
        }
        prop_assert!(!terminal.events().contains(&EmulatorEvent::Reset));
    }
}

#[test]
fn a_panic_costs_the_screen_and_not_the_history() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut terminal = Terminal::fed("1\r\n2\r\n3\r\n4\r\n5\x1b]2;title\x07");
    terminal.events();
    terminal
        .emulator
        .guarded
        .get_mut()
        .attempt(|_| panic!("as the crate might"));
    std::panic::set_hook(hook);
    terminal.feed("on");
    assert_eq!(terminal.events(), [EmulatorEvent::Reset]);
    assert_eq!(
        (terminal.text(), terminal.history()),
        ("on".to_owned(), "1".to_owned())
    );
}

#[test]
fn every_size_takes_every_kind_of_text() {
    for (cols, rows) in [(2, 2), (2, 500), (1000, 2), (1000, 500)] {
        let mut terminal = Terminal::new(cols, rows);
        terminal
            .feed("語e\u{301}❤\u{fe0f}x\r\n".repeat(5))
            .feed("\x1b[65535;65535H語\x1b[65535b\x1b[65535@\x1b[65535P\x1b[65535L");
        terminal
            .resize(2, 2)
            .feed("語語語")
            .resize(cols, rows)
            .snapshot();
        assert!(terminal.events().is_empty());
    }
}
