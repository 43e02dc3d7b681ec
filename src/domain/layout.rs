//! How the panes of a tab share its area: a tree of splits, as a plain value.

mod geometry;
mod node;
#[cfg(test)]
mod tests;
mod tree;

use std::cmp::Reverse;
use std::collections::BTreeSet;

pub use geometry::{Axis, Divider, DividerCell, Rect, Side};
pub use tree::LayoutTree;

use super::id::TerminalId;
use node::{LEAST, Node, Split};

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

/// The panes of a tab: at least one, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: Node,
}

impl Layout {
    /// One pane that fills everything.
    #[must_use]
    pub fn new(id: TerminalId) -> Self {
        Self {
            root: Node::Pane(id),
        }
    }

    /// The layout that was written down; None where it cannot be one: a pane in it twice, or a share that is none.
    #[must_use]
    pub fn from_tree(tree: &LayoutTree) -> Option<Self> {
        let layout = Self {
            root: Node::from_tree(tree)?,
        };
        let ids = layout.ids();
        let unique: BTreeSet<TerminalId> = ids.iter().copied().collect();
        (unique.len() == ids.len()).then_some(layout)
    }

    #[must_use]
    pub fn to_tree(&self) -> LayoutTree {
        self.root.to_tree()
    }

    /// Halves the target; the new pane comes second (right or below). False if the target is not here or the new one
    /// already is.
    pub fn split(&mut self, target: TerminalId, axis: Axis, new_id: TerminalId) -> bool {
        if self.contains(new_id) {
            return false;
        }
        let Some(pane) = self.root.pane_mut(target) else {
            return false;
        };
        *pane = Node::split(Node::Pane(target), axis, Node::Pane(new_id));
        true
    }

    /// Whether both halves would have the smallest size of a pane.
    #[must_use]
    pub fn has_room(&self, target: TerminalId, axis: Axis, area: Rect) -> bool {
        self.rect_of(target, area).is_some_and(|rect| {
            let (_, along) = rect.along(axis);
            let (_, across) = rect.along(axis.across());
            u32::from(along) > 2 * LEAST && u32::from(across) >= LEAST
        })
    }

    /// Takes a pane out; its sibling takes its room.
    pub fn remove(&mut self, id: TerminalId) -> Removal {
        if self.root == Node::Pane(id) {
            return Removal::Last;
        }
        self.root
            .remove(id)
            .map_or(Removal::Unknown, |heir| Removal::Removed { heir })
    }

    /// Swaps the places of two panes; false if one is not here.
    pub fn swap(&mut self, a: TerminalId, b: TerminalId) -> bool {
        let known = self.contains(a) && self.contains(b);
        if known {
            self.root.relabel(&|id| match id {
                _ if id == a => b,
                _ if id == b => a,
                _ => id,
            });
        }
        known
    }

    /// All panes, left before right and above before below.
    #[must_use]
    pub fn ids(&self) -> Vec<TerminalId> {
        let mut ids = Vec::new();
        self.root.collect_ids(&mut ids);
        ids
    }

    /// Whether the pane of this terminal is in it.
    #[must_use]
    pub fn contains(&self, id: TerminalId) -> bool {
        self.ids().contains(&id)
    }

    /// The pane after this one in the order of [`Self::ids`], around the end; the first one for one that is not here.
    #[must_use]
    pub fn next(&self, id: TerminalId) -> TerminalId {
        let ids = self.ids();
        let after = ids.iter().skip_while(|other| **other != id).nth(1);
        after.copied().unwrap_or_else(|| self.root.end(false))
    }

    /// The pane before this one in the order of [`Self::ids`], around the start; the last one for one that is not
    /// here.
    #[must_use]
    pub fn previous(&self, id: TerminalId) -> TerminalId {
        let ids = self.ids();
        let before = ids.iter().rev().skip_while(|other| **other != id).nth(1);
        before.copied().unwrap_or_else(|| self.root.end(true))
    }

    /// Where each pane lies, in the order of [`Self::ids`]; together with the dividers they cover the area exactly.
    /// In an area too small for all, some are empty.
    #[must_use]
    pub fn rects(&self, area: Rect) -> Vec<(TerminalId, Rect)> {
        let mut rects = Vec::new();
        self.root.collect_rects(area, &mut rects);
        rects
    }

    /// Where the pane of this terminal stands in `area`; `None` where it is not shown, as behind a zoomed one.
    #[must_use]
    pub fn rect_of(&self, id: TerminalId, area: Rect) -> Option<Rect> {
        let mut rects = self.rects(area).into_iter();
        rects.find(|(other, _)| *other == id).map(|(_, rect)| rect)
    }

    /// The pane at a column and row; none on a divider.
    #[must_use]
    pub fn pane_at(&self, area: Rect, x: u16, y: u16) -> Option<TerminalId> {
        let mut rects = self.rects(area).into_iter();
        rects
            .find(|(_, rect)| rect.contains(x, y))
            .map(|(id, _)| id)
    }

    /// The lines between panes in `area`; none while one is zoomed.
    #[must_use]
    pub fn dividers(&self, area: Rect) -> Vec<Divider> {
        let mut dividers = Vec::new();
        self.root.collect_dividers(area, &mut dividers);
        dividers
    }

    /// The cells of all dividers, each once, with the arms that its box character needs.
    #[must_use]
    pub fn divider_cells(&self, area: Rect) -> Vec<DividerCell> {
        geometry::join(&self.dividers(area))
    }

    /// The line at a column and row, to be dragged.
    #[must_use]
    pub fn divider_at(&self, area: Rect, x: u16, y: u16) -> Option<Divider> {
        let mut dividers = self.dividers(area).into_iter();
        dividers.find(|divider| divider.rect.contains(x, y))
    }

    /// The pane to go to from here, around the edge of the area as in tmux: the neighbour with which it shares most
    /// of its border.
    #[must_use]
    pub fn focus_neighbour(&self, from: TerminalId, side: Side, area: Rect) -> Option<TerminalId> {
        let rects = self.rects(area);
        let (_, here) = *rects.iter().find(|(id, _)| *id == from)?;
        let axis = side.axis();
        let near = |rect: Rect| edge(rect, axis, !side.is_onward());
        let border = edge(here, axis, side.is_onward());
        let far_border = edge(area, axis, !side.is_onward());
        // Neighbours are one divider apart, or none where the area is too small for it.
        let beside = |rect: Rect| border.abs_diff(near(rect)) <= 1;
        let around = |rect: Rect| near(rect) == far_border;
        let best = |fits: &dyn Fn(Rect) -> bool| {
            rects
                .iter()
                .filter(|(id, rect)| *id != from && !rect.is_empty() && fits(*rect))
                .map(|(id, rect)| (*id, rect.overlap(here, axis.across())))
                .filter(|(_, overlap)| *overlap > 0)
                .min_by_key(|(_, overlap)| Reverse(*overlap))
                .map(|(id, _)| id)
        };
        best(&beside).or_else(|| best(&around))
    }

    /// Moves a pane's border by some cells to a side: the border on its right or below, or for a pane at that edge
    /// of the area, the one on its left or above, as tmux does. False if nothing moved.
    pub fn move_border(&mut self, id: TerminalId, side: Side, cells: u16, area: Rect) -> bool {
        let mut path = Vec::new();
        if !self.root.path_to(id, &mut path) {
            return false;
        }
        let axis = side.axis();
        let Some(depth) = border_depth(&self.root, &path, axis) else {
            return false;
        };
        let Some((split, area)) = descend(&mut self.root, &path, depth, area) else {
            return false;
        };
        let (_, first) = split.cut(area).first.along(axis);
        let first = if side.is_onward() {
            first.saturating_add(cells)
        } else {
            first.saturating_sub(cells)
        };
        split.move_divider(area, first)
    }

    /// Moves the divider that covers `from` to where `to` is, as far as it can go. Gives a cell of the divider as it
    /// lies now, for the next step of the drag; None if there is no divider at `from`. Cells are (column, row).
    pub fn drag_divider(
        &mut self,
        area: Rect,
        from: (u16, u16),
        to: (u16, u16),
    ) -> Option<(u16, u16)> {
        let mut node = &mut self.root;
        let mut area = area;
        loop {
            let Node::Split(split) = node else {
                return None;
            };
            let cut = split.cut(area);
            if cut.divider?.rect.contains(from.0, from.1) {
                let axis = split.axis;
                let target = match axis {
                    Axis::Horizontal => to.0,
                    Axis::Vertical => to.1,
                };
                let (start, _) = area.along(axis);
                split.move_divider(area, target.saturating_sub(start));
                let rect = split.cut(area).divider?.rect;
                return Some(match axis {
                    Axis::Horizontal => (rect.x, from.1),
                    Axis::Vertical => (from.0, rect.y),
                });
            }
            if cut.first.contains(from.0, from.1) {
                (node, area) = (&mut split.first, cut.first);
            } else {
                (node, area) = (&mut split.second, cut.second);
            }
        }
    }

    /// Gives all panes along each line of splits the same room.
    pub fn even(&mut self) {
        self.root.even();
    }
}

/// The first cell of an area along an axis, or one more than its last.
fn edge(rect: Rect, axis: Axis, end: bool) -> u16 {
    let (start, length) = rect.along(axis);
    if end {
        start.saturating_add(length)
    } else {
        start
    }
}

/// How deep on the way to a pane the split lies whose divider is its border: the nearest one behind it along the axis,
/// else the nearest one before it.
fn border_depth(root: &Node, path: &[bool], axis: Axis) -> Option<usize> {
    let mut node = root;
    let (mut behind, mut before) = (None, None);
    for (depth, second) in path.iter().enumerate() {
        let Node::Split(split) = node else {
            break;
        };
        if split.axis == axis {
            *(if *second { &mut before } else { &mut behind }) = Some(depth);
        }
        node = if *second { &split.second } else { &split.first };
    }
    behind.or(before)
}

/// The split at some depth on a way through the tree, and its area.
fn descend<'a>(
    root: &'a mut Node,
    path: &[bool],
    depth: usize,
    area: Rect,
) -> Option<(&'a mut Split, Rect)> {
    let mut node = root;
    let mut area = area;
    for second in path.iter().take(depth) {
        let Node::Split(split) = node else {
            return None;
        };
        let cut = split.cut(area);
        (node, area) = if *second {
            (&mut split.second, cut.second)
        } else {
            (&mut split.first, cut.first)
        };
    }
    match node {
        Node::Split(split) => Some((split, area)),
        Node::Pane(_) => None,
    }
}
