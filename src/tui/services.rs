//! What a front end is given, and how it comes out.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::address::Addresses;
use super::notice::Notice;
use crate::config::Settings;
use crate::domain::terminal::TerminalSpec;
use crate::pane::Pool;
use crate::providers::Providers;
use crate::runtime::signals::{Termination, Terminations};
use crate::store::Store;

/// What a front end works with.
#[derive(Debug)]
pub struct Services {
    pub pool: Pool,
    pub settings: watch::Receiver<Arc<Settings>>,
    pub providers: Providers,
    pub store: Store,
    /// What the user should know from elsewhere. When full, the sender drops.
    pub notices: mpsc::Receiver<Notice>,
    pub terminations: Terminations,
    pub addresses: Arc<dyn Addresses>,
    /// Sizes and owner are set here.
    pub first: First,
}

/// What to open at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum First {
    /// The one thing the user asked for: where it cannot be started, the front end ends and says so.
    Only(Box<TerminalSpec>),
    /// Panes in a tab each, any of which may fail.
    Panes(Vec<TerminalSpec>),
}

/// How a front end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user left, or the last program ended.
    Quit,
    Signal(Termination),
}
