//! `tundra explain`: what an error means and what helps. Asks no instance and reads no configuration.

use std::fmt::Write as _;

use clap::Args;
use unicode_width::UnicodeWidthStr;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::ExplanationShape;
use crate::domain::explain::{self, Explanation, Found, Group};
use crate::domain::printable::printable;

/// Lines are no longer than that, however wide the terminal is.
const COLUMNS: usize = 100;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    pub json: Json,
    /// An error's name, its text as it was told (a log line that holds it will do), an error code, an HTTP status or an
    /// exit code; without it all errors
    #[arg(value_name = "NAME, TEXT or CODE")]
    given: Vec<String>,
}

pub fn run(args: &Explain, context: &Context) -> Result<Exit, Failure> {
    let given = args.given.join(" ");
    if given.trim().is_empty() {
        return Ok(if args.json.json {
            let all: Vec<_> = explain::index().map(ExplanationShape::from).collect();
            output::json(&all)
        } else {
            output::styled(&index(&Style::new(context)))
        });
    }
    let found = match explain::find(&given) {
        Found::One(found) => found,
        Found::Near(near) => return Err(unknown(&given, &format!("did you mean {near}? "))),
        Found::Nothing => return Err(unknown(&given, "")),
    };
    Ok(if args.json.json {
        output::json(&ExplanationShape::from(found))
    } else {
        output::styled(&page(found, &Style::new(context)))
    })
}

fn unknown(given: &str, meant: &str) -> Failure {
    let given = printable(given);
    Failure::Unknown(format!(
        "no error is known by {given:?}: {meant}`tundra explain` lists them all"
    ))
}

struct Style {
    columns: usize,
    bold: &'static str,
    dim: &'static str,
    reset: &'static str,
}

impl Style {
    fn new(context: &Context) -> Self {
        let columns = output::columns().unwrap_or(COLUMNS).clamp(40, COLUMNS);
        if context.color.on_stdout() {
            Self {
                columns,
                bold: BOLD,
                dim: DIM,
                reset: RESET,
            }
        } else {
            Self {
                columns,
                bold: "",
                dim: "",
                reset: "",
            }
        }
    }
}

/// All errors, by group, each with its text.
fn index(style: &Style) -> String {
    let names = explain::index().map(|entry| entry.name.width());
    let width = names.max().unwrap_or(0);
    let mut text = String::new();
    for group in Group::ALL {
        let _ = writeln!(text, "{}{}{}", style.bold, group.as_str(), style.reset);
        for entry in explain::index().filter(|entry| entry.group == group) {
            let line = format!("  {:width$}  {}", entry.name, entry.message());
            text.push_str(&show::cut(&line, style.columns));
            text.push('\n');
        }
    }
    text
}

/// One error on a page.
fn page(entry: &Explanation, style: &Style) -> String {
    let mut text = format!(
        "{}{}{}  {}({}, {}){}\n",
        style.bold,
        entry.name,
        style.reset,
        style.dim,
        entry.group.as_str(),
        entry.severity.as_str(),
        style.reset
    );
    for told in entry.texts {
        paragraph(&mut text, "  ", "    ", told, style.columns);
    }
    let mut codes = String::new();
    let listed = entry.codes.join(", ");
    paragraph(&mut codes, "codes ", "      ", &listed, style.columns);
    let _ = writeln!(
        text,
        "\n{}codes{}{}{}log{}   tundra logs --target {}",
        style.dim,
        style.reset,
        codes.trim_start_matches("codes"),
        style.dim,
        style.reset,
        entry.log_target
    );
    text
}

/// A text in lines of at most `columns`, after `first` on its first line and `rest` on the others.
fn paragraph(text: &mut String, first: &str, rest: &str, words: &str, columns: usize) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.width() + 1 + word.width() > columns {
            text.push_str(&line);
            text.push('\n');
            rest.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let style = Style {
            columns: 80,
            bold: "",
            dim: "",
            reset: "",
        };
        let mut pages: Vec<String> = explain::index().map(|entry| page(entry, &style)).collect();
        pages.push(index(&style));
        for line in pages.iter().flat_map(|page| page.lines()) {
            assert!(line.width() <= 80 || !line.trim().contains(' '), "{line}");
        }
    }
}
