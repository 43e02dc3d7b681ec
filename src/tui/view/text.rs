//! Placing text within a width.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect as Area;
use ratatui::style::Style;
use unicode_truncate::UnicodeTruncateStr;
use unicode_width::UnicodeWidthStr;

use crate::domain::layout::Rect;
use crate::tui::client::Prompt;

/// Columns of a text.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text cut to a width, with a mark where something is missing.
pub(super) fn fit(text: &str, width: u16, ellipsis: &str) -> String {
    let room = usize::from(width);
    if text.width() <= room {
        return text.to_owned();
    }
    let (start, _) = text.unicode_truncate(room.saturating_sub(ellipsis.width()));
    if ellipsis.width() <= room {
        format!("{start}{ellipsis}")
    } else {
        start.to_owned()
    }
}

/// The text in lines of a width, broken at spaces where it can be; what is left after so many lines is cut.
pub(super) fn wrap(text: &str, width: u16, lines: usize, ellipsis: &str) -> Vec<String> {
    let mut wrapped = Vec::new();
    let mut paragraphs = text.lines().peekable();
    while let Some(paragraph) = paragraphs.next() {
        let left = lines.saturating_sub(wrapped.len());
        let cut = left == 1 && paragraphs.peek().is_some();
        if cut {
            let marked = format!("{paragraph} {ellipsis}");
            wrapped.push(fit(&marked, width, ellipsis));
        } else {
            wrap_paragraph(paragraph, width, left, ellipsis, &mut wrapped);
        }
        if wrapped.len() >= lines {
            break;
        }
    }
    wrapped
}

fn wrap_paragraph(text: &str, width: u16, lines: usize, ellipsis: &str, wrapped: &mut Vec<String>) {
    let room = usize::from(width.max(1));
    let mut rest = text;
    let mut taken = 0;
    while taken + 1 < lines && rest.width() > room {
        let (fits, _) = rest.unicode_truncate(room);
        let soft = fits.rfind(' ').filter(|at| *at > 0);
        let end = soft.unwrap_or(fits.len());
        if end == 0 {
            break;
        }
        wrapped.push(rest.get(..end).unwrap_or_default().to_owned());
        taken += 1;
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    wrapped.push(fit(rest, width, ellipsis));
}

/// The part of a line being typed that a field of so many columns shows, and the cursor's column in it: the line scrolls so
/// that the cursor is in the field.
pub(super) fn field<'t>(text: &'t str, before_cursor: &str, columns: u16) -> (&'t str, u16) {
    let room = usize::from(columns.saturating_sub(1));
    // From the start, as long as the cursor has its place after it.
    let start = if before_cursor.width() <= room {
        0
    } else {
        let (tail, _) = before_cursor.unicode_truncate_start(room);
        before_cursor.len() - tail.len()
    };
    let rest = text.get(start..).unwrap_or_default();
    let (shown, _) = rest.unicode_truncate(usize::from(columns));
    let before = before_cursor.get(start..).unwrap_or_default();
    (shown, width(before))
}

/// Writes text from left to right within one row of an area.
pub(super) struct Line<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Line<'a> {
    /// Begins in the given row of an area; a row outside of it takes nothing.
    pub(super) fn new(buffer: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let area = within(buffer, area);
        let inside = row < area.height;
        Self {
            x: area.x,
            y: area.y.saturating_add(row),
            end: if inside { area.right() } else { area.x },
            buffer,
        }
    }

    pub(super) fn room(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// The column the next text begins in.
    pub(super) fn x(&self) -> u16 {
        self.x
    }

    /// Writes as much as there is room for.
    pub(super) fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let room = usize::from(self.room());
        if room > 0 {
            let (x, _) = self.buffer.set_stringn(self.x, self.y, text, room, style);
            self.x = x;
        }
        self
    }

    /// Writes the text cut to the room there is.
    pub(super) fn put_fit(&mut self, text: &str, style: Style, ellipsis: &str) -> &mut Self {
        let text = fit(text, self.room(), ellipsis);
        self.put(&text, style)
    }

    /// Writes a line that is being typed, as far as there is room around its cursor.
    pub(super) fn put_field(&mut self, prompt: &Prompt, style: Style) -> &mut Self {
        let (shown, _) = field(prompt.text(), prompt.before_cursor(), self.room());
        self.put(shown, style)
    }

    /// Leaves columns free.
    pub(super) fn skip(&mut self, columns: u16) -> &mut Self {
        self.x = self.x.saturating_add(columns).min(self.end);
        self
    }

    /// Writes at the right end, if all of it fits.
    pub(super) fn put_right(&mut self, text: &str, style: Style) -> &mut Self {
        let width = width(text);
        if width > 0 && width <= self.room() {
            let x = self.end - width;
            self.buffer
                .set_stringn(x, self.y, text, usize::from(width), style);
            self.end = x;
        }
        self
    }
}

/// Fills an area with a style and blanks.
pub(super) fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    let area = within(buffer, area);
    for position in area.positions() {
        if let Some(cell) = buffer.cell_mut(position) {
            cell.reset();
            cell.set_style(style);
        }
    }
}

/// The part of an area that is on the screen, in ratatui's form.
fn within(buffer: &Buffer, area: Rect) -> Area {
    Area::new(area.x, area.y, area.width, area.height).intersection(buffer.area)
}
