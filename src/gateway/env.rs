//! What a terminal's program needs to know to talk to the gateway: variables, and arguments for those that read none.

use crate::domain::adapter::{Adapter, Endpoint};
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
pub fn launch(key: &CallerKey, url: &str, agent: Option<&Adapter>) -> Launch {
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
        launch
            .env
            .extend(agent.launch_env(Endpoint { gateway: url, key }));
        launch.args = agent.launch_args(url);
    }
    launch
}

impl Launch {
    fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
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
    fn an_agent_gets_what_its_row_says_beyond() {
        let key = CallerKey::random();
        let adapter = Adapter {
            name: "one".into(),
            command: vec!["one".to_owned()],
            args: vec!["--url={gateway}".to_owned()],
            env: vec![("ONE_KEY".to_owned(), "{key}".to_owned())],
        };
        let launch = launch(&key, "http://127.0.0.1:3100/", Some(&adapter));
        assert_eq!(launch.args, ["--url=http://127.0.0.1:3100"]);
        let last = launch.env.last().unwrap();
        assert_eq!(*last, ("ONE_KEY".to_owned(), key.reveal().to_owned()));
    }
}
