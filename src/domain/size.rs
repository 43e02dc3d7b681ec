//! The size of a terminal in cells.

use std::fmt;
use std::str::FromStr;

/// Width and height of a cell in pixels as programs are told when they ask, since tundra draws cells and no pixels.
pub const CELL_PIXELS: (u16, u16) = (8, 16);

/// Columns and rows of a terminal, always within [`Size::MIN`] and [`Size::MAX`].
///
/// The floor of 2x2 keeps a wide character placeable; the ceiling bounds what one pane may allocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    cols: u16,
    rows: u16,
}

impl Size {
    pub const MIN: Self = Self { cols: 2, rows: 2 };
    pub const MAX: Self = Self {
        cols: 1000,
        rows: 500,
    };
    pub const DEFAULT: Self = Self { cols: 80, rows: 24 };

    /// Makes a size, moving each side into the allowed range.
    #[must_use]
    pub fn clamped(cols: u16, rows: u16) -> Self {
        Self {
            cols: cols.clamp(Self::MIN.cols, Self::MAX.cols),
            rows: rows.clamp(Self::MIN.rows, Self::MAX.rows),
        }
    }

    #[must_use]
    pub fn cols(self) -> u16 {
        self.cols
    }

    #[must_use]
    pub fn rows(self) -> u16 {
        self.rows
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.cols, self.rows)
    }
}

/// What is wrong with a text that should be a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size: write COLSxROWS, for example 120x40")]
pub struct ParseSizeError(String);

impl FromStr for Size {
    type Err = ParseSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |part: &str| part.parse::<u16>().ok().filter(|n| *n > 0);
        text.split_once(['x', 'X'])
            .and_then(|(cols, rows)| Some(Self::clamped(parse(cols)?, parse(rows)?)))
            .ok_or_else(|| ParseSizeError(text.to_owned()))
    }
}
