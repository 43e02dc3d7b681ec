//! Feeds the configuration any text: it never panics, every fault has a line that the file has, and what is taken for a secret
//! stands where it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::config;
use tundra_fuzz::{fixtures, write};

fuzz_target!(
    init: write(["config/valid", "config/invalid"].into_iter().flat_map(fixtures)),
    |text: &str| {
        let lines = text.lines().count().max(1) + 1;
        if let Err(faults) = config::parse("config.toml", text) {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!((1..=lines).contains(&fault.line), "{fault}");
            }
        }
        for value in config::secret_values(text) {
            assert!(text.get(value.span.clone()).is_some(), "{:?}", value.span);
        }
    }
);
