//! The public JSON shapes (contract section 9), made from the domain's types.
//!
//! Keys keep their names and meanings; what is not known is null.
//!
//! `status` has `remote` and `gateway` null where they are disabled, and `fingerprint` null without TLS. Of a provider,
//! `retry_in_s` is null but for an open breaker, `cooldown_s` and `held_s` where there is none, and `process` for a profile
//! without a server of tundra's; requests skipped for want of a dialect are no attempts in `requests`. Commands that steer
//! answer `{"profile","active","held_s"}`. A capture with `--ansi` has its SGR sequences in `lines`, each of which begins and ends
//! in the default rendition.

mod agent;
mod check;
mod explanation;
mod provider;
mod request;
mod store;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use agent::{AdapterShape, AgentShape, BudgetShape, SpentShape};
pub use check::{CheckShape, CheckupShape};
pub use explanation::ExplanationShape;
pub use provider::{BucketShape, DoneShape, GatewayShape, ProviderShape, WindowShape, providers};
pub use request::{RequestShape, TryShape, requests};
pub use store::{
    ChangeShape, CommitShape, DoltShape, EventShape, ShippedShape, StoreShape, UsageShape,
    usage_key_text,
};

use super::error::ApiError;
use crate::domain::budget::Account;
use crate::domain::code::Code;
use crate::domain::screen::{InputModes, MouseMode, Row};
use crate::domain::terminal::{Exit, TerminalInfo};
use crate::pane::{Capture, Gauge, Glimpse, row_to_ansi};

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFilterShape {
    /// As `RUST_LOG` would have it.
    pub filter: String,
}

/// A terminal, as `ls` and `new` answer it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TerminalShape {
    pub id: String,
    pub name: String,
    /// As it was asked for, else the agent's or the shell's own; without what an agent gets besides to be pointed at the
    /// gateway.
    pub command: Vec<String>,
    pub cwd: String,
    pub pid: u32,
    pub cols: u16,
    pub rows: u16,
    pub title: String,
    pub status: String,
    pub owner: String,
    pub persistent: bool,
    pub viewers: u32,
    pub created_at: Timestamp,
    pub disconnected_since: Option<Timestamp>,
    pub exit: Option<ExitShape>,
    pub agent: Option<AgentShape>,
    #[serde(default)]
    pub usage: SpentShape,
    /// Null where it has none.
    #[serde(default)]
    pub budget: Option<BudgetShape>,
}

/// What is seen of a terminal from afar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlimpseShape {
    /// The last lines of its screen that are not blank, the oldest first.
    pub lines: Vec<String>,
    /// The branch of the repository that its program is in; null outside of one.
    pub branch: Option<String>,
}

impl From<Glimpse> for GlimpseShape {
    fn from(Glimpse { lines, branch }: Glimpse) -> Self {
        Self { lines, branch }
    }
}

/// How a child ended; one of the two is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitShape {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl TerminalShape {
    #[must_use]
    pub fn new(info: &TerminalInfo, account: &Account) -> Self {
        Self {
            id: info.id.to_string(),
            name: info.name.clone(),
            command: info.command.clone(),
            cwd: info.cwd.to_string_lossy().into_owned(),
            pid: info.pid,
            cols: info.size.cols(),
            rows: info.size.rows(),
            title: info.title.clone(),
            status: info.status.name().to_owned(),
            owner: info.owner.name().to_owned(),
            persistent: info.persistent,
            viewers: info.viewers,
            created_at: info.created_at,
            disconnected_since: info.disconnected_since,
            exit: info.exit.map(ExitShape::from),
            agent: info.agent.as_ref().map(AgentShape::from),
            usage: SpentShape::from(account),
            budget: BudgetShape::of(account),
        }
    }
}

impl From<Exit> for ExitShape {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self {
                code: Some(code),
                signal: None,
            },
            Exit::Signal(signal) => Self {
                code: None,
                signal: Some(signal),
            },
        }
    }
}

/// A terminal's screen at one point of its byte stream, as `capture` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenShape {
    pub id: String,
    pub cols: u16,
    pub rows: u16,
    pub cursor: CursorShape,
    pub title: String,
    pub alternate_screen: bool,
    pub modes: ModesShape,
    /// One entry a row, without trailing blanks.
    pub lines: Vec<String>,
    /// Rows of history, the oldest first; only where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrollback: Option<Vec<String>>,
}

/// Counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorShape {
    pub row: u16,
    pub col: u16,
    pub visible: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModesShape {
    pub application_cursor: bool,
    pub application_keypad: bool,
    pub bracketed_paste: bool,
    pub mouse: String,
    pub focus: bool,
}

/// Whether rows are given as bare text or with the SGR sequences that show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStyle {
    Plain,
    Ansi,
}

impl ScreenShape {
    /// `scrollback` says whether history was asked for, so that an empty one is told as such.
    pub fn new(id: String, capture: &Capture, scrollback: bool, style: RowStyle) -> Self {
        let show = |row: &Row| match style {
            RowStyle::Plain => row.text(),
            RowStyle::Ansi => row_to_ansi(row),
        };
        let screen = &capture.screen;
        Self {
            id,
            cols: screen.size.cols(),
            rows: screen.size.rows(),
            cursor: CursorShape {
                row: screen.cursor.row,
                col: screen.cursor.col,
                visible: screen.cursor.visible,
            },
            title: screen.title.to_string(),
            alternate_screen: screen.alternate_screen,
            modes: ModesShape::from(&screen.modes),
            lines: screen.rows.iter().map(|row| show(row)).collect(),
            scrollback: scrollback
                .then(|| capture.scrollback.iter().map(|row| show(row)).collect()),
        }
    }
}

impl From<&InputModes> for ModesShape {
    fn from(modes: &InputModes) -> Self {
        let mouse = match modes.mouse {
            MouseMode::None => "none",
            MouseMode::X10 => "x10",
            MouseMode::Normal => "normal",
            MouseMode::Button => "button",
            MouseMode::Any => "any",
        };
        Self {
            application_cursor: modes.application_cursor,
            application_keypad: modes.application_keypad,
            bracketed_paste: modes.bracketed_paste,
            mouse: mouse.to_owned(),
            focus: modes.focus,
        }
    }
}

/// The instance in one look, as `status` answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusShape {
    pub version: String,
    pub pid: u32,
    pub started_at: Timestamp,
    pub pool: PoolShape,
    /// Null where it is disabled.
    pub gateway: Option<GatewayShape>,
    /// Null where it is disabled.
    pub remote: Option<RemoteShape>,
    pub front: FrontShape,
    pub store: StoreShape,
    pub providers: Vec<ProviderShape>,
    pub control_socket: String,
    pub log_file: String,
    pub config_file: String,
}

/// What came of an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeShape {
    pub pid: u32,
    /// The version before.
    pub from: String,
    pub version: String,
    /// How many terminals go on.
    pub terminals: usize,
    /// What does not, in words.
    pub lost: Vec<String>,
}

/// The terminal that shows the instance; all but `attached` null where none does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontShape {
    pub attached: bool,
    pub since: Option<Timestamp>,
    pub tty: Option<String>,
    pub cols: Option<u16>,
    pub rows: Option<u16>,
    /// The process that lends it.
    pub pid: Option<u32>,
}

/// Where viewers attach over the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteShape {
    pub url: String,
    pub token_file: String,
    pub viewers: usize,
    /// SHA-256 of the certificate, where TLS is served.
    pub fingerprint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolShape {
    pub active: usize,
    pub max: usize,
}

impl From<Gauge> for PoolShape {
    fn from(gauge: Gauge) -> Self {
        Self {
            active: gauge.active,
            max: gauge.max,
        }
    }
}

/// What went wrong: a code for programs and a text for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorShape {
    /// The text of a [`Code`]; another version may know more of them.
    pub code: String,
    pub message: String,
}

impl ErrorShape {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            message: message.into(),
        }
    }

    /// The code as this version knows it.
    #[must_use]
    pub fn known_code(&self) -> Code {
        Code::parse(&self.code).unwrap_or(Code::Internal)
    }
}

impl From<ApiError> for ErrorShape {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.message)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::agent::{Agent, AgentState, Evidence};
    use crate::domain::budget::Budget;
    use crate::domain::id::TerminalId;
    use crate::domain::size::Size;
    use crate::domain::terminal::{Owner, Status};
    use crate::domain::usage::Tokens;

    #[test]
    fn a_terminal_has_the_keys_of_the_contract() {
        let created_at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let id: TerminalId = "6f1d0f5e-6c3a-4d63-9a3b-0d6f5f6b7a10".parse().unwrap();
        let info = TerminalInfo {
            id,
            name: "shell".to_owned(),
            named: true,
            command: vec!["bash".to_owned(), "-l".to_owned()],
            cwd: PathBuf::from("/tmp"),
            pid: 42,
            size: Size::DEFAULT,
            title: "t".to_owned(),
            status: Status::Dead,
            owner: Owner::Local,
            persistent: false,
            viewers: 0,
            taken: false,
            ending: false,
            created_at,
            disconnected_since: None,
            exit: Some(Exit::Signal(9)),
            agent: Some(Agent {
                state: AgentState::Waiting,
                by: Evidence::Title,
                ..Agent::new("claude".into(), created_at, true)
            }),
        };
        let mut account = Account {
            requests: 2,
            budget: Budget {
                nanodollars: Some(2_000_000_000),
                tokens: None,
            },
            ..Account::default()
        };
        let tokens = Tokens {
            input: 3,
            output: 4,
            cache_read: 5,
            cache_write: 6,
        };
        account.add(tokens, Some(500_000_000));
        let json = serde_json::to_string(&TerminalShape::new(&info, &account)).unwrap();
        assert_eq!(
            json,
            r#"{"id":"6f1d0f5e-6c3a-4d63-9a3b-0d6f5f6b7a10","name":"shell","command":["bash","-l"],"cwd":"/tmp","#
                .to_owned()
                + r#""pid":42,"cols":80,"rows":24,"title":"t","status":"dead","owner":"local","persistent":false,"#
                + r#""viewers":0,"created_at":"2026-01-02T03:04:05Z","disconnected_since":null,"#
                + r#""exit":{"code":null,"signal":9},"agent":{"kind":"claude","state":"waiting","#
                + r#""since":"2026-01-02T03:04:05Z","by":"title","until":null,"message":null,"observed":true},"#
                + r#""usage":{"requests":2,"tokens":{"input":3,"output":4,"cache_read":5,"cache_write":6},"#
                + r#""cost_usd":0.5},"budget":{"usd":2.0,"tokens":null,"used_usd":0.5,"used_tokens":7}}"#
        );
    }
}
