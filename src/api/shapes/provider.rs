//! Providers and the gateway, as `providers` and `status` answer them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::breaker::BreakerState;
use crate::domain::bucket::Gauge;
use crate::domain::outcome::ErrorKind;
use crate::domain::plan::Window;
use crate::domain::route::{Done, ProviderStatus};
use crate::domain::usage::{Counters, LastError, Tokens};
use crate::providers::ProvidersStatus;
use crate::supervise::ProcessStatus;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderShape {
    pub name: String,
    pub provider: String,
    pub dialect: Vec<String>,
    pub base_url: String,
    pub model: String,
    pub priority: i64,
    pub enabled: bool,
    /// Where the next request would go.
    pub active: bool,
    /// Who gave the last whole answer.
    #[serde(default)]
    pub answered_last: bool,
    pub pinned: bool,
    pub state: String,
    /// Why it is not asked; null where it is ready.
    pub reason: Option<String>,
    /// `key`, or `caller` for who brings a login.
    pub auth: String,
    /// What is left of the plan of the login that came last.
    pub windows: Vec<WindowShape>,
    /// Until when its plan is used up; null where it is not, or a key pays.
    pub used_up_until: Option<Timestamp>,
    /// The model family whose part of the plan that is; null where it is the whole plan.
    #[serde(default)]
    pub used_up_family: Option<String>,
    /// Until when its requests may cost money; null where nobody has agreed to it.
    pub spills_until: Option<Timestamp>,
    /// Who takes its requests while its plan is used up; null where nobody can.
    #[serde(default)]
    pub substitute: Option<SubstituteShape>,
    pub breaker: BreakerShape,
    /// Null where it is not cooling.
    pub cooldown_s: Option<f64>,
    /// Null where nobody holds it.
    pub held_s: Option<f64>,
    pub buckets: BucketsShape,
    pub in_flight: u64,
    pub requests: u64,
    pub errors: ErrorsShape,
    pub tokens: TokensShape,
    /// Null where a part of it is unknown.
    pub cost_usd: Option<f64>,
    pub first_byte_ms: LatencyShape,
    #[serde(default)]
    pub translated: TranslatedShape,
    pub last_error: Option<LastErrorShape>,
    /// Of a server that tundra runs; null for others.
    pub process: Option<ProcessShape>,
}

/// Who goes on where a plan is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstituteShape {
    pub name: String,
    /// Only once somebody agrees that it costs money.
    pub asks: bool,
}

/// A window of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowShape {
    pub name: String,
    /// A fraction.
    pub used: f64,
    pub resets_at: Option<Timestamp>,
    /// The vendor's word.
    pub status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakerShape {
    pub state: String,
    pub failures: u32,
    pub timeouts: u32,
    /// Null but for an open one with a time.
    pub retry_in_s: Option<f64>,
}

/// A bucket without a limit is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketsShape {
    pub requests: Option<BucketShape>,
    pub tokens: Option<BucketShape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketShape {
    pub capacity: u64,
    pub available: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorsShape {
    pub http: u64,
    pub api: u64,
    pub rate_limited: u64,
    pub timeout: u64,
    pub parse: u64,
    pub unsupported: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensShape {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
}

/// Milliseconds; null before the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyShape {
    pub p50: Option<f64>,
    pub p95: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastErrorShape {
    pub at: Timestamp,
    pub kind: String,
    pub message: String,
}

/// Requests in another dialect than their caller's, and the latest one's dialect and what was left out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranslatedShape {
    pub requests: u64,
    pub dialect: Option<String>,
    pub without: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessShape {
    pub pid: Option<u32>,
    pub state: String,
    pub restarts: u64,
}

/// The gateway, as `status` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayShape {
    pub url: String,
    pub key_file: String,
    pub requests: u64,
    pub in_flight: u64,
}

/// What a command to a provider has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoneShape {
    /// Whom it concerned; null for an unpin with nothing pinned.
    pub profile: Option<String>,
    /// Where the next request goes; null for nowhere.
    pub active: Option<String>,
    pub held_s: Option<f64>,
}

/// Every provider, in the order in which they are asked.
pub fn providers(status: &ProvidersStatus) -> Vec<ProviderShape> {
    let shapes = status
        .each()
        .map(|(provider, process)| shape(status, provider, process));
    shapes.collect()
}

impl GatewayShape {
    /// None where the gateway does not listen.
    pub fn of(status: &ProvidersStatus) -> Option<Self> {
        let endpoint = status.endpoint.as_ref()?;
        Some(Self {
            url: endpoint.url.clone(),
            key_file: endpoint.key_file.to_string_lossy().into_owned(),
            requests: status.requests,
            in_flight: status.router.in_flight,
        })
    }
}

impl From<&Done> for DoneShape {
    fn from(done: &Done) -> Self {
        Self {
            profile: done.profile.as_ref().map(ToString::to_string),
            active: done.active.as_ref().map(ToString::to_string),
            held_s: done.held_for.map(seconds),
        }
    }
}

fn shape(
    status: &ProvidersStatus,
    provider: &ProviderStatus,
    process: Option<ProcessStatus>,
) -> ProviderShape {
    let profile = &provider.profile;
    let counters = &provider.usage.counters;
    let breaker = &provider.breaker;
    let first_byte = provider.usage.first_byte.percentiles();
    let translated = provider.usage.last_translated.as_ref();
    let used_up = provider.plan.used_up.as_ref();
    ProviderShape {
        name: profile.name.to_string(),
        provider: profile.provider.as_str().to_owned(),
        dialect: profile
            .dialects
            .iter()
            .map(|dialect| dialect.as_str().to_owned())
            .collect(),
        base_url: profile.base_url.clone(),
        model: profile.default_model.clone(),
        priority: profile.priority,
        enabled: provider.enabled,
        active: provider.active,
        answered_last: provider.answered_last,
        pinned: provider.pinned,
        state: provider.state.as_str().to_owned(),
        reason: provider.reason.clone(),
        auth: profile.auth.as_str().to_owned(),
        windows: provider
            .plan
            .windows
            .iter()
            .map(WindowShape::from)
            .collect(),
        used_up_until: used_up.map(|used_up| used_up.until),
        used_up_family: used_up.and_then(|used_up| used_up.family.clone()),
        spills_until: provider.plan.spills_until,
        substitute: provider
            .substitute
            .as_ref()
            .map(|substitute| SubstituteShape {
                name: substitute.profile.to_string(),
                asks: substitute.asks,
            }),
        breaker: BreakerShape {
            state: breaker.state.as_str().to_owned(),
            failures: breaker.failures,
            timeouts: breaker.timeouts,
            retry_in_s: (breaker.state == BreakerState::Open && breaker.forced.is_none())
                .then(|| seconds(breaker.retry_in)),
        },
        cooldown_s: provider.cooldown.map(seconds),
        held_s: provider.held.map(seconds),
        buckets: BucketsShape {
            requests: provider.requests_bucket.map(BucketShape::from),
            tokens: provider.tokens_bucket.map(BucketShape::from),
        },
        in_flight: provider.in_flight,
        requests: counters.requests,
        errors: counters.into(),
        tokens: counters.tokens.into(),
        cost_usd: counters.cost.dollars(),
        first_byte_ms: LatencyShape {
            p50: first_byte.map(|percentiles| millis(percentiles.p50)),
            p95: first_byte.map(|percentiles| millis(percentiles.p95)),
        },
        last_error: provider
            .usage
            .last_error
            .as_ref()
            .map(|error| last_error(status, error)),
        translated: TranslatedShape {
            requests: counters.translated,
            dialect: translated.map(|last| last.dialect.as_str().to_owned()),
            without: translated
                .map(|last| last.without.clone())
                .unwrap_or_default(),
        },
        process: process.map(ProcessShape::from),
    }
}

fn last_error(status: &ProvidersStatus, error: &LastError) -> LastErrorShape {
    LastErrorShape {
        at: status.date(error.at),
        kind: error.kind.as_str().to_owned(),
        message: error.message.clone(),
    }
}

impl From<&Window> for WindowShape {
    fn from(window: &Window) -> Self {
        Self {
            name: window.name.clone(),
            used: window.used,
            resets_at: window.resets_at,
            status: window.status.clone(),
        }
    }
}

impl From<Gauge> for BucketShape {
    fn from(gauge: Gauge) -> Self {
        Self {
            capacity: gauge.capacity,
            available: gauge.available,
        }
    }
}

impl From<&Counters> for ErrorsShape {
    fn from(counters: &Counters) -> Self {
        let of = |kind| counters.errors.of(kind);
        Self {
            http: of(ErrorKind::Http),
            api: of(ErrorKind::Api),
            rate_limited: of(ErrorKind::RateLimited),
            timeout: of(ErrorKind::Timeout),
            parse: of(ErrorKind::Parse),
            unsupported: of(ErrorKind::Unsupported),
        }
    }
}

impl From<Tokens> for TokensShape {
    fn from(tokens: Tokens) -> Self {
        Self {
            input: tokens.input,
            output: tokens.output,
            cache_read: tokens.cache_read,
            cache_write: tokens.cache_write,
        }
    }
}

impl From<ProcessStatus> for ProcessShape {
    fn from(process: ProcessStatus) -> Self {
        Self {
            pid: process.pid,
            state: process.state.as_str().to_owned(),
            restarts: process.restarts,
        }
    }
}

/// Seconds to the millisecond, since nobody reads more of them.
fn seconds(span: Duration) -> f64 {
    millis(span) / 1000.0
}

/// Milliseconds; below ten with two decimals.
fn millis(span: Duration) -> f64 {
    let millis = span.as_secs_f64() * 1000.0;
    if millis < 10.0 {
        (millis * 100.0).round() / 100.0
    } else {
        millis.round()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::domain::fact::Forgetful;
    use crate::providers::{Providers, Setup};
    use crate::runtime::tasks::Tasks;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_provider_has_the_keys_of_the_contract() {
        let text = "[[profile]]\nname = \"a\"\nprovider = \"anthropic\"\nrate_limit_rpm = 50\npriority = 1\n";
        let settings = parse("", text).unwrap();
        let setup = Setup {
            settings: &settings,
            endpoint: None,
            logs: std::env::temp_dir(),
            plans: std::path::PathBuf::new(),
            tasks: Tasks::default(),
            recorder: Arc::new(Forgetful),
        };
        let found = Providers::start(setup, Arc::new(|_| Some("key".to_owned())));
        let json = serde_json::to_string(&providers(&found.status())).unwrap();
        assert_eq!(
            json,
            r#"[{"name":"a","provider":"anthropic","dialect":["messages"],"base_url":"https://api.anthropic.com","#
                .to_owned()
                + r#""model":"claude-sonnet-4-20250514","priority":1,"enabled":true,"active":true,"answered_last":false,"pinned":false,"#
                + r#""state":"ready","reason":null,"auth":"key","windows":[],"used_up_until":null,"used_up_family":null,"spills_until":null,"substitute":null,"breaker":{"state":"closed","failures":0,"timeouts":0,"#
                + r#""retry_in_s":null},"cooldown_s":null,"held_s":null,"buckets":{"requests":{"capacity":50,"#
                + r#""available":50},"tokens":null},"in_flight":0,"requests":0,"errors":{"http":0,"api":0,"#
                + r#""rate_limited":0,"timeout":0,"parse":0,"unsupported":0},"tokens":{"input":0,"output":0,"#
                + r#""cache_read":0,"cache_write":0},"cost_usd":0.0,"first_byte_ms":{"p50":null,"p95":null},"#
                + r#""translated":{"requests":0,"dialect":null,"without":[]},"last_error":null,"process":null}]"#
        );
    }
}
