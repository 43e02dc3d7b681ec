//! The shapes in which terminals go over to the next program.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::emulator::{KeptEmulator, KeptScreen};
use crate::domain::agent::{Agent, AgentState, Evidence};
use crate::domain::budget::Budget;
use crate::domain::id::TerminalId;
use crate::domain::size::Size;
use crate::domain::terminal::{Exit, Owner, Status, TerminalInfo, TerminalSpec};
use crate::domain::writer::KeptWriter;
use crate::runtime::encoded_path::EncodedPath;
use crate::runtime::handover::{KeptBytes, KeptDescriptor};

/// Every terminal, in the order in which they were opened.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptPool {
    pub(super) panes: Vec<KeptPane>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptPane {
    pub info: KeptInfo,
    /// What it was started with.
    pub spec: Option<KeptSpec>,
    /// The working directory that the program told last.
    pub directory: Option<EncodedPath>,
    pub confined: Option<KeptConfined>,
    pub writer: KeptAttachments,
    pub output: KeptOutput,
    /// None for one that has ended.
    pub live: Option<KeptLive>,
    pub ended: Option<KeptEnd>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptInfo {
    pub id: String,
    pub name: String,
    pub named: bool,
    pub command: Vec<String>,
    pub cwd: EncodedPath,
    pub pid: u32,
    pub cols: u16,
    pub rows: u16,
    pub title: String,
    pub status: String,
    pub owner: String,
    pub persistent: bool,
    pub viewers: u32,
    pub taken: bool,
    pub ending: bool,
    pub created_at: Timestamp,
    pub disconnected_since: Option<Timestamp>,
    pub exit_code: Option<i32>,
    pub exit_signal: Option<i32>,
    pub agent: Option<KeptAgent>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptAgent {
    pub kind: String,
    pub state: String,
    pub since: Timestamp,
    pub by: String,
    pub until: Option<Timestamp>,
    pub message: Option<String>,
    pub observed: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptSpec {
    name: Option<String>,
    command: Vec<String>,
    cwd: Option<EncodedPath>,
    env: Vec<(String, String)>,
    cols: u16,
    rows: u16,
    persistent: bool,
    agent: Option<String>,
    resume: bool,
    nanodollars: Option<u64>,
    tokens: Option<u64>,
    gateway: bool,
    confine: Option<bool>,
    owner: String,
}

impl From<&TerminalSpec> for KeptSpec {
    fn from(spec: &TerminalSpec) -> Self {
        Self {
            name: spec.name.clone(),
            command: spec.command.clone(),
            cwd: spec.cwd.clone().map(Into::into),
            env: spec.env.clone(),
            cols: spec.size.cols(),
            rows: spec.size.rows(),
            persistent: spec.persistent,
            agent: spec.agent.as_ref().map(ToString::to_string),
            resume: spec.resume,
            nanodollars: spec.budget.nanodollars,
            tokens: spec.budget.tokens,
            gateway: spec.gateway,
            confine: spec.confine,
            owner: spec.owner.name().to_owned(),
        }
    }
}

impl From<&KeptSpec> for TerminalSpec {
    fn from(kept: &KeptSpec) -> Self {
        Self {
            name: kept.name.clone(),
            command: kept.command.clone(),
            cwd: kept.cwd.clone().map(Into::into),
            env: kept.env.clone(),
            size: Size::clamped(kept.cols, kept.rows),
            persistent: kept.persistent,
            agent: kept.agent.clone().map(Into::into),
            resume: kept.resume,
            budget: Budget {
                nanodollars: kept.nanodollars,
                tokens: kept.tokens,
            },
            gateway: kept.gateway,
            confine: kept.confine,
            owner: owner_of(&kept.owner),
        }
    }
}

/// One that is not known is like one from the command line.
fn owner_of(name: &str) -> Owner {
    let owners = [Owner::Front, Owner::Local, Owner::Remote];
    let owner = owners.into_iter().find(|owner| owner.name() == name);
    owner.unwrap_or(Owner::Local)
}

/// How the processes of a confined terminal are known.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptConfined {
    pub tty: i32,
    pub namespace: Option<(u64, u64)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptAttachments {
    pub last_id: u64,
    pub holder: Option<u64>,
    pub holder_kept_for_ms: Option<u64>,
    /// Columns and rows in which the front end shows it.
    pub front_size: Option<(u16, u16)>,
    /// Where the last viewer without a place of its own left off, and how many milliseconds ago.
    pub left_off: Option<(u64, u64)>,
}

/// The ring of output, and what stands in it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptOutput {
    pub open: bool,
    pub head: u64,
    pub bytes: KeptBytes,
    pub idle_ms: Option<u64>,
    pub keyframes: Vec<KeptKeyframe>,
    pub keyframe_count: u64,
    pub dropped_at: Option<u64>,
    pub ended: bool,
    pub last: Option<KeptKeyframe>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptKeyframe {
    pub seq: u64,
    pub number: u64,
    pub cols: u16,
    pub rows: u16,
    pub bytes: KeptBytes,
}

/// What only a living terminal has.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptLive {
    /// None once it has been closed.
    pub master: Option<KeptDescriptor>,
    pub hung_up: bool,
    pub emulator: KeptEmulator,
    /// Typed and not yet taken by the program.
    pub input: KeptBytes,
    pub born_ms: u64,
    pub active_ms: u64,
    /// Its end has begun.
    pub terminating: bool,
}

/// What is left of one that has ended.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptEnd {
    pub ended_ms: u64,
    /// While its history is kept.
    pub emulator: Option<KeptEmulator>,
    pub screen: Option<KeptScreen>,
}

impl From<&TerminalInfo> for KeptInfo {
    fn from(info: &TerminalInfo) -> Self {
        let (exit_code, exit_signal) = match info.exit {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        Self {
            id: info.id.to_string(),
            name: info.name.clone(),
            named: info.named,
            command: info.command.clone(),
            cwd: info.cwd.clone().into(),
            pid: info.pid,
            cols: info.size.cols(),
            rows: info.size.rows(),
            title: info.title.clone(),
            status: info.status.name().to_owned(),
            owner: info.owner.name().to_owned(),
            persistent: info.persistent,
            viewers: info.viewers,
            taken: info.taken,
            ending: info.ending,
            created_at: info.created_at,
            disconnected_since: info.disconnected_since,
            exit_code,
            exit_signal,
            agent: info.agent.as_ref().map(KeptAgent::from),
        }
    }
}

impl KeptInfo {
    /// The facts that were kept; None where they name no terminal. What is of a kind that is not known here is the
    /// nearest that is.
    pub fn resume(&self) -> Option<TerminalInfo> {
        let id: TerminalId = self.id.parse().ok()?;
        let statuses = [Status::Active, Status::Disconnected, Status::Dead];
        let status = statuses
            .into_iter()
            .find(|status| status.name() == self.status);
        Some(TerminalInfo {
            id,
            name: self.name.clone(),
            named: self.named,
            command: self.command.clone(),
            cwd: self.cwd.clone().into(),
            pid: self.pid,
            size: Size::clamped(self.cols, self.rows),
            title: self.title.clone(),
            status: status.unwrap_or(Status::Active),
            owner: owner_of(&self.owner),
            persistent: self.persistent,
            viewers: self.viewers,
            taken: self.taken,
            ending: self.ending,
            created_at: self.created_at,
            disconnected_since: self.disconnected_since,
            exit: match (self.exit_code, self.exit_signal) {
                (Some(code), _) => Some(Exit::Code(code)),
                (None, Some(signal)) => Some(Exit::Signal(signal)),
                (None, None) => None,
            },
            agent: self.agent.as_ref().map(KeptAgent::resume),
        })
    }
}

impl From<&Agent> for KeptAgent {
    fn from(agent: &Agent) -> Self {
        Self {
            kind: agent.kind.to_string(),
            state: agent.state.name().to_owned(),
            since: agent.since,
            by: agent.by.name().to_owned(),
            until: agent.until,
            message: agent.message.clone(),
            observed: agent.observed,
        }
    }
}

impl KeptAgent {
    fn resume(&self) -> Agent {
        let by = Evidence::ALL.into_iter().find(|by| by.name() == self.by);
        Agent {
            kind: self.kind.as_str().into(),
            state: AgentState::parse(&self.state).unwrap_or_default(),
            since: self.since,
            by: by.unwrap_or(Evidence::Output),
            until: self.until,
            message: self.message.clone(),
            observed: self.observed,
        }
    }
}

impl From<&KeptWriter> for KeptAttachments {
    fn from(writer: &KeptWriter) -> Self {
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            last_id: writer.last_id,
            holder: writer.holder,
            holder_kept_for_ms: writer.kept_for.map(millis),
            front_size: writer.front_size.map(|size| (size.cols(), size.rows())),
            left_off: None,
        }
    }
}

impl From<&KeptAttachments> for KeptWriter {
    fn from(kept: &KeptAttachments) -> Self {
        Self {
            last_id: kept.last_id,
            holder: kept.holder,
            kept_for: kept
                .holder_kept_for_ms
                .map(std::time::Duration::from_millis),
            front_size: kept
                .front_size
                .map(|(cols, rows)| Size::clamped(cols, rows)),
        }
    }
}
