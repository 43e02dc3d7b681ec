//! The mode without a subprotocol: the terminal's bytes out, input in.

use bytes::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::protocol::close;
use super::session::{self, End, Pulse, Receive, Sink, Stream, Visit};
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::pane::{Next, Output, Seat, Taken};

/// Output in one frame: large enough that framing costs nothing.
const MAX_FRAME: usize = 64 * 1024;

pub(super) async fn attend<S>(sink: &mut Sink<S>, stream: &mut Stream<S>, visit: &Visit) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut seat) = visit.pane.attach(visit.access) else {
        return session::TERMINAL_ENDED;
    };
    session::log_seat(visit, &seat);
    let (pulse, replies) = Pulse::new();
    let end = {
        let mut receiver = Plain {
            seat: &seat,
            pulse: &pulse,
        };
        let reading = pulse.receive(stream, &mut receiver);
        let writing = write(sink, &pulse, replies, visit, &seat);
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

async fn write<S>(
    sink: &mut Sink<S>,
    pulse: &Pulse,
    mut replies: mpsc::Receiver<Message>,
    visit: &Visit,
    seat: &Seat,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut output = match begin(sink, pulse, visit, seat).await {
        Ok(output) => output,
        Err(end) => return end,
    };
    let mut buffer = Vec::new();
    loop {
        let wrote = match output.take(MAX_FRAME, &mut buffer) {
            Next::Bytes => {
                let frame = Bytes::from(std::mem::take(&mut buffer));
                pulse.send_output(sink, frame, output.next()).await
            }
            // A plain client knows of no size but its own; the program paints for the new one.
            Next::Turn(_) => continue,
            Next::Behind => match output.keyframe(0).await {
                Some(keyframe) => {
                    pulse
                        .send_output(sink, keyframe.bytes.clone(), keyframe.seq)
                        .await
                }
                None => return session::ended(visit).await,
            },
            Next::End => return session::ended(visit).await,
            Next::Nothing => {
                tokio::select! {
                    reply = replies.recv() => match reply {
                        Some(reply) => pulse.send(sink, reply).await,
                        None => Ok(()),
                    },
                    () = output.changed() => Ok(()),
                }
            }
        };
        if let Err(end) = wrote {
            return end;
        }
        while let Ok(reply) = replies.try_recv() {
            if let Err(end) = pulse.send(sink, reply).await {
                return end;
            }
        }
    }
}

/// Goes on where the last viewer left off within the grace; else paints the present screen.
async fn begin<S>(
    sink: &mut Sink<S>,
    pulse: &Pulse,
    visit: &Visit,
    seat: &Seat,
) -> Result<Output, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let grace = visit.hub.options().reconnect_grace;
    let left_off = seat.left_off().filter(|(_, at)| at.elapsed() < grace);
    if let Some((seq, _)) = left_off
        && let Some(output) = visit.pane.output_from(seq)
    {
        pulse.set_handed(seq);
        return Ok(output);
    }
    let (keyframe, output) = visit
        .pane
        .output(0)
        .await
        .map_err(|_| session::TERMINAL_ENDED)?;
    pulse
        .send_output(sink, keyframe.bytes.clone(), keyframe.seq)
        .await?;
    Ok(output)
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
    seat: &'s Seat,
    pulse: &'s Pulse,
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
            .type_in(|| session::typed(self.seat, &input))
            .await
            .map(|_: Option<Taken>| ())
    }
}

impl Receive for Plain<'_> {
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
