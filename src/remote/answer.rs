//! Answers: their bodies, and the headers that every one of them carries.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::api::ApiError;
use crate::api::shapes::ErrorShape;
use crate::domain::code::Code;

pub(super) type Answer = Response<Full<Bytes>>;

/// Seconds after which a full pool or room may be asked again.
const RETRY_AFTER: &str = "5";

/// A refusal: a status for the protocol, a code for programs, a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: Code,
    pub message: String,
    /// What the status obliges to tell besides: when to ask again, what would be taken.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log, where the message does not tell what was given and what would have been taken.
    pub reason: Option<String>,
    is_page: bool,
}

impl Refusal {
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
            reason: None,
            is_page: false,
        }
    }

    /// Tells the log more than the peer is told.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadRequest, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Code::Forbidden, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
    }

    pub fn unauthorized() -> Self {
        let message = "a token is needed: tundra url prints an address with one";
        Self::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, message)
            .with(header::WWW_AUTHENTICATE, "Bearer")
    }

    pub fn too_many_viewers(max: usize) -> Self {
        let message = format!("all {max} places for viewers are taken");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::TooManyViewers,
            message,
        )
        .with(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// Answers with a page in place of JSON: a person reads it.
    pub fn into_page(mut self) -> Self {
        self.is_page = true;
        self
    }

    pub fn into_answer(self) -> Answer {
        if self.is_page {
            return page(self);
        }
        let body = ErrorBody {
            error: ErrorShape::new(self.code, self.message),
        };
        let mut answer = json(self.status, &body);
        answer.headers_mut().extend(self.headers);
        answer
    }
}

impl<E: Into<ApiError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let ApiError { code, message } = error.into();
        let status = StatusCode::from_u16(code.http_status());
        let refusal = Self::new(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message,
        );
        if code == Code::AtCapacity {
            refusal.with(header::RETRY_AFTER, RETRY_AFTER)
        } else {
            refusal
        }
    }
}

/// A refusal as a page.
fn page(refusal: Refusal) -> Answer {
    let message = escape_html(&refusal.message);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>tundra</title></head>\n<body style=\"font: 16px/1.5 \
         system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em\"><h1>tundra</h1><p>{message}</p></body>\
         </html>\n"
    );
    let mut answer = bare(refusal.status);
    *answer.body_mut() = Full::new(html.into());
    answer.headers_mut().extend(refusal.headers);
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    answer
}

fn escape_html(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut html, character| {
            match character {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                other => html.push(other),
            }
            html
        })
}

#[derive(Serialize)]
struct ErrorBody {
    error: ErrorShape,
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut answer = bare(status);
            *answer.body_mut() = Full::new(bytes.into());
            answer.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            answer
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            bare(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

pub(super) fn bare(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Adds what every answer carries. `site` is the scheme and host of the page, which have been checked before.
pub(super) fn secure(headers: &mut http::HeaderMap, site: Option<(&'static str, &str)>) {
    let site = site.filter(|(_, host)| {
        host.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    });
    // 'self' covers sockets in today's browsers; older ones want them named.
    let socket = match site {
        Some(("https", host)) => format!(" wss://{host}"),
        Some((_, host)) => format!(" ws://{host}"),
        None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; \
         connect-src 'self'{socket}; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
