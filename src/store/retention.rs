//! Events that are older than they are wanted, removed little by little.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, params};

/// Events removed in one transaction, so that nothing else waits long.
const AT_ONCE: i64 = 2000;
/// Between two looks, both while something is written anyway.
const APART: Duration = Duration::from_secs(3600);
/// Pages given back to the disk in one step.
const PAGES: i64 = 256;

/// One walk over what is too old.
#[derive(Debug, Default)]
pub struct Sweep {
    is_under_way: bool,
    begun: Option<Instant>,
}

impl Sweep {
    /// Begins a walk.
    pub fn begin(&mut self) {
        self.is_under_way = true;
        self.begun = Some(Instant::now());
    }

    /// Ends the walk, until the next is due.
    pub fn give_up(&mut self) {
        self.is_under_way = false;
    }

    /// Whether there is more to remove. It sets no timer: an idle journal is not woken for it.
    #[must_use]
    pub fn is_due(&mut self) -> bool {
        if !self.is_under_way && self.begun.is_some_and(|begun| begun.elapsed() >= APART) {
            self.begin();
        }
        self.is_under_way
    }

    /// Removes some events that are older than `retention` and wait for no copy; tells how many.
    ///
    /// # Errors
    /// [`rusqlite::Error`] where they cannot be removed.
    pub fn some(
        &mut self,
        database: &mut Connection,
        retention: Duration,
    ) -> rusqlite::Result<u64> {
        let kept = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::now().as_millisecond().saturating_sub(kept);
        let removed = database.execute(
            "DELETE FROM event WHERE rowid IN (
               SELECT rowid FROM event WHERE at_ms < ?1
                 AND NOT EXISTS (SELECT 1 FROM outbox WHERE tbl = 'event' AND row_id = event.id)
               ORDER BY at_ms LIMIT ?2)",
            params![oldest, AT_ONCE],
        )?;
        if removed == 0 {
            self.is_under_way = false;
        } else {
            let mut vacuum = database.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(u64::try_from(removed).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::Database;
    use crate::store::outbox::{self, Table};

    #[test]
    fn old_events_go_but_for_those_that_wait_for_their_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (mut database, _) = Database::open(&folder.path().join("tundra.db")).unwrap();
        let connection = &mut database.connection;
        let now = Timestamp::now().as_millisecond();
        for (id, at) in [("old", now - 10_000), ("waits", now - 10_000), ("new", now)] {
            connection
                .execute(
                    "INSERT INTO event (id, at_ms, instance_id, kind, text) VALUES (?1, ?2, '', '', '')",
                    params![id, at],
                )
                .unwrap();
        }
        outbox::enqueue(connection, Table::Event, "waits").unwrap();
        let mut sweep = Sweep::default();
        sweep.begin();
        let retention = Duration::from_secs(5);
        assert_eq!(sweep.some(connection, retention).unwrap(), 1);
        assert!(sweep.is_due());
        assert_eq!(sweep.some(connection, retention).unwrap(), 0);
        assert!(!sweep.is_due());
        let mut left = connection
            .prepare("SELECT id FROM event ORDER BY id")
            .unwrap();
        let left = left.query_map([], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(
            left.map(Result::unwrap).collect::<Vec<_>>(),
            ["new", "waits"]
        );
    }
}
