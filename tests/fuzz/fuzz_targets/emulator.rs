//! Feeds an emulator any bytes in any pieces at any size: it never panics, and pieces give what the whole gives.
//!
//! The first bytes of an input are the size, the history and the length of a piece; 0xF5, which no UTF-8 text holds,
//! resizes to the two bytes that follow it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::size::Size;
use tundra::pane::emulator::{Emulator, EmulatorEvent, Feedback};
use tundra_fuzz::{fixtures, write};

const RESIZE: u8 = 0xf5;
/// More sizes than that take too long.
const MOST_PARTS: usize = 8;

fuzz_target!(
    init: write(fixtures("vt").into_iter().map(|text| {
        [&[80, 24, 50, 7][..], &text, &[RESIZE, 40, 9], &text].concat()
    })),
    |input: &[u8]| {
        let [cols, rows, history, piece, rest @ ..] = input else {
            return;
        };
        let size = Size::clamped(u16::from(*cols), u16::from(*rows % 64));
        let mut whole = Emulator::new(size, usize::from(*history));
        let mut pieces = Emulator::new(size, usize::from(*history));
        let (mut one, mut other) = (Feedback::default(), Feedback::default());
        for (index, part) in rest.splitn(MOST_PARTS, |byte| *byte == RESIZE).enumerate() {
            let part = match part {
                [cols, rows, part @ ..] if index > 0 => {
                    let size = Size::clamped(u16::from(*cols), u16::from(*rows % 64));
                    whole.resize(size);
                    pieces.resize(size);
                    part
                }
                part => part,
            };
            whole.feed(part, &mut one);
            for (index, piece) in part.chunks(usize::from(*piece).max(1)).enumerate() {
                pieces.feed(piece, &mut other);
                if index.is_power_of_two() {
                    pieces.snapshot(None);
                }
            }
            assert!(!one.events.contains(&EmulatorEvent::Reset));
            assert_eq!(whole.rows(0..u64::MAX), pieces.rows(0..u64::MAX));
            assert_eq!(whole.snapshot(None).cursor, pieces.snapshot(None).cursor);
        }
    }
);
