//! The shapes in which what was counted goes over to the next program.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::budget::{Account, Budget};
use crate::domain::caller::{Caller, RequestNumber};
use crate::domain::id::TerminalId;
use crate::domain::moment::Moment;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::{Dialect, ProfileName};
use crate::domain::route::choice::Choice;
use crate::domain::usage::{
    Attempt, AttemptEnd, Cost, Counters, Errors, LastError, LastTranslated, Latency, ProfileUsage,
    RowKey, Slot, Timeline, Tokens, Try, Usage,
};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptUsage {
    rows: Vec<RowShape>,
    profiles: Vec<ProfileShape>,
    /// The oldest request's first.
    attempts: Vec<AttemptShape>,
    last_answered: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct RowShape {
    caller: String,
    profile: String,
    model: String,
    counters: CountersShape,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct CountersShape {
    requests: u64,
    /// By the names of their kinds.
    errors: Vec<(String, u64)>,
    tokens: TokensShape,
    estimated: u64,
    translated: u64,
    nanodollars: u64,
    unpriced: u64,
}

/// What a terminal has used, and may.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountShape {
    terminal: String,
    requests: u64,
    tokens: TokensShape,
    nanodollars: u64,
    unpriced: u64,
    counted: u64,
    most_nanodollars: Option<u64>,
    most_tokens: Option<u64>,
}

impl AccountShape {
    pub(super) fn of(terminal: TerminalId, account: &Account) -> Self {
        Self {
            terminal: terminal.to_string(),
            requests: account.requests,
            tokens: account.tokens.into(),
            nanodollars: account.cost.nanodollars,
            unpriced: account.cost.unknown,
            counted: account.counted,
            most_nanodollars: account.budget.nanodollars,
            most_tokens: account.budget.tokens,
        }
    }

    pub(super) fn resume(&self) -> Option<(TerminalId, Account)> {
        let account = Account {
            requests: self.requests,
            tokens: self.tokens.into(),
            cost: Cost {
                nanodollars: self.nanodollars,
                unknown: self.unpriced,
            },
            counted: self.counted,
            budget: Budget {
                nanodollars: self.most_nanodollars,
                tokens: self.most_tokens,
            },
        };
        Some((self.terminal.parse().ok()?, account))
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TokensShape {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ProfileShape {
    name: String,
    counters: CountersShape,
    first_byte: LatencyShape,
    total: LatencyShape,
    slots: Vec<SlotShape>,
    last_error: Option<LastErrorShape>,
    last_dialect: Option<String>,
    last_without: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LatencyShape {
    counts: Vec<u64>,
    sum_ns: u64,
    latest_us: Vec<u32>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct SlotShape {
    number: u64,
    requests: u32,
    errors: u32,
    rate_limited: u32,
    tokens: TokensShape,
    first_byte_ns: Option<u64>,
    answered: u32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct LastErrorShape {
    at: u64,
    kind: String,
    message: String,
}

/// An attempt that was made; those that were only skipped stay behind.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct AttemptShape {
    profile: String,
    request: u64,
    at: u64,
    caller: String,
    model: String,
    sent_model: String,
    dialect: String,
    translated: bool,
    without: Vec<String>,
    choice: Option<String>,
    /// `success`, `cancelled`, or the name of an error's kind.
    end: String,
    message: String,
    waited_ns: u64,
    first_byte_ns: Option<u64>,
    total_ns: u64,
    tokens: Option<TokensShape>,
    estimated: bool,
    nanodollars: Option<u64>,
}

impl KeptUsage {
    pub(super) fn of(usage: &Usage) -> Self {
        let rows = usage.rows().map(|(key, counters)| RowShape {
            caller: caller_name(key.caller),
            profile: key.profile.to_string(),
            model: key.model.to_string(),
            counters: counters.into(),
        });
        let profiles = usage.profiles().map(|(name, profile)| ProfileShape {
            name: name.to_string(),
            ..ProfileShape::from(profile)
        });
        Self {
            rows: rows.collect(),
            profiles: profiles.collect(),
            attempts: attempts_of(usage),
            last_answered: usage.last_answered().map(ToString::to_string),
        }
    }

    /// Lets the counts go on.
    pub(super) fn resume(&self, usage: &mut Usage) {
        for row in &self.rows {
            let Some(caller) = caller_of(&row.caller) else {
                continue;
            };
            let key = RowKey {
                caller,
                profile: row.profile.as_str().into(),
                model: row.model.as_str().into(),
            };
            usage.resume_row(key, (&row.counters).into());
        }
        for profile in &self.profiles {
            usage.resume_profile(profile.name.as_str().into(), profile.into());
        }
        for shape in &self.attempts {
            if let Some(attempt) = shape.resume() {
                usage.resume_attempt(&shape.profile.as_str().into(), attempt);
            }
        }
        usage.resume_answered(self.last_answered.as_deref().map(ProfileName::from));
    }
}

/// Every attempt that is remembered, once each, the oldest request's first.
fn attempts_of(usage: &Usage) -> Vec<AttemptShape> {
    let requests = usage
        .profiles()
        .flat_map(|(name, _)| usage.requests(name))
        .filter_map(|request| Some((request.tries.first()?.attempt.request.0, request)));
    let by_number: BTreeMap<u64, _> = requests.collect();
    by_number
        .values()
        .flat_map(|request| &request.tries)
        .filter_map(AttemptShape::of)
        .collect()
}

impl From<&Counters> for CountersShape {
    fn from(counters: &Counters) -> Self {
        let errors = ErrorKind::ALL.into_iter();
        Self {
            requests: counters.requests,
            errors: errors
                .map(|kind| (kind.as_str().to_owned(), counters.errors.of(kind)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            tokens: counters.tokens.into(),
            estimated: counters.estimated,
            translated: counters.translated,
            nanodollars: counters.cost.nanodollars,
            unpriced: counters.cost.unknown,
        }
    }
}

impl From<&CountersShape> for Counters {
    fn from(shape: &CountersShape) -> Self {
        let mut errors = Errors::default();
        for (name, count) in &shape.errors {
            errors.add(kind_of(name), *count);
        }
        Self {
            requests: shape.requests,
            errors,
            tokens: shape.tokens.into(),
            estimated: shape.estimated,
            translated: shape.translated,
            cost: Cost {
                nanodollars: shape.nanodollars,
                unknown: shape.unpriced,
            },
        }
    }
}

impl From<Tokens> for TokensShape {
    fn from(tokens: Tokens) -> Self {
        let Tokens {
            input,
            output,
            cache_read,
            cache_write,
        } = tokens;
        Self {
            input,
            output,
            cache_read,
            cache_write,
        }
    }
}

impl From<TokensShape> for Tokens {
    fn from(shape: TokensShape) -> Self {
        let TokensShape {
            input,
            output,
            cache_read,
            cache_write,
        } = shape;
        Self {
            input,
            output,
            cache_read,
            cache_write,
        }
    }
}

impl From<&ProfileUsage> for ProfileShape {
    fn from(usage: &ProfileUsage) -> Self {
        let slots = usage.timeline.numbered();
        let translated = usage.last_translated.as_ref();
        Self {
            counters: (&usage.counters).into(),
            first_byte: (&usage.first_byte).into(),
            total: (&usage.total).into(),
            slots: slots
                .map(|(number, slot)| SlotShape {
                    number,
                    requests: slot.requests,
                    errors: slot.errors,
                    rate_limited: slot.rate_limited,
                    tokens: slot.tokens.into(),
                    first_byte_ns: slot.first_byte.map(nanos),
                    answered: slot.answered(),
                })
                .collect(),
            last_error: usage.last_error.as_ref().map(|error| LastErrorShape {
                at: error.at.nanos(),
                kind: error.kind.as_str().to_owned(),
                message: error.message.clone(),
            }),
            last_dialect: translated.map(|last| last.dialect.as_str().to_owned()),
            last_without: translated.map_or_else(Vec::new, |last| last.without.clone()),
            ..Self::default()
        }
    }
}

impl From<&ProfileShape> for ProfileUsage {
    fn from(shape: &ProfileShape) -> Self {
        let slots = shape.slots.iter().map(|slot| {
            let mut filled = Slot::of_answered(slot.answered);
            filled.requests = slot.requests;
            filled.errors = slot.errors;
            filled.rate_limited = slot.rate_limited;
            filled.tokens = slot.tokens.into();
            filled.first_byte = slot.first_byte_ns.map(Duration::from_nanos);
            (slot.number, filled)
        });
        Self {
            counters: (&shape.counters).into(),
            first_byte: (&shape.first_byte).into(),
            total: (&shape.total).into(),
            timeline: Timeline::of_numbered(slots),
            last_error: shape.last_error.as_ref().map(|error| LastError {
                at: Moment::from_nanos(error.at),
                kind: kind_of(&error.kind),
                message: error.message.clone(),
            }),
            last_translated: shape
                .last_dialect
                .as_deref()
                .and_then(dialect_of)
                .map(|dialect| LastTranslated {
                    dialect,
                    without: shape.last_without.clone(),
                }),
        }
    }
}

impl From<&Latency> for LatencyShape {
    fn from(latency: &Latency) -> Self {
        let (counts, latest) = latency.parts();
        Self {
            counts: counts.to_vec(),
            sum_ns: nanos(latency.sum()),
            latest_us: latest,
        }
    }
}

impl From<&LatencyShape> for Latency {
    fn from(shape: &LatencyShape) -> Self {
        let sum = Duration::from_nanos(shape.sum_ns);
        Self::of_parts(&shape.counts, sum, &shape.latest_us)
    }
}

impl AttemptShape {
    fn of(tried: &Try) -> Option<Self> {
        let attempt = &tried.attempt;
        let (end, message) = match &attempt.end {
            AttemptEnd::Success => ("success", String::new()),
            AttemptEnd::Cancelled => ("cancelled", String::new()),
            AttemptEnd::Failed { kind, message } => (kind.as_str(), message.clone()),
            AttemptEnd::Skipped(_) => return None,
        };
        Some(Self {
            profile: tried.profile.to_string(),
            request: attempt.request.0,
            at: attempt.at.nanos(),
            caller: caller_name(attempt.caller),
            model: attempt.model.to_string(),
            sent_model: attempt.sent_model.to_string(),
            dialect: attempt.dialect.as_str().to_owned(),
            translated: attempt.translated,
            without: attempt.without.clone(),
            choice: attempt.choice.map(|choice| choice.as_str().to_owned()),
            end: end.to_owned(),
            message,
            waited_ns: nanos(attempt.waited),
            first_byte_ns: attempt.first_byte.map(nanos),
            total_ns: nanos(attempt.total),
            tokens: attempt.tokens.map(TokensShape::from),
            estimated: attempt.estimated,
            nanodollars: attempt.nanodollars,
        })
    }

    fn resume(&self) -> Option<Attempt> {
        Some(Attempt {
            request: RequestNumber(self.request),
            at: Moment::from_nanos(self.at),
            caller: caller_of(&self.caller)?,
            model: self.model.as_str().into(),
            sent_model: self.sent_model.as_str().into(),
            dialect: dialect_of(&self.dialect)?,
            translated: self.translated,
            without: self.without.clone(),
            choice: self.choice.as_deref().and_then(choice_of),
            end: match self.end.as_str() {
                "success" => AttemptEnd::Success,
                "cancelled" => AttemptEnd::Cancelled,
                kind => AttemptEnd::Failed {
                    kind: kind_of(kind),
                    message: self.message.clone(),
                },
            },
            waited: Duration::from_nanos(self.waited_ns),
            first_byte: self.first_byte_ns.map(Duration::from_nanos),
            total: Duration::from_nanos(self.total_ns),
            tokens: self.tokens.map(Tokens::from),
            estimated: self.estimated,
            nanodollars: self.nanodollars,
        })
    }
}

fn caller_name(caller: Caller) -> String {
    match caller {
        Caller::Terminal(id) => id.to_string(),
        Caller::Outside => "outside".to_owned(),
        Caller::Ask => "ask".to_owned(),
    }
}

fn caller_of(name: &str) -> Option<Caller> {
    match name {
        "outside" => Some(Caller::Outside),
        "ask" => Some(Caller::Ask),
        id => id.parse().ok().map(Caller::Terminal),
    }
}

/// The kind of that name; one that another version has counts as an error of the connection.
fn kind_of(name: &str) -> ErrorKind {
    let known = ErrorKind::ALL.into_iter();
    known
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .unwrap_or(ErrorKind::Http)
}

fn dialect_of(name: &str) -> Option<Dialect> {
    let mut known = Dialect::ALL.into_iter();
    known.find(|dialect| dialect.as_str() == name)
}

fn choice_of(name: &str) -> Option<Choice> {
    let mut known = Choice::ALL.into_iter();
    known.find(|choice| choice.as_str() == name)
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
