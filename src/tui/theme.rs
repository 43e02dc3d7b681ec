//! Colours and glyphs of the front end, by meaning, for what the outer terminal can show.

use ratatui::style::{Color, Style};

use crate::domain::agent::AgentState;
use crate::domain::screen;

/// What `general.theme` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    Dark,
    Light,
    #[default]
    Auto,
}

/// What `general.unicode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnicodeChoice {
    Always,
    Never,
    #[default]
    Auto,
}

/// How many colours the outer terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    None,
    Sixteen,
    Indexed256,
    True,
}

/// What a part of the screen means; the theme says how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text of tundra's own.
    Text,
    /// Less important text.
    Muted,
    Heading,
    /// The tab and hint lines.
    Bar,
    BarActive,
    /// A key in the hint line or help.
    Key,
    Border,
    BorderFocused,
    /// The entry that is chosen in a list.
    Selected,
    /// The characters that a query matched.
    Matched,
    Info,
    Success,
    Warning,
    Error,
    StateWorking,
    StateWaiting,
    StateDone,
    StateIdle,
    StateUnknown,
    /// A pane whose program has ended.
    Dead,
    /// Selected text in copy mode.
    Selection,
    SearchMatch,
    SearchCurrent,
    /// The copy mode indicator.
    Indicator,
    GaugeFilled,
    GaugeEmpty,
    GaugeWarning,
}

/// The characters tundra draws with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
    pub working: &'static str,
    pub waiting: &'static str,
    pub done: &'static str,
    pub idle: &'static str,
    pub unknown: &'static str,
    pub dead: &'static str,
    pub bell: &'static str,
    pub zoomed: &'static str,
    pub selected: &'static str,
    pub separator: &'static str,
    pub ellipsis: &'static str,
    pub gauge_filled: &'static str,
    pub gauge_empty: &'static str,
    pub arrow_left: &'static str,
    pub arrow_right: &'static str,
    pub arrow_up: &'static str,
    pub arrow_down: &'static str,
}

impl Glyphs {
    /// The box character whose line goes on towards the given neighbours.
    #[must_use]
    pub fn joint(&self, up: bool, down: bool, left: bool, right: bool) -> &'static str {
        let _ = (up, down, left, right);
        self.vertical
    }

    #[must_use]
    pub fn state(&self, state: AgentState) -> &'static str {
        let _ = state;
        self.unknown
    }
}

/// Colours and glyphs for one outer terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    depth: Depth,
    light: bool,
    glyphs: &'static Glyphs,
}

impl Theme {
    /// Decides by the configuration and the environment (`NO_COLOR`, `COLORTERM`, `TERM`, `COLORFGBG`, `LC_ALL`,
    /// `LC_CTYPE`, `LANG`).
    #[must_use]
    pub fn detect(
        choice: ThemeChoice,
        unicode: UnicodeChoice,
        env: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let _ = (choice, unicode, env);
        Self {
            depth: Depth::None,
            light: false,
            glyphs: &ASCII,
        }
    }

    #[must_use]
    pub fn depth(&self) -> Depth {
        self.depth
    }

    #[must_use]
    pub fn is_light(&self) -> bool {
        self.light
    }

    #[must_use]
    pub fn is_unicode(&self) -> bool {
        false
    }

    #[must_use]
    pub fn glyphs(&self) -> &'static Glyphs {
        self.glyphs
    }

    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        let _ = role;
        Style::new()
    }

    /// The role of an agent's state.
    #[must_use]
    pub fn state_role(state: AgentState) -> Role {
        let _ = state;
        Role::StateUnknown
    }

    /// A cell's colour as the outer terminal can show it.
    #[must_use]
    pub fn cell_color(&self, color: screen::Color) -> Color {
        let _ = color;
        Color::Reset
    }
}

pub const ASCII: Glyphs = Glyphs {
    horizontal: "-",
    vertical: "|",
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    working: "*",
    waiting: "!",
    done: "+",
    idle: "-",
    unknown: "?",
    dead: "x",
    bell: "B",
    zoomed: "Z",
    selected: ">",
    separator: "|",
    ellipsis: "~",
    gauge_filled: "#",
    gauge_empty: ".",
    arrow_left: "<",
    arrow_right: ">",
    arrow_up: "^",
    arrow_down: "v",
};
