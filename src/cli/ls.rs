//! `tundra ls`: the terminals.

use std::io::{self, IsTerminal};

use clap::Args;
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::control::shapes::TerminalShape;

/// A command is cut to this many columns on a terminal.
const COMMAND_COLUMNS: usize = 40;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

#[derive(Debug, Args)]
pub struct Ls {
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Ls, context: &Context) -> Result<Exit, Failure> {
    let terminals = context.client()?.list()?;
    if args.json.json {
        return Ok(output::json(&terminals));
    }
    let color = context.color.on_stdout();
    let lines = lines(&terminals, Timestamp::now(), io::stdout().is_terminal());
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let terminal = index.checked_sub(1).and_then(|index| terminals.get(index));
        let style = match terminal {
            None => BOLD,
            Some(terminal) if terminal.status == "dead" => DIM,
            Some(_) => "",
        };
        if color && !style.is_empty() {
            text.extend([style, line, RESET, "\n"]);
        } else {
            text.extend([line, "\n"]);
        }
    }
    Ok(output::data(&text))
}

/// A head and one line for each terminal. People get short ids and commands, programs whole ones.
fn lines(terminals: &[TerminalShape], now: Timestamp, short: bool) -> Vec<String> {
    let head = [
        "ID", "NAME", "COMMAND", "PID", "SIZE", "STATUS", "AGENT", "AGE",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let id_length = if short {
        short_id(terminals)
    } else {
        usize::MAX
    };
    for terminal in terminals {
        let agent = terminal.agent.as_ref();
        let command = show::command(&terminal.command);
        rows.push(vec![
            terminal.id.chars().take(id_length).collect(),
            show::printable(&terminal.name),
            if short {
                show::cut(&command, COMMAND_COLUMNS)
            } else {
                command
            },
            terminal.pid.to_string(),
            format!("{}x{}", terminal.cols, terminal.rows),
            show::status(&terminal.status, terminal.exit),
            agent.map_or("-".to_owned(), |agent| {
                format!("{} {}", agent.kind, agent.state)
            }),
            show::age(terminal.created_at, now),
        ]);
    }
    show::table(&rows)
}

/// How many characters tell all ids apart, at least eight.
fn short_id(terminals: &[TerminalShape]) -> usize {
    let prefix = |id: &str, length: usize| id.chars().take(length).collect::<String>();
    (8..36)
        .find(|length| {
            let mut prefixes: Vec<String> = terminals
                .iter()
                .map(|terminal| prefix(&terminal.id, *length))
                .collect();
            prefixes.sort();
            prefixes.windows(2).all(|pair| pair.first() != pair.last())
        })
        .unwrap_or(36)
}
