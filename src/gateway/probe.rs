//! Asks a provider what costs nothing, over the same client as a request: the doctor's way to it.

use std::time::Duration;

use http::header::{DATE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::upstream::cleaner::Cleaner;
use super::upstream::{PostError, Upstream, headers};
use crate::domain::outcome::CallError;
use crate::domain::profile::{Auth, Dialect, Profile, ProviderKind};
use crate::domain::timeouts::Timeouts;

/// Bytes of the longest list of models that is read.
const MOST: usize = 8 << 20;
/// Such a list fits into one answer of Anthropic's, which gives 20 unless asked for more.
const PAGE: &str = "limit=1000";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the key is taken.
    Key,
    /// Which models there are.
    Models,
}

/// What a provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeAnswer {
    pub status: u16,
    /// The provider's clock, as it wrote it (RFC 9110, section 6.6.1).
    pub date: Option<String>,
    /// Whether it is JSON, as an answer of a provider's is: a web page that stands in between is not.
    pub is_json: bool,
    /// The names of the models, where it told any.
    pub models: Vec<String>,
    /// The provider's words, fit to be shown: without the key and configured headers.
    pub words: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// No connection came about, TLS included.
    NotConnected(String),
    /// It was asked, and no whole answer came.
    NoAnswer(String),
}

/// Where `question` is asked without cost: `OpenRouter` tells of a key under `/v1/key`, its list of models needs none.
fn path(profile: &Profile, question: Question) -> &'static str {
    match (profile.provider, question) {
        (ProviderKind::OpenRouter, Question::Key) => "/v1/key",
        (ProviderKind::Gemini, _) => "/v1beta/models",
        _ => "/v1/models",
    }
}

/// Asks, with a key where there is one, and waits `patience` at most. Dropping the future closes the connection.
///
/// # Errors
/// [`ProbeFailure`] where no whole answer comes, or the address is none.
pub async fn ask(
    profile: &Profile,
    key: Option<&str>,
    question: Question,
    patience: Duration,
) -> Result<ProbeAnswer, ProbeFailure> {
    let timeouts = Timeouts {
        connect: patience,
        first_byte: patience,
        stream_idle: patience,
    };
    let upstream = Upstream::new(&profile.base_url, timeouts)
        .map_err(|error| ProbeFailure::NotConnected(error.to_string()))?;
    let sent = own_headers(profile, key);
    let cleaner = Cleaner::new(
        key.into_iter()
            .chain(profile.headers.iter().map(|(_, value)| value.as_str())),
    );
    let query = match profile.provider {
        ProviderKind::Anthropic if profile.auth == Auth::Key => Some(PAGE),
        ProviderKind::Gemini => Some("pageSize=1000"),
        _ => None,
    };
    let answered = upstream
        .get(path(profile, question), query, sent, MOST)
        .await;
    let (status, head, body) = answered.map_err(|error| match error {
        PostError::NeverLeft(error) => ProbeFailure::NotConnected(cleaner.words(&cause(error))),
        PostError::Sent(error) => ProbeFailure::NoAnswer(cleaner.words(&error.to_string())),
    })?;
    let is_json = serde_json::from_slice::<IgnoredAny>(&body).is_ok();
    let told = serde_json::from_slice::<Told>(&body).unwrap_or_default();
    let words = told
        .error
        .and_then(|error| match error {
            ToldError::Object { message } => message,
            ToldError::Text(text) => Some(text),
        })
        .unwrap_or_default();
    let googles = told.models.into_iter().filter_map(|model| model.name);
    let googles = googles.map(|name| name.trim_start_matches("models/").to_owned());
    Ok(ProbeAnswer {
        status: status.as_u16(),
        is_json,
        date: head
            .get(DATE)
            .and_then(|date| date.to_str().ok())
            .map(str::to_owned),
        models: told
            .data
            .into_iter()
            .filter_map(|model| model.id)
            .chain(googles)
            .collect(),
        words: cleaner.words(&words),
    })
}

fn own_headers(profile: &Profile, key: Option<&str>) -> HeaderMap {
    let mut sent = HeaderMap::new();
    if profile.dialects.contains(Dialect::Messages) {
        headers::set_version(&mut sent);
    }
    let key = key.and_then(|key| HeaderValue::from_str(key).ok());
    headers::sign(&mut sent, profile, key.as_ref());
    sent
}

/// The words of what went wrong, without the kind that the caller shows by itself.
fn cause(error: CallError) -> String {
    match error {
        CallError::Http(words) => words,
        error => error.to_string(),
    }
}

#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    data: Vec<Model>,
    /// Google's, each under its `name`.
    #[serde(default)]
    models: Vec<GoogleModel>,
    #[serde(default)]
    error: Option<ToldError>,
}

#[derive(Debug, Deserialize)]
struct GoogleModel {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ToldError {
    Object { message: Option<String> },
    Text(String),
}
