//! The one place that prints.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::exit::Exit;
use super::failure::Failure;
use crate::api::shapes::ErrorShape;
use crate::domain::printable::{is_disruptive, printable, printable_lines};

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

/// Writes text to stdout, printable but for line ends and tabs. A reader that has gone away wanted no more, which is no
/// failure.
pub fn data(text: &str) -> Exit {
    styled(&printable_lines(text))
}

/// Writes to stdout what holds attributes: every text of somebody else in it has been made printable.
pub fn styled(text: &str) -> Exit {
    match write(text) {
        Err(error) if !is_over(&error) => {
            talk(&format!("stdout cannot be written: {error}\n"));
            Exit::FAILURE
        }
        _ => Exit::DONE,
    }
}

/// Stdout for one that writes line after line; what fails to be written is its caller's to tell.
pub struct Lines(BufWriter<StdoutLock<'static>>);

pub fn lines() -> Lines {
    Lines(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
}

impl Write for Lines {
    /// Takes whole characters, as JSON and formatted text come.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nearly all text is so, and this is looked for many bytes at a time.
        if bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.0.write_all(json_printable(text).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
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
        Ok(text) => match write(&(json_printable(&text).into_owned() + "\n")) {
            Err(error) if !is_over(&error) => fail(&Failure::Output(error), true),
            _ => Exit::DONE,
        },
        Err(error) => {
            talk(&format!("the answer cannot be written as JSON: {error}\n"));
            Exit::FAILURE
        }
    }
}

/// JSON in which no terminal finds a command; its own escapes leave DEL and C1 as they are.
fn json_printable(json: &str) -> Cow<'_, str> {
    if !json.contains(|c| is_disruptive(c) && c != '\n') {
        return Cow::Borrowed(json);
    }
    let mut printable = String::with_capacity(json.len());
    for c in json.chars() {
        if is_disruptive(c) && c != '\n' {
            let _ = write!(printable, "\\u{:04x}", u32::from(c));
        } else {
            printable.push(c);
        }
    }
    Cow::Owned(printable)
}

/// Writes text to stderr, printable but for line ends and tabs; where that fails there is nobody left to tell.
pub fn talk(text: &str) {
    talk_styled(&printable_lines(text));
}

/// Writes to stderr what holds attributes, as [`styled`].
pub fn talk_styled(text: &str) {
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
            talk_styled(&(json_printable(&line).into_owned() + "\n"));
        }
    } else {
        let text = failure.to_string();
        talk_styled(&match failure {
            // In the words of an instance or of a provider, who must not write lines of their own.
            Failure::Control(_) | Failure::App(_) | Failure::Store(_) | Failure::Output(_) => {
                printable(&text).into_owned() + "\n"
            }
            Failure::Config(_)
            | Failure::Bundle(_)
            | Failure::Paths(_)
            | Failure::Usage(_)
            | Failure::NoTerminal { .. }
            | Failure::TimedOut(_)
            | Failure::Ended(_)
            | Failure::Input(_)
            | Failure::Unknown(_)
            | Failure::Import(_) => printable_lines(&text).into_owned() + "\n",
        });
    }
    failure.exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_as_it_was_but_for_what_a_terminal_would_obey() {
        let text = "a\u{9b}2J\u{202e}\x7f\"\n";
        let json = serde_json::to_string(text).unwrap();
        let shown = json_printable(&json);
        assert!(!shown.contains(is_disruptive), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

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
