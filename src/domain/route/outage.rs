//! How long nobody has been able to serve, and how long a caller stays away then.

use std::time::Duration;

use crate::domain::moment::Moment;

/// What happens within so long is one moment: nobody has waited yet.
const BEGINNING: Duration = Duration::from_secs(1);
/// So long an outage counts as a short one: most are, and its end should be noticed soon.
const SHORT: Duration = Duration::from_secs(10);
/// How long a caller stays away in a short one.
const SHORT_WAIT: Duration = Duration::from_secs(3);
/// The longest that a caller is sent away for: as long as Claude Code waits by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(32);
/// An outage in which nobody was refused for so long is over.
const FORGOTTEN: Duration = Duration::from_secs(90);

/// A time in which no request could be served.
///
/// Clients count their retries (Claude Code 10) and wait as long as they are told between them. Told the soonest moment at
/// which somebody may be back, every second or two, they would have used them up within a quarter of a minute. So what they
/// are told grows with the outage: one of ten seconds costs them three at most, one of two minutes is lived through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outage {
    refusals: Option<Refusals>,
}

/// When somebody was refused first and last.
#[derive(Clone, Copy, Debug)]
struct Refusals {
    first: Moment,
    last: Moment,
}

impl Outage {
    /// When somebody was refused first and last.
    pub fn refused(&self) -> Option<(Moment, Moment)> {
        self.refusals.map(|these| (these.first, these.last))
    }

    /// An outage in which another program has refused somebody.
    pub fn resume(refused: Option<(Moment, Moment)>) -> Self {
        Self {
            refusals: refused.map(|(first, last)| Refusals { first, last }),
        }
    }

    /// Somebody is refused since nobody can serve; answers how long to stay away at least.
    pub fn refuse(&mut self, now: Moment) -> Duration {
        let goes_on = |these: &Refusals| now.since(these.last) < FORGOTTEN;
        let before = self.refusals.filter(goes_on);
        let first = before.map_or(now, |these| these.first);
        self.refusals = Some(Refusals { first, last: now });
        let age = now.since(first);
        if age < BEGINNING {
            Duration::ZERO
        } else if age < SHORT {
            SHORT_WAIT
        } else {
            age.min(LONGEST_WAIT)
        }
    }

    /// Somebody served.
    pub fn end(&mut self) {
        self.refusals = None;
    }
}
