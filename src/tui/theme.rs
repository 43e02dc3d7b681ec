//! Colours and glyphs of the front end, by meaning, for what the outer terminal can show.

mod detect;
mod down;
mod glyphs;
mod palette;

use ratatui::style::{Color, Style};

use crate::domain::agent::AgentState;
use crate::domain::screen::{self, ColorKind};

pub use glyphs::Glyphs;

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

/// Colours and glyphs for one outer terminal.
///
/// Without colours every role that must be told apart still is, by bold, underlined or reversed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    depth: Depth,
    light: bool,
    utf8: bool,
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
        let utf8 = detect::is_utf8(&env);
        let unicode = match unicode {
            UnicodeChoice::Always => true,
            UnicodeChoice::Never => false,
            UnicodeChoice::Auto => utf8 && detect::has_box_glyphs(&env),
        };
        Self {
            depth: detect::depth(&env),
            light: match choice {
                ThemeChoice::Dark => false,
                ThemeChoice::Light => true,
                ThemeChoice::Auto => detect::is_light(&env),
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
        }
    }

    /// A cell's colour as the outer terminal can show it.
    #[must_use]
    pub fn cell_color(&self, color: screen::Color) -> Color {
        match (color.kind(), self.depth) {
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
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    const ROLES: [Role; 27] = [
        Role::Text,
        Role::Muted,
        Role::Heading,
        Role::Bar,
        Role::BarActive,
        Role::Key,
        Role::Border,
        Role::BorderFocused,
        Role::Selected,
        Role::Matched,
        Role::Info,
        Role::Success,
        Role::Warning,
        Role::Error,
        Role::StateWorking,
        Role::StateWaiting,
        Role::StateDone,
        Role::StateIdle,
        Role::StateUnknown,
        Role::Dead,
        Role::Selection,
        Role::SearchMatch,
        Role::SearchCurrent,
        Role::Indicator,
        Role::GaugeFilled,
        Role::GaugeEmpty,
        Role::GaugeWarning,
    ];

    fn detect(variables: &[(&str, &str)]) -> Theme {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        Theme::detect(ThemeChoice::Auto, UnicodeChoice::Auto, |name| {
            variables.get(name).map(|value| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_environment() {
        let cases: [(Variables, Depth); 13] = [
            (&[], Depth::None),
            (&[("TERM", "dumb")], Depth::None),
            (&[("TERM", "vt220")], Depth::None),
            (&[("TERM", "linux")], Depth::Sixteen),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "xterm-256color")], Depth::Indexed256),
            (&[("TERM", "tmux-256color")], Depth::Indexed256),
            (&[("TERM", "xterm-kitty")], Depth::True),
            (&[("TERM", "xterm-direct")], Depth::True),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                Depth::True,
            ),
            (&[("TERM", "xterm"), ("COLORTERM", "24bit")], Depth::True),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], Depth::None),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                Depth::Indexed256,
            ),
        ];
        for (variables, depth) in cases {
            assert_eq!(detect(variables).depth(), depth, "{variables:?}");
        }
    }

    #[test]
    fn glyphs_follow_locale_and_terminal() {
        let cases: [(Variables, bool, bool); 8] = [
            (&[], false, false),
            (&[("LANG", "en_US.UTF-8")], true, true),
            (&[("LANG", "C.utf8")], true, true),
            (&[("LANG", "de_DE.ISO-8859-1")], false, false),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false, false),
            (&[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], true, true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "")], true, true),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux")], false, true),
        ];
        for (variables, unicode, utf8) in cases {
            let theme = detect(variables);
            let got = (theme.is_unicode(), theme.shows_utf8());
            assert_eq!(got, (unicode, utf8), "{variables:?}");
        }
        let utf8 = |_: &str| Some("C.UTF-8".to_owned());
        let theme = Theme::detect(ThemeChoice::Auto, UnicodeChoice::Never, utf8);
        assert_eq!((theme.is_unicode(), theme.shows_utf8()), (false, true));
        assert!(Theme::detect(ThemeChoice::Auto, UnicodeChoice::Always, |_| None).is_unicode());
    }

    #[test]
    fn light_or_dark_follows_configuration_then_terminal() {
        for (value, light) in [
            ("15;0", false),
            ("0;15", true),
            ("0;default;15", true),
            ("0;7", true),
            ("7;8", false),
            ("x", false),
        ] {
            assert_eq!(detect(&[("COLORFGBG", value)]).is_light(), light, "{value}");
        }
        let on_light = |name: &str| (name == "COLORFGBG").then(|| "0;15".to_owned());
        let theme = Theme::detect(ThemeChoice::Dark, UnicodeChoice::Auto, on_light);
        assert!(!theme.is_light());
        let theme = Theme::detect(ThemeChoice::Light, UnicodeChoice::Auto, |_| None);
        assert!(theme.is_light());
    }

    #[test]
    fn no_colours_means_none_at_all() {
        let theme = detect(&[]);
        for role in ROLES {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert_eq!(theme.cell_color(screen::Color::rgb(1, 2, 3)), Color::Reset);
    }

    #[test]
    fn what_must_be_told_apart_is_at_every_depth() {
        let pairs = [
            (Role::Bar, Role::BarActive),
            (Role::Border, Role::BorderFocused),
            (Role::Text, Role::Selected),
            (Role::Text, Role::Matched),
            (Role::Text, Role::Selection),
            (Role::SearchMatch, Role::SearchCurrent),
            (Role::Text, Role::SearchMatch),
            (Role::Text, Role::Error),
            (Role::Text, Role::StateWaiting),
            (Role::GaugeFilled, Role::GaugeWarning),
        ];
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed256, Depth::True] {
            for (one, other) in pairs {
                let theme = detect(&[]).with_depth(depth);
                assert_ne!(theme.style(one), theme.style(other), "{depth:?} {one:?}");
            }
        }
    }

    #[test]
    fn styles_use_only_colours_that_the_terminal_has() {
        for light in [ThemeChoice::Dark, ThemeChoice::Light] {
            let theme = Theme::detect(light, UnicodeChoice::Auto, |_| None);
            for role in ROLES {
                let style = theme.with_depth(Depth::Indexed256).style(role);
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(matches!(color, Color::Indexed(_)), "{role:?} {color:?}");
                }
                let style = theme.with_depth(Depth::Sixteen).style(role);
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(
                        !matches!(color, Color::Indexed(_) | Color::Rgb(..)),
                        "{role:?} {color:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn states_differ_by_glyph_and_not_by_colour_alone() {
        for theme in [detect(&[]), detect(&[("LANG", "C.UTF-8")])] {
            let glyphs = theme.glyphs();
            let mut all: BTreeSet<&str> = AgentState::ALL
                .iter()
                .map(|state| glyphs.state(*state))
                .collect();
            all.insert(glyphs.dead);
            assert_eq!(all.len(), AgentState::ALL.len() + 1);
        }
    }

    #[test]
    fn cell_colours_go_down_to_what_the_terminal_has() {
        let orange = screen::Color::rgb(255, 135, 0);
        let at = |depth| detect(&[]).with_depth(depth).cell_color(orange);
        assert_eq!(at(Depth::True), Color::Rgb(255, 135, 0));
        assert_eq!(at(Depth::Indexed256), Color::Indexed(208));
        assert_eq!(at(Depth::Sixteen), Color::Yellow);
        assert_eq!(at(Depth::None), Color::Reset);
        let theme = detect(&[]).with_depth(Depth::Sixteen);
        assert_eq!(theme.cell_color(screen::Color::indexed(9)), Color::LightRed);
        assert_eq!(theme.cell_color(screen::Color::indexed(21)), Color::Blue);
        assert_eq!(theme.cell_color(screen::Color::DEFAULT), Color::Reset);
    }
}
