//! Feeds the redactor any text around a secret that it knows: the secret is never left, and a second pass finds nothing more.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra::telemetry::redact::{Kind, Redactor};

const SECRET: &str = "s3cret-value-of-a-header";

fuzz_target!(|input: (&str, &str)| {
    let redactor = Redactor::default().knowing(Kind::Header, SECRET);
    let text = format!("{}{SECRET}{}", input.0, input.1);
    let once = redactor.redact(&text).text;
    assert!(!once.contains(SECRET));
    assert!(!redactor.redact(&once).text.contains(SECRET));
});
