//! One prompt through the router, for whoever has no HTTP client at hand.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::body::Body;
use super::exchange::{self, Inbound, SoFar};
use super::reply;
use super::service::Gateway;
use super::sketch::Sketch;
use super::sse::{self, Framer};
use super::wire::Endpoint;
use crate::domain::profile::{Dialect, Profile, ProfileName};
use crate::domain::route::{Caller, CommandError};

/// The output to ask for where neither caller nor profile says; Messages knows no default.
const MAX_TOKENS: u32 = 4096;
/// The version of Messages that is spoken here.
const ANTHROPIC_VERSION: &str = "2023-06-01";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub prompt: String,
    /// None for the default of the profile that requests now go to.
    pub model: Option<String>,
    /// The one profile that may answer; None for whoever can.
    pub only: Option<ProfileName>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Profile(#[from] CommandError),
    /// The answer of the last provider that was asked, or why none was.
    #[error("{0}")]
    Refused(String),
    /// It began and broke off.
    #[error("the answer broke off: {0}")]
    BrokeOff(String),
}

/// An answer as it comes. Dropped before its end, it closes the provider's connection.
#[derive(Debug)]
pub struct Answer {
    profile: Option<String>,
    dialect: Dialect,
    body: Body,
    framer: Framer,
    ready: VecDeque<Result<String, AskError>>,
    /// In one piece, since the provider does not stream.
    whole: Option<Vec<u8>>,
    over: bool,
}

impl Gateway {
    /// Sends a prompt to whoever can answer it; ready when the answer begins.
    pub async fn ask(&self, question: Question) -> Result<Answer, AskError> {
        let profile = self.first_for(question.only.as_ref())?;
        let dialect = *Dialect::ALL
            .iter()
            .find(|dialect| profile.dialects.contains(**dialect))
            .unwrap_or(&Dialect::Messages);
        let model = question
            .model
            .unwrap_or_else(|| profile.default_model.clone());
        let body = Bytes::from(body(dialect, &question.prompt, &model, &profile).to_string());
        let sketch = Sketch::read(&body).map_err(|error| AskError::Refused(error.to_string()))?;
        let inbound = Inbound {
            endpoint: endpoint(dialect),
            caller: Caller::Ask,
            query: None,
            headers: headers(dialect),
            body,
            sketch,
            only: question.only,
        };
        let shared = Arc::clone(&self.shared);
        shared.counts.requests.fetch_add(1, Ordering::Relaxed);
        let closing = shared.closing.clone();
        let so_far = Arc::new(Mutex::new(SoFar::default()));
        let response = tokio::select! {
            found = Box::pin(exchange::find(shared, inbound, so_far)) => found.into_response(),
            () = closing.cancelled() => {
                return Err(AskError::Refused("tundra is shutting down".to_owned()));
            }
        };
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let told = body
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes);
            let told = told.unwrap_or_default();
            return Err(AskError::Refused(refusal(head.status.as_u16(), &told)));
        }
        let profile = head.headers.get(reply::PROFILE);
        let streams = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Ok(Answer {
            profile: profile.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()),
            dialect,
            body,
            framer: Framer::default(),
            ready: VecDeque::new(),
            whole: (!streams).then(Vec::new),
            over: false,
        })
    }

    /// The profile whose dialect and default model the prompt is written for.
    fn first_for(&self, only: Option<&ProfileName>) -> Result<Arc<Profile>, AskError> {
        let providers = self.router().status().providers;
        let found = match only {
            Some(name) => providers
                .iter()
                .find(|provider| provider.profile.name == *name),
            None => providers
                .iter()
                .find(|provider| provider.active)
                .or_else(|| providers.iter().find(|provider| provider.enabled))
                .or_else(|| providers.first()),
        };
        match (found, only) {
            (Some(provider), _) => Ok(Arc::clone(&provider.profile)),
            (None, Some(name)) => Err(CommandError::NotFound(name.clone()).into()),
            (None, None) => Err(AskError::Refused("there are no profiles".to_owned())),
        }
    }
}

impl Answer {
    /// Who answers.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The next piece of text; `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<String, AskError>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                self.over |= piece.is_err();
                return Some(piece);
            }
            if self.over {
                return None;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(chunk) = frame.into_data() {
                        self.take(chunk);
                    }
                }
                Some(Err(cut)) => {
                    self.ready
                        .push_back(Err(AskError::BrokeOff(cut.to_string())));
                }
                None => self.end(),
            }
        }
    }

    fn take(&mut self, chunk: Bytes) {
        if let Some(whole) = &mut self.whole {
            whole.extend_from_slice(&chunk);
            return;
        }
        let (dialect, ready) = (self.dialect, &mut self.ready);
        let taken = self.framer.push(chunk, |frame| {
            let Some(event) = sse::parse(frame) else {
                return;
            };
            let Ok(data) = serde_json::from_slice::<Value>(&event.data) else {
                return;
            };
            ready.extend(piece(dialect, &data));
        });
        if taken.is_err() {
            let why = "an event is too long".to_owned();
            self.ready.push_back(Err(AskError::BrokeOff(why)));
        }
    }

    fn end(&mut self) {
        self.over = true;
        let whole = self.whole.take().unwrap_or_default();
        if let Ok(answer) = serde_json::from_slice::<Value>(&whole) {
            self.ready.push_back(Ok(whole_text(self.dialect, &answer)));
        }
    }
}

const fn endpoint(dialect: Dialect) -> Endpoint {
    match dialect {
        Dialect::Messages => Endpoint::Messages,
        Dialect::Chat => Endpoint::Chat,
        Dialect::Responses => Endpoint::Responses,
    }
}

fn headers(dialect: Dialect) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if dialect == Dialect::Messages {
        headers.insert(
            HeaderName::from_static("anthropic-version"),
            HeaderValue::from_static(ANTHROPIC_VERSION),
        );
    }
    headers
}

fn body(dialect: Dialect, prompt: &str, model: &str, profile: &Profile) -> Value {
    let messages = json!([{"role": "user", "content": prompt}]);
    match dialect {
        Dialect::Messages => json!({
            "model": model, "stream": true, "messages": messages,
            "max_tokens": profile.max_tokens.map_or(MAX_TOKENS, std::num::NonZero::get),
        }),
        Dialect::Chat => json!({
            "model": model, "stream": true, "messages": messages,
            "stream_options": {"include_usage": true},
        }),
        Dialect::Responses => json!({"model": model, "stream": true, "input": prompt}),
    }
}

/// What one event adds to the answer's text, or why it goes no further.
fn piece(dialect: Dialect, data: &Value) -> Option<Result<String, AskError>> {
    let error = &data["error"];
    if error.is_object() || data["type"] == "error" {
        let message = error["message"].as_str().or(data["message"].as_str());
        let message = message.unwrap_or("the provider tells no reason");
        return Some(Err(AskError::BrokeOff(message.to_owned())));
    }
    let text = match dialect {
        Dialect::Messages => data["delta"]["text"].as_str(),
        Dialect::Chat => data["choices"][0]["delta"]["content"].as_str(),
        Dialect::Responses if data["type"] == "response.output_text.delta" => {
            data["delta"].as_str()
        }
        Dialect::Responses => None,
    }?;
    (!text.is_empty()).then(|| Ok(text.to_owned()))
}

fn whole_text(dialect: Dialect, answer: &Value) -> String {
    let parts = |list: &Value| {
        let texts = list.as_array().into_iter().flatten();
        texts
            .filter_map(|part| part["text"].as_str())
            .collect::<String>()
    };
    match dialect {
        Dialect::Messages => parts(&answer["content"]),
        Dialect::Chat => answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        Dialect::Responses => {
            let items = answer["output"].as_array().into_iter().flatten();
            items.map(|item| parts(&item["content"])).collect()
        }
    }
}

/// The error of an answer that is none, in the words of whoever gave it.
fn refusal(status: u16, body: &[u8]) -> String {
    let told = serde_json::from_slice::<Value>(body).ok();
    let message = told
        .as_ref()
        .and_then(|told| told["error"]["message"].as_str());
    match message {
        // Tundra's own refusals say all there is to say.
        Some(message)
            if told
                .as_ref()
                .is_some_and(|told| !told["profiles"].is_null()) =>
        {
            message.to_owned()
        }
        Some(message) if status == 502 => message.to_owned(),
        Some(message) => format!("API error (status {status}): {message}"),
        None => format!("API error (status {status}): no reason was given"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_each_dialect_add_their_text() {
        let said = |dialect, data| piece(dialect, &data).map(Result::unwrap);
        let delta =
            json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}});
        assert_eq!(said(Dialect::Messages, delta), Some("a".into()));
        let chunk = json!({"choices": [{"delta": {"content": "b"}}]});
        assert_eq!(said(Dialect::Chat, chunk), Some("b".into()));
        let event = json!({"type": "response.output_text.delta", "delta": "c"});
        assert_eq!(said(Dialect::Responses, event), Some("c".into()));
        let other = json!({"type": "response.function_call_arguments.delta", "delta": "c"});
        assert_eq!(said(Dialect::Responses, other), None);
    }

    #[test]
    fn an_error_event_ends_the_answer_with_its_words() {
        let data =
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "too much"}});
        assert_eq!(
            piece(Dialect::Messages, &data),
            Some(Err(AskError::BrokeOff("too much".into())))
        );
    }
}
