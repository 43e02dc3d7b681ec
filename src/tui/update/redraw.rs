//! How much of the screen a message changed.

/// What has to be drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Redraw {
    Nothing,
    /// Rows of panes.
    Panes,
    All,
}
