//! Gauges, small lines of history, and numbers in few columns.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::breaker::{BreakerState, BreakerStatus};
use crate::domain::bucket::Gauge;
use crate::domain::login::PlanStatus;
use crate::domain::moment::Span;
use crate::domain::plan::{UsedUp, WARN_AT};
use crate::domain::route::{ProviderState, ProviderStatus, Substitute};
use crate::supervise::{ProcessState, ProcessStatus};
use crate::tui::model::Options;
use crate::tui::theme::{Glyphs, Role};

/// Below this share of its capacity a bucket is marked.
const TIGHT_PERCENT: u64 = 20;

/// A bar of so many cells: what is left of a bucket, filled and empty part.
pub(super) fn bar(glyphs: &Glyphs, gauge: Gauge, cells: u64) -> (String, String) {
    let capacity = gauge.capacity.max(1);
    // Something left is never drawn as nothing.
    let filled = (gauge.available.min(capacity) * cells).div_ceil(capacity);
    let repeat = |glyph: &str, count: u64| glyph.repeat(usize::try_from(count).unwrap_or(0));
    (
        repeat(glyphs.gauge_filled, filled),
        repeat(glyphs.gauge_empty, cells - filled),
    )
}

pub(super) fn gauge_role(gauge: Gauge) -> Role {
    if gauge.available * 100 < gauge.capacity * TIGHT_PERCENT {
        Role::Warning
    } else {
        Role::Success
    }
}

/// A line of history, one column for each value; empty where there was nothing.
pub(super) fn spark(glyphs: &Glyphs, values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let levels = glyphs.spark.len() as u64;
    values
        .iter()
        .map(|value| match value {
            0 => " ",
            value => {
                let level = (value * levels).div_ceil(most).saturating_sub(1);
                let level = usize::try_from(level).unwrap_or(0);
                glyphs.spark.get(level).copied().unwrap_or(" ")
            }
        })
        .collect()
}

/// A number in at most four columns: `7`, `950`, `1.2k`, `45k`, `3.4M`.
pub(super) fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = UNITS.into_iter().find(|(size, _)| number >= *size);
    match unit {
        None => number.to_string(),
        Some((size, name)) if number < size * 10 => {
            format!("{}.{}{name}", number / size, number % size * 10 / size)
        }
        Some((size, name)) => format!("{}{name}", number / size),
    }
}

/// A latency in at most five columns: `0.4ms`, `42ms`, `1.2s`, `35s`.
pub(super) fn latency(span: Duration) -> String {
    let micros = span.as_micros();
    match micros {
        0..10_000 => format!("{}.{}ms", micros / 1000, micros % 1000 / 100),
        10_000..1_000_000 => format!("{}ms", micros / 1000),
        1_000_000..10_000_000 => {
            format!("{}.{}s", micros / 1_000_000, micros % 1_000_000 / 100_000)
        }
        _ => format!("{}s", micros / 1_000_000),
    }
}

/// A provider's state with the time that it lasts.
pub(super) fn state(provider: &ProviderStatus, process: Option<ProcessStatus>) -> (String, Role) {
    let left =
        |left: Option<Duration>| left.map_or(String::new(), |left| format!(" {}", Span(left)));
    match (provider.state, process.map(|process| process.state)) {
        (ProviderState::Disabled, _) => ("disabled".to_owned(), Role::Muted),
        (ProviderState::NoLogin, _) => ("no login".to_owned(), Role::Muted),
        (ProviderState::Down, _) => ("down".to_owned(), Role::Muted),
        (ProviderState::NoKey, _) => ("no key".to_owned(), Role::Muted),
        (_, Some(ProcessState::Starting)) => ("starting".to_owned(), Role::Warning),
        (_, Some(ProcessState::Backoff)) => ("crashed".to_owned(), Role::Error),
        (_, Some(ProcessState::Stopped)) => ("stopped".to_owned(), Role::Error),
        (ProviderState::Ready, _) => ("ready".to_owned(), Role::Success),
        (ProviderState::Open, _) => ("failing".to_owned(), Role::Error),
        (ProviderState::HalfOpen, _) => ("half-open".to_owned(), Role::Warning),
        (ProviderState::Cooling, _) => {
            (format!("cooling{}", left(provider.cooldown)), Role::Warning)
        }
        (ProviderState::Held, _) => (format!("held{}", left(provider.held)), Role::Warning),
        (ProviderState::Exhausted, _) if provider.plan.spills_until.is_some() => {
            ("spilling".to_owned(), Role::Warning)
        }
        (ProviderState::Exhausted, _) if provider.plan.used_up.is_some() => {
            ("used up".to_owned(), Role::Error)
        }
        (ProviderState::Rejected, _) => ("key rejected".to_owned(), Role::Error),
        (ProviderState::Exhausted, _) => {
            (format!("exhausted{}", left(provider.cooldown)), Role::Error)
        }
    }
}

/// What a plan has left, as pieces of one line: `5h 73 % 14:20`, ` · `, `7d 12 %`.
pub(super) fn windows(options: &Options, plan: &PlanStatus, now: Timestamp) -> Vec<(String, Role)> {
    let mut pieces = Vec::new();
    for window in plan.windows.iter().filter(|window| window.is_shown()) {
        if !pieces.is_empty() {
            pieces.push((" · ".to_owned(), Role::Muted));
        }
        let role = match window.used {
            used if used >= 1.0 => Role::Error,
            used if used >= WARN_AT => Role::Warning,
            _ => Role::Text,
        };
        let mut text = format!("{} {} %", window.name, window.percent());
        // The end of the first one is what its user waits for.
        if let Some(resets_at) = window.resets_at.filter(|_| pieces.is_empty()) {
            text = format!("{text} {}", options.coming(resets_at, now));
        }
        pieces.push((text, role));
    }
    pieces
}

/// Of a plan that is used up: until when, and who goes on with its requests, or would at the press of a key.
pub(super) fn plan_end(
    options: &Options,
    provider: &ProviderStatus,
    now: Timestamp,
) -> Option<(String, Role)> {
    let until = until_text(options, provider.plan.used_up.as_ref()?, now);
    let text = match &provider.substitute {
        Some(substitute) => {
            format!("{until}: {}", substitute_text(options, substitute))
        }
        None => until,
    };
    Some((text, Role::Warning))
}

/// `until 14:20`, and for which models where it is not for all.
pub fn until_text(options: &Options, used_up: &UsedUp, now: Timestamp) -> String {
    let until = options.coming(used_up.until, now);
    match &used_up.family {
        Some(family) => format!("for {family} until {until}"),
        None => format!("until {until}"),
    }
}

/// `f goes on with openrouter`, or without a key where nobody has to be asked.
pub fn substitute_text(options: &Options, substitute: &Substitute) -> String {
    let to = &substitute.profile;
    if substitute.asks {
        format!("{} goes on with {to}", options.fail_over_key())
    } else {
        format!("goes on with {to}")
    }
}

/// `closed`, `open 12s` or `half-open`.
pub(super) fn breaker(breaker: &BreakerStatus) -> (String, Role) {
    match breaker.state {
        BreakerState::Closed => ("closed".to_owned(), Role::Muted),
        BreakerState::HalfOpen => ("half-open".to_owned(), Role::Warning),
        BreakerState::Open if breaker.forced.is_some() => ("open".to_owned(), Role::Error),
        BreakerState::Open => (format!("open {}", Span(breaker.retry_in)), Role::Error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ThemeChoice, UnicodeChoice};
    use crate::tui::outer::Environment;
    use crate::tui::theme::Theme;

    fn glyphs() -> &'static Glyphs {
        Theme::detect(
            ThemeChoice::Dark,
            UnicodeChoice::Always,
            &Environment::default(),
            None,
        )
        .glyphs()
    }

    #[test]
    fn numbers_take_few_columns() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (1_290, "1.2k"),
            (45_000, "45k"),
            (3_400_000, "3.4M"),
        ];
        for (number, text) in table {
            assert_eq!(short(number), text);
        }
        let table = [
            (400, "0.4ms"),
            (42_000, "42ms"),
            (1_250_000, "1.2s"),
            (35_000_000, "35s"),
        ];
        for (micros, text) in table {
            assert_eq!(latency(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn a_bar_is_empty_only_when_nothing_is_left() {
        let drawn = |available| {
            let (filled, empty) = bar(
                glyphs(),
                Gauge {
                    capacity: 50,
                    available,
                },
                5,
            );
            filled + &empty
        };
        assert_eq!(drawn(50), "█████");
        assert_eq!(drawn(1), "█░░░░");
        assert_eq!(drawn(0), "░░░░░");
    }

    #[test]
    fn a_line_of_history_reaches_its_top_at_the_greatest_value() {
        assert_eq!(spark(glyphs(), &[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(spark(glyphs(), &[]), "");
    }
}
