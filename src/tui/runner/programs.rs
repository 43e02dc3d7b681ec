//! Which program each pane's keys go to, looked at a moment after the pane has changed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::domain::id::TerminalId;

/// A program that was started by a key has taken its terminal by then.
const SETTLES: Duration = Duration::from_millis(300);

/// Panes that changed since they were looked at, each with when to look.
#[derive(Debug, Default)]
pub(super) struct ProgramChecks {
    due: BTreeMap<TerminalId, Instant>,
}

impl ProgramChecks {
    /// A pane changed. One that changes all the time is looked at all the same, but not all the time.
    pub fn changed(&mut self, id: TerminalId, now: Instant) {
        self.due.entry(id).or_insert(now + SETTLES);
    }

    /// When to look next.
    pub fn next(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }

    /// Takes out the panes to look at now.
    pub fn take(&mut self, now: Instant) -> Vec<TerminalId> {
        let due: Vec<TerminalId> = self
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in &due {
            self.due.remove(id);
        }
        due
    }
}
