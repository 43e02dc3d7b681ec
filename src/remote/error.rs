//! Why attaching over the network is not to be had.

use std::io;
use std::path::PathBuf;

use super::tls::TlsError;
use crate::api::shapes::ErrorShape;
use crate::domain::code::Code;
use crate::runtime::ports::BindError;

/// Why the listener did not start.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("TLS cannot be served: {0}")]
    Tls(#[from] TlsError),
    #[error("the token file {} cannot be used: {source}", .path.display())]
    Token { path: PathBuf, source: io::Error },
    #[error("the listener cannot be used: {0}")]
    Listener(io::Error),
}

/// Why a viewer has no connection. The text depends on the way it took.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Over the network.
    #[error("transport error: {0}")]
    Network(String),
    /// Over the local socket.
    #[error("IPC error: {0}")]
    Local(String),
    /// The instance said no; its code and its words.
    #[error("{}", .0.message)]
    Refused(ErrorShape),
    /// Nobody vouches for the certificate that was shown.
    #[error(
        "transport error: the certificate of {authority} is not trusted; its fingerprint is {fingerprint}, and `tundra \
         status` there tells the right one"
    )]
    Untrusted {
        authority: String,
        fingerprint: String,
    },
    /// Another certificate is shown than the one that the user trusts.
    #[error(
        "transport error: the certificate of {authority} has CHANGED, so somebody may be in between: {fingerprint} instead of \
         {known}. If that is right, because it was made anew there (`tundra status` tells), take the line of {authority} out \
         of {}", .file.display()
    )]
    Changed {
        authority: String,
        fingerprint: String,
        known: String,
        file: PathBuf,
    },
}

impl From<&RemoteError> for Code {
    fn from(error: &RemoteError) -> Self {
        match error {
            RemoteError::Bind(error) => Self::from(error),
            RemoteError::Tls(_) | RemoteError::Token { .. } | RemoteError::Listener(_) => {
                Self::Internal
            }
        }
    }
}

impl From<&TransportError> for Code {
    fn from(error: &TransportError) -> Self {
        match error {
            TransportError::Network(_)
            | TransportError::Untrusted { .. }
            | TransportError::Changed { .. } => Self::Transport,
            TransportError::Local(_) => Self::Ipc,
            TransportError::Refused(error) => error.known_code(),
        }
    }
}
