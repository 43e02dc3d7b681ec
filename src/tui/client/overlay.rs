//! What lies over the panes and takes the keys.

use super::journal::JournalView;
use super::launcher::Launcher;
use super::log_view::LogView;
use super::overview::Overview;
use super::panel::Panel;
use super::picker::Picker;
use super::prompt::Prompt;
use super::report::Report;
use crate::domain::id::TerminalId;
use crate::tui::address::BrowserAddress;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    Confirm(Confirm),
    Ask(Ask),
    Picker(Picker),
    Help(Help),
    Log(Log),
    Providers(Panel),
    Address(Address),
    Journal(JournalView),
    LogFile(LogView),
    Overview(Overview),
    Launcher(Launcher),
    Report(Report),
}

impl Overlay {
    /// Whether keys are text here rather than commands.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Ask(_) | Self::Picker(_) | Self::Help(_) => true,
            Self::LogFile(view) => view.typing.is_some(),
            Self::Overview(overview) => overview.answer.is_some(),
            Self::Launcher(launcher) => launcher.focused().is_some(),
            Self::Confirm(_)
            | Self::Log(_)
            | Self::Providers(_)
            | Self::Address(_)
            | Self::Journal(_)
            | Self::Report(_) => false,
        }
    }

    /// Whether it waits for an answer or a choice; what only shows something does not.
    #[must_use]
    pub fn asks(&self) -> bool {
        match self {
            Self::Confirm(_) | Self::Ask(_) | Self::Picker(_) | Self::Launcher(_) => true,
            Self::Help(_)
            | Self::Log(_)
            | Self::Providers(_)
            | Self::Address(_)
            | Self::Journal(_)
            | Self::LogFile(_)
            | Self::Overview(_)
            | Self::Report(_) => false,
        }
    }

    /// Text that was pasted goes where one types.
    pub fn insert(&mut self, text: &str) {
        match self {
            Self::Ask(ask) => ask.prompt.insert(text),
            Self::Picker(picker) => {
                picker.query.insert(text);
                picker.rank();
            }
            Self::Help(help) => help.query.insert(text),
            Self::LogFile(view) => {
                if let Some(field) = view.field() {
                    field.insert(text);
                }
            }
            Self::Launcher(launcher) => {
                if let Some(field) = launcher.focused_mut() {
                    field.insert(text);
                }
            }
            Self::Overview(overview) => {
                if let Some(prompt) = &mut overview.answer {
                    prompt.insert(text);
                }
            }
            Self::Confirm(_)
            | Self::Log(_)
            | Self::Providers(_)
            | Self::Address(_)
            | Self::Journal(_)
            | Self::Report(_) => {}
        }
    }
}

/// A question before something that cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    pub question: String,
    /// What it would hit, line by line.
    pub details: Vec<String>,
    pub choice: Choice,
    pub resolve: Resolve,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Choice {
    #[default]
    No,
    Yes,
}

/// What Yes does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolve {
    Kill(TerminalId),
    Quit,
    Paste { id: TerminalId, text: String },
}

/// A line to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub wants: Wants,
    pub prompt: Prompt,
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    PaneName(TerminalId),
    /// For the tab that this pane is in; an empty one takes the name away.
    TabName(TerminalId),
    TabNumber,
    Command,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    pub query: Prompt,
    /// Lines scrolled down; the view stops at the end.
    pub scroll: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Lines scrolled up from the newest.
    pub scroll: usize,
}

/// An address for a browser, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name of the pane that it leads to; None for the list of all.
    pub pane: Option<String>,
    pub result: Result<BrowserAddress, String>,
    /// Lines scrolled down; the view stops at the end.
    pub scroll: usize,
}
