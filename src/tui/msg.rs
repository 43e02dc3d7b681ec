//! What the front end is told, from wherever.

use std::path::PathBuf;
use std::sync::Arc;

use super::address::BrowserAddress;
use super::client::{AgentLook, JournalContents, LogEntry};
use super::effect::Placement;
use super::input::InputEvent;
use super::model::Options;
use super::notice::Notice;
use super::theme::Theme;
use crate::domain::adapter::AgentName;
use crate::domain::agent::AgentNotice;
use crate::domain::check::Check;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::profile::ProfileName;
use crate::domain::route::{Done, RouterCommand};
use crate::domain::screen::ScreenSnapshot;
use crate::domain::terminal::{TerminalInfo, TerminalSpec};
use crate::domain::usage::RequestTries;
use crate::pane::{Gauge, Match, PaneError, PlacesNow, RowWindow};
use crate::providers::{ProviderEvent, ProvidersStatus, SteerError};
use crate::store::StoreStatus;

#[derive(Debug)]
pub enum Msg {
    Input(InputEvent),
    /// The outer terminal has so many columns and rows now.
    Resized(u16, u16),
    /// The answer to [`super::effect::Effect::Open`].
    Opened {
        place: Placement,
        spec: Box<TerminalSpec>,
        result: Result<Box<TerminalInfo>, PaneError>,
    },
    /// Something happened to a terminal; its facts as they are now, if it is still known.
    Terminal(TerminalEvent, Option<Box<TerminalInfo>>),
    /// Events were missed: these are all terminals there are.
    Listed(Vec<TerminalInfo>),
    /// The program that a pane's keys go to now.
    Program(TerminalId, String),
    Gauge(Gauge),
    Screen(TerminalId, Arc<ScreenSnapshot>),
    Rows(TerminalId, Result<RowWindow, PaneError>),
    Places(TerminalId, Result<PlacesNow, PaneError>),
    Found(TerminalId, u64, Result<Option<Match>, PaneError>),
    /// Input could not be handed over.
    Refused(TerminalId, PaneError),
    /// The agents there are, and whether each is installed.
    Agents(Vec<(AgentName, bool)>),
    Options(Arc<Options>, Theme),
    /// Something from elsewhere, shown as it says.
    Notice(Notice),
    /// The answer to [`super::effect::Effect::Address`].
    Address(Option<TerminalId>, Result<BrowserAddress, String>),
    /// How the providers stand now, and the last requests of the one whose details are open.
    Providers(
        Arc<ProvidersStatus>,
        Option<(ProfileName, Vec<RequestTries>)>,
    ),
    ProviderEvent(ProviderEvent),
    /// What became of [`super::effect::Effect::Steer`].
    Steered(RouterCommand, Result<Done, SteerError>),
    /// The answer to [`super::effect::Effect::Examine`].
    Examined(Vec<Check>),
    /// The file that a provider's server writes to, and its last lines.
    ServerOutput(ProfileName, Option<(PathBuf, Vec<String>)>),
    /// How the store stands now.
    Store(Box<StoreStatus>),
    /// Something was written into the journal.
    JournalWritten,
    /// The answer to the question of that number.
    Journal {
        number: u64,
        status: Box<StoreStatus>,
        contents: Result<JournalContents, String>,
    },
    /// The end of the log, or why it cannot be read.
    LogRead(Result<Vec<LogEntry>, String>),
    /// The answer to [`super::effect::Effect::LookAtAgents`].
    AgentLooks(Vec<AgentLook>),
    /// An agent needs the user.
    AgentNotice(AgentNotice),
    /// A moment that the model waited for has come.
    Tick,
}

impl Msg {
    /// Whether it can change what would have to be brought back of the session.
    #[must_use]
    pub const fn bears_on_session(&self) -> bool {
        match self {
            Self::Input(_)
            | Self::Resized(..)
            | Self::Opened { .. }
            | Self::Terminal(..)
            | Self::Listed(_)
            | Self::Program(..)
            | Self::Screen(..)
            | Self::Options(..) => true,
            Self::Gauge(_)
            | Self::Rows(..)
            | Self::Places(..)
            | Self::Found(..)
            | Self::Refused(..)
            | Self::Agents(_)
            | Self::Notice(_)
            | Self::Address(..)
            | Self::Providers(..)
            | Self::ProviderEvent(_)
            | Self::Steered(..)
            | Self::Examined(_)
            | Self::ServerOutput(..)
            | Self::Store(_)
            | Self::JournalWritten
            | Self::Journal { .. }
            | Self::LogRead(_)
            | Self::AgentLooks(_)
            | Self::AgentNotice(_)
            | Self::Tick => false,
        }
    }
}
