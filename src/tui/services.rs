//! What a front end is given, and how it comes out.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, watch};

use super::address::Addresses;
use super::checkup::Checkup;
use super::kept::KeptFront;
use super::link::FrontLink;
use super::notice::Notice;
use super::session::{SavedSession, Session};
use crate::config::Settings;
use crate::domain::agent::AgentNotice;
use crate::domain::id::TerminalId;
use crate::domain::terminal::TerminalSpec;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::runtime::lend::LentTerminal;
use crate::runtime::signals::{Termination, Terminations};
use crate::store::Store;

/// What a front end works with.
#[derive(Debug)]
pub struct Services {
    pub pool: Pool,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub providers: Providers,
    pub store: Store,
    pub log_file: PathBuf,
    /// What the user should know from elsewhere. When full, the sender drops.
    pub notices: mpsc::Receiver<Notice>,
    pub terminations: Terminations,
    pub addresses: Arc<dyn Addresses>,
    /// Terminals to show it on, of which the newest does.
    pub lent: mpsc::Receiver<LentTerminal>,
    /// What is asked of it from elsewhere.
    pub link: FrontLink,
    /// Agents that need the user.
    pub agent_notices: broadcast::Receiver<AgentNotice>,
    /// Told which pane the user looks at.
    pub attended: Arc<watch::Sender<Option<TerminalId>>>,
    pub checkup: Arc<dyn Checkup>,
    /// Sizes and owner are set here.
    pub first: First,
    pub life: Life,
    /// What an instance before this one has left, which waits to be run again.
    pub restored: Option<Session>,
    /// The user's place in the program that went on in this one.
    pub resumed: Option<KeptFront>,
    /// Hears what would have to be brought back now; None for nothing.
    pub saved: watch::Sender<Option<SavedSession>>,
}

/// What to open for a first terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// One thing: where it cannot be started, the front end ends and says so.
    Only(Box<TerminalSpec>),
    /// Panes in a tab each, any of which may fail.
    Panes(Vec<TerminalSpec>),
}

/// Whether an instance goes on without a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    EndsWithLastPane,
    Stays,
}

/// How a front end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user ended it, or the last program has.
    Quit,
    Signal(Termination),
}
