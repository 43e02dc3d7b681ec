//! One WebSocket at one terminal, from the end of its handshake until it is closed.
//!
//! A session is one task in which three things go on side by side: reading, writing and the clock. They share a
//! `Connection`; whichever comes to an end first says how the socket is closed. The two modes ([`plain`] and [`v1`])
//! differ in what they make of a message and in what they send; all else is here.

mod client;
mod connection;
mod context;
mod flow;
mod leaving;
mod left_off;
pub(super) mod plain;
mod registry;
mod send_rate;
mod v1;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tracing::{info, warn};

use super::protocol::socket_config;
use super::viewer_socket::{Tape, ViewerSocket, Wire};
use crate::pane::Attachment;
use connection::{CloseReason, Sink, Stream};
pub(super) use context::{Mode, ViewerContext};
use left_off::Rejoined;
pub(super) use left_off::{LeftOff, LeftSocket};
pub(super) use registry::ViewerRegistry;

type OwnSink = Sink<ViewerSocket<Wire>>;
type OwnStream = Stream<ViewerSocket<Wire>>;

/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);
/// What is read and dropped of a socket that is closed, so that nothing which was sent to it is lost.
const LINGER_BYTES: usize = 4 << 20;

/// Serves a socket until it ends; one that speaks plainly is attached already.
pub(super) async fn serve(
    socket: ViewerSocket<Wire>,
    viewer: ViewerContext,
    plain: Option<Attachment>,
) {
    let descriptor = socket.descriptor();
    let (mut sink, mut stream, tape) = split(socket).await;
    let (reason, left_off) = {
        let leaving = viewer.registry.leaving();
        let _attached = descriptor.map(|descriptor| leaving.watch(viewer.pane.id(), descriptor));
        let (sent, read, own) = (&mut sink, &mut stream, Arc::clone(&tape));
        match plain {
            Some(attachment) => plain::serve(sent, read, &viewer, own, attachment).await,
            None => v1::serve(sent, read, &viewer, own).await,
        }
    };
    end(sink, stream, viewer, (reason, left_off), &tape).await;
}

/// Takes a viewer in again that another program has left, and answers what serves its socket until it ends. None where its
/// terminal has ended.
pub(super) fn go_on(
    socket: ViewerSocket<Wire>,
    viewer: ViewerContext,
    left_off: LeftOff,
) -> Option<impl Future<Output = ()> + Send> {
    let LeftOff {
        viewer: id,
        access,
        next,
        client,
    } = left_off;
    let attachment = viewer.pane.rejoin(id, access).ok()?;
    viewer.registry.has_rejoined(&viewer.pane, id);
    let rejoined = Rejoined { attachment, next };
    Some(async move {
        let descriptor = socket.descriptor();
        let (mut sink, mut stream, tape) = split(socket).await;
        let (sent, read, own) = (&mut sink, &mut stream, Arc::clone(&tape));
        let ended = {
            let leaving = viewer.registry.leaving();
            let _attached =
                descriptor.map(|descriptor| leaving.watch(viewer.pane.id(), descriptor));
            match client {
                Some(client) => v1::go_on(sent, read, &viewer, own, rejoined, &client).await,
                None => plain::go_on(sent, read, &viewer, own, rejoined).await,
            }
        };
        end(sink, stream, viewer, ended, &tape).await;
    })
}

async fn split(socket: ViewerSocket<Wire>) -> (OwnSink, OwnStream, Arc<Tape>) {
    let tape = socket.tape();
    let socket = WebSocketStream::from_raw_socket(socket, Role::Server, Some(socket_config()));
    let (sink, stream) = socket.await.split();
    (sink, stream, tape)
}

/// Closes a socket, or leaves it to the program that goes on with it.
async fn end(
    sink: OwnSink,
    stream: OwnStream,
    viewer: ViewerContext,
    (reason, left_off): (CloseReason, Option<LeftOff>),
    tape: &Tape,
) {
    let id = viewer.pane.id();
    info!(%id, peer = viewer.peer, ?reason, "viewer left");
    let Ok(socket) = sink.reunite(stream) else {
        return;
    };
    if let Some(left_off) = left_off {
        if let Some(descriptor) = socket.get_ref().descriptor() {
            viewer.registry.leave_socket(LeftSocket {
                terminal: id,
                descriptor,
                is_local: socket.get_ref().is_local(),
                left_off,
                under_way: tape.take(),
            });
        } else {
            warn!(%id, "a viewer's socket does not go over");
        }
        return;
    }
    // The permit is given back before the client can know that it left.
    drop(viewer);
    let _ = timeout(CLOSING, close(socket, reason)).await;
}

/// Closes a socket in order, so that nothing which was sent to it is lost.
async fn close<S>(mut socket: WebSocketStream<S>, reason: CloseReason)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match reason {
        // The answer to the client's own close waits to be written.
        CloseReason::Client | CloseReason::Lost | CloseReason::GoesOver => {
            let _ = socket.flush().await;
        }
        CloseReason::Server { code, reason } => {
            let frame = CloseFrame {
                code: code.into(),
                reason: reason.into(),
            };
            if socket.close(Some(frame)).await.is_ok() {
                // Until the client has answered, or its side ends.
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_close() {
                        break;
                    }
                }
            }
        }
    }
    let raw = socket.get_mut();
    if raw.shutdown().await.is_err() {
        return;
    }
    // What still comes, a pong for one, must not be answered by a reset: that would take from the client what it has
    // not yet read.
    let mut buffer = vec![0; 16 * 1024];
    let mut left = LINGER_BYTES;
    while let Ok(count @ 1..) = raw.read(&mut buffer).await {
        left = left.saturating_sub(count);
        if left == 0 {
            return;
        }
    }
}
