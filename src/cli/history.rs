//! `tundra history`: what happened.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::file_watch::FileWatch;
use super::{output, show};
use crate::api::shapes::EventShape;
use crate::api::since::{self, Since};
use crate::domain::fact::Kind;
use crate::domain::nearest::nearest;
use crate::domain::printable::printable;
use crate::store::{Event, EventFilter, Events, Reader, StoreError};

#[derive(Debug, Args)]
pub struct History {
    /// From when on: 24h, 7d, 2026-11-29 or a time
    #[arg(long, value_name = "WHEN", default_value = "24h", value_parser = since::parse)]
    since: Since,
    /// One kind (provider.failover) or a family (provider); may be given several times
    #[arg(long, value_name = "KIND", value_parser = kinds)]
    kind: Vec<Kinds>,
    /// Only of this terminal, by id, the beginning of one, or name
    #[arg(long, value_name = "ID")]
    terminal: Option<String>,
    /// Only of this profile
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// At most the last N
    #[arg(short = 'n', value_name = "N")]
    last: Option<usize>,
    /// Go on with what happens from now on, one a line, until interrupted
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    pub json: Json,
}

/// A commit can be read a moment after the write that tells of it: SQLite publishes it in memory that it shares, where nobody
/// is told of a change. So that one more look is taken so long after the last write.
const SETTLE: Duration = Duration::from_millis(50);

/// What one `--kind` means.
#[derive(Clone, Debug)]
struct Kinds(Vec<Kind>);

fn kinds(name: &str) -> Result<Kinds, String> {
    let found = Kind::named(name);
    if !found.is_empty() {
        return Ok(Kinds(found));
    }
    let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
    let meant =
        nearest(name, &names).map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
    Err(format!(
        "there is no such kind{meant}: {}",
        names.join(", ")
    ))
}

pub fn run(args: &History, context: &Context) -> Result<Exit, Failure> {
    match tell(args, context) {
        Err(Failure::Output(error)) if output::is_over(&error) => Ok(Exit::DONE),
        told => told,
    }
}

fn tell(args: &History, context: &Context) -> Result<Exit, Failure> {
    let filter = EventFilter {
        since: Some(args.since.at(Timestamp::now())),
        kinds: args.kind.iter().flat_map(|kinds| kinds.0.clone()).collect(),
        terminal: args.terminal.clone(),
        profile: args.profile.clone(),
        last: args.last,
    };
    let path = context.paths()?.journal();
    // Watched before it is read, so that nothing comes between.
    let mut watch = args.follow.then(|| FileWatch::new(&path));
    let mut reader = Reader::open(&path)?;
    let mut printer = Printer::new(args);
    printer.open()?;
    let mut seen = reader.events(&filter, None, |event| printer.print(event))?;
    printer.close()?;
    let Some(watch) = &mut watch else {
        return Ok(Exit::DONE);
    };
    let filter = EventFilter {
        last: None,
        ..filter
    };
    let mut version = None;
    let mut is_settled = true;
    loop {
        if is_settled {
            watch.wait();
            is_settled = false;
        } else {
            is_settled = !watch.changes_within(SETTLE);
        }
        if reader.is_replaced() {
            // Begun anew, made for the first time, or moved aside.
            reader = Reader::open(&path)?;
            (seen, version) = (Events::default(), None);
        }
        let now = Some(reader.data_version()?);
        if now == version {
            continue;
        }
        version = now;
        seen = reader.events(&filter, Some(seen), |event| printer.print(event))?;
        printer.flush()?;
    }
}

/// Why an event was not told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<Untold> for Failure {
    fn from(untold: Untold) -> Self {
        match untold {
            Untold::Store(error) => error.into(),
            Untold::Output(error) => error.into(),
        }
    }
}

/// Writes events as they are read: a history may be long.
struct Printer {
    out: output::Lines,
    form: Form,
    columns: Option<usize>,
    is_first: bool,
    line: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Table,
    /// One array.
    Array,
    /// One object a line.
    Lines,
}

impl Printer {
    fn new(args: &History) -> Self {
        let form = match (args.json.json, args.follow) {
            (false, _) => Form::Table,
            (true, false) => Form::Array,
            (true, true) => Form::Lines,
        };
        Self {
            out: output::lines(),
            form,
            columns: output::columns(),
            is_first: true,
            line: Vec::new(),
        }
    }

    fn open(&mut self) -> io::Result<()> {
        match self.form {
            Form::Array => self.out.write_all(b"["),
            Form::Table | Form::Lines => Ok(()),
        }
    }

    fn print(&mut self, event: &Event<'_>) -> Result<(), Untold> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.form {
            Form::Array | Form::Lines => {
                // Written at once: a serializer writes in pieces of a few bytes.
                self.line.clear();
                if self.form == Form::Array && !is_first {
                    self.line.push(b',');
                }
                serde_json::to_writer(&mut self.line, &EventShape::from(event))
                    .map_err(io::Error::from)?;
                if self.form == Form::Lines {
                    self.line.push(b'\n');
                }
                self.out.write_all(&self.line)?;
            }
            Form::Table => {
                let line = line(event);
                let line = match self.columns {
                    Some(columns) => show::cut(&line, columns),
                    None => line,
                };
                writeln!(self.out, "{line}")?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        if self.form == Form::Array {
            self.out.write_all(b"]\n")?;
        }
        self.out.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Time, kind, who and what; the columns are as wide as the widest kind and a usual name.
fn line(event: &Event<'_>) -> String {
    let who = match (event.terminal, event.profile) {
        (Some(terminal), _) => terminal.name.unwrap_or_else(|| {
            // The first group of an id is enough for a person.
            terminal.id.split('-').next().unwrap_or(terminal.id)
        }),
        (None, Some(profile)) => profile,
        (None, None) => "",
    };
    let by = event
        .by
        .map_or_else(String::new, |by| format!(" (by {by})"));
    let line = format!(
        "{}  {:17}  {:12}  {}{by}",
        event.at.strftime("%m-%d %H:%M:%SZ"),
        event.kind,
        who,
        event.text
    );
    printable(line.trim_end()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_there_is_not_is_told_with_those_that_there_are() {
        let error = kinds("provider.failed_over").unwrap_err();
        assert!(error.contains("provider.failover"), "{error}");
        assert!(error.contains("terminal.opened"), "{error}");
        assert_eq!(kinds("terminal").unwrap().0.len(), 2);
    }
}
