//! Server-sent events as bytes: where one event ends, and what it says. Comments and odd line ends survive untouched.
//!
//! Source: WHATWG HTML, section 9.2 "Server-sent events".

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

/// The longest single event that is kept; beyond it the stream is broken off rather than the memory filled.
pub const MAX_EVENT: usize = 8 * 1024 * 1024;

/// An event passed [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Cuts a byte stream at the ends of its events, whatever the chunks it arrives in.
///
/// Only whole events come out, in the very bytes that came in, so whatever is sent between two outputs stands at an
/// event boundary.
#[derive(Debug)]
pub struct Framer {
    partial: BytesMut,
    /// Bytes of `partial` that were looked at already.
    seen: usize,
    line_is_empty: bool,
    after_cr: bool,
}

impl Default for Framer {
    fn default() -> Self {
        Self {
            partial: BytesMut::new(),
            seen: 0,
            line_is_empty: true,
            after_cr: false,
        }
    }
}

impl Framer {
    /// Takes a chunk, tells `each` of every event that is whole now, and returns their bytes together.
    ///
    /// # Errors
    /// [`TooLong`] where the event that has begun is longer than [`MAX_EVENT`] bytes.
    pub fn push(&mut self, chunk: Bytes, mut each: impl FnMut(&[u8])) -> Result<Bytes, TooLong> {
        if self.partial.is_empty() {
            let end = self.scan(&chunk, 0, &mut each);
            if end < chunk.len() {
                self.partial.extend_from_slice(&chunk[end..]);
                self.seen = self.partial.len();
                self.check()?;
                return Ok(chunk.slice(..end));
            }
            return Ok(chunk);
        }
        self.partial.extend_from_slice(&chunk);
        let mut partial = std::mem::take(&mut self.partial);
        let end = self.scan(&partial, self.seen, &mut each);
        let whole = partial.split_to(end).freeze();
        self.seen = partial.len();
        self.partial = partial;
        self.check()?;
        Ok(whole)
    }

    /// Takes what has begun and was not ended by an empty line.
    pub fn take_rest(&mut self) -> Bytes {
        self.seen = 0;
        std::mem::take(&mut self.partial).freeze()
    }

    /// Whether an event has begun and not ended.
    pub fn in_event(&self) -> bool {
        !self.partial.is_empty()
    }

    fn check(&self) -> Result<(), TooLong> {
        if self.partial.len() > MAX_EVENT {
            Err(TooLong)
        } else {
            Ok(())
        }
    }

    /// Looks at `text` from `from` on; returns the end of the last whole event, 0 for none.
    fn scan(&mut self, text: &[u8], from: usize, each: &mut impl FnMut(&[u8])) -> usize {
        let (mut start, mut at) = (0, from);
        while at < text.len() {
            if self.after_cr {
                self.after_cr = false;
                if text[at] == b'\n' {
                    at += 1;
                    // The second half of a CRLF whose first half ended an event.
                    if start + 1 == at && self.line_is_empty {
                        start = at;
                    }
                    continue;
                }
            }
            let Some(found) = memchr2(b'\n', b'\r', &text[at..]) else {
                self.line_is_empty = false;
                return start;
            };
            let empty = self.line_is_empty && found == 0;
            at += found + 1;
            self.after_cr = text[at - 1] == b'\r';
            self.line_is_empty = true;
            if empty {
                if self.after_cr && text.get(at) == Some(&b'\n') {
                    at += 1;
                    self.after_cr = false;
                }
                each(&text[start..at]);
                start = at;
            }
        }
        start
    }
}

/// What one event says: its name and its data, lines joined by a newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub name: &'a [u8],
    pub data: Cow<'a, [u8]>,
}

/// Reads the fields of one event; none where it only holds comments.
pub fn parse(frame: &[u8]) -> Option<Event<'_>> {
    let mut name: &[u8] = b"";
    let mut data: Option<Cow<'_, [u8]>> = None;
    let mut rest = frame.strip_prefix(b"\xef\xbb\xbf").unwrap_or(frame);
    while !rest.is_empty() {
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"event" => name = value,
            b"data" => {
                data = Some(match data {
                    None => Cow::Borrowed(value),
                    Some(before) => {
                        let mut joined = before.into_owned();
                        joined.push(b'\n');
                        joined.extend_from_slice(value);
                        Cow::Owned(joined)
                    }
                });
            }
            _ => {}
        }
    }
    match data {
        Some(data) => Some(Event { name, data }),
        None if name.is_empty() => None,
        None => Some(Event {
            name,
            data: Cow::Borrowed(b""),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>, bool) {
        let mut framer = Framer::default();
        let (mut events, mut bytes) = (Vec::new(), Vec::new());
        for chunk in chunks {
            let whole = framer
                .push(Bytes::copy_from_slice(chunk), |frame| {
                    events.push(frame.to_vec());
                })
                .unwrap();
            bytes.extend_from_slice(&whole);
        }
        (events, bytes, framer.in_event())
    }

    #[test]
    fn keeps_back_what_is_not_whole() {
        let (events, bytes, open) = frames(&[b"data: a\n", b"\ndata: b", b"b\n\n: hi\n\nda"]);
        assert_eq!(
            events,
            [
                b"data: a\n\n".to_vec(),
                b"data: bb\n\n".to_vec(),
                b": hi\n\n".to_vec()
            ]
        );
        assert_eq!(bytes, b"data: a\n\ndata: bb\n\n: hi\n\n");
        assert!(open);
    }

    #[test]
    fn reads_fields_with_every_line_end() {
        let event = parse(b"\n: c\r\nevent: x\rdata:a\r\ndata: b\n\n").unwrap();
        assert_eq!(event.name, b"x");
        assert_eq!(&*event.data, b"a\nb");
        assert_eq!(parse(b": only a comment\n\n"), None);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            lines in proptest::collection::vec("(data: [a-z]{0,4}|event: x|: note|)(\n|\r\n|\r)", 0..20),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let text = lines.concat().into_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            at.extend([0, text.len()]);
            at.sort_unstable();
            let chunks: Vec<&[u8]> = at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let says = |events: &[Vec<u8>]| events.iter().filter_map(|event| {
                parse(event).map(|event| (event.name.to_vec(), event.data.into_owned()))
            }).collect::<Vec<_>>();
            let (whole, bytes_whole, _) = frames(&[&text]);
            let (split, bytes_split, _) = frames(&chunks);
            prop_assert_eq!(says(&whole), says(&split));
            prop_assert!(text.starts_with(&bytes_split));
            prop_assert!(text.starts_with(&bytes_whole));
        }
    }
}
