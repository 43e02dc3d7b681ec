//! The subprotocol `tundra.v1`; see [`crate::remote::protocol`].

mod handshake;
mod incoming;
mod outgoing;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use self::handshake::handshake;
use self::incoming::Incoming;
use self::outgoing::{Beginning, Outgoing};
use super::client::Client;
use super::connection::{CloseReason, Connection, REPLACED, Sink, Stream};
use super::context::ViewerContext;
use super::flow::Flow;
use super::left_off::{LeftOff, Rejoined};
use crate::domain::writer::Access;
use crate::pane::Attachment;
use crate::remote::viewer_socket::Tape;

/// Serves a socket that speaks this mode.
pub(super) async fn serve<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
    tape: Arc<Tape>,
) -> (CloseReason, Option<LeftOff>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connection, replies) = Connection::new(tape);
    let attach = match handshake(sink, stream, &connection, viewer).await {
        Ok(attach) => attach,
        Err(reason) => return (reason, None),
    };
    let access = match viewer.access {
        Access::Full if !attach.read_only => Access::Full,
        _ => Access::ReadOnly,
    };
    let mut attachment = match viewer.attach(access) {
        Ok(attachment) => attachment,
        Err(reason) => return (reason, None),
    };
    let replaced = CancellationToken::new();
    let client = viewer.registry.client(&viewer.pane, &attach.client);
    if !client.claim(&attachment, &replaced, attach.attempt) {
        viewer.leave(&mut attachment, None, &REPLACED);
        return (REPLACED, None);
    }
    let session = Session {
        viewer,
        connection,
        replies,
        attachment,
        client,
        replaced,
    };
    session
        .run(sink, stream, Beginning::Attach(attach.next_seq))
        .await
}

/// Goes on with a socket that another program has left.
pub(super) async fn go_on<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
    tape: Arc<Tape>,
    rejoined: Rejoined,
    client: &str,
) -> (CloseReason, Option<LeftOff>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connection, replies) = Connection::new(tape);
    let replaced = CancellationToken::new();
    let client = viewer.registry.client(&viewer.pane, client);
    client.rejoin(&rejoined.attachment, &replaced);
    let session = Session {
        viewer,
        connection,
        replies,
        attachment: rejoined.attachment,
        client,
        replaced,
    };
    session
        .run(sink, stream, Beginning::GoOn(rejoined.next))
        .await
}

/// A client that is attached.
struct Session<'s> {
    viewer: &'s ViewerContext,
    connection: Connection,
    replies: mpsc::Receiver<Message>,
    attachment: Attachment,
    client: Arc<Client>,
    /// Cancelled when another socket of the client takes this one's place.
    replaced: CancellationToken,
}

impl Session<'_> {
    async fn run<S>(
        mut self,
        sink: &mut Sink<S>,
        stream: &mut Stream<S>,
        beginning: Beginning,
    ) -> (CloseReason, Option<LeftOff>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let viewer = self.viewer;
        let flow = Flow::default();
        let (reason, _leaving) = {
            let mut incoming = Incoming {
                attachment: &self.attachment,
                connection: &self.connection,
                flow: &flow,
                client: &self.client,
            };
            let outgoing = Outgoing {
                sink,
                connection: &self.connection,
                flow: &flow,
                attachment: &self.attachment,
                viewer,
                replies: &mut self.replies,
                writer: viewer.pane.writer(),
                client: &self.client,
                last_sent: None,
            };
            let writing = outgoing.run(beginning);
            viewer
                .run(
                    &self.connection,
                    stream,
                    &mut incoming,
                    writing,
                    &self.replaced,
                )
                .await
        };
        let mut left_off = None;
        if reason == CloseReason::GoesOver {
            self.connection.answer_all(sink, &mut self.replies).await;
            let client = Some(self.client.name().to_owned());
            left_off = Some(LeftOff::of(&self.attachment, &self.connection, client));
        }
        viewer.leave(&mut self.attachment, None, &reason);
        (reason, left_off)
    }
}
