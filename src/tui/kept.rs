//! The shape in which the user's place goes over to the next program.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::copy::{CopyPosition, Shape};
use super::notice::Severity;
use super::session::{Message, Messages, Origin, Pane, SavedError, SavedSession, Session};
use crate::domain::id::TerminalId;
use crate::domain::terminal::{TerminalInfo, TerminalSpec};
use crate::pane::Direction;

/// The user's place.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptFront {
    /// Tabs and what is in them, as they would be written to a file; null where there is none.
    place: serde_json::Value,
    panes: BTreeMap<String, KeptPane>,
    /// The focused pane of the tab that was in front before.
    before: Option<String>,
    /// What was copied last.
    paste_buffer: String,
    messages: Vec<KeptMessage>,
    /// What was begun to be read of the terminal that shows it.
    pub(super) begun: Option<KeptBegun>,
}

/// Bytes of a terminal that mean nothing yet.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptBegun {
    /// Its device.
    pub tty: String,
    pub bytes: Vec<u8>,
}

/// What a pane is to its user beyond its terminal.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptPane {
    /// What ran in it, as last looked at.
    program: Option<String>,
    badge: bool,
    ending: bool,
    was_shown: bool,
    /// How many lines above the newest its user looks, in copy mode; for a program that knows nothing of `copy`.
    looks_back: Option<u64>,
    copy: Option<KeptCopy>,
}

/// Rows by their absolute numbers, with a column.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptCopy {
    rewraps: Option<u64>,
    top: u64,
    cursor: (u64, u16),
    lines_below: u64,
    selection: Option<KeptSelection>,
    search: Option<KeptSearch>,
    by_wheel: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptSelection {
    shape: KeptShape,
    anchor: (u64, u16),
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptShape {
    #[default]
    Characters,
    Lines,
    Block,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptSearch {
    text: String,
    up: bool,
}

/// A message of the log.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeptMessage {
    severity: KeptSeverity,
    text: String,
    at: Timestamp,
    count: u32,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptSeverity {
    Success,
    Warning,
    Error,
    #[default]
    #[serde(other)]
    Info,
}

impl KeptFront {
    /// Of a session; `origin_of` tells of the terminals of its panes.
    pub(super) fn of(session: &Session, origin_of: impl Fn(TerminalId) -> Option<Origin>) -> Self {
        let place = SavedSession::whole(session, origin_of);
        let place = place.and_then(|place| serde_json::to_value(place).ok());
        let panes = session.panes.iter();
        Self {
            place: place.unwrap_or_default(),
            panes: panes
                .map(|(id, pane)| (id.to_string(), KeptPane::of(pane)))
                .collect(),
            before: session.before.map(|id| id.to_string()),
            paste_buffer: session.paste_buffer.clone(),
            messages: session.messages.log().iter().map(Into::into).collect(),
            begun: None,
        }
    }

    /// The session again, and why there is no tab in it where there should be some.
    pub(super) fn session(
        self,
        terminal_of: impl Fn(TerminalId) -> Option<(TerminalInfo, Option<TerminalSpec>)>,
    ) -> (Session, Option<SavedError>) {
        let place = match &self.place {
            serde_json::Value::Null => Ok(Session::default()),
            place => SavedSession::from_json(place.to_string().as_bytes())
                .and_then(|place| place.go_on(terminal_of)),
        };
        let (mut session, trouble) = match place {
            Ok(session) => (session, None),
            Err(error) => (Session::default(), Some(error)),
        };
        for (id, pane) in &mut session.panes {
            if let Some(kept) = self.panes.get(&id.to_string()) {
                kept.put(pane);
            }
        }
        session.before = self.before.and_then(|id| id.parse().ok());
        session.paste_buffer = self.paste_buffer;
        let messages: VecDeque<_> = self.messages.into_iter().map(Into::into).collect();
        session.messages = Messages::of_log(messages);
        (session, trouble)
    }
}

impl KeptPane {
    fn of(pane: &Pane) -> Self {
        let position = match &pane.copy {
            Some(copy) => Some(copy.position()),
            None => pane.looks_back.clone(),
        };
        Self {
            program: pane.program.clone(),
            badge: pane.badge,
            ending: pane.ending,
            was_shown: pane.was_shown,
            looks_back: position.as_ref().map(|position| position.lines_below),
            copy: position.as_ref().map(Into::into),
        }
    }

    fn put(&self, pane: &mut Pane) {
        pane.program.clone_from(&self.program);
        pane.badge = self.badge;
        pane.ending |= self.ending;
        pane.was_shown = self.was_shown;
        pane.looks_back = match (&self.copy, self.looks_back) {
            (Some(copy), _) => Some(copy.into()),
            (None, lines) => lines.map(CopyPosition::above),
        };
    }
}

impl From<&CopyPosition> for KeptCopy {
    fn from(position: &CopyPosition) -> Self {
        let selection = position.selection.map(|(shape, anchor)| KeptSelection {
            shape: match shape {
                Shape::Characters => KeptShape::Characters,
                Shape::Lines => KeptShape::Lines,
                Shape::Block => KeptShape::Block,
            },
            anchor,
        });
        let search = position
            .search
            .as_ref()
            .map(|(text, direction)| KeptSearch {
                text: text.clone(),
                up: *direction == Direction::Up,
            });
        Self {
            rewraps: position.rewraps,
            top: position.top,
            cursor: position.cursor,
            lines_below: position.lines_below,
            selection,
            search,
            by_wheel: position.by_wheel,
        }
    }
}

impl From<&KeptCopy> for CopyPosition {
    fn from(kept: &KeptCopy) -> Self {
        let selection = kept.selection.as_ref().map(|selection| {
            let shape = match selection.shape {
                KeptShape::Characters => Shape::Characters,
                KeptShape::Lines => Shape::Lines,
                KeptShape::Block => Shape::Block,
            };
            (shape, selection.anchor)
        });
        let search = kept.search.as_ref().map(|search| {
            let direction = if search.up {
                Direction::Up
            } else {
                Direction::Down
            };
            (search.text.clone(), direction)
        });
        Self {
            rewraps: kept.rewraps,
            top: kept.top,
            cursor: kept.cursor,
            lines_below: kept.lines_below,
            selection,
            search,
            by_wheel: kept.by_wheel,
        }
    }
}

impl From<&Message> for KeptMessage {
    fn from(message: &Message) -> Self {
        Self {
            severity: match message.severity {
                Severity::Info => KeptSeverity::Info,
                Severity::Success => KeptSeverity::Success,
                Severity::Warning => KeptSeverity::Warning,
                Severity::Error => KeptSeverity::Error,
            },
            text: message.text.clone(),
            at: message.at,
            count: message.count,
        }
    }
}

impl From<KeptMessage> for Message {
    fn from(kept: KeptMessage) -> Self {
        Self {
            severity: match kept.severity {
                KeptSeverity::Info => Severity::Info,
                KeptSeverity::Success => Severity::Success,
                KeptSeverity::Warning => Severity::Warning,
                KeptSeverity::Error => Severity::Error,
            },
            text: kept.text,
            at: kept.at,
            count: kept.count,
        }
    }
}
