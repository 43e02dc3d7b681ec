//! From when on something is asked for: `24h`, `7d`, a date or a time.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::parse_duration;

/// A point in the past, absolute or before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Ago(Duration),
    At(Timestamp),
}

impl Since {
    /// The time that is meant.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => SignedDuration::try_from(span)
                .ok()
                .and_then(|span| now.checked_sub(span).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH)
                .max(Timestamp::UNIX_EPOCH),
        }
    }
}

/// Reads `24h`, `2026-11-29` (midnight UTC) or `2026-11-29T22:00:00Z`.
///
/// # Errors
/// What would be right.
pub fn parse(text: &str) -> Result<Since, String> {
    if let Some(span) = parse_duration(text) {
        return Ok(Since::Ago(span));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Since::At(at));
    }
    let date = text.parse::<Date>().ok();
    let midnight = date.and_then(|date| {
        TimeZone::UTC
            .to_timestamp(date.to_datetime(Time::midnight()))
            .ok()
    });
    match midnight {
        Some(midnight) => Ok(Since::At(midnight)),
        None => Err(
            "must be a duration such as 24h or 7d, a date such as 2026-11-29, or a time such as 2026-11-29T22:00:00Z"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_dates_and_times_are_taken() {
        let now: Timestamp = "2026-11-30T01:30:00Z".parse().unwrap();
        let at = |text: &str| parse(text).unwrap().at(now).to_string();
        assert_eq!(at("90m"), "2026-11-30T00:00:00Z");
        assert_eq!(at("2026-11-29"), "2026-11-29T00:00:00Z");
        assert_eq!(at("2026-11-29T22:10:00Z"), "2026-11-29T22:10:00Z");
        assert_eq!(at("36500d"), "1970-01-01T00:00:00Z");
        assert!(parse("yesterday").is_err());
        assert!(parse("-1h").is_err());
    }
}
