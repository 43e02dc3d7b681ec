//! Which conversation a request belongs to.

use http::HeaderMap;
use ring::hmac;
use uuid::Uuid;

use crate::domain::affinity::ConversationId;
use crate::domain::caller::Caller;

/// Headers in which clients name a conversation, the first one that is there.
const HEADERS: [&str; 3] = ["x-claude-code-session-id", "session-id", "session_id"];

/// Names conversations, by a secret that nobody outside can guess collisions for.
#[derive(Debug)]
pub struct ConversationNames {
    secret: Uuid,
    key: hmac::Key,
}

impl Default for ConversationNames {
    fn default() -> Self {
        Self::of_secret(Uuid::new_v4())
    }
}

impl ConversationNames {
    /// Names conversations as whoever had that secret did.
    pub fn of_secret(secret: Uuid) -> Self {
        Self {
            secret,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    pub const fn secret(&self) -> Uuid {
        self.secret
    }

    /// The conversation of a caller's request: what a header calls it, else what the body does (`prompt_cache_key` or
    /// `metadata.user_id`), else the caller alone.
    pub fn of(&self, caller: Caller, headers: &HeaderMap, body: Option<&str>) -> ConversationId {
        let named = HEADERS
            .iter()
            .find_map(|name| headers.get(*name))
            .map(http::HeaderValue::as_bytes)
            .or(body.map(str::as_bytes));
        let mut context = hmac::Context::with_key(&self.key);
        match caller {
            Caller::Terminal(id) => context.update(id.to_string().as_bytes()),
            Caller::Outside => context.update(b"outside"),
            Caller::Ask => context.update(b"ask"),
        }
        if let Some(named) = named {
            context.update(b"\0");
            context.update(named);
        }
        let tag = context.sign();
        let mut hash = [0; 8];
        for (to, from) in hash.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        ConversationId(u64::from_be_bytes(hash))
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
