//! Mouse events in every mode and encoding of xterm.

use super::{push, push_char};
use crate::domain::input::{KeyCode, KeyEvent, Mods, MouseButton, MouseEvent, MouseKind};
use crate::domain::screen::{InputModes, MouseEncoding, MouseMode};
use crate::domain::size::CELL_PIXELS;

/// Cursor keys that stand for one step of the wheel where a program on the alternate screen has no mouse.
const WHEEL_KEYS: usize = 3;
/// The last column or row that fits a byte (255 less 32), and two bytes of UTF-8 (2047 less 32).
const LAST_IN_BYTE: u16 = 223;
const LAST_IN_UTF8: u16 = 2015;
const MOTION: u8 = 32;
const RELEASED: u8 = 3;

pub(super) fn encode(
    event: MouseEvent,
    modes: &InputModes,
    alternate_screen: bool,
    out: &mut Vec<u8>,
) {
    if modes.mouse == MouseMode::None {
        if alternate_screen && modes.alternate_scroll {
            scroll(event.kind, modes, out);
        }
        return;
    }
    if !is_told(event.kind, modes.mouse) {
        return;
    }
    let mut button = button_number(event.kind);
    if modes.mouse != MouseMode::X10 {
        let held = [(Mods::SHIFT, 4), (Mods::ALT, 8), (Mods::CTRL, 16)];
        for (modifier, bit) in held {
            if event.mods.contains(modifier) {
                button |= bit;
            }
        }
    }
    let released = matches!(event.kind, MouseKind::Release(_));
    let old_button = if released { button | RELEASED } else { button };
    let (col, row) = (event.col.saturating_add(1), event.row.saturating_add(1));
    match modes.mouse_encoding {
        MouseEncoding::Default => {
            out.extend_from_slice(b"\x1b[M");
            out.push(32 + old_button);
            for place in [col, row] {
                out.push(u8::try_from(32 + place.min(LAST_IN_BYTE)).unwrap_or(u8::MAX));
            }
        }
        MouseEncoding::Utf8 => {
            out.extend_from_slice(b"\x1b[M");
            push_char(char::from(32 + old_button), out);
            for place in [col, row] {
                let number = u32::from(32 + place.min(LAST_IN_UTF8));
                push_char(char::from_u32(number).unwrap_or(' '), out);
            }
        }
        MouseEncoding::Urxvt => {
            push(out, format_args!("\x1b[{};{col};{row}M", 32 + old_button));
        }
        MouseEncoding::Sgr => sgr(button, col.into(), row.into(), released, out),
        MouseEncoding::SgrPixels => {
            let (width, height) = CELL_PIXELS;
            let x = u32::from(event.col) * u32::from(width) + 1;
            let y = u32::from(event.row) * u32::from(height) + 1;
            sgr(button, x, y, released, out);
        }
    }
}

fn sgr(button: u8, x: u32, y: u32, released: bool, out: &mut Vec<u8>) {
    let last = if released { 'm' } else { 'M' };
    push(out, format_args!("\x1b[<{button};{x};{y}{last}"));
}

fn is_told(kind: MouseKind, mode: MouseMode) -> bool {
    match kind {
        MouseKind::Press(_) => mode != MouseMode::None,
        MouseKind::Drag(_) => matches!(mode, MouseMode::Button | MouseMode::Any),
        MouseKind::Move => mode == MouseMode::Any,
        _ => !matches!(mode, MouseMode::None | MouseMode::X10),
    }
}

fn button_number(kind: MouseKind) -> u8 {
    let number = |button| match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    };
    match kind {
        MouseKind::Press(button) | MouseKind::Release(button) => number(button),
        MouseKind::Drag(button) => number(button) | MOTION,
        MouseKind::Move => RELEASED | MOTION,
        MouseKind::WheelUp => 64,
        MouseKind::WheelDown => 65,
        MouseKind::WheelLeft => 66,
        MouseKind::WheelRight => 67,
    }
}

/// The wheel as cursor keys (mode 1007).
fn scroll(kind: MouseKind, modes: &InputModes, out: &mut Vec<u8>) {
    let code = match kind {
        MouseKind::WheelUp => KeyCode::Up,
        MouseKind::WheelDown => KeyCode::Down,
        _ => return,
    };
    for _ in 0..WHEEL_KEYS {
        super::key(&KeyEvent::press(code, Mods::NONE), modes, out);
    }
}
