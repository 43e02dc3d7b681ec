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
    /// Smaller, and no prompt fits.
    pub const MIN: Self = Self { cols: 2, rows: 2 };
    pub const MAX: Self = Self {
        cols: 1000,
        rows: 1000,
    };
    /// What a terminal has where nobody says.
    pub const DEFAULT: Self = Self { cols: 80, rows: 24 };

    /// The size that somebody asked for. A side of 1 is given as the floor, everything else as it was asked for.
    ///
    /// # Errors
    /// [`SizeError`] where a side is 0 or above [`Size::MAX`].
    pub fn asked(cols: u32, rows: u32) -> Result<Self, SizeError> {
        let within = |asked: u32, most: u16| {
            let side = u16::try_from(asked).ok();
            side.filter(|side| (1..=most).contains(side))
        };
        let (max_cols, max_rows) = (Self::MAX.cols, Self::MAX.rows);
        within(cols, max_cols)
            .zip(within(rows, max_rows))
            .map(|(cols, rows)| Self::clamped(cols, rows))
            .ok_or(SizeError { cols, rows })
    }

    /// Makes a size, moving each side into the allowed range.
    #[must_use]
    pub fn clamped(cols: u16, rows: u16) -> Self {
        Self {
            cols: cols.clamp(Self::MIN.cols, Self::MAX.cols),
            rows: rows.clamp(Self::MIN.rows, Self::MAX.rows),
        }
    }

    /// Columns, within [`Size::MIN`] and [`Size::MAX`].
    #[must_use]
    pub fn cols(self) -> u16 {
        self.cols
    }

    /// Rows, within [`Size::MIN`] and [`Size::MAX`].
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

/// A size that no terminal of tundra can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cols}x{rows} is out of range: from 1x1 to {}", Size::MAX)]
pub struct SizeError {
    cols: u32,
    rows: u32,
}

/// What is wrong with a text that should be a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseSizeError {
    #[error("{0:?} is not a size: write COLSxROWS, for example 120x40")]
    NotASize(String),
    #[error("{0} is out of range: from 1x1 to {max}", max = Size::MAX)]
    OutOfRange(String),
}

impl FromStr for Size {
    type Err = ParseSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let Some((cols, rows)) = text
            .split_once(['x', 'X'])
            .filter(|(cols, rows)| digits(cols) && digits(rows))
        else {
            return Err(ParseSizeError::NotASize(text.to_owned()));
        };
        // What does not fit into the number is out of range too.
        let size = cols.parse().ok().zip(rows.parse().ok());
        size.and_then(|(cols, rows)| Self::asked(cols, rows).ok())
            .ok_or_else(|| ParseSizeError::OutOfRange(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_taken_as_it_was_asked_for_or_refused_with_the_range() {
        let parsed = |text: &str| {
            let size = text.parse::<Size>();
            size.map_or_else(|error| error.to_string(), |size| size.to_string())
        };
        for (text, expected) in [
            ("120x40", "120x40"),
            ("1x1", "2x2"),
            ("1000x1000", "1000x1000"),
            ("0x10", "0x10 is out of range: from 1x1 to 1000x1000"),
            ("1001x10", "1001x10 is out of range: from 1x1 to 1000x1000"),
            ("10x1001", "10x1001 is out of range: from 1x1 to 1000x1000"),
            ("99999x9", "99999x9 is out of range: from 1x1 to 1000x1000"),
            (
                "80",
                "\"80\" is not a size: write COLSxROWS, for example 120x40",
            ),
            (
                "-1x4",
                "\"-1x4\" is not a size: write COLSxROWS, for example 120x40",
            ),
            (
                "+8x4",
                "\"+8x4\" is not a size: write COLSxROWS, for example 120x40",
            ),
        ] {
            assert_eq!(parsed(text), expected);
        }
        let error = Size::asked(80, 1001).unwrap_err();
        assert_eq!(
            error.to_string(),
            "80x1001 is out of range: from 1x1 to 1000x1000"
        );
    }

    #[test]
    fn a_size_is_columns_by_rows() {
        let size = Size::clamped(80, 24);
        assert_eq!((size.cols(), size.rows()), (80, 24));
    }
}
