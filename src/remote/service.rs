//! What requests are answered from, and where they come from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::auth::Auth;
use super::guard::Site;
use super::session::ViewerRegistry;
use crate::api::Services;
use crate::domain::fact;
use crate::push::Push;
use crate::runtime::dial::LocalListener;

/// For a TLS handshake, and for a request to arrive whole.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What requests are answered from.
pub(super) struct Service {
    pub services: Services,
    pub registry: Arc<ViewerRegistry>,
    /// Who wants to be told while no page is open.
    pub push: Push,
    pub stop: CancellationToken,
    /// Cancelled when another program is to go on in this one's place: from then on nothing is accepted.
    pub upgrade: CancellationToken,
    /// The local socket, once it is left to that program.
    pub local: Mutex<Option<LocalListener>>,
    /// None where there is only the local socket.
    pub network: Option<Network>,
}

impl Service {
    /// Leaves the local socket to the program that goes on in this one's place.
    pub fn leave_local(&self, listener: LocalListener) {
        *self.local.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// The local socket that was left.
    pub fn take_local(&self) -> Option<LocalListener> {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        local.take()
    }
}

/// The listener on the network.
pub(super) struct Network {
    pub auth: Auth,
    pub site: Site,
    /// What the configuration asks for; the default port may have been busy.
    pub wanted: SocketAddr,
    pub token_file: PathBuf,
    /// Of the certificate, where TLS is served.
    pub fingerprint: Option<String>,
    pub self_signed: bool,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Network(SocketAddr),
    Local,
}

impl Peer {
    /// As the history has it.
    pub const fn origin(self) -> fact::Peer {
        match self {
            Self::Network(address) => fact::Peer::Network(address.ip()),
            Self::Local => fact::Peer::Local,
        }
    }

    pub fn ip(self) -> IpAddr {
        match self {
            Self::Network(address) => address.ip(),
            Self::Local => IpAddr::from([127, 0, 0, 1]),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            Self::Local => f.write_str("local"),
        }
    }
}
