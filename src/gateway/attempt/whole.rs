//! A whole answer: read to its end, checked, counted.

use bytes::Bytes;

use super::refusal;
use super::upstream_answer::{AttemptResult, Coding, UpstreamAnswer};
use crate::domain::agent::Ending;
use crate::domain::outcome::CallError;
use crate::gateway::content_coding::ContentCoding;
use crate::gateway::gzip::MAX_DECODED;
use crate::gateway::request::summary::estimate;
use crate::gateway::scan;
use crate::gateway::wire::{self, TokenUsage};

pub async fn judge(mut answer: UpstreamAnswer<'_>) -> AttemptResult {
    let body = match answer.read().await {
        Ok(body) => body,
        Err(error) => return answer.fail(error),
    };
    let coding = answer.coding();
    let mut read_text = Bytes::new();
    let mut calls = false;
    if coding != Coding::Unreadable {
        let text = match text_of(&body, coding) {
            Ok(text) => text,
            Err(error) => return answer.fail(error),
        };
        let read = wire::read_answer(answer.call.dialect(), &text);
        if let Some(error) = read.error {
            return refusal::within_answer(answer, &error, body);
        }
        calls = read.calls;
        if answer.request.endpoint.generates() {
            let usage = read.usage.map(|usage| {
                let mut told = TokenUsage::default();
                usage.apply(&mut told);
                told
            });
            let estimated = TokenUsage {
                input: answer.request.summary.input_tokens,
                output: estimate(wire::answer_text(&text)),
                ..TokenUsage::default()
            };
            answer
                .call
                .used(usage.unwrap_or(estimated), usage.is_none());
        }
        read_text = text;
    }
    let passed = match answer.conversion.answer(body, &read_text) {
        Ok(body) => answer.pass(body),
        Err(error) => return answer.fail(error),
    };
    answer.call.confirm();
    answer.call.succeed();
    AttemptResult::Answered(passed.ending(Ending::Answered { calls }))
}

/// The body's text, which is one JSON value.
fn text_of(body: &Bytes, coding: Coding) -> Result<Bytes, CallError> {
    let text = if coding == Coding::Gzip {
        ContentCoding::Gzip
            .decode(body, MAX_DECODED)
            .map_err(|_| CallError::Parse("the gzip data is broken".to_owned()))?
    } else {
        body.clone()
    };
    match text.trim_ascii_start().first() {
        None => Err(CallError::Http("the answer is empty".to_owned())),
        Some(b'<') => Err(CallError::Http("the answer is a web page".to_owned())),
        Some(_) => {
            scan::validate(&text).map_err(|error| CallError::Parse(error.to_string()))?;
            Ok(text)
        }
    }
}
