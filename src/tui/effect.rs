//! What `update` asks for; the runner does it and never waits for it.

use std::ops::Range;

use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::layout::Axis;
use crate::domain::profile::ProfileName;
use crate::domain::route::RouterCommand;
use crate::domain::size::Size;
use crate::domain::terminal::TerminalSpec;
use crate::pane::Search;
use crate::tui::checkup::OuterFacts;
use crate::tui::client::JournalQuery;

/// Where a new terminal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A tab of its own, for which the terminal was lent: without it the terminal is left.
    Only,
    /// A tab of its own, after the others, which comes to the front.
    Tab,
    /// A tab of its own, in this order among those to begin with; the first one is in front.
    Start(usize),
    /// Beside or below a pane; a tab of its own if that pane is gone by then.
    Split(TerminalId, Axis),
    /// Instead of a pane whose program has ended.
    Instead(TerminalId),
}

#[derive(Clone, Debug)]
pub enum Effect {
    /// Open a terminal; with a pane, in the directory where that pane's program is.
    Open(Placement, Box<TerminalSpec>, Option<TerminalId>),
    /// Open a terminal in a tab of its own, in the worktree of a branch of the repository that it would start in.
    OpenInWorktree(Box<TerminalSpec>, String, Option<TerminalId>),
    Input(TerminalId, Input),
    Resize(TerminalId, Size),
    /// No terminal shows this pane any more.
    Unshown(TerminalId),
    Kill(TerminalId),
    Rename(TerminalId, String),
    /// The user looks at this pane.
    Seen(TerminalId),
    Rows(TerminalId, Range<u64>),
    /// Tell where places of a pane are now that were told when its lines had been wrapped anew so many times.
    Places(TerminalId, u64, Vec<(u64, u16)>),
    Search(TerminalId, u64, Box<Search>),
    FindAgents,
    /// Tell the last lines of these panes' screens, and the branches that they are on.
    LookAtAgents(Vec<TerminalId>),
    /// Type a line into a pane, and Enter.
    Answer(TerminalId, String),
    /// Look at everything that could be wrong.
    Examine(OuterFacts),
    /// Open a terminal with an editor on a pane's screen and history; the file is the last argument of its command.
    EditHistory(TerminalId, Box<TerminalSpec>),
    /// Ask for a browser's address of a pane, or of all.
    Address(Option<TerminalId>),
    /// Tell how the providers stand.
    LookAtProviders,
    /// Look whether anything answers at the address of a server that nobody wrote down.
    LookForServers,
    Steer(RouterCommand),
    /// Tell what a provider's server has written.
    ServerOutput(ProfileName),
    /// Tell how the store stands.
    LookAtStore,
    ReadJournal(JournalQuery),
    /// Tell the end of the log.
    ReadLog,
    /// Set the outer terminal's clipboard.
    Clipboard(String),
    /// Ring the outer terminal's bell.
    Bell,
    /// A notification for the outer terminal to show.
    Notify(String),
    /// Paint everything again.
    Repaint,
    Suspend,
    /// The terminal is left, and everything goes on.
    Detach,
    /// The user ends it all.
    Quit,
    /// The last pane is gone.
    Emptied,
    /// What was to be shown could not be started, for this reason.
    Fail(String),
}
