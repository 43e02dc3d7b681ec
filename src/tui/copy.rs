//! Scroll and copy mode: a cursor and a selection over a pane's history, as a pure state machine.
//!
//! It speaks of rows by their absolute numbers, so what it shows stays in place while new output arrives. Rows are
//! asked for and kept around the view only. While something is selected they stay as they were first seen.

mod event;
mod held;
mod motion;
mod position;
mod rows;
mod search;
mod selection;
#[cfg(test)]
mod tests;
mod text;
mod viewport;

use std::sync::Arc;

use crate::domain::action::Action;
use crate::domain::input::{KeyCode, KeyEvent, KeyKind};
use crate::domain::screen::ScreenSnapshot;
use crate::domain::size::Size;
use crate::pane::{Direction, PlacesNow, RowWindow};
pub use event::{CopyEffect, CopyEvent, CopyView, PromptView, Span};
use held::Held;
use motion::{Place, Word};
pub use position::CopyPosition;
use search::{Finder, Pattern};
use selection::Selection;
pub use selection::Shape;
use viewport::Viewport;

/// A count that is typed before a motion goes no further than this.
const MOST_COUNT: u32 = 99_999;

/// Scroll and copy mode of one pane.
#[derive(Clone, Debug)]
pub struct CopyMode {
    viewport: Viewport,
    finder: Finder,
    selection: Option<Selection>,
    /// Where the mouse button went down, and whether the pointer has left that cell since.
    pressed: Option<(Place, bool)>,
    count: Option<u32>,
    /// The selection is to be copied once its rows are here.
    copying: Option<After>,
    /// Nothing but the wheel was used, so that wheeling back to the bottom leaves.
    by_wheel: bool,
    /// The cursor has gone to a match whose row has been asked for.
    landing: bool,
    /// How often lines had been wrapped at another width when the rows had the numbers that are used here.
    rewraps: u64,
    /// Where things stood before the view got another width.
    held: Option<Held>,
    /// What stood where is being asked for.
    asking: Option<Held>,
    /// The newest screen, while its rows have other numbers.
    newer: Option<Arc<ScreenSnapshot>>,
}

/// What follows when the selection has been copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Leave,
    Stay,
}

impl CopyMode {
    /// Enters at the bottom with the cursor where the program has it.
    pub fn enter(screen: &Arc<ScreenSnapshot>, size: Size) -> (Self, Vec<CopyEffect>) {
        let mut mode = Self {
            viewport: Viewport::new(screen, size),
            finder: Finder::default(),
            selection: None,
            pressed: None,
            count: None,
            copying: None,
            by_wheel: true,
            landing: false,
            rewraps: screen.rewraps,
            held: None,
            asking: None,
            newer: None,
        };
        let effects = mode.viewport.need().map(CopyEffect::NeedRows);
        (mode, effects.into_iter().collect())
    }

    /// Whether keys are text for the search prompt now rather than actions.
    pub fn wants_text(&self) -> bool {
        self.finder.prompt.is_some()
    }

    /// Whether the cursor is on its way to what was searched, so that a key pressed now is meant for the place there.
    pub fn is_searching(&self) -> bool {
        let row = self.viewport.cursor().row;
        let landing = self.landing && self.viewport.row(row).is_none();
        !self.wants_text() && (self.finder.is_under_way() || landing)
    }

    pub fn handle(&mut self, event: CopyEvent) -> Vec<CopyEffect> {
        let mut effects = Vec::new();
        match event {
            CopyEvent::Screen(_)
            | CopyEvent::Rows(_)
            | CopyEvent::Found { .. }
            | CopyEvent::Places(_)
            | CopyEvent::Resize(_) => self.told(event, &mut effects),
            _ => self.used(event, &mut effects),
        }
        effects.extend(self.viewport.need().map(CopyEffect::NeedRows));
        effects
    }

    /// Goes on where it was in another program.
    pub fn go_on(
        screen: &Arc<ScreenSnapshot>,
        size: Size,
        position: &CopyPosition,
    ) -> (Self, Vec<CopyEffect>) {
        let (mut mode, _) = Self::enter(screen, size);
        mode.by_wheel = position.by_wheel;
        let place = |(row, col)| Place { row, col };
        if position.rewraps == Some(screen.rewraps) {
            if let Some((shape, anchor)) = position.selection {
                mode.select(shape, place(anchor));
            }
            mode.viewport.restore(place(position.cursor), position.top);
        } else {
            let lines = i64::try_from(position.lines_below).unwrap_or(i64::MAX);
            mode.viewport.carry(-lines);
        }
        if let Some((text, direction)) = &position.search {
            mode.finder.pattern = Pattern::of(text, *direction);
        }
        let effects = mode.viewport.need().map(CopyEffect::NeedRows);
        (mode, effects.into_iter().collect())
    }

    /// Where it is, for another program to go on.
    pub fn position(&self) -> CopyPosition {
        let viewport = &self.viewport;
        let newest = viewport.rows().extent().top;
        let pair = |place: Place| (place.row, place.col);
        CopyPosition {
            rewraps: Some(self.rewraps),
            top: viewport.top(),
            cursor: pair(viewport.cursor()),
            lines_below: newest.saturating_sub(viewport.top()),
            selection: self
                .selection
                .map(|selection| (selection.shape, pair(selection.anchor))),
            search: self.finder.pattern.as_ref().map(Pattern::words),
            by_wheel: self.by_wheel,
        }
    }

    pub fn view(&self) -> CopyView {
        let viewport = &self.viewport;
        let extent = viewport.rows().extent();
        let cursor = viewport.cursor();
        let mut view = CopyView {
            rows: Vec::new(),
            cursor: (viewport.row_in_view(cursor.row), cursor.col),
            selection: Vec::new(),
            matches: Vec::new(),
            current_match: None,
            indicator: format!(
                "[{}/{}]",
                extent.top.saturating_sub(viewport.top()),
                extent.top.saturating_sub(extent.history_start)
            ),
            prompt: self.finder.prompt.as_ref().map(|prompt| PromptView {
                sign: match prompt.direction {
                    Direction::Down => '/',
                    Direction::Up => '?',
                },
                text: prompt.text.clone(),
                error: prompt.error.clone(),
            }),
        };
        let width = viewport.size().cols();
        for (place, number) in (0..viewport.size().rows()).zip(viewport.top()..) {
            let row = viewport.row(number);
            view.rows.push(row.cloned());
            let Some(row) = row else {
                continue;
            };
            let span = |cols: (u16, u16)| Span { row: place, cols };
            let selected = self
                .selection
                .and_then(|selection| selection.columns(cursor, number, row, width));
            let selected = selected.map(|cols| span((cols.start, cols.end)));
            view.selection.extend(selected);
            if let Some(pattern) = &self.finder.pattern {
                let found = text::find_all(row, &pattern.regex);
                view.matches.extend(found.into_iter().map(span));
            }
            if let Some(found) = self.finder.found.filter(|found| found.row == number) {
                view.current_match = Some(span(found.cols));
            }
        }
        view
    }

    /// Something came from the pane or the window.
    fn told(&mut self, event: CopyEvent, effects: &mut Vec<CopyEffect>) {
        match event {
            CopyEvent::Screen(screen) if screen.rewraps != self.rewraps => {
                self.newer = Some(screen);
                self.ask_places(effects);
            }
            CopyEvent::Screen(screen) => {
                if screen.size == self.viewport.size() {
                    // Nothing was wrapped, as on the alternate screen.
                    self.held = None;
                }
                self.viewport.forget_answered();
                self.viewport.take_screen(&screen);
                self.settle();
            }
            // Its rows have other numbers; they are asked for again.
            CopyEvent::Rows(window) if window.rewraps != self.rewraps => {
                self.viewport.forget_asked();
            }
            CopyEvent::Places(now) => self.moved(&now, effects),
            CopyEvent::Rows(window) => {
                self.viewport.take_window(&window);
                self.landing = false;
                self.settle();
                self.finish_copy(Some(&window), effects);
            }
            CopyEvent::Found { number, hit } => {
                self.finder.take(number, hit, &mut self.viewport, effects);
                self.landing = true;
            }
            CopyEvent::Resize(size) => {
                self.viewport.forget_answered();
                if size.cols() != self.viewport.size().cols() && self.held.is_none() {
                    self.held = Some(self.hold());
                }
                self.viewport.resize(size);
            }
            _ => {}
        }
    }

    /// Where things stand now.
    fn hold(&self) -> Held {
        Held {
            cursor: self.viewport.cursor(),
            top: self.viewport.top(),
            at_bottom: self.viewport.is_at_bottom(),
            anchor: self.selection.map(|selection| selection.anchor),
            pressed: self.pressed.map(|(place, _)| place),
        }
    }

    /// Asks where things are now that lines were wrapped at another width.
    fn ask_places(&mut self, effects: &mut Vec<CopyEffect>) {
        if self.asking.is_some() {
            return;
        }
        let held = self.held.take().unwrap_or_else(|| self.hold());
        effects.push(CopyEffect::NeedPlaces {
            since: self.rewraps,
            places: held.places(),
        });
        self.asking = Some(held);
    }

    /// Goes to where things are now, with the newest screen if that is of the same width.
    fn moved(&mut self, now: &PlacesNow, effects: &mut Vec<CopyEffect>) {
        let Some(held) = self.asking.take() else {
            return;
        };
        let held = held.moved(&now.places);
        self.rewraps = now.rewraps;
        match self.newer.take() {
            Some(screen) if screen.rewraps == now.rewraps => {
                self.viewport.rewrapped(&screen, &held);
                if let (Some(selection), Some(anchor)) = (&mut self.selection, held.anchor) {
                    selection.anchor = anchor;
                }
                if let (Some((place, _)), Some(pressed)) = (&mut self.pressed, held.pressed) {
                    *place = pressed;
                }
                self.finder.rewrapped(&self.viewport);
                self.settle();
            }
            // Lines were wrapped once more meanwhile; the screen of it is here or on its way.
            newer => {
                self.held = Some(held);
                if let Some(screen) = newer
                    && screen.rewraps > now.rewraps
                {
                    self.newer = Some(screen);
                    self.ask_places(effects);
                }
            }
        }
    }

    /// Something came from the user.
    fn used(&mut self, event: CopyEvent, effects: &mut Vec<CopyEffect>) {
        self.held = None;
        self.viewport.forget_answered();
        // What the user does next is not to wait for rows that may never come.
        self.copying = None;
        self.by_wheel &= matches!(event, CopyEvent::Wheel(_));
        match event {
            CopyEvent::Action(action) => self.act(action, effects),
            CopyEvent::Key(event) if self.wants_text() => {
                self.finder.key(&event, &mut self.viewport, effects);
            }
            CopyEvent::Key(event) => self.count_key(event),
            CopyEvent::Text(text) => self.finder.paste(&text, &mut self.viewport, effects),
            CopyEvent::Wheel(lines) => {
                self.viewport.carry(i64::from(lines));
                let is_done = self.by_wheel && lines > 0 && self.viewport.is_at_bottom();
                if is_done && self.selection.is_none() {
                    effects.push(CopyEffect::Leave);
                }
            }
            CopyEvent::Press { row, col } => {
                let place = self.viewport.place(i32::from(row), col);
                self.drop_selection();
                self.pressed = Some((place, false));
                self.viewport.go_to(place);
            }
            CopyEvent::Drag { row, col } => self.drag(row, col),
            CopyEvent::Release => {
                if let Some((_, true)) = self.pressed.take() {
                    self.copy(self.after_mouse(), effects);
                }
            }
            CopyEvent::SelectWord { row, col } => self.select_word(row, col, effects),
            CopyEvent::SelectLine { row } => {
                let place = self.viewport.place(i32::from(row), 0);
                self.pressed = None;
                self.viewport.go_to(place);
                self.select(Shape::Lines, place);
                self.copy(self.after_mouse(), effects);
            }
            _ => {}
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<CopyEffect>) {
        if action == Action::CopyLineStart && self.count.is_some() {
            // The key of that motion is also the digit of a count that has begun.
            return self.count_digit(0);
        }
        let count = self.count.take();
        if self.go(action, count) {
            return;
        }
        match action {
            Action::CopySelect => self.toggle(Shape::Characters),
            Action::CopySelectLines => self.toggle(Shape::Lines),
            Action::CopySelectBlock => self.toggle(Shape::Block),
            Action::CopyOtherEnd => {
                let cursor = self.viewport.cursor();
                if let Some(selection) = &mut self.selection {
                    let place = std::mem::replace(&mut selection.anchor, cursor);
                    self.viewport.go_to(place);
                }
            }
            Action::CopyYank if self.selection.is_some() => self.copy(After::Leave, effects),
            Action::CopyYank => {
                let text = "nothing is selected yet".to_owned();
                effects.push(CopyEffect::Message(text));
            }
            Action::CopySearchForward => self.finder.open(Direction::Down, &self.viewport),
            Action::CopySearchBack => self.finder.open(Direction::Up, &self.viewport),
            Action::CopySearchNext => self.finder.again(false, &mut self.viewport, effects),
            Action::CopySearchPrevious => self.finder.again(true, &mut self.viewport, effects),
            Action::CopyLeave if self.selection.is_some() => self.drop_selection(),
            Action::CopyLeave | Action::CopyQuit => effects.push(CopyEffect::Leave),
            _ => {}
        }
    }

    /// Moves cursor and view; false if the action is no motion.
    fn go(&mut self, action: Action, count: Option<u32>) -> bool {
        let viewport = &mut self.viewport;
        let times = count.unwrap_or(1);
        let lines = i64::from(times);
        let rows = i64::from(viewport.size().rows());
        let (half, page) = ((rows / 2).max(1), (rows - 2).max(1));
        let extent = viewport.rows().extent();
        match action {
            Action::CopyUp => viewport.go_lines(-lines),
            Action::CopyDown => viewport.go_lines(lines),
            Action::CopyLeft => viewport.go_left(times),
            Action::CopyRight => viewport.go_right(times),
            Action::CopyWordForward => viewport.go_words(times, Word::Next),
            Action::CopyWordBack => viewport.go_words(times, Word::Back),
            Action::CopyWordEnd => viewport.go_words(times, Word::End),
            Action::CopyLineStart => viewport.go_to_col(0),
            Action::CopyLineText => viewport.go_to_line_text(),
            Action::CopyLineEnd => viewport.go_to_line_end(),
            Action::CopyTop => viewport.go_to_row(extent.history_start),
            Action::CopyBottom => viewport.go_to_row(match count {
                Some(line) => extent.history_start + u64::from(line.saturating_sub(1)),
                None => extent.last_row(),
            }),
            Action::CopyScreenTop => viewport.go_to_row(viewport.top()),
            Action::CopyScreenMiddle => {
                viewport.go_to_row(viewport.top().saturating_add_signed(rows / 2));
            }
            Action::CopyScreenBottom => viewport.go_to_row(viewport.end().saturating_sub(1)),
            Action::CopyHalfUp => viewport.page(-lines * half),
            Action::CopyHalfDown => viewport.page(lines * half),
            Action::CopyPageUp => viewport.page(-lines * page),
            Action::CopyPageDown => viewport.page(lines * page),
            Action::CopyScrollUp => viewport.scroll(-lines),
            Action::CopyScrollDown => viewport.scroll(lines),
            _ => return false,
        }
        true
    }

    fn count_key(&mut self, event: KeyEvent) {
        match event.code {
            _ if event.kind == KeyKind::Release => {}
            KeyCode::Char(c @ '0'..='9') => self.count_digit(u32::from(c) - u32::from('0')),
            _ => self.count = None,
        }
    }

    fn count_digit(&mut self, digit: u32) {
        let count = self.count.unwrap_or(0);
        self.count = Some((count * 10 + digit).min(MOST_COUNT));
    }

    fn select(&mut self, shape: Shape, anchor: Place) {
        self.selection = Some(Selection { shape, anchor });
        self.viewport.set_frozen(true);
        self.viewport.set_free(shape == Shape::Block);
    }

    fn drop_selection(&mut self) {
        self.selection = None;
        self.viewport.set_frozen(false);
        self.viewport.set_free(false);
    }

    fn toggle(&mut self, shape: Shape) {
        match self.selection {
            Some(selection) if selection.shape == shape => self.drop_selection(),
            Some(selection) => self.select(shape, selection.anchor),
            None => self.select(shape, self.viewport.cursor()),
        }
    }

    fn drag(&mut self, row: i32, col: u16) {
        let Some((anchor, dragged)) = self.pressed else {
            return;
        };
        let below = i64::from(row) - i64::from(self.viewport.size().rows()) + 1;
        if row < 0 {
            self.viewport.scroll(i64::from(row));
        } else if below > 0 {
            self.viewport.scroll(below);
        }
        let place = self.viewport.place(row, col);
        if dragged || place != anchor {
            self.pressed = Some((anchor, true));
            self.select(Shape::Characters, anchor);
        }
        self.viewport.go_to(place);
    }

    fn select_word(&mut self, row: u16, col: u16, effects: &mut Vec<CopyEffect>) {
        let place = self.viewport.place(i32::from(row), col);
        let cols = self
            .viewport
            .row(place.row)
            .and_then(|row| text::clicked_word(row, place.col));
        let Some(cols) = cols else {
            return;
        };
        let row = place.row;
        self.pressed = None;
        self.viewport.go_to(Place {
            row,
            col: cols.end.saturating_sub(1),
        });
        let col = cols.start;
        self.select(Shape::Characters, Place { row, col });
        self.copy(self.after_mouse(), effects);
    }

    /// Scrolled back, one goes on reading; at the bottom, one goes on typing.
    fn after_mouse(&self) -> After {
        if self.viewport.is_at_bottom() {
            After::Leave
        } else {
            After::Stay
        }
    }

    /// Copies the selection, now if its rows are here.
    fn copy(&mut self, after: After, effects: &mut Vec<CopyEffect>) {
        let Some(selection) = self.selection else {
            return;
        };
        self.copying = Some(after);
        let rows = selection.rows(self.viewport.cursor());
        let range = *rows.start()..rows.end().saturating_add(1);
        if rows.into_iter().all(|row| self.viewport.row(row).is_some()) {
            self.finish_copy(None, effects);
        } else {
            effects.push(CopyEffect::NeedRows(range));
        }
    }

    /// Copies the selection if one is to be copied and its rows are here or in the window.
    fn finish_copy(&mut self, window: Option<&RowWindow>, effects: &mut Vec<CopyEffect>) {
        let (Some(after), Some(selection)) = (self.copying, self.selection) else {
            return;
        };
        let viewport = &self.viewport;
        let cursor = viewport.cursor();
        let row_of = |number: u64| {
            let in_window = || {
                let window = window?;
                let index = usize::try_from(number.checked_sub(window.start)?).ok()?;
                window.rows.get(index)
            };
            viewport.row(number).or_else(in_window)
        };
        if !selection.rows(cursor).all(|row| row_of(row).is_some()) {
            return;
        }
        let width = viewport.size().cols();
        let text = selection.text(cursor, width, |number| row_of(number).map(AsRef::as_ref));
        self.copying = None;
        if !text.is_empty() {
            effects.push(CopyEffect::Copy(text));
        }
        if after == After::Leave {
            effects.push(CopyEffect::Leave);
        }
    }

    /// Moves what refers to rows that are gone.
    fn settle(&mut self) {
        let extent = self.viewport.rows().extent();
        let clamped = |place: Place| Place {
            row: extent.clamp(place.row),
            col: if place.row < extent.history_start {
                0
            } else {
                place.col
            },
        };
        if let Some(selection) = &mut self.selection {
            selection.anchor = clamped(selection.anchor);
        }
        self.pressed = self.pressed.map(|(place, moved)| (clamped(place), moved));
        self.finder.settle(&self.viewport);
    }
}
