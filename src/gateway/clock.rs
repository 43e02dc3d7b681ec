//! The clock behind every [`Moment`] of the gateway.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::moment::Moment;

/// A monotonic clock that also counts the time a laptop sleeps, so that a cooldown ends when the provider means it to.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// `CLOCK_BOOTTIME` less its value at the origin. The standard library's clock stands still in a suspend.
    #[cfg(target_os = "linux")]
    Boot(Duration),
    Tokio(tokio::time::Instant),
}

impl Clock {
    /// Starts a clock whose origin is now.
    #[must_use]
    pub fn start() -> Self {
        #[cfg(target_os = "linux")]
        let source = Source::Boot(since_boot());
        #[cfg(not(target_os = "linux"))]
        let source = Source::Tokio(tokio::time::Instant::now());
        Self { source }
    }

    /// Where the clock began, for a program that goes on in this one's place; None where no other can know.
    #[must_use]
    pub fn origin(&self) -> Option<Duration> {
        match self.source {
            #[cfg(target_os = "linux")]
            Source::Boot(origin) => Some(origin),
            Source::Tokio(_) => None,
        }
    }

    /// The clock that began there, in whatever program.
    #[must_use]
    pub fn resume(origin: Duration) -> Self {
        #[cfg(target_os = "linux")]
        let source = Source::Boot(origin);
        #[cfg(not(target_os = "linux"))]
        let source = {
            let _ = origin;
            Source::Tokio(tokio::time::Instant::now())
        };
        Self { source }
    }

    /// A clock that stands still where tokio's does.
    #[must_use]
    pub fn of_runtime() -> Self {
        Self {
            source: Source::Tokio(tokio::time::Instant::now()),
        }
    }

    /// The moment now; never runs back.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::ORIGIN.after(match self.source {
            #[cfg(target_os = "linux")]
            Source::Boot(origin) => since_boot().saturating_sub(origin),
            Source::Tokio(origin) => origin.elapsed(),
        })
    }

    /// The date of a moment, by the present wall clock.
    #[must_use]
    pub fn date(&self, moment: Moment) -> Timestamp {
        let (now, wall) = (self.now(), Timestamp::now());
        let ago = SignedDuration::try_from(now.since(moment)).unwrap_or(SignedDuration::MAX);
        let ahead = SignedDuration::try_from(moment.since(now)).unwrap_or(SignedDuration::MAX);
        wall.saturating_sub(ago)
            .and_then(|wall| wall.saturating_add(ahead))
            .unwrap_or(wall)
    }
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_date_it_stands_for() {
        let clock = Clock::start();
        let soon = clock.now().after(Duration::from_secs(60));
        let ahead = clock.date(soon).duration_since(Timestamp::now());
        assert!(
            (59..=60).contains(&ahead.as_secs()),
            "{ahead:?} is about a minute"
        );
    }
}
