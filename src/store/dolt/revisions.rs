//! What the copy remembers: its commits, and the rows that changed between two of them.

use jiff::Timestamp;
use mysql_async::{Row, Value};
use serde_json::{Map, Value as Json};

use super::connect::{Session, number_of, text_of};
use super::error::DoltError;
use crate::store::outbox::Table;
use crate::store::status::Commit;

/// What became of a row between two commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Removed,
    Modified,
}

impl ChangeKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
        }
    }
}

/// A row that changed. Rows are objects of their columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub table: Table,
    pub kind: ChangeKind,
    pub key: Map<String, Json>,
    pub from: Option<Map<String, Json>>,
    pub to: Option<Map<String, Json>>,
}

/// The latest commits, the newest first.
pub(super) async fn log(copy: &mut Session, most: usize) -> Result<Vec<Commit>, DoltError> {
    let query = format!(
        "SELECT commit_hash, committer, message, CAST(UNIX_TIMESTAMP(date) * 1000 AS SIGNED) FROM dolt_log LIMIT {most}"
    );
    let rows = copy.rows(&query).await?;
    Ok(rows.into_iter().map(commit_of).collect())
}

/// The rows that differ between two revisions; without any, those of the last commit.
pub(super) async fn diff(
    copy: &mut Session,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Vec<Change>, DoltError> {
    let to = to.unwrap_or("HEAD");
    let from = from.map_or_else(|| format!("{to}~1"), str::to_owned);
    let mut changes = Vec::new();
    for table in Table::ALL {
        let literal = |text: &str| Value::from(text).as_sql(false);
        let query = format!(
            "SELECT * FROM dolt_diff({}, {}, '{}')",
            literal(&from),
            literal(to),
            table.name()
        );
        let rows = copy.named_rows(&query).await.map_err(|error| match error {
            DoltError::Server { message, .. } => DoltError::BadRevision(message),
            error => error,
        })?;
        changes.extend(rows.into_iter().filter_map(|row| change_of(table, row)));
    }
    Ok(changes)
}

fn commit_of(row: Vec<Value>) -> Commit {
    let mut row = row.into_iter();
    let mut text = || row.next().and_then(text_of).unwrap_or_default();
    let (hash, author, message) = (text(), text(), text());
    let at = row.next().and_then(number_of).unwrap_or_default();
    Commit {
        hash,
        at: Timestamp::from_millisecond(at).unwrap_or_default(),
        author,
        message,
    }
}

fn change_of(table: Table, row: Row) -> Option<Change> {
    let names: Vec<String> = row
        .columns_ref()
        .iter()
        .map(|column| column.name_str().into_owned())
        .collect();
    let values: Vec<(String, Value)> = names.into_iter().zip(row.unwrap()).collect();
    let side = |side: &str| -> Map<String, Json> {
        let columns = table.columns().iter();
        let found = columns.filter_map(|column| {
            let name = format!("{side}_{column}");
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some(((*column).to_owned(), json_of(table, column, value)))
        });
        found.collect()
    };
    let kind = match values
        .iter()
        .find(|(name, _)| name == "diff_type")
        .and_then(|(_, value)| text_of(value.clone()))?
        .as_str()
    {
        "added" => ChangeKind::Added,
        "removed" => ChangeKind::Removed,
        _ => ChangeKind::Modified,
    };
    let from = (kind != ChangeKind::Added).then(|| side("from"));
    let to = (kind != ChangeKind::Removed).then(|| side("to"));
    let known = to.as_ref().or(from.as_ref())?;
    let key = table
        .key()
        .iter()
        .filter_map(|column| Some(((*column).to_owned(), known.get(*column)?.clone())))
        .collect();
    Some(Change {
        table,
        kind,
        key,
        from,
        to,
    })
}

fn json_of(table: Table, column: &str, value: &Value) -> Json {
    if *value == Value::NULL {
        return Json::Null;
    }
    if table.is_text(column) {
        return text_of(value.clone()).into();
    }
    number_of(value.clone()).into()
}
