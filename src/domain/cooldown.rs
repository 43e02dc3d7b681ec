//! How long a provider asks to be left alone, and whether its budget is spent.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::bucket::Remaining;
use super::moment::Moment;

/// No provider's word cools a profile down for longer.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A wait of nothing, or until a time that has passed, is this long, so that nobody hammers.
pub const AT_ONCE: Duration = Duration::from_secs(1);
/// No provider's word takes a profile whose budget is spent out for longer: budgets are monthly at most.
pub const LONGEST_RESET: Duration = Duration::from_secs(31 * 24 * 3600);
/// How often a profile whose budget is spent is asked again.
pub const RECHECK: Duration = Duration::from_secs(3600);

/// Why a profile is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoolingCause {
    /// A 429.
    RateLimit,
    /// A 5xx or 529 that named a time.
    Overload,
}

/// When a profile may be asked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cooldown {
    cooling: Option<(Moment, CoolingCause)>,
    spent: Option<Spent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spent {
    recheck_at: Moment,
    /// A call that looks whether it still holds is under way, at most until then.
    asking_until: Option<Moment>,
}

/// A cooldown as it goes over to another program, while nobody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptCooldown {
    pub cooling: Option<(Moment, CoolingCause)>,
    /// When a spent budget is looked at again.
    pub recheck_at: Option<Moment>,
}

/// Why a profile may not be asked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cooling {
    Until(Moment, CoolingCause),
    Exhausted(Moment),
}

impl Cooldown {
    /// What goes over to another program.
    #[must_use]
    pub fn keep(&self) -> KeptCooldown {
        KeptCooldown {
            cooling: self.cooling,
            recheck_at: self.spent.map(|spent| spent.recheck_at),
        }
    }

    /// The cooldown that another program left.
    #[must_use]
    pub fn resume(kept: &KeptCooldown) -> Self {
        Self {
            cooling: kept.cooling,
            spent: kept.recheck_at.map(|recheck_at| Spent {
                recheck_at,
                asking_until: None,
            }),
        }
    }

    /// What stands against a call at `now`; changes nothing.
    #[must_use]
    pub fn check(&self, now: Moment) -> Option<Cooling> {
        if let Some(spent) = self.spent {
            let until = spent.recheck_at.max(spent.asking_until.unwrap_or_default());
            if now < until {
                return Some(Cooling::Exhausted(until));
            }
        }
        self.cooling
            .filter(|(until, _)| now < *until)
            .map(|(until, cause)| Cooling::Until(until, cause))
    }

    /// How long something stands against a call.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        self.check(now).map(|cooling| match cooling {
            Cooling::Until(until, _) | Cooling::Exhausted(until) => until.since(now),
        })
    }

    /// Leaves the profile alone until `until`, or for longer where that was said before.
    pub fn cool(&mut self, until: Moment, cause: CoolingCause) {
        if self.cooling.is_none_or(|(before, _)| before <= until) {
            self.cooling = Some((until, cause));
        }
    }

    /// Takes the profile out until its budget is looked at again: after `reset` where the provider told one, else after
    /// [`RECHECK`].
    pub fn exhaust(&mut self, reset: Option<Duration>, now: Moment) {
        self.spent = Some(Spent {
            recheck_at: now.after(reset.unwrap_or(RECHECK)),
            asking_until: None,
        });
    }

    /// Notes that the call now let through asks a spent profile again, and nobody else does before `lease` is over.
    /// Answers whether it does.
    pub fn ask_again(&mut self, now: Moment, lease: Duration) -> bool {
        let Some(spent) = &mut self.spent else {
            return false;
        };
        spent.asking_until = Some(now.after(lease));
        true
    }

    /// Sets what `ask_again` noted: the answer shows that there is budget again, or there was no answer.
    pub const fn asked(&mut self, answered: bool) {
        if answered {
            self.spent = None;
        } else if let Some(spent) = &mut self.spent {
            spent.asking_until = None;
        }
    }

    /// Whether its budget is spent.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.spent.is_some()
    }

    /// Ends it at once.
    pub const fn clear(&mut self) {
        self.cooling = None;
        self.spent = None;
    }
}

/// What a response's headers ask for: `retry-after-ms`, else `Retry-After` as seconds or a date, else the reset time
/// of whichever of the provider's own limits is used up.
///
/// A date counts from the response's own `Date`, so that a clock that is wrong here does no harm; `wall` stands in
/// where there is none. What cannot be read, or is negative, is as if it were not there. The answer is at most
/// [`LONGEST`], and [`AT_ONCE`] where nothing is left to wait. `header` is given lower-case names. (RFC 9110 10.2.3 and 5.6.7;
/// docs.anthropic.com/en/api/rate-limits; platform.openai.com/docs/guides/rate-limits.)
pub fn asked_wait<'h>(
    header: impl Fn(&str) -> Option<&'h str>,
    wall: Timestamp,
) -> Option<Duration> {
    let base = header("date").and_then(http_date).unwrap_or(wall);
    let wait = header("retry-after-ms")
        .and_then(|text| seconds(text).map(|millis| millis / 1000.0))
        .map(from_seconds)
        .or_else(|| retry_after(header("retry-after")?, base))
        .or_else(|| resets_in(&header, base))?;
    Some(if wait.is_zero() {
        AT_ONCE
    } else {
        wait.min(LONGEST)
    })
}

/// What a response says is left of the provider's own limits, the smallest of each kind.
pub fn remaining<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Remaining {
    let least = |names: &[&str]| {
        names
            .iter()
            .filter_map(|name| header(name)?.trim().parse().ok())
            .min()
    };
    Remaining {
        requests: least(&[
            "anthropic-ratelimit-requests-remaining",
            "x-ratelimit-remaining-requests",
        ]),
        tokens: least(&[
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-output-tokens-remaining",
            "x-ratelimit-remaining-tokens",
        ]),
    }
}

fn retry_after(text: &str, base: Timestamp) -> Option<Duration> {
    seconds(text)
        .map(from_seconds)
        .or_else(|| http_date(text).map(|date| until(date, base)))
}

/// When the limits that are used up come back: the latest of them.
fn resets_in<'h>(header: &impl Fn(&str) -> Option<&'h str>, base: Timestamp) -> Option<Duration> {
    let anthropic = ["requests", "tokens", "input-tokens", "output-tokens"].map(|kind| {
        let left = format!("anthropic-ratelimit-{kind}-remaining");
        (left, format!("anthropic-ratelimit-{kind}-reset"))
    });
    let openai = ["requests", "tokens"].map(|kind| {
        let left = format!("x-ratelimit-remaining-{kind}");
        (left, format!("x-ratelimit-reset-{kind}"))
    });
    let openrouter = [(
        "x-ratelimit-remaining".to_owned(),
        "x-ratelimit-reset".to_owned(),
    )];
    anthropic
        .into_iter()
        .chain(openai)
        .chain(openrouter)
        .filter(|(left, _)| header(left).is_some_and(|left| left.trim() == "0"))
        .filter_map(|(_, reset)| reset_time(header(&reset)?.trim(), base))
        .max()
}

/// A time to come, as RFC 3339, as a span like `6m0s`, or in milliseconds since 1970.
fn reset_time(text: &str, base: Timestamp) -> Option<Duration> {
    if let Ok(date) = text.parse::<Timestamp>() {
        return Some(until(date, base));
    }
    if let Ok(millis) = text.parse::<i64>() {
        return Some(until(Timestamp::from_millisecond(millis).ok()?, base));
    }
    go_span(text)
}

fn until(date: Timestamp, base: Timestamp) -> Duration {
    Duration::try_from(date.duration_since(base)).unwrap_or(Duration::ZERO)
}

/// A number of seconds, or of whatever is meant, that is not negative.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let numeric = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse::<f64>().ok().filter(|_| numeric)
}

fn from_seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
}

/// A span as `OpenAI` and Go write it: `12ms`, `6m0s`, `1h2m3.5s`.
fn go_span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total = total.saturating_add(from_seconds(number.parse::<f64>().ok()? * scale));
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

/// A date in one of HTTP's three forms (RFC 9110 5.6.7); the weekday must be the date's.
fn http_date(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    let text = text.trim();
    FORMS.iter().find_map(|form| {
        let parsed = BrokenDownTime::parse(form, text).ok()?;
        let date: DateTime = parsed.to_datetime().ok()?;
        let weekday = parsed.weekday()?;
        if date.weekday() != weekday {
            return None;
        }
        TimeZone::UTC.to_timestamp(date).ok()
    })
}

#[cfg(test)]
mod tests;
