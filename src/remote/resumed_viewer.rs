//! Viewers on their way from one program to the next, with their sockets.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::{TcpStream, UnixStream};
use tracing::{info, warn};

use super::kept::KeptViewer;
use super::service::{Peer, Service};
use super::session::{self, LeftOff, LeftSocket, Mode, ViewerContext};
use super::viewer_socket::{UnderWay, ViewerSocket, Wire};
use crate::domain::writer::{Access, ViewerId};
use crate::pane::PaneHandle;
use crate::runtime::handover::{self, Incoming, Outgoing};

/// A viewer that another program has left, with its socket.
pub struct ResumedViewer {
    terminal: String,
    peer: Peer,
    socket: ViewerSocket<Wire>,
    left_off: LeftOff,
}

/// Keeps the sockets that were left.
pub(super) fn keep(left: Vec<LeftSocket>, out: &mut Outgoing) -> Vec<KeptViewer> {
    let keep = |socket: LeftSocket| {
        let LeftOff {
            viewer,
            access,
            next,
            client,
        } = socket.left_off;
        KeptViewer {
            socket: Some(out.descriptor(socket.descriptor)),
            is_local: socket.is_local,
            terminal: socket.terminal.to_string(),
            viewer: viewer.number(),
            read_only: access == Access::ReadOnly,
            next,
            client,
            read: out.bytes(&socket.under_way.read),
            unsent: out.bytes(&socket.under_way.unsent),
        }
    };
    left.into_iter().map(keep).collect()
}

impl ResumedViewer {
    /// None where its socket did not come over. Must be called within the runtime.
    pub(super) fn of(kept: &KeptViewer, incoming: &mut Incoming) -> Option<Self> {
        let (wire, peer) = wire_of(incoming.descriptor(kept.socket?)?, kept.is_local)?;
        let bytes = |bytes| Bytes::copy_from_slice(incoming.bytes(bytes));
        let under_way = UnderWay {
            read: bytes(kept.read),
            unsent: bytes(kept.unsent),
        };
        let access = if kept.read_only {
            Access::ReadOnly
        } else {
            Access::Full
        };
        Some(Self {
            terminal: kept.terminal.clone(),
            peer,
            socket: ViewerSocket::resume(wire, &under_way),
            left_off: LeftOff {
                viewer: ViewerId::from_number(kept.viewer),
                access,
                next: kept.next,
                client: kept.client.clone(),
            },
        })
    }

    /// Whether it is that terminal's.
    pub(super) fn is_at(&self, terminal: &str) -> bool {
        self.terminal == terminal
    }

    /// Takes the viewer in again, and serves its socket once all may go on. It is closed where there is no such terminal any more.
    pub(super) fn go_on(self, service: &Arc<Service>, panes: &[PaneHandle]) {
        let Self {
            terminal,
            peer,
            socket,
            left_off,
        } = self;
        let pane = panes.iter().find(|pane| pane.id().to_string() == terminal);
        let (Some(pane), Ok(permit)) = (pane, service.registry.admit()) else {
            warn!(terminal, %peer, "a viewer that came over has no place");
            return;
        };
        let mode = match left_off.client {
            Some(_) => Mode::V1,
            None => Mode::Plain,
        };
        let viewer = ViewerContext::new(service, pane.clone(), permit, left_off.access, peer);
        info!(terminal, %peer, ?mode, "viewer goes on");
        if let Some(session) = session::go_on(socket, viewer, left_off) {
            service.registry.tasks().spawn("session", async move {
                handover::arrived().await;
                Box::pin(session).await;
            });
        }
    }
}

fn wire_of(descriptor: OwnedFd, is_local: bool) -> Option<(Wire, Peer)> {
    if is_local {
        let stream = UnixStream::from_std(descriptor.into()).ok()?;
        return Some((Wire::Local(stream), Peer::Local));
    }
    let stream = TcpStream::from_std(descriptor.into()).ok()?;
    // One whose peer has gone meanwhile has no address any more.
    let peer = stream.peer_addr().ok()?;
    Some((Wire::Network(stream), Peer::Network(peer)))
}
