//! Feeds the reader of each dialect's streams any events: it never panics, and what the caller reads is a stream of its
//! dialect, however the provider's breaks off.
//!
//! The first byte of an input chooses both dialects; each further line is one event's data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::gateway::translate::Stream;
use tundra_fuzz::{crossing, pair, pairs_from, streams, write};

#[allow(dead_code)]
#[path = "../../it/gateway/translation/strict.rs"]
mod strict;

/// The data of a stream's events, one a line.
fn data(stream: &[u8]) -> Vec<u8> {
    let lines = stream.split(|byte| *byte == b'\n');
    let data: Vec<&[u8]> = lines
        .filter_map(|line| line.strip_prefix(b"data: "))
        .collect();
    data.join(&b'\n')
}

fuzz_target!(
    init: write(streams().into_iter().flat_map(|(upstream, stream)| {
        pairs_from(upstream).map(|number| [&[number][..], &data(&stream)].concat())
    })),
    |input: &[u8]| {
        let Some((first, events)) = input.split_first() else {
            return;
        };
        let (upstream, caller) = pair(*first);
        let mut stream = Stream::new(crossing(upstream, caller));
        let mut out = Vec::new();
        for data in events.split(|byte| *byte == b'\n') {
            stream.take(b"", data, &mut out);
        }
        if *first > 127 {
            stream.fail(502, "broken", &mut out);
        } else {
            stream.finish(&mut out);
        }
        strict::read(caller, &out).expect("a stream of the caller's dialect");
    }
);
