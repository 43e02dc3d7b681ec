//! What was shipped since the last commit, and what that commit is to say.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::outbox::{Row, Table};

/// Rows that wait for their commit.
#[derive(Debug, Default)]
pub(super) struct Load {
    rows: u64,
    kinds: BTreeMap<String, u64>,
    tables: BTreeMap<&'static str, u64>,
    /// Something is in the copy that nobody has committed.
    pub is_dirty: bool,
    /// When it is to be committed.
    pub due: Option<Instant>,
}

impl Load {
    /// Rows have come into the copy.
    pub fn add(&mut self, rows: &[Row]) {
        for row in rows {
            self.rows += 1;
            *self.tables.entry(row.table.name()).or_default() += 1;
            if row.table == Table::Event
                && let Some(rusqlite::types::Value::Text(kind)) = row.values.get(3)
            {
                *self.kinds.entry(kind.clone()).or_default() += 1;
            }
        }
        self.is_dirty |= !rows.is_empty();
    }

    /// Has it committed after `span` at the latest, where there is anything to commit.
    pub fn commit_within(&mut self, span: Duration) {
        if self.is_dirty {
            let due = Instant::now() + span;
            self.due = Some(self.due.map_or(due, |sooner| sooner.min(due)));
        }
    }

    /// It is committed: tells how many rows that were, and begins anew.
    pub fn committed(&mut self) -> u64 {
        std::mem::take(self).rows
    }

    /// What a commit holds, in words: the events by kind, and how much else.
    pub fn message(&self, host: &str) -> String {
        let counted = |name: &str, count: u64| {
            if count == 1 {
                name.to_owned()
            } else {
                format!("{name} ×{count}")
            }
        };
        let mut parts: Vec<String> = self
            .kinds
            .iter()
            .map(|(kind, count)| counted(kind, *count))
            .collect();
        if let Some(count) = self.tables.get(Table::UsageHour.name()) {
            parts.push(format!("usage of {}", counted("an hour", *count)));
        }
        if parts.is_empty() {
            let rows = self.rows;
            return format!("{host}: {rows} rows");
        }
        format!("{host}: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_tells_what_happened_and_where() {
        let load = Load {
            rows: 6,
            kinds: BTreeMap::from([
                ("provider.failover".to_owned(), 2),
                ("terminal.exited".to_owned(), 1),
            ]),
            tables: BTreeMap::from([("event", 3), ("usage_hour", 3)]),
            ..Load::default()
        };
        assert_eq!(
            load.message("here"),
            "here: provider.failover ×2, terminal.exited, usage of an hour ×3"
        );
        assert_eq!(Load::default().message("here"), "here: 0 rows");
    }
}
