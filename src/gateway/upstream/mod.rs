//! The connections to providers: one pooled client per profile, and what its errors mean.
//!
//! The one home of the HTTP client. No redirect is followed, so no key ever follows one; proxies of the environment and
//! the system's certificates are honoured; loopback is never proxied. HTTP/1.1 alone: a stream has its own connection,
//! so cancelling one is closing it, and no provider's limit of streams per connection can hold others up.

pub mod cleaner;
pub mod connections;
mod dial;
pub mod headers;
mod interim;
mod link;
pub mod reach;
mod spare;

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use dial::{Connector, Dialler};
use spare::Spare;

use crate::domain::outcome::CallError;
use crate::domain::timeouts::Timeouts;

/// The most bytes of answer headers; more is not an API's answer.
const MAX_HEAD: usize = 64 * 1024;
/// How long an unused connection is kept; servers close theirs after one to several minutes.
const KEEP_IDLE: Duration = Duration::from_secs(55);

/// A client could not be made: the base URL is none.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("base_url {url:?} is not an http or https address")]
    BadUrl { url: String },
}

/// What to post.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Below the base URL, with a leading slash.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostError {
    /// No connection came about, so that nothing was asked.
    NeverLeft(CallError),
    Sent(CallError),
}

type Client = legacy::Client<Connector, Full<Bytes>>;

/// One profile's way out; cheap to clone.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: Arc<Url>,
    dialler: Dialler,
    /// Keeps connections for the next call; for a login's it takes the one that was opened ahead.
    pooled: Client,
    /// Opens a connection for every call, for the one free repeat of a call that a dead connection swallowed.
    fresh: Client,
    /// Where each call has a connection of its own: the next one's.
    spare: Option<Spare>,
    /// What a proxy is told that is asked in the clear.
    proxy_login: Option<(HeaderName, HeaderValue)>,
    first_byte: Duration,
}

impl Upstream {
    pub fn new(base_url: &str, timeouts: Timeouts) -> Result<Self, SetupError> {
        let base = Url::parse(base_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| SetupError::BadUrl {
                url: base_url.to_owned(),
            })?;
        let dialler = Dialler::new(base.scheme(), is_loopback(&base), timeouts.connect);
        let proxy_login = (base.as_str().parse::<Uri>())
            .ok()
            .and_then(|base| dialler.proxy_login(&base));
        Ok(Self {
            pooled: client(&dialler, None, usize::MAX),
            fresh: client(&dialler, None, 0),
            base: Arc::new(base),
            dialler,
            spare: None,
            proxy_login,
            first_byte: timeouts.first_byte,
        })
    }

    /// The same way out for one caller's login: each request over a connection that ends with it.
    ///
    /// The HTTP library keeps the buffer that a request's head was written to for as long as its connection lives, and so
    /// the login in it. [`Upstream::ahead`] has the next request's connection ready by then.
    #[must_use]
    pub fn for_login(&self) -> Self {
        let dialler = self.dialler.apart();
        let spare = Spare::default();
        Self {
            pooled: client(&dialler, Some(spare.clone()), 0),
            fresh: client(&dialler, None, 0),
            dialler,
            spare: Some(spare),
            ..self.clone()
        }
    }

    /// Opens the next call's connection, where calls share none, once this one is over, and keeps it until that call takes
    /// it, until its peer leaves, for 45 s, or until `ending`; `None` where there is nothing to do.
    pub fn ahead(
        &self,
        ending: impl Future<Output = ()> + Send + 'static,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        let spare = self.spare.as_ref()?;
        let to = self.base.as_str().parse::<Uri>().ok()?;
        let dialler = self.dialler.clone();
        spare.open(async move { dialler.dial(to).await }, ending)
    }

    /// Posts `body` to `path` below the base URL and waits for the answer's head.
    ///
    /// A kept-alive connection that turns out closed before any answer came is replaced once, without a word, if
    /// `may_reconnect` allows. Dropping the future closes the connection.
    pub async fn post(
        &self,
        call: Post<'_>,
        may_reconnect: impl FnOnce() -> bool,
    ) -> Result<Response<Incoming>, PostError> {
        let deadline = Instant::now() + self.first_byte;
        let (sent, reused) = send(&self.pooled, self.posting(&call)?, deadline).await;
        let response = match sent {
            Err(SendError::Gone(_)) if reused && may_reconnect() => {
                send(&self.fresh, self.posting(&call)?, deadline).await.0
            }
            sent => sent,
        }?;
        let head: usize = response
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if head > MAX_HEAD {
            return Err(PostError::Sent(CallError::Http(format!(
                "the answer's headers are larger than {MAX_HEAD} bytes"
            ))));
        }
        Ok(response)
    }

    /// Asks for `path` below the base URL and answers with the whole answer, at most `most` bytes, whatever its status.
    ///
    /// # Errors
    ///
    /// Where no whole answer comes within the time for a first byte. Dropping the future closes the connection.
    pub async fn get(
        &self,
        path: &str,
        query: Option<&str>,
        headers: HeaderMap,
        most: usize,
    ) -> Result<(StatusCode, HeaderMap, Bytes), PostError> {
        let url = self.url(path, query);
        let request = self.request(Method::GET, &url, headers, Bytes::new())?;
        let asked = async {
            let deadline = Instant::now() + self.first_byte;
            let (head, body) = send(&self.pooled, request, deadline).await.0?.into_parts();
            let body = Limited::new(body, most).collect().await;
            let body = body.map_err(|error| PostError::Sent(CallError::Http(error.to_string())))?;
            Ok((head.status, head.headers, body.to_bytes()))
        };
        timeout(self.first_byte, asked)
            .await
            .unwrap_or(Err(PostError::Sent(CallError::Timeout)))
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = (*self.base).clone();
        // Other programs want the version in the base URL; here it begins every route.
        let base = url.path().trim_end_matches('/');
        let mut versions = ["/v1", "/v1beta"].iter();
        let unversioned = versions.find_map(|version| base.strip_suffix(version));
        let base = unversioned.unwrap_or(base);
        let joined = format!("{base}{path}");
        url.set_path(&joined);
        url.set_query(query);
        url
    }

    fn posting(&self, call: &Post<'_>) -> Result<Request<Full<Bytes>>, PostError> {
        let url = self.url(call.path, call.query);
        self.request(Method::POST, &url, call.headers.clone(), call.body.clone())
    }

    fn request(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, PostError> {
        let bad_address = |error: http::uri::InvalidUri| {
            PostError::NeverLeft(CallError::Http(format!("connect: {error}")))
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(bad_address)?;
        *request.headers_mut() = headers;
        if let Some((name, value)) = self.proxy_login.clone() {
            request.headers_mut().insert(name, value);
        }
        interim::limit(&mut request);
        Ok(request)
    }
}

/// Sends one request; tells also whether it went over a connection that was there before.
async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
    deadline: Instant,
) -> (Result<Response<Incoming>, SendError>, bool) {
    let (sent, reused) = dial::watched(timeout_at(deadline, client.request(request))).await;
    let result = match sent {
        Err(_) => Err(SendError::Timeout),
        Ok(sent) => sent.map_err(|error| SendError::classify(&error)),
    };
    (result, reused)
}

/// Says what a failure while an answer's body is read means.
pub fn body_error(error: &hyper::Error) -> CallError {
    CallError::Http(format!("the answer was cut short: {}", root_cause(error)))
}

enum SendError {
    Timeout,
    /// The connection ended before an answer began.
    Gone(String),
    /// No connection came about.
    Connect(String),
    Http(String),
}

impl SendError {
    fn classify(error: &legacy::Error) -> Self {
        match (error.is_connect(), is_timeout(error)) {
            (true, true) => Self::Connect("connect: timed out".to_owned()),
            (true, false) => Self::Connect(format!("connect: {}", root_cause(error))),
            (false, true) => Self::Timeout,
            (false, false) if is_gone(error) => Self::Gone(root_cause(error)),
            (false, false) => Self::Http(root_cause(error)),
        }
    }
}

impl From<SendError> for PostError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Timeout => Self::Sent(CallError::Timeout),
            SendError::Gone(cause) | SendError::Http(cause) => Self::Sent(CallError::Http(cause)),
            SendError::Connect(cause) => Self::NeverLeft(CallError::Http(cause)),
        }
    }
}

/// The innermost cause, which never holds the URL.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The error and what it came from.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::TimedOut)
}

fn is_gone(error: &(dyn Error + 'static)) -> bool {
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return true;
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::NotConnected
            );
        }
    }
    false
}

/// A client that keeps at most `idle` connections.
fn client(dialler: &Dialler, spare: Option<Spare>, idle: usize) -> Client {
    let connector = Connector {
        dialler: dialler.clone(),
        spare,
    };
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP_IDLE)
        .pool_max_idle_per_host(idle)
        .build(connector)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}
