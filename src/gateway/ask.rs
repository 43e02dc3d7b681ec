//! One prompt through the router, its answer as text: what `tundra ask` does.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::mpsc;

use super::answer::PROFILE;
use super::exchange::{self, Progress};
use super::report::Report;
use super::request::summary::{BadBody, RequestSummary};
use super::request::{IncomingRequest, LazyForm};
use super::service::Gateway;
use super::sse::{self, Framer};
use super::wire::generate::{ApiVersion, Method};
use super::wire::{self, Endpoint};
use crate::domain::caller::Caller;
use crate::domain::code::Code;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Auth, Dialect, Profile, ProfileName};

/// Output that a prompt without further wishes may have; Anthropic wants a number.
const MAX_TOKENS: u32 = 4096;

/// A prompt and whom it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Sent as the user's only message.
    pub prompt: String,
    /// The profile's own where none is given.
    pub model: Option<String>,
    /// The one profile to ask; whichever is next in the route where none is given.
    pub profile: Option<ProfileName>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its name; `None` where the gateway itself did.
    pub profile: Option<String>,
}

/// Why a prompt has no whole answer.
#[derive(Debug, Error)]
pub enum AskError {
    #[error("profile not found: {0}")]
    NotFound(ProfileName),
    #[error("no provider is configured")]
    NobodyThere,
    #[error("{0}")]
    BadRequest(#[from] BadBody),
    /// What the provider or the router said.
    #[error("{0}")]
    Answered(String),
    #[error("the answer broke off: {0}")]
    BrokeOff(String),
    /// Whoever wanted the answer is gone.
    #[error("nobody reads the answer")]
    Unread,
}

impl From<&AskError> for Code {
    fn from(error: &AskError) -> Self {
        match error {
            AskError::NotFound(_) => Self::NotFound,
            AskError::NobodyThere | AskError::Answered(_) => Self::Refused,
            AskError::BadRequest(_) => Self::BadRequest,
            AskError::BrokeOff(_) | AskError::Unread => Self::BrokeOff,
        }
    }
}

impl Gateway {
    /// Asks, and sends the answer's text to `text` piece by piece; a slow reader slows the provider.
    ///
    /// # Errors
    /// [`AskError`]: nobody can be asked, the request is refused, or the answer breaks off or cannot be read. Dropped, it
    /// cancels the provider's answer.
    pub async fn ask(&self, ask: Ask, text: mpsc::Sender<String>) -> Result<Asked, AskError> {
        let profile = self.asked_profile(ask.profile.as_ref())?;
        let dialect = profile
            .dialects
            .iter()
            .next()
            .ok_or(AskError::NobodyThere)?;
        let request = request_of(ask, &profile, dialect)?;
        let progress = Arc::new(Mutex::new(Progress::default()));
        let search = Box::pin(exchange::dispatch(
            Arc::clone(&self.state),
            request,
            progress,
            Report::default(),
        ));
        let (head, mut body) = search.await.into_response().into_parts();
        let profile = head
            .headers
            .get(PROFILE)
            .and_then(|name| name.to_str().ok());
        let asked = Asked {
            profile: profile.map(str::to_owned),
        };
        if !head.status.is_success() {
            let whole = body
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes);
            let told = error_message(&whole.unwrap_or_default());
            return Err(AskError::Answered(refusal(head.status, told)));
        }
        let streams = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if !streams {
            let whole = body
                .collect()
                .await
                .map_err(|cut| AskError::BrokeOff(cut.to_string()))?;
            let said = wire::whole_text(dialect, &whole.to_bytes()).unwrap_or_default();
            text.send(said).await.map_err(|_| AskError::Unread)?;
            return Ok(asked);
        }
        let mut framer = Framer::default();
        while let Some(frame) = body.frame().await {
            let chunk = frame.map_err(|cut| AskError::BrokeOff(cut.to_string()))?;
            let mut said = String::new();
            let mut broken = None;
            let read = framer.push(chunk.into_data().unwrap_or_default(), |event| {
                let Some(event) = sse::parse(event) else {
                    return;
                };
                if let Some(piece) = wire::delta_text(dialect, &event.data) {
                    said.push_str(&piece);
                }
                broken = broken.take().or_else(|| error_message(&event.data));
            });
            if !said.is_empty() {
                text.send(said).await.map_err(|_| AskError::Unread)?;
            }
            if let Some(message) = broken {
                return Err(AskError::BrokeOff(message));
            }
            read.map_err(|_| AskError::BrokeOff("an event is too long".to_owned()))?;
        }
        Ok(asked)
    }

    fn asked_profile(&self, name: Option<&ProfileName>) -> Result<Arc<Profile>, AskError> {
        let mut providers = self.state.router.status().providers;
        // It brings no login.
        providers.retain(|provider| name.is_some() || provider.profile.auth == Auth::Key);
        let wanted = providers.iter().find(|provider| match name {
            Some(name) => provider.profile.name == *name,
            None => provider.active,
        });
        match (
            wanted.or(providers.first().filter(|_| name.is_none())),
            name,
        ) {
            (Some(provider), _) => Ok(Arc::clone(&provider.profile)),
            (None, Some(name)) => Err(AskError::NotFound(name.clone())),
            (None, None) => Err(AskError::NobodyThere),
        }
    }
}

/// An error in the words that it has everywhere else. What tundra itself answers is complete as it is.
fn refusal(status: StatusCode, told: Option<String>) -> String {
    let message = told.unwrap_or_else(|| "no reason was given".to_owned());
    let own = [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if own.contains(&status) {
        return message;
    }
    let status = status.as_u16();
    CallError::Api { status, message }.to_string()
}

fn request_of(ask: Ask, profile: &Profile, dialect: Dialect) -> Result<IncomingRequest, AskError> {
    let model = ask.model.unwrap_or_else(|| profile.default_model.clone());
    let turn = json!([{"role": "user", "content": ask.prompt}]);
    let (endpoint, body) = match dialect {
        Dialect::Messages => (
            Endpoint::Messages,
            json!({"model": model, "max_tokens": MAX_TOKENS, "stream": true, "messages": turn}),
        ),
        Dialect::Chat => (
            Endpoint::Chat,
            json!({
                "model": model, "stream": true, "messages": turn,
                "stream_options": {"include_usage": true},
            }),
        ),
        Dialect::Responses => (
            Endpoint::Responses,
            json!({"model": model, "stream": true, "input": ask.prompt}),
        ),
        Dialect::Generate => (
            Endpoint::Generate(ApiVersion::V1Beta, Method::Stream),
            json!({"contents": [{"role": "user", "parts": [{"text": ask.prompt}]}]}),
        ),
    };
    let query = (dialect == Dialect::Generate).then(|| "alt=sse".to_owned());
    let body = Bytes::from(body.to_string());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    if dialect == Dialect::Messages {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    Ok(IncomingRequest {
        endpoint,
        caller: Caller::Ask,
        summary: match endpoint {
            Endpoint::Generate(_, method) => {
                RequestSummary::generate(&body, method, &model, query.as_deref())?
            }
            _ => RequestSummary::read(&body)?,
        },
        query,
        headers,
        brought: None,
        text: body.clone(),
        body,
        form: LazyForm::default(),
        conversation: None,
        only: ask.profile,
    })
}

/// The message of an error in any of the dialects' shapes.
fn error_message(body: &[u8]) -> Option<String> {
    // Cheaper than parsing every event of an answer.
    memchr::memmem::find(body, b"\"error\"")?;
    let told: Value = serde_json::from_slice(body).ok()?;
    let message = |error: &Value| error["message"].as_str().map(str::to_owned);
    message(&told["error"]).or_else(|| message(&told["response"]["error"]))
}
