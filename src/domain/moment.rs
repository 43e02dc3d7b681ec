//! Points on a clock that only runs forward, and how spans of it are written.

use std::fmt;
use std::time::Duration;

/// A point on a monotonic clock, in nanoseconds since an origin that the clock's owner chose.
///
/// Not a date: whoever shows one converts it with the clock it came from. Arithmetic saturates, so a clock that steps
/// back yields an elapsed time of zero instead of a huge one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The moment at which the clock began.
    pub const ORIGIN: Self = Self(0);

    /// So many nanoseconds after [`Moment::ORIGIN`].
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// This moment and `span`, at most the end of the clock (584 years).
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos_of(span)))
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanos_of(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes a wait as `9s`, `1m5s` or `2h3m`, rounded up so that nobody who waits as long comes too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// Whole seconds, rounded up.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0
            .as_secs()
            .saturating_add(u64::from(self.0.subsec_nanos() > 0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.seconds();
        let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
        if total == 0 {
            return f.write_str("0s");
        }
        for (count, unit) in [(hours, "h"), (minutes, "m"), (seconds, "s")] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_steps_back_has_let_no_time_pass() {
        let (early, late) = (Moment::from_nanos(5), Moment::from_nanos(9));
        assert_eq!(late.since(early), Duration::from_nanos(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn waits_are_written_rounded_up() {
        let written = |millis| Span(Duration::from_millis(millis)).to_string();
        assert_eq!(written(0), "0s");
        assert_eq!(written(1), "1s");
        assert_eq!(written(9_000), "9s");
        assert_eq!(written(65_000), "1m5s");
        assert_eq!(written(60_000), "1m");
        assert_eq!(written(7_380_000), "2h3m");
    }
}
