//! Searching: the prompt, the pattern typed into it, and the search that is under way.

use regex::{Regex, RegexBuilder};

use super::event::CopyEffect;
use super::motion::Place;
use super::text;
use super::viewport::Viewport;
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, KeyEvent, Mods};
use crate::pane::{Direction, Match, Search};

/// All that has to do with searching; at most one search is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Finder {
    pub(super) prompt: Option<Prompt>,
    pub(super) pattern: Option<Pattern>,
    /// The match the cursor went to last.
    pub(super) found: Option<Match>,
    under_way: Option<UnderWay>,
    /// Of the newest search; answers to others are too late.
    number: u64,
}

/// A pattern in use and the way it was searched for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    direction: Direction,
}

/// The search prompt, and where to go back to when it is given up.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) direction: Direction,
    pub(super) text: String,
    pub(super) error: Option<String>,
    origin: Place,
    origin_top: u64,
    before: Option<Pattern>,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    direction: Direction,
    /// It has gone around the end already.
    around: bool,
}

impl Pattern {
    /// What was searched for in another program; None where it is none here.
    pub(super) fn of(text: &str, direction: Direction) -> Option<Self> {
        let regex = compile(text).ok()?;
        Some(Self { regex, direction })
    }

    pub(super) fn words(&self) -> (String, Direction) {
        (self.regex.as_str().to_owned(), self.direction)
    }
}

impl Finder {
    pub(super) fn open(&mut self, direction: Direction, viewport: &Viewport) {
        self.prompt = Some(Prompt {
            direction,
            text: String::new(),
            error: None,
            origin: viewport.cursor(),
            origin_top: viewport.top(),
            before: self.pattern.clone(),
        });
    }

    /// A key while the prompt is open.
    pub(super) fn key(
        &mut self,
        event: &KeyEvent,
        viewport: &mut Viewport,
        effects: &mut Vec<CopyEffect>,
    ) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        match prompt.key(event) {
            Typed::Changed => self.typed(viewport, effects),
            Typed::Accept => self.accept(viewport, effects),
            Typed::Cancel => self.cancel(viewport),
            Typed::Nothing => {}
        }
    }

    pub(super) fn paste(
        &mut self,
        text: &str,
        viewport: &mut Viewport,
        effects: &mut Vec<CopyEffect>,
    ) {
        if let Some(prompt) = &mut self.prompt {
            let line = text.lines().next().unwrap_or_default();
            prompt.text.extend(line.chars().filter(|c| !c.is_control()));
            self.typed(viewport, effects);
        }
    }

    /// Searches for the pattern again, the same way or the other.
    pub(super) fn again(
        &mut self,
        reverse: bool,
        viewport: &mut Viewport,
        effects: &mut Vec<CopyEffect>,
    ) {
        let Some(pattern) = &self.pattern else {
            let text = "there is nothing to search for yet".to_owned();
            effects.push(CopyEffect::Message(text));
            return;
        };
        let direction = match (pattern.direction, reverse) {
            (Direction::Down, false) | (Direction::Up, true) => Direction::Down,
            (Direction::Up, false) | (Direction::Down, true) => Direction::Up,
        };
        self.start(viewport.cursor(), direction, effects);
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// The answer to a search.
    pub(super) fn take(
        &mut self,
        number: u64,
        hit: Option<Match>,
        viewport: &mut Viewport,
        effects: &mut Vec<CopyEffect>,
    ) {
        let Some(search) = self.under_way.take_if(|_| number == self.number) else {
            return;
        };
        match hit {
            Some(hit) => {
                self.found = Some(hit);
                viewport.jump_to(place_of(hit));
                if search.around && self.prompt.is_none() {
                    let end = match search.direction {
                        Direction::Down => "the search went on from the oldest line",
                        Direction::Up => "the search went on from the newest line",
                    };
                    effects.push(CopyEffect::Message(end.to_owned()));
                }
            }
            None if !search.around => self.go_around(search.direction, viewport, effects),
            None => self.nothing_found(viewport, effects),
        }
    }

    /// Forgets a match whose row is gone.
    /// Rows have other numbers: what is given up goes back to where the cursor is now.
    pub(super) fn rewrapped(&mut self, viewport: &Viewport) {
        self.found = None;
        if let Some(prompt) = &mut self.prompt {
            prompt.origin = viewport.cursor();
            prompt.origin_top = viewport.top();
        }
    }

    pub(super) fn settle(&mut self, viewport: &Viewport) {
        let extent = viewport.rows().extent();
        self.found = self.found.filter(|found| extent.contains(found.row));
    }

    /// The prompt's text has changed: searches for it from where the prompt was opened.
    fn typed(&mut self, viewport: &mut Viewport, effects: &mut Vec<CopyEffect>) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        let (origin, top, direction) = (prompt.origin, prompt.origin_top, prompt.direction);
        self.under_way = None;
        self.found = None;
        prompt.error = None;
        if prompt.text.is_empty() {
            self.pattern = None;
            return viewport.restore(origin, top);
        }
        match compile(&prompt.text) {
            Ok(regex) => {
                self.pattern = Some(Pattern { regex, direction });
                self.start(origin, direction, effects);
            }
            Err(error) => prompt.error = Some(error),
        }
    }

    fn accept(&mut self, viewport: &mut Viewport, effects: &mut Vec<CopyEffect>) {
        let Some(prompt) = self.prompt.take() else {
            return;
        };
        if prompt.text.is_empty() {
            // As in vi, the pattern from before, but this way now.
            self.pattern = prompt.before.map(|pattern| Pattern {
                direction: prompt.direction,
                ..pattern
            });
            self.again(false, viewport, effects);
        } else if self.found.is_none() && self.under_way.is_none() {
            self.prompt = Some(prompt);
        }
    }

    fn cancel(&mut self, viewport: &mut Viewport) {
        if let Some(prompt) = self.prompt.take() {
            self.under_way = None;
            self.found = None;
            self.pattern = prompt.before;
            viewport.restore(prompt.origin, prompt.origin_top);
        }
    }

    fn start(&mut self, from: Place, direction: Direction, effects: &mut Vec<CopyEffect>) {
        self.under_way = Some(UnderWay {
            direction,
            around: false,
        });
        self.ask(from, direction, effects);
    }

    fn go_around(
        &mut self,
        direction: Direction,
        viewport: &mut Viewport,
        effects: &mut Vec<CopyEffect>,
    ) {
        let extent = viewport.rows().extent();
        self.under_way = Some(UnderWay {
            direction,
            around: true,
        });
        let from = match (direction, extent.history_start.checked_sub(1)) {
            (Direction::Up, _) => Place {
                row: extent.end,
                col: 0,
            },
            (Direction::Down, Some(row)) => Place { row, col: u16::MAX },
            // A search starts strictly beyond a place, and there is none before the very first.
            (Direction::Down, None) => {
                if let Some(hit) = self.hit_at_origin(viewport) {
                    return self.take(self.number, Some(hit), viewport, effects);
                }
                Place { row: 0, col: 0 }
            }
        };
        self.ask(from, direction, effects);
    }

    fn hit_at_origin(&self, viewport: &Viewport) -> Option<Match> {
        let pattern = self.pattern.as_ref()?;
        let found = text::find_all(viewport.row(0)?, &pattern.regex);
        let cols = *found.first().filter(|cols| cols.0 == 0)?;
        Some(Match { row: 0, cols })
    }

    fn ask(&mut self, from: Place, direction: Direction, effects: &mut Vec<CopyEffect>) {
        let Some(pattern) = &self.pattern else {
            return;
        };
        self.number += 1;
        effects.push(CopyEffect::Search {
            number: self.number,
            search: Search {
                pattern: pattern.regex.clone(),
                from: (from.row, from.col),
                direction,
            },
        });
    }

    fn nothing_found(&mut self, viewport: &mut Viewport, effects: &mut Vec<CopyEffect>) {
        self.found = None;
        match &mut self.prompt {
            Some(prompt) => {
                prompt.error = Some("no match".to_owned());
                viewport.restore(prompt.origin, prompt.origin_top);
            }
            None => effects.push(CopyEffect::Message("no match".to_owned())),
        }
    }
}

/// What a key in the prompt comes to.
enum Typed {
    Changed,
    Accept,
    Cancel,
    Nothing,
}

impl Prompt {
    fn key(&mut self, event: &KeyEvent) -> Typed {
        let Some(chord) = Chord::of(event) else {
            return Typed::Nothing;
        };
        let ctrl = chord.mods() == Mods::CTRL;
        match chord.code() {
            KeyCode::Enter => return Typed::Accept,
            KeyCode::Escape => return Typed::Cancel,
            KeyCode::Char('c' | 'g') if ctrl => return Typed::Cancel,
            // As in vi, taking away more than there is gives the search up.
            KeyCode::Backspace if self.text.is_empty() => return Typed::Cancel,
            KeyCode::Backspace => drop(self.text.pop()),
            KeyCode::Char('h') if ctrl => drop(self.text.pop()),
            KeyCode::Char('u') if ctrl => self.text.clear(),
            KeyCode::Char('w') if ctrl => {
                let kept = self.text.trim_end();
                let start = kept.rfind(' ').map_or(0, |at| at + 1);
                self.text.truncate(start);
            }
            KeyCode::Char(c) if chord.mods().without(Mods::SHIFT).is_empty() => self.text.push(c),
            KeyCode::Keypad(key) => match key.plain() {
                KeyCode::Char(c) => self.text.push(c),
                KeyCode::Enter => return Typed::Accept,
                _ => return Typed::Nothing,
            },
            _ => return Typed::Nothing,
        }
        Typed::Changed
    }
}

fn place_of(hit: Match) -> Place {
    Place {
        row: hit.row,
        col: hit.cols.0,
    }
}

/// Compiles a pattern; case counts only where it has a capital letter of its own (`\S` has none).
fn compile(text: &str) -> Result<Regex, String> {
    let mut escaped = false;
    let has_capital = text.chars().any(|c| {
        let is_literal = !escaped;
        escaped = is_literal && c == '\\';
        is_literal && c.is_uppercase()
    });
    RegexBuilder::new(text)
        .case_insensitive(!has_capital)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
}
