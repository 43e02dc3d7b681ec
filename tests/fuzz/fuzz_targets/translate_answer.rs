//! Feeds the reader of each dialect's whole answers any bytes: it never panics, and what it understood is told in every
//! other dialect, as a whole and as a stream.
//!
//! The first byte of an input chooses both dialects.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{self, Crossing, Way};

#[allow(dead_code)]
#[path = "../../it/gateway/translation/strict.rs"]
mod strict;

fuzz_target!(|input: &[u8]| {
    let Some((first, body)) = input.split_first() else {
        return;
    };
    let dialect = |number: u8| TranslatedDialect::ALL[usize::from(number) % TranslatedDialect::ALL.len()];
    let (upstream, caller) = (dialect(*first), dialect(*first / 3));
    let crossing = Crossing {
        caller,
        upstream,
        maker: Maker::of("http://x", upstream),
        model: "m".to_owned(),
        id: "0".to_owned(),
        created: 1,
        input_estimate: 1,
        way: Way::default(),
    };
    let _ = translate::answer(body, &crossing);
    if let Ok(stream) = translate::whole_as_stream(body, crossing) {
        strict::read(caller, &stream).expect("a stream of the caller's dialect");
    }
});
