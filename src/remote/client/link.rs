//! One viewer of one terminal over any number of sockets: drives the [`Machine`] with sockets and clocks.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, interval_at, sleep};
use uuid::Uuid;

use super::endpoint::{Endpoint, OpenError, Socket};
use super::event::{Command, ConnectionState, Event};
use super::machine::{Effect, Machine};
use super::outbox::Outbox;
use crate::remote::error::TransportError;
use crate::remote::protocol::Request;

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LAST_BACKOFF: Duration = Duration::from_secs(10);
/// How long output may wait to be acknowledged.
const ACK_DELAY: Duration = Duration::from_millis(20);
/// How often the connection is asked whether it lives.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Without anything from the instance for so long after a ping the connection is given up.
const SILENCE: Duration = Duration::from_secs(15);

/// A viewer's connection.
pub struct Link {
    endpoint: Endpoint,
    terminal: String,
    read_only: bool,
    machine: Machine,
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
    /// A viewer of a terminal at an endpoint that has been logged into.
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
            machine: Machine::new(read_only),
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
            self.tell(Event::State(ConnectionState::Connecting)).await;
            self.machine.open();
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
            self.tell(Event::State(ConnectionState::Lost)).await;
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
            let command = tokio::select! {
                () = &mut end => return true,
                command = self.commands.recv() => command,
            };
            let Some(command) = command else {
                return false;
            };
            for effect in self.machine.on_command(command) {
                // Without a socket there is nothing to be sent.
                if let Effect::Tell(event) = effect {
                    self.tell(event).await;
                }
            }
        }
    }

    /// Serves one socket until it ends.
    async fn serve(&mut self, socket: Socket) -> Ended {
        let (sink, mut stream) = socket.split();
        let mut outbox = Outbox::new(sink);
        let Err(ended) = self.stream(&mut stream, &mut outbox).await;
        self.machine.lost();
        outbox.close().await;
        ended
    }

    async fn stream(
        &mut self,
        stream: &mut SplitStream<Socket>,
        outbox: &mut Outbox,
    ) -> Result<std::convert::Infallible, Ended> {
        let mut acks = interval(ACK_DELAY);
        // Not at once: the first word is for the server's greeting.
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut last_heard = Instant::now();
        loop {
            let effects = tokio::select! {
                message = stream.next() => {
                    last_heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.machine.on_message(&message),
                        _ => return Err(Ended::Lost),
                    }
                }
                sent = outbox.drive(), if !outbox.is_idle() => match sent {
                    Ok(()) => continue,
                    Err(_) => return Err(Ended::Lost),
                },
                command = self.commands.recv(), if outbox.has_room() => match command {
                    Some(command) => self.machine.on_command(command),
                    None => return Err(Ended::Over),
                },
                _ = acks.tick(), if self.machine.has_unacked() => {
                    self.machine.acknowledge().into_iter().collect()
                }
                _ = pings.tick() => {
                    if last_heard.elapsed() > SILENCE {
                        return Err(Ended::Lost);
                    }
                    outbox.push(Request::Ping.to_message());
                    continue;
                }
            };
            for effect in effects {
                match effect {
                    Effect::Send(message) => outbox.push(message),
                    Effect::Tell(event) => self.tell(event).await,
                    Effect::Drop => return Err(Ended::Lost),
                    Effect::Going => return Err(Ended::Going),
                    Effect::End => return Err(Ended::Over),
                }
            }
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

/// Somewhere up to a pause, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let [byte, ..] = *Uuid::new_v4().as_bytes();
    pause.mul_f64(f64::from(byte) / 255.0)
}
