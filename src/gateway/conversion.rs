//! Where the two dialects of a call meet: how the caller's request becomes the upstream's, and the upstream's answer the
//! caller's.
//!
//! Everything else reads a request or an answer in the dialect that it is written in and never asks for the other one.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use uuid::Uuid;

use super::request::IncomingRequest;
use super::request::summary::RequestSummary;
use super::sse::{self, Framer};
use super::stream_reader::Part;
use super::translate::mark::Maker;
use super::translate::{self, Crossing, Stream, Target};
use crate::domain::outcome::CallError;
use crate::domain::profile::{Dialect, Profile, ProviderKind, TranslatedDialect};
use crate::domain::route::{Feature, Foreign};

/// The dialect in which the upstream was asked, where it is not the caller's.
const TRANSLATED: HeaderName = HeaderName::from_static("x-tundra-translated");
/// What of the request was left out.
const WITHOUT: HeaderName = HeaderName::from_static("x-tundra-without");

/// What lies between the caller's dialect and the upstream's, for one call.
#[derive(Debug)]
pub enum Conversion {
    /// Both are the same: every byte passes but for the model's name.
    Passthrough(Dialect),
    Translation(Box<Translation>),
}

/// A call to a profile of another dialect.
#[derive(Debug)]
pub struct Translation {
    body: Bytes,
    without: Vec<String>,
    crossing: Crossing,
    /// Whether the caller reads a stream.
    streams: bool,
    /// Begun with the first event.
    stream: Option<Stream>,
}

impl Conversion {
    /// What lies between the caller's dialect of `request` and `upstream`, in which `profile` is asked.
    ///
    /// # Errors
    ///
    /// [`CallError::Unsupported`] where the request holds what the upstream's dialect has no words for.
    pub fn between(
        request: &IncomingRequest,
        profile: &Profile,
        upstream: Dialect,
    ) -> Result<Self, CallError> {
        let caller = request.dialect();
        if caller == upstream {
            return Ok(Self::Passthrough(caller));
        }
        let unsupported = |dialect: Dialect| CallError::Unsupported(dialect.as_str().to_owned());
        let asked = request.form().map_err(CallError::Unsupported)?;
        let caller = caller.translated().ok_or_else(|| unsupported(caller))?;
        let upstream = upstream.translated().ok_or_else(|| unsupported(upstream))?;
        let model = profile.upstream_model(&request.summary.model, true);
        let maker = Maker::of(&profile.base_url, upstream);
        let sent = translate::write(asked, upstream, &target(profile, &model), &maker)
            .map_err(|unsayable| CallError::Unsupported(unsayable.0))?;
        let crossing = Crossing {
            caller,
            upstream,
            maker,
            model: model.into_owned(),
            id: Uuid::new_v4().simple().to_string(),
            created: u64::try_from(Timestamp::now().as_second()).unwrap_or_default(),
            input_estimate: request.summary.input_tokens,
            way: sent.way,
        };
        Ok(Self::Translation(Box::new(Translation {
            body: sent.body,
            without: sent.without,
            crossing,
            streams: request.streams(),
            stream: None,
        })))
    }

    /// Whether the caller and the provider speak different dialects.
    pub const fn is_translation(&self) -> bool {
        matches!(self, Self::Translation(_))
    }

    /// What of the request was left out.
    pub fn without(&self) -> &[String] {
        match self {
            Self::Passthrough(_) => &[],
            Self::Translation(translation) => &translation.without,
        }
    }

    /// The body to send upstream, for `model`.
    pub fn request(&self, request: &IncomingRequest, model: &str) -> Bytes {
        let dialect = match self {
            Self::Passthrough(dialect) => *dialect,
            Self::Translation(translation) => return translation.body.clone(),
        };
        let Some(translated) = dialect.translated() else {
            return request.summary.with_model(&request.text, model);
        };
        let body = translate::strip::strip(translated, &request.text);
        if body == request.text {
            return request.summary.with_model(&body, model);
        }
        // What is left of it has its model elsewhere.
        match RequestSummary::read(&body) {
            Ok(summary) => summary.with_model(&body, model),
            Err(_) => body,
        }
    }

    /// A whole answer as the caller reads it; `text` is its body without its coding.
    ///
    /// # Errors
    ///
    /// [`CallError::Parse`] where it holds what cannot be told in the caller's dialect.
    pub fn answer(&self, body: Bytes, text: &[u8]) -> Result<Bytes, CallError> {
        let translation = match self {
            Self::Passthrough(_) => return Ok(body),
            Self::Translation(translation) => translation,
        };
        let crossing = &translation.crossing;
        let told = if translation.streams {
            translate::whole_as_stream(text, crossing.clone())
        } else {
            translate::answer(text, crossing)
        };
        told.map_err(|error| CallError::Parse(error.to_string()))
    }

    /// An answer that came as a stream, for a caller who asked for a whole one; `events` are all of it, decoded.
    ///
    /// # Errors
    ///
    /// [`CallError::Parse`] where it holds what cannot be told in the caller's dialect.
    pub fn gathered(&self, events: Bytes) -> Result<Bytes, CallError> {
        let translation = match self {
            Self::Passthrough(_) => return Ok(events),
            Self::Translation(translation) => translation,
        };
        let mut told = Vec::new();
        let framed = Framer::default().push(events, |frame| {
            told.extend(sse::parse(frame).map(|event| (event.name.to_vec(), event.data.to_vec())));
        });
        framed.map_err(|_| CallError::Parse("a stream event is too large".to_owned()))?;
        let told = told
            .iter()
            .map(|(name, data)| (name.as_slice(), data.as_slice()));
        translate::stream_as_whole(told, &translation.crossing)
            .map_err(|error| CallError::Parse(error.to_string()))
    }

    /// An error's body as the caller reads it; `text` is it without its coding.
    pub fn error(&self, status: u16, body: Bytes, text: &[u8]) -> Bytes {
        match self {
            Self::Passthrough(_) => body,
            Self::Translation(translation) => {
                let crossing = &translation.crossing;
                let failure = translate::error::read(status, text);
                translate::error::write(crossing.caller, &failure, &format!("req_{}", crossing.id))
            }
        }
    }

    /// A part of a stream as the caller reads it.
    pub fn events(&mut self, part: Part) -> Bytes {
        let translation = match self {
            Self::Passthrough(_) => return part.passed,
            Self::Translation(translation) => translation,
        };
        let stream = translation.stream();
        let mut out = Vec::new();
        // The part holds whole events alone, each far below what the framer bears.
        let _ = Framer::default().push(part.events, |frame| {
            if let Some(event) = sse::parse(frame) {
                stream.take(event.name, &event.data, &mut out);
            }
        });
        out.into()
    }

    /// What the caller still has to read once the upstream's stream is whole.
    pub fn end(&mut self) -> Bytes {
        let mut out = Vec::new();
        if let Self::Translation(translation) = self {
            translation.stream().finish(&mut out);
        }
        out.into()
    }

    /// The end of a stream that failed; `None` where the upstream's dialect is the caller's.
    pub fn failed(&mut self, status: u16, message: &str) -> Option<Bytes> {
        let Self::Translation(translation) = self else {
            return None;
        };
        let mut out = Vec::new();
        translation.stream().fail(status, message, &mut out);
        Some(out.into())
    }

    /// Why the stream cannot be told on, which the caller has read already.
    pub fn broken(&self) -> Option<CallError> {
        let Self::Translation(translation) = self else {
            return None;
        };
        let broken = translation.stream.as_ref()?.broken()?;
        Some(CallError::Parse(broken.to_owned()))
    }

    /// The upstream's headers as they go with the caller's answer.
    pub fn mark(&self, headers: &mut HeaderMap, is_error: bool) {
        let Self::Translation(translation) = self else {
            return;
        };
        headers.remove(CONTENT_ENCODING);
        let kind = if translation.streams && !is_error {
            "text/event-stream"
        } else {
            "application/json"
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let upstream = translation.crossing.upstream.as_str();
        headers.insert(TRANSLATED, HeaderValue::from_static(upstream));
        if let Ok(names) = HeaderValue::from_str(&translation.without.join(", "))
            && !names.is_empty()
        {
            headers.insert(WITHOUT, names);
        }
    }
}

impl Translation {
    fn stream(&mut self) -> &mut Stream {
        let crossing = &self.crossing;
        self.stream
            .get_or_insert_with(|| Stream::new(crossing.clone()))
    }
}

/// What stands against the request in each dialect but its own.
pub fn judge(request: &IncomingRequest) -> Foreign {
    let own = request.dialect();
    let obstacle = |dialect: TranslatedDialect| {
        let any = Target {
            model: "",
            max_tokens: None,
            is_local: false,
            takes_effort: true,
        };
        let unsayable = match request.form() {
            Ok(asked) => {
                translate::write(asked, dialect, &any, &Maker::of("", dialect))
                    .err()?
                    .0
            }
            Err(fault) => fault,
        };
        Some((dialect.into(), Feature::new(&unsayable)))
    };
    let others = TranslatedDialect::ALL.into_iter();
    let others = others.filter(|dialect| Dialect::from(*dialect) != own);
    Foreign::Judged(others.filter_map(obstacle).collect())
}

fn target<'a>(profile: &Profile, model: &'a str) -> Target<'a> {
    let known = KnownModel::of(profile, model);
    let configured = profile.max_tokens.map(|most| u64::from(most.get()));
    Target {
        model,
        max_tokens: configured.or(known.max_output),
        is_local: profile.provider == ProviderKind::Local,
        takes_effort: known.takes_effort,
    }
}

/// What the vendor's own endpoint refuses of a request that was written for another vendor's models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownModel {
    max_output: Option<u64>,
    takes_effort: bool,
}

impl KnownModel {
    /// `OpenAI`'s older models answer 400 to an effort, and to a limit above their own (platform.openai.com/docs/models).
    fn of(profile: &Profile, model: &str) -> Self {
        const OLDER: [(&str, u64); 4] = [
            ("gpt-4.1", 32_768),
            ("gpt-4o", 16_384),
            ("chatgpt-4o", 16_384),
            ("gpt-4", 4_096),
        ];
        let is_vendors = profile.base_url.trim_end_matches('/') == ProviderKind::OpenAi.base_url();
        let older = OLDER
            .into_iter()
            .find(|(name, _)| is_vendors && model.starts_with(name));
        Self {
            max_output: older.map(|(_, most)| most),
            takes_effort: older.is_none(),
        }
    }
}
