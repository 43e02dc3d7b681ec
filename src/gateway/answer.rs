//! What goes back to the caller: status, headers, and a body that is whole or streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};

use super::answer_stream::{AnswerStream, Cut};
use super::report::Report;
use super::spans::RequestSpans;
use crate::domain::agent::Ending;
use crate::domain::profile::ProfileName;

/// How many upstreams were asked; on every answer.
pub const ATTEMPTS: HeaderName = HeaderName::from_static("x-tundra-attempts");
/// Whom the answer is from, or who was asked last.
pub const PROFILE: HeaderName = HeaderName::from_static("x-tundra-profile");

/// An answer that may be passed on.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: AnswerBody,
    /// What its request came to; a stream tells that itself.
    pub ending: Ending,
}

/// What goes to the caller: a whole body, a stream of a provider's, or pings until there is one.
#[derive(Debug)]
pub enum AnswerBody {
    Whole(Bytes),
    /// Passed on as it comes.
    Stream(Box<AnswerStream>),
}

impl Answer {
    /// One whose body is here.
    pub fn whole(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body: AnswerBody::Whole(body),
            ending: ending_of(status),
        }
    }

    /// Says what its request came to.
    #[must_use]
    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    /// Tells what its request came to, or leaves that to its stream.
    pub fn tell(&mut self, report: Report) {
        match &mut self.body {
            AnswerBody::Whole(_) => report.end(self.ending.clone()),
            AnswerBody::Stream(stream) => stream.report_to(report),
        }
    }

    /// Notes how many upstreams were asked, and whom last.
    pub fn mark(&mut self, attempts: usize, profile: Option<&ProfileName>) {
        mark(&mut self.headers, attempts, profile);
    }

    /// Lets the spans end with the answer: with a stream's end, else at once.
    pub fn trace(&mut self, mut spans: RequestSpans) {
        match &mut self.body {
            AnswerBody::Stream(stream) => stream.trace(spans),
            AnswerBody::Whole(_) => spans.whole(),
        }
    }

    /// The answer as the listener sends it.
    pub fn into_response(self) -> Response<AnswerBody> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What an answer means of which nothing but its status is known.
fn ending_of(status: StatusCode) -> Ending {
    let message = || format!("API error (status {})", status.as_u16());
    match status.as_u16() {
        429 => Ending::Refused {
            until: None,
            message: message(),
        },
        401..=403 | 500.. => Ending::Failed { message: message() },
        // A request that was wrong is over as well.
        _ => Ending::Answered { calls: false },
    }
}

/// Sets what every answer carries.
pub fn mark(headers: &mut HeaderMap, attempts: usize, profile: Option<&ProfileName>) {
    headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    if let Some(name) =
        profile.and_then(|name| HeaderValue::from_bytes(name.as_str().as_bytes()).ok())
    {
        headers.insert(PROFILE, name);
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => Pin::new(&mut **stream).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
