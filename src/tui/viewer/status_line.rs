//! The line below a viewer's pane.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::domain::chord::Chord;

/// What the line tells: how the connection is, who writes, and how to leave.
pub(super) struct StatusLine<'v> {
    pub prefix: Chord,
    pub after_prefix: bool,
    /// Rows of history between what is shown and the present.
    pub back: u64,
    /// Keys scroll.
    pub is_steered: bool,
    pub read_only: bool,
    pub writes: bool,
    /// Who writes, where it is another one.
    pub other: Option<&'v str>,
    pub name: &'v str,
    pub state: &'v str,
}

impl StatusLine<'_> {
    /// Writes it into the last row. How to leave is always there; the rest is cut where it does not fit.
    pub fn draw(&self, chrome: &mut Buffer, style: Style) {
        let area = chrome.area;
        let y = area.height.saturating_sub(1);
        chrome.set_style(Rect::new(0, y, area.width, 1), style);
        let (left, right) = self.texts();
        let width = usize::from(area.width);
        let kept = right.width().min(width);
        let room = width - kept;
        chrome.set_stringn(0, y, left, room, style);
        // Not wider than the area, whose width is a u16.
        let x = u16::try_from(room).unwrap_or(u16::MAX);
        chrome.set_stringn(x, y, right, kept, style);
    }

    fn texts(&self) -> (String, String) {
        let prefix = self.prefix;
        if self.after_prefix {
            let take = if self.read_only { "" } else { "   t take over" };
            let left = format!(" {prefix}…   d leave{take}   [ scroll   {prefix} sends itself");
            return (left, String::new());
        }
        if self.is_steered || self.back > 0 {
            let (how, returns) = if self.is_steered {
                (" · arrows, PgUp, PgDn, g, G", " q returns ")
            } else {
                ("", " any key returns ")
            };
            return (format!(" {} rows back{how}", self.back), returns.to_owned());
        }
        let role = match self.other {
            _ if self.read_only => "read only".to_owned(),
            _ if self.writes => "you write".to_owned(),
            Some(other) => format!("{other} writes, {prefix} t takes over"),
            None => "nobody writes".to_owned(),
        };
        let left = format!(" {} · {} · {role}", self.name, self.state);
        (left, format!(" {prefix} d leaves "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width: u16, other: Option<&str>) -> String {
        let mut chrome = Buffer::empty(Rect::new(0, 0, width, 2));
        let line = StatusLine {
            prefix: "ctrl-b".parse().unwrap(),
            after_prefix: false,
            back: 0,
            is_steered: false,
            read_only: false,
            writes: other.is_none(),
            other,
            name: "build",
            state: "connected",
        };
        line.draw(&mut chrome, Style::new());
        (0..width).map(|x| chrome[(x, 1)].symbol()).collect()
    }

    #[test]
    fn how_to_leave_is_there_at_every_width() {
        assert_eq!(
            line(60, None),
            " build · connected · you write              ctrl-b d leaves "
        );
        let narrow = line(40, Some("the front end"));
        assert!(narrow.ends_with(" ctrl-b d leaves "), "{narrow}");
        assert!(narrow.starts_with(" build · connected"), "{narrow}");
        assert_eq!(line(9, None), " ctrl-b d");
    }
}
