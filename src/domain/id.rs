//! The identity of a terminal.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Names one terminal for as long as tundra runs; never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TerminalId(Uuid);

impl TerminalId {
    /// Draws a fresh random id (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Tells whether the hyphenated text form starts with `prefix`, ignoring case.
    #[must_use]
    pub fn starts_with(&self, prefix: &str) -> bool {
        self.0
            .hyphenated()
            .to_string()
            .starts_with(&prefix.to_ascii_lowercase())
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TerminalId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_begins_with_its_beginning_alone() {
        let text = "0123abcd-0000-4000-8000-00000000000f";
        let id: TerminalId = text.parse().unwrap();
        assert_eq!(
            (id.to_string(), format!("{id:?}")),
            (text.into(), text.into())
        );
        assert!(id.starts_with("") && id.starts_with("0123AB") && id.starts_with(text));
        assert!(!id.starts_with("123") && !id.starts_with("0123abcd0"));
    }
}
