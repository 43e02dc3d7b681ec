//! `tundra capture`: a terminal's screen.

use clap::Args;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::api::shapes::RowStyle;

#[derive(Debug, Args)]
pub struct Capture {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    /// Keep colours and other attributes, as SGR sequences
    #[arg(long)]
    ansi: bool,
    /// Print its history before the screen
    #[arg(long)]
    scrollback: bool,
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Capture, context: &Context) -> Result<Exit, Failure> {
    let style = if args.ansi {
        RowStyle::Ansi
    } else {
        RowStyle::Plain
    };
    let screen = context
        .client()?
        .capture(&args.id, args.scrollback, style)?;
    if args.json.json {
        return Ok(output::json(&screen));
    }
    let mut text = String::new();
    for line in screen.scrollback.iter().flatten().chain(&screen.lines) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(if args.ansi {
        output::styled(&text)
    } else {
        output::data(&text)
    })
}
