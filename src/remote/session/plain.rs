//! The mode without a subprotocol: the terminal's bytes out, input in.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::connection::{CloseReason, Connection, MessageHandler, Sink, Stream, TERMINAL_ENDED};
use super::context::ViewerContext;
use super::flow::Flow;
use super::left_off::{LeftOff, Rejoined};
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::writer::{Access, Admission};
use crate::pane::{Attachment, Next, OutputCursor};
use crate::remote::viewer_socket::Tape;

/// Output in one frame: large enough that framing costs nothing.
const MAX_FRAME: usize = 64 * 1024;
/// The same for a client whose pongs tell how far it has read.
const MAX_ANSWERED: usize = 16 * 1024;

/// Attaches a client before its handshake is answered: this mode has no message that tells it when it is, so that it may
/// rely on it from then on. Whoever comes back for one that is about to leave waits for that one. None where the terminal
/// has ended.
pub(in crate::remote) async fn attach(viewer: &ViewerContext) -> Option<Attachment> {
    viewer.registry.leaving().until_left(viewer.pane.id()).await;
    let attachment = viewer.attach(viewer.access).ok()?;
    if viewer.access == Access::Full
        && let Some(former) = viewer.registry.take_cut_plain(&viewer.pane)
    {
        attachment.succeed(former);
    }
    Some(attachment)
}

/// Lets go of a client that vanished before its handshake was answered: the next one goes on where this one would have.
pub(in crate::remote) fn give_up(viewer: &ViewerContext, mut attachment: Attachment) {
    let left_off = attachment.left_off().map(|(seq, _)| seq);
    if viewer.access == Access::Full {
        viewer
            .registry
            .note_cut_plain(&viewer.pane, attachment.id());
    }
    viewer.leave(&mut attachment, left_off, &CloseReason::Lost);
}

/// Serves a socket that speaks this mode.
pub(super) async fn serve<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
    tape: Arc<Tape>,
    mut attachment: Attachment,
) -> (CloseReason, Option<LeftOff>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let resumed = resume(viewer, &attachment);
    run(sink, stream, viewer, tape, &mut attachment, resumed).await
}

/// Goes on with a socket that another program has left.
pub(super) async fn go_on<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
    tape: Arc<Tape>,
    mut rejoined: Rejoined,
) -> (CloseReason, Option<LeftOff>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let resumed = rejoined.next.and_then(|next| viewer.pane.output_from(next));
    run(
        sink,
        stream,
        viewer,
        tape,
        &mut rejoined.attachment,
        resumed,
    )
    .await
}

async fn run<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    viewer: &ViewerContext,
    tape: Arc<Tape>,
    attachment: &mut Attachment,
    resumed: Option<OutputCursor>,
) -> (CloseReason, Option<LeftOff>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connection, mut replies) = Connection::new(tape);
    // Known before anything is read: a client that closes at once has left off where the one before it did.
    if let Some(output) = &resumed {
        connection.set_written(output.next());
    }
    let flow = Flow::default();
    let (reason, _leaving) = {
        let mut incoming = Incoming {
            attachment,
            connection: &connection,
            flow: &flow,
        };
        let outgoing = Outgoing {
            sink,
            connection: &connection,
            flow: &flow,
            replies: &mut replies,
            viewer,
        };
        let writing = outgoing.run(resumed);
        // A client without a name cannot come a second time.
        let replaced = CancellationToken::new();
        viewer
            .run(&connection, stream, &mut incoming, writing, &replaced)
            .await
    };
    let mut left_off = None;
    if reason == CloseReason::GoesOver {
        connection.answer_all(sink, &mut replies).await;
        left_off = Some(LeftOff::of(attachment, &connection, None));
    }
    if reason.is_cut() && viewer.access == Access::Full {
        viewer
            .registry
            .note_cut_plain(&viewer.pane, attachment.id());
    }
    viewer.leave(attachment, connection.written(), &reason);
    (reason, left_off)
}

/// Goes on where the last viewer left off, within the grace and as far as the output is still there.
fn resume(viewer: &ViewerContext, attachment: &Attachment) -> Option<OutputCursor> {
    let grace = viewer.registry.options().reconnect_grace;
    let (seq, at) = attachment.left_off()?;
    (at.elapsed() < grace)
        .then(|| viewer.pane.output_from(seq))
        .flatten()
}

/// The way out to one client.
///
/// A plain client acknowledges nothing, but a WebSocket answers pings in the order of what came before them (RFC 6455
/// 5.5.3). So a ping with a number follows output, and a client that has ever answered one gets no more than a window
/// ahead of its answers. Else a kernel would take megabytes for it that are stale by the time they are read.
struct Outgoing<'s, S> {
    sink: &'s mut Sink<S>,
    connection: &'s Connection,
    flow: &'s Flow,
    replies: &'s mut mpsc::Receiver<Message>,
    viewer: &'s ViewerContext,
}

impl<S> Outgoing<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn run(mut self, resumed: Option<OutputCursor>) -> CloseReason {
        match self.stream(resumed).await {
            Ok(reason) | Err(reason) => reason,
        }
    }

    async fn stream(&mut self, resumed: Option<OutputCursor>) -> Result<CloseReason, CloseReason> {
        // What another program had under way for this socket goes first.
        self.connection.flush(self.sink).await?;
        let mut output = match resumed {
            Some(output) => output,
            None => self.paint().await?,
        };
        self.flow.begin(output.next());
        let mut buffer = Vec::new();
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.connection.send(self.sink, reply).await?;
            }
            let acked = self.flow.now();
            let window = acked.window();
            if window.is_some_and(|window| acked.unacked() >= window) {
                self.wait(None).await?;
                continue;
            }
            if let Some(pause) = self.viewer.send_delay(&output) {
                sleep(pause).await;
                continue;
            }
            let most = window.map_or(MAX_FRAME, |_| MAX_ANSWERED);
            match output.take(most, &mut buffer) {
                Next::Bytes => {
                    let frame = Bytes::from(std::mem::take(&mut buffer));
                    self.send(frame, output.next()).await?;
                }
                // A plain client knows of no size but its own; the program paints for the new one.
                Next::Keyframe(_) => {}
                Next::Behind => {
                    let Some(keyframe) = output.keyframe(0).await else {
                        return Ok(self.viewer.terminal_ended().await);
                    };
                    self.flow.skipped(keyframe.seq);
                    self.send(keyframe.bytes.clone(), keyframe.seq).await?;
                }
                Next::End => return Ok(self.viewer.terminal_ended().await),
                Next::Nothing => self.wait(Some(&mut output)).await?,
            }
        }
    }

    /// Sends what ends before the byte of number `next`, and asks to be told when it has been read.
    async fn send(&mut self, frame: Bytes, next: u64) -> Result<(), CloseReason> {
        self.viewer.count_sent(frame.len());
        self.flow.sent(next);
        self.connection.send_output(self.sink, frame, next).await?;
        let ping = Bytes::copy_from_slice(&next.to_be_bytes());
        self.connection.send(self.sink, Message::Ping(ping)).await
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, output: Option<&mut OutputCursor>) -> Result<(), CloseReason> {
        let more = async {
            match output {
                Some(output) => output.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reply = self.replies.recv() => match reply {
                Some(reply) => self.connection.send(self.sink, reply).await,
                None => Ok(()),
            },
            () = self.flow.changed.notified() => Ok(()),
            () = more => Ok(()),
        }
    }

    /// Paints the present screen.
    async fn paint(&mut self) -> Result<OutputCursor, CloseReason> {
        let (keyframe, output) = self
            .viewer
            .pane
            .output(0)
            .await
            .map_err(|_| TERMINAL_ENDED)?;
        self.connection
            .send_output(self.sink, keyframe.bytes.clone(), keyframe.seq)
            .await?;
        Ok(output)
    }
}

/// Whether a text is a JSON object with a type, and so never input.
fn is_message(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        _type: String,
    }
    text.trim_start().starts_with('{') && serde_json::from_str::<Typed>(text).is_ok()
}

struct Incoming<'s> {
    attachment: &'s Attachment,
    connection: &'s Connection,
    flow: &'s Flow,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    Input { data: String },
    Resize { cols: u16, rows: u16 },
    Ping,
    Take,
}

impl Incoming<'_> {
    async fn input(&self, input: Input) -> Result<(), CloseReason> {
        self.connection
            .input(|| self.attachment.try_input(input.clone()))
            .await
            .map(|_: Option<Admission>| ())
    }
}

impl MessageHandler for Incoming<'_> {
    fn on_pong(&mut self, payload: &[u8]) {
        // A heartbeat's is empty, and an unasked one may hold anything.
        if let Ok(number) = payload.try_into() {
            self.flow.ack(u64::from_be_bytes(number));
        }
    }

    async fn on_binary(&mut self, bytes: Bytes) -> Result<(), CloseReason> {
        self.input(Input::Bytes(bytes.to_vec())).await
    }

    async fn on_text(&mut self, text: &str) -> Result<(), CloseReason> {
        if !is_message(text) {
            return self.input(Input::Text(text.to_owned())).await;
        }
        match serde_json::from_str(text) {
            Ok(Request::Input { data }) => self.input(Input::Text(data)).await,
            Ok(Request::Resize { cols, rows }) => {
                if cols > 0 && rows > 0 {
                    self.attachment.resize(Size::clamped(cols, rows));
                }
                Ok(())
            }
            Ok(Request::Ping) => {
                let pong = Message::text(r#"{"type":"pong"}"#);
                self.connection.reply(pong).await;
                Ok(())
            }
            Ok(Request::Take) => {
                self.attachment.take();
                Ok(())
            }
            // An object of another type is not input, and not for this server.
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_with_a_type_are_messages() {
        for (text, message) in [
            (r#"{"type":"ping"}"#, true),
            (r#" {"type":"something else","x":1}"#, true),
            (r#"{"name":"pasted"}"#, false),
            (r#"{"type":1}"#, false),
            (r#"{"type":"ping"} and more"#, false),
            ("[1]", false),
            ("ls\r", false),
        ] {
            assert_eq!(is_message(text), message, "{text}");
        }
    }
}
