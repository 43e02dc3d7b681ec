//! A tab: panes that share the screen.

use crate::domain::id::TerminalId;
use crate::domain::layout::Layout;

#[derive(Clone, Debug)]
pub struct Tab {
    /// What its user calls it; None for the name of the pane that has the focus in it.
    pub name: Option<String>,
    pub layout: Layout,
    /// A pane of the layout.
    pub focus: TerminalId,
    /// The pane that had the focus before, if it is still here.
    pub before: Option<TerminalId>,
    /// The focused pane has all the room.
    pub zoomed: bool,
    /// Its number among the tabs to begin with, which may come in any order.
    pub start: Option<usize>,
}

impl Tab {
    #[must_use]
    pub fn new(id: TerminalId) -> Self {
        Self {
            name: None,
            layout: Layout::new(id),
            focus: id,
            before: None,
            zoomed: false,
            start: None,
        }
    }

    /// Whether one pane has all the room, so that none needs a title of its own.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.zoomed || self.layout.ids().len() < 2
    }

    /// Gives a pane of this tab the focus.
    pub fn set_focus(&mut self, id: TerminalId) {
        if id != self.focus && self.layout.contains(id) {
            self.before = Some(self.focus);
            self.focus = id;
        }
    }
}
