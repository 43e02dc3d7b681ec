//! A profile, layer by layer: its key, its name, the way to it, TLS, whether it takes the key, whether it has the model.

mod host;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use self::host::Host;
use super::subject::{DEADLINE, Scope, Subject};
use crate::domain::check::{Check, CheckStatus};
use crate::domain::nearest::nearest;
use crate::domain::profile::{Auth, Profile, ProviderKind};
use crate::gateway::probe::{self, ProbeAnswer, ProbeFailure, Question};
use crate::runtime::secrets;

/// In the order in which one stands on the other.
pub(super) const LAYERS: [&str; 6] = ["key", "dns", "tcp", "tls", "auth", "model"];
/// A name that is not found, or an address that does not answer, leaves time for the others.
const STEP: Duration = Duration::from_secs(2);
/// Names of models that are told at most.
const TOLD: usize = 3;

/// What was found about one profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Examined {
    pub checks: Vec<Check>,
    pub skew: Option<Skew>,
}

impl Examined {
    pub(super) fn without_clock(checks: Vec<Check>) -> Self {
        Self { checks, skew: None }
    }
}

/// How far this machine's clock is ahead of a provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skew {
    pub profile: String,
    pub seconds: i64,
}

/// Looks at each layer until one fails; those above it are skipped. Ends within five seconds.
pub(super) async fn examine(profile: &Profile, subject: &Subject) -> Examined {
    let mut found = Report::new(profile, subject);
    if !profile.enabled {
        found.skip_rest("the profile is disabled");
        return found.examined;
    }
    let key = match key(profile, subject) {
        KeyFound::Given(check, key) => {
            found.push(check);
            key
        }
        KeyFound::Missing(check) => {
            found.push(check);
            found.skip_rest("there is no key");
            return found.examined;
        }
    };
    if subject.scope == Scope::Offline {
        found.skip_rest("providers are not asked (--offline)");
        return found.examined;
    }
    let deadline = Instant::now() + DEADLINE;
    let Some(host) = Host::of(profile) else {
        let url = &profile.base_url;
        let cure = "correct base_url of the profile: https://HOST[:PORT][/PATH]";
        found.push(Check::fail(
            found.name("dns"),
            format!("{url} is no address"),
            cure,
        ));
        found.skip_rest("there is no address");
        return found.examined;
    };
    let Some(addresses) = found.dns(&host, deadline).await else {
        found.skip_rest("its name is not found");
        return found.examined;
    };
    if !found.tcp(&host, &addresses, deadline).await {
        found.skip_rest("no connection comes about");
        return found.examined;
    }
    found.ask(&host, key.as_deref(), deadline).await;
    found.examined
}

enum KeyFound {
    /// With the key itself, where this process has one.
    Given(Check, Option<String>),
    Missing(Check),
}

fn key(profile: &Profile, subject: &Subject) -> KeyFound {
    let name = format!("profile.{}.key", profile.name);
    if profile.auth == Auth::Caller {
        let told = match subject.provider(profile.name.as_str()) {
            Some(provider) if provider.state == "no_login" => {
                "callers bring their own login; none was seen in this run"
            }
            _ => "callers bring their own login",
        };
        return KeyFound::Given(Check::ok(name, told), None);
    }
    let Some(variable) = &profile.key_env else {
        return KeyFound::Given(Check::ok(name, "none is needed"), None);
    };
    let of_instance = subject.provider(profile.name.as_str());
    let has_instance = of_instance.map(|provider| provider.state != "no_key");
    let export = format!(
        "export {variable} where tundra is started, then tundra restart {}",
        profile.name
    );
    match secrets::value(variable).filter(|key| !key.is_empty()) {
        Some(key) if key.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            KeyFound::Missing(Check::fail(
                name,
                format!("{variable} holds white space, which no key does"),
                format!("{export}: without blanks, line ends and quotes around it"),
            ))
        }
        Some(_) if has_instance == Some(false) => KeyFound::Missing(Check::fail(
            name,
            format!("{variable} is set here, but not where the running tundra was started"),
            format!("start tundra again where {variable} is set"),
        )),
        Some(key) => KeyFound::Given(
            Check::ok(
                name,
                format!("{variable} is set, {} characters", key.chars().count()),
            ),
            Some(key),
        ),
        None if has_instance == Some(true) => KeyFound::Missing(Check::ok(
            name,
            format!(
                "the running tundra has {variable}; it is not set here, so nothing can be asked with it"
            ),
        )),
        None => KeyFound::Missing(Check::fail(
            name,
            format!("no key: {variable} is not set"),
            export,
        )),
    }
}

/// What is found, as it is found.
struct Report<'p> {
    profile: &'p Profile,
    /// Nobody wrote it down, and nobody set a key for it: nothing that is wrong with it is a failure.
    is_default: bool,
    examined: Examined,
}

impl<'p> Report<'p> {
    fn new(profile: &'p Profile, subject: &Subject) -> Self {
        let is_written = subject
            .settings
            .as_ref()
            .is_ok_and(|settings| !settings.profiles.is_empty());
        Self {
            profile,
            is_default: !is_written && (profile.is_guess || profile.auth == Auth::Caller),
            examined: Examined::default(),
        }
    }

    fn name(&self, layer: &str) -> String {
        format!("profile.{}.{layer}", self.profile.name)
    }

    fn push(&mut self, mut check: Check) {
        if self.is_default && check.status == CheckStatus::Fail {
            check.status = CheckStatus::Warn;
        }
        self.examined.checks.push(check);
    }

    /// The layers that nothing was found about.
    fn skip_rest(&mut self, why: &str) {
        for layer in LAYERS.iter().skip(self.examined.checks.len()) {
            self.push(Check::skip(self.name(layer), why));
        }
    }

    async fn dns(&mut self, host: &Host, deadline: Instant) -> Option<Vec<SocketAddr>> {
        let name = self.name("dns");
        let step = deadline.min(Instant::now() + STEP);
        let cure = "check the network and /etc/resolv.conf; base_url of the profile; HTTPS_PROXY";
        let found = timeout_at(step, lookup_host((host.name.as_str(), host.port))).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => {
                self.push(Check::fail(name, format!("{}: {error}", host.name), cure));
                return None;
            }
            Err(_) => {
                self.push(Check::fail(
                    name,
                    format!("{}: no answer in 2 s", host.name),
                    cure,
                ));
                return None;
            }
        };
        let Some(first) = addresses.first() else {
            self.push(Check::fail(
                name,
                format!("{} has no address", host.name),
                cure,
            ));
            return None;
        };
        let message = if host.name.parse::<std::net::IpAddr>().is_ok() {
            format!("{} is an address", host.name)
        } else {
            format!("{} is {}", host.name, first.ip())
        };
        self.push(Check::ok(name, message));
        Some(addresses)
    }

    async fn tcp(&mut self, host: &Host, addresses: &[SocketAddr], deadline: Instant) -> bool {
        let name = self.name("tcp");
        let step = deadline.min(Instant::now() + STEP);
        let mut why = "no answer in 2 s".to_owned();
        let connected = timeout_at(step, async {
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(_) => return true,
                    Err(error) => why = error.to_string(),
                }
            }
            false
        })
        .await;
        if connected == Ok(true) {
            self.push(Check::ok(
                name,
                format!("{} accepts connections", host.shown()),
            ));
            return true;
        }
        let message = format!("{}: {why}", host.shown());
        let check = if self.profile.is_guess {
            Check::fail(
                name,
                format!("nothing answers at {}", self.profile.base_url),
                "start a local model server there (ollama serve) if you want one; nothing else depends on it",
            )
        } else if self.profile.provider == ProviderKind::Local {
            Check::fail(
                name,
                message,
                "start its server, or name its command, so that tundra starts it",
            )
        } else {
            Check::fail(
                name,
                message,
                "a firewall or a VPN may be in the way: check base_url, HTTPS_PROXY and NO_PROXY",
            )
        };
        self.push(check);
        false
    }

    /// Asks once for both TLS and the key, and reads the list of models.
    async fn ask(&mut self, host: &Host, key: Option<&str>, deadline: Instant) {
        let profile = self.profile;
        let left = deadline.saturating_duration_since(Instant::now());
        let asked = timeout_at(deadline, probe::ask(profile, key, Question::Key, left)).await;
        let timed_out = || Err(ProbeFailure::NoAnswer("request timed out".to_owned()));
        match asked.unwrap_or_else(|_| timed_out()) {
            Err(ProbeFailure::NotConnected(why)) => {
                let cure = tls_cure(host, &why);
                self.push(Check::fail(self.name("tls"), why, cure));
                self.skip_rest("no TLS connection comes about");
            }
            Err(ProbeFailure::NoAnswer(why)) => {
                self.push(self.tls(host));
                let cure = "it accepts connections and does not answer: its status page, or its log where it is local";
                self.push(Check::fail(self.name("auth"), why, cure));
                self.skip_rest("it does not answer");
            }
            Ok(answer) => {
                self.push(self.tls(host));
                self.examined.skew = skew(profile, &answer);
                self.auth(&answer);
                let models = match (profile.provider, answer.status) {
                    (ProviderKind::OpenRouter, 200..300) => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        let asked = probe::ask(profile, key, Question::Models, left);
                        match timeout_at(deadline, asked).await {
                            Ok(Ok(answer)) => answer.models,
                            Ok(Err(_)) | Err(_) => Vec::new(),
                        }
                    }
                    _ => answer.models,
                };
                self.model(&models);
            }
        }
    }

    fn tls(&self, host: &Host) -> Check {
        let name = self.name("tls");
        if host.is_tls {
            return Check::ok(name, "the certificate is trusted");
        }
        if host.is_here {
            return Check::skip(name, "http on this machine needs none");
        }
        Check::warn(
            name,
            "http: keys and prompts go over the network in the clear",
            "base_url with https, if the server can",
        )
    }

    fn auth(&mut self, answer: &ProbeAnswer) {
        let name = self.name("auth");
        let profile = self.profile;
        let ProbeAnswer { status, words, .. } = answer;
        let said = match words.as_str() {
            "no message" => String::new(),
            words => format!(": {words}"),
        };
        let check = match status {
            200..300 if !answer.is_json => Check::fail(
                name,
                format!(
                    "what answers ({status}) is no JSON: something in between, such as a sign-in page, or no provider"
                ),
                "open base_url of the profile in a browser; HTTPS_PROXY and NO_PROXY",
            ),
            _ if profile.auth == Auth::Caller => Check::skip(
                name,
                format!("a login is its caller's own; {} answers", profile.base_url),
            ),
            300..=399 => Check::fail(
                name,
                format!("it sends elsewhere ({status}), and a request does not follow"),
                "base_url of the profile with the address that it leads to; HTTPS_PROXY and NO_PROXY",
            ),
            200..300 if profile.key_env.is_none() => Check::ok(name, "it answers without a key"),
            200..300 => Check::ok(name, "it takes the key"),
            401 | 403 => Check::fail(
                name,
                format!("the key is refused ({status}){said}"),
                match &profile.key_env {
                    Some(variable) => format!(
                        "a good key in {variable}, then tundra restart {}",
                        profile.name
                    ),
                    None => "it wants a key: name its variable in api_key_env".to_owned(),
                },
            ),
            402 => Check::fail(
                name,
                format!("the account has no credit left (402){said}"),
                format!(
                    "top up in the provider's console, then tundra reset {}",
                    profile.name
                ),
            ),
            429 => Check::warn(
                name,
                format!("rate limited (429){said}"),
                "wait; rate_limit_rpm of the profile a little below the provider's limit",
            ),
            404 | 405 => Check::warn(
                name,
                format!("it has no list of models ({status}), so the key was not tried"),
                "nothing is wrong if requests go well; else check base_url of the profile",
            ),
            500.. => Check::warn(
                name,
                format!("the provider has trouble of its own ({status}){said}"),
                "wait, or tundra failover; its status page",
            ),
            _ => Check::warn(
                name,
                format!("an unexpected answer ({status}){said}"),
                "check base_url of the profile",
            ),
        };
        self.push(check);
    }

    fn model(&mut self, models: &[String]) {
        let name = self.name("model");
        let wanted = &self.profile.default_model;
        if self.profile.auth == Auth::Caller {
            self.push(Check::skip(name, "the caller names its model"));
            return;
        }
        if models.is_empty() {
            self.push(Check::skip(name, "it told no list of models"));
            return;
        }
        if models.iter().any(|model| is_model(wanted, model)) {
            self.push(Check::ok(
                name,
                format!("{wanted} is one of {}", models.len()),
            ));
            return;
        }
        let names: Vec<&str> = models.iter().map(String::as_str).collect();
        let some = names
            .iter()
            .take(TOLD)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        let cure = match nearest(wanted, &names) {
            Some(near) => format!("default_model = {near:?}, or another of its list"),
            None => format!("default_model with one of its list, such as {some}"),
        };
        self.push(Check::warn(
            name,
            format!("{wanted} is not among its {} models", models.len()),
            cure,
        ));
    }
}

/// What helps where no TLS connection comes about. What is no TLS at all is told by rustls as a corrupt message.
fn tls_cure(host: &Host, why: &str) -> String {
    if why.contains("corrupt message") {
        return format!(
            "{} speaks no TLS: base_url with http, or the port that does",
            host.shown()
        );
    }
    format!(
        "look at the certificate: openssl s_client -connect {}:{}; its expiry, this machine's clock, and who stands in between \
         (update-ca-certificates trusts a company's own)",
        host.name, host.port
    )
}

/// Whether a listed name is the wanted one; local servers list `NAME:latest` for NAME.
fn is_model(wanted: &str, listed: &str) -> bool {
    listed == wanted || listed.strip_suffix(":latest") == Some(wanted)
}

/// How far the clock here is ahead of the provider's.
fn skew(profile: &Profile, answer: &ProbeAnswer) -> Option<Skew> {
    let theirs = jiff::fmt::rfc2822::parse(answer.date.as_deref()?).ok()?;
    Some(Skew {
        profile: profile.name.to_string(),
        seconds: Timestamp::now().as_second() - theirs.timestamp().as_second(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_name_stands_for_its_latest() {
        assert!(is_model("llama3", "llama3:latest"));
        assert!(!is_model("llama3", "llama3:8b"));
    }
}
