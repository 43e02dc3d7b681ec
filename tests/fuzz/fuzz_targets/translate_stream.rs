//! Feeds the reader of each dialect's streams any events: it never panics, and what the caller reads is a stream of its
//! dialect, however the provider's breaks off.
//!
//! The first byte of an input chooses both dialects; each further line is one event's data.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{Crossing, Stream, Way};

#[allow(dead_code)]
#[path = "../../it/gateway/translation/strict.rs"]
mod strict;

fuzz_target!(|input: &[u8]| {
    let Some((first, events)) = input.split_first() else {
        return;
    };
    let dialect = |number: u8| TranslatedDialect::ALL[usize::from(number) % TranslatedDialect::ALL.len()];
    let (upstream, caller) = (dialect(*first), dialect(*first / 3));
    let mut stream = Stream::new(Crossing {
        caller,
        upstream,
        maker: Maker::of("http://x", upstream),
        model: "m".to_owned(),
        id: "0".to_owned(),
        created: 1,
        input_estimate: 1,
        way: Way::default(),
    });
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
});
