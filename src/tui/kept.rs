//! The shape in which the user's place goes over to the next program.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::notice::Severity;
use super::session::{Message, Messages, Origin, Pane, SavedError, SavedSession, Session};
use crate::domain::id::TerminalId;
use crate::domain::terminal::{TerminalInfo, TerminalSpec};

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
    /// How many lines above the newest its user looks, in copy mode.
    looks_back: Option<u64>,
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
        Self {
            program: pane.program.clone(),
            badge: pane.badge,
            ending: pane.ending,
            was_shown: pane.was_shown,
            looks_back: match &pane.copy {
                Some(copy) => Some(copy.lines_below()),
                None => pane.looks_back,
            },
        }
    }

    fn put(&self, pane: &mut Pane) {
        pane.program.clone_from(&self.program);
        pane.badge = self.badge;
        pane.ending |= self.ending;
        pane.was_shown = self.was_shown;
        pane.looks_back = self.looks_back;
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
