//! What a request says that routing needs to know, read without changing or copying its body.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use crate::domain::profile::{Capabilities, Capability};
use crate::gateway::scan::{Malformed, Scanner, Span, Token};
use crate::gateway::wire::generate;

/// Bytes of text per token, on the low side so that a reservation rather covers too much.
const BYTES_PER_TOKEN: f64 = 3.5;
/// What one image or document is taken to cost until the provider tells.
const TOKENS_PER_IMAGE: u64 = 1_500;
const TOKENS_PER_DOCUMENT: u64 = 3_000;
/// The longest name of a user or a conversation that is read, in bytes.
const LONGEST_NAME: usize = 2_048;

/// The facts of one request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSummary {
    pub model: String,
    /// The model's value in the body, quotes included; several where its key is doubled, and the last one counts; none where
    /// the path names the model.
    model_spans: Vec<Span>,
    pub stream: bool,
    /// Whether a chat stream was asked to tell its usage.
    pub include_usage: bool,
    pub needs: Capabilities,
    /// Estimated tokens of everything sent.
    pub input_tokens: u64,
    /// The most output that the caller asked for, where it says.
    pub max_output: Option<u64>,
    /// What the caller calls its user (`metadata.user_id`).
    pub user: Option<String>,
    /// What the caller calls the conversation (`prompt_cache_key`).
    pub cache_key: Option<String>,
}

/// The longest name of a model, in bytes. Usage is kept by it, so that it must not be as long as a body may be; no vendor's
/// has a quarter of this.
const MAX_MODEL: usize = 512;

/// Why a body cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    #[error("the body is not JSON: {0}")]
    NotJson(#[from] Malformed),
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("model: the body names no model")]
    NoModel,
    #[error("model: a name is at most {MAX_MODEL} bytes long")]
    LongModel,
    #[error("the body is not what generateContent takes: {0}")]
    Form(String),
}

impl RequestSummary {
    pub fn read(body: &[u8]) -> Result<Self, BadBody> {
        let mut reader = Reader::new(body);
        let mut scanner = Scanner::new(body)?;
        if scanner.next_token()? != Some(Token::ObjectStart) {
            crate::gateway::scan::validate(body)?;
            return Err(BadBody::NotAnObject);
        }
        while let Some(token) = scanner.next_token()? {
            reader.take(token, scanner.depth());
        }
        reader.finish()
    }

    /// The summary of a body to `generateContent`, whose model and kind of answer stand outside of it.
    ///
    /// # Errors
    ///
    /// [`BadBody`] where it is no JSON object of Google's form.
    pub fn generate(
        body: &[u8],
        method: generate::Method,
        model: &str,
        query: Option<&str>,
    ) -> Result<Self, BadBody> {
        crate::gateway::scan::validate(body)?;
        if model.len() > MAX_MODEL {
            return Err(BadBody::LongModel);
        }
        let read = serde_json::from_slice::<generate::request::Body>(body);
        let read = read.map_err(|error| BadBody::Form(error.to_string()))?;
        let stream = method == generate::Method::Stream && generate::is_stream_of_events(query);
        let weight = read.weight();
        let attached = weight.pictures * TOKENS_PER_IMAGE + weight.documents * TOKENS_PER_DOCUMENT;
        Ok(Self {
            model: model.to_owned(),
            model_spans: Vec::new(),
            stream,
            include_usage: false,
            needs: read.needs(stream),
            input_tokens: estimate(weight.text) + attached,
            max_output: read.max_output(),
            user: None,
            cache_key: None,
        })
    }

    /// The body with `model` in the place of its model; the very bytes where that changes nothing.
    ///
    /// Where the key is doubled each of its values is replaced, so that no reader of the body takes another model than the
    /// one that was chosen and is paid for.
    pub fn with_model(&self, body: &Bytes, model: &str) -> Bytes {
        let names_none = self.model_spans.is_empty();
        if names_none || model == self.model && self.model_spans.len() == 1 {
            return body.clone();
        }
        let Ok(name) = serde_json::to_vec(model) else {
            return body.clone();
        };
        let mut changed = BytesMut::with_capacity(body.len() + name.len());
        let mut copied = 0;
        for span in &self.model_spans {
            changed.extend_from_slice(body.get(copied..span.start).unwrap_or_default());
            changed.extend_from_slice(&name);
            copied = span.end;
        }
        changed.extend_from_slice(body.get(copied..).unwrap_or_default());
        changed.freeze()
    }
}

/// The part of the body that a top-level key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Model,
    Stream,
    StreamOptions,
    MaxOutput,
    Conversation,
    Tools,
    Format,
    Metadata,
    CacheKey,
    Other,
}

struct Reader<'a> {
    body: &'a [u8],
    section: Section,
    /// The key last read, without its escapes.
    key: Cow<'a, [u8]>,
    /// Of every key that is doubled the last one counts, as JSON readers have it (RFC 8259, section 4).
    models: Vec<Option<Span>>,
    stream: bool,
    include_usage: bool,
    tools: bool,
    json: bool,
    /// By the key of the part that holds it.
    attached: HashMap<Vec<u8>, Attached>,
    part: Vec<u8>,
    max_output: Option<u64>,
    user: Option<Span>,
    cache_key: Option<Span>,
    text: usize,
}

/// What a part of the conversation brings besides text.
#[derive(Clone, Copy, Default)]
struct Attached {
    pictures: u64,
    documents: u64,
}

impl<'a> Reader<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            section: Section::Other,
            key: Cow::Borrowed(b""),
            models: Vec::new(),
            stream: false,
            include_usage: false,
            tools: false,
            json: false,
            attached: HashMap::new(),
            part: Vec::new(),
            max_output: None,
            user: None,
            cache_key: None,
            text: 0,
        }
    }

    fn take(&mut self, token: Token, depth: usize) {
        match token {
            Token::Key(span) => self.key(span, depth),
            Token::String(span) => self.string(span, depth),
            Token::Number(span) if depth == 1 && self.section == Section::MaxOutput => {
                self.max_output = std::str::from_utf8(span.of(self.body))
                    .ok()
                    .and_then(|digits| digits.parse().ok());
            }
            Token::True => match self.section {
                Section::Stream if depth == 1 => self.stream = true,
                Section::StreamOptions if *self.key == *b"include_usage" => {
                    self.include_usage = true;
                }
                _ => {}
            },
            Token::ObjectStart if depth == 3 && self.section == Section::Tools => {
                self.tools = true;
            }
            _ => {}
        }
    }

    fn key(&mut self, span: Span, depth: usize) {
        self.key = span.text(self.body);
        self.text += span.len();
        if depth == 1 {
            self.section = Section::of(&self.key);
            self.begin_section();
        }
    }

    /// Forgets what the same key told before.
    fn begin_section(&mut self) {
        match self.section {
            Section::Model => self.models.push(None),
            Section::Stream => self.stream = false,
            Section::StreamOptions => self.include_usage = false,
            Section::MaxOutput => self.max_output = None,
            Section::Tools => self.tools = false,
            Section::Format => self.json = false,
            Section::Conversation => {
                self.part = self.key.to_vec();
                self.attached.remove(&self.part);
            }
            Section::Metadata => self.user = None,
            Section::CacheKey => self.cache_key = None,
            Section::Other => {}
        }
    }

    fn string(&mut self, span: Span, depth: usize) {
        let names_type = *self.key == *b"type";
        match self.section {
            Section::Model if depth == 1 => {
                if let Some(model) = self.models.last_mut() {
                    *model = Some(span);
                }
            }
            Section::Metadata if depth == 2 && *self.key == *b"user_id" => self.user = Some(span),
            Section::CacheKey if depth == 1 => self.cache_key = Some(span),
            Section::Format if names_type => {
                self.json |= span.text(self.body).starts_with(b"json_");
            }
            Section::Conversation if names_type => self.attach(&span.text(self.body)),
            _ => {}
        }
        if !is_opaque(&self.key) {
            self.text += span.len();
        }
    }

    fn attach(&mut self, kind: &[u8]) {
        let more = match kind {
            b"image" | b"image_url" | b"input_image" => (1, 0),
            b"document" | b"file" | b"input_file" | b"input_audio" => (0, 1),
            _ => return,
        };
        let attached = self.attached.entry(self.part.clone()).or_default();
        attached.pictures += more.0;
        attached.documents += more.1;
    }

    fn needs(&self) -> Capabilities {
        let pictures = self.attached.values().any(|attached| attached.pictures > 0);
        [
            (self.stream, Capability::Streaming),
            (self.tools, Capability::Tools),
            (pictures, Capability::Vision),
            (self.json, Capability::Json),
        ]
        .into_iter()
        .filter(|(needed, _)| *needed)
        .fold(Capabilities::NONE, |needs, (_, capability)| {
            needs.with(capability)
        })
    }

    fn finish(self) -> Result<RequestSummary, BadBody> {
        let spans: Option<Vec<Span>> = self.models.iter().copied().collect();
        let quoted: Vec<Span> = spans
            .ok_or(BadBody::NoModel)?
            .into_iter()
            .map(|span| Span {
                start: span.start - 1,
                end: span.end + 1,
            })
            .collect();
        let last = quoted.last().ok_or(BadBody::NoModel)?;
        let model: String =
            serde_json::from_slice(last.of(self.body)).map_err(|_| BadBody::NoModel)?;
        if model.trim().is_empty() {
            return Err(BadBody::NoModel);
        }
        if model.len() > MAX_MODEL {
            return Err(BadBody::LongModel);
        }
        let attached = self.attached.values().map(|attached| {
            attached.pictures * TOKENS_PER_IMAGE + attached.documents * TOKENS_PER_DOCUMENT
        });
        Ok(RequestSummary {
            model,
            stream: self.stream,
            include_usage: self.include_usage,
            needs: self.needs(),
            input_tokens: estimate(self.text) + attached.sum::<u64>(),
            max_output: self.max_output,
            user: self.user.and_then(|span| self.name(span)),
            cache_key: self.cache_key.and_then(|span| self.name(span)),
            model_spans: quoted,
        })
    }

    /// The string of a span, if it is short enough to be a name.
    fn name(&self, span: Span) -> Option<String> {
        if span.len() > LONGEST_NAME {
            return None;
        }
        let quoted = Span {
            start: span.start - 1,
            end: span.end + 1,
        };
        serde_json::from_slice(quoted.of(self.body)).ok()
    }
}

impl Section {
    fn of(key: &[u8]) -> Self {
        match key {
            b"model" => Self::Model,
            b"stream" => Self::Stream,
            b"stream_options" => Self::StreamOptions,
            b"max_tokens" | b"max_completion_tokens" | b"max_output_tokens" => Self::MaxOutput,
            b"messages" | b"input" | b"system" => Self::Conversation,
            b"tools" => Self::Tools,
            b"metadata" => Self::Metadata,
            b"prompt_cache_key" => Self::CacheKey,
            b"response_format" | b"text" | b"output_format" | b"output_config" => Self::Format,
            _ => Self::Other,
        }
    }
}

/// Fields whose strings are data rather than words: images, files, signatures.
fn is_opaque(key: &[u8]) -> bool {
    matches!(
        key,
        b"data" | b"url" | b"image_url" | b"file_data" | b"signature" | b"encrypted_content"
    )
}

/// Tokens that `bytes` of text are taken for until a provider tells better.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a body has far fewer bytes than a double counts"
)]
pub fn estimate(bytes: usize) -> u64 {
    (bytes as f64 / BYTES_PER_TOKEN).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_the_model_and_nothing_else() {
        let body = Bytes::from_static(
            b"{ \"metadata\":{\"model\":\"a\"},\t\"model\" : \"cl\\u0061ude\" ,\"messages\":[] , \"x\":1.0e+2}",
        );
        let summary = RequestSummary::read(&body).unwrap();
        assert_eq!(summary.model, "claude");
        assert_eq!(summary.with_model(&body, "claude"), body);
        assert_eq!(
            summary.with_model(&body, "b\"c"),
            &b"{ \"metadata\":{\"model\":\"a\"},\t\"model\" : \"b\\\"c\" ,\"messages\":[] , \"x\":1.0e+2}"[..]
        );
    }

    #[test]
    fn sees_what_a_request_needs() {
        let needs = |body: &str| RequestSummary::read(body.as_bytes()).unwrap().needs;
        assert_eq!(
            needs(r#"{"model":"m","stream":false,"tools":[],"messages":[]}"#),
            Capabilities::NONE
        );
        assert_eq!(
            needs(r#"{"model":"m","stream":true,"tools":[{"name":"t","input_schema":{}}]}"#),
            Capabilities::of(&[Capability::Streaming, Capability::Tools])
        );
        assert_eq!(
            needs(
                r#"{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"u"}}]}]}"#
            ),
            Capabilities::of(&[Capability::Vision])
        );
        for json in [
            r#"{"model":"m","response_format":{"type":"json_object"}}"#,
            r#"{"model":"m","text":{"format":{"type":"json_schema"}}}"#,
        ] {
            assert_eq!(needs(json), Capabilities::of(&[Capability::Json]));
        }
        assert_eq!(
            needs(
                r#"{"model":"m","tools":[{"input_schema":{"properties":{"stream":true,"type":"image"}}}]}"#
            ),
            Capabilities::of(&[Capability::Tools])
        );
    }

    #[test]
    fn the_last_of_doubled_keys_counts_however_it_is_escaped() {
        let body = Bytes::from_static(
            br#"{"model":"cheap","stream":true,"max_tokens":1,"mod\u0065l":"expensive","str\u0065am":false,"max_tokens":9,"messages":[{"content":[{"typ\u0065":"im\u0061ge"}]}],"messages":[]}"#,
        );
        let summary = RequestSummary::read(&body).unwrap();
        assert_eq!(summary.model, "expensive");
        assert_eq!((summary.stream, summary.max_output), (false, Some(9)));
        assert_eq!(summary.needs, Capabilities::NONE);
        let sent = summary.with_model(&body, "expensive");
        let sent = String::from_utf8(sent.to_vec()).unwrap();
        assert!(!sent.contains("cheap"), "{sent}");
        assert_eq!(sent.matches("expensive").count(), 2);
        let picture = br#"{"model":"m","messages":[{"content":[{"typ\u0065":"im\u0061ge"}]}]}"#;
        assert_eq!(
            RequestSummary::read(picture).unwrap().needs,
            Capabilities::of(&[Capability::Vision])
        );
    }

    #[test]
    fn estimates_words_and_not_pictures() {
        let picture = "A".repeat(100_000);
        let body = format!(
            r#"{{"model":"m","max_tokens":77,"messages":[{{"content":[{{"type":"image","source":{{"data":"{picture}"}}}}]}}]}}"#
        );
        let summary = RequestSummary::read(body.as_bytes()).unwrap();
        assert!(summary.input_tokens < 1_700, "{}", summary.input_tokens);
        assert_eq!(summary.max_output, Some(77));
    }

    #[test]
    fn names_its_user_and_its_conversation() {
        let body = br#"{"model":"m","metadata":{"x":{"user_id":"no"},"user_id":"{\"a\":1}"},"prompt_cache_key":"c"}"#;
        let summary = RequestSummary::read(body).unwrap();
        assert_eq!(summary.user.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(summary.cache_key.as_deref(), Some("c"));
        let bare = RequestSummary::read(br#"{"model":"m","metadata":null}"#).unwrap();
        assert_eq!((bare.user, bare.cache_key), (None, None));
    }

    #[test]
    fn refuses_bodies_that_cannot_be_routed() {
        let refused = |body: &str| RequestSummary::read(body.as_bytes()).unwrap_err();
        assert!(matches!(refused("hello"), BadBody::NotJson(_)));
        assert!(matches!(refused(r#"{"model":"m""#), BadBody::NotJson(_)));
        assert_eq!(refused("[1]"), BadBody::NotAnObject);
        for body in [
            "{}",
            r#"{"model":1}"#,
            r#"{"model":""}"#,
            r#"{"x":{"model":"m"}}"#,
            r#"{"model":["m"]}"#,
        ] {
            assert_eq!(refused(body), BadBody::NoModel, "{body}");
        }
        let named = |length| format!(r#"{{"model":"{}"}}"#, "m".repeat(length));
        assert_eq!(refused(&named(MAX_MODEL + 1)), BadBody::LongModel);
        assert!(RequestSummary::read(named(MAX_MODEL).as_bytes()).is_ok());
    }
}
