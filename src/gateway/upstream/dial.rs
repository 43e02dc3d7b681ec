//! Opens connections to a provider: by the environment's proxy where one is meant for it, with TLS where its address asks
//! for it.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::{Scheme, Uri};
use http::{HeaderValue, header::PROXY_AUTHORIZATION};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::time::timeout;
use tower_service::Service;

use super::link::{DialError, Link, Via};
use super::spare::Spare;

/// How long a silent connection is left alone before the kernel asks whether its peer is still there, and between asking.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_TRIES: u32 = 3;
/// How long sent bytes may stay without the peer's word that they came.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// TLS sessions that are remembered.
const SESSIONS: usize = 256;

tokio::task_local! {
    /// Whether the call of this scope opened a connection.
    static DIALLED: Cell<bool>;
}

/// Carries `call` out; tells also whether it went over a connection that was there before.
pub(super) async fn watched<F: Future>(call: F) -> (F::Output, bool) {
    let call = async {
        let output = call.await;
        (output, !DIALLED.with(Cell::get))
    };
    DIALLED.scope(Cell::new(false), Box::pin(call)).await
}

/// The way to one provider; cheap to clone.
#[derive(Clone)]
pub(super) struct Dialler {
    http: HttpConnector,
    tls: Tls,
    /// `None` for an address on this machine, which is never asked by way of another.
    proxies: Option<Arc<Matcher>>,
    patience: Duration,
}

impl Dialler {
    /// `patience` is what a connection may take, TLS included.
    pub fn new(scheme: &str, is_loopback: bool, patience: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(patience));
        http.set_keepalive(Some(KEEP_ALIVE));
        http.set_keepalive_interval(Some(KEEP_ALIVE));
        http.set_keepalive_retries(Some(KEEP_ALIVE_TRIES));
        http.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self {
            http,
            tls: Tls::new(scheme == Scheme::HTTPS.as_str()),
            proxies: (!is_loopback).then(|| Arc::new(Matcher::from_env())),
            patience,
        }
    }

    /// The same way for somebody who shares nothing with the others, TLS sessions neither.
    pub fn apart(&self) -> Self {
        Self {
            tls: self.tls.apart(),
            ..self.clone()
        }
    }

    /// What a proxy that is asked in the clear for `to` has to be told with every request.
    pub fn proxy_login(&self, to: &Uri) -> Option<(http::HeaderName, HeaderValue)> {
        let proxy = self.proxies.as_ref()?.intercept(to)?;
        let login = proxy.basic_auth().filter(|_| !is_tls(to))?;
        Some((PROXY_AUTHORIZATION, login.clone()))
    }

    /// Opens a connection. Dropping the future closes what there is of it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] within the patience; what name lookup, TCP, TLS or the proxy's tunnel say before.
    pub async fn dial(&self, to: Uri) -> Result<Link, DialError> {
        match timeout(self.patience, self.open(to)).await {
            Ok(opened) => opened,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "timed out").into()),
        }
    }

    async fn open(&self, to: Uri) -> Result<Link, DialError> {
        let tls = self.tls.config().await?;
        let mut direct = HttpsConnector::from((self.http.clone(), Arc::clone(&tls)));
        let proxy = self.proxies.as_ref();
        let Some(proxy) = proxy.and_then(|proxies| proxies.intercept(&to)) else {
            return Ok(Link::new(direct.call(to).await?, Via::Provider));
        };
        let at = proxy.uri().clone();
        if !is_tls(&to) {
            return Ok(Link::new(direct.call(at).await?, Via::Proxy));
        }
        let mut tunnel = Tunnel::new(at, direct);
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        let mut through = HttpsConnector::from((tunnel, tls));
        Ok(Link::new(through.call(to).await?, Via::Provider))
    }
}

fn is_tls(to: &Uri) -> bool {
    to.scheme() == Some(&Scheme::HTTPS)
}

/// TLS as an address needs it, made when a first connection asks for it: the system's certificates are hundreds of files,
/// which would hold up every start.
#[derive(Clone)]
struct Tls {
    is_wanted: bool,
    verifier: Arc<OnceLock<Arc<Verifier>>>,
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Tls {
    fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            verifier: Arc::default(),
            config: Arc::default(),
        }
    }

    /// The same without the sessions of the others.
    fn apart(&self) -> Self {
        Self {
            config: Arc::default(),
            ..self.clone()
        }
    }

    /// Cancelled, the certificates are read to their end, for whoever comes next.
    async fn config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let cannot_start = |error: &dyn fmt::Display| {
            io::Error::other(format!("the HTTP client cannot start: {error}"))
        };
        let own = self.clone();
        // Two that come at once read them both, and the first has made them.
        let made = tokio::task::spawn_blocking(move || own.make()).await;
        let config = made.map_err(|error| cannot_start(&error))?;
        let config = config.map_err(|error| cannot_start(&error))?;
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }

    fn make(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let mut config = if self.is_wanted {
            let verifier = if let Some(verifier) = self.verifier.get() {
                Arc::clone(verifier)
            } else {
                let read = Arc::new(Verifier::new(provider)?);
                Arc::clone(self.verifier.get_or_init(|| read))
            };
            let builder = builder.dangerous();
            builder
                .with_custom_certificate_verifier(verifier)
                .with_no_client_auth()
        } else {
            // No certificate is looked at, so the system's need not be read.
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(config)
    }
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").finish_non_exhaustive()
    }
}

/// Gives the HTTP library its connections: the one that was opened ahead, else a new one.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub dialler: Dialler,
    pub spare: Option<Spare>,
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let spare = self.spare.clone();
        if let Some(link) = spare.as_ref().and_then(Spare::take) {
            return Box::pin(ready(Ok(link)));
        }
        let dialler = self.dialler.clone();
        Box::pin(async move {
            let link = dialler.dial(to).await?;
            // Outside of a scope the pool finishes a connection that its caller no longer waited for.
            let _ = DIALLED.try_with(|dialled| dialled.set(true));
            Ok(match spare {
                Some(spare) => spare.hand_out(link),
                None => link,
            })
        })
    }
}
