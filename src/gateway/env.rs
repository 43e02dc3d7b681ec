//! What a terminal's program needs to know to talk to the gateway: variables, and arguments for those that read none.

use serde_json::json;

use crate::domain::agent::AgentKind;
use crate::domain::profile::{Profile, ProviderKind};

use super::keys::CallerKey;

/// Variables and arguments that point an agent at the gateway. No file of the user's is touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    pub env: Vec<(String, String)>,
    /// Go right after the program's name.
    pub args: Vec<String>,
}

/// For every terminal: the variables that most clients read, and what `agent` needs beyond them.
///
/// `url` is the gateway's address without a path, such as `http://127.0.0.1:3100`.
#[must_use]
pub fn launch(key: &CallerKey, url: &str, agent: Option<AgentKind>) -> Launch {
    let url = url.trim_end_matches('/');
    let key = key.reveal();
    let with_v1 = format!("{url}/v1");
    let mut launch = Launch::default();
    launch.set("ANTHROPIC_BASE_URL", url);
    launch.set("ANTHROPIC_AUTH_TOKEN", key);
    launch.set("OPENAI_BASE_URL", &with_v1);
    launch.set("OPENAI_API_KEY", key);
    launch.set("OPENAI_API_BASE", &with_v1);
    if let Some(agent) = agent {
        launch.add_for(agent, key, url);
    }
    launch
}

impl Launch {
    fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    fn add_for(&mut self, agent: AgentKind, key: &str, url: &str) {
        match agent {
            AgentKind::Claude => {
                // Else a settings file of the user's would point it elsewhere again.
                self.set("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1");
                // Else a broken stream is asked again without streaming, and tools run twice.
                self.set("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1");
            }
            AgentKind::Codex => {
                // It takes its provider from its configuration alone and speaks nothing but Responses.
                let provider = format!(
                    "model_providers.tundra={{name=\"tundra\", base_url=\"{url}/v1\", env_key=\"OPENAI_API_KEY\", \
                     wire_api=\"responses\", stream_idle_timeout_ms=300000}}"
                );
                for argument in ["-c", "model_provider=\"tundra\"", "-c", &provider] {
                    self.args.push(argument.to_owned());
                }
            }
            AgentKind::Aider => {
                // It goes through LiteLLM, which knows no ANTHROPIC_AUTH_TOKEN.
                self.set("ANTHROPIC_API_BASE", url);
                self.set("ANTHROPIC_API_KEY", key);
            }
            AgentKind::Opencode => {
                let provider = |variable: &str| json!({"options": {"baseURL": format!("{url}/v1"), "apiKey": format!("{{env:{variable}}}")}});
                let config = json!({"provider": {
                    "anthropic": provider("ANTHROPIC_AUTH_TOKEN"),
                    "openai": provider("OPENAI_API_KEY"),
                }});
                self.set("OPENCODE_CONFIG_CONTENT", &config.to_string());
            }
            // It speaks generateContent alone, which the gateway does not serve: it keeps its own way out.
            AgentKind::Gemini => {}
        }
    }
}

/// The variables that hold providers' keys, which no child may see.
pub fn secret_variables<'a>(profiles: &'a [Profile]) -> impl Iterator<Item = &'a str> {
    let known: [Option<&'a str>; 4] = ProviderKind::ALL.map(ProviderKind::key_env);
    known.into_iter().flatten().chain(
        profiles
            .iter()
            .filter_map(|profile| profile.key_env.as_deref()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(launch: &'a Launch, name: &str) -> Option<&'a str> {
        launch
            .env
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn every_terminal_gets_both_vendors_variables() {
        let key = CallerKey::random();
        let launch = launch(&key, "http://127.0.0.1:3100/", None);
        let secret = key.reveal();
        assert_eq!(
            launch.env,
            [
                ("ANTHROPIC_BASE_URL", "http://127.0.0.1:3100"),
                ("ANTHROPIC_AUTH_TOKEN", secret),
                ("OPENAI_BASE_URL", "http://127.0.0.1:3100/v1"),
                ("OPENAI_API_KEY", secret),
                ("OPENAI_API_BASE", "http://127.0.0.1:3100/v1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(launch.args, [""; 0]);
    }

    #[test]
    fn agents_get_what_they_need_beyond() {
        let key = CallerKey::random();
        let made = |agent| launch(&key, "http://127.0.0.1:3100", Some(agent));
        let codex = made(AgentKind::Codex);
        assert_eq!(codex.args[..2], ["-c", "model_provider=\"tundra\""]);
        let (path, table) = codex.args[3].split_once('=').unwrap();
        assert_eq!(path, "model_providers.tundra");
        let table: toml::Table = toml::from_str(&format!("x = {table}")).unwrap();
        assert_eq!(
            table["x"]["base_url"].as_str(),
            Some("http://127.0.0.1:3100/v1")
        );
        assert_eq!(table["x"]["wire_api"].as_str(), Some("responses"));
        let config = made(AgentKind::Opencode);
        let config: serde_json::Value =
            serde_json::from_str(value(&config, "OPENCODE_CONFIG_CONTENT").unwrap()).unwrap();
        assert_eq!(
            config["provider"]["openai"]["options"]["baseURL"],
            "http://127.0.0.1:3100/v1"
        );
        assert_eq!(
            value(&made(AgentKind::Aider), "ANTHROPIC_API_KEY"),
            Some(key.reveal())
        );
        assert_eq!(
            value(
                &made(AgentKind::Claude),
                "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"
            ),
            Some("1")
        );
    }
}
