//! What the front end goes by; may be replaced while it runs.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::OscKind;
use crate::domain::action::Action;
use crate::domain::keymap::Keymap;
use crate::domain::plan::coming;

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub keymap: Keymap,
    /// Program and arguments of the shell that runs what is typed as a command.
    pub shell: Vec<String>,
    pub mouse: bool,
    /// The share of the pool, 0 to 1, above which the gauge warns.
    pub warn_at: f64,
    /// How the outer terminal is told of agents.
    pub notify: OuterNotify,
    /// In which times are shown; None for the user's own. That is looked up when a time is shown first: whoever looks reads
    /// the names of all zones that the system knows.
    pub zone: Option<TimeZone>,
}

/// How the outer terminal is told of agents that need the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OuterNotify {
    pub bell: bool,
    /// None for no sequence at all.
    pub osc: Option<OscKind>,
}

impl Options {
    fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or_else(TimeZone::system)
    }

    /// A time of day, to the second.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        self.written(at, "%H:%M:%S")
    }

    /// A date, such as `2026-11-30`.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> String {
        self.written(at, "%Y-%m-%d")
    }

    /// A date with its time of day, to the minute.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        self.written(at, "%Y-%m-%d %H:%M")
    }

    /// A time to come as seen at `now`: `14:20`, and with its day where that is not within a day.
    #[must_use]
    pub fn coming(&self, at: Timestamp, now: Timestamp) -> String {
        coming(at, now, &self.zone())
    }

    /// The key that fails over, after the prefix.
    #[must_use]
    pub fn fail_over_key(&self) -> String {
        let keys = self.keymap.bindings_of(Action::FailOver);
        keys.first()
            .map_or("failover".to_owned(), ToString::to_string)
    }

    fn written(&self, at: Timestamp, form: &str) -> String {
        at.to_zoned_datetime(self.zone()).strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn times_are_the_users_own() {
        let options = Options {
            keymap: Keymap::new("ctrl-b".parse().unwrap(), &BTreeMap::new()).unwrap(),
            shell: Vec::new(),
            mouse: true,
            warn_at: 0.8,
            notify: OuterNotify {
                bell: true,
                osc: None,
            },
            zone: Some(TimeZone::fixed(jiff::tz::offset(2))),
        };
        let at: Timestamp = "2026-11-30T12:20:05Z".parse().unwrap();
        let now = "2026-11-30T11:00:00Z".parse().unwrap();
        let long_before = "2026-11-25T11:00:00Z".parse().unwrap();
        assert_eq!(options.time(at), "14:20:05");
        assert_eq!(options.coming(at, now), "14:20");
        assert_eq!(options.coming(at, long_before), "Mon 14:20");
    }
}
