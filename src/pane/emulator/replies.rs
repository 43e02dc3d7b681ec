//! Answers to a program's queries. Nothing that a program has written (a title, a link) is ever sent back as input.

use std::io::Write as _;

use super::palette::{Rgb, Slot};
use super::pen::Pen;
use super::screen::Screen;
use crate::domain::screen::{Attrs, Color, ColorKind, Underline};
use crate::domain::size::{CELL_PIXELS, Size};

/// Most bytes that one chunk of output can be answered with; queries beyond it get no answer.
const LIMIT: usize = 64 * 1024;

/// Collects answers in the order of the queries.
pub(super) struct Replies<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Replies<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn send(&mut self, answer: std::fmt::Arguments<'_>) {
        if self.out.len() < LIMIT {
            // Writing to a vector does not fail.
            let _ = self.out.write_fmt(answer);
        }
    }

    /// DA1: a VT220 with selective erase, colours and clipboard writing.
    pub fn primary_attributes(&mut self) {
        self.send(format_args!("\x1b[?62;6;22;52c"));
    }

    /// DA2: as an xterm new enough for SGR mouse reports.
    pub fn secondary_attributes(&mut self) {
        self.send(format_args!("\x1b[>1;277;0c"));
    }

    /// DA3: no unit number.
    pub fn tertiary_attributes(&mut self) {
        self.send(format_args!("\x1bP!|00000000\x1b\\"));
    }

    pub fn version(&mut self) {
        self.send(format_args!(
            "\x1bP>|tundra {}\x1b\\",
            env!("CARGO_PKG_VERSION")
        ));
    }

    /// DECREQTPARM, for the two requests that there are.
    pub fn terminal_parameters(&mut self, request: u16) {
        if request < 2 {
            self.send(format_args!("\x1b[{};1;1;128;128;1;0x", request + 2));
        }
    }

    /// DSR.
    pub fn status(&mut self, request: u16, private: bool, screen: &Screen) {
        let (row, col) = screen.reported_position();
        match (private, request) {
            (_, 5) => self.send(format_args!("\x1b[0n")),
            (false, 6) => self.send(format_args!("\x1b[{row};{col}R")),
            (true, 6) => self.send(format_args!("\x1b[?{row};{col};1R")),
            // No printer, no user-defined keys, a North American keyboard, no locator.
            (true, 15) => self.send(format_args!("\x1b[?13n")),
            (true, 25) => self.send(format_args!("\x1b[?20n")),
            (true, 26) => self.send(format_args!("\x1b[?27;1;0;0n")),
            (true, 53 | 55) => self.send(format_args!("\x1b[?50n")),
            _ => {}
        }
    }

    /// DSR 996, of contour and others: whether the colours are dark or light.
    pub fn color_scheme(&mut self, is_light: bool) {
        self.send(format_args!("\x1b[?997;{}n", if is_light { 2 } else { 1 }));
    }

    /// DECRQM.
    pub fn mode(&mut self, mode: u16, private: bool, state: u8) {
        let mark = if private { "?" } else { "" };
        self.send(format_args!("\x1b[{mark}{mode};{state}$y"));
    }

    pub fn keyboard_flags(&mut self, flags: u8) {
        self.send(format_args!("\x1b[?{flags}u"));
    }

    pub fn modify_other_keys(&mut self, level: u8) {
        self.send(format_args!("\x1b[>4;{level}m"));
    }

    /// The size reports of `CSI … t`.
    pub fn window(&mut self, request: u16, size: Size) {
        let (rows, cols) = (u32::from(size.rows()), u32::from(size.cols()));
        let (width, height) = (u32::from(CELL_PIXELS.0), u32::from(CELL_PIXELS.1));
        match request {
            11 => self.send(format_args!("\x1b[1t")),
            13 => self.send(format_args!("\x1b[3;0;0t")),
            14 => self.send(format_args!("\x1b[4;{};{}t", rows * height, cols * width)),
            15 => self.send(format_args!("\x1b[5;{};{}t", rows * height, cols * width)),
            16 => self.send(format_args!("\x1b[6;{height};{width}t")),
            18 => self.send(format_args!("\x1b[8;{rows};{cols}t")),
            19 => self.send(format_args!("\x1b[9;{rows};{cols}t")),
            _ => {}
        }
    }

    /// A colour, ended as the query was.
    pub fn color(&mut self, slot: Slot, [red, green, blue]: Rgb, bell: bool) {
        let number = match slot {
            Slot::Indexed(index) => format!("4;{index}"),
            Slot::Foreground => "10".to_owned(),
            Slot::Background => "11".to_owned(),
            Slot::Cursor => "12".to_owned(),
        };
        let end = if bell { "\x07" } else { "\x1b\\" };
        self.send(format_args!(
            "\x1b]{number};rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}{end}"
        ));
    }

    /// DECRQSS.
    pub fn setting(&mut self, name: &[u8], screen: &Screen, cursor_style: u8) {
        let margins = screen.margins();
        let value = match name {
            b"m" => rendition(screen.pen()),
            b"r" => format!("{};{}r", margins.top + 1, margins.bottom + 1),
            b"s" => format!("{};{}s", margins.left + 1, margins.right + 1),
            b" q" => format!("{cursor_style} q"),
            b"\"q" => format!("{}\"q", u8::from(screen.pen().is_protected())),
            b"\"p" => "62;1\"p".to_owned(),
            b"t" => format!("{}t", screen.size().rows()),
            b"$|" => format!("{}$|", screen.size().cols()),
            b"*|" => format!("{}*|", screen.size().rows()),
            _ => return self.send(format_args!("\x1bP0$r\x1b\\")),
        };
        self.send(format_args!("\x1bP1$r{value}\x1b\\"));
    }

    /// XTGETTCAP: each name in hexadecimal; what is not answered is refused, so that nobody waits.
    pub fn capabilities(&mut self, names: &[u8]) {
        for name in names.split(|byte| *byte == b';') {
            let decoded: Option<Vec<u8>> = name.chunks(2).map(super::decode::hex_byte).collect();
            // The values in hexadecimal: xterm-256color, 256, and 8/8/8 for 24-bit colour.
            let value = match decoded.as_deref() {
                Some(b"TN" | b"name") => "787465726D2D323536636F6C6F72",
                Some(b"Co" | b"colors") => "323536",
                Some(b"RGB") => "382F382F38",
                _ => "",
            };
            let name = std::str::from_utf8(name).unwrap_or_default();
            let name = if name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                name
            } else {
                ""
            };
            if value.is_empty() {
                self.send(format_args!("\x1bP0+r{name}\x1b\\"));
            } else {
                self.send(format_args!("\x1bP1+r{name}={value}\x1b\\"));
            }
        }
    }
}

/// The pen as an SGR sequence without its introducer.
fn rendition(pen: &Pen) -> String {
    let style = pen.style();
    let mut codes = vec!["0".to_owned()];
    let named = [
        (Attrs::BOLD, "1"),
        (Attrs::DIM, "2"),
        (Attrs::ITALIC, "3"),
        (Attrs::BLINK, "5"),
        (Attrs::INVERSE, "7"),
        (Attrs::HIDDEN, "8"),
        (Attrs::STRIKE, "9"),
        (Attrs::OVERLINE, "53"),
    ];
    codes.extend(
        named
            .iter()
            .filter(|(attr, _)| style.attrs.contains(*attr))
            .map(|(_, code)| (*code).to_owned()),
    );
    match style.attrs.underline() {
        Underline::None => {}
        Underline::Single => codes.push("4".to_owned()),
        underline => codes.push(format!("4:{}", underline as u16)),
    }
    codes.extend(color_code(style.fg, 30));
    codes.extend(color_code(style.bg, 40));
    codes.extend(color_code(style.underline_color, 50));
    format!("{}m", codes.join(";"))
}

fn color_code(color: Color, base: u16) -> Option<String> {
    Some(match color.kind() {
        ColorKind::Default => return None,
        ColorKind::Indexed(index @ 0..=7) if base < 50 => (base + u16::from(index)).to_string(),
        ColorKind::Indexed(index @ 8..=15) if base < 50 => {
            (base + 52 + u16::from(index)).to_string()
        }
        ColorKind::Indexed(index) => format!("{}:5:{index}", base + 8),
        ColorKind::Rgb(red, green, blue) => format!("{}:2::{red}:{green}:{blue}", base + 8),
    })
}
