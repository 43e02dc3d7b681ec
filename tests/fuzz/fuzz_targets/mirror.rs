//! Feeds the screen of `attach` what a hostile server sends: keyframes, sizes and output in any order.
//!
//! An input is cut at 0xF5, which no UTF-8 text holds; the first two bytes of each part are a size. An odd part is a
//! keyframe of that size, an even one is output.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::size::Size;
use tundra::pane::Mirror;
use tundra_fuzz::{fixtures, write};

const CUT: u8 = 0xf5;

fuzz_target!(
    init: write(fixtures("vt").into_iter().map(|text| [&[80, 24][..], &text, &[CUT, 40, 9], &text].concat())),
    |input: &[u8]| {
        let mut mirror = Mirror::new(Size::DEFAULT, 50);
        for (index, part) in input.split(|byte| *byte == CUT).enumerate() {
            let [cols, rows, text @ ..] = part else {
                continue;
            };
            if index % 2 == 1 {
                mirror.restore(Size::clamped(u16::from(*cols), u16::from(*rows)), text);
            } else {
                mirror.feed(text);
            }
            let screen = mirror.screen();
            assert_eq!(screen.rows.len(), usize::from(screen.size.rows()));
            assert!(screen.cursor.row < screen.size.rows());
            assert!(screen.cursor.col <= screen.size.cols());
            let (oldest, top) = mirror.history();
            assert!(oldest <= top);
            let rows = mirror.rows(oldest..u64::MAX).len() as u64;
            assert!(rows >= top - oldest);
        }
    }
);
