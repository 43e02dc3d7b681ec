//! The line of tabs, with how many are attached to all panes and the pool's gauge.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;

use super::text::{Line, fill, fit, width};
use crate::domain::agent::AgentState;
use crate::domain::layout::Rect;
use crate::pane::Gauge;
use crate::tui::model::Model;
use crate::tui::session::{Pane, Tab};
use crate::tui::theme::{Role, Theme};

/// Columns of the screen from which on the gauge has a bar, and the cells of that.
const BAR_FROM: u16 = 60;
/// Columns of the screen from which on viewers are told in words, and below which only where there are some.
const VIEWERS_WORD_FROM: u16 = 80;
const VIEWERS_ALWAYS_FROM: u16 = 40;
const BAR_CELLS: usize = 8;
/// A name longer than this is cut in the line of tabs.
const NAME_COLUMNS: u16 = 20;

pub(super) fn draw(model: &Model, rect: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let bar = theme.style(Role::Bar);
    fill(buffer, rect, bar);
    let mut line = Line::new(buffer, rect, 0);
    for (text, role) in right(model).into_iter().rev() {
        line.put_right(&text, bar.patch(theme.style(role)));
    }
    let strip = Strip::of(model, line.room());
    strip.draw_hidden(model, Hidden::Before, &mut line);
    for (index, label) in &strip.labels {
        let index = *index;
        let active = index == model.session.active;
        let style = if active {
            theme.style(Role::BarActive)
        } else {
            bar
        };
        line.put(&label.before, style);
        if let Some((glyph, role)) = label.state {
            let state = style.patch(theme.style(role));
            line.put(glyph, if active { style } else { state })
                .put(" ", style);
            if !label.word.is_empty() {
                line.put(label.word, if active { style } else { state })
                    .put(" ", style);
            }
        }
        line.put(&label.after, style);
    }
    strip.draw_hidden(model, Hidden::After, &mut line);
}

/// The tab whose label covers a column; beside them the nearest one that is hidden.
#[must_use]
pub fn tab_at(model: &Model, x: u16) -> Option<usize> {
    let right: u16 = right(model).iter().map(|(text, _)| width(text)).sum();
    let room = model.areas().tabs.width.saturating_sub(right);
    if x >= room {
        return None;
    }
    let strip = Strip::of(model, room);
    let mut start = marker_columns(strip.before);
    if x < start {
        return strip.before.checked_sub(1);
    }
    let mut next = strip.before;
    for (index, label) in &strip.labels {
        let end = start.saturating_add(label.width());
        if (start..end).contains(&x) {
            return Some(*index);
        }
        start = end;
        next = index + 1;
    }
    let marker = start..start.saturating_add(marker_columns(strip.after));
    marker.contains(&x).then_some(next)
}

/// The labels that are shown, with how many are hidden on either side.
struct Strip {
    before: usize,
    labels: Vec<(usize, Label)>,
    after: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Before,
    After,
}

impl Strip {
    /// As many labels as have room whole, from the first one that lets the active one be seen.
    fn of(model: &Model, room: u16) -> Self {
        let tabs = &model.session.tabs;
        let active = model.session.active;
        let mut all: Vec<(usize, Label)> = tabs
            .iter()
            .enumerate()
            .map(|(index, tab)| (index, label(model, index, tab)))
            .collect();
        let end_from = |first: usize| {
            let mut used = marker_columns(first);
            let mut end = first;
            for (index, label) in all.iter().skip(first) {
                used = used.saturating_add(label.width());
                let hidden = all.len() - index - 1;
                if used.saturating_add(marker_columns(hidden)) > room {
                    break;
                }
                end = index + 1;
            }
            end
        };
        let first = (0..active).find(|first| end_from(*first) > active);
        let first = first.unwrap_or(active);
        // The active one is shown as far as it goes.
        let end = end_from(first).max(active + 1).min(all.len());
        let after = all.len() - end;
        all.truncate(end);
        Self {
            before: first,
            labels: all.into_iter().skip(first).collect(),
            after,
        }
    }

    /// Says how many tabs are hidden on a side, and whether one of them wants its user.
    fn draw_hidden(&self, model: &Model, side: Hidden, line: &mut Line<'_>) {
        let theme = &model.client.theme;
        let glyphs = theme.glyphs();
        let count = match side {
            Hidden::Before => self.before,
            Hidden::After => self.after,
        };
        if count == 0 {
            return;
        }
        let tabs = &model.session.tabs;
        let hidden = match side {
            Hidden::Before => tabs.get(..count),
            Hidden::After => tabs.get(tabs.len().saturating_sub(count)..),
        };
        let wants = hidden.unwrap_or_default().iter().any(|tab| {
            let panes = &model.session.panes;
            let ids = tab.layout.ids();
            ids.iter()
                .filter_map(|id| panes.get(id))
                .any(|pane| pane.badge || pane.state() == Some(AgentState::Waiting))
        });
        let role = if wants { Role::StateWaiting } else { Role::Key };
        let text = match side {
            Hidden::Before => format!(" {}{count} ", glyphs.arrow_left),
            Hidden::After => format!(" {count}{} ", glyphs.arrow_right),
        };
        line.put(&text, theme.style(Role::Bar).patch(theme.style(role)));
    }
}

/// Columns of what tells that so many tabs are hidden.
fn marker_columns(count: usize) -> u16 {
    if count == 0 {
        0
    } else {
        width(&format!(" {count}> "))
    }
}

struct Label {
    before: String,
    state: Option<(&'static str, Role)>,
    word: &'static str,
    after: String,
}

impl Label {
    fn width(&self) -> u16 {
        let word = if self.word.is_empty() {
            0
        } else {
            width(self.word) + 1
        };
        let state = self.state.map_or(0, |(glyph, _)| width(glyph) + 1 + word);
        width(&self.before) + state + width(&self.after)
    }
}

fn label(model: &Model, index: usize, tab: &Tab) -> Label {
    let glyphs = model.client.theme.glyphs();
    let pane = model.session.panes.get(&tab.focus);
    let name = fit(
        tab.name
            .as_deref()
            .or(pane.map(Pane::name))
            .unwrap_or_default(),
        NAME_COLUMNS,
        glyphs.ellipsis,
    );
    let ids = tab.layout.ids();
    // Of several agents in a tab the one that most needs the user is told.
    let state = ids
        .iter()
        .filter_map(|id| model.session.state_of(*id))
        .max_by_key(|state| state.urgency());
    let mut after = String::new();
    if ids.len() > 1 {
        let _ = write!(after, "+{} ", ids.len() - 1);
    }
    let viewers: u32 = ids
        .iter()
        .filter_map(|id| model.session.panes.get(id))
        .map(|pane| pane.info.viewers)
        .sum();
    if viewers > 0 {
        let _ = write!(after, "{}{viewers} ", glyphs.viewers);
    }
    if tab.zoomed {
        after.push_str(glyphs.zoomed);
        after.push(' ');
    }
    if ids
        .iter()
        .any(|id| model.session.panes.get(id).is_some_and(|pane| pane.badge))
    {
        after.push_str(glyphs.bell);
        after.push(' ');
    }
    let accounts = ids.iter().filter_map(|id| model.providers.account(*id));
    if let Some(account) = accounts.into_iter().find(|account| account.is_near_end()) {
        let _ = write!(after, "budget {:.0}% ", account.share() * 100.0);
    }
    if pane.is_some_and(|pane| !pane.lives()) {
        after.push_str(glyphs.dead);
        after.push(' ');
    }
    Label {
        before: format!(" {} {name} ", index + 1),
        state: state.map(|state| (glyphs.state(state), Theme::state_role(state))),
        word: state.map_or("", AgentState::name),
        after,
    }
}

/// What stands at the right end of the line.
fn right(model: &Model) -> Vec<(String, Role)> {
    viewers(model).into_iter().chain(gauge(model)).collect()
}

/// How many are attached over all panes.
fn viewers(model: &Model) -> Option<(String, Role)> {
    let count: u32 = model.session.living().map(|pane| pane.info.viewers).sum();
    let text = match (model.client.size.0, count) {
        (VIEWERS_WORD_FROM.., 1) => " 1 viewer ".to_owned(),
        (VIEWERS_WORD_FROM.., _) => format!(" {count} viewers "),
        (..VIEWERS_ALWAYS_FROM, 0) => return None,
        _ => format!(" {}{count} ", model.client.theme.glyphs().viewers),
    };
    let role = if count > 0 { Role::Key } else { Role::Muted };
    Some((text, role))
}

/// How full the pool is: in numbers, and as a bar where there is room.
fn gauge(model: &Model) -> Vec<(String, Role)> {
    let Gauge { active, max } = model.gauge;
    // Said in a character, too: not everybody sees colours.
    let (filled_role, text_role, mark) = if model.is_pool_tight() {
        (Role::GaugeWarning, Role::GaugeWarning, "!")
    } else {
        (Role::GaugeFilled, Role::Bar, "")
    };
    let numbers = (format!(" {active}/{max}{mark} "), text_role);
    if model.client.size.0 < BAR_FROM {
        return vec![numbers];
    }
    let glyphs = model.client.theme.glyphs();
    // Something is shown as soon as there is something, and a place that is left as long as there is one.
    let most = BAR_CELLS - usize::from(active < max);
    let filled = (active * BAR_CELLS).div_ceil(max.max(1)).min(most);
    vec![
        (glyphs.gauge_filled.repeat(filled), filled_role),
        (
            glyphs.gauge_empty.repeat(BAR_CELLS - filled),
            Role::GaugeEmpty,
        ),
        numbers,
    ]
}
