//! The listener for viewers, as the other rooms see it.

use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::error::AppError;
use crate::api::shapes::RemoteShape;
use crate::api::{ApiError, Listener, Services};
use crate::config::{Paths, Settings};
use crate::domain::code::Code;
use crate::domain::id::TerminalId;
use crate::push::Push;
use crate::remote::{self, KeptRemote, RemoteHandle, ResumedViewer, Setup};
use crate::runtime::dial::LocalListener;
use crate::runtime::tasks::Tasks;
use crate::tui::{Addresses, BrowserAddress};

/// The running listener.
pub(super) struct RunningRemote {
    handle: RemoteHandle,
    /// Held here, since the services know it weakly.
    _listener: Arc<dyn Listener>,
}

/// What another program has left for attaching.
#[derive(Default)]
pub(super) struct Left {
    pub kept: KeptRemote,
    /// Whether there is no other program that could go on.
    pub is_last_resort: bool,
    /// The listener on the network.
    pub listener: Option<TcpListener>,
    /// Those who were attached.
    pub viewers: Vec<ResumedViewer>,
    pub local: Option<LocalListener>,
}

pub(super) fn start(
    left: Left,
    paths: &Paths,
    services: &Services,
    settings: &watch::Receiver<Arc<Settings>>,
    tasks: &Tasks,
    push: Push,
    stop: &CancellationToken,
) -> Result<RunningRemote, AppError> {
    let path = paths.attach_socket();
    let failed = |source| AppError::Socket {
        path: path.clone(),
        source,
    };
    let Left {
        kept,
        is_last_resort,
        listener,
        viewers,
        local,
    } = left;
    let local = match local {
        Some(local) => local,
        None => LocalListener::bind(&path).map_err(failed)?,
    };
    let handle = remote::start(Setup {
        services: services.clone(),
        settings: settings.clone(),
        tasks: tasks.clone(),
        push,
        state: paths.state.clone(),
        local,
        kept,
        listener,
        viewers,
        may_lack_network: is_last_resort,
        stop: stop.clone(),
    })?;
    let listener: Arc<dyn Listener> = Arc::new(RemoteEndpoint(handle.clone()));
    services.set_listener(&listener);
    Ok(RunningRemote {
        handle,
        _listener: listener,
    })
}

impl RunningRemote {
    pub fn addresses(&self) -> Arc<dyn Addresses> {
        Arc::new(RemoteEndpoint(self.handle.clone()))
    }

    pub fn url(&self) -> Option<String> {
        self.handle.url()
    }

    /// What the user should know: that another port was taken, and what to compare before a self-signed certificate is
    /// trusted.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        let moved = self.handle.moved().map(|(wanted, found)| {
            format!("remote attach listens on {found}, since {wanted} is in use")
        });
        let trouble = self.trouble();
        let notices = moved.into_iter().chain(trouble);
        notices.chain(self.certificate_notice())
    }

    /// Why nothing listens on the network, where it should.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.handle.trouble()?;
        Some(format!("remote attach is off: {trouble}"))
    }

    fn certificate_notice(&self) -> Option<String> {
        let fingerprint = self
            .handle
            .fingerprint()
            .filter(|_| self.handle.is_self_signed())?;
        Some(format!(
            "remote attach uses a self-signed certificate, fingerprint {fingerprint}"
        ))
    }

    pub fn handle(&self) -> RemoteHandle {
        self.handle.clone()
    }
}

/// The listener as commands and the front end ask for it.
#[derive(Debug)]
struct RemoteEndpoint(RemoteHandle);

impl RemoteEndpoint {
    fn one_time_url(&self, terminal: Option<TerminalId>) -> Result<String, ApiError> {
        match self.0.one_time_url(terminal) {
            Ok(Some(url)) => Ok(url),
            Ok(None) => Err(ApiError::new(
                Code::Unavailable,
                "remote attach is disabled: set remote.enabled = true and start tundra again",
            )),
            Err(error) => Err(ApiError::new(Code::Internal, error.to_string())),
        }
    }
}

impl Listener for RemoteEndpoint {
    fn shape(&self) -> Option<RemoteShape> {
        Some(RemoteShape {
            url: self.0.url()?,
            token_file: self.0.token_file()?.to_string_lossy().into_owned(),
            viewers: self.0.viewers(),
            fingerprint: self.0.fingerprint().map(str::to_owned),
        })
    }

    fn url(&self, terminal: Option<TerminalId>) -> Result<String, ApiError> {
        self.one_time_url(terminal)
    }
}

impl Addresses for RemoteEndpoint {
    fn address(&self, terminal: Option<TerminalId>) -> Result<BrowserAddress, String> {
        let url = self.one_time_url(terminal).map_err(|why| why.message)?;
        let fingerprint = self.0.fingerprint().filter(|_| self.0.is_self_signed());
        Ok(BrowserAddress {
            url,
            good_for: remote::ONE_TIME_LIFE,
            fingerprint: fingerprint.map(str::to_owned),
        })
    }
}
