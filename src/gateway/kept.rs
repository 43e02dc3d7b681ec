//! The shapes in which the gateway goes over to the next program: what was learned of providers and counted, the keys of
//! terminals, and the sockets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::affinity::ConversationId;
use crate::domain::breaker::{Forced, KeptBreaker, KeptPhase};
use crate::domain::bucket::KeptBucket;
use crate::domain::cooldown::{CoolingCause, KeptCooldown};
use crate::domain::login::{KeptStanding, LoginId};
use crate::domain::moment::Moment;
use crate::domain::profile::ProfileName;
use crate::domain::route::{KeptEntry, KeptRouter, Rejection};
use crate::runtime::handover::{KeptBytes, KeptDescriptor};

use super::kept_usage::{AccountShape, KeptUsage};

/// The gateway. Moments are nanoseconds since the clock's origin.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptGateway {
    /// None where it does not listen.
    pub(super) listener: Option<KeptDescriptor>,
    /// Connections between two requests, and what of the next one has been read.
    pub(super) idle: Vec<KeptConnection>,
    /// The clock's origin, in nanoseconds since boot.
    pub(super) origin: Option<u64>,
    pub(super) conversations: Option<uuid::Uuid>,
    pub(super) keys: Vec<KeptKey>,
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) router: RouterShape,
    pub(super) usage: KeptUsage,
    pub(super) standings: Vec<StandingShape>,
    pub(super) accounts: Vec<AccountShape>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptConnection {
    pub stream: KeptDescriptor,
    #[serde(default)]
    pub read: KeptBytes,
}

/// A terminal's key.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptKey {
    pub key: String,
    pub terminal: String,
}

impl std::fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptKey")
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RouterShape {
    entries: Vec<EntryShape>,
    pinned: Option<String>,
    /// Conversation, profile, moment.
    affinity: Vec<(u64, String, u64)>,
    requests: u64,
    outage: Option<(u64, u64)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct EntryShape {
    name: String,
    identity: String,
    enabled: Option<bool>,
    held_until: Option<u64>,
    rejected: Option<RejectedShape>,
    cooling_until: Option<u64>,
    /// Of an overload rather than of a rate limit.
    overloaded: bool,
    recheck_at: Option<u64>,
    breaker: BreakerShape,
    requests: Option<LevelShape>,
    tokens: Option<LevelShape>,
    retries: Option<u8>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct RejectedShape {
    status: u16,
    words: String,
    until: u64,
}

/// One dimension of a bucket: the grains as decimal digits, since they outgrow JSON's numbers.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LevelShape {
    grains: String,
    at: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct BreakerShape {
    failures: u32,
    timeouts: u32,
    /// `closed`, `open`, `half_open`, `forced_open` or `forced_closed`.
    phase: String,
    opened_at: u64,
    retry_at: u64,
    early_since: u64,
    succeeded: u32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StandingShape {
    login: [u8; 16],
    profile: String,
    cooling: Option<Timestamp>,
    agreed_until: Option<Timestamp>,
    seen: u64,
}

impl From<&KeptRouter> for RouterShape {
    fn from(kept: &KeptRouter) -> Self {
        let affinity = kept.affinity.iter();
        Self {
            entries: kept.entries.iter().map(EntryShape::from).collect(),
            pinned: kept.pinned.as_ref().map(ToString::to_string),
            affinity: affinity
                .map(|(conversation, profile, at)| {
                    (conversation.0, profile.to_string(), at.nanos())
                })
                .collect(),
            requests: kept.requests,
            outage: kept
                .outage
                .map(|(first, last)| (first.nanos(), last.nanos())),
        }
    }
}

impl From<&RouterShape> for KeptRouter {
    fn from(shape: &RouterShape) -> Self {
        let affinity = shape.affinity.iter();
        Self {
            entries: shape.entries.iter().map(KeptEntry::from).collect(),
            pinned: shape.pinned.as_deref().map(ProfileName::from),
            affinity: affinity
                .map(|(conversation, profile, at)| {
                    let conversation = ConversationId(*conversation);
                    (conversation, profile.as_str().into(), moment(*at))
                })
                .collect(),
            requests: shape.requests,
            outage: shape
                .outage
                .map(|(first, last)| (moment(first), moment(last))),
        }
    }
}

impl From<&KeptEntry> for EntryShape {
    fn from(kept: &KeptEntry) -> Self {
        let cooling = kept.cooldown.cooling;
        let level = |(grains, at): (i128, Moment)| LevelShape {
            grains: grains.to_string(),
            at: at.nanos(),
        };
        Self {
            name: kept.name.to_string(),
            identity: kept.identity.clone(),
            enabled: kept.enabled,
            held_until: kept.held_until.map(Moment::nanos),
            rejected: kept
                .rejected
                .as_ref()
                .map(|(rejection, until)| RejectedShape {
                    status: rejection.status,
                    words: rejection.words.to_string(),
                    until: until.nanos(),
                }),
            cooling_until: cooling.map(|(until, _)| until.nanos()),
            overloaded: cooling.is_some_and(|(_, cause)| cause == CoolingCause::Overload),
            recheck_at: kept.cooldown.recheck_at.map(Moment::nanos),
            breaker: BreakerShape::from(&kept.breaker),
            requests: kept.bucket.requests.map(level),
            tokens: kept.bucket.tokens.map(level),
            retries: Some(kept.retries),
        }
    }
}

impl From<&EntryShape> for KeptEntry {
    fn from(shape: &EntryShape) -> Self {
        let cause = if shape.overloaded {
            CoolingCause::Overload
        } else {
            CoolingCause::RateLimit
        };
        let level =
            |shape: &LevelShape| Some((shape.grains.parse::<i128>().ok()?, moment(shape.at)));
        Self {
            name: shape.name.as_str().into(),
            identity: shape.identity.clone(),
            enabled: shape.enabled,
            held_until: shape.held_until.map(moment),
            rejected: shape.rejected.as_ref().map(|rejected| {
                let rejection = Rejection {
                    status: rejected.status,
                    words: rejected.words.as_str().into(),
                };
                (rejection, moment(rejected.until))
            }),
            cooldown: KeptCooldown {
                cooling: shape.cooling_until.map(|until| (moment(until), cause)),
                recheck_at: shape.recheck_at.map(moment),
            },
            breaker: (&shape.breaker).into(),
            bucket: KeptBucket {
                requests: shape.requests.as_ref().and_then(level),
                tokens: shape.tokens.as_ref().and_then(level),
            },
            retries: shape.retries.unwrap_or(u8::MAX),
        }
    }
}

impl From<&KeptBreaker> for BreakerShape {
    fn from(kept: &KeptBreaker) -> Self {
        let shape = Self {
            failures: kept.failures,
            timeouts: kept.timeouts,
            ..Self::default()
        };
        let named = |phase: &str| phase.to_owned();
        match kept.phase {
            KeptPhase::Closed => Self {
                phase: named("closed"),
                ..shape
            },
            KeptPhase::Open {
                opened_at,
                retry_at,
                early_since,
            } => Self {
                phase: named("open"),
                opened_at: opened_at.nanos(),
                retry_at: retry_at.nanos(),
                early_since: early_since.nanos(),
                ..shape
            },
            KeptPhase::HalfOpen { succeeded } => Self {
                phase: named("half_open"),
                succeeded,
                ..shape
            },
            KeptPhase::Forced(Forced::Open) => Self {
                phase: named("forced_open"),
                ..shape
            },
            KeptPhase::Forced(Forced::Closed) => Self {
                phase: named("forced_closed"),
                ..shape
            },
        }
    }
}

impl From<&BreakerShape> for KeptBreaker {
    fn from(shape: &BreakerShape) -> Self {
        Self {
            failures: shape.failures,
            timeouts: shape.timeouts,
            phase: match shape.phase.as_str() {
                "open" => KeptPhase::Open {
                    opened_at: moment(shape.opened_at),
                    retry_at: moment(shape.retry_at),
                    early_since: moment(shape.early_since),
                },
                "half_open" => KeptPhase::HalfOpen {
                    succeeded: shape.succeeded,
                },
                "forced_open" => KeptPhase::Forced(Forced::Open),
                "forced_closed" => KeptPhase::Forced(Forced::Closed),
                // Closed, or of a kind that another version has: a first failure tells.
                _ => KeptPhase::Closed,
            },
        }
    }
}

impl From<&KeptStanding> for StandingShape {
    fn from(kept: &KeptStanding) -> Self {
        Self {
            login: *kept.login.hash(),
            profile: kept.profile.to_string(),
            cooling: kept.cooling,
            agreed_until: kept.agreed_until,
            seen: kept.seen,
        }
    }
}

impl From<&StandingShape> for KeptStanding {
    fn from(shape: &StandingShape) -> Self {
        Self {
            login: LoginId::from_hash(shape.login),
            profile: shape.profile.as_str().into(),
            cooling: shape.cooling,
            agreed_until: shape.agreed_until,
            seen: shape.seen,
        }
    }
}

pub(super) const fn moment(nanos: u64) -> Moment {
    Moment::from_nanos(nanos)
}
