//! The providers that tundra knows, and what is theirs by default.

use super::dialect::{Dialect, Dialects};

/// Who serves a profile; each has an address, a key variable and a model of its own by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    Anthropic,
    OpenRouter,
    OpenAi,
    Gemini,
    Local,
}

impl ProviderKind {
    /// In the order in which unconfigured providers become profiles.
    pub const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::OpenRouter,
        Self::OpenAi,
        Self::Gemini,
        Self::Local,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenRouter => "openrouter",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::Local => "local",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenRouter => "https://openrouter.ai/api",
            Self::OpenAi => "https://api.openai.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
            Self::Local => "http://127.0.0.1:11434",
        }
    }

    /// The environment variable that holds the key; none for a provider that needs none.
    #[must_use]
    pub const fn key_env(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::OpenRouter => Some("OPENROUTER_API_KEY"),
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::Local => None,
        }
    }

    #[must_use]
    pub const fn model(self) -> &'static str {
        match self {
            Self::Anthropic => "claude-sonnet-4-20250514",
            Self::OpenRouter => "anthropic/claude-sonnet-4-20250514",
            Self::OpenAi => "gpt-4o",
            Self::Gemini => "gemini-2.5-pro",
            Self::Local => "qwen2.5-coder:14b",
        }
    }

    #[must_use]
    pub const fn dialects(self) -> Dialects {
        match self {
            Self::Anthropic => Dialects::of(&[Dialect::Messages]),
            Self::OpenAi => Dialects::of(&[Dialect::Chat, Dialect::Responses]),
            Self::Gemini => Dialects::of(&[Dialect::Generate]),
            Self::OpenRouter | Self::Local => Dialects::of(&[Dialect::Messages, Dialect::Chat]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_have_their_configured_names_and_addresses() {
        let names = ProviderKind::ALL.map(ProviderKind::as_str);
        assert_eq!(
            names,
            ["anthropic", "openrouter", "openai", "gemini", "local"]
        );
        assert_eq!(
            names.map(ProviderKind::from_name),
            ProviderKind::ALL.map(Some)
        );
        assert_eq!(ProviderKind::from_name("nobody"), None);
        assert_eq!(
            ProviderKind::ALL.map(ProviderKind::base_url),
            [
                "https://api.anthropic.com",
                "https://openrouter.ai/api",
                "https://api.openai.com",
                "https://generativelanguage.googleapis.com",
                "http://127.0.0.1:11434"
            ]
        );
    }
}
