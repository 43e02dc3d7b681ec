//! What a provider says, made fit for logs, lists and other people's eyes.
//!
//! A provider, or whoever stands in front of it, may repeat what it was sent: the key, a configured header. Every word of
//! its that leaves this room goes through one [`Cleaner`].

use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::memmem;

use crate::domain::printable::blanked;

/// The longest text of a provider that is kept, in bytes.
const MOST: usize = 512;
/// Shorter values are words that stand in any text.
const SHORTEST_SECRET: usize = 6;
/// What stands in a secret's place.
const REDACTED: &str = "[redacted]";

/// Knows the secrets that one profile is asked with. Debugging it shows none.
#[derive(Clone, Default)]
pub struct Cleaner {
    /// The longest first, so that a part of one does not hide the rest of another.
    secrets: Vec<String>,
}

impl Cleaner {
    /// `secrets` are a key and header values; what follows a scheme such as `Bearer` is one of its own.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().and(secrets)
    }

    /// One that knows these too.
    pub fn and<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let parts = secrets
            .into_iter()
            .flat_map(|secret| std::iter::once(secret).chain(secret.split_ascii_whitespace()));
        let mut known = self.secrets.clone();
        known.extend(
            parts
                .map(str::trim)
                .filter(|secret| secret.len() >= SHORTEST_SECRET)
                .map(str::to_owned),
        );
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        known.dedup();
        Self { secrets: known }
    }

    /// A text in one line without secrets and control characters, of at most 512 bytes.
    pub fn words(&self, text: &str) -> String {
        // A secret is taken out before the cut, so that no half of one is left.
        let text = self.redacted(text);
        let mut short = String::new();
        for c in blanked(text.trim()) {
            if short.len() + c.len_utf8() > MOST {
                break;
            }
            short.push(c);
        }
        if short.trim().is_empty() {
            "no message".to_owned()
        } else {
            short.trim_end().to_owned()
        }
    }

    /// The same bytes, but for secrets.
    pub fn bytes(&self, bytes: Bytes) -> Bytes {
        let mut bytes = bytes;
        for secret in &self.secrets {
            if memmem::find(&bytes, secret.as_bytes()).is_none() {
                continue;
            }
            let mut clean = BytesMut::with_capacity(bytes.len());
            let mut rest = bytes.as_ref();
            while let Some(at) = memmem::find(rest, secret.as_bytes()) {
                let (before, after) = rest.split_at(at);
                clean.extend_from_slice(before);
                clean.extend_from_slice(REDACTED.as_bytes());
                rest = after.get(secret.len()..).unwrap_or_default();
            }
            clean.extend_from_slice(rest);
            bytes = clean.freeze();
        }
        bytes
    }

    fn redacted(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), REDACTED)
        })
    }
}

impl fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleaner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_unprintable_or_long_is_left() {
        let cleaner = Cleaner::new(["sk-secret-key", "Bearer tenant-secret", "x"]);
        assert_eq!(
            cleaner.words("no: sk-secret-key\x1b]52;c;AA\x07\r\nnext tenant-secret x\u{202e}"),
            "no: [redacted] ]52;c;AA   next [redacted] x"
        );
        assert_eq!(cleaner.words("\n\t"), "no message");
        let long = format!("{}sk-secret-key", "a".repeat(505));
        assert_eq!(cleaner.words(&long), format!("{}[redact", "a".repeat(505)));
        assert_eq!(
            cleaner.bytes(Bytes::from_static(b"a sk-secret-key b sk-secret-key")),
            &b"a [redacted] b [redacted]"[..]
        );
        assert!(!format!("{cleaner:?}").contains("secret"));
    }
}
