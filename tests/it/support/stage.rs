//! A gateway in this process, its upstreams, and a client that shows a valid key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tundra::domain::breaker::BreakerSettings;
use tundra::domain::id::TerminalId;
use tundra::domain::profile::{Dialect, Dialects, Profile, ProfileName, ProviderKind};
use tundra::domain::route::{ProviderStatus, RouteSettings};
use tundra::domain::timeouts::Timeouts;
use tundra::domain::usage::Attempt;
use tundra::gateway::{self, CallerKey, Gateway, Options};
use tundra::runtime::tasks::Tasks;

use super::client::client;
use super::upstream::{Script, Upstream};

/// The key that providers see; no caller may.
pub const SECRET: &str = "sk-upstream-secret";

/// Times short enough for tests and long enough for a busy machine.
pub fn quick() -> Options {
    Options {
        route: RouteSettings {
            breaker: BreakerSettings {
                open_for: Duration::from_millis(500),
                ..BreakerSettings::default()
            },
            max_wait: Duration::from_millis(1_500),
            // What follows from one request shall not depend on those before it.
            affinity: Duration::ZERO,
            ..RouteSettings::default()
        },
        timeouts: Timeouts {
            connect: Duration::from_millis(500),
            first_byte: Duration::from_millis(600),
            stream_idle: Duration::from_millis(600),
        },
        max_body: 1024 * 1024,
        ping_every: Duration::from_secs(15),
    }
}

/// A profile that speaks every dialect to `url`.
pub fn profile(name: &str, priority: i64, url: &str) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Anthropic);
    url.clone_into(&mut profile.base_url);
    profile.key_env = Some("UPSTREAM_KEY".to_owned());
    profile.dialects = Dialects::of(&Dialect::ALL);
    profile.priority = priority;
    profile
}

/// A gateway that serves until it is dropped.
pub struct Stage {
    pub gateway: Gateway,
    pub terminal: TerminalId,
    pub key: CallerKey,
    pub url: String,
    pub tasks: Tasks,
    client: reqwest::Client,
}

impl Stage {
    pub async fn with(options: Options, profiles: Vec<Profile>) -> Self {
        let keys = HashMap::from([("UPSTREAM_KEY", SECRET)]);
        let keys = Arc::new(move |name: &str| keys.get(name).map(|key| (*key).to_owned()));
        let gateway = Gateway::new(options, profiles, keys);
        let terminal = TerminalId::random();
        let key = gateway.keys().issue(terminal);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tasks = Tasks::default();
        tasks.spawn(
            "gateway",
            gateway::serve(listener, gateway.clone(), tasks.clone()),
        );
        let client = client();
        Self {
            gateway,
            terminal,
            key,
            url,
            tasks,
            client,
        }
    }

    pub async fn quick(profiles: Vec<Profile>) -> Self {
        Self::with(quick(), profiles).await
    }

    /// A gateway before one upstream that plays this script, whose profile is `p`.
    pub async fn before(script: Script) -> (Upstream, Self) {
        Self::before_with(quick(), script).await
    }

    pub async fn before_with(options: Options, script: Script) -> (Upstream, Self) {
        let upstream = Upstream::start(script);
        let stage = Self::with(options, vec![profile("p", 1, &upstream.url())]).await;
        (upstream, stage)
    }

    /// A gateway before the upstreams at two addresses, whose profiles are `first` and, if it fails, `second`.
    pub async fn two(first: &str, second: &str) -> Self {
        let profiles = vec![profile("first", 1, first), profile("second", 2, second)];
        Self::quick(profiles).await
    }

    /// A request with a valid key.
    pub fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .bearer_auth(self.key.reveal())
            .header("content-type", "application/json")
            .body(body)
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client
            .get(format!("{}{path}", self.url))
            .bearer_auth(self.key.reveal())
    }

    /// A client without a key.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub fn provider(&self, name: &str) -> ProviderStatus {
        self.gateway
            .router()
            .status()
            .providers
            .into_iter()
            .find(|provider| provider.profile.name.as_str() == name)
            .unwrap()
    }

    /// A profile's last attempts, the newest first.
    pub fn attempts(&self, name: &str) -> Vec<Attempt> {
        let name = Self::name(name);
        let requests = self.gateway.router().requests(&name).into_iter();
        let tries = requests.flat_map(|request| request.tries.into_iter().rev());
        tries
            .filter(|made| made.profile == name)
            .map(|made| made.attempt)
            .collect()
    }

    pub fn name(name: &str) -> ProfileName {
        ProfileName::from(name)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let tasks = self.tasks.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { tasks.shutdown(Duration::from_secs(1)).await });
        }
    }
}

/// An answer, whole.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The body ended with a broken connection.
    pub cut: bool,
}

impl Got {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let mut response = request.send().await.unwrap();
        let mut body = Vec::new();
        let cut = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body,
            cut,
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn attempts(&self) -> &str {
        self.header("x-tundra-attempts").unwrap()
    }

    pub fn profile(&self) -> Option<&str> {
        self.header("x-tundra-profile")
    }
}
