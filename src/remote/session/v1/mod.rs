//! The subprotocol `tundra.v1`; see [`crate::remote::protocol`].

mod handshake;
mod incoming;
mod outgoing;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use self::handshake::handshake;
use self::incoming::Incoming;
use self::outgoing::Outgoing;
use super::connection::{CloseReason, Connection, REPLACED, Sink, Stream};
use super::context::ViewerContext;
use super::flow::Flow;
use crate::domain::writer::Access;

/// Serves a socket that speaks this mode.
pub(super) async fn serve<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
) -> CloseReason
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connection, replies) = Connection::new();
    let attach = match handshake(sink, stream, &connection, viewer).await {
        Ok(attach) => attach,
        Err(reason) => return reason,
    };
    let access = match viewer.access {
        Access::Full if !attach.read_only => Access::Full,
        _ => Access::ReadOnly,
    };
    let mut attachment = match viewer.attach(access) {
        Ok(attachment) => attachment,
        Err(reason) => return reason,
    };
    let replaced = CancellationToken::new();
    let client = viewer.registry.client(&viewer.pane, &attach.client);
    if !client.claim(&attachment, &replaced, attach.attempt) {
        viewer.leave(&mut attachment, None, &REPLACED);
        return REPLACED;
    }
    let flow = Flow::default();
    let (reason, _leaving) = {
        let mut incoming = Incoming {
            attachment: &attachment,
            connection: &connection,
            flow: &flow,
            client: &client,
        };
        let outgoing = Outgoing {
            sink,
            connection: &connection,
            flow: &flow,
            attachment: &attachment,
            viewer,
            replies,
            writer: viewer.pane.writer(),
            client: &client,
            last_sent: None,
        };
        let writing = outgoing.run(&attach);
        viewer
            .run(&connection, stream, &mut incoming, writing, &replaced)
            .await
    };
    viewer.leave(&mut attachment, None, &reason);
    reason
}
