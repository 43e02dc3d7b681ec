//! The way to a database that is Dolt's and this store's own: each doubt on the way has its own error.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Row, Value};
use tokio::time::timeout;

use super::error::DoltError;
use super::probe::{self, Greeting};
use crate::store::schema::{self, Migration};

/// To be let in, the greeting included.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// For one statement.
pub(super) const QUERY: Duration = Duration::from_secs(10);
/// A step of the schema is waited for longer: it is many statements, and another tundra may be at it.
const MIGRATE: Duration = Duration::from_secs(60);
/// The numbers of refusals of rights.
const DENIED: [u16; 6] = [1044, 1045, 1142, 1227, 1698, 1130];
/// Dolt numbers a statement that a user has no right to as any other error, and words it so.
const DENIED_WORDS: &str = "command denied to user";
const UNKNOWN_DATABASE: u16 = 1049;
/// The branch that steps of the schema are taken on, until they are whole.
const BRANCH: &str = "tundra_migration";
const LOCK: &str = "tundra_migration";

/// Where the copy is.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<String>,
    pub database: String,
}

impl Server {
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address())
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// A connection to the copy, which was looked at: it is Dolt, and the database is this store's.
///
/// After an error other than the server's own it is of no more use: the driver cannot be cancelled half way.
pub(super) struct Session {
    connection: Conn,
    server: Server,
    /// Of the server.
    pub version: String,
    /// The version of the database's schema; 0 for one that holds nothing.
    found: u32,
}

impl Session {
    /// Connects, and makes the database where there is none.
    ///
    /// # Errors
    /// [`DoltError`], one for each thing that may be otherwise; nothing was written then.
    pub async fn open(server: &Server, store_id: &str) -> Result<Self, DoltError> {
        let mut copy = Self::log_in(server).await?;
        copy.choose().await?;
        copy.found = copy.check_owner(Some(store_id)).await?;
        Ok(copy)
    }

    /// Connects to a server that is Dolt, and to no database of it yet.
    ///
    /// # Errors
    /// [`DoltError`] where there is none, it is another one, or it lets nobody in.
    pub async fn log_in(server: &Server) -> Result<Self, DoltError> {
        let greeting = probe::probe(&server.host, server.port, CONNECT).await?;
        let connection = log_in(server, &greeting).await?;
        let mut copy = Self {
            connection,
            server: server.clone(),
            version: String::new(),
            found: 0,
        };
        copy.version = copy.identify(&greeting).await?;
        Ok(copy)
    }

    /// Whether the database is there and holds this store's copy; `store_id` is None where there is no store yet.
    ///
    /// # Errors
    /// [`DoltError`] where it is another's, or newer.
    pub async fn find(&mut self, store_id: Option<&str>) -> Result<bool, DoltError> {
        let database = quoted(&self.server.database);
        match self.connection_use(&database).await {
            Err(mysql_async::Error::Server(error)) if error.code == UNKNOWN_DATABASE => {
                return Ok(false);
            }
            used => used.map_err(|error| self.error(error))?,
        }
        self.found = self.check_owner(store_id).await?;
        Ok(!self.is_empty())
    }

    /// Whether the database holds nothing yet.
    pub const fn is_empty(&self) -> bool {
        self.found == 0
    }

    /// Brings the database to this binary's schema.
    ///
    /// # Errors
    /// [`DoltError::Migration`] where a step fails; none of them was taken then.
    pub async fn bring_up(&mut self, store_id: &str) -> Result<(), DoltError> {
        if self.found < schema::VERSION {
            let address = self.server.address();
            limited(MIGRATE, &address, self.migrate(self.found, store_id)).await?;
            self.found = schema::VERSION;
        }
        Ok(())
    }

    /// Carries out a statement that answers nothing.
    pub async fn run(&mut self, statement: &str) -> Result<(), DoltError> {
        let address = self.server.address();
        let done = self.connection.query_drop(statement);
        let done = limited_raw(QUERY, &address, done).await?;
        done.map_err(|error| self.error(error))
    }

    /// The rows that a statement answers.
    pub async fn rows(&mut self, statement: &str) -> Result<Vec<Vec<Value>>, DoltError> {
        let rows = self.named_rows(statement).await?;
        Ok(rows.into_iter().map(Row::unwrap).collect())
    }

    /// The rows that a statement answers, with their columns' names.
    pub async fn named_rows(&mut self, statement: &str) -> Result<Vec<Row>, DoltError> {
        let address = self.server.address();
        let rows = self.connection.query::<Row, _>(statement);
        let rows = limited_raw(QUERY, &address, rows).await?;
        rows.map_err(|error| self.error(error))
    }

    /// Says good-bye.
    pub async fn close(self) {
        let _ = timeout(CONNECT, self.connection.disconnect()).await;
    }

    async fn first_text(&mut self, statement: &str) -> Result<Option<String>, DoltError> {
        let rows = self.rows(statement).await?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .and_then(text_of))
    }

    /// The server's version; fails for a server that is not Dolt.
    async fn identify(&mut self, greeting: &Greeting) -> Result<String, DoltError> {
        let comment = self.first_text("SELECT @@version_comment").await?;
        let not_dolt = |server: String| DoltError::NotDolt {
            port: self.server.port,
            server,
        };
        if comment.as_deref() != Some("Dolt") {
            let comment = comment.unwrap_or_default();
            let name = greeting.product().unwrap_or_else(|| {
                let product = comment
                    .split_whitespace()
                    .next()
                    .unwrap_or("a MySQL server");
                format!("{product} {}", greeting.version)
            });
            return Err(not_dolt(name));
        }
        let version = self.first_text("SELECT dolt_version()").await?;
        Ok(version.unwrap_or_default())
    }

    async fn choose(&mut self) -> Result<(), DoltError> {
        let database = quoted(&self.server.database);
        match self.connection_use(&database).await {
            Err(mysql_async::Error::Server(error)) if error.code == UNKNOWN_DATABASE => {
                self.run(&format!("CREATE DATABASE {database}")).await?;
                let used = self.connection_use(&database).await;
                used.map_err(|error| self.error(error))
            }
            used => used.map_err(|error| self.error(error)),
        }
    }

    async fn connection_use(&mut self, database: &str) -> Result<(), mysql_async::Error> {
        let used = self.connection.query_drop(format!("USE {database}"));
        timeout(QUERY, used).await.unwrap_or_else(|_| {
            let silent = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(mysql_async::Error::Io(silent.into()))
        })
    }

    /// The version of the database's schema, 0 for an empty one; fails for a database that is not this store's.
    async fn check_owner(&mut self, store_id: Option<&str>) -> Result<u32, DoltError> {
        let tables = self.rows("SHOW TABLES").await?;
        let mut names = tables
            .into_iter()
            .filter_map(|row| row.into_iter().next().and_then(text_of));
        let (mut is_empty, mut has_meta) = (true, false);
        for name in &mut names {
            is_empty = false;
            has_meta |= name == "tundra_meta";
        }
        let (database, address) = (&self.server.database, self.server.address());
        if is_empty {
            return Ok(0);
        }
        if !has_meta {
            return Err(DoltError::WrongDatabase(format!(
                "the database '{database}' on {address} holds tables that are not tundra's: \
                 name another one with dolt.database"
            )));
        }
        let row = self
            .rows("SELECT store_id, schema_version FROM tundra_meta")
            .await?
            .into_iter()
            .next()
            .unwrap_or_default();
        let mut row = row.into_iter();
        let owner = row.next().and_then(text_of).unwrap_or_default();
        let found = row.next().and_then(number_of).unwrap_or_default();
        if Some(owner.as_str()) != store_id {
            let (database, address) = (&self.server.database, self.server.address());
            let this = store_id.unwrap_or("not begun yet");
            return Err(DoltError::WrongDatabase(format!(
                "the database '{database}' on {address} is the copy of another store ({owner}), this one is {this}: \
                 name another one with dolt.database"
            )));
        }
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        if found > schema::VERSION {
            return Err(DoltError::SchemaNewer {
                expected: schema::VERSION,
                found,
            });
        }
        Ok(found)
    }

    /// Takes the steps that are missing on a branch of their own, which is merged once they are whole: DDL commits by
    /// itself, so that a transaction would protect nothing.
    async fn migrate(&mut self, found: u32, store_id: &str) -> Result<(), DoltError> {
        let failed = |error: DoltError| match error {
            DoltError::Server { message, .. } => DoltError::Migration(message),
            error => error,
        };
        let locked = self
            .rows(&format!("SELECT GET_LOCK('{LOCK}', 8)"))
            .await
            .map_err(failed)?;
        if locked.into_iter().flatten().next().and_then(number_of) != Some(1) {
            return Err(DoltError::Migration(
                "another tundra is at it; it is tried again".to_owned(),
            ));
        }
        let migrated = self.migrate_locked(found, store_id).await;
        // Dolt knows no DO. A lock that is kept would hold up every other database of the server.
        let released = self.rows(&format!("SELECT RELEASE_LOCK('{LOCK}')")).await;
        migrated.map_err(failed)?;
        released.map(drop)
    }

    async fn migrate_locked(&mut self, found: u32, store_id: &str) -> Result<(), DoltError> {
        // Whoever held the lock before may have done it.
        let found = self.check_owner(Some(store_id)).await?.max(found);
        let steps: Vec<&Migration> = schema::pending(found).collect();
        let Some(last) = steps.last() else {
            return Ok(());
        };
        let main = self.first_text("SELECT active_branch()").await?;
        let main = main.unwrap_or_else(|| "main".to_owned());
        // What an interrupted run has left.
        let branches = self
            .rows(&format!(
                "SELECT name FROM dolt_branches WHERE name = '{BRANCH}'"
            ))
            .await?;
        if !branches.is_empty() {
            self.run(&format!("CALL dolt_branch('-D', '{BRANCH}')"))
                .await?;
        }
        self.run(&format!("CALL dolt_checkout('-b', '{BRANCH}')"))
            .await?;
        if found == 0 {
            self.run(
                "CREATE TABLE tundra_meta (store_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
                 schema_version INT NOT NULL)",
            )
            .await?;
            let id = Value::from(store_id).as_sql(false);
            self.run(&format!("INSERT INTO tundra_meta VALUES ({id}, 0)"))
                .await?;
        }
        for step in &steps {
            for statement in step.dolt.split(";\n") {
                self.run(statement).await?;
            }
        }
        let version = last.version;
        self.run(&format!(
            "UPDATE tundra_meta SET schema_version = {version}"
        ))
        .await?;
        self.run(&format!(
            "CALL dolt_commit('-A', '--skip-empty', '-m', 'tundra: schema v{version}', '--author', '{AUTHOR}')"
        ))
        .await?;
        let main_sql = Value::from(main).as_sql(false);
        self.run(&format!("CALL dolt_checkout({main_sql})")).await?;
        self.run(&format!("CALL dolt_merge('{BRANCH}')")).await?;
        self.run(&format!("CALL dolt_branch('-D', '{BRANCH}')"))
            .await
    }

    fn error(&self, error: mysql_async::Error) -> DoltError {
        error_of(&self.server, None, error)
    }
}

/// As whom tundra commits.
pub(super) const AUTHOR: &str = "tundra <tundra@localhost>";

async fn log_in(server: &Server, greeting: &Greeting) -> Result<Conn, DoltError> {
    let options = OptsBuilder::default()
        .ip_or_hostname(server.host.as_str())
        .tcp_port(server.port)
        .user(Some(server.user.as_str()))
        .pass(server.password.as_deref())
        // The driver would look for a socket that the server names and go over to whoever answers there.
        .prefer_socket(false)
        .stmt_cache_size(0)
        .tcp_nodelay(true);
    let address = server.address();
    let connected = limited_raw(CONNECT, &address, Conn::new(options)).await?;
    connected.map_err(|error| error_of(server, Some(greeting), error))
}

/// What an error of the driver says of the server; `greeting` where it came while logging in.
fn error_of(server: &Server, greeting: Option<&Greeting>, error: mysql_async::Error) -> DoltError {
    match error {
        mysql_async::Error::Server(error)
            if DENIED.contains(&error.code) || error.message.starts_with(DENIED_WORDS) =>
        {
            let product = greeting.and_then(Greeting::product);
            // Nobody configured a way into this server: it stands where Dolt was looked for.
            if let (Some(product), None) = (&product, &server.password) {
                return DoltError::NotDolt {
                    port: server.port,
                    server: product.clone(),
                };
            }
            DoltError::AuthFailed {
                user: server.user.clone(),
                beside: product.map(|product| format!(" of {product}")),
                detail: error.message,
            }
        }
        mysql_async::Error::Server(error) => DoltError::Server {
            code: error.code,
            message: error.message,
        },
        mysql_async::Error::Io(mysql_async::IoError::Io(error))
            if error.kind() == std::io::ErrorKind::ConnectionRefused =>
        {
            DoltError::Refused(server.address())
        }
        error => DoltError::Unreachable {
            address: server.address(),
            why: error.to_string(),
        },
    }
}

async fn limited_raw<T>(
    limit: Duration,
    address: &str,
    doing: impl Future<Output = T>,
) -> Result<T, DoltError> {
    timeout(limit, doing)
        .await
        .map_err(|_| DoltError::NoAnswer {
            address: address.to_owned(),
            seconds: limit.as_secs(),
        })
}

async fn limited<T>(
    limit: Duration,
    address: &str,
    doing: impl Future<Output = Result<T, DoltError>>,
) -> Result<T, DoltError> {
    limited_raw(limit, address, doing).await?
}

/// A name as SQL takes any.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

pub(super) fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::NULL | Value::Float(_) | Value::Double(_) | Value::Date(..) | Value::Time(..) => {
            None
        }
    }
}

pub(super) fn number_of(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        Value::UInt(number) => i64::try_from(number).ok(),
        value => text_of(value)?.parse().ok(),
    }
}
