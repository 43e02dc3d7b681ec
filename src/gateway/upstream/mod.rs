//! The connections to providers: one pooled client per profile, and what its errors mean.
//!
//! The one home of the HTTP client. No redirect is followed, so no key ever follows one; proxies of the environment and
//! the system's certificates are honoured; loopback is never proxied. HTTP/1.1 alone: a stream has its own connection,
//! so cancelling one is closing it, and no provider's limit of streams per connection can hold others up.

pub mod cleaner;
pub mod connections;
pub mod headers;
pub mod reach;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use reqwest::{Body, Client, Request, Url};
use tower_layer::Layer;
use tower_service::Service;

use crate::domain::outcome::CallError;
use crate::domain::timeouts::Timeouts;

/// The most bytes of answer headers; more is not an API's answer.
const MAX_HEAD: usize = 64 * 1024;
/// How long an unused connection is kept; servers close theirs after one to several minutes.
const KEEP_IDLE: Duration = Duration::from_secs(55);

/// A client could not be made: the base URL is none, or the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("base_url {url:?} is not an http or https address")]
    BadUrl { url: String },
    #[error("the HTTP client cannot start: {0}")]
    Client(String),
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

/// One profile's way out; cheap to clone.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: Arc<Url>,
    /// Keeps connections for the next call, but for a login's.
    pooled: Client,
    /// Opens a connection for every call, for the one free repeat of a call that a dead connection swallowed.
    fresh: Client,
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
        install_crypto();
        let client = |idle| build(&base, timeouts.connect, idle);
        Ok(Self {
            pooled: client(usize::MAX)?,
            fresh: client(0)?,
            base: Arc::new(base),
            first_byte: timeouts.first_byte,
        })
    }

    /// The same way out for one caller's login: each request over a connection that ends with it.
    ///
    /// The HTTP library keeps the buffer that a request's head was written to for as long as its connection lives, and so
    /// the login in it. A new connection costs two round trips, since its TLS session is resumed.
    ///
    /// # Errors
    ///
    /// [`SetupError::Client`] where the system's certificates cannot be read any more.
    pub fn for_login(&self, timeouts: Timeouts) -> Result<Self, SetupError> {
        let fresh = build(&self.base, timeouts.connect, 0)?;
        Ok(Self {
            pooled: fresh.clone(),
            fresh,
            base: Arc::clone(&self.base),
            first_byte: timeouts.first_byte,
        })
    }

    /// Posts `body` to `path` below the base URL and waits for the answer's head.
    ///
    /// A kept-alive connection that turns out closed before any answer came is replaced once, without a word, if
    /// `may_reconnect` allows. Dropping the future closes the connection.
    pub async fn post(
        &self,
        call: Post<'_>,
        may_reconnect: impl FnOnce() -> bool,
    ) -> Result<Response<Body>, PostError> {
        let deadline = tokio::time::Instant::now() + self.first_byte;
        let (sent, reused) = self.send(&self.pooled, self.request(&call), deadline).await;
        let response = match sent {
            Err(SendError::Gone(_)) if reused && may_reconnect() => {
                self.send(&self.fresh, self.request(&call), deadline)
                    .await
                    .0
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
        let mut request = Request::new(Method::GET, self.url(path, query));
        *request.headers_mut() = headers;
        let asked = async {
            let response = self
                .pooled
                .execute(request)
                .await
                .map_err(|error| PostError::from(SendError::classify(&error)))?;
            let (head, body) = Response::<Body>::from(response).into_parts();
            let body = Limited::new(body, most).collect().await;
            let body = body.map_err(|error| PostError::Sent(CallError::Http(error.to_string())))?;
            Ok((head.status, head.headers, body.to_bytes()))
        };
        tokio::time::timeout(self.first_byte, asked)
            .await
            .unwrap_or(Err(PostError::Sent(CallError::Timeout)))
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = (*self.base).clone();
        // Other programs want the version in the base URL; here it begins every route.
        let base = url.path().trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let joined = format!("{base}{path}");
        url.set_path(&joined);
        url.set_query(query);
        url
    }

    fn request(&self, call: &Post<'_>) -> Request {
        let url = self.url(call.path, call.query);
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = call.headers.clone();
        *request.body_mut() = Some(Body::from(call.body.clone()));
        request
    }

    /// Sends one request; tells also whether it went over a connection that was there before.
    async fn send(
        &self,
        client: &Client,
        request: Request,
        deadline: tokio::time::Instant,
    ) -> (Result<Response<Body>, SendError>, bool) {
        let call = async {
            let sent = tokio::time::timeout_at(deadline, client.execute(request)).await;
            (sent, !DIALLED.with(Cell::get))
        };
        let (sent, reused) = DIALLED.scope(Cell::new(false), Box::pin(call)).await;
        let result = match sent {
            Err(_) => Err(SendError::Timeout),
            Ok(Err(error)) => Err(SendError::classify(&error)),
            Ok(Ok(response)) => Ok(response.into()),
        };
        (result, reused)
    }
}

/// Says what a failure while an answer's body is read means.
pub fn body_error(error: &reqwest::Error) -> CallError {
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
    fn classify(error: &reqwest::Error) -> Self {
        if error.is_connect() && error.is_timeout() {
            return Self::Connect("connect: timed out".to_owned());
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        let cause = root_cause(error);
        if !error.is_connect() && is_gone(error) {
            return Self::Gone(cause);
        }
        if error.is_connect() {
            return Self::Connect(format!("connect: {cause}"));
        }
        Self::Http(cause)
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
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn is_gone(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                std::io::ErrorKind::ConnectionReset
                    | std::io::ErrorKind::BrokenPipe
                    | std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::NotConnected
            );
        }
        cause = error.source();
    }
    false
}

fn build(base: &Url, connect: Duration, idle: usize) -> Result<Client, SetupError> {
    let mut builder = Client::builder()
        .http1_only()
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(connect)
        .pool_idle_timeout(KEEP_IDLE)
        .pool_max_idle_per_host(idle)
        .connector_layer(NoteDialled);
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    if base.scheme() == "http" {
        // No certificate is looked at, so the system's need not be read.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|error| SetupError::Client(root_cause(&error)))
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

/// The TLS library asks the process for its cryptography once.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

tokio::task_local! {
    /// Whether the call of this scope opened a connection.
    static DIALLED: Cell<bool>;
}

/// Notes that a connection was opened for a call rather than taken from the pool.
#[derive(Clone, Copy, Debug)]
struct NoteDialled;

impl<S> Layer<S> for NoteDialled {
    type Service = Dialling<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Dialling(inner)
    }
}

#[derive(Clone, Debug)]
struct Dialling<S>(S);

impl<S, R> Service<R> for Dialling<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            // Outside of a scope the pool finishes a connection that its caller no longer waited for.
            let _ = DIALLED.try_with(|dialled| dialled.set(true));
            connected
        })
    }
}
