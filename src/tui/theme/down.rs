//! Colours for a terminal that has fewer: the nearest one of 256 or of 16.

use ratatui::style::Color;

pub(super) type Rgb = (u8, u8, u8);

/// xterm's default values of the first 16 colours.
const SIXTEEN: [Rgb; 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest colour of xterm's 6x6x6 cube or grey ramp; never one of the first 16, which users change.
pub(super) fn rgb_to_256(rgb: Rgb) -> u8 {
    let (red, green, blue) = rgb;
    let level = |value: u8| match value {
        0..=47 => 0,
        48..=114 => 1,
        _ => (value - 35) / 40,
    };
    let cube = 16 + 36 * level(red) + 6 * level(green) + level(blue);
    let mean = (u16::from(red) + u16::from(green) + u16::from(blue)) / 3;
    let step = u8::try_from(mean.saturating_sub(3) / 10).map_or(23, |step| step.min(23));
    let grey = 232 + step;
    if distance(rgb, indexed_rgb(grey)) < distance(rgb, indexed_rgb(cube)) {
        grey
    } else {
        cube
    }
}

pub(super) fn rgb_to_16(rgb: Rgb) -> u8 {
    (0..16)
        .min_by_key(|index| distance(rgb, indexed_rgb(*index)))
        .unwrap_or(0)
}

pub(super) fn indexed_to_16(index: u8) -> u8 {
    if index < 16 {
        index
    } else {
        rgb_to_16(indexed_rgb(index))
    }
}

/// One of the first 16 colours by its name.
pub(super) const fn named(index: u8) -> Color {
    match index {
        0 => Color::Black,
        1 => Color::Red,
        2 => Color::Green,
        3 => Color::Yellow,
        4 => Color::Blue,
        5 => Color::Magenta,
        6 => Color::Cyan,
        7 => Color::Gray,
        8 => Color::DarkGray,
        9 => Color::LightRed,
        10 => Color::LightGreen,
        11 => Color::LightYellow,
        12 => Color::LightBlue,
        13 => Color::LightMagenta,
        14 => Color::LightCyan,
        _ => Color::White,
    }
}

/// The value xterm gives an indexed colour by default.
pub(super) fn indexed_rgb(index: u8) -> Rgb {
    let cube = |level: u8| CUBE.get(usize::from(level)).copied().unwrap_or(0);
    match index {
        0..=15 => SIXTEEN.get(usize::from(index)).copied().unwrap_or_default(),
        16..=231 => {
            let place = index - 16;
            (cube(place / 36), cube(place / 6 % 6), cube(place % 6))
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// How far apart two colours look: squared distance, weighed by the mean of red (the "redmean" approximation).
fn distance(one: Rgb, other: Rgb) -> u32 {
    let mean = u32::midpoint(u32::from(one.0), u32::from(other.0));
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    (512 + mean) * square(one.0, other.0)
        + 1024 * square(one.1, other.1)
        + (767 - mean) * square(one.2, other.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_the_cube_and_the_ramp_are_their_own_nearest() {
        for index in 16..=255 {
            let rgb = indexed_rgb(index);
            let found = rgb_to_256(rgb);
            assert_eq!(indexed_rgb(found), rgb, "{index} became {found}");
        }
        for index in 0..16 {
            assert_eq!(rgb_to_16(indexed_rgb(index)), index);
        }
    }

    #[test]
    fn near_colours_are_near() {
        assert_eq!(rgb_to_256((254, 1, 2)), 196);
        assert_eq!(rgb_to_256((100, 101, 100)), 241);
        assert_eq!(rgb_to_256((254, 254, 254)), 231);
        assert_eq!(rgb_to_16((200, 10, 10)), 1);
        assert_eq!(rgb_to_16((250, 250, 250)), 15);
        assert_eq!(indexed_to_16(46), 10);
    }
}
