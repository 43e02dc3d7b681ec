//! Reads along in a stream: when it is committed, how it ends, and what it used.

use std::sync::Arc;

use bytes::Bytes;

use super::gzip::GzipDecoder;
use super::request::summary::estimate;
use super::scan;
use super::sse::{self, Framer};
use super::upstream::cleaner::Cleaner;
use super::wire::{self, EventKind, StreamError, TokenUsage};
use crate::domain::outcome::CallError;
use crate::domain::profile::Dialect;

/// How far a stream has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamProgress {
    /// An event came that only the API sends, so that the provider lives.
    pub valid: bool,
    /// Some of the answer came, so that there is no way back.
    pub content: bool,
    /// The answer is whole, though its terminator may be missing.
    pub finished: bool,
    /// The terminator came.
    pub ended: bool,
    pub error: Option<StreamError>,
    /// It calls a tool of the caller's.
    pub calls: bool,
    /// Whole events so far, comments and pings counted.
    pub events: u64,
    /// Bytes of the events that were more than a comment or a ping.
    pub told_bytes: usize,
}

/// What a chunk, and what was kept back before it, came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What may be passed on as it came.
    pub passed: Bytes,
    /// The events that are whole now, decoded.
    pub events: Bytes,
}

/// Takes a stream's chunks and gives back what may be passed on.
///
/// Only whole events are passed on, so that an event of our own can be put in between at any time; a compressed (gzip)
/// stream passes as it is and nothing can be put into it.
#[derive(Debug)]
pub struct StreamReader {
    dialect: Dialect,
    cleaner: Arc<Cleaner>,
    framer: Framer,
    decoder: Option<GzipDecoder>,
    /// The compressed stream could not be read along; it is passed on unread.
    blind: bool,
    progress: StreamProgress,
    told: TokenUsage,
    output_told: bool,
    input_told: bool,
    text: usize,
    error_data: Bytes,
    /// The stream ended in the middle of an event.
    torn: bool,
    /// A part was opened that is an answer even if nothing more is told of it.
    opened: bool,
    /// The number of the next event, where events are numbered.
    next_number: u64,
}

impl StreamReader {
    /// Errors told in the stream go through `cleaner`.
    pub fn new(dialect: Dialect, compressed: bool, cleaner: Arc<Cleaner>) -> Self {
        Self {
            dialect,
            cleaner,
            framer: Framer::default(),
            decoder: compressed.then(GzipDecoder::default),
            blind: false,
            progress: StreamProgress::default(),
            told: TokenUsage::default(),
            output_told: false,
            input_told: false,
            text: 0,
            error_data: Bytes::new(),
            torn: false,
            opened: false,
            next_number: 0,
        }
    }

    /// For a stream in a coding that cannot be read: it is passed on as it is, and uncounted.
    pub fn unreadable(dialect: Dialect, cleaner: Arc<Cleaner>) -> Self {
        let mut reader = Self::new(dialect, true, cleaner);
        reader.blind = true;
        reader
    }

    /// Reads a chunk and returns what may be passed on of it and of what was kept back before.
    pub fn take(&mut self, chunk: Bytes) -> Result<Part, CallError> {
        let Some(decoder) = &mut self.decoder else {
            let events = self.read(chunk)?;
            return Ok(Part {
                passed: events.clone(),
                events,
            });
        };
        let mut events = Bytes::new();
        if !self.blind {
            match decoder.push(&chunk) {
                Ok(text) => events = self.read(text)?,
                Err(_) => self.blind = true,
            }
        }
        if self.blind {
            self.progress.content = true;
        }
        Ok(Part {
            passed: chunk,
            events,
        })
    }

    /// The stream has ended: an event that lacks its empty line counts all the same, where it ends the answer. What was
    /// cut off in the middle is not passed on.
    pub fn finish(&mut self) -> Part {
        let rest = self.framer.take_rest();
        let whole = sse::parse(&rest)
            .is_some_and(|event| &*event.data == b"[DONE]" || scan::validate(&event.data).is_ok());
        if !whole || self.progress.ended {
            self.torn = !rest.trim_ascii().is_empty();
            return Part::default();
        }
        self.note(&rest);
        // Of a compressed stream everything has been passed on already.
        let passes = self.takes_events() && (self.is_whole() || self.progress.error.is_some());
        Part {
            passed: if passes { rest.clone() } else { Bytes::new() },
            events: rest,
        }
    }

    /// Whether our own events can be put between what is passed on.
    pub fn takes_events(&self) -> bool {
        self.decoder.is_none()
    }

    /// Whether the stream may end here.
    pub fn is_whole(&self) -> bool {
        let between = !self.torn && !self.framer.in_event();
        self.blind || self.progress.ended || (self.progress.finished && between)
    }

    /// Whether a stream that has ended gave an answer at all: content, or an empty one that was counted.
    pub fn has_answer(&self) -> bool {
        self.progress.content || (self.output_told && self.told.output > 0)
    }

    /// The data of the error event, as the provider wrote it.
    pub fn error_data(&self) -> &Bytes {
        &self.error_data
    }

    /// The number of the next event, where the upstream numbers its events.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// What is known of the stream so far.
    pub fn progress(&self) -> &StreamProgress {
        &self.progress
    }

    /// What was used, and whether that is partly estimated: `input` stands in where the stream told none.
    pub fn usage(&self, input: u64) -> (TokenUsage, bool) {
        let mut told = self.told;
        // A stream that was cut told a first count of its output, never the last.
        let last_told = self.output_told && (self.progress.ended || self.progress.finished);
        if !last_told {
            told.output = told.output.max(estimate(self.text));
        }
        if !self.input_told {
            told.input = input;
        }
        (told, !last_told || !self.input_told)
    }

    fn read(&mut self, chunk: Bytes) -> Result<Bytes, CallError> {
        let mut framer = std::mem::take(&mut self.framer);
        let (mut passed, mut cut) = (0, None);
        let whole = framer.push(chunk, |frame| {
            passed += frame.len();
            if cut.is_none() {
                self.note(frame);
                if self.progress.error.is_some() {
                    cut = Some(passed);
                }
            }
        });
        self.framer = framer;
        let mut whole =
            whole.map_err(|_| CallError::Http("a stream event is larger than 8 MiB".to_owned()))?;
        if let Some(cut) = cut {
            // Nothing may follow an error, a success terminator least of all.
            whole.truncate(cut);
            whole = self.cleaner.bytes(whole);
        }
        if self.dialect == Dialect::Responses
            && let Some(number) = wire::responses::sequence_number(&whole)
        {
            self.next_number = number + 1;
        }
        Ok(whole)
    }

    fn note(&mut self, frame: &[u8]) {
        self.progress.events += 1;
        let Some(event) = sse::parse(frame) else {
            return;
        };
        let reading = wire::read_event(self.dialect, &event);
        self.text += reading.text;
        self.progress.calls |= reading.calls;
        if let Some(usage) = reading.usage {
            self.input_told |= usage.input.is_some();
            self.output_told |= usage.output.is_some();
            usage.apply(&mut self.told);
        }
        if reading.step != EventKind::Quiet {
            self.progress.told_bytes += frame.len();
        }
        self.progress.valid |= !matches!(reading.step, EventKind::Quiet | EventKind::Error(_));
        self.progress.content |= reading.stopped;
        self.progress.finished |= reading.finished;
        match reading.step {
            EventKind::Quiet | EventKind::Lifecycle => {}
            EventKind::Opened => self.opened = true,
            EventKind::Closed => self.progress.content |= self.opened,
            EventKind::Content => self.progress.content = true,
            EventKind::End => self.progress.ended = true,
            EventKind::Error(mut error) => {
                error.message = self.cleaner.words(&error.message);
                self.progress.error = Some(error);
                self.error_data = self.cleaner.bytes(Bytes::copy_from_slice(&event.data));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n";
    const DELTA: &[u8] = b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"0123456789\"}}\n\n";
    const DONE: &[u8] = b"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

    #[test]
    fn a_whole_stream_tells_its_usage() {
        let mut reader = StreamReader::new(Dialect::Messages, false, Arc::default());
        for part in [START, DELTA, DONE] {
            assert_eq!(reader.take(Bytes::from_static(part)).unwrap().passed, part);
        }
        assert!(reader.is_whole() && reader.has_answer());
        let (told, estimated) = reader.usage(999);
        assert_eq!((told.input, told.output, estimated), (9, 7, false));
    }

    #[test]
    fn a_cut_stream_is_estimated() {
        let mut reader = StreamReader::new(Dialect::Messages, false, Arc::default());
        reader.take(Bytes::from_static(START)).unwrap();
        reader.take(Bytes::from_static(DELTA)).unwrap();
        reader
            .take(Bytes::from_static(b"event: content_block_de"))
            .unwrap();
        assert!(!reader.is_whole());
        let (told, estimated) = reader.usage(999);
        assert_eq!((told.input, told.output, estimated), (9, 3, true));
    }

    #[test]
    fn nothing_passes_after_an_error() {
        let mut reader = StreamReader::new(Dialect::Chat, false, Arc::default());
        let chunk = Bytes::from_static(
            b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":{\"message\":\"m\"}}\n\ndata: [DONE]\n\n",
        );
        let passed = reader.take(chunk).unwrap().passed;
        assert!(passed.ends_with(b"{\"error\":{\"message\":\"m\"}}\n\n"));
        assert!(reader.progress().content && !reader.progress().ended);
    }
}
