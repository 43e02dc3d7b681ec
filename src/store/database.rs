//! The journal's file: made, opened, migrated, and moved aside where it is none.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use tracing::warn;
use uuid::Uuid;

use super::error::{StoreError, is_no_database};
use super::schema;

/// For its owner alone.
const MODE: u32 = 0o600;
/// How long the writer waits for another process that holds the database, before it says `degraded`.
const WRITER_PATIENCE: Duration = Duration::from_millis(500);
/// How long a command waits for it.
const READER_PATIENCE: Duration = Duration::from_secs(2);
/// A write-ahead log that grew longer is cut back to it.
const LOG_BYTES: i64 = 4 << 20;

/// The journal as its one writer has it.
#[derive(Debug)]
pub struct Database {
    pub connection: Connection,
    pub store_id: String,
    path: PathBuf,
    /// Device and number of the file that is open.
    file: (u64, u64),
}

/// A file that was no database, and where it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedAside(pub PathBuf);

impl Database {
    /// Opens the journal, made or migrated where it must be; what is no database is moved aside first.
    ///
    /// # Errors
    /// [`StoreError`]: a newer database, a step that fails, a file or folder that cannot be used.
    pub fn open(path: &Path) -> Result<(Self, Option<MovedAside>), StoreError> {
        match Self::open_as_is(path) {
            Err(error) if says_no_database(&error) => {
                let moved = move_aside(path)?;
                warn!(file = %moved.0.display(), %error, "the journal was no database and is moved aside");
                Ok((Self::open_as_is(path)?, Some(moved)))
            }
            opened => Ok((opened?, None)),
        }
    }

    fn open_as_is(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|source| StoreError::File {
            path: path.to_owned(),
            source,
        })?;
        // Looked at by a reader first: a writer would fold the log of a newer database into it.
        drop(open_to_read(path)?);
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(WRITER_PATIENCE)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit is the kernel's when it returns, and `sync` brings it to the disk beside the writer.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        let now_ms = Timestamp::now().as_millisecond();
        schema::migrate(&mut connection, schema::MIGRATIONS, now_ms, || {
            Uuid::now_v7().to_string()
        })?;
        connection.set_prepared_statement_cache_capacity(32);
        let store_id =
            connection.query_row("SELECT store_id FROM tundra_meta", [], |row| row.get(0))?;
        let file = identity(path).map_err(|source| StoreError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            connection,
            store_id,
            path: path.to_owned(),
            file,
        })
    }

    /// Whether the file under this path is still the one that is open.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }
}

/// Opens the journal to read; None where there is none yet.
///
/// # Errors
/// [`StoreError::SchemaNewer`] for one that this binary cannot know, [`StoreError::NoDatabase`] for a file that is
/// none, else [`StoreError::Sql`].
pub fn open_to_read(path: &Path) -> Result<Option<Connection>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let opened = || -> Result<Option<Connection>, StoreError> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(READER_PATIENCE)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // A database whose first step is yet to come holds nothing.
        Ok((schema::refuse_newer(&connection)? > 0).then_some(connection))
    };
    opened().map_err(|error| match error {
        StoreError::Sql(error) if is_no_database(&error) => StoreError::NoDatabase(path.to_owned()),
        error => error,
    })
}

/// Bytes on the disk, the write-ahead log's included.
#[must_use]
pub fn size_of(path: &Path) -> u64 {
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    length(path) + length(&beside(path, "-wal"))
}

/// The write-ahead log of a database.
#[must_use]
pub fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn says_no_database(error: &StoreError) -> bool {
    match error {
        StoreError::NoDatabase(_) => true,
        StoreError::Sql(error) => is_no_database(error),
        _ => false,
    }
}

pub(super) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Makes the file before SQLite does, which would let others read it; its companions take its rights.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(MODE)
        .open(path)?;
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match fs::metadata(&path) {
            Ok(file) if file.mode() & 0o077 != 0 => {
                fs::set_permissions(&path, Permissions::from_mode(MODE))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn move_aside(path: &Path) -> Result<MovedAside, StoreError> {
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut aside = beside(path, &format!(".broken-{time}"));
    let mut number = 1;
    while aside.exists() {
        number += 1;
        aside = beside(path, &format!(".broken-{time}-{number}"));
    }
    let failed = |source| StoreError::File {
        path: path.to_owned(),
        source,
    };
    fs::rename(path, &aside).map_err(failed)?;
    // A log that stayed would be taken for the new file's.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(MovedAside(aside))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_journal_is_its_owners_alone_and_so_are_its_companions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tundra.db");
        let (database, moved) = Database::open(&path).unwrap();
        assert_eq!(moved, None);
        for path in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
            let mode = fs::metadata(&path).unwrap().mode() & 0o777;
            assert_eq!(mode, MODE, "{}", path.display());
        }
        assert!(database.is_in_place());
        fs::remove_file(&path).unwrap();
        assert!(!database.is_in_place());
    }

    #[test]
    fn what_is_no_database_is_moved_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tundra.db");
        let text = "not a database, but somebody's text\n".repeat(100);
        fs::write(&path, &text).unwrap();
        let (_, moved) = Database::open(&path).unwrap();
        let MovedAside(aside) = moved.unwrap();
        assert_eq!(fs::read_to_string(&aside).unwrap(), text);
        let name = aside.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("tundra.db.broken-"), "{name}");
    }

    #[test]
    fn a_newer_journal_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tundra.db");
        drop(Database::open(&path).unwrap());
        let database = Connection::open(&path).unwrap();
        database
            .execute("UPDATE tundra_meta SET schema_version = 7", [])
            .unwrap();
        drop(database);
        let before = fs::read(&path).unwrap();
        let error = Database::open(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Schema version mismatch: expected v1, found v7"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
        assert!(open_to_read(&path).is_err());
    }

    #[test]
    fn an_unused_home_has_no_journal_to_read() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            open_to_read(&folder.path().join("tundra.db"))
                .unwrap()
                .is_none()
        );
    }
}
