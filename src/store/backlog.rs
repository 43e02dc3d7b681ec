//! What was told and is not written yet, and what becomes of it when it grows too long.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::record::hour_of;
use crate::domain::caller::Caller;
use crate::domain::fact::{Fact, Opened, What};
use crate::domain::id::TerminalId;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::ProfileName;
use crate::domain::terminal::Exit;
use crate::domain::usage::{Attempt, OTHER_MODEL, Tokens};

/// Facts that are kept in memory; one more, and the oldest event goes.
pub const MOST_FACTS: usize = 10_000;
/// Rows of usage that are kept apart; beyond, what is new is counted as [`OTHER_MODEL`] and nobody's.
const MOST_USAGE: usize = 4096;

/// Whose usage of which hour is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsageKey {
    pub hour_ms: i64,
    pub profile: ProfileName,
    pub model: Arc<str>,
    pub terminal: Option<TerminalId>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageCount {
    pub requests: u64,
    /// Rate limits not among them.
    pub errors: u64,
    pub rate_limited: u64,
    pub tokens: Tokens,
    /// Of those whose price is known; None where none is.
    pub nanodollars: Option<u64>,
    pub estimated: u64,
}

impl UsageCount {
    fn of(attempt: &Attempt) -> Self {
        let error = attempt.end.error();
        let rate_limited = error == Some(ErrorKind::RateLimited);
        Self {
            requests: 1,
            errors: u64::from(error.is_some() && !rate_limited),
            rate_limited: u64::from(rate_limited),
            tokens: attempt.tokens.unwrap_or_default(),
            nanodollars: attempt.tokens.and(attempt.nanodollars),
            estimated: u64::from(attempt.tokens.is_some() && attempt.estimated),
        }
    }

    fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.errors += more.errors;
        self.rate_limited += more.rate_limited;
        self.tokens.add(more.tokens);
        self.nanodollars = match (self.nanodollars, more.nanodollars) {
            (Some(so_far), Some(more)) => Some(so_far.saturating_add(more)),
            (so_far, more) => so_far.or(more),
        };
        self.estimated += more.estimated;
    }
}

/// What is left of a terminal whose events were given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalTrace {
    pub opened: Option<(Timestamp, Box<Opened>)>,
    pub name: Option<String>,
    pub exited: Option<(Timestamp, Exit)>,
}

/// A queue that never refuses: usage is added up at once, and past [`MOST_FACTS`] the oldest event goes.
///
/// Of a terminal's events that went, its row stays.
#[derive(Debug, Default)]
pub struct Backlog {
    pub facts: VecDeque<Fact>,
    pub usage: HashMap<UsageKey, UsageCount>,
    pub terminals: BTreeMap<TerminalId, TerminalTrace>,
    /// Events that went since somebody last told of it.
    pub lost: u64,
}

impl Backlog {
    pub fn push(&mut self, fact: Fact) {
        if let What::Attempted { profile, attempt } = &fact.what {
            self.count(hour_of(fact.at), profile, attempt);
        }
        if matches!(
            fact.what,
            What::TerminalRenamed { .. } | What::TerminalOpened(_)
        ) || fact.what.kind().is_some()
        {
            self.facts.push_back(fact);
            self.shorten();
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.usage.is_empty() && self.terminals.is_empty()
    }

    /// How much waits: events, rows of usage and of terminals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len() + self.usage.len() + self.terminals.len()
    }

    /// Puts back what could not be written, before what came since.
    pub fn put_back(&mut self, older: Self) {
        for fact in older.facts.into_iter().rev() {
            self.facts.push_front(fact);
        }
        for (key, count) in older.usage {
            self.add(key, &count);
        }
        for (id, trace) in older.terminals {
            let newer = self.terminals.remove(&id).unwrap_or_default();
            let merged = TerminalTrace {
                opened: trace.opened.or(newer.opened),
                name: newer.name.or(trace.name),
                exited: newer.exited.or(trace.exited),
            };
            self.terminals.insert(id, merged);
        }
        self.lost += older.lost;
        self.shorten();
    }

    fn count(&mut self, hour_ms: i64, profile: &ProfileName, attempt: &Attempt) {
        let key = UsageKey {
            hour_ms,
            profile: profile.clone(),
            model: Arc::clone(&attempt.sent_model),
            terminal: match attempt.caller {
                Caller::Terminal(id) => Some(id),
                Caller::Outside | Caller::Ask => None,
            },
        };
        self.add(key, &UsageCount::of(attempt));
    }

    fn add(&mut self, mut key: UsageKey, count: &UsageCount) {
        if self.usage.len() >= MOST_USAGE && !self.usage.contains_key(&key) {
            key.model = OTHER_MODEL.into();
            key.terminal = None;
        }
        self.usage.entry(key).or_default().add(count);
    }

    fn shorten(&mut self) {
        while self.facts.len() > MOST_FACTS {
            let Some(oldest) = self.facts.pop_front() else {
                return;
            };
            self.lost += u64::from(oldest.what.kind().is_some());
            self.trace(oldest);
        }
    }

    /// Keeps of a fact that goes what changes a terminal's row.
    fn trace(&mut self, fact: Fact) {
        match fact.what {
            What::TerminalOpened(opened) => {
                self.of_terminal(opened.id, |trace| trace.opened = Some((fact.at, opened)));
            }
            What::TerminalRenamed { id, name } => {
                self.of_terminal(id, |trace| trace.name = Some(name));
            }
            What::TerminalExited { id, exit } => {
                self.of_terminal(id, |trace| trace.exited = Some((fact.at, exit)));
            }
            What::InstanceStarted { .. }
            | What::InstanceStopped { .. }
            | What::AgentChanged { .. }
            | What::ViewerAttached { .. }
            | What::ViewerDetached { .. }
            | What::ViewerRefused { .. }
            | What::Routed { .. }
            | What::Attempted { .. }
            | What::ConfigReloaded { .. }
            | What::ConfigRefused { .. }
            | What::FrontAttached { .. }
            | What::FrontDetached { .. }
            | What::StoreChanged { .. } => {}
        }
    }

    fn of_terminal(&mut self, id: TerminalId, note: impl FnOnce(&mut TerminalTrace)) {
        if self.terminals.len() < MOST_FACTS || self.terminals.contains_key(&id) {
            note(self.terminals.entry(id).or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::caller::RequestNumber;
    use crate::domain::moment::Moment;
    use crate::domain::profile::Dialect;
    use crate::domain::usage::AttemptEnd;

    fn config(number: usize) -> Fact {
        let why = number.to_string();
        Fact::at(Timestamp::UNIX_EPOCH, What::ConfigRefused { why })
    }

    fn attempt(model: &str, end: AttemptEnd, nanodollars: Option<u64>) -> Fact {
        let attempt = Attempt {
            request: RequestNumber::default(),
            at: Moment::ORIGIN,
            caller: Caller::Outside,
            model: model.into(),
            sent_model: model.into(),
            dialect: Dialect::Messages,
            choice: None,
            end,
            waited: Duration::ZERO,
            first_byte: None,
            total: Duration::ZERO,
            tokens: Some(Tokens {
                input: 10,
                output: 2,
                cache_read: 0,
                cache_write: 0,
            }),
            estimated: false,
            nanodollars,
            translated: false,
            without: Vec::new(),
        };
        let what = What::Attempted {
            profile: ProfileName::from("p"),
            attempt: Box::new(attempt),
        };
        Fact::at(Timestamp::UNIX_EPOCH, what)
    }

    #[test]
    fn past_the_limit_the_oldest_events_go_and_are_counted() {
        let mut backlog = Backlog::default();
        for number in 0..MOST_FACTS + 5 {
            backlog.push(config(number));
        }
        assert_eq!(backlog.facts.len(), MOST_FACTS);
        assert_eq!(backlog.lost, 5);
        assert_eq!(backlog.facts.front(), Some(&config(5)));
    }

    #[test]
    fn of_a_terminal_whose_events_went_the_row_stays() {
        let mut backlog = Backlog::default();
        let id = TerminalId::random();
        let exit = Exit::Code(3);
        backlog.push(Fact::at(
            Timestamp::UNIX_EPOCH,
            What::TerminalExited { id, exit },
        ));
        for number in 0..MOST_FACTS {
            backlog.push(config(number));
        }
        let trace = TerminalTrace {
            exited: Some((Timestamp::UNIX_EPOCH, exit)),
            ..TerminalTrace::default()
        };
        assert_eq!(backlog.terminals.get(&id), Some(&trace));
        assert_eq!(backlog.len(), MOST_FACTS + 1);
    }

    #[test]
    fn usage_is_added_up_and_an_unknown_price_hides_no_known_one() {
        let mut backlog = Backlog::default();
        let limited = AttemptEnd::Failed {
            kind: ErrorKind::RateLimited,
            message: "slow".to_owned(),
        };
        backlog.push(attempt("m", AttemptEnd::Success, None));
        backlog.push(attempt("m", AttemptEnd::Success, Some(700)));
        backlog.push(attempt("m", limited, Some(0)));
        let counts: Vec<_> = backlog.usage.values().copied().collect();
        let expected = UsageCount {
            requests: 3,
            errors: 0,
            rate_limited: 1,
            tokens: Tokens {
                input: 30,
                output: 6,
                cache_read: 0,
                cache_write: 0,
            },
            nanodollars: Some(700),
            estimated: 0,
        };
        assert_eq!(counts, [expected]);
        assert_eq!(
            backlog.facts.len(),
            1,
            "only the failed one is an event of its own"
        );
    }

    #[test]
    fn usage_of_endless_models_is_kept_as_that_of_others() {
        let mut backlog = Backlog::default();
        for number in 0..MOST_USAGE + 10 {
            backlog.push(attempt(&format!("m{number}"), AttemptEnd::Success, Some(1)));
        }
        assert_eq!(backlog.usage.len(), MOST_USAGE + 1);
        let requests: u64 = backlog.usage.values().map(|count| count.requests).sum();
        assert_eq!(requests, MOST_USAGE as u64 + 10);
    }

    #[test]
    fn what_could_not_be_written_stands_before_what_came_since() {
        let mut older = Backlog::default();
        older.push(config(1));
        older.push(attempt("m", AttemptEnd::Success, Some(5)));
        let mut backlog = Backlog::default();
        backlog.push(config(2));
        backlog.push(attempt("m", AttemptEnd::Success, Some(6)));
        backlog.put_back(older);
        assert_eq!(Vec::from(backlog.facts), [config(1), config(2)]);
        let counts: Vec<_> = backlog.usage.values().map(|one| one.nanodollars).collect();
        assert_eq!(counts, [Some(11)]);
    }
}
