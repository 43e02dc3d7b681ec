//! What goes over the socket: one line of JSON each way.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lend::OfferShape;
use crate::api::shapes::{ErrorShape, RowStyle};
use crate::api::{ApiError, BudgetChange, Condition, Operation, Prompt, Target, Typed};
use crate::domain::budget::Budget;
use crate::domain::chord::ParseChordError;
use crate::domain::profile::ProfileName;
use crate::domain::route::{RouterCommand, Verb};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalSpec};
use crate::runtime::encoded_path::EncodedPath;

/// The longest request, in bytes: a paste of a few MiB, escaped.
pub(super) const MAX_REQUEST: usize = 8 << 20;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Request {
    List,
    Open {
        name: Option<String>,
        command: Vec<String>,
        cwd: Option<EncodedPath>,
        env: Vec<(String, String)>,
        cols: u16,
        rows: u16,
        persistent: bool,
        agent: Option<String>,
        #[serde(default)]
        budget_nanodollars: Option<u64>,
        #[serde(default)]
        budget_tokens: Option<u64>,
        gateway: bool,
        confine: bool,
    },
    Input {
        id: String,
        parts: Vec<InputPart>,
    },
    Capture {
        id: String,
        scrollback: bool,
        ansi: bool,
    },
    Resize {
        id: String,
        cols: u16,
        rows: u16,
    },
    Rename {
        id: String,
        name: String,
    },
    /// Answered once the terminal is dead and reaped.
    Kill {
        id: String,
    },
    Wait {
        id: String,
        until: WaitPart,
        timeout_ms: u64,
    },
    Status,
    /// An address for a browser.
    Url {
        id: Option<String>,
    },
    Providers,
    /// Every agent there is.
    Agents,
    /// Sets a terminal's budget, or tells it.
    Budget {
        id: String,
        change: Option<BudgetPart>,
    },
    Steer {
        verb: String,
        profile: Option<String>,
        hold_ms: Option<u64>,
    },
    LogFilter {
        filter: Option<String>,
    },
    Store,
    StoreShip,
    StoreLog {
        most: usize,
    },
    StoreDiff {
        from: Option<String>,
        to: Option<String>,
    },
    /// Answered by many lines: [`AskPart`]s to the last one, or an error.
    Ask {
        prompt: String,
        model: Option<String>,
        profile: Option<String>,
    },
    /// A terminal to show the instance on; answered by `ToldLine`s.
    Lend(OfferShape),
    /// Answered once no terminal shows the instance.
    Detach,
    /// Another program goes on in the instance's place, and answers.
    Upgrade {
        program: EncodedPath,
    },
    /// The instance ends; the connection is closed once it is gone.
    Stop {
        force: bool,
    },
}

/// A piece of the answer to a prompt.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskPart {
    Text(String),
    End { profile: Option<String> },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputPart {
    Text(String),
    Paste(String),
    /// A chord by its name.
    Key(String),
}

/// What becomes of a budget; a limit that is not named stays as it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BudgetPart {
    nanodollars: Option<u64>,
    tokens: Option<u64>,
    /// Takes the budget away, whatever else is named.
    off: bool,
}

impl From<BudgetPart> for BudgetChange {
    fn from(part: BudgetPart) -> Self {
        if part.off {
            return Self::Off;
        }
        Self::Set(Budget {
            nanodollars: part.nanodollars,
            tokens: part.tokens,
        })
    }
}

impl From<BudgetChange> for BudgetPart {
    fn from(change: BudgetChange) -> Self {
        let (budget, off) = match change {
            BudgetChange::Set(budget) => (budget, false),
            BudgetChange::Off => (Budget::default(), true),
        };
        Self {
            nanodollars: budget.nanodollars,
            tokens: budget.tokens,
            off,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitPart {
    /// A regular expression.
    Text(String),
    Exit,
    /// The name of an agent's state or a terminal's status.
    State(String),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply<T> {
    Ok(T),
    Error(ErrorShape),
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Operation(Operation),
    /// Answered line after line.
    Prompt(Prompt),
    Lend(OfferShape),
}

impl Request {
    /// Reads what is asked, so that a wrong part of it leaves nothing half done.
    #[expect(clippy::too_many_lines, reason = "an arm for each request")]
    pub(super) fn into_asked(self) -> Result<Asked, ApiError> {
        let target = Target::Called;
        Ok(Asked::Operation(match self {
            Self::List => Operation::List,
            Self::Open {
                name,
                command,
                cwd,
                env,
                cols,
                rows,
                persistent,
                agent,
                budget_nanodollars,
                budget_tokens,
                gateway,
                confine,
            } => Operation::Open(TerminalSpec {
                confine: confine.then_some(true),
                resume: false,
                budget: Budget {
                    nanodollars: budget_nanodollars,
                    tokens: budget_tokens,
                },
                name,
                command,
                cwd: cwd.map(PathBuf::from),
                env,
                size: Size::asked(cols.into(), rows.into())?,
                persistent,
                agent: agent.map(Into::into),
                gateway,
                owner: Owner::Local,
            }),
            Self::Input { id, parts } => Operation::Type {
                target: target(id),
                parts: parts
                    .into_iter()
                    .map(InputPart::into_typed)
                    .collect::<Result<_, _>>()?,
            },
            Self::Capture {
                id,
                scrollback,
                ansi,
            } => Operation::Capture {
                target: target(id),
                scrollback,
                style: if ansi {
                    RowStyle::Ansi
                } else {
                    RowStyle::Plain
                },
            },
            Self::Resize { id, cols, rows } => Operation::Resize {
                target: target(id),
                size: Size::asked(cols.into(), rows.into())?,
            },
            Self::Rename { id, name } => Operation::Rename {
                target: target(id),
                name,
            },
            Self::Kill { id } => Operation::Kill(target(id)),
            Self::Wait {
                id,
                until,
                timeout_ms,
            } => Operation::Wait {
                target: target(id),
                until: until.into_condition()?,
                limit: Duration::from_millis(timeout_ms),
            },
            Self::Status => Operation::Status,
            Self::Url { id } => Operation::Url(id.map(target)),
            Self::Providers => Operation::Providers,
            Self::Agents => Operation::Agents,
            Self::Budget { id, change } => Operation::Budget {
                target: target(id),
                change: change.map(BudgetChange::from),
            },
            Self::Steer {
                verb,
                profile,
                hold_ms,
            } => Operation::Steer(router_command(&verb, profile.as_deref(), hold_ms)?),
            Self::Upgrade { program } => Operation::Upgrade {
                program: program.into(),
            },
            Self::Detach => Operation::Detach,
            Self::Stop { force } => Operation::Stop { force },
            Self::Lend(offer) => return Ok(Asked::Lend(offer)),
            Self::LogFilter { filter } => Operation::LogFilter(filter),
            Self::Store => Operation::Store,
            Self::StoreShip => Operation::StoreShip,
            Self::StoreLog { most } => Operation::StoreLog { most },
            Self::StoreDiff { from, to } => Operation::StoreDiff { from, to },
            Self::Ask {
                prompt,
                model,
                profile,
            } => {
                return Ok(Asked::Prompt(Prompt {
                    text: prompt,
                    model,
                    profile,
                }));
            }
        }))
    }
}

fn router_command(
    verb: &str,
    profile: Option<&str>,
    hold_ms: Option<u64>,
) -> Result<RouterCommand, ApiError> {
    let verb = Verb::parse(verb)
        .ok_or_else(|| ApiError::bad_request(format!("{verb:?} is no command")))?;
    let hold = hold_ms.map(Duration::from_millis);
    Ok(RouterCommand::of(
        verb,
        profile.map(ProfileName::from),
        hold,
    )?)
}

impl Request {
    /// The same after so long: what waits for a time waits for the rest of it.
    pub(super) fn after(self, elapsed: Duration) -> Self {
        match self {
            Self::Wait {
                id,
                until,
                timeout_ms,
            } => {
                let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                Self::Wait {
                    id,
                    until,
                    timeout_ms: timeout_ms.saturating_sub(elapsed),
                }
            }
            other => other,
        }
    }
}

impl From<RouterCommand> for Request {
    fn from(command: RouterCommand) -> Self {
        let millis = |hold: Duration| u64::try_from(hold.as_millis()).unwrap_or(u64::MAX);
        Self::Steer {
            verb: command.verb().as_str().to_owned(),
            profile: command.profile().map(ToString::to_string),
            hold_ms: command.hold().map(millis),
        }
    }
}

impl InputPart {
    fn into_typed(self) -> Result<Typed, ApiError> {
        Ok(match self {
            Self::Text(text) => Typed::Text(text),
            Self::Paste(text) => Typed::Paste(text),
            Self::Key(name) => Typed::Key(
                name.parse()
                    .map_err(|error: ParseChordError| ApiError::bad_request(error.to_string()))?,
            ),
        })
    }
}

impl From<Typed> for InputPart {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::Text(text) => Self::Text(text),
            Typed::Paste(text) => Self::Paste(text),
            Typed::Key(chord) => Self::Key(chord.to_string()),
        }
    }
}

impl WaitPart {
    fn into_condition(self) -> Result<Condition, ApiError> {
        Ok(match self {
            Self::Text(pattern) => Condition::Text(pattern),
            Self::Exit => Condition::Exit,
            Self::State(name) => Condition::state(&name).ok_or_else(|| {
                let names: Vec<&str> = Condition::states().collect();
                let names = names.join(", ");
                ApiError::bad_request(format!("{name:?} is not a state: use one of {names}"))
            })?,
        })
    }
}

impl From<Condition> for WaitPart {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Text(pattern) => Self::Text(pattern),
            Condition::Exit => Self::Exit,
            Condition::Agent(state) => Self::State(state.name().to_owned()),
            Condition::Status(status) => Self::State(status.name().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_and_reads_back() {
        let request = Request::Input {
            id: "agent".to_owned(),
            parts: vec![
                InputPart::Text("a\nb".to_owned()),
                InputPart::Key("C-c".to_owned()),
            ],
        };
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(
            line,
            r#"{"op":"input","id":"agent","parts":[{"text":"a\nb"},{"key":"C-c"}]}"#
        );
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    }

    #[test]
    fn a_reply_says_ok_or_error() {
        let reply = Reply::Ok(crate::api::WaitOutcome::TimedOut);
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"ok":"timed_out"}"#
        );
        let reply: Reply<()> =
            Reply::Error(ErrorShape::new(crate::domain::code::Code::Gone, "it is"));
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"error":{"code":"gone","message":"it is"}}"#
        );
    }
}
