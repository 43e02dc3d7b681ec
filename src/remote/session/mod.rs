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
mod plain;
mod registry;
mod send_rate;
mod v1;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tracing::info;

use connection::CloseReason;
pub(super) use context::{Mode, ViewerContext};
pub(super) use registry::ViewerRegistry;

/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);
/// What is read and dropped of a socket that is closed, so that nothing which was sent to it is lost.
const LINGER_BYTES: usize = 4 << 20;

/// Serves a socket until it ends.
pub(super) async fn serve<S>(socket: WebSocketStream<S>, viewer: ViewerContext)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (mut sink, mut stream) = socket.split();
    let id = viewer.pane.id();
    let reason = match viewer.mode {
        Mode::Plain => plain::serve(&mut sink, &mut stream, &viewer).await,
        Mode::V1 => v1::serve(&mut sink, &mut stream, &viewer).await,
    };
    info!(%id, peer = viewer.peer, ?reason, "viewer left");
    // The permit is given back before the client can know that it left.
    drop(viewer);
    if let Ok(socket) = sink.reunite(stream) {
        let _ = timeout(CLOSING, close(socket, reason)).await;
    }
}

/// Closes a socket in order, so that nothing which was sent to it is lost.
async fn close<S>(mut socket: WebSocketStream<S>, reason: CloseReason)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match reason {
        // The answer to the client's own close waits to be written.
        CloseReason::Client | CloseReason::Lost => {
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
