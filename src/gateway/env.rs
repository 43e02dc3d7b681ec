//! What a terminal's program needs to know to talk to the gateway: variables, and arguments for those that read none.

use serde_json::{Map, Value};

use crate::domain::adapter::{Adapter, Endpoint};
use crate::domain::offer::{Offer, Offers};
use crate::domain::profile::{Profile, ProviderKind};

/// Variables and arguments that point an agent at the gateway. No file of the user's is touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// Variables to set, over those of the same name.
    pub env: Vec<(String, String)>,
    /// Go right after the agent's command.
    pub args: Vec<String>,
    /// Whether the agent's requests will pass the gateway.
    pub is_observed: bool,
}

/// For every terminal: the variables that most clients read, and what `agent` needs beyond them, by what is offered.
///
/// A variable is set only where it helps. `is_set` tells which variables the user has set.
#[must_use]
pub fn launch(
    endpoint: Endpoint<'_>,
    agent: Option<&Adapter>,
    offers: Offers,
    is_set: impl Fn(&str) -> bool,
) -> Launch {
    let (url, key) = (endpoint.gateway, endpoint.key);
    let mut launch = Launch::default();
    match offers.anthropic {
        Offer::Nothing => {}
        Offer::Key => {
            launch.set("ANTHROPIC_BASE_URL", url);
            launch.set("ANTHROPIC_AUTH_TOKEN", key);
        }
        // An address of the user's own is where his login belongs.
        Offer::Login if is_set("ANTHROPIC_BASE_URL") => {}
        Offer::Login => launch.set("ANTHROPIC_BASE_URL", &format!("{url}/t/{key}")),
    }
    if offers.openai == Offer::Key {
        let with_v1 = format!("{url}/v1");
        launch.set("OPENAI_BASE_URL", &with_v1);
        launch.set("OPENAI_API_KEY", key);
        launch.set("OPENAI_API_BASE", &with_v1);
    }
    match offers.google {
        Offer::Nothing => {}
        Offer::Key => {
            launch.set("GOOGLE_GEMINI_BASE_URL", url);
            launch.set("GEMINI_API_KEY", key);
        }
        Offer::Login if is_set("GOOGLE_GEMINI_BASE_URL") => {}
        Offer::Login => launch.set("GOOGLE_GEMINI_BASE_URL", &format!("{url}/t/{key}")),
    }
    if let Some(agent) = agent {
        for (name, value) in agent.launch_env(endpoint, offers) {
            launch.add(&name, &value);
        }
        launch.args = agent.launch_args(endpoint, offers);
        // By whatever means, it has the key.
        let has_key = |(_, value): &(String, String)| value.contains(key);
        let is_seen = agent.unobserved(None, offers).is_none();
        launch.is_observed = is_seen && launch.env.iter().any(has_key);
    }
    launch
}

/// What an agent gets that goes to its provider by itself.
#[must_use]
pub fn bare(agent: Option<&Adapter>) -> Launch {
    Launch {
        env: agent.map(Adapter::bare_env).unwrap_or_default(),
        args: agent.map(Adapter::bare_args).unwrap_or_default(),
        is_observed: false,
    }
}

impl Launch {
    fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a variable, or adds to the JSON object that it holds already.
    fn add(&mut self, name: &str, value: &str) {
        let Some((_, held)) = self.env.iter_mut().find(|(held, _)| held == name) else {
            return self.set(name, value);
        };
        match (serde_json::from_str(held), serde_json::from_str(value)) {
            (Ok(Value::Object(mut all)), Ok(Value::Object(more))) => {
                merge(&mut all, more);
                *held = Value::Object(all).to_string();
            }
            _ => value.clone_into(held),
        }
    }
}

fn merge(all: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (all.get_mut(&name), value) {
            (Some(Value::Object(held)), Value::Object(more)) => merge(held, more),
            (_, value) => {
                all.insert(name, value);
            }
        }
    }
}

/// The variables that hold keys of the providers, and of these profiles.
pub fn key_variables<'a>(profiles: &'a [Profile]) -> impl Iterator<Item = &'a str> {
    // Google's is read by a profile or left where it is: nobody else could serve who needs it.
    let known = ProviderKind::ALL.into_iter();
    let known = known.filter(|provider| *provider != ProviderKind::Gemini);
    let known = known.filter_map(|provider| provider.key_env().map(|name| -> &'a str { name }));
    known.chain(
        profiles
            .iter()
            .filter_map(|profile| profile.key_env.as_deref()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::adapter::Wiring;
    use crate::domain::offer::Vendor;
    use crate::gateway::keys::CallerKey;

    const URL: &str = "http://127.0.0.1:3100";

    fn offers(anthropic: Offer, openai: Offer) -> Offers {
        Offers {
            anthropic,
            openai,
            ..Offers::default()
        }
    }

    fn endpoint(key: &CallerKey) -> Endpoint<'_> {
        Endpoint {
            gateway: URL,
            key: key.reveal(),
            model: "m",
        }
    }

    fn plain(key: &CallerKey, offers: Offers, set: &[&str]) -> Vec<(String, String)> {
        launch(endpoint(key), None, offers, |name| set.contains(&name)).env
    }

    #[test]
    fn a_terminal_gets_what_helps_it_and_nothing_else() {
        let key = CallerKey::random();
        let secret = key.reveal();
        let with_key = [
            ("ANTHROPIC_BASE_URL", "http://127.0.0.1:3100"),
            ("ANTHROPIC_AUTH_TOKEN", secret),
            ("OPENAI_BASE_URL", "http://127.0.0.1:3100/v1"),
            ("OPENAI_API_KEY", secret),
            ("OPENAI_API_BASE", "http://127.0.0.1:3100/v1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(plain(&key, offers(Offer::Key, Offer::Key), &[]), with_key);
        let login = ("ANTHROPIC_BASE_URL".to_owned(), format!("{URL}/t/{secret}"));
        assert_eq!(
            plain(&key, offers(Offer::Login, Offer::Login), &[]),
            [login]
        );
        assert_eq!(plain(&key, Offers::default(), &[]), []);
        let google = Offers {
            google: Offer::Key,
            ..Offers::default()
        };
        let with_key = [("GOOGLE_GEMINI_BASE_URL", URL), ("GEMINI_API_KEY", secret)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(plain(&key, google, &[]), with_key);
    }

    #[test]
    fn a_users_own_address_is_where_his_login_goes() {
        let key = CallerKey::random();
        let own = &["ANTHROPIC_BASE_URL"];
        assert_eq!(plain(&key, offers(Offer::Login, Offer::Nothing), own), []);
        assert_eq!(
            plain(&key, offers(Offer::Key, Offer::Nothing), own).len(),
            2
        );
    }

    #[test]
    fn an_agent_gets_what_its_row_says_beyond_and_json_becomes_one() {
        let key = CallerKey::random();
        let wiring = |vendor, value: &str| Wiring {
            vendor,
            offer: Offer::Key,
            args: Vec::new(),
            env: vec![("ONE_CONFIG".to_owned(), value.to_owned())],
        };
        let adapter = Adapter {
            args: vec!["--url={gateway}".to_owned(), "--model={model}".to_owned()],
            env: vec![("ONE_KEY".to_owned(), "{key}".to_owned())],
            wirings: vec![
                wiring(Vendor::Anthropic, r#"{"a":{"b":1},"c":1}"#),
                wiring(Vendor::OpenAi, r#"{"a":{"d":2},"c":2}"#),
            ],
            ..Adapter::new("one".into())
        };
        let both = offers(Offer::Key, Offer::Key);
        let launch = launch(endpoint(&key), Some(&adapter), both, |_| false);
        assert_eq!(launch.args, ["--url=http://127.0.0.1:3100", "--model=m"]);
        assert!(launch.is_observed);
        assert!(!bare(Some(&adapter)).is_observed);
        let [.., (_, held), (name, config)] = &launch.env[..] else {
            panic!("{launch:?}");
        };
        assert_eq!((held.as_str(), name.as_str()), (key.reveal(), "ONE_CONFIG"));
        let config: Value = serde_json::from_str(config).unwrap();
        assert_eq!(config, serde_json::json!({"a": {"b": 1, "d": 2}, "c": 2}));
    }
}
