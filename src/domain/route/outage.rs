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
/// An outage that nobody has met for so long is over.
const FORGOTTEN: Duration = Duration::from_secs(90);

/// A time in which no request could be served.
///
/// Clients count their retries (Claude Code 10) and wait as long as they are told between them. Told the soonest moment at
/// which somebody may be back, every second or two, they would have used them up within a quarter of a minute. So what they
/// are told grows with the outage: one of ten seconds costs them three at most, one of two minutes is lived through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outage {
    met: Option<Met>,
}

#[derive(Clone, Copy, Debug)]
struct Met {
    first: Moment,
    last: Moment,
}

impl Outage {
    /// When it was met first and last.
    pub fn met(&self) -> Option<(Moment, Moment)> {
        self.met.map(|met| (met.first, met.last))
    }

    /// An outage that another program has met.
    pub fn resume(met: Option<(Moment, Moment)>) -> Self {
        Self {
            met: met.map(|(first, last)| Met { first, last }),
        }
    }

    /// Somebody is refused since nobody can serve; answers how long to stay away at least.
    pub fn meet(&mut self, now: Moment) -> Duration {
        let goes_on = |met: &Met| now.since(met.last) < FORGOTTEN;
        let first = self.met.filter(goes_on).map_or(now, |met| met.first);
        self.met = Some(Met { first, last: now });
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
        self.met = None;
    }
}
