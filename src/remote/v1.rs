//! The subprotocol `tundra.v1`; see [`super::protocol`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::flow::Flow;
use super::hub::{Client, Once};
use super::protocol::{
    ACK_PATIENCE, MAX_OUTPUT, Notice, PROTOCOL, Request, Role, STALL, ToClient, ToServer, WINDOW,
    WriterName, close, output_head,
};
use super::session::{self, End, Pulse, Receive, Sink, Stream, Visit};
use crate::domain::code::Code;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::Exit;
use crate::pane::{Access, Admission, Attachment, Keyframe, Next, OutputCursor, Writer};

/// For the client's first message.
const ATTACH_PATIENCE: Duration = Duration::from_secs(5);
/// Rows of history with the first snapshot: what a person may want to scroll back to at once.
const FIRST_HISTORY: usize = 1000;
/// Rows of history with a snapshot for one who has fallen behind, which must stay small.
const BEHIND_HISTORY: usize = 100;
/// A client that stalled and has less than this to read does so; more is skipped by a snapshot.
const CATCH_UP: u64 = 64 * 1024;
/// Output that follows other output this soon is sent with what comes after it.
const COALESCE: Duration = Duration::from_millis(4);

const REPLACED: End = End::close(close::REPLACED, "another socket took this place");

pub(super) async fn attend<S>(sink: &mut Sink<S>, stream: &mut Stream<S>, visit: &Visit) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (pulse, replies) = Pulse::new();
    let attach = match greet(sink, stream, &pulse, visit).await {
        Ok(attach) => attach,
        Err(end) => return end,
    };
    let access = match visit.access {
        Access::Full if !attach.read_only => Access::Full,
        _ => Access::ReadOnly,
    };
    let Ok(mut seat) = visit.pane.attach(access) else {
        return session::TERMINAL_ENDED;
    };
    session::log_seat(visit, &seat);
    let session = CancellationToken::new();
    let client = visit.hub.client(&visit.pane, &attach.client);
    if !client.enter(&seat, &session, attach.attempt) {
        session::leave(visit, &mut seat, None, &REPLACED);
        return REPLACED;
    }
    let flow = Flow::default();
    let end = {
        let mut receiver = Receiver {
            seat: &seat,
            pulse: &pulse,
            flow: &flow,
            client: &client,
        };
        let reading = pulse.receive(stream, &mut receiver);
        let writing = Writing {
            sink,
            pulse: &pulse,
            flow: &flow,
            seat: &seat,
            visit,
            replies,
            writer: visit.pane.writer(),
            client: &client,
            last_sent: None,
        };
        let writing = writing.run(&attach);
        tokio::pin!(writing);
        let end = tokio::select! {
            end = reading => end,
            end = &mut writing => end,
            end = pulse.keep_time(visit) => end,
            () = session.cancelled() => REPLACED,
            () = visit.stop.cancelled() => End::close(close::GOING_AWAY, "tundra ends"),
        };
        pulse.finish(writing).await;
        end
    };
    session::leave(visit, &mut seat, None, &end);
    end
}

/// What the client asked for in its first message.
struct Attach {
    client: String,
    attempt: u64,
    next_seq: Option<u64>,
    read_only: bool,
}

async fn greet<S>(
    sink: &mut Sink<S>,
    stream: &mut Stream<S>,
    pulse: &Pulse,
    visit: &Visit,
) -> Result<Attach, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let facts = visit.pane.info();
    let (ring_start, head) = visit.pane.output_extent();
    let hello = Notice::Hello {
        protocol: PROTOCOL.to_owned(),
        epoch: visit.hub.epoch().to_owned(),
        terminal: facts.id.to_string(),
        owner: facts.owner.name().to_owned(),
        cols: facts.size.cols(),
        rows: facts.size.rows(),
        ring_start,
        head,
    };
    pulse.send(sink, notice(&hello)).await?;
    let mut first = First(None);
    let end = tokio::select! {
        end = timeout(ATTACH_PATIENCE, pulse.receive(stream, &mut first)) => end,
        () = visit.stop.cancelled() => return Err(End::close(close::GOING_AWAY, "tundra ends")),
    };
    let Some(request) = first.0 else {
        return Err(end.unwrap_or(End::close(close::PROTOCOL, "attach must come within 5 s")));
    };
    let Request::Attach {
        client,
        attempt,
        epoch,
        next_seq,
        read_only,
    } = request
    else {
        return Err(End::close(close::PROTOCOL, "attach must come first"));
    };
    let well_formed = (16..=64).contains(&client.len())
        && client
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !well_formed {
        return Err(End::close(close::PROTOCOL, "client is malformed"));
    }
    let same_epoch = epoch.as_deref() == Some(visit.hub.epoch());
    Ok(Attach {
        client,
        attempt: attempt.unwrap_or(0),
        next_seq: next_seq.filter(|_| same_epoch),
        read_only,
    })
}

/// Takes the first message and no more.
struct First(Option<Request>);

impl Receive for First {
    async fn binary(&mut self, _: Bytes) -> Result<(), End> {
        Err(End::close(close::PROTOCOL, "attach must come first"))
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        let request = serde_json::from_str(text)
            .map_err(|_| End::close(close::PROTOCOL, "attach must come first"))?;
        self.0 = Some(request);
        // Not an end of the session, but of this reading.
        Err(End::Peer)
    }
}

struct Receiver<'s> {
    seat: &'s Attachment,
    pulse: &'s Pulse,
    flow: &'s Flow,
    client: &'s Client,
}

impl Receiver<'_> {
    async fn type_in(&self, id: u64, input: Input) -> Result<(), End> {
        let taken = self
            .pulse
            .type_in(|| self.client.type_once(id, self.seat, || input.clone()))
            .await?;
        let typed = match taken {
            Some(Once::Taken(taken)) => taken == Admission::Accepted,
            Some(Once::Replaced) => return Err(REPLACED),
            Some(Once::Gap) => {
                return Err(End::close(close::PROTOCOL, "input ids count up by one"));
            }
            None => {
                self.client.pass_over(id);
                let told = Notice::Error {
                    code: Code::InputFull.as_str().to_owned(),
                    message: "the program does not read what is typed: this was dropped".to_owned(),
                };
                self.pulse.reply(notice(&told)).await;
                false
            }
        };
        let ack = Notice::InputAck { id, typed };
        self.pulse.reply(notice(&ack)).await;
        Ok(())
    }
}

impl Receive for Receiver<'_> {
    async fn binary(&mut self, bytes: Bytes) -> Result<(), End> {
        match ToServer::decode(&bytes) {
            Ok(ToServer::Ack { seq }) => {
                self.flow.ack(seq);
                Ok(())
            }
            Ok(ToServer::Input { id, bytes }) => {
                self.type_in(id, Input::Bytes(bytes.to_vec())).await
            }
            Ok(ToServer::Paste { id, text }) => self.type_in(id, Input::Paste(text)).await,
            Err(_) => Err(End::close(close::PROTOCOL, "malformed frame")),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        let request = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => {
                let told = Notice::Error {
                    code: Code::BadRequest.as_str().to_owned(),
                    message: error.to_string(),
                };
                self.pulse.reply(notice(&told)).await;
                return Ok(());
            }
        };
        match request {
            Request::Attach { .. } => {
                return Err(End::close(close::PROTOCOL, "attached already"));
            }
            Request::Resize { cols, rows } if cols > 0 && rows > 0 => {
                self.seat.resize(Size::clamped(cols, rows));
            }
            Request::Resize { .. } => {}
            Request::Take => {
                self.seat.take();
            }
            Request::Ping => self.pulse.reply(notice(&Notice::Pong)).await,
        }
        Ok(())
    }
}

/// The way out to one client.
struct Writing<'s, S> {
    sink: &'s mut Sink<S>,
    pulse: &'s Pulse,
    flow: &'s Flow,
    seat: &'s Attachment,
    visit: &'s Visit,
    replies: mpsc::Receiver<Message>,
    writer: watch::Receiver<Option<Writer>>,
    client: &'s Arc<Client>,
    last_sent: Option<Instant>,
}

impl<S> Writing<'_, S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn run(mut self, attach: &Attach) -> End {
        match self.stream(attach).await {
            Ok(()) => session::TERMINAL_ENDED,
            Err(end) => end,
        }
    }

    /// Sends everything until the terminal ends.
    async fn stream(&mut self, attach: &Attach) -> Result<(), End> {
        let mut output = self.begin(attach).await?;
        let mut stalled: Option<Instant> = None;
        let mut behind = false;
        loop {
            while let Ok(reply) = self.replies.try_recv() {
                self.pulse.send(self.sink, reply).await?;
            }
            let acked = self.flow.now();
            let waited = acked.waiting_since.map(|since| since + ACK_PATIENCE);
            if waited.is_some_and(|until| until <= Instant::now()) {
                return Err(End::close(
                    close::TRY_AGAIN,
                    "nothing was acknowledged for 30 s",
                ));
            }
            if acked.unacked() >= acked.window().unwrap_or(WINDOW) {
                let since = *stalled.get_or_insert_with(Instant::now);
                behind |= since.elapsed() >= STALL;
                let wake = if behind { waited } else { Some(since + STALL) };
                self.wait(None, wake).await?;
                continue;
            }
            stalled = None;
            if std::mem::take(&mut behind) && output.backlog() > CATCH_UP {
                self.catch_up(&mut output).await?;
                continue;
            }
            if let Some(pause) = session::turn(self.visit, &output) {
                self.wait(None, Some(Instant::now() + pause)).await?;
                continue;
            }
            let mut frame = Vec::with_capacity(64);
            output_head(output.next(), &mut frame);
            match output.take(MAX_OUTPUT, &mut frame) {
                Next::Bytes => {
                    session::spend(self.visit, frame.len());
                    self.flow.sent(output.next());
                    self.pulse
                        .send_output(self.sink, frame.into(), output.next())
                        .await?;
                    self.last_sent = Some(Instant::now());
                }
                Next::Keyframe(keyframe) => self.snapshot(&keyframe).await?,
                Next::Behind => self.catch_up(&mut output).await?,
                Next::End => return self.exit().await,
                Next::Nothing => {
                    self.wait(Some(&mut output), waited).await?;
                    self.coalesce(&output).await?;
                }
            }
        }
    }

    /// Goes on where the client is, or begins with a snapshot.
    async fn begin(&mut self, attach: &Attach) -> Result<OutputCursor, End> {
        let resumed = attach
            .next_seq
            .and_then(|next| self.visit.pane.output_from(next));
        let was_resumed = resumed.is_some();
        let (keyframe, output) = if let Some(output) = resumed {
            (None, output)
        } else {
            let fresh = self.visit.pane.output(FIRST_HISTORY).await;
            let (keyframe, output) = fresh.map_err(|_| session::TERMINAL_ENDED)?;
            (Some(keyframe), output)
        };
        self.flow.begin(output.next());
        let attached = Notice::Attached {
            resumed: was_resumed,
            next_seq: output.next(),
            input_id: self.client.input_id(),
            read_only: self.seat.access() == Access::ReadOnly,
        };
        self.pulse.send(self.sink, notice(&attached)).await?;
        let writer = *self.writer.borrow_and_update();
        self.tell_role(writer).await?;
        if let Some(keyframe) = keyframe {
            self.snapshot(&keyframe).await?;
        }
        Ok(output)
    }

    /// Waits until there is something to do, or until a moment.
    async fn wait(
        &mut self,
        output: Option<&mut OutputCursor>,
        until: Option<Instant>,
    ) -> Result<(), End> {
        let more = async {
            match output {
                Some(output) => output.changed().await,
                None => std::future::pending().await,
            }
        };
        let clock = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reply = self.replies.recv() => match reply {
                Some(reply) => self.pulse.send(self.sink, reply).await,
                None => Ok(()),
            },
            changed = self.writer.changed() => {
                if changed.is_err() {
                    return std::future::pending().await;
                }
                let writer = *self.writer.borrow_and_update();
                self.tell_role(writer).await
            }
            () = self.flow.changed.notified() => Ok(()),
            () = more => Ok(()),
            () = clock => Ok(()),
        }
    }

    /// Lets output that comes in small pieces gather for a moment, unless it is the first after a pause.
    async fn coalesce(&mut self, output: &OutputCursor) -> Result<(), End> {
        let Some(due) = self.last_sent.map(|at| at + COALESCE) else {
            return Ok(());
        };
        while Instant::now() < due && (1..MAX_OUTPUT as u64).contains(&output.backlog()) {
            self.wait(None, Some(due)).await?;
        }
        Ok(())
    }

    async fn catch_up(&mut self, output: &mut OutputCursor) -> Result<(), End> {
        let Some(keyframe) = output.keyframe(BEHIND_HISTORY).await else {
            return Err(session::TERMINAL_ENDED);
        };
        self.snapshot(&keyframe).await
    }

    async fn snapshot(&mut self, keyframe: &Keyframe) -> Result<(), End> {
        session::spend(self.visit, keyframe.bytes.len());
        let frame = ToClient::Snapshot {
            seq: keyframe.seq,
            size: keyframe.size,
            bytes: keyframe.bytes.clone(),
        };
        self.flow.skipped(keyframe.seq);
        self.pulse
            .send_output(self.sink, frame.encode(), keyframe.seq)
            .await
    }

    async fn tell_role(&mut self, writer: Option<Writer>) -> Result<(), End> {
        let mine = writer == Some(Writer::Viewer(self.seat.id()));
        let told = Notice::Role {
            role: if mine { Role::Writer } else { Role::Viewer },
            writer: writer.map(|writer| match writer {
                Writer::Front => WriterName::Front,
                Writer::Viewer(_) if mine => WriterName::You,
                Writer::Viewer(_) => WriterName::Viewer,
            }),
        };
        self.pulse.send(self.sink, notice(&told)).await
    }

    async fn exit(&mut self) -> Result<(), End> {
        self.visit.pane.wait(crate::pane::WaitFor::Exit).await;
        let (code, signal) = match self.visit.pane.info().exit {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        let told = Notice::Exit { code, signal };
        self.pulse.send(self.sink, notice(&told)).await
    }
}

fn notice(notice: &Notice) -> Message {
    // A notice is text and numbers: writing it cannot fail.
    Message::text(serde_json::to_string(notice).unwrap_or_default())
}
