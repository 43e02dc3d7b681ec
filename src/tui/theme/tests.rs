use std::collections::{BTreeMap, BTreeSet};

use super::*;

type Variables = &'static [(&'static str, &'static str)];

const ROLES: [Role; 29] = [
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
    Role::StateQuota,
    Role::StateFailed,
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
    let env = Environment::of(|name| variables.get(name).map(|value| (*value).to_owned()));
    Theme::detect(ThemeChoice::Auto, UnicodeChoice::Auto, &env, None)
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
    let utf8 = Environment::of(|_| Some("C.UTF-8".to_owned()));
    let theme = Theme::detect(ThemeChoice::Auto, UnicodeChoice::Never, &utf8, None);
    assert_eq!((theme.is_unicode(), theme.shows_utf8()), (false, true));
    let none = Environment::default();
    assert!(Theme::detect(ThemeChoice::Auto, UnicodeChoice::Always, &none, None).is_unicode());
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
    let on_light = Environment::of(|name| (name == "COLORFGBG").then(|| "0;15".to_owned()));
    for (choice, told, light) in [
        (ThemeChoice::Dark, None, false),
        (ThemeChoice::Dark, Some(true), false),
        (ThemeChoice::Light, Some(false), true),
        (ThemeChoice::Auto, None, true),
        (ThemeChoice::Auto, Some(false), false),
    ] {
        let theme = Theme::detect(choice, UnicodeChoice::Auto, &on_light, told);
        assert_eq!(theme.is_light(), light, "{choice:?} {told:?}");
    }
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
        let theme = Theme::detect(light, UnicodeChoice::Auto, &Environment::default(), None);
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

/// The contrast of two colours (WCAG 2.1, 1.4.3).
fn contrast(one: down::Rgb, other: down::Rgb) -> f64 {
    let luminance = |(red, green, blue): down::Rgb| {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.03928 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn rgb_of(color: Color) -> down::Rgb {
    match color {
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Indexed(index) => down::indexed_rgb(index),
        named => (0..16)
            .find(|index| down::named(*index) == named)
            .map(down::indexed_rgb)
            .unwrap(),
    }
}

#[test]
fn every_text_can_be_read_in_every_theme() {
    // The minimum for text (WCAG 2.1, 1.4.3). Lines and gauges are no text.
    const LEAST: f64 = 4.5;
    let texts = ROLES
        .into_iter()
        .filter(|role| !matches!(role, Role::Border | Role::GaugeFilled | Role::GaugeEmpty));
    for (choice, depth) in [ThemeChoice::Dark, ThemeChoice::Light]
        .into_iter()
        .flat_map(|choice| {
            [Depth::True, Depth::Indexed256, Depth::Sixteen].map(|depth| (choice, depth))
        })
    {
        let theme = Theme::detect(choice, UnicodeChoice::Auto, &Environment::default(), None);
        let theme = theme.with_depth(depth);
        let bar = rgb_of(theme.style(Role::Bar).bg.unwrap());
        // The terminal's own, as most have it.
        let own = match (theme.is_light(), depth) {
            (false, Depth::Sixteen) => vec![(0, 0, 0)],
            (true, Depth::Sixteen) => vec![(255, 255, 255)],
            (false, _) => vec![(0, 0, 0), (0x1e, 0x1e, 0x1e), (0x28, 0x2c, 0x34)],
            (true, _) => vec![(255, 255, 255), (0xfa, 0xfa, 0xfa)],
        };
        for role in texts.clone() {
            let style = theme.style(role);
            let grounds = match style.bg {
                Some(ground) => vec![rgb_of(ground)],
                None => own.iter().copied().chain([bar]).collect(),
            };
            let Some(text) = style.fg.map(rgb_of) else {
                assert_eq!(style.bg, None, "{role:?}");
                continue;
            };
            for ground in grounds {
                let found = contrast(text, ground);
                assert!(
                    found >= LEAST,
                    "{choice:?} {depth:?} {role:?}: {found:.2} of {text:?} on {ground:?}"
                );
            }
        }
    }
}

#[test]
fn no_color_takes_the_colours_of_tundra_and_not_those_of_programs() {
    let theme = detect(&[
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("NO_COLOR", "1"),
    ]);
    assert_eq!(theme.style(Role::Error).fg, None);
    assert_eq!(
        theme.cell_color(screen::Color::rgb(1, 2, 3)),
        Color::Rgb(1, 2, 3)
    );
}
