//! What the server leaves to the program that goes on in this one's place.

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

use super::kept::KeptGateway;
use crate::runtime::handover::Incoming;

/// The sockets. Connections that nobody has accepted yet wait at the listener.
#[derive(Debug)]
pub struct FrozenFront {
    pub listener: TcpListener,
    /// Connections between two requests, each with what has been read of the next one.
    pub idle: Vec<(TcpStream, Bytes)>,
}

impl FrozenFront {
    /// The listener that another program kept; None where it did not listen. Must be called within the runtime.
    pub fn resume_listener(
        kept: &KeptGateway,
        incoming: &mut Incoming,
    ) -> Option<std::net::TcpListener> {
        let listener = incoming.descriptor(kept.listener?)?;
        Some(std::net::TcpListener::from(listener))
    }

    /// The connections that another program kept. Must be called within the runtime.
    pub fn resume_connections(
        kept: &KeptGateway,
        incoming: &mut Incoming,
    ) -> Vec<(TcpStream, Bytes)> {
        let mut idle = Vec::new();
        for connection in &kept.idle {
            let read = Bytes::copy_from_slice(incoming.bytes(connection.read));
            let stream = incoming.descriptor(connection.stream);
            let stream = stream.map(std::net::TcpStream::from);
            if let Some(stream) = stream.and_then(|stream| TcpStream::from_std(stream).ok()) {
                idle.push((stream, read));
            }
        }
        idle
    }
}
