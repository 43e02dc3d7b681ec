//! Questions and prompts.

use ratatui::buffer::Buffer;

use super::text::{Line, width};
use crate::domain::layout::Rect;
use crate::tui::client::{Ask, Choice, Confirm};
use crate::tui::model::Model;
use crate::tui::theme::Role;

const NO: &str = " No ";
const YES: &str = " Yes ";

/// The button under a column of the box, counted from its first one.
pub(super) fn button_at(x: u16) -> Option<Choice> {
    let no = width(NO);
    match x {
        _ if x < no => Some(Choice::No),
        _ if (no + 2..no + 2 + width(YES)).contains(&x) => Some(Choice::Yes),
        _ => None,
    }
}

/// The column of the chosen button's text.
pub(super) fn button_column(choice: Choice) -> u16 {
    match choice {
        Choice::No => 1,
        Choice::Yes => width(NO) + 3,
    }
}

pub(super) fn draw_confirm(model: &Model, confirm: &Confirm, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let ellipsis = theme.glyphs().ellipsis;
    Line::new(buffer, inner, 0).put_fit(&confirm.question, theme.style(Role::Heading), ellipsis);
    let room = inner.height.saturating_sub(2);
    for (row, detail) in (1..=room).zip(&confirm.details) {
        Line::new(buffer, inner, row)
            .skip(2)
            .put_fit(detail, theme.style(Role::Muted), ellipsis);
    }
    let style = |choice| {
        theme.style(if confirm.choice == choice {
            Role::Selected
        } else {
            Role::Text
        })
    };
    // The chosen button is marked without colour too.
    let mark = |choice, text: &str| {
        if confirm.choice == choice {
            format!("[{}]", text.trim())
        } else {
            text.to_owned()
        }
    };
    Line::new(buffer, inner, inner.height.saturating_sub(1))
        .put(&mark(Choice::No, NO), style(Choice::No))
        .skip(2)
        .put(&mark(Choice::Yes, YES), style(Choice::Yes));
}

pub(super) fn draw_ask(model: &Model, ask: &Ask, inner: Rect, buffer: &mut Buffer) {
    let style = model.client.theme.style(Role::Text);
    Line::new(buffer, inner, 0).put_field(&ask.prompt, style);
}
