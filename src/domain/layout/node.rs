//! The tree of splits: how one cuts its area in two, and how its divider moves.

use super::geometry::{Axis, Divider, Rect};
use super::tree::LayoutTree;
use crate::domain::id::TerminalId;

/// Columns and rows below which a pane is not made smaller while there is another way.
pub(super) const LEAST: u32 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Pane(TerminalId),
    Split(Box<Split>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) axis: Axis,
    share: Share,
    pub(super) first: Node,
    pub(super) second: Node,
}

/// The part of a split's area that its first side has. Each side counts with one divider cell, so that equal shares of
/// nested splits come out as equal panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Share {
    part: u32,
    whole: u32,
}

/// How an area is cut in two; without a divider where there is no room for one.
pub(super) struct Cut {
    pub(super) first: Rect,
    pub(super) divider: Option<Divider>,
    pub(super) second: Rect,
}

impl Node {
    pub(super) fn split(first: Self, axis: Axis, second: Self) -> Self {
        Self::Split(Box::new(Split {
            axis,
            share: Share { part: 1, whole: 2 },
            first,
            second,
        }))
    }

    pub(super) fn to_tree(&self) -> LayoutTree {
        match self {
            Self::Pane(id) => LayoutTree::Pane(*id),
            Self::Split(split) => LayoutTree::Split {
                axis: split.axis,
                part: split.share.part,
                whole: split.share.whole,
                first: Box::new(split.first.to_tree()),
                second: Box::new(split.second.to_tree()),
            },
        }
    }

    /// None where a share is none.
    pub(super) fn from_tree(tree: &LayoutTree) -> Option<Self> {
        Some(match tree {
            LayoutTree::Pane(id) => Self::Pane(*id),
            LayoutTree::Split {
                axis,
                part,
                whole,
                first,
                second,
            } => {
                let fits = *part > 0 && part < whole && u16::try_from(*whole).is_ok();
                let share = fits.then_some(Share {
                    part: *part,
                    whole: *whole,
                });
                Self::Split(Box::new(Split {
                    axis: *axis,
                    share: share?,
                    first: Self::from_tree(first)?,
                    second: Self::from_tree(second)?,
                }))
            }
        })
    }

    /// The cells that the panes here need along an axis, dividers included.
    fn least(&self, axis: Axis) -> u32 {
        match self {
            Self::Pane(_) => LEAST,
            Self::Split(split) => {
                let (first, second) = (split.first.least(axis), split.second.least(axis));
                if split.axis == axis {
                    first + 1 + second
                } else {
                    first.max(second)
                }
            }
        }
    }

    /// How many panes follow each other along an axis.
    fn count(&self, axis: Axis) -> u32 {
        match self {
            Self::Split(split) if split.axis == axis => {
                split.first.count(axis) + split.second.count(axis)
            }
            _ => 1,
        }
    }

    /// The first pane of the tree, or the last.
    pub(super) fn end(&self, last: bool) -> TerminalId {
        let mut node = self;
        loop {
            match node {
                Self::Pane(id) => return *id,
                Self::Split(split) => node = if last { &split.second } else { &split.first },
            }
        }
    }

    pub(super) fn collect_ids(&self, ids: &mut Vec<TerminalId>) {
        match self {
            Self::Pane(id) => ids.push(*id),
            Self::Split(split) => {
                split.first.collect_ids(ids);
                split.second.collect_ids(ids);
            }
        }
    }

    pub(super) fn collect_rects(&self, area: Rect, rects: &mut Vec<(TerminalId, Rect)>) {
        match self {
            Self::Pane(id) => rects.push((*id, area)),
            Self::Split(split) => {
                let cut = split.cut(area);
                split.first.collect_rects(cut.first, rects);
                split.second.collect_rects(cut.second, rects);
            }
        }
    }

    pub(super) fn collect_dividers(&self, area: Rect, dividers: &mut Vec<Divider>) {
        if let Self::Split(split) = self {
            let cut = split.cut(area);
            dividers.extend(cut.divider);
            split.first.collect_dividers(cut.first, dividers);
            split.second.collect_dividers(cut.second, dividers);
        }
    }

    pub(super) fn pane_mut(&mut self, wanted: TerminalId) -> Option<&mut Self> {
        match self {
            Self::Pane(id) if *id == wanted => Some(self),
            Self::Pane(_) => None,
            Self::Split(split) => match split.first.pane_mut(wanted) {
                Some(node) => Some(node),
                None => split.second.pane_mut(wanted),
            },
        }
    }

    pub(super) fn relabel(&mut self, change: &impl Fn(TerminalId) -> TerminalId) {
        match self {
            Self::Pane(id) => *id = change(*id),
            Self::Split(split) => {
                split.first.relabel(change);
                split.second.relabel(change);
            }
        }
    }

    /// Takes a pane out of a tree that has more than this one; gives the pane beside it that takes its room.
    pub(super) fn remove(&mut self, id: TerminalId) -> Option<TerminalId> {
        let Self::Split(split) = self else {
            return None;
        };
        let (kept, last) = if split.first == Self::Pane(id) {
            (&mut split.second, false)
        } else if split.second == Self::Pane(id) {
            (&mut split.first, true)
        } else {
            return split.first.remove(id).or_else(|| split.second.remove(id));
        };
        let heir = kept.end(last);
        let kept = std::mem::replace(kept, Self::Pane(id));
        *self = kept;
        Some(heir)
    }

    /// The way from here to a pane: for each split on it, whether it leads to the second side.
    pub(super) fn path_to(&self, wanted: TerminalId, path: &mut Vec<bool>) -> bool {
        match self {
            Self::Pane(id) => *id == wanted,
            Self::Split(split) => {
                for (node, second) in [(&split.first, false), (&split.second, true)] {
                    path.push(second);
                    if node.path_to(wanted, path) {
                        return true;
                    }
                    path.pop();
                }
                false
            }
        }
    }

    pub(super) fn even(&mut self) {
        if let Self::Split(split) = self {
            let first = split.first.count(split.axis);
            split.share = Share {
                part: first,
                whole: first + split.second.count(split.axis),
            };
            split.first.even();
            split.second.even();
        }
    }

    /// Keeps the dividers across an axis where they were while the area around them changes.
    fn keep_dividers(&mut self, axis: Axis, before: Rect, after: Rect) {
        if let Self::Split(split) = self
            && before != after
        {
            let old = split.cut(before);
            if split.axis == axis {
                let (start, _) = after.along(axis);
                let (first_start, first_length) = old.first.along(axis);
                let end = first_start.saturating_add(first_length);
                split.set_first(after, end.saturating_sub(start));
            }
            let new = split.cut(after);
            split.first.keep_dividers(axis, old.first, new.first);
            split.second.keep_dividers(axis, old.second, new.second);
        }
    }
}

impl Split {
    pub(super) fn cut(&self, area: Rect) -> Cut {
        let (start, length) = area.along(self.axis);
        if length < 3 {
            return Cut {
                first: area,
                divider: None,
                second: area.with_along(self.axis, start.saturating_add(length), 0),
            };
        }
        let room = u32::from(length) - 1;
        let share = self.share;
        let wished = ((room + 2) * share.part + share.whole / 2) / share.whole;
        let first = self.bounded(room, wished.saturating_sub(1));
        let divider_at = start.saturating_add(first);
        let second_at = divider_at.saturating_add(1);
        let rect = area.with_along(self.axis, divider_at, 1);
        Cut {
            first: area.with_along(self.axis, start, first),
            divider: (!rect.is_empty()).then_some(Divider {
                axis: self.axis,
                rect,
            }),
            second: area.with_along(self.axis, second_at, length - 1 - first),
        }
    }

    /// Whether both sides have the least room that they need.
    pub(super) fn has_room(&self, area: Rect) -> bool {
        let (_, length) = area.along(self.axis);
        let (first, second) = self.least_sides();
        u32::from(length) > first + second
    }

    /// Moves the divider so that the first side has this many cells, or as near as can be. The dividers beyond keep
    /// their places. False if it does not move.
    pub(super) fn move_divider(&mut self, area: Rect, first: u16) -> bool {
        let old = self.cut(area);
        if old.divider.is_none() || !self.has_room(area) {
            return false;
        }
        self.set_first(area, first);
        let new = self.cut(area);
        self.first.keep_dividers(self.axis, old.first, new.first);
        self.second.keep_dividers(self.axis, old.second, new.second);
        old.first != new.first
    }

    fn set_first(&mut self, area: Rect, first: u16) {
        let (_, length) = area.along(self.axis);
        if length >= 3 {
            let room = u32::from(length) - 1;
            self.share = Share {
                part: u32::from(self.bounded(room, u32::from(first))) + 1,
                whole: room + 2,
            };
        }
    }

    /// The length of the first side nearest to a wish. Where the least sizes do not fit, each side keeps one cell.
    fn bounded(&self, room: u32, wished: u32) -> u16 {
        let (first, second) = self.least_sides();
        let (low, high) = if room >= first + second {
            (first, room - second)
        } else {
            (1, room - 1)
        };
        u16::try_from(wished.clamp(low, high)).unwrap_or(u16::MAX)
    }

    fn least_sides(&self) -> (u32, u32) {
        (self.first.least(self.axis), self.second.least(self.axis))
    }
}
