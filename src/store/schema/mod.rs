//! The shape of the database, step by step: each step once in SQLite's words and once in Dolt's.
//!
//! Steps are only ever added, and add only. A step that was carried out is remembered with a checksum of its text, so
//! that one that was changed afterwards is noticed instead of trusted.

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::StoreError;

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    pub version: u32,
    pub name: &'static str,
    pub sqlite: &'static str,
    pub dolt: &'static str,
}

pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "journal",
    sqlite: include_str!("001_journal.sqlite.sql"),
    dolt: include_str!("001_journal.dolt.sql"),
}];

/// The version that this binary writes.
pub const VERSION: u32 = latest(MIGRATIONS);

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
  version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL)";

const fn latest(steps: &[Migration]) -> u32 {
    match steps.last() {
        Some(step) => step.version,
        None => 0,
    }
}

impl Migration {
    /// The checksum of a step's text in hexadecimal (SHA-256).
    #[must_use]
    pub fn checksum(text: &str) -> String {
        let sum = digest(&SHA256, text.as_bytes());
        sum.as_ref().iter().fold(String::new(), |mut hex, byte| {
            use std::fmt::Write;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// How the step is called where people read it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("v{} {}", self.version, self.name)
    }
}

/// The version of a database's schema; 0 for an empty one.
///
/// The greatest of all places that tell it: whoever wrote only one of them was newer all the same.
///
/// # Errors
/// [`rusqlite::Error`] where the database cannot be read.
pub fn version(database: &Connection) -> rusqlite::Result<u32> {
    let told: u32 = database.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let has = |table: &str| -> rusqlite::Result<bool> {
        let found: Option<u8> = database
            .query_row(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
                [table],
                |row| row.get(0),
            )
            .optional()?;
        Ok(found.is_some())
    };
    let mut version = told;
    for (table, query) in [
        (
            "tundra_meta",
            "SELECT coalesce(max(schema_version), 0) FROM tundra_meta",
        ),
        (
            "schema_migration",
            "SELECT coalesce(max(version), 0) FROM schema_migration",
        ),
    ] {
        if has(table)? {
            let found: u32 = database.query_row(query, [], |row| row.get(0))?;
            version = version.max(found);
        }
    }
    Ok(version)
}

/// Fails for a database that is newer than this binary.
///
/// # Errors
/// [`StoreError::SchemaNewer`], or [`StoreError::Sql`] where it cannot be read.
pub fn refuse_newer(database: &Connection) -> Result<u32, StoreError> {
    let found = version(database)?;
    if found > VERSION {
        return Err(StoreError::SchemaNewer {
            expected: VERSION,
            found,
        });
    }
    Ok(found)
}

/// The steps that a database of some version has yet to take.
pub fn pending(found: u32) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |step| step.version > found)
}

/// Brings a database to [`VERSION`]: each step with its entry in the ledger in one transaction, so that one that is
/// interrupted has not happened.
///
/// # Errors
/// [`StoreError::SchemaNewer`] for a newer database; [`StoreError::Migration`] where a step fails, or one that was
/// carried out is not the one that this binary knows.
pub fn migrate(
    database: &mut Connection,
    steps: &[Migration],
    now_ms: i64,
    store_id: impl FnOnce() -> String,
) -> Result<(), StoreError> {
    let found = version(database)?;
    if found > latest(steps) {
        return Err(StoreError::SchemaNewer {
            expected: latest(steps),
            found,
        });
    }
    let failed = |error: rusqlite::Error| {
        if super::error::is_no_database(&error) {
            StoreError::Sql(error)
        } else {
            StoreError::Migration(error.to_string())
        }
    };
    if found == latest(steps) {
        return verify(database, steps);
    }
    // The mode outlives the connection, and cannot be set within a transaction.
    database
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(failed)?;
    for step in steps.iter().filter(|step| step.version > found) {
        let transaction = database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        transaction.execute_batch(LEDGER).map_err(failed)?;
        // Another process may have taken the step while this one waited for its turn.
        if version(&transaction).map_err(failed)? >= step.version {
            continue;
        }
        transaction.execute_batch(step.sqlite).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO schema_migration VALUES (?1, ?2, ?3, ?4)",
                params![
                    step.version,
                    step.name,
                    Migration::checksum(step.sqlite),
                    now_ms
                ],
            )
            .map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", step.version)
            .map_err(failed)?;
        transaction
            .execute("UPDATE tundra_meta SET schema_version = ?1", [step.version])
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    database
        .execute(
            "INSERT INTO tundra_meta SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM tundra_meta)",
            params![store_id(), latest(steps)],
        )
        .map_err(failed)?;
    verify(database, steps)
}

fn verify(database: &Connection, steps: &[Migration]) -> Result<(), StoreError> {
    let mut ledger = database.prepare("SELECT version, checksum FROM schema_migration")?;
    let rows = ledger.query_map([], |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (version, checksum) = row?;
        let Some(step) = steps.iter().find(|step| step.version == version) else {
            continue;
        };
        if Migration::checksum(step.sqlite) != checksum {
            return Err(StoreError::Migration(format!(
                "step {} is not the one that was carried out",
                step.label()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Migration; 2] = [
        Migration {
            version: 1,
            name: "first",
            sqlite: "CREATE TABLE tundra_meta (store_id TEXT, schema_version INTEGER); CREATE TABLE a (x)",
            dolt: "",
        },
        Migration {
            version: 2,
            name: "second",
            sqlite: "CREATE TABLE b (x); ALTER TABLE a ADD COLUMN y",
            dolt: "",
        },
    ];

    fn id() -> String {
        "store".to_owned()
    }

    fn tables(database: &Connection) -> Vec<String> {
        let mut names = database
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_database_takes_the_steps_it_lacks() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database, &STEPS[..1], 1, id).unwrap();
        database.execute("INSERT INTO a VALUES (7)", []).unwrap();
        migrate(&mut database, &STEPS, 2, || "another".to_owned()).unwrap();
        let (store, version): (String, u32) = database
            .query_row("SELECT * FROM tundra_meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((store.as_str(), version), ("store", 2));
        let kept: i64 = database
            .query_row("SELECT x FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 7);
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database, &STEPS, 1, id).unwrap();
        let error = migrate(&mut database, &STEPS[..1], 1, id).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Schema version mismatch: expected v1, found v2"
        );
    }

    #[test]
    fn a_step_that_fails_half_way_has_not_happened() {
        let mut database = Connection::open_in_memory().unwrap();
        let broken = Migration {
            version: 2,
            name: "broken",
            sqlite: "CREATE TABLE b (x); CREATE TABLE a (x)",
            dolt: "",
        };
        let error = migrate(&mut database, &[STEPS[0], broken], 1, id).unwrap_err();
        assert!(
            error.to_string().starts_with("Migration failed: table a"),
            "{error}"
        );
        assert_eq!(tables(&database), ["a", "schema_migration", "tundra_meta"]);
        assert_eq!(version(&database).unwrap(), 1);
        migrate(&mut database, &STEPS, 1, id).unwrap();
        assert_eq!(version(&database).unwrap(), 2);
    }

    #[test]
    fn a_step_that_was_changed_after_it_was_carried_out_is_told() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database, &STEPS, 1, id).unwrap();
        let mut changed = STEPS;
        changed[1].sqlite = "CREATE TABLE c (x)";
        let error = migrate(&mut database, &changed, 1, id).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Migration failed: step v2 second is not the one that was carried out"
        );
    }

    #[test]
    fn the_steps_count_up_and_this_binary_is_at_the_last() {
        let versions: Vec<u32> = MIGRATIONS.iter().map(|step| step.version).collect();
        assert_eq!(versions, (1..=VERSION).collect::<Vec<_>>());
    }
}
