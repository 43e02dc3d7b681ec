//! One viewer of one terminal over any number of sockets: output comes once and in order, input is kept until the
//! instance has dealt with it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::endpoint::{Endpoint, OpenError, Socket};
use super::outbox::Outbox;
use crate::domain::code::Code;
use crate::domain::size::Size;
use crate::remote::error::TransportError;
use crate::remote::protocol::{
    FRAME_HEAD, MAX_MESSAGE, Notice, Request, Role, ToClient, ToServer, WriterName, close,
};

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LAST_BACKOFF: Duration = Duration::from_secs(10);
/// Input kept while there is no connection; what is typed beyond it is dropped.
const MAX_PENDING: usize = 64 * 1024;
/// The longest input in one message.
const MAX_INPUT: usize = MAX_MESSAGE - 64;
/// What is acknowledged at once.
const ACK_BYTES: u64 = 32 * 1024;
/// The rest is, after so long; and how often the connection is asked whether it lives.
const ACK_DELAY: Duration = Duration::from_millis(20);
const PING_EVERY: Duration = Duration::from_secs(10);
/// Without anything from the instance for so long after a ping the connection is given up.
const SILENCE: Duration = Duration::from_secs(15);

/// What the viewer wants. The channel's end is its leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bytes as a terminal sends them.
    Input(Vec<u8>),
    Paste(String),
    Resize(Size),
    Take,
}

/// What the viewer is told. A full channel slows the instance's output to this viewer and nobody else's; so a viewer
/// must take these whatever becomes of its commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    State(LinkState),
    /// The screen whole; output goes on from it.
    Snapshot {
        size: Size,
        bytes: Bytes,
    },
    Output(Bytes),
    Role {
        writer: bool,
        /// Who writes, where it is another one: `front` or `viewer`.
        other: Option<&'static str>,
    },
    /// Input found no room while there was no connection.
    Dropped,
    /// A paste was longer than a message may be; nothing of it was typed.
    TooLong,
    /// The program does not read; this input was dropped.
    Unread,
    Exit {
        code: Option<i32>,
        signal: Option<i32>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Connected,
    /// The connection is lost and tried again.
    Lost,
}

/// A viewer's connection.
pub struct Link {
    endpoint: Endpoint,
    terminal: String,
    read_only: bool,
    client: String,
    /// How many sockets there have been.
    attempt: u64,
    epoch: Option<String>,
    next_seq: Option<u64>,
    acked: u64,
    next_id: u64,
    pending: VecDeque<(u64, Bytes)>,
    pending_bytes: usize,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
}

/// How a socket came to its end.
enum Ended {
    /// The viewer left, or the terminal has ended.
    Over,
    Lost,
    /// The instance says that it ends.
    Going,
}

impl Link {
    /// A viewer of a terminal behind a endpoint that has been entered.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        terminal: String,
        read_only: bool,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            endpoint,
            terminal,
            read_only,
            client: Uuid::new_v4().simple().to_string(),
            attempt: 0,
            epoch: None,
            next_seq: None,
            acked: 0,
            next_id: 1,
            pending: VecDeque::new(),
            pending_bytes: 0,
            commands,
            events,
        }
    }

    /// Stays attached until the viewer leaves or the terminal ends.
    ///
    /// # Errors
    /// [`TransportError`] when there is no connection to begin with, or none any more.
    pub async fn run(mut self) -> Result<(), TransportError> {
        let mut backoff = FIRST_BACKOFF;
        let mut was_connected = false;
        let mut has_logged_in_again = false;
        loop {
            self.tell(Event::State(LinkState::Connecting)).await;
            self.attempt += 1;
            match self.endpoint.open(&self.terminal, self.read_only).await {
                Ok(socket) => {
                    was_connected = true;
                    has_logged_in_again = false;
                    backoff = FIRST_BACKOFF;
                    match Box::pin(self.serve(socket)).await {
                        Ended::Over => return Ok(()),
                        // Here, nothing is to come back; elsewhere it may be a restart.
                        Ended::Going if self.endpoint.is_local() => {
                            return Err(TransportError::Local("tundra has ended".to_owned()));
                        }
                        Ended::Going | Ended::Lost => {}
                    }
                }
                Err(OpenError::Unauthorized(error)) => {
                    if has_logged_in_again || self.endpoint.login().await.is_err() {
                        return Err(error);
                    }
                    has_logged_in_again = true;
                    continue;
                }
                Err(OpenError::Over(error)) => return Err(error),
                Err(OpenError::Later(error)) if !was_connected => return Err(error),
                Err(OpenError::Later(error)) => tracing::debug!(%error, "no connection yet"),
            }
            self.tell(Event::State(LinkState::Lost)).await;
            if !self.rest(jittered(backoff)).await {
                return Ok(());
            }
            backoff = (backoff * 2).min(LAST_BACKOFF);
        }
    }

    /// Waits, and keeps what is typed meanwhile; false when the viewer has left.
    async fn rest(&mut self, pause: Duration) -> bool {
        let end = sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return true,
                command = self.commands.recv() => match command {
                    None => return false,
                    Some(Command::Input(bytes)) => {
                        self.keep(|id| ToServer::Input { id, bytes: bytes.into() }).await;
                    }
                    Some(Command::Paste(text)) => self.keep_paste(text).await,
                    Some(Command::Resize(_) | Command::Take) => {}
                },
            }
        }
    }

    async fn serve(&mut self, mut socket: Socket) -> Ended {
        if let Err(ended) = self.attach(&mut socket).await {
            return ended;
        }
        let (sink, mut stream) = socket.split();
        let mut outbox = Outbox::new(sink);
        for (_, frame) in &self.pending {
            outbox.push(Message::Binary(frame.clone()));
        }
        let ended = self.stream(&mut stream, &mut outbox).await;
        outbox.close().await;
        ended
    }

    /// Goes on where the last socket ended, or from the present screen.
    async fn attach(&mut self, socket: &mut Socket) -> Result<(), Ended> {
        loop {
            let message = timeout(SILENCE, socket.next()).await;
            let Ok(Some(Ok(Message::Text(text)))) = message else {
                return Err(Ended::Lost);
            };
            match serde_json::from_str(&text) {
                Ok(Notice::Hello { epoch, .. }) => {
                    let same = self.epoch.as_ref() == Some(&epoch);
                    let request = Request::Attach {
                        client: self.client.clone(),
                        attempt: Some(self.attempt),
                        epoch: same.then(|| epoch.clone()),
                        next_seq: self.next_seq.filter(|_| same),
                        read_only: self.read_only,
                    };
                    self.epoch = Some(epoch);
                    socket
                        .send(request.to_message())
                        .await
                        .map_err(|_| Ended::Lost)?;
                }
                Ok(Notice::Attached {
                    resumed,
                    next_seq,
                    input_id,
                    ..
                }) => {
                    self.next_seq = Some(next_seq);
                    if !resumed {
                        self.acked = next_seq;
                    }
                    self.forget(input_id);
                    self.next_id = self.next_id.max(input_id + 1);
                    self.tell(Event::State(LinkState::Connected)).await;
                    return Ok(());
                }
                _ => return Err(Ended::Lost),
            }
        }
    }

    async fn stream(&mut self, stream: &mut SplitStream<Socket>, outbox: &mut Outbox) -> Ended {
        let mut acks = interval(ACK_DELAY);
        let mut pings = interval(PING_EVERY);
        let mut last_heard = Instant::now();
        loop {
            let done = tokio::select! {
                message = stream.next() => {
                    last_heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.on_message(outbox, message).await,
                        _ => Err(Ended::Lost),
                    }
                }
                sent = outbox.drive(), if !outbox.is_idle() => sent.map_err(|_| Ended::Lost),
                command = self.commands.recv(), if outbox.has_room() => match command {
                    Some(command) => {
                        self.on_command(outbox, command).await;
                        Ok(())
                    }
                    None => Err(Ended::Over),
                },
                _ = acks.tick(), if self.unacked() > 0 => {
                    self.acknowledge(outbox);
                    Ok(())
                }
                _ = pings.tick() => {
                    outbox.push(Request::Ping.to_message());
                    if last_heard.elapsed() > SILENCE { Err(Ended::Lost) } else { Ok(()) }
                }
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    /// Output that was taken and not yet acknowledged.
    fn unacked(&self) -> u64 {
        let next = self.next_seq.unwrap_or(self.acked);
        next.saturating_sub(self.acked)
    }

    async fn on_message(&mut self, outbox: &mut Outbox, message: Message) -> Result<(), Ended> {
        match message {
            Message::Binary(frame) => {
                match ToClient::decode(&frame) {
                    Ok(ToClient::Output { seq, bytes }) if Some(seq) == self.next_seq => {
                        self.next_seq = Some(seq + bytes.len() as u64);
                        self.tell(Event::Output(bytes)).await;
                    }
                    Ok(ToClient::Snapshot { seq, size, bytes }) => {
                        self.next_seq = Some(seq);
                        self.tell(Event::Snapshot { size, bytes }).await;
                    }
                    // Never seen; a fresh screen is better than a garbled one.
                    _ => {
                        self.next_seq = None;
                        return Err(Ended::Lost);
                    }
                }
                if self.unacked() >= ACK_BYTES {
                    self.acknowledge(outbox);
                }
                Ok(())
            }
            Message::Text(text) => self.on_text(&text).await,
            Message::Close(Some(frame)) if u16::from(frame.code) == close::REPLACED => {
                Err(Ended::Over)
            }
            Message::Close(Some(frame)) if u16::from(frame.code) == close::GOING_AWAY => {
                Err(Ended::Going)
            }
            Message::Close(_) => Err(Ended::Lost),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), Ended> {
        match serde_json::from_str(text) {
            Ok(Notice::Role { role, writer }) => {
                let other = match writer {
                    Some(WriterName::Front) => Some("front"),
                    Some(WriterName::Viewer) => Some("viewer"),
                    Some(WriterName::You) | None => None,
                };
                let writer = role == Role::Writer;
                self.tell(Event::Role { writer, other }).await;
            }
            Ok(Notice::InputAck { id, .. }) => self.forget(id),
            Ok(Notice::Error { code, .. }) if code == Code::InputFull.as_str() => {
                self.tell(Event::Unread).await;
            }
            Ok(Notice::Exit { code, signal }) => {
                self.tell(Event::Exit { code, signal }).await;
                return Err(Ended::Over);
            }
            _ => {}
        }
        Ok(())
    }

    async fn on_command(&mut self, outbox: &mut Outbox, command: Command) {
        let frame = match command {
            Command::Resize(size) => {
                let (cols, rows) = (size.cols(), size.rows());
                return outbox.push(Request::Resize { cols, rows }.to_message());
            }
            Command::Take => return outbox.push(Request::Take.to_message()),
            Command::Input(_) | Command::Paste(_) if self.read_only => return,
            Command::Input(bytes) => {
                let bytes = bytes.into();
                self.push(|id| ToServer::Input { id, bytes })
            }
            Command::Paste(text) if text.len() > MAX_INPUT => {
                return self.tell(Event::TooLong).await;
            }
            Command::Paste(text) => self.push(|id| ToServer::Paste { id, text }),
        };
        outbox.push(Message::Binary(frame));
    }

    async fn keep_paste(&mut self, text: String) {
        if text.len() > MAX_INPUT {
            self.tell(Event::TooLong).await;
        } else {
            self.keep(|id| ToServer::Paste { id, text }).await;
        }
    }

    /// Keeps input for the next connection, if there is room.
    async fn keep(&mut self, make: impl FnOnce(u64) -> ToServer) {
        if self.read_only {
            return;
        }
        let frame = self.push(make);
        if self.pending_bytes > MAX_PENDING && self.pending.len() > 1 {
            // The newest goes: what is typed later must not be typed first.
            self.pending.pop_back();
            self.pending_bytes -= typed(&frame);
            self.next_id -= 1;
            self.tell(Event::Dropped).await;
        }
    }

    fn push(&mut self, make: impl FnOnce(u64) -> ToServer) -> Bytes {
        let id = self.next_id;
        self.next_id += 1;
        let frame = make(id).encode();
        self.pending_bytes += typed(&frame);
        self.pending.push_back((id, frame.clone()));
        frame
    }

    /// Everything up to an id has been dealt with.
    fn forget(&mut self, id: u64) {
        while self.pending.front().is_some_and(|(first, _)| *first <= id) {
            let size = self
                .pending
                .pop_front()
                .map_or(0, |(_, frame)| typed(&frame));
            self.pending_bytes -= size;
        }
    }

    fn acknowledge(&mut self, outbox: &mut Outbox) {
        if let Some(seq) = self.next_seq.filter(|seq| *seq > self.acked) {
            self.acked = seq;
            outbox.push(Message::Binary(ToServer::Ack { seq }.encode()));
        }
    }

    async fn tell(&self, event: Event) {
        // A viewer that is gone is noticed by the end of its commands.
        let _ = self.events.send(event).await;
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("terminal", &self.terminal)
            .field("target", self.endpoint.target())
            .finish_non_exhaustive()
    }
}

/// The bytes of input in a frame.
fn typed(frame: &Bytes) -> usize {
    frame.len().saturating_sub(FRAME_HEAD)
}

/// Somewhere up to a pause, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let [byte, ..] = *Uuid::new_v4().as_bytes();
    pause.mul_f64(f64::from(byte) / 255.0)
}
