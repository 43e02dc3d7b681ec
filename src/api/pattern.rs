//! The regular expressions that a wait may ask for.

use regex::{Regex, RegexBuilder};

/// The compiled form of a pattern may take this many bytes: enough for any honest one.
const PATTERN_SIZE: usize = 1 << 20;

/// Compiles a pattern as waits match it: `^` and `$` stand for the ends of a row.
///
/// # Errors
/// What is wrong with the pattern, or that it is too large.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .multi_line(true)
        .size_limit(PATTERN_SIZE)
        .build()
}
