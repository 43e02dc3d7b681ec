//! Asks for the explanation of any text: it never panics, and what is found by a text is found by its name too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::domain::explain::{Found, by_name, find};

fuzz_target!(|text: &str| {
    if let Found::One(entry) = find(text) {
        assert_eq!(by_name(entry.name), Some(entry));
    }
});
