//! The gateway's sections: the server, the breaker, the timeouts and the profiles.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::MAX_GRACE;
use super::command_words;
use crate::config::reader::{Item, Table};
use crate::config::settings::GatewaySettings;
use crate::config::shell::plain_words;
use crate::domain::breaker::BreakerSettings;
use crate::domain::profile::{Capabilities, Capability, Dialect, Dialects, Profile, ProviderKind};
use crate::domain::timeouts::Timeouts;

/// No provider is asked to wait for longer, whatever its profile says.
const MAX_COOLDOWN: Duration = Duration::from_secs(86_400);
/// What a probe may take beyond its answer's first byte before the next one may go.
const PROBE_SLACK: Duration = Duration::from_secs(10);

/// All that the gateway is configured with.
pub(super) struct GatewayPart {
    pub server: GatewaySettings,
    pub breaker: BreakerSettings,
    pub timeouts: Timeouts,
    pub profiles: Vec<Profile>,
}

pub(super) fn read(root: &mut Table<'_>) -> GatewayPart {
    let mut part = GatewayPart {
        server: GatewaySettings::default(),
        breaker: BreakerSettings::default(),
        timeouts: Timeouts::default(),
        profiles: Vec::new(),
    };
    root.section("gateway", |table| read_server(table, &mut part.server));
    root.section("circuit_breaker", |table| {
        read_breaker(table, &mut part.breaker);
    });
    root.section("timeouts", |table| read_timeouts(table, &mut part.timeouts));
    part.breaker.probe_lease = part.timeouts.first_byte + PROBE_SLACK;
    if let Some(item) = root.item("profile") {
        read_profiles(&item, &mut part.profiles);
    }
    part
}

fn read_server(table: &mut Table<'_>, server: &mut GatewaySettings) {
    table.read("enabled", &mut server.enabled, Item::boolean);
    let mut bind = None;
    table.read("bind", &mut bind, |item| {
        let wanted = "must be an address and a port, such as \"127.0.0.1:3100\"";
        match item.string()?.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Some(Some(address)),
            Ok(_) => {
                item.fault("must be a loopback address, since whoever reaches it uses your keys")
            }
            Err(_) => item.fault(wanted),
        }
    });
    if let Some(bind) = bind {
        server.bind_is_named = bind != server.bind;
        server.bind = bind;
    }
    table.read("max_wait", &mut server.max_wait, |item| {
        item.duration(MAX_GRACE)
    });
    table.read("max_body", &mut server.max_body, |item| {
        item.size(1 << 10..=1 << 30)
            .and_then(|bytes| usize::try_from(bytes).ok())
    });
}

fn read_breaker(table: &mut Table<'_>, breaker: &mut BreakerSettings) {
    for (key, slot) in [
        ("failure_threshold", &mut breaker.failure_threshold),
        ("timeout_threshold", &mut breaker.timeout_threshold),
        ("success_threshold", &mut breaker.success_threshold),
        ("half_open_requests", &mut breaker.half_open_requests),
    ] {
        table.read(key, slot, |item| item.integer(1..=1000));
    }
    table.read("open_for", &mut breaker.open_for, positive);
}

fn read_timeouts(table: &mut Table<'_>, timeouts: &mut Timeouts) {
    table.read("connect", &mut timeouts.connect, positive);
    table.read("first_byte", &mut timeouts.first_byte, positive);
    table.read("stream_idle", &mut timeouts.stream_idle, positive);
}

fn positive(item: &Item<'_>) -> Option<Duration> {
    match item.duration(MAX_GRACE)? {
        Duration::ZERO => item.fault("must be at least 1ms"),
        duration => Some(duration),
    }
}

fn read_profiles(item: &Item<'_>, profiles: &mut Vec<Profile>) {
    let items = item.elements("an array of tables: write [[profile]]");
    let mut names: Vec<String> = Vec::new();
    for item in items.into_iter().flatten() {
        let Some(mut table) = item.table() else {
            continue;
        };
        let name = match table.item("name") {
            Some(name) => profile_name(&name, &names),
            None => item.fault("must have a name"),
        };
        // A fault of a name must not make the next one look free.
        names.push(name.clone().unwrap_or_default());
        let choices = ProviderKind::ALL.map(|kind| (kind.as_str(), kind));
        let provider = match table.item("provider") {
            Some(provider) => provider.one_of(&choices),
            None => item.fault(
                "must have a provider: \"anthropic\", \"openrouter\", \"openai\" or \"local\"",
            ),
        };
        let kind = provider.unwrap_or(ProviderKind::Local);
        let mut profile = Profile::new(name.as_deref().unwrap_or_default(), kind);
        read_profile(&mut table, &mut profile, provider);
        table.refuse_unknown();
        if name.is_some() && provider.is_some() {
            profiles.push(profile);
        }
    }
}

fn profile_name(item: &Item<'_>, taken: &[String]) -> Option<String> {
    let name = item.string()?;
    if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        return item.fault("must be a name that can be seen, without blanks around it");
    }
    match taken.iter().position(|other| other == name) {
        Some(index) => item.fault(format!("must differ from the name of profile[{index}]")),
        None => Some(name.to_owned()),
    }
}

/// Reads all but name and provider. `provider` is none where it is at fault, so that nothing is held against it.
fn read_profile(table: &mut Table<'_>, profile: &mut Profile, provider: Option<ProviderKind>) {
    table.read("dialect", &mut profile.dialects, dialects);
    table.read("base_url", &mut profile.base_url, base_url);
    table.read("api_key_env", &mut profile.key_env, |item| {
        variable_name(item).map(Some)
    });
    table.read(
        "default_model",
        &mut profile.default_model,
        |item| match item.string()?.trim() {
            "" => item.fault("must name a model"),
            model => Some(model.to_owned()),
        },
    );
    table.read("priority", &mut profile.priority, |item| {
        item.integer(-1_000_000..=1_000_000)
    });
    table.read("enabled", &mut profile.enabled, Item::boolean);
    let limits = &mut profile.limits;
    table.read("rate_limit_rpm", &mut limits.rpm, |item| {
        Some(NonZeroU32::new(item.integer(1..=1_000_000_000)?))
    });
    table.read("rate_limit_tpm", &mut limits.tpm, |item| {
        Some(NonZeroU64::new(item.integer(1..=1_000_000_000_000)?))
    });
    table.read("burst", &mut limits.burst, |item| {
        Some(NonZeroU32::new(item.integer(1..=1_000_000_000)?))
    });
    table.read("cooldown", &mut profile.cooldown, |item| {
        item.duration(MAX_COOLDOWN)
    });
    table.read("headers", &mut profile.headers, headers);
    table.read("models", &mut profile.models, |item| {
        pairs(item, |item, name, value| {
            if name.is_empty() || value.trim().is_empty() {
                return item.fault("must be a model's name and the name to send instead");
            }
            Some(())
        })
    });
    table.read("capabilities", &mut profile.capabilities, |item| {
        capabilities(item).map(Some)
    });
    table.read("max_tokens", &mut profile.max_tokens, |item| {
        Some(NonZeroU32::new(item.integer(1..=1_000_000_000)?))
    });
    table.read("command", &mut profile.command, |item| {
        let command = command(item)?;
        match provider {
            Some(ProviderKind::Local) | None => Some(command),
            Some(_) if command.is_empty() => Some(command),
            Some(_) => item.fault("must be left out: only a local provider has a program to start"),
        }
    });
}

fn dialects(item: &Item<'_>) -> Option<Dialects> {
    let choices = Dialect::ALL.map(|dialect| (dialect.as_str(), dialect));
    let items = item.elements("an array such as [\"messages\", \"chat\"]")?;
    let known: Vec<Dialect> = items
        .iter()
        .filter_map(|item| item.one_of(&choices))
        .collect();
    if items.is_empty() {
        return item.fault("must name at least one of \"messages\", \"chat\" and \"responses\"");
    }
    (known.len() == items.len()).then(|| Dialects::of(&known))
}

fn capabilities(item: &Item<'_>) -> Option<Capabilities> {
    let choices = Capability::ALL.map(|capability| (capability.as_str(), capability));
    let items = item.elements("an array such as [\"streaming\", \"tools\"]")?;
    let known: Vec<Capability> = items
        .iter()
        .filter_map(|item| item.one_of(&choices))
        .collect();
    // An empty list says nothing, as does a missing one.
    if items.is_empty() {
        return Some(Capabilities::of(&Capability::ALL));
    }
    (known.len() == items.len()).then(|| Capabilities::of(&known))
}

fn base_url(item: &Item<'_>) -> Option<String> {
    let url = item.string()?.trim_end_matches('/');
    // Other programs want it there; here it begins every route.
    let url = url.strip_suffix("/v1").unwrap_or(url);
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    match authority {
        Some(authority) if authority.contains('@') => {
            item.fault("must hold no user and no password: name the key's variable in api_key_env")
        }
        Some(authority)
            if !authority.is_empty()
                && !url.contains(['?', '#'])
                && url.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Some(url.to_owned())
        }
        _ => item.fault("must be an address such as \"https://api.example.com\", without a query"),
    }
}

fn variable_name(item: &Item<'_>) -> Option<String> {
    let name = item.string()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.bytes().all(fits)
    {
        return item.fault("must be the name of an environment variable, never the key itself");
    }
    Some(name.to_owned())
}

fn headers(item: &Item<'_>) -> Option<Vec<(String, String)>> {
    const TOKEN: &[u8] = b"!#$%&'*+-.^_`|~";
    pairs(item, |item, name, value| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || TOKEN.contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return item.fault("must be a header's name");
        }
        if !value
            .bytes()
            .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
        {
            return item.fault("must be a header's value: printable ASCII");
        }
        Some(())
    })
}

fn pairs(
    item: &Item<'_>,
    check: impl Fn(&Item<'_>, &str, &str) -> Option<()>,
) -> Option<Vec<(String, String)>> {
    let table = item.table()?;
    let pairs = table.items().filter_map(|item| {
        let value = item.string()?;
        check(&item, item.key, value)?;
        Some((item.key.to_owned(), value.to_owned()))
    });
    Some(pairs.collect())
}

fn command(item: &Item<'_>) -> Option<Vec<String>> {
    if item.is_string() {
        let line = item.string()?;
        return match plain_words(line) {
            Some(words) => Some(words),
            None => {
                item.fault("must be a program and its arguments, as an array where it needs quotes")
            }
        };
    }
    if item.elements("a string or an array of strings")?.is_empty() {
        return Some(Vec::new());
    }
    command_words(item)
}
