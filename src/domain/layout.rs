//! How the panes of a tab share its area: a tree of splits, as a plain value.

use super::id::TerminalId;

/// An area of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Rect {
    #[must_use]
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// One more than the last column.
    #[must_use]
    pub const fn right(self) -> u16 {
        self.x.saturating_add(self.width)
    }

    /// One more than the last row.
    #[must_use]
    pub const fn bottom(self) -> u16 {
        self.y.saturating_add(self.height)
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    #[must_use]
    pub const fn contains(self, x: u16, y: u16) -> bool {
        self.x <= x && x < self.right() && self.y <= y && y < self.bottom()
    }

    /// Whether the cell lies right beside this area, corners included: there its border is drawn.
    #[must_use]
    pub const fn borders(self, x: u16, y: u16) -> bool {
        !self.contains(x, y)
            && self.x <= x.saturating_add(1)
            && x <= self.right()
            && self.y <= y.saturating_add(1)
            && y <= self.bottom()
    }
}

/// The direction in which the two sides of a split follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Side by side, with a vertical divider.
    Horizontal,
    /// One above the other, with a horizontal divider.
    Vertical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Left,
    Right,
    Up,
    Down,
}

/// What came of removing a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is not in this layout.
    Unknown,
    /// It is gone; `heir` is the pane that should have the focus now, one that took its room.
    Removed { heir: TerminalId },
    /// It is the only one, so the layout has to go as a whole; nothing was changed.
    Last,
}

/// A divider between the two sides of a split, one cell thick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// The axis of its split: a divider of a horizontal split is a vertical line.
    pub axis: Axis,
    pub rect: Rect,
}

/// One cell of a divider, and towards which neighbours its line goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DividerCell {
    pub x: u16,
    pub y: u16,
    pub up: bool,
    pub down: bool,
    pub left: bool,
    pub right: bool,
}

/// The panes of a tab: at least one, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: TerminalId,
}

#[allow(
    unused_variables,
    clippy::unused_self,
    clippy::needless_pass_by_ref_mut
)]
impl Layout {
    #[must_use]
    pub fn new(id: TerminalId) -> Self {
        Self { root: id }
    }

    /// Halves the target; the new pane comes second (right or below). False if the target is not here or the new one
    /// already is.
    pub fn split(&mut self, target: TerminalId, axis: Axis, new_id: TerminalId) -> bool {
        false
    }

    /// Whether both halves would have the smallest size of a pane.
    #[must_use]
    pub fn has_room(&self, target: TerminalId, axis: Axis, area: Rect) -> bool {
        false
    }

    /// Takes a pane out; its sibling takes its room.
    pub fn remove(&mut self, id: TerminalId) -> Removal {
        Removal::Unknown
    }

    /// Swaps the places of two panes; false if one is not here.
    pub fn swap(&mut self, a: TerminalId, b: TerminalId) -> bool {
        false
    }

    /// All panes, left before right and above before below.
    #[must_use]
    pub fn ids(&self) -> Vec<TerminalId> {
        vec![self.root]
    }

    #[must_use]
    pub fn contains(&self, id: TerminalId) -> bool {
        id == self.root
    }

    /// The pane after this one in the order of [`Self::ids`], around the end.
    #[must_use]
    pub fn next(&self, id: TerminalId) -> TerminalId {
        id
    }

    /// The pane before this one in the order of [`Self::ids`], around the start.
    #[must_use]
    pub fn previous(&self, id: TerminalId) -> TerminalId {
        id
    }

    /// Where each pane lies; together with the dividers they cover the area exactly. In an area too small for all,
    /// some are empty.
    #[must_use]
    pub fn rects(&self, area: Rect) -> Vec<(TerminalId, Rect)> {
        Vec::new()
    }

    #[must_use]
    pub fn rect_of(&self, id: TerminalId, area: Rect) -> Option<Rect> {
        None
    }

    #[must_use]
    pub fn pane_at(&self, area: Rect, x: u16, y: u16) -> Option<TerminalId> {
        None
    }

    #[must_use]
    pub fn dividers(&self, area: Rect) -> Vec<Divider> {
        Vec::new()
    }

    /// The cells of all dividers, each once, with the arms that its box character needs.
    #[must_use]
    pub fn divider_cells(&self, area: Rect) -> Vec<DividerCell> {
        Vec::new()
    }

    #[must_use]
    pub fn divider_at(&self, area: Rect, x: u16, y: u16) -> Option<Divider> {
        None
    }

    /// The pane to go to from here, around the edge of the area as in tmux: the neighbour with which it shares most
    /// of its border.
    #[must_use]
    pub fn focus_neighbour(&self, from: TerminalId, side: Side, area: Rect) -> Option<TerminalId> {
        None
    }

    /// Moves a pane's border by some cells to a side: the border on its right or below, or for a pane at that edge
    /// of the area, the one on its left or above, as tmux does. False if nothing moved.
    pub fn move_border(&mut self, id: TerminalId, side: Side, cells: u16, area: Rect) -> bool {
        false
    }

    /// Moves the divider that covers `from` to where `to` is, as far as it can go. Gives a cell of the divider as it
    /// lies now, for the next step of the drag; None if there is no divider at `from`.
    pub fn drag_divider(
        &mut self,
        area: Rect,
        from: (u16, u16),
        to: (u16, u16),
    ) -> Option<(u16, u16)> {
        None
    }

    /// Gives all panes along each line of splits the same room.
    pub fn even(&mut self) {}
}
