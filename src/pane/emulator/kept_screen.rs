//! The shape of a screen without an emulator behind it: the last one of a terminal that ended a while ago.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::block::{Block, Meta};
use super::kept::KeptBlock;
use super::packed::{PACKING, Packer};
use crate::domain::screen::{
    Cursor, CursorShape, InputModes, MouseEncoding, MouseMode, Row, ScreenSnapshot,
};
use crate::domain::size::Size;
use crate::runtime::handover::{Incoming, Outgoing};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptScreen {
    packing: u32,
    cols: u16,
    rows: u16,
    content: KeptBlock,
    cursor: KeptCursor,
    title: String,
    alternate_screen: bool,
    reverse: bool,
    modes: KeptModes,
    history_start: u64,
    top: u64,
    rewraps: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct KeptCursor {
    row: u16,
    col: u16,
    visible: bool,
    /// The parameter of DECSCUSR without its blinking: 0, 2, 4 or 6.
    shape: u8,
    blinking: bool,
}

/// The modes that a screen tells; what only typing needs has no meaning any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct KeptModes {
    application_cursor: bool,
    application_keypad: bool,
    bracketed_paste: bool,
    focus: bool,
    /// The private mode that was set, or 0.
    mouse: u16,
    /// The same.
    mouse_encoding: u16,
}

impl KeptScreen {
    /// Keeps a screen.
    pub fn of(screen: &ScreenSnapshot, out: &mut Outgoing) -> Self {
        let mut block = Block::default();
        let mut packer = Packer::default();
        for row in &screen.rows {
            packer.set_row(row);
            packer.pack(row.wrapped, &mut block.data, &mut block.links);
            let end = u32::try_from(block.data.len()).unwrap_or(u32::MAX);
            block.ends.push(end);
            block.metas.push(Meta {
                cols: packer.text_cols(),
                wrapped: row.wrapped,
                has_wide: packer.has_wide(),
            });
        }
        Self {
            packing: PACKING,
            cols: screen.size.cols(),
            rows: screen.size.rows(),
            content: block.keep(out),
            cursor: KeptCursor::from(&screen.cursor),
            title: screen.title.to_string(),
            alternate_screen: screen.alternate_screen,
            reverse: screen.reverse,
            modes: KeptModes::from(&screen.modes),
            history_start: screen.history_start,
            top: screen.top,
            rewraps: screen.rewraps,
        }
    }

    /// The screen that was kept, rows without their trailing blanks.
    #[must_use]
    pub fn resume(&self, incoming: &Incoming) -> ScreenSnapshot {
        let size = Size::clamped(self.cols, self.rows);
        let block = if self.packing == PACKING {
            Block::resume(&self.content, incoming)
        } else {
            Block::default()
        };
        let mut rows: Vec<Arc<Row>> = (0..block.ends.len())
            .map(|index| Arc::new(block.row(index)))
            .collect();
        rows.resize_with(usize::from(size.rows()), Arc::default);
        ScreenSnapshot {
            size,
            rows,
            cursor: self.cursor.into(),
            title: self.title.as_str().into(),
            alternate_screen: self.alternate_screen,
            reverse: self.reverse,
            modes: self.modes.into(),
            history_start: self.history_start,
            top: self.top,
            rewraps: self.rewraps,
        }
    }
}

impl From<&Cursor> for KeptCursor {
    fn from(cursor: &Cursor) -> Self {
        Self {
            row: cursor.row,
            col: cursor.col,
            visible: cursor.visible,
            shape: match cursor.shape {
                CursorShape::Default => 0,
                CursorShape::Block => 2,
                CursorShape::Underline => 4,
                CursorShape::Bar => 6,
            },
            blinking: cursor.blinking,
        }
    }
}

impl From<KeptCursor> for Cursor {
    fn from(kept: KeptCursor) -> Self {
        Self {
            row: kept.row,
            col: kept.col,
            visible: kept.visible,
            shape: match kept.shape {
                2 => CursorShape::Block,
                4 => CursorShape::Underline,
                6 => CursorShape::Bar,
                _ => CursorShape::Default,
            },
            blinking: kept.blinking,
        }
    }
}

impl From<&InputModes> for KeptModes {
    fn from(modes: &InputModes) -> Self {
        Self {
            application_cursor: modes.application_cursor,
            application_keypad: modes.application_keypad,
            bracketed_paste: modes.bracketed_paste,
            focus: modes.focus,
            mouse: match modes.mouse {
                MouseMode::None => 0,
                MouseMode::X10 => 9,
                MouseMode::Normal => 1000,
                MouseMode::Button => 1002,
                MouseMode::Any => 1003,
            },
            mouse_encoding: match modes.mouse_encoding {
                MouseEncoding::Default => 0,
                MouseEncoding::Utf8 => 1005,
                MouseEncoding::Sgr => 1006,
                MouseEncoding::Urxvt => 1015,
                MouseEncoding::SgrPixels => 1016,
            },
        }
    }
}

impl From<KeptModes> for InputModes {
    fn from(kept: KeptModes) -> Self {
        Self {
            application_cursor: kept.application_cursor,
            application_keypad: kept.application_keypad,
            bracketed_paste: kept.bracketed_paste,
            focus: kept.focus,
            mouse: match kept.mouse {
                9 => MouseMode::X10,
                1000 => MouseMode::Normal,
                1002 => MouseMode::Button,
                1003 => MouseMode::Any,
                _ => MouseMode::None,
            },
            mouse_encoding: match kept.mouse_encoding {
                1005 => MouseEncoding::Utf8,
                1006 => MouseEncoding::Sgr,
                1015 => MouseEncoding::Urxvt,
                1016 => MouseEncoding::SgrPixels,
                _ => MouseEncoding::Default,
            },
            ..Self::default()
        }
    }
}
