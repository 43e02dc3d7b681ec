//! How each role looks: a colour for dark and for light terminals, one of the 16, and what stands in without colour.

#![expect(
    clippy::unreadable_literal,
    reason = "colours are known by six hex digits"
)]

use ratatui::style::{Color, Modifier, Style};

use super::down::{self, Rgb};
use super::role::Role;
use crate::domain::outer::Depth;

/// One colour in its variants; the numbers are of the 16 colours, of which few can be read on white.
#[derive(Clone, Copy)]
struct Tone {
    dark: Rgb,
    light: Rgb,
    dark_16: u8,
    light_16: u8,
}

const fn tone(dark: u32, light: u32, dark_16: u8, light_16: u8) -> Tone {
    const fn rgb(hex: u32) -> Rgb {
        let [_, red, green, blue] = hex.to_be_bytes();
        (red, green, blue)
    }
    Tone {
        dark: rgb(dark),
        light: rgb(light),
        dark_16,
        light_16,
    }
}

const MUTED: Tone = tone(0x9ea4ae, 0x575c64, 8, 0);
const ACCENT: Tone = tone(0x7ab8ff, 0x0a4fb8, 14, 4);
const GREEN: Tone = tone(0x7fd88f, 0x116329, 10, 4);
const YELLOW: Tone = tone(0xf0c65c, 0x6e4700, 11, 1);
const RED: Tone = tone(0xff7b72, 0xb31d28, 9, 1);
const MAGENTA: Tone = tone(0xd2a8ff, 0x5f00af, 13, 1);
const BORDER: Tone = tone(0x4a4f59, 0xb4b9c1, 8, 7);
const BAR: Tone = tone(0x242932, 0xe3e6ea, 0, 7);
const BAR_TEXT: Tone = tone(0xb6bdc8, 0x3c424b, 7, 0);
const BAR_ACTIVE: Tone = tone(0x3b5b8c, 0xbfd7ff, 4, 4);
const ON_BAR_ACTIVE: Tone = tone(0xffffff, 0x0b1f3f, 15, 15);
const SELECTED: Tone = tone(0x334663, 0xd3e3fb, 4, 4);
const ON_SELECTED: Tone = tone(0xf4f6f9, 0x121a26, 15, 15);
const MATCH: Tone = tone(0x6b5612, 0xffeca8, 3, 3);
const ON_MATCH: Tone = tone(0xfff2c2, 0x3a2c00, 0, 0);
const CURRENT: Tone = tone(0xf0c65c, 0xffb02e, 11, 11);
const ON_CURRENT: Tone = tone(0x1c1600, 0x1c1600, 0, 0);

/// The parts of a style; `mono` takes the place of the colours where there are none.
struct Appearance {
    text: Option<Tone>,
    ground: Option<Tone>,
    modifiers: Modifier,
    mono: Modifier,
}

const fn appearance(
    text: Option<Tone>,
    ground: Option<Tone>,
    modifiers: Modifier,
    mono: Modifier,
) -> Appearance {
    Appearance {
        text,
        ground,
        modifiers,
        mono,
    }
}

const fn appearance_of(role: Role) -> Appearance {
    const NONE: Modifier = Modifier::empty();
    const BOLD: Modifier = Modifier::BOLD;
    const REVERSED: Modifier = Modifier::REVERSED;
    const UNDERLINED: Modifier = Modifier::UNDERLINED;
    const LOUD: Modifier = REVERSED.union(BOLD);
    match role {
        Role::Text => appearance(None, None, NONE, NONE),
        Role::Muted | Role::StateIdle | Role::StateUnknown => {
            appearance(Some(MUTED), None, NONE, Modifier::DIM)
        }
        Role::GaugeEmpty => appearance(Some(MUTED), None, NONE, NONE),
        Role::Heading => appearance(None, None, BOLD, BOLD),
        Role::Bar => appearance(Some(BAR_TEXT), Some(BAR), NONE, NONE),
        Role::BarActive => appearance(Some(ON_BAR_ACTIVE), Some(BAR_ACTIVE), BOLD, LOUD),
        Role::Key => appearance(Some(ACCENT), None, BOLD, BOLD),
        Role::Border => appearance(Some(BORDER), None, NONE, NONE),
        Role::BorderFocused => appearance(Some(ACCENT), None, NONE, BOLD),
        Role::Selected => appearance(Some(ON_SELECTED), Some(SELECTED), BOLD, LOUD),
        Role::Matched => appearance(Some(YELLOW), None, BOLD, UNDERLINED),
        Role::Info | Role::GaugeFilled | Role::StateWorking => {
            appearance(Some(ACCENT), None, NONE, NONE)
        }
        Role::Success | Role::StateDone => appearance(Some(GREEN), None, NONE, BOLD),
        Role::Warning | Role::GaugeWarning | Role::StateQuota => {
            appearance(Some(YELLOW), None, BOLD, BOLD)
        }
        Role::Error | Role::StateFailed => appearance(Some(RED), None, BOLD, LOUD),
        Role::StateWaiting => appearance(Some(MAGENTA), None, BOLD, LOUD),
        Role::Dead => appearance(Some(RED), None, NONE, Modifier::DIM),
        Role::Selection => appearance(Some(ON_SELECTED), Some(SELECTED), NONE, REVERSED),
        Role::SearchMatch => appearance(Some(ON_MATCH), Some(MATCH), NONE, UNDERLINED),
        Role::SearchCurrent => appearance(Some(ON_CURRENT), Some(CURRENT), BOLD, LOUD),
        Role::Indicator => appearance(Some(ON_CURRENT), Some(CURRENT), NONE, REVERSED),
    }
}

pub(super) fn style(role: Role, depth: Depth, light: bool) -> Style {
    let appearance = appearance_of(role);
    if depth == Depth::None {
        return Style::new().add_modifier(appearance.mono);
    }
    let paint = |tone: Tone| {
        let rgb = if light { tone.light } else { tone.dark };
        match depth {
            Depth::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
            Depth::Indexed256 => Color::Indexed(down::rgb_to_256(rgb)),
            _ => down::named(if light { tone.light_16 } else { tone.dark_16 }),
        }
    };
    Style {
        fg: appearance.text.map(paint),
        bg: appearance.ground.map(paint),
        add_modifier: appearance.modifiers,
        ..Style::new()
    }
}
