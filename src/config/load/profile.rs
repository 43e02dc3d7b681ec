//! The tables `[[profile]]`.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use super::super::reader::{Item, Table};
use super::values::{WORDS_OR_TEXT, command_line};
use crate::domain::profile::{
    Auth, Capabilities, Capability, Dialect, Dialects, Profile, ProfileName, ProviderKind,
};

/// Between what is asked first and what is asked last.
pub(super) const DEFAULT_PRIORITY: i64 = 100;
/// Far apart enough for anybody's order.
const MAX_PRIORITY: i64 = 1_000_000;
/// The longest wait that a provider may ask for, and so the longest that stands for one that asks for none.
const MAX_COOLDOWN: Duration = Duration::from_secs(86_400);
/// More profiles than this are a mistake of a script.
const MAX_PROFILES: usize = 1000;

/// Headers that belong to the connection or are made anew for each request.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn read_all(item: &Item<'_>, shell: &[String]) -> Vec<Profile> {
    let mut profiles: Vec<Option<Profile>> = Vec::new();
    let items = item.elements("an array of tables: write [[profile]]");
    for (index, item) in items.into_iter().flatten().enumerate() {
        let Some(mut table) = item.table() else {
            continue;
        };
        if index == MAX_PROFILES {
            item.fault::<()>(format!("must be at most {MAX_PROFILES} profiles"));
        }
        let name = name(&item, &mut table, &profiles);
        let provider = match table.item("provider") {
            Some(item) => provider(&item),
            None => item.missing("provider", "must be given, such as \"anthropic\""),
        };
        // What depends on the provider is judged by a guess where it is not known: its own fault is told.
        let mut profile = Profile::new("", provider.unwrap_or(ProviderKind::Local));
        profile.priority = DEFAULT_PRIORITY;
        read(&mut table, &mut profile, provider, shell);
        table.refuse_unknown();
        profile.name = ProfileName::from(name.unwrap_or_default());
        profiles.push((name.is_some() && provider.is_some()).then_some(profile));
    }
    profiles.into_iter().flatten().collect()
}

fn name<'d>(
    profile: &Item<'d>,
    table: &mut Table<'d>,
    others: &[Option<Profile>],
) -> Option<&'d str> {
    let Some(item) = table.item("name") else {
        return profile.missing("name", "must be given");
    };
    let name = item.string()?;
    if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        return item.fault("must be a name that can be seen");
    }
    let taken = others.iter().position(|other| {
        other
            .as_ref()
            .is_some_and(|other| other.name.as_str() == name)
    });
    match taken {
        Some(taken) => item.fault(format!("must differ from the name of profile[{taken}]")),
        None => Some(name),
    }
}

fn provider(item: &Item<'_>) -> Option<ProviderKind> {
    item.one_of(&ProviderKind::ALL.map(|kind| (kind.as_str(), kind)))
}

fn read(
    table: &mut Table<'_>,
    profile: &mut Profile,
    provider: Option<ProviderKind>,
    shell: &[String],
) {
    let auth = table
        .item("auth")
        .as_ref()
        .and_then(|item| auth(item, provider));
    if auth == Some(Auth::Caller) {
        profile.take_callers();
    }
    let is_caller = profile.auth == Auth::Caller;
    table.read("dialect", &mut profile.dialects, |item| {
        let dialects = dialects(item)?;
        let chatgpt = is_caller && provider == Some(ProviderKind::OpenAi);
        if chatgpt && dialects != Dialects::of(&[Dialect::Responses]) {
            return item.fault("must be [\"responses\"]: logins of openai are served in no other");
        }
        Some(dialects)
    });
    table.read("base_url", &mut profile.base_url, |item| {
        let url = base_url(item)?;
        if is_caller && !keeps_secrets(&url) {
            return item
                .fault("must be https, or http to a loopback address: logins are sent there");
        }
        Some(url)
    });
    table.read("api_key_env", &mut profile.key_env, |item| {
        let name = key_variable(item)?;
        if is_caller && !name.is_empty() {
            return item
                .fault("must be left out: with auth = \"caller\" the callers bring their login");
        }
        // An empty name says that no key is needed.
        Some((!name.is_empty()).then(|| name.to_owned()))
    });
    table.read("default_model", &mut profile.default_model, model);
    table.read("priority", &mut profile.priority, |item| {
        item.integer(-MAX_PRIORITY..=MAX_PRIORITY)
    });
    table.read("enabled", &mut profile.enabled, Item::boolean);
    table.read("rate_limit_rpm", &mut profile.limits.rpm, |item| {
        at_least_one(item).map(Some)
    });
    table.read("rate_limit_tpm", &mut profile.limits.tpm, |item| {
        let limit: u64 = item.integer(1..=i64::from(u32::MAX) * 1000)?;
        Some(NonZeroU64::new(limit))
    });
    let burst = table.item("burst");
    profile.limits.burst = burst.as_ref().and_then(at_least_one);
    if let Some(burst) = burst.filter(|_| table.item("rate_limit_rpm").is_none()) {
        burst.fault::<()>("must come with rate_limit_rpm");
    }
    table.read("cooldown", &mut profile.cooldown, |item| {
        item.duration(MAX_COOLDOWN)
    });
    table.read("headers", &mut profile.headers, headers);
    table.read("models", &mut profile.models, models);
    table.read("capabilities", &mut profile.capabilities, |item| {
        let set = capabilities(item)?;
        // An empty list restricts nothing.
        Some((set != Capabilities::NONE).then_some(set))
    });
    table.read("max_tokens", &mut profile.max_tokens, |item| {
        at_least_one(item).map(Some)
    });
    if let Some(item) = table.item("command") {
        profile.command = match provider {
            Some(ProviderKind::Local) | None => command(&item, shell).unwrap_or_default(),
            Some(_) => item
                .fault("must be left out: tundra runs no server but for provider = \"local\"")
                .unwrap_or_default(),
        };
    }
}

fn auth(item: &Item<'_>, provider: Option<ProviderKind>) -> Option<Auth> {
    let auth = item.one_of(&Auth::ALL.map(|auth| (auth.as_str(), auth)))?;
    match (auth, provider) {
        (Auth::Caller, Some(ProviderKind::Local)) => {
            item.fault("must be \"key\": a local server takes no logins")
        }
        _ => Some(auth),
    }
}

/// Whether what is sent to `url` can be read by nobody on the way.
fn keeps_secrets(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    uri.scheme_str() == Some("https")
        || host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn at_least_one(item: &Item<'_>) -> Option<NonZeroU32> {
    NonZeroU32::new(item.integer(1..=i64::from(u32::MAX))?)
}

/// The strings of an array, each one of some names.
fn names<T: Copy>(item: &Item<'_>, choices: &[(&'static str, T)]) -> Option<Vec<T>> {
    let items = item.elements("an array of strings")?;
    let count = items.len();
    let names: Vec<T> = items
        .iter()
        .filter_map(|item| item.one_of(choices))
        .collect();
    (names.len() == count).then_some(names)
}

fn dialects(item: &Item<'_>) -> Option<Dialects> {
    let names = names(item, &Dialect::ALL.map(|kind| (kind.as_str(), kind)))?;
    if names.is_empty() {
        return item.fault(
            "must name at least one of \"messages\", \"chat\", \"responses\" and \"generate\"",
        );
    }
    Some(Dialects::of(&names))
}

fn capabilities(item: &Item<'_>) -> Option<Capabilities> {
    let names = names(item, &Capability::ALL.map(|kind| (kind.as_str(), kind)))?;
    Some(Capabilities::of(&names))
}

/// A base URL as the gateway takes it: requests add `/v1/…`, so neither a slash nor `/v1` stands at its end.
/// An address of HTTP, without a slash at its end.
pub(super) fn base_url(item: &Item<'_>) -> Option<String> {
    let text = item.string()?.trim_end_matches('/');
    let text = text
        .strip_suffix("/v1")
        .or_else(|| text.strip_suffix("/v1beta"))
        .unwrap_or(text)
        .trim_end_matches('/');
    let wanted =
        "must be an address such as \"https://api.example.org\" or \"http://127.0.0.1:8080\"";
    let Ok(uri) = text.parse::<Uri>() else {
        return item.fault(wanted);
    };
    let Some(authority) = uri.authority() else {
        return item.fault(wanted);
    };
    if authority.as_str().contains('@') {
        return item
            .fault("must be without a user or a password: api_key_env names the key's variable");
    }
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    // A port that is no number is left out of what `port` answers.
    let port = authority
        .as_str()
        .rsplit_once(':')
        .filter(|(_, port)| !port.contains(']'));
    let port_is_wrong = port.is_some_and(|(_, port)| {
        port.parse::<u16>().is_ok_and(|port| port == 0) || port.parse::<u16>().is_err()
    });
    if !known || authority.host().is_empty() || port_is_wrong {
        return item.fault(wanted);
    }
    if uri.query().is_some() || text.contains('#') {
        return item.fault("must be without a query and a fragment");
    }
    Some(text.to_owned())
}

/// The name of an environment variable, or nothing.
fn key_variable<'d>(item: &Item<'d>) -> Option<&'d str> {
    let name = item.string()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.bytes().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
        // What stands here may be the key itself, so it is not repeated.
        return item.fault("must be the name of the environment variable that holds the key, such as \"ANTHROPIC_API_KEY\"");
    }
    Some(name)
}

fn model(item: &Item<'_>) -> Option<String> {
    match item.string()? {
        name if name.trim().is_empty() || name.chars().any(char::is_control) => {
            item.fault("must be the name of a model")
        }
        name => Some(name.to_owned()),
    }
}

fn headers(item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let table = item.table()?;
    let headers = table.items().filter_map(|item| {
        let value = item.string()?;
        let Ok(name) = HeaderName::from_bytes(item.key.as_bytes()) else {
            return item.fault("must have the name of a header, such as \"x-team\"");
        };
        if OWN_HEADERS.contains(&name.as_str()) {
            return item.fault("must be left out: tundra sets this header itself");
        }
        if HeaderValue::from_str(value).is_err() {
            return item.fault("must be text that a header can carry");
        }
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    Some(headers.collect())
}

fn models(item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let table = item.table()?;
    let models = table.items().filter_map(|item| {
        if item.key.trim().is_empty() {
            return item.fault("must map the name of a model");
        }
        Some((item.key.to_owned(), model(&item)?))
    });
    Some(models.collect())
}

/// The server's program and arguments; an empty array is none.
fn command(item: &Item<'_>, shell: &[String]) -> Option<Vec<String>> {
    if !item.is_string() && item.elements(WORDS_OR_TEXT)?.is_empty() {
        return Some(Vec::new());
    }
    command_line(item, shell)
}
