//! A terminal's state apart from its byte stream, and the modes that reach into all of it.

use std::sync::Arc;

use super::history::History;
use super::modes::{ModeState, Modes};
use super::palette::Palette;
use super::params::Params;
use super::screen::Screen;
use crate::domain::size::Size;

/// How many modes a program may save (XTSAVE).
const SAVED_MODES: usize = 64;

/// What a terminal knows.
pub(super) struct State {
    pub screen: Screen,
    pub modes: Modes,
    pub palette: Palette,
    pub title: Arc<str>,
    pub titles: Vec<Arc<str>>,
    pub saved_modes: Vec<(u16, bool)>,
    /// The parts of a notification that have come so far.
    pub notification: String,
}

impl State {
    pub fn new(size: Size, history: History) -> Self {
        Self {
            screen: Screen::new(size, history),
            modes: Modes::default(),
            palette: Palette::default(),
            title: Arc::from(""),
            titles: Vec::new(),
            saved_modes: Vec::new(),
            notification: String::new(),
        }
    }

    pub fn reset(&mut self) {
        self.screen.reset();
        self.modes = Modes::default();
        self.palette.reset_all();
        self.saved_modes.clear();
        self.titles.clear();
    }

    pub fn set_private_mode(&mut self, mode: u16, on: bool) {
        if self.modes.set(mode, on) {
            return;
        }
        let screen = &mut self.screen;
        match mode {
            3 => {
                // Terminals are set up with a reset of this mode, which must not clear their screen.
                if on || self.modes.columns_changed || self.modes.columns_allowed {
                    screen.change_columns();
                }
                self.modes.columns_changed = on;
            }
            6 => screen.change_placing(|placing| placing.origin = on),
            7 => screen.change_placing(|placing| placing.autowrap = on),
            45 => screen.change_placing(|placing| placing.reverse_wrap = on),
            69 => screen.change_placing(|placing| placing.side_margins = on),
            47 => screen.show_alternate(on),
            1047 => {
                if !on && screen.is_alternate() {
                    screen.edit().erase_screen(2, false);
                }
                screen.show_alternate(on);
            }
            1048 if on => screen.save_cursor(),
            1048 => screen.restore_cursor(),
            1049 if on => {
                screen.save_cursor();
                screen.show_alternate(true);
                screen.edit().erase_screen(2, false);
            }
            1049 => {
                screen.show_alternate(false);
                screen.restore_cursor();
            }
            _ => {}
        }
    }

    pub fn private_mode(&self, mode: u16) -> ModeState {
        let placing = self.screen.placing();
        ModeState::of(match mode {
            6 => placing.origin,
            7 => placing.autowrap,
            45 => placing.reverse_wrap,
            69 => placing.side_margins,
            47 | 1047 | 1049 => self.screen.is_alternate(),
            _ => return self.modes.state(mode),
        })
    }

    pub fn set_ansi_mode(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.screen.change_placing(|placing| placing.insert = on),
            20 => self.screen.change_placing(|placing| placing.newline = on),
            _ => {}
        }
    }

    pub fn ansi_mode(&self, mode: u16) -> ModeState {
        let placing = self.screen.placing();
        match mode {
            4 => ModeState::of(placing.insert),
            20 => ModeState::of(placing.newline),
            _ => ModeState::Unknown,
        }
    }

    pub fn save_modes(&mut self, params: &Params) {
        for group in params.groups() {
            let mode = group[0];
            let state = self.private_mode(mode);
            if state == ModeState::Unknown {
                continue;
            }
            self.saved_modes.retain(|(saved, _)| *saved != mode);
            if self.saved_modes.len() < SAVED_MODES {
                self.saved_modes.push((mode, state == ModeState::Set));
            }
        }
    }

    pub fn restore_modes(&mut self, params: &Params) {
        for group in params.groups() {
            if let Some((mode, on)) = self
                .saved_modes
                .iter()
                .find(|(saved, _)| *saved == group[0])
                .copied()
            {
                self.set_private_mode(mode, on);
            }
        }
    }
}
