//! What reading, writing and the clock of one WebSocket share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::{debug, warn};

use crate::pane::PaneError;
use crate::remote::protocol::close;
use crate::remote::viewer_socket::Tape;

/// How long what is being written may take when the session ends.
const FINISHING: Duration = Duration::from_secs(1);
/// Messages that wait to be written: answers to what the client sent. Full holds up its reading.
const MAX_REPLIES: usize = 64;
/// How long input that a program has no room for waits before the next try.
const INPUT_RETRY: Duration = Duration::from_millis(5);
/// How long it holds up the reading of its socket. Longer, and nobody would see that the client has gone.
const INPUT_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) type Sink<S> = SplitSink<WebSocketStream<S>, Message>;
pub(super) type Stream<S> = SplitStream<WebSocketStream<S>>;

/// How a connection came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client closed, and does not mean to come back.
    Client,
    /// The client is gone without a word, or says that it comes back.
    Lost,
    /// Another program goes on with the socket.
    GoesOver,
    Server {
        code: u16,
        reason: &'static str,
    },
}

impl CloseReason {
    /// Whether the client was cut off, as far as can be told, so that it is waited for.
    pub fn is_cut(&self) -> bool {
        match self {
            Self::Lost | Self::GoesOver => true,
            Self::Client => false,
            Self::Server { code, .. } => matches!(*code, close::NO_PONG | close::TRY_AGAIN),
        }
    }

    pub const fn server(code: u16, reason: &'static str) -> Self {
        Self::Server { code, reason }
    }
}

/// The terminal has no more output.
pub(super) const TERMINAL_ENDED: CloseReason =
    CloseReason::server(close::NORMAL, "the terminal has ended");
/// A newer socket of the same client is there.
pub(super) const REPLACED: CloseReason =
    CloseReason::server(close::REPLACED, "another socket took this place");
/// The instance is shutting down.
pub(super) const TUNDRA_ENDS: CloseReason = CloseReason::server(close::GOING_AWAY, "tundra ends");

/// Another program goes on in this one's place; the client is to come back at once.
pub(super) const UPGRADE: CloseReason =
    CloseReason::server(close::TRY_AGAIN, "tundra is being upgraded");

/// What reading, writing and the clock of one connection tell each other.
pub(super) struct Connection {
    /// What is under way of the socket itself.
    tape: Arc<Tape>,
    /// The number after the last byte that was written to the socket whole, once there is one.
    written: Mutex<Option<u64>>,
    sending: AtomicBool,
    stopping: AtomicBool,
    /// The program took nothing for [`INPUT_TIMEOUT`]; what comes now is dropped at once, until it takes something again.
    input_stalled: AtomicBool,
    /// Something was typed, and nothing has been written since.
    awaits_echo: AtomicBool,
    times: Mutex<Times>,
    replies: mpsc::Sender<Message>,
}

struct Times {
    last_data: Instant,
    pinged: Option<Instant>,
    /// The program takes no input, so that nothing is read, pongs neither.
    held: bool,
}

/// When a session is asked whether it lives, and when it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heartbeat {
    /// Between two pings.
    pub interval: Duration,
    /// From a ping to the end of a client of which nothing was heard.
    pub pong_timeout: Duration,
    /// From the last data in either direction to the end.
    pub idle_timeout: Duration,
}

/// What a mode does with what the client sends.
pub(super) trait MessageHandler {
    async fn on_binary(&mut self, bytes: Bytes) -> Result<(), CloseReason>;
    async fn on_text(&mut self, text: &str) -> Result<(), CloseReason>;
    fn on_pong(&mut self, _payload: &[u8]) {}
}

impl Connection {
    pub fn new(tape: Arc<Tape>) -> (Self, mpsc::Receiver<Message>) {
        let (replies, waiting) = mpsc::channel(MAX_REPLIES);
        let times = Times {
            last_data: Instant::now(),
            pinged: None,
            held: false,
        };
        let connection = Self {
            tape,
            written: Mutex::new(None),
            sending: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            input_stalled: AtomicBool::new(false),
            awaits_echo: AtomicBool::new(false),
            times: Mutex::new(times),
            replies,
        };
        (connection, waiting)
    }

    /// Up to where the client has been sent the output; None before anything was sent to it.
    pub fn written(&self) -> Option<u64> {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_written(&self, seq: u64) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(seq);
    }

    /// Queues an answer. Waits while the client reads none of them.
    pub async fn reply(&self, message: Message) {
        // Nobody to take it: the connection is ending.
        let _ = self.replies.send(message).await;
    }

    /// Writes output that ends before the byte of number `next`.
    pub async fn send_output<S>(
        &self,
        sink: &mut Sink<S>,
        frame: Bytes,
        next: u64,
    ) -> Result<(), CloseReason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.write(sink, Message::Binary(frame)).await?;
        self.set_written(next);
        self.check_running()
    }

    /// Writes one message whole.
    pub async fn send<S>(&self, sink: &mut Sink<S>, message: Message) -> Result<(), CloseReason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.write(sink, message).await?;
        self.check_running()
    }

    /// Writes what is under way.
    pub async fn flush<S>(&self, sink: &mut Sink<S>) -> Result<(), CloseReason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        sink.flush().await.map_err(|_| CloseReason::Lost)
    }

    fn check_running(&self) -> Result<(), CloseReason> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(CloseReason::Lost);
        }
        Ok(())
    }

    /// What was written when the client closed counts as written.
    async fn write<S>(&self, sink: &mut Sink<S>, message: Message) -> Result<(), CloseReason>
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
                return Err(CloseReason::Lost);
            }
        }
        if is_data {
            self.times().last_data = Instant::now();
        }
        Ok(())
    }

    /// Reads until the socket ends.
    pub async fn receive<S>(
        &self,
        stream: &mut Stream<S>,
        handler: &mut impl MessageHandler,
    ) -> CloseReason
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let message = match stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return close_reason(&error),
                None => return CloseReason::Lost,
            };
            self.note_received(&message);
            let outcome = match message {
                Message::Binary(bytes) => handler.on_binary(bytes).await,
                Message::Text(text) => handler.on_text(&text).await,
                Message::Close(Some(frame)) if u16::from(frame.code) == close::RETURNING => {
                    return CloseReason::Lost;
                }
                Message::Close(_) => return CloseReason::Client,
                Message::Pong(payload) => {
                    handler.on_pong(&payload);
                    Ok(())
                }
                Message::Ping(_) | Message::Frame(_) => Ok(()),
            };
            self.tape.dealt_with();
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    fn note_received(&self, message: &Message) {
        let mut times = self.times();
        // Whatever comes in shows that the other side is there.
        times.pinged = None;
        if message.is_binary() || message.is_text() {
            times.last_data = Instant::now();
        }
    }

    /// Types what the client sent; waits a while where the program takes nothing. None where that was in vain.
    pub async fn input<T>(
        &self,
        mut try_input: impl FnMut() -> Result<T, PaneError>,
    ) -> Result<Option<T>, CloseReason> {
        let until = Instant::now() + INPUT_TIMEOUT;
        loop {
            match try_input() {
                Ok(taken) => {
                    self.times().held = false;
                    self.input_stalled.store(false, Ordering::Relaxed);
                    self.awaits_echo.store(true, Ordering::Relaxed);
                    return Ok(Some(taken));
                }
                Err(PaneError::InputFull { .. }) => {
                    if self.input_stalled.load(Ordering::Relaxed) || Instant::now() >= until {
                        self.times().held = false;
                        if !self.input_stalled.swap(true, Ordering::Relaxed) {
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

    /// Whether what comes now may answer something that the client has just typed; true once for it.
    pub fn take_echo(&self) -> bool {
        self.awaits_echo.swap(false, Ordering::Relaxed)
    }

    /// Pings, and ends a connection that is idle or gone.
    pub async fn keep_time(&self, heartbeat: Heartbeat) -> CloseReason {
        let mut next_ping = Instant::now() + heartbeat.interval;
        loop {
            let (idle_at, overdue_at) = {
                let times = self.times();
                let overdue = times.pinged.filter(|_| !times.held);
                (
                    times.last_data + heartbeat.idle_timeout,
                    overdue.map(|at| at + heartbeat.pong_timeout),
                )
            };
            let wake = overdue_at.map_or(next_ping, |at| at.min(next_ping));
            sleep_until(wake.min(idle_at)).await;
            let now = Instant::now();
            let (last_data, pinged, held) = {
                let times = self.times();
                (times.last_data, times.pinged, times.held)
            };
            if now >= last_data + heartbeat.idle_timeout {
                return CloseReason::server(close::IDLE, "idle");
            }
            if !held && pinged.is_some_and(|at| now >= at + heartbeat.pong_timeout) {
                return CloseReason::server(close::NO_PONG, "no pong");
            }
            if now >= next_ping {
                next_ping = now + heartbeat.interval;
                self.times().pinged.get_or_insert(now);
                // A client that reads nothing has its earlier ping still waiting.
                let _ = self.replies.try_send(Message::Ping(Bytes::new()));
            }
        }
    }

    /// How the session ends where another program is to go on: with its socket, or without where that cannot go over.
    pub fn leave(&self) -> CloseReason {
        if self.tape.leave() {
            CloseReason::GoesOver
        } else {
            UPGRADE
        }
    }

    /// Lets answers that wait be the last of what is under way of a socket that was left.
    pub async fn answer_all<S>(&self, sink: &mut Sink<S>, replies: &mut mpsc::Receiver<Message>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while let Ok(reply) = replies.try_recv() {
            // A socket that was left takes everything.
            let _ = sink.send(reply).await;
        }
        let _ = sink.flush().await;
    }

    /// Lets a message that is half written be finished, so that it is known what the client got.
    pub async fn finish(&self, writing: impl Future<Output = CloseReason>) {
        self.stopping.store(true, Ordering::Relaxed);
        if self.sending.load(Ordering::Relaxed) {
            let _ = timeout(FINISHING, writing).await;
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn close_reason(error: &Error) -> CloseReason {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            CloseReason::server(close::TOO_BIG, "a message is at most 1 MiB")
        }
        Error::Utf8(_) => CloseReason::server(close::INVALID_TEXT, "text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseReason::Lost,
        Error::Protocol(error) => {
            debug!(%error, "a client broke the protocol");
            CloseReason::server(close::PROTOCOL, "protocol error")
        }
        _ => CloseReason::Lost,
    }
}
