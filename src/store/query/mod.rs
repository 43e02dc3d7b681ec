//! What is read of the journal: its file is opened to read, whether an instance writes it or none does.

mod export;
mod history;
mod usage;

pub use export::export;
pub use history::{Event, EventFilter, Events, TerminalName};
pub use usage::{Grouping, Totals, UsageKey, UsageReport, UsageRow, UsageSum};

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::database;
use super::error::StoreError;
use super::schema;
use super::status::{StoreState, StoreStatus};

/// A journal that is read.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// None in a home where nothing was recorded yet.
    connection: Option<Connection>,
    /// Device and number of the file.
    file: Option<(u64, u64)>,
}

impl Reader {
    /// Opens the journal of a home, one that nothing was recorded in yet included.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] for a database of a newer tundra, [`StoreError::NoDatabase`] for a file that is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = database::open_to_read(path)?;
        let identity = database::identity(path).ok();
        Ok(Self {
            path: path.to_owned(),
            file: connection.is_some().then_some(identity).flatten(),
            connection,
        })
    }

    /// Whether the file that is read is not the one under its path any more, or is there for the first time.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        database::identity(&self.path).ok() != self.file
    }

    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// The store's own id; None in a home where nothing was recorded yet.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where it cannot be read.
    pub fn store_id(&self) -> Result<Option<String>, StoreError> {
        let Some(connection) = &self.connection else {
            return Ok(None);
        };
        let query = "SELECT store_id FROM tundra_meta";
        Ok(Some(connection.query_row(query, [], |row| row.get(0))?))
    }

    /// How the file stands; what only a running instance knows is left out.
    ///
    /// # Errors
    /// [`StoreError::Sql`] where it cannot be read.
    pub fn status(&self) -> Result<StoreStatus, StoreError> {
        let mut status = StoreStatus {
            size: database::size_of(&self.path),
            ..StoreStatus::unknown(&self.path)
        };
        let Some(connection) = &self.connection else {
            status.message = Some("nothing was recorded yet".to_owned());
            status.pending = schema::pending(0).map(schema::Migration::label).collect();
            return Ok(status);
        };
        let version = schema::version(connection)?;
        status.state = StoreState::Ready;
        status.schema = Some(version);
        status.pending = schema::pending(version)
            .map(schema::Migration::label)
            .collect();
        let count = |table: &str| -> rusqlite::Result<u64> {
            let query = format!("SELECT count(*) FROM {table}");
            let count: i64 = connection.query_row(&query, [], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or_default())
        };
        status.events = Some(count("event")?);
        status.usage_hours = Some(count("usage_hour")?);
        status.outbox = count("outbox")?;
        Ok(status)
    }
}

/// The status of a file that cannot be read as a journal, with the reason; None where something else is wrong.
#[must_use]
pub fn status_of_error(path: &Path, error: &StoreError) -> Option<StoreStatus> {
    let (state, schema) = match error {
        StoreError::SchemaNewer { found, .. } => (StoreState::SchemaNewer, Some(*found)),
        StoreError::NoDatabase(_) => (StoreState::Off, None),
        _ => return None,
    };
    Some(StoreStatus {
        size: database::size_of(path),
        schema,
        state,
        message: Some(error.to_string()),
        ..StoreStatus::unknown(path)
    })
}
