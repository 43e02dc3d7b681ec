//! Feeds the reader of each dialect's requests any bytes: it never panics, and what it understood every other dialect's
//! reader understands again once it was written there.
//!
//! The first byte of an input chooses the dialect.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{self, Target};
use tundra_fuzz::{bodies, dialect, write};

fuzz_target!(
    init: write(bodies("requests.json").into_iter().map(|(from, body)| [&[from][..], &body].concat())),
    |input: &[u8]| {
        let Some((first, body)) = input.split_first() else {
            return;
        };
        let from = dialect(*first);
        let Ok(asked) = translate::read(from, body) else {
            return;
        };
        let target = Target {
            model: "m",
            max_tokens: None,
            is_local: *first > 127,
            takes_effort: true,
        };
        for to in TranslatedDialect::ALL {
            let Ok(sent) = translate::write(&asked, to, &target, &Maker::of("http://x", to)) else {
                continue;
            };
            let again = translate::read(to, &sent.body).expect("what was written is read");
            assert_eq!(again.tools.len(), asked.tools.len());
            assert_eq!(again.stream, asked.stream);
        }
    }
);
