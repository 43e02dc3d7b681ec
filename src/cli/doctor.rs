//! `tundra doctor`: everything that one would look at by hand when something is wrong.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::CheckupShape;
use crate::app;
use crate::doctor::bundle::{self, Names, Packed};
use crate::doctor::{Scope, Subject, fix};
use crate::domain::check::{Check, CheckStatus, count};
use crate::domain::printable::printable;

const RESET: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const CLEAR_LINE: &str = "\r\x1b[K";

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub json: Json,
    /// Ask no provider: nothing leaves this machine
    #[arg(long)]
    offline: bool,
    /// Mend first what can be mended safely, and say what: rights of your own files, missing folders, sockets of an instance
    /// that is gone
    #[arg(long)]
    fix: bool,
    /// Pack findings, status, history, configuration and logs into a new file, without keys, tokens, logins, cookies, headers
    /// and environments
    #[arg(long, value_name = "FILE.tar.gz", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// In the bundle: without the names of user, host and home too
    #[arg(long, requires = "bundle")]
    redact_names: bool,
}

pub fn run(args: &Doctor, context: &Context) -> Result<Exit, Failure> {
    let paths = context.paths()?;
    let source = context.config_source(&paths);
    let scope = if args.offline {
        Scope::Offline
    } else {
        Scope::Everything
    };
    let read = || Subject::read(paths.clone(), source.clone(), scope, app::outer_terminal());
    let mut subject = read();
    let fixed = args.fix.then(|| fix::fix(&subject));
    if fixed.as_ref().is_some_and(|done| !done.is_empty()) {
        subject = read();
    }
    let subject = Arc::new(subject);
    let mut progress = Progress::new();
    let checks = app::examine(Arc::clone(&subject), |name, done, total| {
        progress.tell(name, done, total);
    })?;
    progress.end();
    let packed = match &args.bundle {
        Some(path) => {
            let names = if args.redact_names {
                Names::Redacted
            } else {
                Names::Kept
            };
            Some(bundle::write(
                path,
                &subject,
                &checks,
                super::version(),
                names,
            )?)
        }
        None => None,
    };
    let told = if args.json.json {
        output::json(&CheckupShape::new(&checks, fixed))
    } else {
        let mut text = String::new();
        for done in fixed.iter().flatten() {
            let before = if done.starts_with(fix::NOT_MENDED) {
                ""
            } else {
                "fixed  "
            };
            let _ = writeln!(text, "{before}{}", printable(done));
        }
        text.push_str(&page(&checks, context.color.on_stdout(), output::columns()));
        if let (Some(path), Some(packed)) = (&args.bundle, &packed) {
            text.push_str(&list(&path.display().to_string(), packed));
        }
        output::styled(&text)
    };
    if told != Exit::DONE {
        return Ok(told);
    }
    Ok(if count(&checks, CheckStatus::Fail) > 0 {
        Exit::FAILURE
    } else {
        Exit::DONE
    })
}

/// How far it is, on the terminal that stderr is.
struct Progress {
    is_shown: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            is_shown: io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self, name: &str, done: usize, total: usize) {
        if self.is_shown {
            let name = printable(name);
            output::talk_styled(&format!("{CLEAR_LINE}checked {done} of {total}: {name}"));
        }
    }

    fn end(&self) {
        if self.is_shown {
            output::talk_styled(CLEAR_LINE);
        }
    }
}

/// Every check on a line, with its cure below it; what a terminal has no room for goes on below its own beginning.
fn page(checks: &[Check], color: bool, columns: Option<usize>) -> String {
    let mut text = String::new();
    let mut group = "";
    let width = checks.iter().map(|check| check.name.chars().count()).max();
    let width = width.unwrap_or(0).min(32);
    let indent = "  warn  ".len() + width + 2;
    let room = columns.map(|columns| columns.saturating_sub(indent));
    let room = room.filter(|room| *room >= show::LEAST_CELL);
    let within = |words: &str| match room {
        Some(room) => show::lines_within(words, room).join(&format!("\n{:indent$}", "")),
        None => words.to_owned(),
    };
    for check in checks {
        if check.group() != group {
            group = check.group();
            let (bold, reset) = if color { (BOLD, RESET) } else { ("", "") };
            let _ = writeln!(text, "{bold}{}{reset}", printable(group));
        }
        let (paint, reset) = if color {
            (paint(check.status), RESET)
        } else {
            ("", "")
        };
        let _ = writeln!(
            text,
            "  {paint}{:4}{reset}  {:width$}  {}",
            check.status.as_str(),
            printable(&check.name),
            within(&printable(&check.message))
        );
        if let Some(cure) = &check.cure {
            let cure = within(&format!("-> {}", printable(cure)));
            let _ = writeln!(text, "{:indent$}{cure}", "");
        }
    }
    let counts =
        CheckStatus::ALL.map(|status| format!("{} {}", count(checks, status), status.as_str()));
    let _ = writeln!(text, "\n{}", counts.join(", "));
    text
}

const fn paint(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Ok => "\x1b[32m",
        CheckStatus::Warn => "\x1b[33m",
        CheckStatus::Fail => "\x1b[31m",
        CheckStatus::Skip => "\x1b[2m",
    }
}

/// What is in the bundle.
fn list(path: &str, packed: &[Packed]) -> String {
    let mut text = format!(
        "\n{}: look through it before you give it away\n",
        printable(path)
    );
    for file in packed {
        let counts: Vec<String> = file
            .redacted
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let redacted = if counts.is_empty() {
            String::new()
        } else {
            format!(", taken out: {}", counts.join(", "))
        };
        let _ = writeln!(
            text,
            "  {}  {} bytes{redacted}",
            printable(&file.name),
            file.size
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_goes_on_below_its_own_beginning() {
        let checks = [
            Check::ok("limits.pool", "one two three four five six"),
            Check::warn("paths.disk", "seven", "eight nine ten eleven twelve"),
        ];
        let told = "limits
  ok    limits.pool  one two
                     three four
                     five six
paths
  warn  paths.disk   seven
                     -> eight
                     nine ten
                     eleven
                     twelve

1 ok, 1 warn, 0 fail, 0 skip
";
        assert_eq!(page(&checks, false, Some(32)), told);
        let whole = page(&checks, false, None);
        assert!(whole.contains("one two three four five six\n"), "{whole}");
    }
}
