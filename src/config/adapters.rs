//! The agents that tundra knows by name, read from the table in `assets/`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::adapter::{Adapter, Adapters};

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
}

/// The agents without any configuration.
#[must_use]
pub fn built_in_adapters() -> Adapters {
    // A test reads the table, so that it cannot be broken here.
    Adapters::new(read(TABLE).unwrap_or_default())
}

fn read(text: &str) -> Result<Vec<Adapter>, toml::de::Error> {
    let table: Table = toml::from_str(text)?;
    let rows = table.agent.into_iter().map(|row| Adapter {
        name: row.name.into(),
        command: row.command,
        args: row.args,
        env: row.env.into_iter().collect(),
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::adapter::Endpoint;

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

    #[test]
    fn each_row_says_it_in_the_words_of_its_program() {
        let endpoint = Endpoint {
            gateway: "http://127.0.0.1:3100",
            key: "secret",
        };
        let adapters = built_in_adapters();
        let value = |agent: &str, variable: &str| {
            let env = adapters.get(&agent.into()).unwrap().launch_env(endpoint);
            let found = env.into_iter().find(|(name, _)| name == variable);
            found.map(|(_, value)| value).unwrap_or_default()
        };
        let args = adapters
            .get(&"codex".into())
            .unwrap()
            .launch_args(endpoint.gateway);
        assert_eq!(args[..3], ["-c", "model_provider=\"tundra\"", "-c"]);
        let provider: toml::Table = toml::from_str(&args[3]).unwrap();
        let expected = toml::toml! {
            name = "tundra"
            base_url = "http://127.0.0.1:3100/v1"
            env_key = "OPENAI_API_KEY"
            wire_api = "responses"
            stream_idle_timeout_ms = 300_000
        };
        assert_eq!(provider["model_providers"]["tundra"], expected.into());
        let opencode: serde_json::Value =
            serde_json::from_str(&value("opencode", "OPENCODE_CONFIG_CONTENT")).unwrap();
        let options = |variable: &str| serde_json::json!({"options": {"baseURL": "http://127.0.0.1:3100/v1", "apiKey": format!("{{env:{variable}}}")}});
        assert_eq!(
            opencode,
            serde_json::json!({"provider": {
                "anthropic": options("ANTHROPIC_AUTH_TOKEN"),
                "openai": options("OPENAI_API_KEY"),
            }})
        );
        assert_eq!(value("aider", "ANTHROPIC_API_BASE"), endpoint.gateway);
        assert_eq!(value("aider", "ANTHROPIC_API_KEY"), "secret");
        assert_eq!(value("claude", "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"), "1");
    }
}
