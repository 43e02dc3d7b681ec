//! Areas, directions and dividers.

/// An area of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Rect {
    /// A rectangle in columns and rows; 0, 0 is the upper left cell.
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

    /// First cell and length along an axis.
    pub(super) const fn along(self, axis: Axis) -> (u16, u16) {
        match axis {
            Axis::Horizontal => (self.x, self.width),
            Axis::Vertical => (self.y, self.height),
        }
    }

    /// The same area with another extent along an axis.
    pub(super) const fn with_along(self, axis: Axis, start: u16, length: u16) -> Self {
        match axis {
            Axis::Horizontal => Self::new(start, self.y, length, self.height),
            Axis::Vertical => Self::new(self.x, start, self.width, length),
        }
    }

    /// How many rows or columns two areas have in common along an axis.
    pub(super) fn overlap(self, other: Self, axis: Axis) -> u16 {
        let (a, a_length) = self.along(axis);
        let (b, b_length) = other.along(axis);
        let end = a.saturating_add(a_length).min(b.saturating_add(b_length));
        end.saturating_sub(a.max(b))
    }

    /// Whether it has no cell.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether the cell is in it.
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

impl Axis {
    /// The other axis.
    #[must_use]
    pub const fn across(self) -> Self {
        match self {
            Self::Horizontal => Self::Vertical,
            Self::Vertical => Self::Horizontal,
        }
    }
}

/// A direction on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Left,
    Right,
    Up,
    Down,
}

impl Side {
    /// The axis that it lies on.
    #[must_use]
    pub const fn axis(self) -> Axis {
        match self {
            Self::Left | Self::Right => Axis::Horizontal,
            Self::Up | Self::Down => Axis::Vertical,
        }
    }

    /// Whether coordinates grow towards this side.
    pub(super) const fn is_onward(self) -> bool {
        matches!(self, Self::Right | Self::Down)
    }
}

/// A divider between the two sides of a split, one cell thick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divider {
    /// The axis of its split: a divider of a horizontal split is a vertical line.
    pub axis: Axis,
    /// The cells that it is drawn in: one column, or one row.
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

/// The cells of dividers, each once, joined where lines meet.
pub(super) fn join(dividers: &[Divider]) -> Vec<DividerCell> {
    let line_at = |x: Option<u16>, y: Option<u16>, axis: Axis| match (x, y) {
        (Some(x), Some(y)) => dividers
            .iter()
            .any(|divider| divider.axis == axis && divider.rect.contains(x, y)),
        _ => false,
    };
    let mut cells = Vec::new();
    for divider in dividers {
        let rect = divider.rect;
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                let line = divider.axis == Axis::Horizontal;
                cells.push(DividerCell {
                    x,
                    y,
                    up: line || line_at(Some(x), y.checked_sub(1), Axis::Horizontal),
                    down: line || line_at(Some(x), y.checked_add(1), Axis::Horizontal),
                    left: !line || line_at(x.checked_sub(1), Some(y), Axis::Vertical),
                    right: !line || line_at(x.checked_add(1), Some(y), Axis::Vertical),
                });
            }
        }
    }
    cells
}
