//! What the outer terminal shows, and what it answers.

/// What the terminal shows at one moment.
pub struct Screen<'a>(&'a vt100::Parser<Outer>);

impl<'a> Screen<'a> {
    pub(super) fn new(parser: &'a vt100::Parser<Outer>) -> Self {
        Self(parser)
    }

    /// All rows, each without trailing blanks.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    pub fn lines(&self) -> Vec<String> {
        let screen = self.0.screen();
        let (_, cols) = screen.size();
        screen
            .rows(0, cols.get())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    pub fn has(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Row and column of the first cell of `text`, counted from 0.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        let screen = self.0.screen();
        let (rows, cols) = screen.size();
        for row in 0..rows.get() {
            for col in 0..cols.get() {
                let rest: String = (col..cols.get())
                    .filter_map(|col| screen.cell(row, col))
                    .filter(|cell| !cell.is_wide_continuation())
                    .map(|cell| match cell.contents() {
                        "" => " ",
                        contents => contents,
                    })
                    .take(text.chars().count())
                    .collect();
                if rest == text {
                    return Some((row, col));
                }
            }
        }
        None
    }

    pub fn vt(&self) -> &vt100::Screen {
        self.0.screen()
    }

    /// What was copied to the clipboard so far, base64 as it came.
    pub fn clipboard(&self) -> &[Vec<u8>] {
        &self.0.callbacks().clipboard
    }

    pub fn bells(&self) -> usize {
        self.0.callbacks().bells
    }

    pub fn title(&self) -> &str {
        &self.0.callbacks().title
    }

    /// The kitty keyboard flags in force.
    pub fn kitty_flags(&self) -> u16 {
        *self.0.callbacks().kitty_flags.last().unwrap_or(&0)
    }
}

/// What the emulator does not do itself: answers to queries, clipboard, bell and title.
#[derive(Default)]
pub struct Outer {
    kitty: bool,
    kitty_flags: Vec<u16>,
    replies: Vec<u8>,
    clipboard: Vec<Vec<u8>>,
    bells: usize,
    title: String,
}

impl Outer {
    pub(super) fn new(kitty: bool) -> Self {
        Self {
            kitty,
            ..Self::default()
        }
    }

    pub(super) fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    fn reply(&mut self, text: &str) {
        self.replies.extend_from_slice(text.as_bytes());
    }

    fn keyboard(&mut self, kind: u8, first: u16) {
        if !self.kitty {
            return;
        }
        match kind {
            b'?' => {
                let flags = *self.kitty_flags.last().unwrap_or(&0);
                self.reply(&format!("\x1b[?{flags}u"));
            }
            b'>' => self.kitty_flags.push(first),
            b'<' => {
                for _ in 0..first.max(1) {
                    self.kitty_flags.pop();
                }
            }
            b'=' => {
                self.kitty_flags.pop();
                self.kitty_flags.push(first);
            }
            _ => {}
        }
    }
}

impl vt100::Callbacks for Outer {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(data.to_vec());
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        i1: Option<u8>,
        i2: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        let first = params.first().and_then(|p| p.first()).copied().unwrap_or(0);
        match (i1, i2, c) {
            (None, None, 'c') => self.reply("\x1b[?62;22c"),
            (Some(b'>'), None, 'c') => self.reply("\x1b[>1;10;0c"),
            (None, None, 'n') if first == 5 => self.reply("\x1b[0n"),
            (None, None, 'n') if first == 6 => {
                let (row, col) = screen.cursor_position();
                self.reply(&format!("\x1b[{};{}R", row + 1, col + 1));
            }
            (Some(b'?'), Some(b'$'), 'p') => {
                let state = if first == 2026 { 2 } else { 0 };
                self.reply(&format!("\x1b[?{first};{state}$y"));
            }
            (Some(b'>'), None, 'q') => self.reply("\x1bP>|outer 1.0\x1b\\"),
            (Some(kind @ (b'?' | b'>' | b'<' | b'=')), None, 'u') => self.keyboard(kind, first),
            _ => {}
        }
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        match params {
            [b"10", b"?", ..] => self.reply("\x1b]10;rgb:e0e0/e0e0/e0e0\x1b\\"),
            [b"11", b"?", ..] => self.reply("\x1b]11;rgb:1010/1010/1010\x1b\\"),
            _ => {}
        }
    }
}
