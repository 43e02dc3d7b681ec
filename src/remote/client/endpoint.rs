//! Coming in: connections, the login, the list, and opening a socket.

use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::ext::on_informational;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use super::address::{Target, shown};
use crate::api::shapes::{ErrorShape, TerminalShape};
use crate::domain::id::TerminalId;
use crate::remote::error::TransportError;
use crate::remote::guard::PAGE_KEY;
use crate::remote::protocol::{PROTOCOL, socket_config};
use crate::remote::trust;
use crate::runtime::dial;

/// For a connection, and for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A way into an instance, with what opens it.
pub struct Endpoint {
    target: Target,
    token: Option<String>,
    session: Option<Session>,
}

/// The head of an answer, in bytes.
const MAX_ANSWER_HEAD: usize = 32 * 1024;
/// Informational answers (RFC 9110, section 15.2) before an answer, of which HTTP allows any number; an instance sends none.
const MAX_INFORMATIONAL: usize = 16;
/// The body of an answer, in bytes: a thousand terminals and their commands are less.
const MAX_ANSWER: usize = 4 << 20;
/// The longest message from an instance, in bytes: a screen of 1000 by 1000 with history and every cell in a colour of its
/// own is less. What a frame claims is compared with it before anything is set aside for it.
const MAX_MESSAGE_IN: usize = 64 << 20;

pub(super) type Socket = WebSocketStream<Transport>;

/// A connection over whatever leads there.
pub(super) enum Transport {
    Local(UnixStream),
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Cancels `flood` once there have been more informational answers to a request than make sense.
fn stop_at_flood<B>(request: &mut Request<B>, flood: CancellationToken) {
    let heard = AtomicUsize::new(0);
    on_informational(request, move |_| {
        if heard.fetch_add(1, Ordering::Relaxed) >= MAX_INFORMATIONAL {
            flood.cancel();
        }
    });
}

/// What a login gave.
struct Session {
    /// As it is sent.
    cookie: String,
    page_key: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

#[derive(Deserialize)]
struct LoginBody {
    page_key: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorShape,
}

impl Endpoint {
    /// An endpoint that is shut as yet. `token` is asked for by an instance on the network.
    #[must_use]
    pub fn new(target: Target, token: Option<String>) -> Self {
        Self {
            target,
            token,
            session: None,
        }
    }

    /// Finds out whether an instance is there, before anybody is asked for a token.
    ///
    /// # Errors
    /// [`TransportError`], which tells a certificate that is not trusted apart.
    pub async fn probe(&self) -> Result<(), TransportError> {
        let (status, _, body) = self.ask(Method::GET, "/health", String::new()).await?;
        if status == StatusCode::OK && body == "ok" {
            return Ok(());
        }
        Err(match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(body) => TransportError::Refused(printable_error(&body.error)),
            Err(_) => self.target.error("this is no tundra"),
        })
    }

    /// Swaps the token for a session; nothing to do on the local socket.
    ///
    /// # Errors
    /// [`TransportError`], which tells a certificate that is not trusted apart.
    pub async fn login(&mut self) -> Result<(), TransportError> {
        if matches!(self.target, Target::Local { .. }) {
            return Ok(());
        }
        let body = serde_json::json!({ "token": self.token }).to_string();
        let (status, headers, answer) = self.ask(Method::POST, "/api/login", body).await?;
        if status != StatusCode::OK {
            return Err(self.refusal(status, &answer));
        }
        let no_session = || self.target.error("the login gave no session");
        let body: LoginBody = serde_json::from_slice(&answer).map_err(|_| no_session())?;
        let cookie = headers
            .get(header::SET_COOKIE)
            .and_then(|cookie| cookie.to_str().ok())
            .and_then(|cookie| cookie.split(';').next())
            .ok_or_else(no_session)?;
        self.session = Some(Session {
            cookie: cookie.to_owned(),
            page_key: body.page_key,
        });
        Ok(())
    }

    /// Every terminal that there is.
    ///
    /// # Errors
    /// [`TransportError`] where the instance cannot be reached, refuses, or answers what is no list.
    pub async fn terminals(&self) -> Result<Vec<TerminalShape>, TransportError> {
        let (status, _, answer) = self
            .ask(Method::GET, "/api/terminals", String::new())
            .await?;
        if status != StatusCode::OK {
            return Err(self.refusal(status, &answer));
        }
        let mut terminals: Vec<TerminalShape> =
            serde_json::from_slice(&answer).map_err(|error| self.target.error(error))?;
        for terminal in &mut terminals {
            terminal.name = shown(&terminal.name);
        }
        // An id goes into a path and into messages.
        terminals.retain(|terminal| terminal.id.parse::<TerminalId>().is_ok());
        Ok(terminals)
    }

    /// Opens a socket at a terminal.
    pub(super) async fn open(&self, terminal: &str, read_only: bool) -> Result<Socket, OpenError> {
        let authority = match &self.target {
            Target::Local { .. } => "localhost",
            Target::Network(address) => &address.authority,
        };
        let query = if read_only { "?read_only=1" } else { "" };
        let url = format!("ws://{authority}/ws/terminal/{terminal}{query}");
        let mut request = url
            .into_client_request()
            .map_err(|error| OpenError::Over(self.target.error(error)))?;
        let headers = request.headers_mut();
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(PROTOCOL),
        );
        self.show(headers);
        let transport = self.connect().await.map_err(|error| match error {
            TransportError::Untrusted { .. } | TransportError::Changed { .. } => {
                OpenError::Over(error)
            }
            // Nobody is there to come back to: a new instance has new terminals.
            TransportError::Local(_) => OpenError::Over(self.target.error("tundra has ended")),
            error => OpenError::Later(error),
        })?;
        let config = socket_config()
            .max_message_size(Some(MAX_MESSAGE_IN))
            .max_frame_size(Some(MAX_MESSAGE_IN))
            .read_buffer_size(64 * 1024);
        let opening = tokio_tungstenite::client_async_with_config(request, transport, Some(config));
        match timeout(ANSWER_TIMEOUT, opening).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                let status = answer.status();
                let body = answer.body().clone().unwrap_or_default();
                let error = self.refusal(status, &body);
                Err(match status {
                    StatusCode::UNAUTHORIZED => OpenError::Unauthorized(error),
                    StatusCode::SERVICE_UNAVAILABLE => OpenError::Later(error),
                    _ => OpenError::Over(error),
                })
            }
            Ok(Err(error)) => Err(OpenError::Later(self.target.error(error))),
            Err(_) => Err(OpenError::Later(self.target.error("no answer within 5 s"))),
        }
    }

    pub(super) fn is_local(&self) -> bool {
        matches!(self.target, Target::Local { .. })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Adds what opens the endpoint.
    fn show(&self, headers: &mut http::HeaderMap) {
        let Target::Network(address) = &self.target else {
            return;
        };
        let session = self.session.as_ref();
        let values = [
            (header::COOKIE, session.map(|session| &*session.cookie)),
            (PAGE_KEY, session.map(|session| &*session.page_key)),
            (header::ORIGIN, Some(&*address.origin())),
        ];
        for (name, value) in values {
            if let Some(mut value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                value.set_sensitive(name != header::ORIGIN);
                headers.insert(name, value);
            }
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, http::HeaderMap, Bytes), TransportError> {
        let transport = self.connect().await?;
        let failed = |error: &dyn std::fmt::Display| self.target.error(error);
        let asking = async {
            let (mut sender, connection) = http1::Builder::new()
                .max_buf_size(MAX_ANSWER_HEAD)
                .handshake(TokioIo::new(transport))
                .await
                .map_err(|error| failed(&error))?;
            let mut request = Request::new(Full::new(Bytes::from(body)));
            *request.method_mut() = method;
            *request.uri_mut() = path.parse().map_err(|error| failed(&error))?;
            let host = match &self.target {
                Target::Local { .. } => "localhost",
                Target::Network(address) => &address.authority,
            };
            let host = host.parse().map_err(|error| failed(&error))?;
            request.headers_mut().insert(header::HOST, host);
            self.show(request.headers_mut());
            let flood = CancellationToken::new();
            stop_at_flood(&mut request, flood.clone());
            let exchange = async {
                let answer = sender.send_request(request).await?;
                let (head, body) = answer.into_parts();
                let body = Limited::new(body, MAX_ANSWER).collect().await?;
                Ok::<_, Box<dyn Error + Send + Sync>>((head, body.to_bytes()))
            };
            // The connection must be driven for the exchange to come about; its own end is not what counts, and may be
            // told before the answer that it brought.
            tokio::pin!(exchange);
            let answer = tokio::select! {
                answer = &mut exchange => answer,
                ended = connection => match ended {
                    Ok(()) => exchange.await,
                    Err(error) => Err(error.into()),
                },
                () = flood.cancelled() => Err("informational answers without end".into()),
            };
            let (head, body) = answer.map_err(|error| failed(&error))?;
            Ok((head.status, head.headers, body))
        };
        match timeout(ANSWER_TIMEOUT, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(self.target.error("no answer within 5 s")),
        }
    }

    async fn connect(&self) -> Result<Transport, TransportError> {
        let address = match &self.target {
            Target::Local { socket } => {
                let connected = dial::connect(socket).and_then(|stream| {
                    stream.set_nonblocking(true)?;
                    UnixStream::from_std(stream)
                });
                return connected
                    .map(Transport::Local)
                    .map_err(|error| self.target.error(error));
            }
            Target::Network(address) => address,
        };
        let connecting = TcpStream::connect((address.host.as_str(), address.port));
        let failed = |details: &dyn std::fmt::Display| {
            self.target
                .error(format!("{}: {details}", address.authority))
        };
        let stream = timeout(ANSWER_TIMEOUT, connecting)
            .await
            .map_err(|_| failed(&"no connection within 5 s"))?
            .map_err(|error| failed(&error))?;
        // Keys are small and must not wait for more.
        let _ = stream.set_nodelay(true);
        if !address.tls {
            return Ok(Transport::Plain(stream));
        }
        let (config, refused) = trust::client_config(&address.authority, &address.known)
            .map_err(|error| self.target.error(error))?;
        let name =
            ServerName::try_from(address.host.clone()).map_err(|error| self.target.error(error))?;
        let shaking = TlsConnector::from(config).connect(name, stream);
        match timeout(ANSWER_TIMEOUT, shaking).await {
            Ok(Ok(stream)) => Ok(Transport::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(match refused.take() {
                Some(fingerprint) => address.known.doubt(&address.authority, fingerprint),
                None if error.kind() == std::io::ErrorKind::InvalidData => {
                    failed(&format!("no TLS there ({error}); try http://"))
                }
                None => failed(&error),
            }),
            Err(_) => Err(self.target.error("no TLS handshake within 5 s")),
        }
    }

    /// What an answer says, in the words of the instance.
    fn refusal(&self, status: StatusCode, body: &[u8]) -> TransportError {
        match serde_json::from_slice::<ErrorBody>(body) {
            Ok(body) => TransportError::Refused(printable_error(&body.error)),
            Err(_) => self.target.error(format!("the answer is HTTP {status}")),
        }
    }
}

/// What an instance says, without anything that a terminal would take for a command.
fn printable_error(error: &ErrorShape) -> ErrorShape {
    ErrorShape {
        code: shown(&error.code),
        message: shown(&error.message),
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// Why there is no socket.
pub(super) enum OpenError {
    /// It may be had later.
    Later(TransportError),
    /// The session is over; another login may help.
    Unauthorized(TransportError),
    Over(TransportError),
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Local(transport) => Pin::new(transport).poll_read(context, buffer),
            Self::Plain(transport) => Pin::new(transport).poll_read(context, buffer),
            Self::Tls(transport) => Pin::new(transport.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Local(transport) => Pin::new(transport).poll_write(context, bytes),
            Self::Plain(transport) => Pin::new(transport).poll_write(context, bytes),
            Self::Tls(transport) => Pin::new(transport.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Local(transport) => Pin::new(transport).poll_flush(context),
            Self::Plain(transport) => Pin::new(transport).poll_flush(context),
            Self::Tls(transport) => Pin::new(transport.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Local(transport) => Pin::new(transport).poll_shutdown(context),
            Self::Plain(transport) => Pin::new(transport).poll_shutdown(context),
            Self::Tls(transport) => Pin::new(transport.as_mut()).poll_shutdown(context),
        }
    }
}
