//! Splits a byte stream into text, controls and sequences (ECMA-48 and the DEC parser that xterm follows).
//!
//! Text is told in whole runs, never by character, since most of a stream is text. Sequences may be cut anywhere
//! between two calls. Strings have a limit: what goes beyond it is dropped and the string ignored.

use super::params::Sequence;

/// Longest string kept, in bytes: titles, addresses and palette queries are far shorter.
const STRING_LIMIT: usize = 4096;
/// Longest OSC 52 kept, in bytes: 100 KiB of text in base64.
const CLIPBOARD_LIMIT: usize = 140_000;

/// What a parser tells of a byte stream.
pub(super) trait Sink {
    /// A run without control characters; U+FFFD stands for bytes that are not UTF-8.
    fn text(&mut self, run: &str);
    fn control(&mut self, byte: u8);
    fn escape(&mut self, intermediate: u8, last: u8);
    fn csi(&mut self, sequence: &Sequence);
    fn osc(&mut self, payload: &[u8], bell: bool);
    fn dcs(&mut self, sequence: &Sequence, payload: &[u8]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Csi,
    Dcs,
    String(StringKind),
    /// ESC came inside a string: either its end or a new sequence.
    StringEscape(StringKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StringKind {
    Osc,
    Dcs,
    /// APC, PM and SOS: swallowed.
    Ignored,
}

pub(super) struct Parser {
    state: State,
    sequence: Sequence,
    /// The parameter being read; `None` before its first digit.
    value: Option<u16>,
    colon: bool,
    /// The sequence is malformed or of a form nobody knows: swallowed up to its end.
    invalid: bool,
    string: Vec<u8>,
    overflow: bool,
    /// The start of a UTF-8 character whose rest has not come yet.
    partial: Vec<u8>,
}

impl Parser {
    pub fn new() -> Self {
        Self {
            state: State::Ground,
            sequence: Sequence::default(),
            value: None,
            colon: false,
            invalid: false,
            string: Vec::new(),
            overflow: false,
            partial: Vec::new(),
        }
    }

    pub fn advance(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match self.state {
                State::Ground => self.ground(rest, sink),
                State::Escape => self.escape(rest[0], sink),
                State::Csi | State::Dcs => self.sequence(rest, sink),
                State::String(kind) => self.string(kind, rest, sink),
                State::StringEscape(kind) => self.string_escape(kind, rest[0], sink),
            };
            rest = &rest[taken..];
        }
    }

    /// Appends the beginning of a sequence or character whose rest has not come: read anew, it leads to this state.
    pub fn write_unfinished(&self, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => out.extend_from_slice(&self.partial),
            State::Escape => {
                out.push(0x1b);
                self.write_intermediate(out);
            }
            State::Csi => {
                out.extend_from_slice(b"\x1b[");
                self.write_sequence(out);
            }
            State::Dcs => {
                out.extend_from_slice(b"\x1bP");
                self.write_sequence(out);
            }
            State::String(kind) => self.write_string(kind, out),
            State::StringEscape(kind) => {
                self.write_string(kind, out);
                out.push(0x1b);
            }
        }
    }

    fn write_intermediate(&self, out: &mut Vec<u8>) {
        if self.sequence.intermediate != 0 {
            out.push(self.sequence.intermediate);
            if self.invalid {
                // A second one makes it as invalid as it was.
                out.push(self.sequence.intermediate);
            }
        }
    }

    fn write_sequence(&self, out: &mut Vec<u8>) {
        if self.invalid {
            // A private marker after a parameter is never valid.
            out.extend_from_slice(b"0?");
            return;
        }
        if self.sequence.private != 0 {
            out.push(self.sequence.private);
        }
        self.sequence.params.write(out);
        if !self.sequence.params.is_empty() {
            out.push(if self.colon { b':' } else { b';' });
        }
        if let Some(value) = self.value {
            out.extend_from_slice(value.to_string().as_bytes());
        }
        self.write_intermediate(out);
    }

    fn write_string(&self, kind: StringKind, out: &mut Vec<u8>) {
        match kind {
            // Strings that are too long are ignored: so is what comes of the rest of one.
            StringKind::Ignored => out.extend_from_slice(b"\x1b_"),
            _ if self.overflow => out.extend_from_slice(b"\x1b_"),
            StringKind::Osc => out.extend_from_slice(b"\x1b]"),
            StringKind::Dcs => {
                out.extend_from_slice(b"\x1bP");
                self.write_sequence(out);
                out.push(self.sequence.last);
            }
        }
        if kind != StringKind::Ignored {
            out.extend_from_slice(&self.string);
        }
    }

    fn ground(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        if !self.partial.is_empty() {
            return self.complete(bytes[0], sink);
        }
        let end = run_length(bytes);
        if end > 0 {
            self.run(&bytes[..end], end == bytes.len(), sink);
            return end;
        }
        match bytes[0] {
            0x1b => self.begin(State::Escape),
            0x7f => {}
            byte => sink.control(byte),
        }
        1
    }

    /// Adds a byte to the character that the previous chunk left unfinished.
    fn complete(&mut self, byte: u8, sink: &mut impl Sink) -> usize {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => tell(text, sink),
            Err(error) if error.error_len().is_none() => return 1,
            Err(_) => {
                sink.text("\u{fffd}");
                self.partial.clear();
                return 0;
            }
        }
        self.partial.clear();
        1
    }

    fn run(&mut self, bytes: &[u8], at_end: bool, sink: &mut impl Sink) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return tell(text, sink);
        }
        let mut taken = 0;
        for chunk in bytes.utf8_chunks() {
            tell(chunk.valid(), sink);
            let invalid = chunk.invalid();
            taken += chunk.valid().len() + invalid.len();
            if invalid.is_empty() {
                continue;
            }
            let unfinished = at_end
                && taken == bytes.len()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if unfinished {
                self.partial.extend_from_slice(invalid);
            } else {
                sink.text("\u{fffd}");
            }
        }
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.sequence.params.clear();
        self.sequence.private = 0;
        self.sequence.intermediate = 0;
        self.value = None;
        self.colon = false;
        self.invalid = false;
    }

    fn escape(&mut self, byte: u8, sink: &mut impl Sink) -> usize {
        match byte {
            0x18 | 0x1a => self.state = State::Ground,
            0x1b => self.begin(State::Escape),
            0x00..=0x1f => sink.control(byte),
            0x20..=0x2f => {
                self.invalid |= self.sequence.intermediate != 0;
                self.sequence.intermediate = byte;
            }
            b'[' if self.sequence.intermediate == 0 => self.begin(State::Csi),
            b'P' if self.sequence.intermediate == 0 => self.begin(State::Dcs),
            b']' if self.sequence.intermediate == 0 => self.begin_string(StringKind::Osc),
            b'X' | b'^' | b'_' if self.sequence.intermediate == 0 => {
                self.begin_string(StringKind::Ignored);
            }
            0x30..=0x7e => {
                self.state = State::Ground;
                if !self.invalid {
                    sink.escape(self.sequence.intermediate, byte);
                }
            }
            0x7f => {}
            0x80.. => {
                self.state = State::Ground;
                return 0;
            }
        }
        1
    }

    /// Reads a CSI or DCS sequence up to its final byte.
    fn sequence(&mut self, bytes: &[u8], sink: &mut impl Sink) -> usize {
        for (index, &byte) in bytes.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    let digit = u16::from(byte - b'0');
                    self.value = Some(
                        self.value
                            .unwrap_or(0)
                            .saturating_mul(10)
                            .saturating_add(digit),
                    );
                    self.invalid |= self.sequence.intermediate != 0;
                }
                b';' | b':' => {
                    self.sequence
                        .params
                        .push(self.value.take().unwrap_or(0), self.colon);
                    self.colon = byte == b':';
                    self.invalid |= self.sequence.intermediate != 0;
                    // The separator says that a parameter follows, even an empty one.
                    self.value = None;
                }
                b'<'..=b'?' => {
                    let first = self.sequence.params.is_empty() && self.value.is_none();
                    self.invalid |= !first || self.sequence.private != 0;
                    self.sequence.private = byte;
                }
                0x20..=0x2f => {
                    self.invalid |= self.sequence.intermediate != 0;
                    self.sequence.intermediate = byte;
                }
                0x40..=0x7e => {
                    self.finish(byte, sink);
                    return index + 1;
                }
                0x18 | 0x1a => {
                    self.state = State::Ground;
                    return index + 1;
                }
                0x1b => {
                    self.begin(State::Escape);
                    return index + 1;
                }
                0x00..=0x1f if self.state == State::Csi => sink.control(byte),
                _ => {}
            }
        }
        bytes.len()
    }

    fn finish(&mut self, last: u8, sink: &mut impl Sink) {
        if self.value.is_some() || self.colon || !self.sequence.params.is_empty() {
            self.sequence
                .params
                .push(self.value.take().unwrap_or(0), self.colon);
        }
        self.sequence.last = last;
        if self.state == State::Dcs {
            let kind = if self.invalid {
                StringKind::Ignored
            } else {
                StringKind::Dcs
            };
            self.begin_string(kind);
            return;
        }
        self.state = State::Ground;
        if !self.invalid {
            sink.csi(&self.sequence);
        }
    }

    fn begin_string(&mut self, kind: StringKind) {
        self.state = State::String(kind);
        self.string.clear();
        self.overflow = false;
    }

    fn string(&mut self, kind: StringKind, bytes: &[u8], sink: &mut impl Sink) -> usize {
        let Some(end) = bytes
            .iter()
            .position(|byte| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b))
        else {
            self.keep(kind, bytes);
            return bytes.len();
        };
        self.keep(kind, &bytes[..end]);
        match bytes[end] {
            0x07 if kind == StringKind::Osc => self.end_string(kind, true, sink),
            0x07 => self.keep(kind, b"\x07"),
            0x1b => self.state = State::StringEscape(kind),
            _ => self.state = State::Ground,
        }
        end + 1
    }

    fn keep(&mut self, kind: StringKind, bytes: &[u8]) {
        if kind == StringKind::Ignored || self.overflow {
            return;
        }
        let clipboard =
            kind == StringKind::Osc && (self.string.starts_with(b"52;") || self.string.len() < 3);
        let limit = if clipboard {
            CLIPBOARD_LIMIT
        } else {
            STRING_LIMIT
        };
        // The limit may only be known with this chunk, so the longer one is taken until the string's kind shows.
        if self.string.len() + bytes.len() > limit {
            self.overflow = true;
            self.string = Vec::new();
            return;
        }
        self.string.extend_from_slice(bytes);
        if self.string.len() > STRING_LIMIT && !self.string.starts_with(b"52;") {
            self.overflow = true;
            self.string = Vec::new();
        }
    }

    fn string_escape(&mut self, kind: StringKind, byte: u8, sink: &mut impl Sink) -> usize {
        if byte == b'\\' {
            self.end_string(kind, false, sink);
            return 1;
        }
        self.begin(State::Escape);
        0
    }

    fn end_string(&mut self, kind: StringKind, bell: bool, sink: &mut impl Sink) {
        self.state = State::Ground;
        if self.overflow {
            return;
        }
        match kind {
            StringKind::Osc => sink.osc(&self.string, bell),
            StringKind::Dcs => sink.dcs(&self.sequence, &self.string),
            StringKind::Ignored => {}
        }
        self.string.clear();
        self.string.shrink_to(STRING_LIMIT);
    }
}

/// Tells a run of text, with the C1 controls in it that move the cursor taken for what they are.
///
/// C1 string openers are dropped instead: in wrongly decoded text they would swallow all that follows.
fn tell(text: &str, sink: &mut impl Sink) {
    let mut rest = text;
    while let Some(at) = find_c1(rest) {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            sink.text(before);
        }
        let code = after.as_bytes()[1];
        if matches!(code, 0x84 | 0x85 | 0x88 | 0x8d | 0x8e | 0x8f) {
            sink.escape(0, code - 0x40);
        }
        rest = &after[2..];
    }
    if !rest.is_empty() {
        sink.text(rest);
    }
}

fn find_c1(text: &str) -> Option<usize> {
    if text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .windows(2)
        .position(|pair| pair[0] == 0xc2 && pair[1] < 0xa0)
}

/// The number of bytes before the first control character (0x00 to 0x1F and 0x7F).
fn run_length(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut length = 0;
    for chunk in bytes.chunks_exact(8) {
        let word = chunk
            .iter()
            .rev()
            .fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
        let deletes = word ^ (LOW * 0x7f);
        let below_space = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
        let found = below_space | (deletes.wrapping_sub(LOW) & !deletes & HIGH);
        if found != 0 {
            return length + (found.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let tail = &bytes[length..];
    length
        + tail
            .iter()
            .position(|byte| *byte < 0x20 || *byte == 0x7f)
            .unwrap_or(tail.len())
}
