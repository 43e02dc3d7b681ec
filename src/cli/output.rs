//! The one place that prints.

use std::ffi::OsString;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::exit::Exit;
use super::failure::Failure;
use crate::api::shapes::ErrorShape;

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// What the arguments say, as long as they are not parsed.
    pub fn scan(arguments: &[OsString]) -> Self {
        let arguments = arguments.iter().filter_map(|argument| argument.to_str());
        let mut choice = Self::Auto;
        let mut value_follows = false;
        for argument in arguments {
            let value = argument
                .strip_prefix("--color=")
                .or(value_follows.then_some(argument));
            value_follows = argument == "--color";
            if let Some(given) = value.and_then(|value| Self::from_str(value, false).ok()) {
                choice = given;
            }
        }
        choice
    }

    pub fn on_stdout(self) -> bool {
        self.on(&io::stdout())
    }

    pub fn on_stderr(self) -> bool {
        self.on(&io::stderr())
    }

    fn on(self, stream: &impl IsTerminal) -> bool {
        let unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && !unwanted() && !dumb(),
        }
    }
}

/// The width of the terminal that stdout is; None where it is none.
pub fn columns() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&stdout);
    // A terminal that does not tell is one of the usual width.
    let told = size.ok().filter(|size| size.ws_col > 0);
    Some(told.map_or(80, |size| usize::from(size.ws_col)))
}

/// Writes to stdout. A reader that has gone away wanted no more, which is no failure.
pub fn data(text: &str) -> Exit {
    match write(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk(&format!("stdout cannot be written: {error}\n"));
            Exit::FAILURE
        }
        _ => Exit::DONE,
    }
}

/// Stdout for one that writes line after line; what fails to be written is its caller's to tell.
pub type Lines = BufWriter<StdoutLock<'static>>;

pub fn lines() -> Lines {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Whether a failure to write says that the reader has gone away, who wanted no more.
pub fn is_over(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Writes a value as one line of JSON that somebody waits for, unless they have gone away meanwhile.
pub fn announce(value: &impl Serialize) -> io::Result<()> {
    match write(&(serde_json::to_string(value)? + "\n")) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes a value as JSON to stdout: on one line for programs, over several for people.
pub fn json(value: &impl Serialize) -> Exit {
    written(if io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    })
}

fn written(json: serde_json::Result<String>) -> Exit {
    match json {
        Ok(text) => data(&(text + "\n")),
        Err(error) => {
            talk(&format!("the answer cannot be written as JSON: {error}\n"));
            Exit::FAILURE
        }
    }
}

/// Writes to stderr; where that fails there is nobody left to tell.
pub fn talk(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Tells why a command failed.
pub fn fail(failure: &Failure, json: bool) -> Exit {
    if json {
        #[derive(Serialize)]
        struct Told {
            error: ErrorShape,
        }
        let error = ErrorShape {
            code: failure.code().to_owned(),
            message: failure.to_string(),
        };
        if let Ok(line) = serde_json::to_string(&Told { error }) {
            talk(&(line + "\n"));
        }
    } else {
        talk(&format!("{failure}\n"));
    }
    failure.exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_colour_is_seen_before_parsing() {
        let scan = |line: &str| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            ColorChoice::scan(&arguments)
        };
        assert_eq!(scan("tundra ls"), ColorChoice::Auto);
        assert_eq!(scan("tundra --color never --help"), ColorChoice::Never);
        assert_eq!(scan("tundra --color=always --help"), ColorChoice::Always);
        assert_eq!(scan("tundra --color loud"), ColorChoice::Auto);
    }
}
