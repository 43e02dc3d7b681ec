//! The agents that tundra knows by name, read from the table in `assets/`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::adapter::{Adapter, Adapters, Unobserved, Version, Wiring};
use crate::domain::agent::{AgentTraits, TitleMeaning, TitleRule, TitleRules};
use crate::domain::offer::{Offer, Vendor};

const TABLE: &str = include_str!("../../assets/agents.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    agent: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    resume_args: Vec<String>,
    shift_enter: Option<String>,
    #[serde(default)]
    title: Vec<TitleRow>,
    #[serde(default)]
    titles_first: bool,
    #[serde(default)]
    unobserved: Vec<UnobservedRow>,
    #[serde(default)]
    anthropic: VendorRow,
    #[serde(default)]
    openai: VendorRow,
    #[serde(default)]
    google: VendorRow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TitleRow {
    #[serde(default)]
    first: String,
    means: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnobservedRow {
    from: Option<String>,
    unless: Option<VendorName>,
    why: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VendorName {
    Anthropic,
    OpenAi,
    Google,
}

impl From<VendorName> for Vendor {
    fn from(name: VendorName) -> Self {
        match name {
            VendorName::Anthropic => Self::Anthropic,
            VendorName::OpenAi => Self::OpenAi,
            VendorName::Google => Self::Google,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorRow {
    key: Option<WiringRow>,
    login: Option<WiringRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WiringRow {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// The agents without any configuration.
#[must_use]
pub fn built_in_adapters() -> Adapters {
    // A test reads the table, so that it cannot be broken here.
    Adapters::new(read(TABLE).unwrap_or_default())
}

fn read(text: &str) -> Result<Vec<Adapter>, toml::de::Error> {
    let table: Table = toml::from_str(text)?;
    Ok(table.agent.into_iter().map(adapter).collect())
}

fn adapter(row: Row) -> Adapter {
    let vendors = [
        (Vendor::Anthropic, row.anthropic),
        (Vendor::OpenAi, row.openai),
        (Vendor::Google, row.google),
    ];
    let wirings = vendors.into_iter();
    let wirings = wirings.flat_map(|(vendor, row)| wirings_of(vendor, row));
    let version = |text: &String| Some(Version::find(text)?.1);
    let unobserved = row.unobserved.into_iter().map(|row| Unobserved {
        from: row.from.as_ref().and_then(version),
        unless: row.unless.map(Vendor::from),
        why: row.why,
    });
    let works_by_requests = !row.command.is_empty();
    Adapter {
        command: row.command,
        args: row.args,
        resume_args: row.resume_args,
        env: row.env.into_iter().collect(),
        wirings: wirings.collect(),
        shift_enter: row.shift_enter,
        traits: AgentTraits {
            titles: TitleRules::new(row.title.iter().filter_map(title_rule).collect()),
            titles_first: row.titles_first,
            works_by_requests,
        },
        unobserved: unobserved.collect(),
        ..Adapter::new(row.name.into())
    }
}

fn title_rule(row: &TitleRow) -> Option<TitleRule> {
    let mut meanings = TitleMeaning::ALL.into_iter();
    let meaning = meanings.find(|meaning| meaning.name() == row.means)?;
    Some(TitleRule::new(&row.first, meaning))
}

fn wirings_of(vendor: Vendor, row: VendorRow) -> impl Iterator<Item = Wiring> {
    let offers = [(Offer::Key, row.key), (Offer::Login, row.login)];
    offers.into_iter().filter_map(move |(offer, row)| {
        let row = row?;
        Some(Wiring {
            vendor,
            offer,
            args: row.args,
            env: row.env.into_iter().collect(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::adapter::Endpoint;
    use crate::domain::offer::Offers;

    #[test]
    fn the_table_can_be_read_and_names_each_agent_once() {
        let rows = read(TABLE).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(
            names,
            ["claude", "codex", "aider", "opencode", "gemini", "shell"]
        );
        for row in &rows {
            let is_shell = row.name.as_str() == "shell";
            assert_eq!(row.program(), (!is_shell).then(|| row.name.as_str()));
        }
    }

    const ENDPOINT: Endpoint<'_> = Endpoint {
        gateway: "http://127.0.0.1:3100",
        key: "secret",
        model: "model",
    };

    fn env(agent: &str, anthropic: Offer, openai: Offer) -> Vec<(String, String)> {
        let adapters = built_in_adapters();
        let adapter = adapters.get(&agent.into()).unwrap();
        let offers = Offers {
            anthropic,
            openai,
            ..Offers::default()
        };
        adapter.launch_env(ENDPOINT, offers)
    }

    fn provider_of_codex(openai: Offer) -> Option<toml::Value> {
        let adapters = built_in_adapters();
        let offers = Offers {
            openai,
            ..Offers::default()
        };
        let codex = adapters.get(&"codex".into()).unwrap();
        let args = codex.launch_args(ENDPOINT, offers);
        let own = &codex.args;
        let (config, rest) = args.strip_prefix(own.as_slice())?.split_at_checked(3)?;
        assert_eq!(config, ["-c", "model_provider=\"tundra\"", "-c"]);
        let table: toml::Table = toml::from_str(&rest[0]).unwrap();
        Some(table["model_providers"]["tundra"].clone())
    }

    #[test]
    fn codex_takes_its_provider_from_its_arguments() {
        let with_key = toml::toml! {
            name = "tundra"
            base_url = "http://127.0.0.1:3100/v1"
            env_key = "OPENAI_API_KEY"
            wire_api = "responses"
            stream_idle_timeout_ms = 300_000
        };
        assert_eq!(provider_of_codex(Offer::Key), Some(with_key.into()));
        let with_login = toml::toml! {
            name = "tundra"
            base_url = "http://127.0.0.1:3100/v1"
            wire_api = "responses"
            requires_openai_auth = true
            env_http_headers = { "x-tundra-key" = "TUNDRA_KEY" }
            stream_idle_timeout_ms = 300_000
        };
        assert_eq!(provider_of_codex(Offer::Login), Some(with_login.into()));
        assert_eq!(provider_of_codex(Offer::Nothing), None);
        let key = [("TUNDRA_KEY".to_owned(), "secret".to_owned())];
        assert_eq!(env("codex", Offer::Nothing, Offer::Login), key);
        assert_eq!(env("codex", Offer::Login, Offer::Key), []);
    }

    #[test]
    fn what_agents_get_inline_is_what_they_can_read() {
        let adapters = built_in_adapters();
        let args = |name: &str| adapters.get(&name.into()).unwrap().args.clone();
        let claude = args("claude");
        let [flag, settings] = &claude[..] else {
            panic!("{claude:?}");
        };
        assert_eq!(flag, "--settings");
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        let hook = &settings["hooks"]["PermissionRequest"][0]["hooks"][0];
        assert_eq!(hook["type"], "command");
        let command = hook["command"].as_str().unwrap();
        assert!(command.starts_with("printf \"\\033]9;") && command.ends_with("|| true"));
        for pair in args("codex").chunks(2) {
            let [flag, value] = pair else {
                panic!("{pair:?}");
            };
            assert_eq!(flag, "-c");
            assert!(value.parse::<toml::Table>().is_ok(), "{value}");
        }
    }

    #[test]
    fn each_row_says_it_in_the_words_of_its_program_and_only_where_it_helps() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            env("claude", Offer::Key, Offer::Nothing),
            [pair("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1")]
        );
        assert_eq!(env("claude", Offer::Login, Offer::Key), []);
        assert_eq!(
            env("aider", Offer::Key, Offer::Login),
            [
                pair("ANTHROPIC_API_BASE", ENDPOINT.gateway),
                pair("ANTHROPIC_API_KEY", "secret")
            ]
        );
        assert_eq!(env("aider", Offer::Login, Offer::Login), []);
        let opencode = |anthropic, openai| {
            let values = env("opencode", anthropic, openai).into_iter();
            let parsed = values.map(|(_, value)| serde_json::from_str(&value).unwrap());
            parsed.collect::<Vec<serde_json::Value>>()
        };
        let options = |variable: &str| serde_json::json!({"options": {"baseURL": "http://127.0.0.1:3100/v1", "apiKey": format!("{{env:{variable}}}")}});
        assert_eq!(
            opencode(Offer::Key, Offer::Key),
            [
                serde_json::json!({"provider": {"anthropic": options("ANTHROPIC_AUTH_TOKEN")}}),
                serde_json::json!({"provider": {"openai": options("OPENAI_API_KEY")}}),
            ]
        );
        let login =
            serde_json::json!({"options": {"baseURL": "http://127.0.0.1:3100/t/secret/v1"}});
        assert_eq!(
            opencode(Offer::Login, Offer::Login),
            [serde_json::json!({"provider": {"anthropic": login}})]
        );
    }
}
