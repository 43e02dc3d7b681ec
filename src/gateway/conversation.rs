//! Which conversation a request belongs to.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};

use http::HeaderMap;

use crate::domain::affinity::ConversationId;
use crate::domain::caller::Caller;

/// Headers in which clients name a conversation, the first one that is there.
const HEADERS: [&str; 3] = ["x-claude-code-session-id", "session-id", "session_id"];

/// Names conversations for as long as this run lasts.
#[derive(Debug, Default)]
pub struct ConversationNames(RandomState);

impl ConversationNames {
    /// The conversation of a caller's request: what a header calls it, else what the body does (`prompt_cache_key` or
    /// `metadata.user_id`), else the caller alone.
    pub fn of(&self, caller: Caller, headers: &HeaderMap, body: Option<&str>) -> ConversationId {
        let named = HEADERS
            .iter()
            .find_map(|name| headers.get(*name))
            .map(http::HeaderValue::as_bytes)
            .or(body.map(str::as_bytes));
        let mut hasher = self.0.build_hasher();
        caller.hash(&mut hasher);
        named.hash(&mut hasher);
        ConversationId(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TerminalId;

    #[test]
    fn a_conversation_is_one_of_its_terminal_and_by_the_best_name_there_is() {
        let names = ConversationNames::default();
        let terminal = Caller::Terminal(TerminalId::random());
        let session = |header: &'static str, value: &'static str| {
            HeaderMap::from_iter([(header.parse().unwrap(), value.parse().unwrap())])
        };
        let none = HeaderMap::new();
        let claude = names.of(terminal, &session("x-claude-code-session-id", "a"), None);
        assert_eq!(
            claude,
            names.of(terminal, &session("session-id", "a"), Some("b"))
        );
        assert_ne!(
            claude,
            names.of(terminal, &session("session_id", "c"), None)
        );
        assert_ne!(
            claude,
            names.of(Caller::Outside, &session("session_id", "a"), None)
        );
        assert_eq!(claude, names.of(terminal, &none, Some("a")));
        assert_ne!(claude, names.of(terminal, &none, None));
    }
}
