//! Character sets G0 to G3 and their shifts (ECMA-35, VT220), as far as xterm maps them for UTF-8 programs.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Charset {
    #[default]
    Ascii,
    /// DEC special graphics: line drawing.
    Graphics,
    /// As ASCII, with a pound sign for `#`.
    Uk,
    Dutch,
    Finnish,
    French,
    FrenchCanadian,
    German,
    Italian,
    Norwegian,
    Spanish,
    Swedish,
    Swiss,
}

impl Charset {
    /// The set that `ESC ( …` and its kin name with this final byte.
    fn from_final(last: u8) -> Option<Self> {
        Some(match last {
            b'B' | b'1' => Self::Ascii,
            b'0' | b'2' => Self::Graphics,
            b'A' => Self::Uk,
            b'4' => Self::Dutch,
            b'C' | b'5' => Self::Finnish,
            b'R' | b'f' => Self::French,
            b'Q' | b'9' => Self::FrenchCanadian,
            b'K' => Self::German,
            b'Y' => Self::Italian,
            b'E' | b'6' | b'`' => Self::Norwegian,
            b'Z' => Self::Spanish,
            b'H' | b'7' => Self::Swedish,
            b'=' => Self::Swiss,
            _ => return None,
        })
    }

    /// The final byte that names the set.
    fn last(self) -> u8 {
        match self {
            Self::Ascii => b'B',
            Self::Graphics => b'0',
            Self::Uk => b'A',
            Self::Dutch => b'4',
            Self::Finnish => b'C',
            Self::French => b'R',
            Self::FrenchCanadian => b'Q',
            Self::German => b'K',
            Self::Italian => b'Y',
            Self::Norwegian => b'E',
            Self::Spanish => b'Z',
            Self::Swedish => b'H',
            Self::Swiss => b'=',
        }
    }

    fn map(self, c: char) -> char {
        let (from, to) = match self {
            Self::Ascii => return c,
            Self::Graphics => return graphics(c),
            Self::Uk => ("#", "£"),
            Self::Dutch => (r"#@[\]{|}~", "£¾ĳ½|¨ƒ¼´"),
            Self::Finnish => (r"[\]^`{|}~", "ÄÖÅÜéäöåü"),
            Self::French => (r"#@[\]{|}~", "£à°ç§éùè¨"),
            Self::FrenchCanadian => (r"@[\]^`{|}~", "àâçêîôéùèû"),
            Self::German => (r"@[\]{|}~", "§ÄÖÜäöüß"),
            Self::Italian => (r"#@[\]`{|}~", "£§°çéùàòèì"),
            Self::Norwegian => (r"@[\]^`{|}~", "ÄÆØÅÜäæøåü"),
            Self::Spanish => (r"#@[\]{|}", "£§¡Ñ¿°ñç"),
            Self::Swedish => (r"@[\]^`{|}~", "ÉÄÖÅÜéäöåü"),
            Self::Swiss => (r"#@[\]^_`{|}~", "ùàéçêîèôäöüû"),
        };
        let place = from.chars().position(|from| from == c);
        place.and_then(|place| to.chars().nth(place)).unwrap_or(c)
    }
}

fn graphics(c: char) -> char {
    const GRAPHICS: [char; 32] = [
        ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻',
        '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
    ];
    let index = (c as usize).wrapping_sub(0x5f);
    GRAPHICS.get(index).copied().unwrap_or(c)
}

/// The designated sets and which of them is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Charsets {
    sets: [Charset; 4],
    /// The set of the left half (GL), 0 to 3.
    left: usize,
    /// SS2 or SS3: the set of the next character alone.
    single: Option<usize>,
}

impl Charsets {
    /// `ESC ( ) * + - . /` with the final byte of the set.
    pub fn designate(&mut self, intermediate: u8, last: u8) {
        let slot = match intermediate {
            b'(' => 0,
            b')' | b'-' => 1,
            b'*' | b'.' => 2,
            b'+' | b'/' => 3,
            _ => return,
        };
        // The 96-character sets have no place in GL; what is unknown reads as ASCII.
        let known = if matches!(intermediate, b'(' | b')' | b'*' | b'+') {
            Charset::from_final(last)
        } else {
            None
        };
        self.sets[slot] = known.unwrap_or_default();
    }

    /// The final byte that designates each set.
    pub fn finals(&self) -> [u8; 4] {
        self.sets.map(Charset::last)
    }

    /// The slot of the left half.
    pub fn left(&self) -> usize {
        self.left
    }

    /// The slot of the next character alone.
    pub fn single(&self) -> Option<usize> {
        self.single
    }

    /// SO, SI, LS2, LS3.
    pub fn shift(&mut self, slot: usize) {
        self.left = slot.min(3);
    }

    /// These sets with the next character's of `other`: a single shift is for what is printed next, and not saved.
    pub fn with_single_of(self, other: Self) -> Self {
        Self {
            single: other.single,
            ..self
        }
    }

    pub fn single_shift(&mut self, slot: usize) {
        self.single = Some(slot.min(3));
    }

    /// Whether text passes as it is.
    pub fn is_plain(&self) -> bool {
        self.single.is_none() && self.sets[self.left] == Charset::Ascii
    }

    /// The characters that a program's text stands for now.
    pub fn translate(&mut self, run: &str) -> String {
        run.chars()
            .map(|c| {
                let set = self.sets[self.single.take().unwrap_or(self.left)];
                set.map(c)
            })
            .collect()
    }
}
