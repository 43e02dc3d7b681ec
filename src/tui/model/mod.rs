//! Everything the front end knows: the session, the terminal that shows it, and what other rooms have told.
//!
//! Plain values without handles, so that `update` and `view` are functions of it. Only `update` changes it. What concerns
//! the session alone is asked of [`Session`], what concerns the terminal alone of [`Client`]; here is what needs both.

mod areas;
mod options;
mod providers;

use std::sync::Arc;
use std::time::Instant;

pub use areas::Areas;
pub use options::{Options, OuterNotify};
pub use providers::Providers;

use super::client::{Client, Overlay, Page};
use super::session::{Session, Tab};
use crate::domain::action::Action;
use crate::domain::id::TerminalId;
use crate::domain::layout::{Axis, Rect};
use crate::domain::profile::ProfileName;
use crate::domain::screen::MouseMode;
use crate::pane::Gauge;
use crate::store::StoreStatus;

#[derive(Debug)]
pub struct Model {
    pub session: Session,
    pub client: Client,
    pub options: Arc<Options>,
    pub gauge: Gauge,
    pub providers: Providers,
    /// As it was looked at last.
    pub store: Option<StoreStatus>,
}

impl Model {
    #[must_use]
    pub fn new(client: Client, options: Arc<Options>, gauge: Gauge) -> Self {
        Self {
            session: Session::default(),
            client,
            options,
            gauge,
            providers: Providers::default(),
            store: None,
        }
    }

    #[must_use]
    pub fn areas(&self) -> Areas {
        // What somebody opened from the command line moves nothing here before the user has looked at it.
        let panes = self.session.panes.values();
        let known = panes.filter(|pane| pane.follows_size()).count();
        // Where nobody is served there is nothing to tell.
        let providers = if self.providers.are_served() {
            self.providers.len()
        } else {
            0
        };
        let session = &self.session;
        Areas::of(
            self.client.size,
            if session.hides_sidebar { 0 } else { known },
            if session.hides_providers {
                0
            } else {
                providers
            },
        )
    }

    /// The area that a tab's layout divides on the screen.
    #[must_use]
    pub fn layout_area(&self, tab: &Tab) -> Rect {
        let areas = self.areas();
        if tab.is_single() {
            areas.panes
        } else {
            areas.below_titles()
        }
    }

    /// The panes that are to be seen, each with its area; without those that got no room.
    #[must_use]
    pub fn visible(&self) -> Vec<(TerminalId, Rect)> {
        let tab = self.session.tab();
        let is_seen = !self.client.is_away && !self.client.is_too_small();
        let Some(tab) = tab.filter(|_| is_seen) else {
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
        let areas = self.areas();
        let area = if tab.layout.ids().len() < 2 {
            areas.panes
        } else {
            areas.below_titles()
        };
        let mut rects = tab.layout.rects(area);
        rects.retain(|(_, rect)| !rect.is_empty());
        if tab.zoomed {
            rects.retain(|(id, _)| *id != tab.focus);
            rects.push((tab.focus, areas.panes));
        }
        rects
    }

    /// Whether the pool is filled beyond what the user wants to be warned of.
    #[must_use]
    pub fn is_pool_tight(&self) -> bool {
        let (active, max) = (self.gauge.active, self.gauge.max);
        #[expect(clippy::cast_precision_loss, reason = "a pool has at most 1000 places")]
        let share = active as f64 / max.max(1) as f64;
        share > self.options.warn_at || active >= max
    }

    /// Whether some pane to be seen wants every movement of the mouse.
    #[must_use]
    pub fn wants_movements(&self) -> bool {
        self.visible().iter().any(|(id, _)| {
            let pane = self.session.panes.get(id);
            pane.and_then(|pane| pane.screen.as_ref())
                .is_some_and(|screen| screen.modes.mouse == MouseMode::Any)
        })
    }

    /// Whether an action after the prefix would do something now.
    #[must_use]
    pub fn is_valid(&self, action: Action) -> bool {
        let session = &self.session;
        let panes_here = session.tab().map_or(0, |tab| tab.layout.ids().len());
        let room = self.gauge.active < self.gauge.max;
        match action {
            Action::NewPane | Action::LaunchAgent | Action::RunCommand => room,
            Action::EditHistory => {
                room && session.focused().is_some_and(|pane| pane.screen.is_some())
            }
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
            Action::LastPane => session.tab().is_some_and(|tab| tab.before.is_some()),
            Action::RunWaiting => !session.waiting().is_empty(),
            Action::NextWaiting => !session.wanting().is_empty(),
            Action::KillPane | Action::RenamePane | Action::CopyMode | Action::Search => {
                session.focused().is_some()
            }
            Action::PasteBuffer => !session.paste_buffer.is_empty() && session.focused().is_some(),
            Action::NextTab
            | Action::PreviousTab
            | Action::GoToTab
            | Action::MoveTabLeft
            | Action::MoveTabRight => session.tabs.len() > 1,
            Action::LastTab => session.last_tab().is_some(),
            Action::MovePane => session.tabs.len() > 1 || panes_here > 1,
            Action::RenameTab => session.tab().is_some(),
            Action::ToggleProviders => self.providers.are_served(),
            Action::ProviderPanel | Action::FailOver | Action::RestartProvider => {
                !self.providers.is_empty()
            }
            _ => action
                .tab_number()
                .is_none_or(|number| number <= session.tabs.len()),
        }
    }

    fn can_split(&self, axis: Axis) -> bool {
        self.session.tab().is_some_and(|tab| {
            let area = self.areas().below_titles();
            tab.layout.has_room(tab.focus, axis, area)
        })
    }

    /// The provider whose details are open.
    #[must_use]
    pub fn details_of(&self) -> Option<&ProfileName> {
        match &self.client.overlay {
            Some(Overlay::Providers(panel)) if matches!(panel.page, Page::Details { .. }) => {
                panel.selected.as_ref()
            }
            _ => None,
        }
    }

    /// Whether anything of the providers is on the screen.
    #[must_use]
    pub fn shows_providers(&self) -> bool {
        let panel = matches!(self.client.overlay, Some(Overlay::Providers(_)));
        panel || self.areas().providers.is_some()
    }

    /// The next moment at which something changes by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let counting = self
            .shows_providers()
            .then(|| self.providers.next_change())
            .flatten();
        [
            self.client.next_deadline(),
            self.session.messages.next_deadline(),
            counting,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
