//! `tundra logs`: the log, and what is logged.

use std::io::{self, Write as _};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use regex::Regex;
use serde::Serialize;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::file_watch::FileWatch;
use super::output;
use crate::config::LogLevel;
use crate::telemetry::{self, JsonLine, LineFilter, LogLine};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Logs {
    #[command(subcommand)]
    pub command: Option<LogsCommand>,
    /// Go on with what is logged from now on, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// At most the last N
    #[arg(short = 'n', value_name = "N")]
    last: Option<usize>,
    /// This level and those above it
    #[arg(long, value_enum, value_name = "LEVEL", ignore_case = true)]
    level: Option<Level>,
    /// Of targets that begin so, such as `tundra::gateway`
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// Only lines in which this regular expression matches
    #[arg(long, value_name = "RE")]
    grep: Option<Regex>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum LogsCommand {
    /// Tell what the running instance logs, or log something else from now on
    #[command(before_help = "Example:\n  tundra logs level info,tundra::gateway=trace")]
    Level {
        /// As in `RUST_LOG`; without one it is told
        #[arg(value_name = "FILTER")]
        filter: Option<String>,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    const fn level(self) -> LogLevel {
        match self {
            Self::Error => LogLevel::Error,
            Self::Warn => LogLevel::Warn,
            Self::Info => LogLevel::Info,
            Self::Debug => LogLevel::Debug,
            Self::Trace => LogLevel::Trace,
        }
    }
}

impl Logs {
    pub fn wants_json(&self) -> bool {
        match &self.command {
            Some(LogsCommand::Level { json, .. }) => json.json,
            None => self.json.json,
        }
    }
}

pub fn run(args: Logs, context: &Context) -> Result<Exit, Failure> {
    let told = match args.command {
        Some(LogsCommand::Level { filter, json }) => {
            return level(filter.as_deref(), json.json, context);
        }
        None => tell(args, context),
    };
    match told {
        Err(Failure::Output(error)) if output::is_over(&error) => Ok(Exit::DONE),
        told => told,
    }
}

fn level(filter: Option<&str>, json: bool, context: &Context) -> Result<Exit, Failure> {
    if let Some(Err(wrong)) = filter.map(telemetry::parse_filter) {
        return Err(Failure::Usage(wrong));
    }
    let shape = context.client()?.log_filter(filter)?;
    Ok(if json {
        output::json(&shape)
    } else {
        output::data(&format!("{}\n", shape.filter))
    })
}

fn tell(args: Logs, context: &Context) -> Result<Exit, Failure> {
    let log_file = context.paths()?.log_file();
    let filter = LineFilter {
        level: args.level.map(Level::level),
        target: args.target,
        text: args.grep,
    };
    // Watched before it is read, so that nothing comes between.
    let watch = args.follow.then(|| FileWatch::new(&log_file));
    let mut printer = Printer {
        out: output::lines(),
        form: match (args.json.json, args.follow) {
            (false, _) => Form::AsIs,
            (true, false) => Form::Array,
            (true, true) => Form::Lines,
        },
        is_first: true,
    };
    if printer.form == Form::Array {
        printer.out.write_all(b"[")?;
    }
    let mut tail = telemetry::read(&log_file, &filter, args.last, |line| printer.print(line))?;
    if printer.form == Form::Array {
        printer.out.write_all(b"]\n")?;
    }
    printer.out.flush()?;
    let Some(mut watch) = watch else {
        return Ok(Exit::DONE);
    };
    loop {
        watch.wait();
        tail.read_on(&filter, |line| printer.print(line))?;
        printer.out.flush()?;
    }
}

struct Printer {
    out: output::Lines,
    form: Form,
    is_first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As the lines stand in the file.
    AsIs,
    /// One array.
    Array,
    /// One object a line.
    Lines,
}

/// A line of the log; what nobody can read has its text alone.
#[derive(Serialize)]
struct LineShape<'l> {
    at: Option<Timestamp>,
    level: Option<&'static str>,
    target: Option<&'l str>,
    text: &'l str,
}

impl Printer {
    fn print(&mut self, line: &str) -> io::Result<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        match self.form {
            Form::AsIs => writeln!(self.out, "{line}"),
            Form::Array => {
                if !is_first {
                    self.out.write_all(b",")?;
                }
                self.out.write_all(json(line)?.as_bytes())
            }
            Form::Lines => writeln!(self.out, "{}", json(line)?),
        }
    }
}

fn json(line: &str) -> io::Result<String> {
    let of_json;
    let shape = if let Some(read) = telemetry::text_line(line) {
        let LogLine {
            at,
            level,
            target,
            text,
        } = read;
        LineShape {
            at: at.parse().ok(),
            level: Some(level.as_str()),
            target: Some(target),
            text,
        }
    } else if let Some(read) = telemetry::json_line(line) {
        of_json = read;
        let JsonLine {
            at,
            level,
            target,
            text,
        } = &of_json;
        LineShape {
            at: at.parse().ok(),
            level: Some(level.as_str()),
            target: Some(target),
            text,
        }
    } else {
        LineShape {
            at: None,
            level: None,
            target: None,
            text: line,
        }
    };
    Ok(serde_json::to_string(&shape)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_whichever_way_it_was_written() {
        let text = "2026-11-30T04:24:36Z  INFO tundra::app: tundra started pid=7";
        let same = r#"{"timestamp":"2026-11-30T04:24:36Z","level":"INFO","fields":{"message":"tundra started","pid":7},"target":"tundra::app"}"#;
        let expected = r#"{"at":"2026-11-30T04:24:36Z","level":"info","target":"tundra::app","text":"tundra started pid=7"}"#;
        assert_eq!(json(text).unwrap(), expected);
        assert_eq!(json(same).unwrap(), expected);
        assert_eq!(
            json("half a line").unwrap(),
            r#"{"at":null,"level":null,"target":null,"text":"half a line"}"#
        );
    }
}
