//! Feeds the reader of each dialect's whole answers any bytes: it never panics, and what it understood is told in every
//! other dialect, as a whole and as a stream.
//!
//! The first byte of an input chooses both dialects.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::gateway::translate;
use tundra_fuzz::{bodies, crossing, pair, pairs_from, write};

#[allow(dead_code)]
#[path = "../../it/gateway/translation/strict.rs"]
mod strict;

fuzz_target!(
    init: write(bodies("answers.json").into_iter().flat_map(|(upstream, body)| {
        pairs_from(upstream).map(|number| [&[number][..], &body].concat())
    })),
    |input: &[u8]| {
        let Some((first, body)) = input.split_first() else {
            return;
        };
        let (upstream, caller) = pair(*first);
        let _ = translate::answer(body, &crossing(upstream, caller));
        if let Ok(stream) = translate::whole_as_stream(body, crossing(upstream, caller)) {
            strict::read(caller, &stream).expect("a stream of the caller's dialect");
        }
    }
);
