//! All agents in one look, those that need their user first, and the end of what the chosen one shows.

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use super::sidebar::status;
use super::text::{Line, fill, fit, width};
use crate::domain::budget::Account;
use crate::domain::id::TerminalId;
use crate::domain::layout::Rect;
use crate::tui::client::Overview;
use crate::tui::model::Model;
use crate::tui::session::Pane;
use crate::tui::theme::Role;

/// Columns of the glyph, the word and the age of a state, and of what it cost.
const STATE_COLUMNS: u16 = 10;
const AGE_COLUMNS: u16 = 7;
const COST_COLUMNS: u16 = 15;
/// Rows of the chosen agent's screen, and of what is said of its state above them.
const SCREEN_ROWS: u16 = 8;
const HEAD_ROWS: u16 = 2;

pub(super) fn draw(model: &Model, overview: &Overview, inner: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let agents = model.session.agents();
    if agents.is_empty() {
        let keymap = &model.options.keymap;
        let launch = keymap.bindings_of(crate::domain::action::Action::LaunchAgent);
        let chord = launch.first().map_or_else(String::new, ToString::to_string);
        let text = format!("no agents: {} {chord} starts one", keymap.prefix());
        Line::new(buffer, inner, 0).put(&text, theme.style(Role::Muted));
        return;
    }
    let below = rows_below(inner);
    let rows = usize::from(inner.height - below);
    let chosen = place_of_chosen(overview, &agents);
    let first = first_shown(chosen, rows);
    for (row, (index, id)) in (0..).zip(agents.iter().enumerate().skip(first).take(rows)) {
        if let Some(pane) = model.session.panes.get(id) {
            let area = Rect::new(inner.x, inner.y + row, inner.width, 1);
            draw_agent(model, overview, pane, index == chosen, area, buffer);
        }
    }
    let area = Rect {
        y: inner.bottom().saturating_sub(below),
        height: below,
        ..inner
    };
    if let Some(pane) = agents
        .get(chosen)
        .and_then(|id| model.session.panes.get(id))
    {
        draw_chosen(model, overview, pane, area, buffer);
    }
}

/// Rows of what is said of the chosen agent.
fn rows_below(inner: Rect) -> u16 {
    (SCREEN_ROWS + HEAD_ROWS).min(inner.height / 2)
}

fn place_of_chosen(overview: &Overview, agents: &[TerminalId]) -> usize {
    let place = agents.iter().position(|id| Some(*id) == overview.selected);
    place.unwrap_or(0)
}

/// The first agent to show so that the chosen one is among them.
fn first_shown(chosen: usize, rows: usize) -> usize {
    chosen.saturating_sub(rows.saturating_sub(1))
}

/// The row of the chosen agent, below the top of the box's inside.
pub(super) fn row_of_chosen(model: &Model, overview: &Overview, inner: Rect) -> Option<u16> {
    let agents = model.session.agents();
    let chosen = place_of_chosen(overview, &agents);
    agents.get(chosen)?;
    let rows = usize::from(inner.height - rows_below(inner));
    u16::try_from(chosen - first_shown(chosen, rows)).ok()
}

fn draw_agent(
    model: &Model,
    overview: &Overview,
    pane: &Pane,
    chosen: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let base = theme.style(if chosen { Role::Selected } else { Role::Text });
    let with = |role| {
        if chosen {
            base
        } else {
            base.patch(theme.style(role))
        }
    };
    fill(buffer, area, base);
    let (glyph, word, role) = status(theme, pane);
    let agent = pane.info.agent.as_ref();
    let age = agent.map_or_else(String::new, |agent| age(agent.since, overview.at));
    let cost = cost(model, pane);
    let look = overview.look_of(pane.info.id);
    let branch = look.and_then(|look| look.branch.as_deref()).unwrap_or("");
    let mut line = Line::new(buffer, area, 0);
    line.put(if chosen { glyphs.selected } else { " " }, base)
        .put(glyph, with(role))
        .put(" ", base);
    column(&mut line, word, STATE_COLUMNS, with(role), glyphs.ellipsis);
    column(
        &mut line,
        &age,
        AGE_COLUMNS,
        with(Role::Muted),
        glyphs.ellipsis,
    );
    let kind = agent.map_or("", |agent| agent.kind.as_str());
    let room = line.room().saturating_sub(COST_COLUMNS);
    let name = format!("{} {kind}", pane.name());
    let name_columns = (room * 3 / 5).min(room);
    column(&mut line, &name, name_columns, base, glyphs.ellipsis);
    let rest = room - name_columns;
    column(&mut line, branch, rest, with(Role::Muted), glyphs.ellipsis);
    let spent = model.providers.account(pane.info.id);
    let role = if spent.is_some_and(Account::is_near_end) {
        Role::Warning
    } else {
        Role::Text
    };
    line.put_right(&cost, with(role));
}

fn column(
    line: &mut Line<'_>,
    text: &str,
    columns: u16,
    style: ratatui::style::Style,
    ellipsis: &str,
) {
    let text = fit(text, columns.saturating_sub(1), ellipsis);
    let used = width(&text);
    line.put(&text, style).skip(columns.saturating_sub(used));
}

/// What is said of the chosen agent's state, and the end of its screen, or the line that is typed for it.
fn draw_chosen(model: &Model, overview: &Overview, pane: &Pane, area: Rect, buffer: &mut Buffer) {
    let theme = &model.client.theme;
    let glyphs = theme.glyphs();
    let rule = glyphs.horizontal.repeat(usize::from(area.width));
    Line::new(buffer, area, 0).put(&rule, theme.style(Role::Border));
    let mut line = Line::new(buffer, area, 1);
    if let Some(prompt) = &overview.answer {
        line.put("answer: ", theme.style(Role::Key))
            .put_field(prompt, theme.style(Role::Text));
    } else if let Some(agent) = &pane.info.agent {
        let until = agent.until.map_or_else(String::new, |until| {
            let until = model.options.coming(until, model.providers.now());
            format!(" until {until}")
        });
        let words = agent
            .message
            .as_deref()
            .map_or_else(String::new, |words| format!(": {words}"));
        let text = format!("{}{until}, told by {}{words}", agent.state, agent.by.name());
        line.put_fit(&text, theme.style(Role::Muted), glyphs.ellipsis);
    }
    let room = usize::from(area.height.saturating_sub(HEAD_ROWS));
    let lines = overview
        .look_of(pane.info.id)
        .map_or(&[][..], |look| &look.lines);
    let shown = lines.iter().skip(lines.len().saturating_sub(room));
    for (row, text) in (HEAD_ROWS..area.height).zip(shown) {
        Line::new(buffer, area, row).put_fit(text, theme.style(Role::Text), glyphs.ellipsis);
    }
}

/// What a pane's requests cost, with its budget where it has one; nothing for one without requests and budget.
pub(super) fn cost(model: &Model, pane: &Pane) -> String {
    let Some(account) = model.providers.account(pane.info.id) else {
        return String::new();
    };
    let budget = account.budget;
    match (budget.usd(), budget.tokens) {
        (Some(usd), _) => format!("${:.2}/${usd:.2}", account.used_usd()),
        (None, Some(tokens)) => format!("{}/{} tok", short(account.used_tokens()), short(tokens)),
        (None, None) => match account.cost_usd() {
            _ if account.requests == 0 => String::new(),
            Some(usd) if usd > 0.0 => format!("${usd:.2}"),
            _ => format!("{} tok", short(account.used_tokens())),
        },
    }
}

/// A number of tokens in few characters.
fn short(tokens: u64) -> String {
    match tokens {
        0..10_000 => tokens.to_string(),
        10_000..10_000_000 => format!("{}k", tokens / 1_000),
        _ => format!("{}M", tokens / 1_000_000),
    }
}

/// How long ago, in its largest unit.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Where the line that is typed begins: its column and its row below the top of the box's inside.
pub(super) fn prompt_place(overview: &Overview, inner: Rect) -> Option<(u16, u16)> {
    overview.answer.as_ref()?;
    Some((8, inner.height - rows_below(inner) + 1))
}
