//! A stream for a caller of another dialect who asked for a whole answer: some providers know nothing else.

use std::sync::Arc;

use bytes::BytesMut;
use http::header::CONTENT_ENCODING;

use super::refusal;
use super::upstream_answer::{AttemptResult, Coding, UpstreamAnswer};
use crate::domain::outcome::CallError;
use crate::gateway::stream_reader::StreamReader;

/// Reads a stream to its end and answers with what it told, or fails as if nothing had come.
pub async fn whole(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let body = match answer.read().await {
        Ok(body) => body,
        Err(error) => return answer.fail(error),
    };
    let compressed = answer.coding() == Coding::Gzip;
    let cleaner = Arc::clone(&answer.cleaner);
    let mut reader = StreamReader::new(answer.call.dialect(), compressed, cleaner);
    let mut events = match reader.take(body) {
        Ok(part) => BytesMut::from(part.events),
        Err(error) => return answer.fail(error),
    };
    let rest = reader.finish().events;
    if !rest.is_empty() {
        events.extend_from_slice(&rest);
        // It lacks the empty line that ends an event.
        events.extend_from_slice(b"\n\n");
    }
    answer.headers.remove(CONTENT_ENCODING);
    if let Some(error) = reader.progress().error.clone() {
        return refusal::within_answer(answer, &error, reader.error_data().clone());
    }
    if !reader.is_whole() || !reader.has_answer() {
        let what = "the stream ended before its terminator";
        return answer.fail(CallError::Http(what.to_owned()));
    }
    let (usage, estimated) = reader.usage(answer.request.summary.input_tokens);
    answer.call.used(usage, estimated);
    let passed = match answer.conversion.gathered(events.freeze()) {
        Ok(body) => answer.pass(body),
        Err(error) => return answer.fail(error),
    };
    answer.call.confirm();
    answer.call.succeed();
    AttemptResult::Answered(passed)
}
