//! Colours and glyphs of the front end, by meaning, for what the outer terminal can show.

mod detect;
mod down;
mod glyphs;
mod palette;
mod role;

use ratatui::style::{Color, Style};

pub use glyphs::Glyphs;
pub use role::Role;

use super::outer::Environment;
use crate::config::{ThemeChoice, UnicodeChoice};
use crate::domain::agent::AgentState;
use crate::domain::outer::{self, Depth};
use crate::domain::screen::{self, ColorKind};

/// Colours and glyphs for one outer terminal.
///
/// `NO_COLOR` takes tundra's own colours; a program decides about its own by the same variable, which it has too. Without
/// colours every role that must be told apart still is, by bold, underlined or reversed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Of tundra's own colours.
    depth: Depth,
    /// Of the programs' colours, which are theirs to leave out.
    cell_depth: Depth,
    light: bool,
    utf8: bool,
    glyphs: &'static Glyphs,
}

impl Theme {
    /// Decides by the configuration and the terminal's environment (`NO_COLOR`, `COLORTERM`, `TERM`, `COLORFGBG`, `LC_ALL`,
    /// `LC_CTYPE`, `LANG`); `is_light` is what the terminal answered about its background.
    #[must_use]
    pub fn detect(
        theme: ThemeChoice,
        unicode: UnicodeChoice,
        env: &Environment,
        is_light: Option<bool>,
    ) -> Self {
        let env = |name: &str| env.get(name).map(str::to_owned);
        let utf8 = outer::is_utf8(&env);
        let unicode = match unicode {
            UnicodeChoice::Always => true,
            UnicodeChoice::Never => false,
            UnicodeChoice::Auto => utf8 && detect::has_box_glyphs(&env),
        };
        Self {
            depth: if outer::is_without_colour(&env) {
                Depth::None
            } else {
                outer::depth(&env)
            },
            cell_depth: outer::depth(&env),
            light: match theme {
                ThemeChoice::Dark => false,
                ThemeChoice::Light => true,
                ThemeChoice::Auto => is_light.unwrap_or_else(|| detect::is_light(&env)),
            },
            utf8: utf8 || unicode,
            glyphs: if unicode {
                &glyphs::UNICODE
            } else {
                &glyphs::ASCII
            },
        }
    }

    /// The same theme for another number of colours.
    #[cfg(test)]
    #[must_use]
    pub const fn with_depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self.cell_depth = depth;
        self
    }

    #[cfg(test)]
    #[must_use]
    pub const fn depth(&self) -> Depth {
        self.depth
    }

    #[cfg(test)]
    #[must_use]
    pub const fn is_light(&self) -> bool {
        self.light
    }

    /// Whether tundra's own glyphs are more than ASCII.
    #[cfg(test)]
    #[must_use]
    pub fn is_unicode(&self) -> bool {
        self.glyphs == &glyphs::UNICODE
    }

    /// Whether the outer terminal reads UTF-8, so that a pane's characters may be shown as they are.
    #[must_use]
    pub const fn shows_utf8(&self) -> bool {
        self.utf8
    }

    #[must_use]
    pub const fn glyphs(&self) -> &'static Glyphs {
        self.glyphs
    }

    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        palette::style(role, self.depth, self.light)
    }

    /// The role of an agent's state.
    #[must_use]
    pub const fn state_role(state: AgentState) -> Role {
        match state {
            AgentState::Unknown => Role::StateUnknown,
            AgentState::Working => Role::StateWorking,
            AgentState::Waiting => Role::StateWaiting,
            AgentState::Done => Role::StateDone,
            AgentState::Idle => Role::StateIdle,
            AgentState::Quota => Role::StateQuota,
            AgentState::Failed => Role::StateFailed,
        }
    }

    /// A cell's colour as the outer terminal can show it.
    #[must_use]
    pub fn cell_color(&self, color: screen::Color) -> Color {
        match (color.kind(), self.cell_depth) {
            (ColorKind::Default, _) | (_, Depth::None) => Color::Reset,
            (ColorKind::Indexed(index), Depth::Sixteen) => down::named(down::indexed_to_16(index)),
            (ColorKind::Indexed(index), _) => Color::Indexed(index),
            (ColorKind::Rgb(r, g, b), Depth::Sixteen) => down::named(down::rgb_to_16((r, g, b))),
            (ColorKind::Rgb(r, g, b), Depth::Indexed256) => {
                Color::Indexed(down::rgb_to_256((r, g, b)))
            }
            (ColorKind::Rgb(r, g, b), Depth::True) => Color::Rgb(r, g, b),
        }
    }
}

#[cfg(test)]
mod tests;
