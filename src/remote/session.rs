//! One socket at one terminal: what both modes share.
//!
//! A session is one task in which three things go on side by side: reading, writing and the clock. They share the
//! [`Pulse`]; whichever comes to an end first says how the socket is closed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::budget::EXEMPT;
use super::hub::{Hub, Place};
use super::protocol::{MAX_MESSAGE, close};
use super::{plain, v1};
use crate::domain::terminal::Owner;
use crate::pane::{Access, Attachment, OutputCursor, PaneError, PaneHandle, WaitFor};

/// How long a closing handshake may take, and what is being written be finished.
const CLOSING: Duration = Duration::from_secs(1);
/// What is read and dropped of a socket that is closed, so that nothing which was sent to it is lost.
const LINGER_BYTES: usize = 4 << 20;
/// Messages that wait to be written: answers to what the client sent. Full holds up its reading.
const MAX_REPLIES: usize = 64;
/// How long input that a program has no room for waits before the next try.
const INPUT_RETRY: Duration = Duration::from_millis(5);
/// How long it holds up the reading of its socket. Longer, and nobody would see that the client has gone.
const INPUT_PATIENCE: Duration = Duration::from_secs(5);

pub(super) type Sink<S> = SplitSink<WebSocketStream<S>, Message>;
pub(super) type Stream<S> = SplitStream<WebSocketStream<S>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    V1,
}

/// Somebody who has been let in.
pub(super) struct Visit {
    pub pane: PaneHandle,
    pub hub: Arc<Hub>,
    /// Given back with the visit.
    pub _place: Place,
    pub mode: Mode,
    pub access: Access,
    /// For the log.
    pub peer: String,
    /// Tundra ends.
    pub stop: CancellationToken,
}

/// How a session came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client closed, or is gone.
    Peer,
    Close {
        code: u16,
        reason: &'static str,
    },
}

impl End {
    pub const fn close(code: u16, reason: &'static str) -> Self {
        Self::Close { code, reason }
    }
}

pub(super) const TERMINAL_ENDED: End = End::close(close::NORMAL, "the terminal has ended");

/// What reading, writing and the clock of one session tell each other.
pub(super) struct Pulse {
    /// The number after the last byte that was handed to the socket whole.
    handed: AtomicU64,
    sending: AtomicBool,
    stopping: AtomicBool,
    /// The program took nothing for [`INPUT_PATIENCE`]; what comes now is dropped at once, until it takes something again.
    deaf: AtomicBool,
    times: Mutex<Times>,
    replies: mpsc::Sender<Message>,
}

struct Times {
    last_data: Instant,
    pinged: Option<Instant>,
    /// The program takes no input, so that nothing is read, pongs neither.
    held: bool,
}

/// What a mode does with what the client sends.
pub(super) trait Receive {
    async fn binary(&mut self, bytes: Bytes) -> Result<(), End>;
    async fn text(&mut self, text: &str) -> Result<(), End>;
    fn pong(&mut self, _payload: &[u8]) {}
}

/// Limits of a socket, and buffers that stay small while it is idle.
pub(super) fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_MESSAGE)
}

/// Attends to a socket until it ends.
pub(super) async fn run<S>(socket: WebSocketStream<S>, visit: Visit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (mut sink, mut stream) = socket.split();
    let id = visit.pane.id();
    let end = match visit.mode {
        Mode::Plain => plain::attend(&mut sink, &mut stream, &visit).await,
        Mode::V1 => v1::attend(&mut sink, &mut stream, &visit).await,
    };
    info!(%id, peer = visit.peer, ?end, "viewer left");
    // The place is free before the client can know that it left.
    drop(visit);
    if let Ok(socket) = sink.reunite(stream) {
        let _ = timeout(CLOSING, shut(socket, end)).await;
    }
}

/// The end of a session whose terminal has no more output: not before everybody else sees it dead too.
pub(super) async fn ended(visit: &Visit) -> End {
    visit.pane.wait(WaitFor::Exit).await;
    TERMINAL_ENDED
}

/// How long a session waits for others before it sends on; None where it need not.
pub(super) fn turn(visit: &Visit, output: &OutputCursor) -> Option<Duration> {
    if output.backlog() <= EXEMPT {
        return None;
    }
    visit.hub.budget().wait(std::time::Instant::now())
}

/// Notes what a session sends of what all together may.
pub(super) fn spend(visit: &Visit, bytes: usize) {
    visit.hub.budget().spend(bytes, std::time::Instant::now());
}

/// Tells in the log which viewer a connection is.
pub(super) fn log_seat(visit: &Visit, seat: &Attachment) {
    let (id, viewer, access) = (visit.pane.id(), seat.id(), seat.access());
    info!(%id, peer = visit.peer, %viewer, ?access, "viewer is seated");
}

/// Leaves the seat; a terminal that nobody else needs begins its grace.
pub(super) fn leave(visit: &Visit, seat: &mut Attachment, left_off: Option<u64>, end: &End) {
    let nobody_left = seat.leave(left_off);
    let idle = matches!(end, End::Close { code, .. } if *code == close::IDLE);
    let facts = visit.pane.info();
    if nobody_left && !idle && facts.owner == Owner::Remote && !facts.persistent {
        visit.hub.abandon(&visit.pane);
    }
}

async fn shut<S>(mut socket: WebSocketStream<S>, end: End)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match end {
        // The answer to the client's own close waits to be written.
        End::Peer => {
            let _ = socket.flush().await;
        }
        End::Close { code, reason } => {
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

impl Pulse {
    pub fn new() -> (Self, mpsc::Receiver<Message>) {
        let (replies, waiting) = mpsc::channel(MAX_REPLIES);
        let times = Times {
            last_data: Instant::now(),
            pinged: None,
            held: false,
        };
        let pulse = Self {
            handed: AtomicU64::new(0),
            sending: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            times: Mutex::new(times),
            replies,
        };
        (pulse, waiting)
    }

    pub fn handed(&self) -> u64 {
        self.handed.load(Ordering::Relaxed)
    }

    pub fn set_handed(&self, seq: u64) {
        self.handed.store(seq, Ordering::Relaxed);
    }

    /// Queues an answer. Waits while the client reads none of them.
    pub async fn reply(&self, message: Message) {
        // Nobody to take it: the session is ending.
        let _ = self.replies.send(message).await;
    }

    /// Writes output that ends before the byte of number `next`.
    pub async fn send_output<S>(
        &self,
        sink: &mut Sink<S>,
        frame: Bytes,
        next: u64,
    ) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.write(sink, Message::Binary(frame)).await?;
        self.set_handed(next);
        self.go_on()
    }

    /// Writes one message whole.
    pub async fn send<S>(&self, sink: &mut Sink<S>, message: Message) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.write(sink, message).await?;
        self.go_on()
    }

    fn go_on(&self) -> Result<(), End> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(End::Peer);
        }
        Ok(())
    }

    /// What was written when the client closed counts as written.
    async fn write<S>(&self, sink: &mut Sink<S>, message: Message) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let is_data = message.is_binary() || message.is_text();
        self.sending.store(true, Ordering::Relaxed);
        let sent = sink.send(message).await;
        self.sending.store(false, Ordering::Relaxed);
        match sent {
            Ok(()) | Err(Error::ConnectionClosed) => {}
            Err(error) => {
                debug!(%error, "a socket takes nothing more");
                return Err(End::Peer);
            }
        }
        if is_data {
            self.times().last_data = Instant::now();
        }
        Ok(())
    }

    /// Reads until the socket ends.
    pub async fn receive<S>(&self, stream: &mut Stream<S>, receiver: &mut impl Receive) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let message = match stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return refused(&error),
                None => return End::Peer,
            };
            self.heard(&message);
            let dealt = match message {
                Message::Binary(bytes) => receiver.binary(bytes).await,
                Message::Text(text) => receiver.text(&text).await,
                Message::Close(_) => return End::Peer,
                Message::Pong(payload) => {
                    receiver.pong(&payload);
                    Ok(())
                }
                Message::Ping(_) | Message::Frame(_) => Ok(()),
            };
            if let Err(end) = dealt {
                return end;
            }
        }
    }

    fn heard(&self, message: &Message) {
        let mut times = self.times();
        // Whatever comes in shows that the other side is there.
        times.pinged = None;
        if message.is_binary() || message.is_text() {
            times.last_data = Instant::now();
        }
    }

    /// Types what the client sent; waits a while where the program takes nothing. None where that was in vain.
    pub async fn type_in<T>(
        &self,
        mut try_input: impl FnMut() -> Result<T, PaneError>,
    ) -> Result<Option<T>, End> {
        let until = Instant::now() + INPUT_PATIENCE;
        loop {
            match try_input() {
                Ok(taken) => {
                    self.times().held = false;
                    self.deaf.store(false, Ordering::Relaxed);
                    return Ok(Some(taken));
                }
                Err(PaneError::InputFull { .. }) => {
                    if self.deaf.load(Ordering::Relaxed) || Instant::now() >= until {
                        self.times().held = false;
                        if !self.deaf.swap(true, Ordering::Relaxed) {
                            warn!("a program reads nothing of what is typed; it is dropped");
                        }
                        return Ok(None);
                    }
                    self.times().held = true;
                    tokio::time::sleep(INPUT_RETRY).await;
                }
                // The terminal's end is told by the writing side, after the last output.
                Err(_) => return std::future::pending().await,
            }
        }
    }

    /// Pings, and ends a session that is idle or gone.
    pub async fn keep_time(&self, visit: &Visit) -> End {
        let options = visit.hub.options();
        let mut next_ping = Instant::now() + options.heartbeat_interval;
        loop {
            let (idle_at, overdue_at) = {
                let times = self.times();
                let overdue = times.pinged.filter(|_| !times.held);
                (
                    times.last_data + options.idle_timeout,
                    overdue.map(|at| at + options.pong_timeout),
                )
            };
            let wake = overdue_at.map_or(next_ping, |at| at.min(next_ping));
            sleep_until(wake.min(idle_at)).await;
            let now = Instant::now();
            let times = {
                let times = self.times();
                (times.last_data, times.pinged, times.held)
            };
            let (last_data, pinged, held) = times;
            if now >= last_data + options.idle_timeout {
                return End::close(close::IDLE, "idle");
            }
            if !held && pinged.is_some_and(|at| now >= at + options.pong_timeout) {
                return End::close(close::NO_PONG, "no pong");
            }
            if now >= next_ping {
                next_ping = now + options.heartbeat_interval;
                self.times().pinged.get_or_insert(now);
                // A client that reads nothing has its earlier ping still waiting.
                let _ = self.replies.try_send(Message::Ping(Bytes::new()));
            }
        }
    }

    /// Lets a message that is half written be finished, so that it is known what the client got.
    pub async fn finish(&self, writing: impl Future<Output = End>) {
        self.stopping.store(true, Ordering::Relaxed);
        if self.sending.load(Ordering::Relaxed) {
            let _ = timeout(CLOSING, writing).await;
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::close(close::TOO_BIG, "a message is at most 1 MiB")
        }
        Error::Utf8(_) => End::close(close::INVALID_TEXT, "text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Peer,
        Error::Protocol(error) => {
            debug!(%error, "a client broke the protocol");
            End::close(close::PROTOCOL, "protocol error")
        }
        _ => End::Peer,
    }
}
