//! The mode without a subprotocol: the terminal's bytes out, input in.

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::flow::Flow;
use super::protocol::close;
use super::session::{self, End, Pulse, Receive, Sink, Stream, Visit};
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::pane::{Admission, Attachment, Next, OutputCursor};

/// Output in one frame: large enough that framing costs nothing.
const MAX_FRAME: usize = 64 * 1024;
/// The same for a client whose pongs tell how far it has read.
const MAX_ANSWERED: usize = 16 * 1024;

pub(super) async fn attend<S>(sink: &mut Sink<S>, stream: &mut Stream<S>, visit: &Visit) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut seat) = visit.pane.attach(visit.access) else {
        return session::TERMINAL_ENDED;
    };
    session::log_seat(visit, &seat);
    let (pulse, replies) = Pulse::new();
    let flow = Flow::default();
    let end = {
        let mut receiver = Plain {
            seat: &seat,
            pulse: &pulse,
            flow: &flow,
        };
        let reading = pulse.receive(stream, &mut receiver);
        let writing = Writing {
            sink,
            pulse: &pulse,
            flow: &flow,
            replies,
            visit,
        };
        let writing = writing.run(&seat);
        tokio::pin!(writing);
        let end = tokio::select! {
            end = reading => end,
            end = &mut writing => end,
            end = pulse.keep_time(visit) => end,
            () = visit.stop.cancelled() => End::close(close::GOING_AWAY, "tundra ends"),
        };
        pulse.finish(writing).await;
        end
    };
    session::leave(visit, &mut seat, Some(pulse.handed()), &end);
    end
}

/// The way out to one client.
///
/// A plain client acknowledges nothing, but a WebSocket answers pings in the order of what came before them (RFC 6455
/// 5.5.3). So a ping with a number follows output, and a client that has ever answered one gets no more than a window
/// ahead of its answers. Else a kernel would take megabytes for it that are stale by the time they are read.
struct Writing<'s, S> {
    sink: &'s mut Sink<S>,
    pulse: &'s Pulse,
    flow: &'s Flow,
    replies: mpsc::Receiver<Message>,
    visit: &'s Visit,
}

impl<S> Writing<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn run(mut self, seat: &Attachment) -> End {
        match self.stream(seat).await {
            Ok(end) | Err(end) => end,
        }
    }

    async fn stream(&mut self, seat: &Attachment) -> Result<End, End> {
        let mut output = self.begin(seat).await?;
        self.flow.begin(output.next());
        let mut buffer = Vec::new();
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.pulse.send(self.sink, reply).await?;
            }
            let acked = self.flow.now();
            let window = acked.window();
            if window.is_some_and(|window| acked.unacked() >= window) {
                self.wait(None).await?;
                continue;
            }
            if let Some(pause) = session::turn(self.visit, &output) {
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
                        return Ok(session::ended(self.visit).await);
                    };
                    self.flow.skipped(keyframe.seq);
                    self.send(keyframe.bytes.clone(), keyframe.seq).await?;
                }
                Next::End => return Ok(session::ended(self.visit).await),
                Next::Nothing => self.wait(Some(&mut output)).await?,
            }
        }
    }

    /// Sends what ends before the byte of number `next`, and asks to be told when it has been read.
    async fn send(&mut self, frame: Bytes, next: u64) -> Result<(), End> {
        session::spend(self.visit, frame.len());
        self.flow.sent(next);
        self.pulse.send_output(self.sink, frame, next).await?;
        let ping = Bytes::copy_from_slice(&next.to_be_bytes());
        self.pulse.send(self.sink, Message::Ping(ping)).await
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, output: Option<&mut OutputCursor>) -> Result<(), End> {
        let more = async {
            match output {
                Some(output) => output.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            reply = self.replies.recv() => match reply {
                Some(reply) => self.pulse.send(self.sink, reply).await,
                None => Ok(()),
            },
            () = self.flow.changed.notified() => Ok(()),
            () = more => Ok(()),
        }
    }

    /// Goes on where the last viewer left off within the grace; else paints the present screen.
    async fn begin(&mut self, seat: &Attachment) -> Result<OutputCursor, End> {
        let grace = self.visit.hub.options().reconnect_grace;
        let left_off = seat.left_off().filter(|(_, at)| at.elapsed() < grace);
        if let Some((seq, _)) = left_off
            && let Some(output) = self.visit.pane.output_from(seq)
        {
            self.pulse.set_handed(seq);
            return Ok(output);
        }
        let (keyframe, output) = self
            .visit
            .pane
            .output(0)
            .await
            .map_err(|_| session::TERMINAL_ENDED)?;
        self.pulse
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

struct Plain<'s> {
    seat: &'s Attachment,
    pulse: &'s Pulse,
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

impl Plain<'_> {
    async fn type_in(&self, input: Input) -> Result<(), End> {
        self.pulse
            .type_in(|| self.seat.try_input(input.clone()))
            .await
            .map(|_: Option<Admission>| ())
    }
}

impl Receive for Plain<'_> {
    fn pong(&mut self, payload: &[u8]) {
        // A heartbeat's is empty, and an unasked one may hold anything.
        if let Ok(number) = payload.try_into() {
            self.flow.ack(u64::from_be_bytes(number));
        }
    }

    async fn binary(&mut self, bytes: Bytes) -> Result<(), End> {
        self.type_in(Input::Bytes(bytes.to_vec())).await
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        if !is_message(text) {
            return self.type_in(Input::Text(text.to_owned())).await;
        }
        match serde_json::from_str(text) {
            Ok(Request::Input { data }) => self.type_in(Input::Text(data)).await,
            Ok(Request::Resize { cols, rows }) => {
                if cols > 0 && rows > 0 {
                    self.seat.resize(Size::clamped(cols, rows));
                }
                Ok(())
            }
            Ok(Request::Ping) => {
                let pong = Message::text(r#"{"type":"pong"}"#);
                self.pulse.reply(pong).await;
                Ok(())
            }
            Ok(Request::Take) => {
                self.seat.take();
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
