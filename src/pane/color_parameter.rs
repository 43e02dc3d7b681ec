//! Colours as SGR parameters.

use std::fmt;

use crate::domain::screen::{Color, ColorKind};

/// The parameter that sets a colour; the number is 30 for the foreground, 40 for the background, 50 for the underline.
pub(super) struct ColorParameter(pub Color, pub u16);

impl fmt::Display for ColorParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(color, base) = *self;
        match color.kind() {
            ColorKind::Default => write!(f, "{}", base + 9),
            ColorKind::Indexed(index @ 0..=7) if base < 50 => {
                write!(f, "{}", base + u16::from(index))
            }
            ColorKind::Indexed(index @ 8..=15) if base < 50 => {
                write!(f, "{}", base + 52 + u16::from(index))
            }
            ColorKind::Indexed(index) if base < 50 => write!(f, "{};5;{index}", base + 8),
            ColorKind::Indexed(index) => write!(f, "{}:5:{index}", base + 8),
            ColorKind::Rgb(red, green, blue) if base < 50 => {
                write!(f, "{};2;{red};{green};{blue}", base + 8)
            }
            ColorKind::Rgb(red, green, blue) => write!(f, "{}:2::{red}:{green}:{blue}", base + 8),
        }
    }
}
