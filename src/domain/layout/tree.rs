//! A layout as a plain value, for whoever writes it down.

use super::geometry::Axis;
use crate::domain::id::TerminalId;

/// The panes of a tab and how they share its area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutTree {
    Pane(TerminalId),
    Split {
        axis: Axis,
        /// The first side has `part` of `whole`.
        part: u32,
        whole: u32,
        first: Box<LayoutTree>,
        second: Box<LayoutTree>,
    },
}
