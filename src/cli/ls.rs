//! `tundra ls`: the terminals.

use clap::Args;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::TerminalShape;

/// However narrow the terminal is, a command keeps this many columns.
const COMMAND_COLUMNS: usize = 12;
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
    let lines = lines(&terminals, Timestamp::now(), output::columns());
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
    Ok(output::styled(&text))
}

/// A head and one line for each terminal. People, whose screen has some `columns`, get short ids and as much of the
/// commands as fits; programs get all of both.
fn lines(terminals: &[TerminalShape], now: Timestamp, columns: Option<usize>) -> Vec<String> {
    let id_length = columns.map_or(usize::MAX, |_| short_id(terminals));
    let commands: Vec<String> = terminals
        .iter()
        .map(|terminal| show::command(&terminal.command))
        .collect();
    let table = |command_columns: usize| {
        let head = [
            "ID", "NAME", "COMMAND", "PID", "SIZE", "STATUS", "AGENT", "AGE",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (terminal, command) in terminals.iter().zip(&commands) {
            let agent = terminal.agent.as_ref();
            rows.push(vec![
                terminal.id.chars().take(id_length).collect(),
                terminal.name.clone(),
                show::cut(command, command_columns),
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
    };
    let whole = table(usize::MAX);
    let Some(columns) = columns else { return whole };
    let width = |lines: &[String]| lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let overhang = width(&whole).saturating_sub(columns);
    if overhang == 0 {
        return whole;
    }
    let longest = commands
        .iter()
        .map(|command| command.width())
        .max()
        .unwrap_or(0);
    table(longest.saturating_sub(overhang).max(COMMAND_COLUMNS))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::shapes::SpentShape;

    fn terminal(id: &str, command: &str) -> TerminalShape {
        TerminalShape {
            id: id.to_owned(),
            name: "n".to_owned(),
            command: vec![command.to_owned()],
            cwd: "/".to_owned(),
            pid: 1,
            cols: 80,
            rows: 24,
            title: String::new(),
            status: "active".to_owned(),
            owner: "local".to_owned(),
            persistent: false,
            viewers: 0,
            created_at: Timestamp::UNIX_EPOCH,
            disconnected_since: None,
            exit: None,
            agent: None,
            usage: SpentShape::default(),
            budget: None,
        }
    }

    const ID: &str = "6f1d0f5e-6c3a-4d63-9a3b-0d6f5f6b7a10";

    #[test]
    fn programs_get_everything() {
        let command = "c".repeat(300);
        let now = Timestamp::from_second(60).unwrap();
        let lines = lines(&[terminal(ID, &command)], now, None);
        assert_eq!(
            lines.last().unwrap(),
            &format!("{ID}  n     {command}  1    80x24  active  -      1m")
        );
    }

    #[test]
    fn people_get_what_fits() {
        let now = Timestamp::UNIX_EPOCH;
        let terminals = [terminal(ID, &"c".repeat(300)), terminal(ID, "short")];
        let width = |columns| {
            let lines = lines(&terminals, now, Some(columns));
            lines.iter().map(|line| line.width()).max().unwrap()
        };
        assert_eq!(width(100), 100);
        assert!(width(20) > 20, "a command is never cut to nothing");
    }

    #[test]
    fn short_ids_are_as_long_as_they_need_to_be() {
        let other = ID.replace("6c3a", "6c3b");
        assert_eq!(short_id(&[terminal(ID, "x")]), 8);
        assert_eq!(short_id(&[terminal(ID, "x"), terminal(&other, "x")]), 13);
    }
}
