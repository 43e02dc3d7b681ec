//! What a session leaves of itself for another program, and what is made of it there.

use std::os::fd::OwnedFd;

use super::connection::Connection;
use crate::domain::id::TerminalId;
use crate::domain::writer::{Access, ViewerId};
use crate::pane::Attachment;
use crate::remote::viewer_socket::UnderWay;

/// Where a session was when it was left.
#[derive(Debug)]
pub(in crate::remote) struct LeftOff {
    pub viewer: ViewerId,
    pub access: Access,
    /// The number after the last byte that the client was sent; None before anything was.
    pub next: Option<u64>,
    /// The client's name; None for one that speaks plainly.
    pub client: Option<String>,
}

/// A socket that goes over, with its session.
#[derive(Debug)]
pub(in crate::remote) struct LeftSocket {
    pub terminal: TerminalId,
    pub descriptor: OwnedFd,
    pub is_local: bool,
    pub left_off: LeftOff,
    pub under_way: UnderWay,
}

/// A viewer that is attached again, as the one it was.
#[derive(Debug)]
pub(super) struct Rejoined {
    pub attachment: Attachment,
    /// The number after the last byte that it was sent; None before anything was.
    pub next: Option<u64>,
}

impl LeftOff {
    pub(super) fn of(
        attachment: &Attachment,
        connection: &Connection,
        client: Option<String>,
    ) -> Self {
        Self {
            viewer: attachment.id(),
            access: attachment.access(),
            next: connection.written(),
            client,
        }
    }
}
