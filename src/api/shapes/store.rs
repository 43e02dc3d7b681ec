//! Events, usage and the store, as `history`, `usage` and `store` answer them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::provider::TokensShape;
use crate::store::{
    Change, Commit, DoltStatus, Event, Grouping, Shipped, StoreStatus, UsageKey, UsageReport,
    UsageRow, UsageSum,
};

/// An event, written without a copy of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct EventShape<'e> {
    id: &'e str,
    at: Timestamp,
    kind: &'e str,
    terminal: Option<TerminalRef<'e>>,
    profile: Option<&'e str>,
    by: Option<&'e str>,
    text: &'e str,
    data: &'e RawValue,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct TerminalRef<'e> {
    id: &'e str,
    name: Option<&'e str>,
}

impl<'e> From<&Event<'e>> for EventShape<'e> {
    fn from(event: &Event<'e>) -> Self {
        // What is no JSON was written by another hand.
        let data = serde_json::from_str(event.data).unwrap_or(RawValue::NULL);
        Self {
            id: event.id,
            at: event.at,
            kind: event.kind,
            terminal: event.terminal.map(|terminal| TerminalRef {
                id: terminal.id,
                name: terminal.name,
            }),
            profile: event.profile,
            by: event.by,
            text: event.text,
            data,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageShape {
    pub since: Timestamp,
    pub until: Timestamp,
    pub rows: Vec<UsageRowShape>,
    pub total: UsageSumShape,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageRowShape {
    pub key: String,
    /// A terminal's name, where the key is its id.
    #[serde(skip_serializing_if = "Name::is_no_part")]
    pub name: Name,
    #[serde(flatten)]
    pub sum: UsageSumShape,
}

/// The name that stands beside a key, or that none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Keys have no names here.
    NoPart,
    Of(Option<String>),
}

impl Name {
    const fn is_no_part(&self) -> bool {
        matches!(self, Self::NoPart)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::NoPart => serializer.serialize_none(),
            Self::Of(name) => name.serialize(serializer),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UsageSumShape {
    pub requests: u64,
    pub errors: u64,
    pub rate_limited: u64,
    pub tokens: TokensShape,
    /// Of what has a price; null where nothing has.
    pub cost_usd: Option<f64>,
    /// Requests whose tokens are estimated.
    pub estimated: u64,
}

impl UsageShape {
    pub fn new(report: &UsageReport, by: Grouping) -> Self {
        let rows = report.rows.iter().map(|row| UsageRowShape {
            key: usage_key_text(row, by),
            name: match by {
                Grouping::Pane => Name::Of(row.name.clone()),
                Grouping::Profile
                | Grouping::Model
                | Grouping::Agent
                | Grouping::Hour
                | Grouping::Day => Name::NoPart,
            },
            sum: UsageSumShape::from(&row.sum),
        });
        Self {
            since: report.since,
            until: report.until,
            rows: rows.collect(),
            total: UsageSumShape::from(&report.total),
        }
    }
}

/// A key as it is written: hours as times, days as dates.
pub fn usage_key_text(row: &UsageRow, by: Grouping) -> String {
    match &row.key {
        UsageKey::Name(name) => name.clone(),
        UsageKey::Time(at) => match by {
            Grouping::Day => at.strftime("%Y-%m-%d").to_string(),
            Grouping::Profile
            | Grouping::Model
            | Grouping::Pane
            | Grouping::Agent
            | Grouping::Hour => at.to_string(),
        },
    }
}

impl From<&UsageSum> for UsageSumShape {
    fn from(sum: &UsageSum) -> Self {
        Self {
            requests: sum.requests,
            errors: sum.errors,
            rate_limited: sum.rate_limited,
            tokens: TokensShape {
                input: sum.tokens_in,
                output: sum.tokens_out,
                cache_read: sum.cache_read,
                cache_write: sum.cache_write,
            },
            cost_usd: sum.cost_micros.map(dollars),
            estimated: sum.estimated,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a sum past 9 billion dollars may lose a microdollar"
)]
fn dollars(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreShape {
    pub path: String,
    pub size_bytes: u64,
    /// The version of the database's schema; null where there is no database.
    pub schema: Option<u32>,
    /// Steps that the next start carries out.
    pub pending: Vec<String>,
    pub state: String,
    pub message: Option<String>,
    /// Facts in memory that are not written yet.
    pub waiting: usize,
    pub rows: RowsShape,
    /// Rows that wait for Dolt.
    pub outbox: u64,
    pub dolt: DoltShape,
}

/// Null where nobody could count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsShape {
    pub event: Option<u64>,
    pub usage_hour: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DoltShape {
    pub state: String,
    pub message: Option<String>,
    pub server: Option<String>,
    pub version: Option<String>,
    pub database: Option<String>,
    pub last_commit: Option<LastCommitShape>,
    pub retry_in_s: Option<u64>,
    pub managed: bool,
    pub pid: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCommitShape {
    pub hash: String,
    pub at: Timestamp,
    pub message: String,
}

impl From<&StoreStatus> for StoreShape {
    fn from(status: &StoreStatus) -> Self {
        Self {
            path: status.path.to_string_lossy().into_owned(),
            size_bytes: status.size,
            schema: status.schema,
            pending: status.pending.clone(),
            state: status.state.as_str().to_owned(),
            message: status.message.clone(),
            waiting: status.waiting,
            rows: RowsShape {
                event: status.events,
                usage_hour: status.usage_hours,
            },
            outbox: status.outbox,
            dolt: DoltShape::from(&status.dolt),
        }
    }
}

impl From<&DoltStatus> for DoltShape {
    fn from(status: &DoltStatus) -> Self {
        let retry_in = status.retry_in(Timestamp::now());
        Self {
            state: status.state.as_str().to_owned(),
            message: status.message.clone(),
            server: status.server.clone(),
            version: status.version.clone(),
            database: status.database.clone(),
            last_commit: status.last_commit.as_ref().map(|commit| LastCommitShape {
                hash: commit.hash.clone(),
                at: commit.at,
                message: commit.message.clone(),
            }),
            retry_in_s: retry_in.map(|left| left.as_secs()),
            managed: status.is_managed,
            pid: status.pid,
        }
    }
}

/// What `store ship` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippedShape {
    pub hash: String,
    /// Rows in the commit.
    pub rows: u64,
}

impl From<&Shipped> for ShippedShape {
    fn from(shipped: &Shipped) -> Self {
        Self {
            hash: shipped.hash.clone(),
            rows: shipped.rows,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitShape {
    pub hash: String,
    pub at: Timestamp,
    pub author: String,
    pub message: String,
}

impl From<&Commit> for CommitShape {
    fn from(commit: &Commit) -> Self {
        Self {
            hash: commit.hash.clone(),
            at: commit.at,
            author: commit.author.clone(),
            message: commit.message.clone(),
        }
    }
}

/// A row that changed; key, `from` and `to` are objects of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeShape {
    pub table: String,
    pub change: String,
    pub key: serde_json::Value,
    pub from: serde_json::Value,
    pub to: serde_json::Value,
}

impl From<&Change> for ChangeShape {
    fn from(change: &Change) -> Self {
        let object = |row: Option<&serde_json::Map<String, serde_json::Value>>| {
            row.map_or(serde_json::Value::Null, |row| {
                serde_json::Value::Object(row.clone())
            })
        };
        Self {
            table: change.table.name().to_owned(),
            change: change.kind.as_str().to_owned(),
            key: object(Some(&change.key)),
            from: object(change.from.as_ref()),
            to: object(change.to.as_ref()),
        }
    }
}
