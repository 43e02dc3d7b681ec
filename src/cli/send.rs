//! `tundra send`: types into a terminal.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use clap::{Args, ValueHint};

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::api::Typed;
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, Mods};

/// What is read from stdin at most, in bytes; more does not fit one request.
const MAX_STDIN: u64 = 4 << 20;

/// Longer than Enter is held back for a program that works on a long text.
const PATIENCE: Duration = Duration::from_secs(60);

/// The text is typed first, then the keys are struck, then Enter.
#[derive(Debug, Args)]
pub struct Send {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    /// Strike Enter at the end
    #[arg(long)]
    enter: bool,
    /// Paste the text: in brackets, if the program asked for them
    #[arg(long)]
    paste: bool,
    /// Strike a key, such as C-c, M-x, F5, Up or ctrl-shift-left; may be repeated
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    key: Vec<Chord>,
    #[command(flatten)]
    pub json: Json,
    /// What to type; several are joined by spaces, without any stdin is read
    #[arg(value_name = "TEXT", value_hint = ValueHint::Other)]
    text: Vec<String>,
}

pub fn run(args: Send, context: &Context) -> Result<Exit, Failure> {
    let mut client = context.client()?.within(PATIENCE);
    let from_stdin = args.text.is_empty() && args.key.is_empty() && (args.paste || !args.enter);
    let text = if from_stdin {
        read_stdin()?
    } else {
        args.text.join(" ")
    };
    let mut parts = Vec::new();
    if !text.is_empty() {
        parts.push(if args.paste {
            Typed::Paste(text)
        } else {
            Typed::Text(text)
        });
    }
    parts.extend(args.key.into_iter().map(Typed::Key));
    if args.enter {
        parts.push(Typed::Key(Chord::new(KeyCode::Enter, Mods::NONE)));
    }
    client.send(&args.id, parts)?;
    Ok(Exit::DONE)
}

fn read_stdin() -> Result<String, Failure> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        let nothing =
            "there is nothing to type: give TEXT, --key or --enter, or send something to stdin";
        return Err(Failure::Usage(nothing.to_owned()));
    }
    let mut bytes = Vec::new();
    let failed = |error: io::Error| Failure::Input(format!("stdin cannot be read: {error}"));
    let limit = MAX_STDIN + 1;
    if stdin
        .by_ref()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(failed)? as u64
        == limit
    {
        return Err(Failure::Input(format!(
            "stdin holds more than {MAX_STDIN} bytes"
        )));
    }
    String::from_utf8(bytes).map_err(|_| Failure::Input("stdin is not UTF-8 text".to_owned()))
}
