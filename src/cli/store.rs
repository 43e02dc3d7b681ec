//! `tundra store`: the journal, its outbox, and its versioned copy in Dolt.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::{ChangeShape, CommitShape, DoltShape, StoreShape};
use crate::api::since::{self, Since};
use crate::app;
use crate::control::ControlError;
use crate::domain::explain;
use crate::domain::moment::Span;
use crate::domain::printable::printable;
use crate::store::{self, Reader, StoreError, Table};

#[derive(Debug, Args)]
pub struct Store {
    #[command(subcommand)]
    pub command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Show how the journal and its copy stand, with or without a running instance
    #[command(before_help = "Example:\n  tundra store status --json")]
    Status {
        #[command(flatten)]
        json: Json,
    },
    /// Ship what waits for Dolt, commit it and print the commit's hash
    #[command(before_help = "Example:\n  tundra store ship")]
    Ship {
        #[command(flatten)]
        json: Json,
    },
    /// Show the copy's commits, the newest first
    #[command(before_help = "Example:\n  tundra store log -n 5")]
    Log {
        /// How many
        #[arg(short = 'n', value_name = "N", default_value_t = 20)]
        most: usize,
        #[command(flatten)]
        json: Json,
    },
    /// Show the rows that changed between two commits, branches or tags; without any, those of the last commit
    #[command(before_help = "Example:\n  tundra store diff HEAD~3 HEAD")]
    Diff {
        /// The older one; by default the one before TO
        from: Option<String>,
        /// The newer one; by default the last commit
        to: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    /// Print the journal's rows as lines of JSON, with or without a running instance
    #[command(
        before_help = "Example:\n  tundra store export --table event --since 7d > events.jsonl"
    )]
    Export {
        /// From when on: 24h, 7d, 2026-11-29 or a time; by default everything
        #[arg(long, value_name = "WHEN", value_parser = since::parse)]
        since: Option<Since>,
        /// Only this table; may be given several times
        #[arg(long, value_name = "T", value_enum)]
        table: Vec<TableName>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TableName {
    Instance,
    Terminal,
    Event,
    UsageHour,
}

impl From<TableName> for Table {
    fn from(name: TableName) -> Self {
        match name {
            TableName::Instance => Self::Instance,
            TableName::Terminal => Self::Terminal,
            TableName::Event => Self::Event,
            TableName::UsageHour => Self::UsageHour,
        }
    }
}

impl StoreCommand {
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Status { json }
            | Self::Ship { json }
            | Self::Log { json, .. }
            | Self::Diff { json, .. } => json.json,
            Self::Export { .. } => false,
        }
    }
}

pub fn run(command: &StoreCommand, context: &Context) -> Result<Exit, Failure> {
    match command {
        StoreCommand::Status { json } => status(*json, context),
        StoreCommand::Ship { json } => ship(*json, context),
        StoreCommand::Log { most, json } => log(*most, *json, context),
        StoreCommand::Diff { from, to, json } => diff(from.clone(), to.clone(), *json, context),
        StoreCommand::Export { since, table } => match export(*since, table, context) {
            Err(Failure::Output(error)) if output::is_over(&error) => Ok(Exit::DONE),
            done => done,
        },
    }
}

/// Asks the running instance, which alone knows what waits in memory; else the file tells, and the copy's server.
fn status(json: Json, context: &Context) -> Result<Exit, Failure> {
    let store = match context.client().map(|mut client| client.store()) {
        Ok(told) => told?,
        Err(Failure::Control(ControlError::NoInstance)) => {
            let paths = context.paths()?;
            let status = app::store_at_rest(&paths, &context.config_source(&paths))?;
            StoreShape::from(&status)
        }
        Err(failure) => return Err(failure),
    };
    if json.json {
        return Ok(output::json(&store));
    }
    let rows = lines(&store);
    let mut text = show::facts(&rows, output::columns()).join("\n");
    text.push('\n');
    Ok(output::data(&text))
}

fn lines(store: &StoreShape) -> Vec<Vec<String>> {
    let count = |count: Option<u64>| count.map_or("?".to_owned(), |count| count.to_string());
    let mut state = store.state.clone();
    if let Some(message) = &store.message {
        state.push_str(": ");
        state.push_str(message);
    }
    let mut rows = vec![
        ("journal", store.path.clone()),
        ("state", state),
        (
            "holds",
            format!(
                "{} events, {} rows of usage, {} KiB",
                count(store.rows.event),
                count(store.rows.usage_hour),
                store.size_bytes / 1024
            ),
        ),
        (
            "schema",
            store
                .schema
                .map_or("none".to_owned(), |schema| format!("v{schema}")),
        ),
        ("waiting", format!("{} in memory", store.waiting)),
    ];
    if !store.pending.is_empty() {
        rows.push(("at next start", store.pending.join(", ")));
    }
    if store.state != "ready" {
        rows.extend(cure(store.message.as_deref()));
    }
    rows.push(("dolt", dolt(&store.dolt)));
    if store.dolt.state != "ready" {
        rows.extend(cure(store.dolt.message.as_deref()));
    }
    if store.dolt.state != "disabled" || store.outbox > 0 {
        rows.push(("outbox", format!("{} rows", store.outbox)));
    }
    if let Some(commit) = &store.dolt.last_commit {
        rows.push((
            "last commit",
            format!("{} {} {}", short(&commit.hash), commit.at, commit.message),
        ));
    }
    rows.into_iter()
        .map(|(name, value)| vec![name.to_owned(), printable(&value).into_owned()])
        .collect()
}

/// What helps against what a message tells, unless it says so itself.
fn cure(message: Option<&str>) -> Option<(&'static str, String)> {
    let message = message.filter(|message| !message.contains("dolt."))?;
    let cures = explain::by_text(message)?.cures;
    Some(("what helps", cures.first()?.to_string()))
}

/// Dolt's state in a line, for `status` too.
pub fn dolt(dolt: &DoltShape) -> String {
    let known = [
        Some(dolt.state.clone()),
        dolt.server.clone(),
        dolt.version.clone(),
        dolt.pid.map(|pid| format!("pid {pid}")),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    let mut text = known.join(", ");
    if let Some(message) = &dolt.message {
        text = format!("{text}: {message}");
    }
    if let Some(left) = dolt.retry_in_s {
        let left = Span(std::time::Duration::from_secs(left));
        text = format!("{text}; again in {left}");
    }
    text
}

fn ship(json: Json, context: &Context) -> Result<Exit, Failure> {
    let shipped = context.client()?.store_ship()?;
    if json.json {
        return Ok(output::json(&shipped));
    }
    Ok(output::data(&format!("{}\n", shipped.hash)))
}

fn log(most: usize, json: Json, context: &Context) -> Result<Exit, Failure> {
    let commits = context.client()?.store_log(most)?;
    if json.json {
        return Ok(output::json(&commits));
    }
    let rows: Vec<Vec<String>> = commits.iter().map(commit).collect();
    let columns = output::columns().unwrap_or(usize::MAX);
    let text: String = show::table(&rows)
        .iter()
        .map(|line| show::cut(line, columns) + "\n")
        .collect();
    Ok(output::data(&text))
}

fn commit(commit: &CommitShape) -> Vec<String> {
    vec![
        short(&commit.hash).to_owned(),
        commit.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        printable(&commit.message).into_owned(),
    ]
}

fn diff(
    from: Option<String>,
    to: Option<String>,
    json: Json,
    context: &Context,
) -> Result<Exit, Failure> {
    let changes = context.client()?.store_diff(from, to)?;
    if json.json {
        return Ok(output::json(&changes));
    }
    let columns = output::columns().unwrap_or(usize::MAX);
    let text: String = changes
        .iter()
        .map(|change| show::cut(&change_line(change), columns) + "\n")
        .collect();
    Ok(output::data(&text))
}

/// `+` and the row, `-` and the row, or `~` and what is different.
fn change_line(change: &ChangeShape) -> String {
    let (sign, row) = match change.change.as_str() {
        "added" => ("+", change.to.clone()),
        "removed" => ("-", change.from.clone()),
        _ => ("~", difference(change)),
    };
    printable(&format!("{sign} {} {row}", change.table)).into_owned()
}

/// Key and changed columns, as `[from, to]`.
fn difference(change: &ChangeShape) -> serde_json::Value {
    let mut shown = change.key.clone();
    let sides = (change.from.as_object(), change.to.as_object());
    if let (Some(shown), (Some(from), Some(to))) = (shown.as_object_mut(), sides) {
        for (column, after) in to {
            let before = from.get(column).unwrap_or(&serde_json::Value::Null);
            if before != after {
                shown.insert(column.clone(), serde_json::json!([before, after]));
            }
        }
    }
    shown
}

/// A hash as people tell them apart.
fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

fn export(since: Option<Since>, tables: &[TableName], context: &Context) -> Result<Exit, Failure> {
    let since = since.map(|since| since.at(Timestamp::now()));
    let tables: Vec<Table> = match tables {
        [] => Table::ALL.to_vec(),
        some => some.iter().copied().map(Table::from).collect(),
    };
    let reader = Reader::open(&context.paths()?.journal())?;
    let mut out = output::lines();
    store::export(&reader, &tables, since, |line| -> Result<(), Unexported> {
        Ok(writeln!(out, "{line}")?)
    })?;
    out.flush()?;
    Ok(Exit::DONE)
}

/// Why a row was not exported.
#[derive(Debug, thiserror::Error)]
enum Unexported {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl From<Unexported> for Failure {
    fn from(unexported: Unexported) -> Self {
        match unexported {
            Unexported::Store(error) => error.into(),
            Unexported::Output(error) => error.into(),
        }
    }
}
