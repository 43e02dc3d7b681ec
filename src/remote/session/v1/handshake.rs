//! The beginning: `hello`, and the client's `attach`.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::remote::protocol::{Notice, PROTOCOL, Request, close};
use crate::remote::session::connection::{
    CloseReason, Connection, MessageHandler, Sink, Stream, TUNDRA_ENDS, UPGRADE,
};
use crate::remote::session::context::ViewerContext;

/// For the client's first message.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(5);

/// What the client asked for in its first message.
pub(super) struct Attach {
    pub client: String,
    /// Counts the client's sockets.
    pub attempt: u64,
    /// Where output goes on; None for the present screen.
    pub next_seq: Option<u64>,
    pub read_only: bool,
}

/// Says hello and waits for the client's first message.
///
/// # Errors
/// How the socket is to be closed, when that message is none, malformed or late.
pub(super) async fn handshake<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    connection: &Connection,
    viewer: &ViewerContext,
) -> Result<Attach, CloseReason>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let facts = viewer.pane.info();
    let (ring_start, head) = viewer.pane.output_extent();
    let hello = Notice::Hello {
        protocol: PROTOCOL.to_owned(),
        epoch: viewer.registry.epoch().to_owned(),
        terminal: facts.id.to_string(),
        owner: facts.owner.name().to_owned(),
        cols: facts.size.cols(),
        rows: facts.size.rows(),
        ring_start,
        head,
    };
    connection.send(sink, hello.to_message()).await?;
    let mut first = First(None);
    let reason = tokio::select! {
        reason = timeout(ATTACH_TIMEOUT, connection.receive(stream, &mut first)) => reason,
        () = viewer.upgrade.cancelled() => return Err(UPGRADE),
        () = viewer.stop.cancelled() => return Err(TUNDRA_ENDS),
    };
    let Some(request) = first.0 else {
        return Err(reason.unwrap_or(CloseReason::server(
            close::PROTOCOL,
            "attach must come within 5 s",
        )));
    };
    let Request::Attach {
        client,
        attempt,
        epoch,
        next_seq,
        read_only,
    } = request
    else {
        return Err(CloseReason::server(
            close::PROTOCOL,
            "attach must come first",
        ));
    };
    let well_formed = (16..=64).contains(&client.len())
        && client
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !well_formed {
        return Err(CloseReason::server(close::PROTOCOL, "client is malformed"));
    }
    let same_epoch = epoch.as_deref() == Some(viewer.registry.epoch());
    Ok(Attach {
        client,
        attempt: attempt.unwrap_or(0),
        next_seq: next_seq.filter(|_| same_epoch),
        read_only,
    })
}

/// Takes the first message and no more.
struct First(Option<Request>);

impl MessageHandler for First {
    async fn on_binary(&mut self, _: Bytes) -> Result<(), CloseReason> {
        Err(CloseReason::server(
            close::PROTOCOL,
            "attach must come first",
        ))
    }

    async fn on_text(&mut self, text: &str) -> Result<(), CloseReason> {
        let request = serde_json::from_str(text)
            .map_err(|_| CloseReason::server(close::PROTOCOL, "attach must come first"))?;
        self.0 = Some(request);
        // Ends this reading, not the session.
        Err(CloseReason::Client)
    }
}
