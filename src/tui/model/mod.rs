//! Everything the front end knows: tabs and panes, what is open over them, messages.
//!
//! Plain values without handles, so that `update` and `view` are functions of it. Only `update` changes it. A pane is in
//! exactly one tab; a tab has at least one pane; `active` names a tab whenever there is one.

mod options;
mod overlay;
mod pane;
mod picker;
mod prompt;
mod providers;
mod tab;
mod toast;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

pub use options::Options;
pub use overlay::{Address, Choice, Confirm, Help, Log, Overlay, Rename, Resolve};
pub use pane::Pane;
pub use picker::{Item, Picked, Picker, PickerKind};
pub use prompt::Prompt;
pub use providers::{Page, Panel, Providers};
pub use tab::Tab;
pub use toast::{Messages, Severity};

use super::theme::Theme;
use crate::domain::action::Action;
use crate::domain::agent::AgentState;
use crate::domain::id::TerminalId;
use crate::domain::input::KeyCode;
use crate::domain::layout::{Axis, Rect};
use crate::domain::profile::ProfileName;
use crate::domain::screen::MouseMode;
use crate::pane::Gauge;

/// The moment of an update, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    pub wall: Timestamp,
}

/// What a key that comes now would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Normal,
    /// The prefix was struck.
    Prefix {
        since: Instant,
        /// The list of keys is shown, since some time has passed.
        listed: bool,
    },
    /// A key that may be struck again without the prefix was struck.
    Repeat {
        until: Instant,
    },
}

/// What the mouse holds on to while its button is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drag {
    /// A divider, by one of its cells.
    Divider { at: (u16, u16) },
    /// The program in a pane gets what the mouse does, wherever it goes.
    Program { id: TerminalId },
    /// Pressed in a pane: becomes a selection once it moves.
    Press { id: TerminalId, at: (u16, u16) },
    /// A selection in a pane's copy mode.
    Selection { id: TerminalId },
}

/// The last press of the left button, to tell double and triple clicks.
#[derive(Clone, Copy, Debug)]
pub struct Click {
    pub at: (u16, u16),
    pub when: Instant,
    pub count: u8,
}

#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the outer terminal.
    pub size: (u16, u16),
    pub options: Arc<Options>,
    pub theme: Theme,
    /// The outer terminal speaks kitty's keyboard protocol.
    pub keyboard: bool,
    /// The outer terminal's window has the focus, as far as it tells.
    pub outer_focused: bool,
    pub mouse: bool,
    pub tabs: Vec<Tab>,
    pub active: usize,
    pub panes: BTreeMap<TerminalId, Pane>,
    pub gauge: Gauge,
    pub providers: Providers,
    pub mode: Mode,
    pub overlay: Option<Overlay>,
    pub messages: Messages,
    /// What was copied last.
    pub paste_buffer: String,
    /// Terminals asked for and not yet there.
    pub opening: usize,
    /// Some terminal has been there, so that the last one's end is the end.
    pub opened_any: bool,
    pub drag: Option<Drag>,
    pub click: Option<Click>,
    /// Keys whose press was taken here, so that their release is not passed on.
    pub held: Vec<KeyCode>,
    /// The pane that was last told it has the focus.
    pub focus_told: Option<TerminalId>,
}

/// How the outer screen is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    pub tabs: Rect,
    pub sidebar: Option<Rect>,
    /// Where the panes of the active tab are.
    pub panes: Rect,
    /// One row for each provider, as far as there is room.
    pub providers: Option<Rect>,
    pub hints: Rect,
}

/// Below this nothing useful can be shown.
pub const MIN_SIZE: (u16, u16) = (20, 5);
/// From this width on there is room for the list of panes beside them.
const SIDEBAR_FROM: u16 = 140;
const SIDEBAR_WIDTH: u16 = 26;

impl Model {
    #[must_use]
    pub fn new(size: (u16, u16), options: Arc<Options>, theme: Theme, gauge: Gauge) -> Self {
        Self {
            size,
            mouse: options.mouse,
            options,
            theme,
            keyboard: false,
            outer_focused: true,
            tabs: Vec::new(),
            active: 0,
            panes: BTreeMap::new(),
            gauge,
            providers: Providers::default(),
            mode: Mode::Normal,
            overlay: None,
            messages: Messages::default(),
            paste_buffer: String::new(),
            opening: 0,
            opened_any: false,
            drag: None,
            click: None,
            held: Vec::new(),
            focus_told: None,
        }
    }

    #[must_use]
    pub fn tab(&self) -> Option<&Tab> {
        self.tabs.get(self.active)
    }

    #[must_use]
    pub fn tab_mut(&mut self) -> Option<&mut Tab> {
        self.tabs.get_mut(self.active)
    }

    /// The pane that keys go to.
    #[must_use]
    pub fn focus(&self) -> Option<TerminalId> {
        self.tab().map(|tab| tab.focus)
    }

    #[must_use]
    pub fn focused(&self) -> Option<&Pane> {
        self.panes.get(&self.focus()?)
    }

    #[must_use]
    pub fn tab_of(&self, id: TerminalId) -> Option<usize> {
        self.tabs.iter().position(|tab| tab.layout.contains(id))
    }

    /// Every pane in the order of tabs and within each from left to right.
    #[must_use]
    pub fn in_order(&self) -> Vec<TerminalId> {
        self.tabs.iter().flat_map(|tab| tab.layout.ids()).collect()
    }

    /// Terminals whose program lives.
    pub fn living(&self) -> impl Iterator<Item = &Pane> {
        self.panes.values().filter(|pane| pane.ended.is_none())
    }

    #[must_use]
    pub fn is_too_small(&self) -> bool {
        self.size.0 < MIN_SIZE.0 || self.size.1 < MIN_SIZE.1
    }

    #[must_use]
    pub fn areas(&self) -> Areas {
        let (cols, rows) = self.size;
        let strip = self.strip_rows();
        let body = rows.saturating_sub(2 + strip);
        // What somebody opened from the command line moves nothing here before the user has looked at it.
        let known = self.panes.values().filter(|pane| pane.follows_size());
        let sidebar = cols >= SIDEBAR_FROM && known.count() > 1;
        let side = if sidebar { SIDEBAR_WIDTH } else { 0 };
        Areas {
            tabs: Rect::new(0, 0, cols, rows.min(1)),
            sidebar: sidebar.then(|| Rect::new(0, 1, side, body)),
            panes: Rect::new(side, 1, cols.saturating_sub(side), body),
            providers: (strip > 0).then(|| Rect::new(0, 1 + body, cols, strip)),
            hints: Rect::new(
                0,
                rows.saturating_sub(1),
                cols,
                rows.saturating_sub(1).min(1),
            ),
        }
    }

    /// Rows for the providers. The panes keep most of a low screen; where nobody is served there is nothing to tell.
    fn strip_rows(&self) -> u16 {
        if !self.providers.are_served() {
            return 0;
        }
        let most = match self.size.1 {
            0..10 => 0,
            10..20 => 1,
            20..30 => 3,
            _ => 5,
        };
        u16::try_from(self.providers.len())
            .unwrap_or(u16::MAX)
            .min(most)
    }

    /// The area that a tab's layout divides: without the first row, where it has several panes that each have a title.
    #[must_use]
    pub fn layout_area(&self, tab: &Tab) -> Rect {
        let panes = self.areas().panes;
        if tab.is_single() {
            panes
        } else {
            Rect::new(
                panes.x,
                panes.y.saturating_add(1),
                panes.width,
                panes.height.saturating_sub(1),
            )
        }
    }

    /// The panes that are to be seen, each with its area; without those that got no room.
    #[must_use]
    pub fn visible(&self) -> Vec<(TerminalId, Rect)> {
        let Some(tab) = self.tab().filter(|_| !self.is_too_small()) else {
            return Vec::new();
        };
        let mut rects = self.rects_of(tab);
        if tab.zoomed {
            rects.retain(|(id, _)| *id == tab.focus);
        }
        rects
    }

    /// The areas of a tab's panes; a zoomed one has all the room, the others keep what they had.
    #[must_use]
    pub fn rects_of(&self, tab: &Tab) -> Vec<(TerminalId, Rect)> {
        let mut rects = tab.layout.rects(self.split_area(tab));
        rects.retain(|(_, rect)| !rect.is_empty());
        if tab.zoomed {
            rects.retain(|(id, _)| *id != tab.focus);
            rects.push((tab.focus, self.areas().panes));
        }
        rects
    }

    /// The area that the layout divides, zoomed or not.
    fn split_area(&self, tab: &Tab) -> Rect {
        let panes = self.areas().panes;
        if tab.layout.ids().len() < 2 {
            return panes;
        }
        Rect::new(
            panes.x,
            panes.y.saturating_add(1),
            panes.width,
            panes.height.saturating_sub(1),
        )
    }

    #[must_use]
    pub fn waiting(&self) -> Vec<TerminalId> {
        self.in_order()
            .into_iter()
            .filter(|id| self.state_of(*id) == Some(AgentState::Waiting))
            .collect()
    }

    #[must_use]
    pub fn state_of(&self, id: TerminalId) -> Option<AgentState> {
        self.panes.get(&id)?.state()
    }

    /// Whether the pool is filled beyond what the user wants to be warned of.
    #[must_use]
    pub fn is_pool_tight(&self) -> bool {
        let (active, max) = (self.gauge.active, self.gauge.max);
        #[allow(clippy::cast_precision_loss)] // A pool has at most 1000 places.
        let share = active as f64 / max.max(1) as f64;
        share > self.options.warn_at || active >= max
    }

    /// Whether some pane to be seen wants every movement of the mouse.
    #[must_use]
    pub fn wants_movements(&self) -> bool {
        self.visible().iter().any(|(id, _)| {
            self.panes
                .get(id)
                .and_then(|pane| pane.screen.as_ref())
                .is_some_and(|screen| screen.modes.mouse == MouseMode::Any)
        })
    }

    /// Whether an action after the prefix would do something now.
    #[must_use]
    pub fn is_valid(&self, action: Action) -> bool {
        let panes_here = self.tab().map_or(0, |tab| tab.layout.ids().len());
        let room = self.gauge.active < self.gauge.max;
        match action {
            Action::NewPane | Action::LaunchAgent => room,
            Action::SplitRight => room && self.can_split(Axis::Horizontal),
            Action::SplitDown => room && self.can_split(Axis::Vertical),
            Action::FocusLeft
            | Action::FocusDown
            | Action::FocusUp
            | Action::FocusRight
            | Action::NextPane
            | Action::ZoomPane
            | Action::ResizeLeft
            | Action::ResizeDown
            | Action::ResizeUp
            | Action::ResizeRight
            | Action::EvenPanes
            | Action::SwapPrevious
            | Action::SwapNext
            | Action::BreakPane => panes_here > 1,
            Action::LastPane => self.tab().is_some_and(|tab| tab.before.is_some()),
            Action::NextWaiting => self.waiting().iter().any(|id| Some(*id) != self.focus()),
            Action::KillPane | Action::RenamePane | Action::CopyMode | Action::Search => {
                self.focused().is_some()
            }
            Action::PasteBuffer => !self.paste_buffer.is_empty() && self.focused().is_some(),
            Action::NextTab | Action::PreviousTab => self.tabs.len() > 1,
            Action::ProviderPanel | Action::FailOver | Action::RestartProvider => {
                !self.providers.is_empty()
            }
            _ => action
                .tab_number()
                .is_none_or(|number| number <= self.tabs.len()),
        }
    }

    fn can_split(&self, axis: Axis) -> bool {
        self.tab().is_some_and(|tab| {
            let panes = self.areas().panes;
            let area = Rect::new(
                panes.x,
                panes.y.saturating_add(1),
                panes.width,
                panes.height.saturating_sub(1),
            );
            tab.layout.has_room(tab.focus, axis, area)
        })
    }

    /// The provider whose details are open.
    #[must_use]
    pub fn details_of(&self) -> Option<&ProfileName> {
        match &self.overlay {
            Some(Overlay::Providers(panel)) if matches!(panel.page, Page::Details { .. }) => {
                panel.selected.as_ref()
            }
            _ => None,
        }
    }

    /// The next moment at which something changes by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let listing = match self.mode {
            Mode::Prefix {
                since,
                listed: false,
            } => Some(since + super::update::LIST_AFTER),
            Mode::Repeat { until } => Some(until),
            _ => None,
        };
        let counting = super::update::providers_are_visible(self)
            .then(|| self.providers.next_change())
            .flatten();
        [listing, self.messages.next_deadline(), counting]
            .into_iter()
            .flatten()
            .min()
    }
}
