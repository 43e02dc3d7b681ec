//! What is read of answers and streams, and told in errors of tundra's own, whatever the dialect.

use http::StatusCode;

use crate::gateway::scan::{Scanner, Token};

/// The usage that a provider told. `input` is without what came from or went to a cache, in every dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    /// All tokens written to a cache, those kept for an hour included.
    pub cache_write: u64,
    /// Of `cache_write`, those that are kept for an hour and cost more.
    pub cache_write_1h: u64,
}

/// An error that came inside an answer whose status said 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// The status that the same error has when it is told properly.
    pub status: u16,
    pub message: String,
    /// A 429 for a spent budget, which no waiting cures soon.
    pub exhausted: bool,
}

/// What one stream event means for the stream's fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A ping or something unknown; says nothing.
    Quiet,
    /// Opens or closes something without telling any of the answer.
    Lifecycle,
    /// Opens a part that is an answer even where nothing more is told of it, such as a tool's call.
    Opened,
    /// Closes a part: content, if it was such a one.
    Closed,
    /// A part of the answer: from here on there is no way back.
    Content,
    /// The terminator.
    End,
    Error(StreamError),
}

/// One stream event, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReading {
    pub step: EventKind,
    /// The answer is complete with it, though the terminator has not come yet.
    pub finished: bool,
    /// The answer stops for another reason than that all is said, which makes it one even where it is empty.
    pub stopped: bool,
    /// It belongs to a call of a tool of the caller's.
    pub calls: bool,
    /// Bytes of answer text in it, for an estimate where no usage is told.
    pub text: usize,
    pub usage: Option<UsageUpdate>,
}

impl EventReading {
    pub(super) fn of(step: EventKind) -> Self {
        Self {
            step,
            finished: false,
            stopped: false,
            calls: false,
            text: 0,
            usage: None,
        }
    }

    /// A piece of the answer with so much text; without any it is none.
    pub(super) fn told(text: usize) -> Self {
        let step = if text > 0 {
            EventKind::Content
        } else {
            EventKind::Lifecycle
        };
        Self {
            text,
            ..Self::of(step)
        }
    }
}

/// Numbers that later events replace one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageUpdate {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    pub cache_write_1h: Option<u64>,
}

impl UsageUpdate {
    pub fn apply(self, told: &mut TokenUsage) {
        let set = |place: &mut u64, value: Option<u64>| {
            if let Some(value) = value {
                *place = value;
            }
        };
        set(&mut told.input, self.input);
        set(&mut told.output, self.output);
        set(&mut told.cache_read, self.cache_read);
        set(&mut told.cache_write, self.cache_write);
        set(&mut told.cache_write_1h, self.cache_write_1h);
    }
}

/// A whole answer, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerReading {
    pub usage: Option<UsageUpdate>,
    /// It calls a tool of the caller's.
    pub calls: bool,
    pub error: Option<StreamError>,
}

/// An error of tundra's own, in the shape that callers of `dialect` read.
#[derive(Clone, Debug)]
pub struct OwnError<'a> {
    pub status: StatusCode,
    pub message: &'a str,
    pub request_id: &'a str,
    /// Further members beside the error object.
    pub beside: Option<(&'static str, serde_json::Value)>,
}

/// Bytes in the strings that are part of an answer, wherever they stand in an event.
pub(super) fn text_in(data: &[u8]) -> usize {
    let Ok(mut scanner) = Scanner::new(data) else {
        return 0;
    };
    let (mut text, mut counts) = (0, false);
    while let Ok(Some(token)) = scanner.next_token() {
        match token {
            Token::Key(span) => counts = is_answer(span.of(data)),
            Token::String(span) if counts => text += span.len(),
            Token::ArrayStart => {}
            _ => counts = false,
        }
    }
    text
}

/// Whether what stands under a key is part of an answer.
pub(super) fn is_answer(key: &[u8]) -> bool {
    matches!(
        key,
        b"content"
            | b"text"
            | b"thinking"
            | b"partial_json"
            | b"arguments"
            | b"delta"
            | b"reasoning"
            | b"reasoning_content"
            | b"refusal"
    )
}
