//! Cuts any bytes into events, in any pieces: it never panics, no byte is lost, and pieces give the events of the whole.
//!
//! The first byte of an input is the length of a piece.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tundra::gateway::sse::{Framer, parse};
use tundra_fuzz::{streams, write};

/// Name and data of each event.
type Said = Vec<(Vec<u8>, Vec<u8>)>;

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Said, Vec<u8>) {
    let mut framer = Framer::default();
    let (mut said, mut passed) = (Vec::new(), Vec::new());
    for piece in pieces {
        let whole = framer.push(Bytes::copy_from_slice(piece), |event| {
            if let Some(event) = parse(event) {
                said.push((event.name.to_vec(), event.data.into_owned()));
            }
        });
        passed.extend_from_slice(&whole.expect("shorter than the longest event"));
    }
    passed.extend_from_slice(&framer.take_rest());
    (said, passed)
}

fuzz_target!(
    init: write(streams().into_iter().map(|(_, stream)| [&b"\x07"[..], &stream].concat())),
    |input: &[u8]| {
        let Some((length, text)) = input.split_first() else {
            return;
        };
        let (whole, passed) = read(std::iter::once(text));
        assert_eq!(passed, text);
        let (pieces, passed) = read(text.chunks(usize::from(*length).max(1)));
        assert_eq!(passed, text);
        assert_eq!(pieces, whole);
    }
);
