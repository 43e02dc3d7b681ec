//! Serves the socket: who is let in, and that nobody holds up another.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::lend::OfferShape;
use super::protocol::{Asked, Reply, Request};
use crate::api::shapes::{ErrorShape, UpgradeShape};
use crate::api::{Operation, Prompt, Services, perform};
use crate::domain::code::Code;
use crate::domain::route::By;
use crate::runtime::dial::{LocalListener, ServedSocket};
use crate::runtime::lend::LentTerminal;

mod frozen;
mod lease;
mod prompt;
mod reply;
mod requests;

pub use frozen::{Connections, FrozenControl};
use frozen::{FrozenConnection, Pending};
use lease::{Lease, LeaseEnd, hold_to_the_end};
use reply::{TAKEN_WITHIN, line, shutting_down};
use requests::Requests;

/// Connections at a time: many scripts may wait at once, and each costs a few KiB.
const MAX_CONNECTIONS: usize = 256;
/// For a request to arrive whole, which takes a client of the same machine no time. A client that says nothing loses
/// its place after it, so that no number of them keeps others out for long.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);
/// For what is short to be answered before another program goes on.
const FROZEN_WITHIN: Duration = Duration::from_secs(3);
/// After a failed accept (out of descriptors), before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What the socket is served with.
#[derive(Debug)]
pub struct Setup {
    pub listener: LocalListener,
    pub services: Services,
    /// Where terminals go that are lent.
    pub borrower: mpsc::Sender<LentTerminal>,
    /// A connection that is there before anybody could make one.
    pub first: Option<StdUnixStream>,
    /// Connections that another program has served.
    pub kept: Connections,
    /// What those are told who asked that program to be replaced.
    pub upgraded: Result<UpgradeShape, String>,
    pub stop: CancellationToken,
    /// Cancelled when another program is to go on in this one's place.
    pub freeze: CancellationToken,
}

/// Serves until `stop`; then ends every connection and takes the socket file away. Once frozen it answers what is short,
/// and returns the socket with all connections; whoever connects meanwhile waits at the socket.
///
/// # Errors
/// Where the listener cannot be given to the runtime; what fails later is logged and outlived.
pub async fn serve(setup: Setup) -> io::Result<Option<FrozenControl>> {
    let Setup {
        listener,
        services,
        borrower,
        first,
        kept,
        upgraded,
        stop,
        freeze,
    } = setup;
    let mut socket = ServedSocket::new(listener)?;
    let mut connections = JoinSet::new();
    let shared = ConnectionContext {
        services: services.clone(),
        borrower,
        stop: stop.clone(),
        freeze: freeze.clone(),
    };
    let serve = |stream| Connection::new(stream, shared.clone()).run(Pending::Nothing);
    if let Some(first) = first {
        first.set_nonblocking(true)?;
        connections.spawn(serve(UnixStream::from_std(first)?));
    }
    for kept in kept.0 {
        let mut connection = Connection::new(kept.stream, shared.clone());
        connection.read = connection.read.read_before(&kept.read, kept.descriptors);
        connections.spawn(connection.go_on(kept.pending, upgraded.clone()));
    }
    let mut refusing = false;
    // A connection may see that all of it is to stand still before this loop does.
    let mut early = Vec::new();
    let is_frozen = loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break false,
            () = freeze.cancelled() => break true,
            Some(ended) = connections.join_next() => {
                early.extend(ended.ok().flatten());
                continue;
            }
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok(stream) => {
                if let Err(reason) = admit(&stream, connections.len(), &services) {
                    if !refusing {
                        tracing::warn!(reason = reason.message, "control connections are refused");
                    }
                    refusing = true;
                    refuse(stream, reason);
                } else {
                    refusing = false;
                    connections.spawn(serve(stream));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "control connection not accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    };
    let listener = socket.into_listener();
    if is_frozen {
        let mut frozen = FrozenControl {
            listener,
            connections: early,
        };
        let _ = timeout(FROZEN_WITHIN, async {
            while let Some(ended) = connections.join_next().await {
                frozen.connections.extend(ended.ok().flatten());
            }
        })
        .await;
        return Ok(Some(frozen));
    }
    drop(listener);
    // Each of them sees `stop` and says so to its client.
    let _ = timeout(TAKEN_WITHIN, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    Ok(None)
}

fn admit(stream: &UnixStream, open: usize, services: &Services) -> Result<(), ErrorShape> {
    let me = rustix::process::geteuid().as_raw();
    let peer = stream
        .peer_cred()
        .map_err(|error| ErrorShape::new(Code::Forbidden, error.to_string()))?;
    let (peer, pid) = (peer.uid(), peer.pid());
    if peer != me && peer != 0 {
        let message = format!("this tundra belongs to user {me}, not {peer}");
        return Err(ErrorShape::new(Code::Forbidden, message));
    }
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    if pid.is_some_and(|pid| services.pool.confines(pid)) {
        let message = "this terminal is confined: it cannot steer tundra (pty.confine)";
        return Err(ErrorShape::new(Code::Forbidden, message));
    }
    if open >= MAX_CONNECTIONS {
        let message = format!("{MAX_CONNECTIONS} commands are already being answered");
        return Err(ErrorShape::new(Code::TooManyRequests, message));
    }
    Ok(())
}

/// Says why, if the fresh connection takes it at once.
fn refuse(stream: UnixStream, reason: ErrorShape) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(&refusal(reason));
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct ConnectionContext {
    services: Services,
    borrower: mpsc::Sender<LentTerminal>,
    stop: CancellationToken,
    freeze: CancellationToken,
}

struct Connection {
    read: Requests,
    write: OwnedWriteHalf,
    /// The process at the other end; 0 where the kernel does not tell.
    peer: u32,
    services: Services,
    borrower: mpsc::Sender<LentTerminal>,
    stop: CancellationToken,
    freeze: CancellationToken,
}

/// What became of an answer.
enum Answered {
    Whole,
    /// Its client is gone, or takes none of it.
    Lost,
    /// This much is left for the next program to write.
    Frozen(Bytes),
}

/// What comes after a request.
enum Next {
    Reply(Vec<u8>),
    /// Nothing: the client has gone, or has all it wanted.
    Close,
    /// Nothing, but the connection stays open until the process is gone.
    Hold(Vec<u8>),
    /// Whatever the next program answers.
    Frozen(Pending),
}

impl Connection {
    fn new(stream: UnixStream, shared: ConnectionContext) -> Self {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let (read, write) = stream.into_split();
        let ConnectionContext {
            services,
            borrower,
            stop,
            freeze,
        } = shared;
        Self {
            read: Requests::new(read),
            write,
            peer: pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0),
            services,
            borrower,
            stop,
            freeze,
        }
    }

    /// Serves one that the program before this one has left.
    async fn go_on(
        mut self,
        pending: Pending,
        upgraded: Result<UpgradeShape, String>,
    ) -> Option<FrozenConnection> {
        let pending = match pending {
            Pending::Upgrade => {
                self.tell_upgraded(upgraded).await;
                Pending::Nothing
            }
            pending => pending,
        };
        self.run(pending).await
    }

    /// Answers request after request, a pending one first; what is left where another program is to go on.
    async fn run(mut self, pending: Pending) -> Option<FrozenConnection> {
        let mut first = match pending {
            Pending::Request(line) => Some(line),
            Pending::Answer(rest) => match self.answer(rest).await {
                Answered::Whole => None,
                Answered::Lost => return None,
                Answered::Frozen(rest) => return self.frozen(Pending::Answer(rest)),
            },
            Pending::Nothing | Pending::Upgrade => None,
        };
        loop {
            let request = if let Some(line) = first.take() {
                Ok(Ok(Some(line)))
            } else {
                tokio::select! {
                    () = self.stop.cancelled() => return None,
                    () = self.freeze.cancelled() => return self.frozen(Pending::Nothing),
                    request = timeout(ARRIVES_WITHIN, self.read.next()) => request,
                }
            };
            let (reply, last) = match request {
                Ok(Ok(Some(bytes))) => match self.next(&bytes).await {
                    Next::Reply(reply) => (reply, false),
                    Next::Close => return None,
                    Next::Hold(reply) => {
                        let _ = timeout(TAKEN_WITHIN, self.write.write_all(&reply)).await;
                        hold_to_the_end(self.read, self.write);
                        return None;
                    }
                    Next::Frozen(pending) => return self.frozen(pending),
                },
                Ok(Err(reason)) => (refusal(reason), true),
                Ok(Ok(None)) | Err(_) => return None,
            };
            match self.answer(reply.into()).await {
                Answered::Whole if !last => {}
                Answered::Frozen(rest) if !last => return self.frozen(Pending::Answer(rest)),
                Answered::Whole | Answered::Lost | Answered::Frozen(_) => return None,
            }
        }
    }

    /// Writes an answer at the client's pace, but no longer than until another program is to go on.
    async fn answer(&mut self, mut answer: Bytes) -> Answered {
        let late = sleep(TAKEN_WITHIN);
        tokio::pin!(late);
        while !answer.is_empty() {
            tokio::select! {
                biased;
                written = self.write.write_buf(&mut answer) => {
                    if !matches!(written, Ok(1..)) {
                        return Answered::Lost;
                    }
                }
                () = &mut late => return Answered::Lost,
                () = self.freeze.cancelled() => return Answered::Frozen(answer),
            }
        }
        Answered::Whole
    }

    fn frozen(self, pending: Pending) -> Option<FrozenConnection> {
        let mut requests = self.read;
        let descriptors = requests.take_descriptors();
        let (stream, read) = requests.into_parts(self.write).ok()?;
        Some(FrozenConnection {
            stream,
            read,
            descriptors,
            pending,
        })
    }

    /// Answers whoever asked the program before this one to be replaced.
    async fn tell_upgraded(&mut self, upgraded: Result<UpgradeShape, String>) {
        let reply = match upgraded {
            Ok(upgraded) => line(&Reply::Ok(upgraded)),
            Err(why) => refusal(ErrorShape::new(Code::NotUpgraded, why)),
        };
        let _ = timeout(TAKEN_WITHIN, self.write.write_all(&reply)).await;
    }

    async fn next(&mut self, bytes: &[u8]) -> Next {
        let reply = match asked(bytes, &self.services.facts.version) {
            Ok(Asked::Lend(offer)) => return self.lend(offer).await,
            Ok(Asked::Operation(operation @ Operation::Stop { .. })) => {
                let performed = tokio::select! {
                    biased;
                    performed = perform(&self.services, operation, By::Cli) => performed,
                    // Nobody has heard of it: the next program ends.
                    () = self.freeze.cancelled() => {
                        return Next::Frozen(Pending::Request(Bytes::copy_from_slice(bytes)));
                    }
                };
                return match performed {
                    Ok(answer) => Next::Hold(line(&Reply::Ok(answer))),
                    Err(error) => Next::Reply(refusal(error.into())),
                };
            }
            Ok(Asked::Operation(operation)) => return self.perform(operation, bytes).await,
            Ok(Asked::Prompt(prompt)) => self.prompt(prompt).await,
            Err(error) => Some(refusal(error)),
        };
        reply.map_or(Next::Close, Next::Reply)
    }

    async fn lend(&mut self, offer: OfferShape) -> Next {
        let mut lease = Lease {
            read: &mut self.read,
            write: &mut self.write,
            stop: &self.stop,
        };
        match lease.serve(offer, self.peer, &self.borrower).await {
            Ok(LeaseEnd::Over) => Next::Close,
            Ok(LeaseEnd::Ending) => Next::Hold(Vec::new()),
            Err(error) => Next::Reply(refusal(error)),
        }
    }

    /// Carries an operation out that `bytes` asked for. One that takes its time is begun anew by the next program, where one
    /// goes on in this one's place.
    async fn perform(&mut self, operation: Operation, bytes: &[u8]) -> Next {
        let may_be_given_up = operation.may_be_given_up();
        let is_upgrade = matches!(operation, Operation::Upgrade { .. });
        let began = Instant::now();
        let performing = async {
            match perform(&self.services, operation, By::Cli).await {
                Ok(answer) => line(&Reply::Ok(answer)),
                Err(error) => refusal(error.into()),
            }
        };
        if !may_be_given_up {
            return Next::Reply(performing.await);
        }
        tokio::select! {
            reply = performing => Next::Reply(reply),
            () = self.read.closed() => Next::Close,
            () = self.freeze.cancelled() => Next::Frozen(if is_upgrade {
                Pending::Upgrade
            } else {
                Pending::Request(remaining(bytes, began.elapsed()))
            }),
            () = self.stop.cancelled() => Next::Reply(refusal(shutting_down())),
        }
    }

    /// Answers a prompt piece by piece; None when the client has gone meanwhile, which ends the provider's stream too.
    async fn prompt(&mut self, prompt: Prompt) -> Option<Vec<u8>> {
        let Self {
            read,
            write,
            services,
            stop,
            ..
        } = self;
        tokio::select! {
            written = Box::pin(prompt::answer(services, prompt, write)) => {
                written.ok().map(|()| Vec::new())
            }
            () = read.closed() => None,
            () = stop.cancelled() => Some(refusal(shutting_down())),
        }
    }
}

/// What a line asks for.
fn asked(bytes: &[u8], version: &str) -> Result<Asked, ErrorShape> {
    let request = serde_json::from_slice::<Request>(bytes).map_err(|error| {
        let message = format!("IPC error: this is no request that tundra {version} knows: {error}");
        ErrorShape::new(Code::BadRequest, message)
    })?;
    Ok(request.into_asked()?)
}

/// Reads a line as the server does, and carries nothing out.
///
/// # Errors
/// What the server would answer to a line that asks for nothing it knows.
pub fn check(bytes: &[u8]) -> Result<(), ErrorShape> {
    asked(bytes, "here").map(drop)
}

/// A request that has been carried out for a while, as it is to be carried out from now on.
fn remaining(bytes: &[u8], elapsed: Duration) -> Bytes {
    let request = serde_json::from_slice::<Request>(bytes);
    let remade = request.map(|request| request.after(elapsed));
    let line = remade.and_then(|request| serde_json::to_vec(&request));
    line.map_or_else(|_| Bytes::copy_from_slice(bytes), Bytes::from)
}

fn refusal(error: ErrorShape) -> Vec<u8> {
    line(&Reply::<()>::Error(error))
}

#[cfg(test)]
mod tests;
