//! The socket and its connections on their way from one program to the next.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use bytes::Bytes;
use tokio::net::UnixStream;

use crate::control::kept::{KeptConnection, KeptControl};
use crate::runtime::dial::LocalListener;
use crate::runtime::handover::{Incoming, KeptBytes, Outgoing};

/// What is left once nothing is being answered any more.
#[derive(Debug)]
pub struct FrozenControl {
    pub(super) listener: LocalListener,
    pub(super) connections: Vec<FrozenConnection>,
}

/// A connection between two lines.
#[derive(Debug)]
pub(super) struct FrozenConnection {
    pub stream: UnixStream,
    /// What has been read of the next line.
    pub read: Bytes,
    /// Descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
    pub pending: Pending,
}

/// What a client still waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    Nothing,
    /// The answer to this line.
    Request(Bytes),
    /// The rest of an answer that it takes its time to read.
    Answer(Bytes),
    /// That this very change of programs has come out well.
    Upgrade,
}

impl FrozenControl {
    /// Keeps all of it.
    ///
    /// # Errors
    /// Where there is no descriptor left.
    pub fn keep(self, out: &mut Outgoing) -> io::Result<KeptControl> {
        let (listener, inode) = self.listener.leave()?;
        let mut kept = KeptControl {
            listener: Some(out.descriptor(listener)),
            inode,
            connections: Vec::new(),
        };
        for connection in self.connections {
            let Ok(stream) = connection.stream.into_std() else {
                continue;
            };
            let request = match &connection.pending {
                Pending::Request(line) => Some(String::from_utf8_lossy(line).into_owned()),
                Pending::Nothing | Pending::Answer(_) | Pending::Upgrade => None,
            };
            let answer = match &connection.pending {
                Pending::Answer(rest) => out.bytes(rest),
                Pending::Nothing | Pending::Request(_) | Pending::Upgrade => KeptBytes::default(),
            };
            kept.connections.push(KeptConnection {
                stream: out.descriptor(stream.into()),
                read: out.bytes(&connection.read),
                descriptors: connection
                    .descriptors
                    .into_iter()
                    .map(|descriptor| out.descriptor(descriptor))
                    .collect(),
                request,
                answer,
                upgrade: connection.pending == Pending::Upgrade,
            });
        }
        Ok(kept)
    }
}

impl KeptControl {
    /// The socket that was kept, bound at `path`; None where none was.
    pub fn resume_listener(&self, path: &Path, incoming: &mut Incoming) -> Option<LocalListener> {
        let listener = incoming.descriptor(self.listener?)?;
        LocalListener::resume(listener, path, self.inode).ok()
    }

    /// The connections that were kept. Must be called within the runtime.
    pub fn resume_connections(&self, incoming: &mut Incoming) -> Connections {
        let mut connections = Vec::new();
        for kept in &self.connections {
            let stream = incoming.descriptor(kept.stream);
            let stream = stream.map(std::os::unix::net::UnixStream::from);
            let Some(stream) = stream.and_then(|stream| UnixStream::from_std(stream).ok()) else {
                continue;
            };
            let pending = match &kept.request {
                _ if kept.upgrade => Pending::Upgrade,
                Some(line) => Pending::Request(Bytes::from(line.clone().into_bytes())),
                None if !kept.answer.is_empty() => {
                    Pending::Answer(Bytes::copy_from_slice(incoming.bytes(kept.answer)))
                }
                None => Pending::Nothing,
            };
            let descriptors = kept.descriptors.iter();
            connections.push(FrozenConnection {
                stream,
                descriptors: descriptors
                    .filter_map(|descriptor| incoming.descriptor(*descriptor))
                    .collect(),
                read: Bytes::copy_from_slice(incoming.bytes(kept.read)),
                pending,
            });
        }
        Connections(connections)
    }
}

/// Connections that another program has served.
#[derive(Debug, Default)]
pub struct Connections(pub(super) Vec<FrozenConnection>);
