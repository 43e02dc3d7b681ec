//! Writes an emulator's whole state as the bytes that bring another one into it.
//!
//! The other one may be of this kind or a browser's: what one of them does not know it ignores. Rows are printed as a
//! program would print them, so that history and wrapped lines come out as such. Widths need not agree: after what
//! terminals are known to measure differently the cursor is placed anew.

mod pen;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::charset::Charsets;
use super::modes::Modes;
use super::pen::Pen;
use super::screen::Screen;
use super::style::Style;
use super::terminal::Terminal;
use crate::domain::screen::{Attrs, Cell, InputModes, MouseEncoding, MouseMode, Row};
use pen::{push, set_pen, write_style};
use rows::print_rows;

/// The modes that may be saved and set without moving anything, with their defaults.
const QUIET_MODES: [(u16, bool); 20] = [
    (1, false),
    (5, false),
    (7, true),
    (9, false),
    (12, false),
    (25, true),
    (40, false),
    (45, false),
    (66, false),
    (67, false),
    (1000, false),
    (1002, false),
    (1003, false),
    (1004, false),
    (1005, false),
    (1006, false),
    (1007, true),
    (1015, false),
    (1016, false),
    (2004, false),
];

/// The bytes of a terminal's state, with at most `history` rows of history.
pub(super) fn terminal_state(terminal: &mut Terminal, history: usize) -> Vec<u8> {
    let mut state = Vec::new();
    let out = &mut state;
    out.extend_from_slice(b"\x1bc");
    write_saved_modes(terminal.saved_modes(), out);
    let shown = write_screens(terminal, history, out);
    write_tabs(terminal.screen(), out);
    write_cursor(terminal.screen(), &shown, out);
    write_modes(terminal, out);
    write_titles(terminal.titles(), terminal.title(), out);
    if terminal.modes().update_open {
        out.extend_from_slice(b"\x1b[?2026h");
    }
    terminal.write_unfinished(out);
    state
}

fn write_saved_modes(saved: &[(u16, bool)], out: &mut Vec<u8>) {
    for (mode, on) in saved {
        let quiet = QUIET_MODES.iter().find(|(quiet, _)| quiet == mode);
        let Some((_, default)) = quiet else { continue };
        let letter = |on: bool| if on { 'h' } else { 'l' };
        push(
            out,
            format_args!(
                "\x1b[?{mode}{}\x1b[?{mode}s\x1b[?{mode}{}",
                letter(*on),
                letter(*default)
            ),
        );
    }
}

/// Prints history and both screens, and saves on each the cursor that was saved there; returns the rows shown.
fn write_screens(terminal: &mut Terminal, history: usize, out: &mut Vec<u8>) -> Vec<Arc<Row>> {
    let alternate = terminal.screen().is_alternate();
    let screen = terminal.screen_mut();
    let (shown, hidden) = (screen.rows(&[]), screen.other_rows());
    let (main, other) = if alternate {
        (hidden, shown)
    } else {
        (shown, hidden)
    };
    let (start, top, _) = screen.extent();
    let first = top.saturating_sub(history as u64).max(start);
    let mut rows = screen.numbered_rows(first..top);
    let screen = terminal.screen();
    rows.extend(main.iter().cloned());
    print_rows(&rows, screen.size(), out);
    write_saved(screen, 0, &main, out);
    write_keyboard(terminal.modes(), false, out);
    let keyboard = terminal.modes().keyboard_stack(true);
    let untouched = other.iter().all(|row| is_blank(row));
    if !alternate && untouched && screen.saved(1).is_default() && keyboard.is_empty() {
        return main;
    }
    out.extend_from_slice(b"\x1b[m\x1b[H\x1b[?47h");
    print_rows(&other, screen.size(), out);
    write_saved(screen, 1, &other, out);
    write_keyboard(terminal.modes(), true, out);
    if alternate {
        return other;
    }
    // From elsewhere a pending wrap would come along.
    out.extend_from_slice(b"\x1b[H\x1b[?47l");
    main
}

fn is_blank(row: &Row) -> bool {
    row.cells.iter().all(|cell| *cell == Cell::default())
}

/// Saves the cursor that was saved on a screen of these rows.
fn write_saved(screen: &Screen, index: usize, rows: &[Arc<Row>], out: &mut Vec<u8>) {
    let saved = screen.saved(index);
    if saved.is_default() {
        return;
    }
    if saved.origin {
        out.extend_from_slice(b"\x1b[?6h");
    }
    let go = |out: &mut Vec<u8>| {
        let (row, col) = (saved.row + 1, saved.col + 1);
        push(out, format_args!("\x1b[{row};{col}H"));
    };
    go(out);
    let row = rows.get(usize::from(saved.row)).filter(|_| saved.pending);
    if let Some(row) = row {
        write_pending(row, saved.row, saved.col, out);
    }
    set_pen(&saved.pen, out);
    write_charsets(&saved.charsets, out);
    out.extend_from_slice(b"\x1b7");
    if let Some(blank) = row.and_then(|row| blank_at(row, saved.col)) {
        // What had to stand there for the wrap to be saved goes again.
        go(out);
        set_pen(&Pen::default(), out);
        write_style(&Style::background(blank.bg), out);
        out.extend_from_slice(b"\x1b[X");
    }
    if saved.origin {
        out.extend_from_slice(b"\x1b[?6l");
    }
    set_pen(&Pen::default(), out);
    out.extend_from_slice(b"\x0f\x1b(B\x1b)B\x1b*B\x1b+B");
}

/// The cell in a column, where nothing stands in it.
fn blank_at(row: &Row, col: u16) -> Option<&Cell> {
    let cell = row.cells.get(usize::from(col))?;
    (cell.ch == '\0' && !cell.attrs.contains(Attrs::WIDE_TAIL)).then_some(cell)
}

fn write_tabs(screen: &Screen, out: &mut Vec<u8>) {
    let stops = screen.tabs.stops();
    if stops
        .iter()
        .enumerate()
        .all(|(col, stop)| *stop == (col % 8 == 0))
    {
        return;
    }
    out.extend_from_slice(b"\x1b[3g");
    for (col, _) in stops.iter().enumerate().filter(|(_, stop)| **stop) {
        push(out, format_args!("\x1b[{}G\x1bH", col + 1));
    }
}

/// Margins, modes of placing, cursor, pen and character sets, in an order in which none undoes another.
fn write_cursor(screen: &Screen, rows: &[Arc<Row>], out: &mut Vec<u8>) {
    let placing = screen.placing();
    let margins = screen.margins();
    let size = screen.size();
    if placing.side_margins {
        out.extend_from_slice(b"\x1b[?69h");
        if margins.left > 0 || margins.right + 1 < size.cols() {
            push(
                out,
                format_args!("\x1b[{};{}s", margins.left + 1, margins.right + 1),
            );
        }
    }
    if margins.top > 0 || margins.bottom + 1 < size.rows() {
        push(
            out,
            format_args!("\x1b[{};{}r", margins.top + 1, margins.bottom + 1),
        );
    }
    if placing.origin {
        out.extend_from_slice(b"\x1b[?6h");
    }
    let (row, col) = screen.position();
    let (above, before) = if placing.origin {
        (margins.top, margins.left)
    } else {
        (0, 0)
    };
    let (line, column) = (row.saturating_sub(above), col.saturating_sub(before));
    push(out, format_args!("\x1b[{};{}H", line + 1, column + 1));
    if screen.pending()
        && let Some(cells) = rows.get(usize::from(row))
    {
        write_pending(cells, line, col, out);
    }
    for (set, sequence) in [
        (placing.insert, "\x1b[4h"),
        (placing.newline, "\x1b[20h"),
        (!placing.autowrap, "\x1b[?7l"),
        (placing.reverse_wrap, "\x1b[?45h"),
    ] {
        if set {
            out.extend_from_slice(sequence.as_bytes());
        }
    }
    set_pen(screen.pen(), out);
    write_charsets(&screen.charsets, out);
    write_single_shift(&screen.charsets, out);
}

/// A wrap is pending only right after a character in the last column: that one is printed again, or a blank where it has
/// been erased meanwhile.
fn write_pending(cells: &Row, line: u16, col: u16, out: &mut Vec<u8>) {
    let mut at = usize::from(col);
    let tail = |cell: &Cell| cell.attrs.contains(Attrs::WIDE_TAIL);
    if cells.cells.get(at).is_some_and(tail) {
        at = at.saturating_sub(1);
    }
    if let Some(cell) = cells.cells.get(at) {
        push(out, format_args!("\x1b[{};{}H", line + 1, at + 1));
        rows::print_cell(cells, cell, out);
    }
}

fn write_charsets(charsets: &Charsets, out: &mut Vec<u8>) {
    for (set, intermediate) in charsets.finals().into_iter().zip(*b"()*+") {
        if set != b'B' {
            out.extend_from_slice(&[0x1b, intermediate, set]);
        }
    }
    let shift: &[u8] = match charsets.left() {
        0 => b"",
        1 => b"\x0e",
        2 => b"\x1bn",
        _ => b"\x1bo",
    };
    out.extend_from_slice(shift);
}

/// A set for the next character alone: nothing but a character ends it, so it comes last.
fn write_single_shift(charsets: &Charsets, out: &mut Vec<u8>) {
    match charsets.single() {
        Some(2) => out.extend_from_slice(b"\x1bN"),
        Some(_) => out.extend_from_slice(b"\x1bO"),
        None => {}
    }
}

fn write_keyboard(modes: &Modes, alternate: bool, out: &mut Vec<u8>) {
    let mut stack = modes.keyboard_stack(alternate).iter();
    if let Some(base) = stack.next() {
        if *base != 0 {
            push(out, format_args!("\x1b[={base};1u"));
        }
        for flags in stack {
            push(out, format_args!("\x1b[>{flags}u"));
        }
    }
}

fn write_modes(terminal: &Terminal, out: &mut Vec<u8>) {
    let modes = terminal.modes();
    let input = terminal.input_modes();
    let mouse = match input.mouse {
        MouseMode::None => None,
        MouseMode::X10 => Some(9),
        MouseMode::Normal => Some(1000),
        MouseMode::Button => Some(1002),
        MouseMode::Any => Some(1003),
    };
    let encoding = match input.mouse_encoding {
        MouseEncoding::Default => None,
        MouseEncoding::Utf8 => Some(1005),
        MouseEncoding::Sgr => Some(1006),
        MouseEncoding::Urxvt => Some(1015),
        MouseEncoding::SgrPixels => Some(1016),
    };
    for mode in mouse
        .into_iter()
        .chain(encoding)
        .chain(on_modes(modes, &input))
    {
        push(out, format_args!("\x1b[?{mode}h"));
    }
    if !input.alternate_scroll {
        out.extend_from_slice(b"\x1b[?1007l");
    }
    if input.application_keypad {
        out.extend_from_slice(b"\x1b=");
    }
    if input.modify_other_keys > 0 {
        push(out, format_args!("\x1b[>4;{}m", input.modify_other_keys));
    }
    let style = modes.cursor_style();
    if style > 0 {
        push(out, format_args!("\x1b[{style} q"));
    }
    if !modes.cursor_visible {
        out.extend_from_slice(b"\x1b[?25l");
    }
}

fn on_modes(modes: &Modes, input: &InputModes) -> impl Iterator<Item = u16> {
    [
        (input.application_cursor, 1),
        (modes.reverse, 5),
        (modes.columns_allowed, 40),
        (input.backarrow_sends_bs, 67),
        (input.focus, 1004),
        (input.bracketed_paste, 2004),
    ]
    .into_iter()
    .filter_map(|(on, mode)| on.then_some(mode))
}

fn write_titles(stack: &[Arc<str>], title: &str, out: &mut Vec<u8>) {
    for saved in stack {
        write_title(saved, out);
        out.extend_from_slice(b"\x1b[22;2t");
    }
    write_title(title, out);
}

fn write_title(title: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b]2;");
    let clean = title.chars().filter(|c| !c.is_control());
    out.extend_from_slice(clean.collect::<String>().as_bytes());
    out.extend_from_slice(b"\x1b\\");
}
