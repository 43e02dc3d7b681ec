//! Provider profiles: who can be asked, in which dialect, at which rate.

use std::borrow::Cow;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

mod capability;
mod dialect;
mod model_name;
mod provider;

pub use capability::{Capabilities, Capability};
pub use dialect::{Dialect, Dialects, TranslatedDialect};
pub use provider::ProviderKind;

use model_name::{matches, vendor_of};

/// How long a 429 that names no time cools a profile down, unless the configuration says otherwise.
pub const DEFAULT_COOLDOWN: Duration = Duration::from_secs(60);

/// A profile's name, unique among the configured ones. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileName(Arc<str>);

impl ProfileName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ProfileName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Whose key or login a profile's requests carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Auth {
    /// A key of tundra's, from the environment; or none where none is needed.
    #[default]
    Key,
    /// The caller's own login, which goes to this profile's address and nowhere else.
    Caller,
}

impl Auth {
    /// Both, as the configuration names them.
    pub const ALL: [Self; 2] = [Self::Key, Self::Caller];

    /// Its name in the configuration (`auth`) and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Caller => "caller",
        }
    }
}

/// How much a profile may be asked per minute; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute.
    pub rpm: Option<NonZeroU32>,
    /// Requests at once; `rpm` where none is given, and nothing without `rpm`.
    pub burst: Option<NonZeroU32>,
    /// Tokens per minute, which is also how many may be taken at once.
    pub tpm: Option<NonZeroU64>,
}

/// One way to reach a provider, as configured. The key itself is no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: ProfileName,
    pub provider: ProviderKind,
    pub dialects: Dialects,
    /// Without a trailing slash.
    pub base_url: String,
    pub auth: Auth,
    /// The environment variable that holds the key; `None` where none is needed.
    pub key_env: Option<String>,
    /// Sent where the asked name means nothing to the provider.
    pub default_model: String,
    /// Lower is asked first; equal ones by name.
    pub priority: i64,
    /// As configured; the router knows what an operator said since.
    pub enabled: bool,
    pub limits: Limits,
    /// For a 429 that names no time.
    pub cooldown: Duration,
    /// Sent with every request, over the caller's; values may be secret.
    pub headers: Vec<(String, String)>,
    /// Asked name (exact, or with `*` for any run of characters) and the name to send instead.
    pub models: Vec<(String, String)>,
    /// What the profile can do; `None` is everything.
    pub capabilities: Option<Capabilities>,
    /// The most output tokens to ask for.
    pub max_tokens: Option<NonZeroU32>,
    /// Local only: program and arguments that tundra runs; empty for none.
    pub command: Vec<String>,
    /// Nobody wrote it down: it counts only while something answers at its address.
    pub is_guess: bool,
}

/// Where `ChatGPT` serves those who log in with a plan (Codex, `codex-rs/model-provider-info`).
const CHATGPT: &str = "https://chatgpt.com/backend-api/codex";

impl Profile {
    /// A profile with its provider's defaults, enabled, without limits.
    #[must_use]
    pub fn new(name: &str, provider: ProviderKind) -> Self {
        Self {
            name: ProfileName::from(name),
            provider,
            dialects: provider.dialects(),
            base_url: provider.base_url().to_owned(),
            auth: Auth::Key,
            key_env: provider.key_env().map(str::to_owned),
            default_model: provider.model().to_owned(),
            priority: 0,
            enabled: true,
            limits: Limits::default(),
            cooldown: DEFAULT_COOLDOWN,
            headers: Vec::new(),
            models: Vec::new(),
            capabilities: None,
            max_tokens: None,
            command: Vec::new(),
            is_guess: false,
        }
    }

    /// A profile for callers who bring their own login.
    #[must_use]
    pub fn for_callers(name: &str, provider: ProviderKind) -> Self {
        let mut profile = Self::new(name, provider);
        profile.take_callers();
        profile
    }

    /// Makes it a profile that holds no key, with the address and dialects of its provider's logins.
    pub fn take_callers(&mut self) {
        self.auth = Auth::Caller;
        self.key_env = None;
        if self.provider == ProviderKind::OpenAi {
            CHATGPT.clone_into(&mut self.base_url);
            self.dialects = Dialects::of(&[Dialect::Responses]);
        }
    }

    /// The profiles of an empty configuration: every provider whose key is there, then the logins of the vendors without
    /// one, and last a local server. Priorities are `apart`, from that on.
    #[must_use]
    pub fn discovered(has_key: impl Fn(&str) -> bool, apart: i64) -> Vec<Self> {
        let is_there = |provider: &ProviderKind| provider.key_env().is_some_and(&has_key);
        let with_key = ProviderKind::ALL
            .into_iter()
            .filter(is_there)
            .map(|provider| Self::new(provider.as_str(), provider));
        let logins = [
            ("claude-login", ProviderKind::Anthropic),
            ("chatgpt-login", ProviderKind::OpenAi),
        ];
        let logins = logins
            .into_iter()
            .filter(|(_, provider)| !is_there(provider))
            .map(|(name, provider)| Self::for_callers(name, provider));
        let mut local = Self::new(ProviderKind::Local.as_str(), ProviderKind::Local);
        local.is_guess = true;
        let mut profiles: Vec<Self> = with_key.chain(logins).collect();
        profiles.push(local);
        for (profile, place) in profiles.iter_mut().zip(1..) {
            profile.priority = place * apart;
        }
        profiles
    }

    /// The dialects in which this profile is asked for a request in `own`, which it does not speak; the one that loses
    /// least is first. A login's requests go to it as they are or not at all.
    pub fn foreign_dialects(&self, own: Dialect) -> impl Iterator<Item = Dialect> {
        let order = own.translated().map(TranslatedDialect::others);
        let dialects = self.dialects;
        order
            .into_iter()
            .flatten()
            .map(Dialect::from)
            .filter(move |dialect| self.auth == Auth::Key && dialects.contains(*dialect))
    }

    /// Whether its models can do `capability`, as far as it says.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities
            .is_none_or(|capabilities| capabilities.contains(capability))
    }

    /// The model name to send for `asked`.
    ///
    /// `models` decides, an exact name before a pattern and a longer pattern before a shorter one. A name it does not
    /// map passes as it is to the vendors' own APIs, gets its vendor's prefix for `OpenRouter`, and becomes
    /// `default_model` for a local server and wherever `across_dialects`.
    #[must_use]
    pub fn upstream_model<'a>(&'a self, asked: &'a str, across_dialects: bool) -> Cow<'a, str> {
        if let Some(mapped) = self.mapped_model(asked) {
            return Cow::Borrowed(mapped);
        }
        if across_dialects {
            return Cow::Borrowed(&self.default_model);
        }
        match self.provider {
            ProviderKind::Anthropic | ProviderKind::OpenAi | ProviderKind::Gemini => {
                Cow::Borrowed(asked)
            }
            ProviderKind::Local => Cow::Borrowed(&self.default_model),
            ProviderKind::OpenRouter => match vendor_of(asked) {
                Some(vendor) if !asked.contains('/') => Cow::Owned(format!("{vendor}/{asked}")),
                _ => Cow::Borrowed(asked),
            },
        }
    }

    fn mapped_model(&self, asked: &str) -> Option<&str> {
        let exact = self.models.iter().find(|(from, _)| from == asked);
        let pattern = || {
            self.models
                .iter()
                .filter(|(from, _)| from.contains('*') && matches(from, asked))
                .max_by_key(|(from, _)| from.len())
        };
        exact.or_else(pattern).map(|(_, to)| to.as_str())
    }
}

impl fmt::Debug for Profile {
    /// Leaves out header values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .field("priority", &self.priority)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unmapped_model_follows_its_provider() {
        let sent = |provider, asked: &str, across| {
            Profile::new("p", provider)
                .upstream_model(asked, across)
                .into_owned()
        };
        let table = [
            (ProviderKind::Anthropic, "claude-x", false, "claude-x"),
            (ProviderKind::OpenAi, "gpt-5", false, "gpt-5"),
            (ProviderKind::OpenAi, "claude-x", true, "gpt-4o"),
            (
                ProviderKind::OpenRouter,
                "claude-x",
                false,
                "anthropic/claude-x",
            ),
            (ProviderKind::OpenRouter, "gpt-5", false, "openai/gpt-5"),
            (ProviderKind::OpenRouter, "z-ai/glm", false, "z-ai/glm"),
            (ProviderKind::OpenRouter, "claude-x/y", false, "claude-x/y"),
            (ProviderKind::OpenRouter, "unheard-of", false, "unheard-of"),
            (ProviderKind::Local, "claude-x", false, "qwen2.5-coder:14b"),
        ];
        for (provider, asked, across, expected) in table {
            assert_eq!(
                sent(provider, asked, across),
                expected,
                "{provider:?} {asked}"
            );
        }
    }

    #[test]
    fn a_mapped_model_prefers_the_exact_and_then_the_longest_pattern() {
        let mut profile = Profile::new("p", ProviderKind::Local);
        profile.models = [
            ("claude-*", "small"),
            ("claude-*opus*", "big"),
            ("claude-haiku", "tiny"),
        ]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .to_vec();
        assert_eq!(profile.upstream_model("claude-haiku", false), "tiny");
        assert_eq!(profile.upstream_model("claude-4-opus-1", false), "big");
        assert_eq!(profile.upstream_model("claude-sonnet", true), "small");
        assert_eq!(profile.upstream_model("gpt-5", false), "qwen2.5-coder:14b");
    }

    #[test]
    fn an_empty_configuration_takes_the_keys_it_finds_then_logins_and_a_local_server() {
        let found = |keys: &[&str]| {
            let profiles = Profile::discovered(|name| keys.contains(&name), 10);
            let names = profiles
                .iter()
                .map(|profile| (profile.name.to_string(), profile.priority));
            names.collect::<Vec<_>>()
        };
        let named = |names: &[&str]| {
            (1..)
                .zip(names)
                .map(|(at, name)| ((*name).to_owned(), at * 10))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found(&[]),
            named(&["claude-login", "chatgpt-login", "local"])
        );
        assert_eq!(
            found(&["ANTHROPIC_API_KEY", "OTHER"]),
            named(&["anthropic", "chatgpt-login", "local"])
        );
        assert_eq!(
            found(&["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"]),
            named(&["anthropic", "openrouter", "openai", "local"])
        );
    }

    #[test]
    fn a_chatgpt_login_speaks_responses_at_an_address_of_its_own() {
        let login = Profile::for_callers("chatgpt-login", ProviderKind::OpenAi);
        assert_eq!(login.base_url, "https://chatgpt.com/backend-api/codex");
        assert_eq!(login.dialects, Dialects::of(&[Dialect::Responses]));
        assert_eq!((login.auth, login.key_env), (Auth::Caller, None));
        let login = Profile::for_callers("claude-login", ProviderKind::Anthropic);
        assert_eq!(login.base_url, "https://api.anthropic.com");
    }

    #[test]
    fn debugging_a_profile_tells_its_name_and_no_header() {
        let mut profile = Profile::new("p", ProviderKind::OpenAi);
        profile.headers = vec![("x-secret".into(), "hush".into())];
        let shown = format!("{profile:?}");
        assert!(
            shown.contains("\"p\"") && !shown.contains("hush"),
            "{shown}"
        );
        assert_eq!(format!("{:?}", ProfileName::from("mine")), "\"mine\"");
    }

    #[test]
    fn a_profile_can_everything_unless_it_says_what() {
        let mut profile = Profile::new("p", ProviderKind::Local);
        assert!(
            Capability::ALL
                .into_iter()
                .all(|capability| profile.can(capability))
        );
        profile.capabilities = Some(Capabilities::of(&[Capability::Vision]));
        assert!(profile.can(Capability::Vision) && !profile.can(Capability::Tools));
    }

    #[test]
    fn another_dialect_is_asked_in_the_order_of_least_loss_and_a_login_in_none() {
        let mut profile = Profile::new("p", ProviderKind::Local);
        profile.dialects = Dialects::of(&Dialect::ALL);
        let foreign = |profile: &Profile, own| profile.foreign_dialects(own).collect::<Vec<_>>();
        assert_eq!(
            Dialect::ALL.map(|own| foreign(&profile, own)),
            [
                vec![Dialect::Chat, Dialect::Responses],
                vec![Dialect::Responses, Dialect::Messages],
                vec![Dialect::Chat, Dialect::Messages],
                vec![]
            ]
        );
        profile.dialects = Dialects::of(&[Dialect::Responses]);
        assert_eq!(foreign(&profile, Dialect::Messages), [Dialect::Responses]);
        profile.auth = Auth::Caller;
        assert_eq!(foreign(&profile, Dialect::Messages), []);
    }
}
