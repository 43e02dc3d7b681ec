//! Ids and names that the other side takes.

use std::collections::HashMap;

use super::mark::hex_digest;
use crate::domain::profile::TranslatedDialect;

/// The id of a tool's call as `dialect` takes it: itself where it can be, else a name made from it, the same each time.
pub fn call_id(dialect: TranslatedDialect, id: &str) -> String {
    let fits = !id.is_empty()
        && match dialect {
            TranslatedDialect::Messages => id.bytes().all(is_plain),
            TranslatedDialect::Chat => id.chars().count() <= 40,
            TranslatedDialect::Responses => id.chars().count() <= 64,
        };
    if fits {
        id.to_owned()
    } else {
        format!("call_{}", hex_digest(id.as_bytes(), 32))
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// What tools are called on the other side, where their own name does not do there.
#[derive(Clone, Debug, Default)]
pub struct ToolNames {
    /// By the name that was sent.
    original: HashMap<String, String>,
}

impl ToolNames {
    /// The name to send, remembered for the way back.
    pub fn send(&mut self, dialect: TranslatedDialect, name: &str) -> String {
        let most = match dialect {
            TranslatedDialect::Messages => 128,
            TranslatedDialect::Chat | TranslatedDialect::Responses => 64,
        };
        if (1..=most).contains(&name.len()) && name.bytes().all(is_plain) {
            return name.to_owned();
        }
        let plain = |letter: char| {
            if u8::try_from(letter).is_ok_and(is_plain) {
                letter
            } else {
                '_'
            }
        };
        let head: String = name.chars().map(plain).take(most - 9).collect();
        let sent = format!("{head}_{}", hex_digest(name.as_bytes(), 8));
        self.original.insert(sent.clone(), name.to_owned());
        sent
    }

    /// The caller's own name for a tool.
    pub fn receive(&self, sent: String) -> String {
        self.original.get(&sent).cloned().unwrap_or(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_where_the_dialect_takes_them() {
        let long = "a".repeat(50);
        let kept = [
            (TranslatedDialect::Messages, "toolu_01-x"),
            (TranslatedDialect::Messages, long.as_str()),
            (TranslatedDialect::Chat, "functions.read:0"),
            (TranslatedDialect::Responses, long.as_str()),
        ];
        for (dialect, id) in kept {
            assert_eq!(call_id(dialect, id), id);
        }
        for (dialect, id) in [
            (TranslatedDialect::Messages, "functions.read:0"),
            (TranslatedDialect::Chat, long.as_str()),
            (TranslatedDialect::Responses, ""),
        ] {
            let made = call_id(dialect, id);
            assert_eq!(made, call_id(dialect, id));
            assert!(made.len() <= 40 && made.bytes().all(is_plain), "{made}");
        }
    }

    #[test]
    fn long_and_odd_names_come_back() {
        let mut names = ToolNames::default();
        let long = format!("mcp__{}", "x".repeat(90));
        assert_eq!(names.send(TranslatedDialect::Messages, &long), long);
        for name in [long.as_str(), "a.b"] {
            let sent = names.send(TranslatedDialect::Chat, name);
            assert!(sent.len() <= 64 && sent.bytes().all(is_plain), "{sent}");
            assert_eq!(names.receive(sent), name);
        }
        assert_eq!(names.receive("read".to_owned()), "read");
    }
}
