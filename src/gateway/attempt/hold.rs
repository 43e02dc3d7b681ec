//! A stream until its commit: held back up to its first content, so that a failure before it stays unseen.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use tokio::time::Instant;

use super::refusal;
use super::upstream_answer::{AttemptResult, Coding, UpstreamAnswer};
use crate::domain::agent::Ending;
use crate::domain::outcome::CallError;
use crate::gateway::answer::{Answer, AnswerBody};
use crate::gateway::answer_stream::{AnswerStream, Committed, Patience};
use crate::gateway::stream_reader::StreamReader;
use crate::gateway::upstream::headers;

/// How much of a stream is held back before its first content, in bytes of events that tell something. Responses repeat
/// the whole request in their first two events, so this is more than any agent sends of instructions and tools.
const MAX_HELD: usize = 2 * 1024 * 1024;
/// How many bytes of comments and pings are kept to be passed on; those beyond say nothing new.
const MAX_QUIET: usize = 64 * 1024;
/// How many times `stream_idle` a provider may go on without any content: by default half an hour of pings, more than any
/// model thinks.
const MOST_WINDOWS: u32 = 20;

/// Reads a stream up to its first content and answers with what follows, or fails as if nothing had come.
pub async fn until_content(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let dialect = answer.call.dialect();
    let cleaner = Arc::clone(&answer.cleaner);
    let mut reader = match answer.coding() {
        Coding::Plain => StreamReader::new(dialect, false, cleaner),
        Coding::Gzip => StreamReader::new(dialect, true, cleaner),
        Coding::Unreadable => StreamReader::unreadable(dialect, cleaner),
    };
    let idle = answer.state.timeouts().stream_idle;
    let gives_up_at = Instant::now() + idle * MOST_WINDOWS;
    let mut held = Held::default();
    let (mut events, mut last_event) = (0, Instant::now());
    loop {
        let deadline = (Instant::now() + idle)
            .min(last_event + idle * 2)
            .min(gives_up_at);
        let chunk = match answer.next_chunk(deadline).await {
            Ok(chunk) => chunk,
            Err(error) => return answer.fail(error),
        };
        let at_end = chunk.is_none();
        let told_before = reader.progress().told_bytes;
        let part = match chunk {
            Some(chunk) => reader.take(chunk),
            None => Ok(reader.finish()),
        };
        let passed = match part {
            Ok(part) => answer.conversion.events(part),
            Err(error) => return answer.fail(error),
        };
        if let Some(error) = answer.conversion.broken() {
            return answer.fail(error);
        }
        let progress = reader.progress();
        // A compressed stream has no part that could be left out.
        let quiet = reader.takes_events() && progress.told_bytes == told_before && !at_end;
        held.push(passed, quiet);
        if progress.events != events {
            (events, last_event) = (progress.events, Instant::now());
        }
        if progress.valid {
            answer.call.confirm();
        }
        if !progress.content {
            if let Some(error) = progress.error.clone() {
                answer.headers.remove(CONTENT_ENCODING);
                let json = HeaderValue::from_static("application/json");
                answer.headers.insert(CONTENT_TYPE, json);
                return refusal::within_answer(answer, &error, reader.error_data().clone());
            }
            let over = progress.ended || at_end;
            if over && !(reader.is_whole() && reader.has_answer()) {
                return answer.fail(no_content());
            }
        }
        let full = progress.told_bytes >= MAX_HELD;
        if progress.content || progress.ended || full || at_end {
            break;
        }
    }
    commit(answer, reader, held.chunks)
}

/// What is to be passed on once there is content.
#[derive(Default)]
struct Held {
    chunks: VecDeque<Bytes>,
    quiet_bytes: usize,
}

impl Held {
    /// `quiet` are comments and pings alone.
    fn push(&mut self, bytes: Bytes, quiet: bool) {
        if quiet {
            self.quiet_bytes += bytes.len();
        }
        let says_nothing_new = quiet && self.quiet_bytes > MAX_QUIET;
        if !bytes.is_empty() && !says_nothing_new {
            self.chunks.push_back(bytes);
        }
    }
}

fn commit(
    answer: UpstreamAnswer<'_>,
    reader: StreamReader,
    held: VecDeque<Bytes>,
) -> AttemptResult {
    let patience = Patience {
        idle: answer.state.timeouts().stream_idle,
        ping: answer.state.ping_every(),
    };
    let closing = answer.state.closing.clone().cancelled_owned();
    let caller = answer.request.dialect();
    let mut headers = headers::from_provider(&answer.headers);
    if !answer.has_media("text/event-stream") {
        // It is one by its bytes, whatever it was called.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    }
    answer.conversion.mark(&mut headers, false);
    let committed = Committed {
        held,
        source: answer.source,
        reader,
        conversion: answer.conversion,
        call: answer.call,
        input_estimate: answer.request.summary.input_tokens,
    };
    let stream = AnswerStream::new(committed, caller, patience, closing);
    AttemptResult::Answered(Answer {
        status: answer.status,
        headers,
        body: AnswerBody::Stream(Box::new(stream)),
        // The stream tells how it ends.
        ending: Ending::Left,
    })
}

fn no_content() -> CallError {
    CallError::Http("the stream ended before its first content".to_owned())
}
