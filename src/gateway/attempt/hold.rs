//! A stream until its commit: held back up to its first content, so that a failure before it stays unseen.

use std::collections::VecDeque;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::refusal;
use super::upstream_answer::{AttemptResult, Coding, UpstreamAnswer};
use crate::domain::outcome::CallError;
use crate::gateway::answer::{Answer, AnswerBody};
use crate::gateway::answer_stream::{AnswerStream, Committed, Patience};
use crate::gateway::stream_reader::StreamReader;
use crate::gateway::upstream::{body_error, headers};

/// How much of a stream is held back before its first content, in chunks and in bytes.
const MAX_HELD: (usize, usize) = (64, 256 * 1024);

/// Reads a stream up to its first content and answers with what follows, or fails as if nothing had come.
pub async fn until_content(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let dialect = answer.call.dialect();
    let mut reader = match answer.coding() {
        Coding::Plain => StreamReader::new(dialect, false),
        Coding::Gzip => StreamReader::new(dialect, true),
        Coding::Unreadable => StreamReader::unreadable(dialect),
    };
    let idle = answer.state.timeouts().stream_idle;
    let mut held = VecDeque::new();
    let (mut chunks, mut bytes) = (0, 0);
    let (mut events, mut last_event) = (0, Instant::now());
    loop {
        let deadline = (Instant::now() + idle).min(last_event + idle * 2);
        let chunk = match timeout_at(deadline, answer.source.frame()).await {
            Err(_) => return answer.fail(CallError::Timeout),
            Ok(Some(Err(error))) => return answer.fail(body_error(&error)),
            Ok(None) if reader.is_whole() && reader.has_answer() => break,
            Ok(None) => return answer.fail(no_content()),
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        };
        let passed = match reader.take(chunk) {
            Ok(part) => answer.conversion.events(part),
            Err(error) => return answer.fail(error),
        };
        if let Some(error) = answer.conversion.broken() {
            return answer.fail(error);
        }
        if !passed.is_empty() {
            chunks += 1;
            bytes += passed.len();
            held.push_back(passed);
        }
        let progress = reader.progress();
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
            if progress.ended && !reader.has_answer() {
                return answer.fail(no_content());
            }
        }
        let full = chunks >= MAX_HELD.0 || bytes >= MAX_HELD.1;
        if progress.content || progress.ended || full {
            break;
        }
    }
    commit(answer, reader, held)
}

fn commit(
    answer: UpstreamAnswer<'_>,
    reader: StreamReader,
    held: VecDeque<bytes::Bytes>,
) -> AttemptResult {
    let patience = Patience {
        idle: answer.state.timeouts().stream_idle,
        ping: answer.state.ping_every(),
    };
    let closing = answer.state.closing.clone().cancelled_owned();
    let caller = answer.request.dialect();
    let mut headers = headers::from_provider(&answer.headers);
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
    })
}

fn no_content() -> CallError {
    CallError::Http("the stream ended before its first content".to_owned())
}
