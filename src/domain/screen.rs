//! What a terminal shows: cells, rows, cursor and modes at one point of its byte stream.

use std::sync::Arc;

use super::size::Size;

/// A cell colour: the terminal's default, one of the 256 indexed colours, or 24-bit RGB.
///
/// Packed into four bytes, since a screen holds one foreground and one background for each of its cells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Color(u32);

/// The readable form of a [`Color`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColorKind {
    Default,
    Indexed(u8),
    Rgb(u8, u8, u8),
}

impl Color {
    /// What the outer terminal shows text in.
    pub const DEFAULT: Self = Self(0);

    /// One of the 256: 16 of the theme, a cube of 216, 24 greys.
    #[must_use]
    pub const fn indexed(index: u8) -> Self {
        Self(0x0100_0000 | index as u32)
    }

    /// A colour of 24 bits.
    #[must_use]
    pub const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self(0x0200_0000 | (red as u32) << 16 | (green as u32) << 8 | blue as u32)
    }

    /// The colour in a form that can be matched.
    #[must_use]
    pub const fn kind(self) -> ColorKind {
        let [tag, red, green, blue] = self.0.to_be_bytes();
        match tag {
            0 => ColorKind::Default,
            1 => ColorKind::Indexed(blue),
            _ => ColorKind::Rgb(red, green, blue),
        }
    }
}

impl std::fmt::Debug for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind().fmt(f)
    }
}

/// The rendition of a cell as a bit set: SGR attributes, underline style, and which half of a wide character it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Attrs(u16);

impl Attrs {
    pub const NONE: Self = Self(0);
    pub const BOLD: Self = Self(1);
    pub const DIM: Self = Self(1 << 1);
    pub const ITALIC: Self = Self(1 << 2);
    pub const INVERSE: Self = Self(1 << 3);
    pub const STRIKE: Self = Self(1 << 4);
    pub const HIDDEN: Self = Self(1 << 5);
    pub const BLINK: Self = Self(1 << 6);
    pub const OVERLINE: Self = Self(1 << 7);
    /// The cell holds a character that is two columns wide; the next cell is its [`Attrs::WIDE_TAIL`].
    pub const WIDE: Self = Self(1 << 8);
    /// The second column of a wide character: it has no text of its own.
    pub const WIDE_TAIL: Self = Self(1 << 9);
    /// Attributes that are on or off, each with the SGR parameter that sets it (ECMA-48, 8.3.117; 53 as terminals have it).
    pub const RENDITION: [(Self, u8); 8] = [
        (Self::BOLD, 1),
        (Self::DIM, 2),
        (Self::ITALIC, 3),
        (Self::BLINK, 5),
        (Self::INVERSE, 7),
        (Self::HIDDEN, 8),
        (Self::STRIKE, 9),
        (Self::OVERLINE, 53),
    ];
    const UNDERLINE_SHIFT: u16 = 10;
    const UNDERLINE_MASK: u16 = 0b111 << Self::UNDERLINE_SHIFT;

    /// Whether every bit of `other` is set. An underline is no bit: ask [`Attrs::underline`].
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How the cell is underlined.
    #[must_use]
    pub const fn underline(self) -> Underline {
        match (self.0 & Self::UNDERLINE_MASK) >> Self::UNDERLINE_SHIFT {
            0 => Underline::None,
            1 => Underline::Single,
            2 => Underline::Double,
            3 => Underline::Curly,
            4 => Underline::Dotted,
            _ => Underline::Dashed,
        }
    }

    /// The same with another underline.
    #[must_use]
    pub const fn with_underline(self, underline: Underline) -> Self {
        Self(self.0 & !Self::UNDERLINE_MASK | (underline as u16) << Self::UNDERLINE_SHIFT)
    }

    /// The whole set as a number, for keeping; see [`Attrs::from_bits`].
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// What [`Attrs::bits`] told.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

/// Underline styles in the order of SGR `4:0` to `4:5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u16)]
pub enum Underline {
    #[default]
    None = 0,
    Single = 1,
    Double = 2,
    Curly = 3,
    Dotted = 4,
    Dashed = 5,
}

/// One character cell, 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Cell {
    /// The character; NUL for a blank cell. When `extra` names a cluster, this is the cluster's first character.
    pub ch: char,
    pub fg: Color,
    pub bg: Color,
    pub attrs: Attrs,
    /// One more than the index into [`Row::extras`], or 0 for none.
    pub extra: u16,
}

/// What few cells have: more characters than one, an underline colour, or a hyperlink.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct CellExtra {
    /// The whole grapheme cluster where it is more than one character.
    pub cluster: Option<Box<str>>,
    pub underline_color: Color,
    /// The target of an OSC 8 hyperlink.
    pub link: Option<Arc<str>>,
}

/// One row of cells, as many as the screen has columns (fewer for a row of history: the rest is blank).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Row {
    /// One for each column, the tail of a wide character too.
    pub cells: Vec<Cell>,
    /// What [`Cell::extra`] names.
    pub extras: Vec<CellExtra>,
    /// The text goes on in the next row, since it did not fit here.
    pub wrapped: bool,
}

impl Row {
    /// What `cell` has besides its character; `cell` is one of this row.
    #[must_use]
    pub fn extra(&self, cell: &Cell) -> Option<&CellExtra> {
        self.extras.get(usize::from(cell.extra.checked_sub(1)?))
    }

    /// Appends the text of one cell: a space for a blank one, nothing for the tail of a wide character.
    pub fn push_cell_text(&self, cell: &Cell, text: &mut String) {
        if cell.attrs.contains(Attrs::WIDE_TAIL) {
            return;
        }
        match self.extra(cell).and_then(|extra| extra.cluster.as_deref()) {
            Some(cluster) => text.push_str(cluster),
            None => text.push(if cell.ch == '\0' { ' ' } else { cell.ch }),
        }
    }

    /// The row's text without trailing blanks; a wide character stands once.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.cells.len());
        for cell in &self.cells {
            self.push_cell_text(cell, &mut text);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

/// How the cursor looks (DECSCUSR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CursorShape {
    /// What the outer terminal has.
    #[default]
    Default,
    Block,
    Underline,
    Bar,
}

/// The cursor of a screen; rows and columns count from 0, a pending wrap counts as the last column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Cursor {
    pub row: u16,
    pub col: u16,
    pub visible: bool,
    pub shape: CursorShape,
    pub blinking: bool,
}

/// Which mouse events a program asked for (DEC private modes 9, 1000, 1002, 1003).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum MouseMode {
    #[default]
    None,
    X10,
    Normal,
    Button,
    Any,
}

/// How mouse events are written (default, 1005, 1006, 1015, 1016).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum MouseEncoding {
    #[default]
    Default,
    Utf8,
    Sgr,
    Urxvt,
    /// SGR with pixels; answered with cell corners times the cell size that tundra reports.
    SgrPixels,
}

/// The input modes a program has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct InputModes {
    /// DECCKM: cursor keys send SS3.
    pub application_cursor: bool,
    /// DECNKM / DECKPAM.
    pub application_keypad: bool,
    pub bracketed_paste: bool,
    /// 1004: focus in and out are reported.
    pub focus: bool,
    /// 1007: the wheel sends cursor keys on the alternate screen.
    pub alternate_scroll: bool,
    /// LNM: Enter sends CR LF.
    pub newline: bool,
    /// DECBKM set: Backspace sends BS instead of DEL.
    pub backarrow_sends_bs: bool,
    pub mouse: MouseMode,
    pub mouse_encoding: MouseEncoding,
    /// Kitty keyboard protocol flags in force (bit 1 disambiguate, 2 event types, 4 alternates, 8 all as escapes,
    /// 16 associated text).
    pub kitty_flags: u8,
    /// xterm's modifyOtherKeys level, 0 to 2.
    pub modify_other_keys: u8,
}

/// What a terminal shows at one point of its byte stream.
///
/// Rows are shared between successive snapshots while they do not change, so that a renderer can skip a row by
/// comparing pointers.
#[derive(Clone, Debug)]
pub struct ScreenSnapshot {
    pub size: Size,
    /// Exactly `size.rows()` rows of exactly `size.cols()` cells.
    pub rows: Vec<Arc<Row>>,
    pub cursor: Cursor,
    pub title: Arc<str>,
    /// A full-screen program shows its own screen (DEC private modes 47, 1047, 1049), which has no history.
    pub alternate_screen: bool,
    /// DECSCNM: the whole screen is shown in reverse.
    pub reverse: bool,
    pub modes: InputModes,
    /// Absolute number of the oldest row still in history. Rows are numbered from 0 as they were first written.
    pub history_start: u64,
    /// Absolute number of the screen's top row, so `top - history_start` rows can be scrolled back.
    pub top: u64,
    /// How often lines have been wrapped at another width: row numbers hold only while this stays as it is.
    pub rewraps: u64,
}

impl ScreenSnapshot {
    /// An empty screen; all of its rows are one.
    #[must_use]
    pub fn blank(size: Size) -> Self {
        let row = Arc::new(Row {
            cells: vec![Cell::default(); usize::from(size.cols())],
            ..Row::default()
        });
        Self {
            size,
            rows: std::iter::repeat_n(row, usize::from(size.rows())).collect(),
            cursor: Cursor::default(),
            title: Arc::from(""),
            alternate_screen: false,
            reverse: false,
            modes: InputModes::default(),
            history_start: 0,
            top: 0,
            rewraps: 0,
        }
    }
}

/// What a screen is drawn with where a program sets no colour, in red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backdrop {
    pub foreground: [u8; 3],
    pub background: [u8; 3],
}

impl Backdrop {
    const LIGHT_TEXT: [u8; 3] = [0xe5; 3];

    /// On that background, with a text that can be read there.
    #[must_use]
    pub fn on(background: [u8; 3]) -> Self {
        let foreground = if is_light(background) {
            [0; 3]
        } else {
            Self::LIGHT_TEXT
        };
        Self {
            foreground,
            background,
        }
    }

    #[must_use]
    pub fn is_light(self) -> bool {
        is_light(self.background)
    }
}

/// As xterm is.
impl Default for Backdrop {
    fn default() -> Self {
        Self::on([0; 3])
    }
}

/// Whether a colour is light rather than dark, by perceived brightness (ITU-R BT.601).
fn is_light([red, green, blue]: [u8; 3]) -> bool {
    let brightness = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    brightness > 500 * u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNDERLINES: [Underline; 6] = [
        Underline::None,
        Underline::Single,
        Underline::Double,
        Underline::Curly,
        Underline::Dotted,
        Underline::Dashed,
    ];

    fn cell(ch: char, attrs: Attrs) -> Cell {
        Cell {
            ch,
            attrs,
            ..Cell::default()
        }
    }

    #[test]
    fn a_colour_reads_back_as_what_it_was_made_of() {
        assert_eq!(Color::DEFAULT.kind(), ColorKind::Default);
        assert_eq!(Color::default(), Color::DEFAULT);
        for index in [0, 1, 127, 255] {
            assert_eq!(Color::indexed(index).kind(), ColorKind::Indexed(index));
        }
        for (red, green, blue) in [(0, 0, 0), (255, 128, 1), (1, 2, 3), (255, 255, 255)] {
            let kind = ColorKind::Rgb(red, green, blue);
            assert_eq!(Color::rgb(red, green, blue).kind(), kind);
        }
        assert_eq!(format!("{:?}", Color::indexed(7)), "Indexed(7)");
    }

    #[test]
    fn every_attribute_is_a_bit_of_its_own() {
        let switches = Attrs::RENDITION.map(|(attribute, _)| attribute);
        let all: Vec<Attrs> = switches
            .into_iter()
            .chain([Attrs::WIDE, Attrs::WIDE_TAIL])
            .collect();
        let mut together = Attrs::NONE;
        for attribute in &all {
            assert_eq!(attribute.bits().count_ones(), 1, "{attribute:?}");
            assert!(!together.contains(*attribute), "{attribute:?} stands twice");
            together = together.with(*attribute);
        }
        for attribute in all {
            let others = together.without(attribute);
            assert!(!others.contains(attribute));
            assert_eq!(others.without(attribute), others);
            assert_eq!(others.with(attribute), together);
            assert_eq!(together.with(attribute), together);
        }
        assert!(!Attrs::BOLD.contains(Attrs::BOLD.with(Attrs::DIM)));
        assert_eq!(Attrs::from_bits(together.bits()), together);
    }

    #[test]
    fn an_underline_has_one_style_and_leaves_the_attributes_alone() {
        let mut attrs = Attrs::BOLD.with(Attrs::WIDE_TAIL);
        assert_eq!(attrs.underline(), Underline::None);
        for style in UNDERLINES.into_iter().chain([Underline::Curly]) {
            attrs = attrs.with_underline(style);
            assert_eq!(attrs.underline(), style);
            let plain = attrs.with_underline(Underline::None);
            assert_eq!(plain, Attrs::BOLD.with(Attrs::WIDE_TAIL));
        }
    }

    #[test]
    fn a_rows_text_has_each_character_once_and_no_blanks_at_its_end() {
        let flag = CellExtra {
            cluster: Some("🇩🇪".into()),
            ..CellExtra::default()
        };
        let row = Row {
            cells: vec![
                cell('a', Attrs::NONE),
                cell('\0', Attrs::NONE),
                cell('日', Attrs::WIDE),
                cell('\0', Attrs::WIDE_TAIL),
                Cell {
                    extra: 1,
                    ..cell('🇩', Attrs::WIDE)
                },
                cell('\0', Attrs::WIDE_TAIL),
                cell(' ', Attrs::NONE),
                cell('\0', Attrs::NONE),
            ],
            extras: vec![flag.clone()],
            wrapped: false,
        };
        assert_eq!(row.text(), "a 日🇩🇪");
        assert_eq!(row.extra(&row.cells[0]), None);
        assert_eq!(row.extra(&row.cells[4]), Some(&flag));
    }

    #[test]
    fn a_blank_screen_has_every_row_and_column_of_its_size() {
        let blank = ScreenSnapshot::blank(Size::clamped(7, 3));
        let columns = blank.rows.iter().map(|row| row.cells.len());
        assert_eq!(columns.collect::<Vec<_>>(), [7, 7, 7]);
        assert!(blank.rows.iter().all(|row| row.text().is_empty()));
    }
}
