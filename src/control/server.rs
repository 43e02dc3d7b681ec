//! Serves the socket: who is let in, and that nobody holds up another.

use std::io::{self, Write};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::codec::{AnyDelimiterCodec, Decoder};
use tokio_util::sync::CancellationToken;

use super::protocol::{Asked, MAX_REQUEST, Reply, Request};
use crate::api::shapes::ErrorShape;
use crate::api::{Operation, Prompt, Services, perform};
use crate::domain::code::Code;
use crate::domain::route::By;
use crate::runtime::dial::LocalListener;

mod prompt;
mod reply;

use reply::{TAKEN_WITHIN, line};

/// Connections at a time: many scripts may wait at once, and each costs a few KiB.
const MAX_CONNECTIONS: usize = 256;
/// For a request to arrive whole, which takes a client of the same machine no time. A client that says nothing loses
/// its place after it, so that no number of them keeps others out for long.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);
/// After a failed accept (out of descriptors), before the next.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// What is read at a time.
const CHUNK: usize = 16 << 10;

/// Serves until `stop`; then ends every connection and takes the socket file away.
///
/// # Errors
/// Where the listener cannot be given to the runtime; what fails later is logged and outlived.
pub async fn serve(
    listener: LocalListener,
    services: Services,
    stop: CancellationToken,
) -> io::Result<()> {
    let socket = listener.accept_on_runtime()?;
    let mut connections = JoinSet::new();
    let mut refusing = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(reason) = admit(&stream, connections.len(), &services) {
                    if !refusing {
                        tracing::warn!(reason = reason.message, "control connections are refused");
                    }
                    refusing = true;
                    refuse(stream, reason);
                } else {
                    refusing = false;
                    let connection = Connection::new(stream, services.clone(), stop.clone());
                    connections.spawn(connection.run());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "control connection not accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(socket);
    drop(listener);
    // Each of them sees `stop` and says so to its client.
    let _ = timeout(TAKEN_WITHIN, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    Ok(())
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

struct Connection {
    read: Requests,
    write: OwnedWriteHalf,
    services: Services,
    stop: CancellationToken,
}

impl Connection {
    fn new(stream: UnixStream, services: Services, stop: CancellationToken) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: Requests::new(read),
            write,
            services,
            stop,
        }
    }

    async fn run(mut self) {
        loop {
            let request = tokio::select! {
                () = self.stop.cancelled() => return,
                request = timeout(ARRIVES_WITHIN, self.read.next()) => request,
            };
            let (reply, last) = match request {
                Ok(Ok(Some(bytes))) => match self.reply(&bytes).await {
                    Some(reply) => (reply, false),
                    None => return,
                },
                Ok(Err(reason)) => (refusal(reason), true),
                Ok(Ok(None)) | Err(_) => return,
            };
            let written = timeout(TAKEN_WITHIN, self.write.write_all(&reply)).await;
            if last || !matches!(written, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// The reply to a request; None when the client has gone meanwhile.
    async fn reply(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let request = match serde_json::from_slice::<Request>(bytes) {
            Ok(request) => request,
            Err(error) => {
                let message = format!(
                    "IPC error: this is no request that tundra {} knows: {error}",
                    self.services.facts.version
                );
                return Some(refusal(ErrorShape::new(Code::BadRequest, message)));
            }
        };
        match request.into_asked() {
            Ok(Asked::Operation(operation)) => self.perform(operation).await,
            Ok(Asked::Prompt(prompt)) => self.prompt(prompt).await,
            Err(error) => Some(refusal(error.into())),
        }
    }

    async fn perform(&mut self, operation: Operation) -> Option<Vec<u8>> {
        let may_be_given_up = operation.may_be_given_up();
        let performing = async {
            match perform(&self.services, operation, By::Cli).await {
                Ok(answer) => line(&Reply::Ok(answer)),
                Err(error) => refusal(error.into()),
            }
        };
        if !may_be_given_up {
            return Some(performing.await);
        }
        tokio::select! {
            reply = performing => Some(reply),
            () = self.read.closed() => None,
            () = self.stop.cancelled() => Some(shutting_down()),
        }
    }

    /// Answers a prompt piece by piece; None when the client has gone meanwhile, which ends the provider's stream too.
    async fn prompt(&mut self, prompt: Prompt) -> Option<Vec<u8>> {
        let Self {
            read,
            write,
            services,
            stop,
        } = self;
        tokio::select! {
            written = Box::pin(prompt::answer(services, prompt, write)) => {
                written.ok().map(|()| Vec::new())
            }
            () = read.closed() => None,
            () = stop.cancelled() => Some(shutting_down()),
        }
    }
}

fn refusal(error: ErrorShape) -> Vec<u8> {
    line(&Reply::<()>::Error(error))
}

fn shutting_down() -> Vec<u8> {
    refusal(ErrorShape::new(
        Code::ShuttingDown,
        "tundra is shutting down",
    ))
}

/// Cuts what arrives into lines of a bounded length.
struct Requests {
    read: OwnedReadHalf,
    buffer: BytesMut,
    lines: AnyDelimiterCodec,
}

impl Requests {
    fn new(read: OwnedReadHalf) -> Self {
        let (delimiters, separator) = (b"\n".to_vec(), Vec::new());
        Self {
            read,
            buffer: BytesMut::new(),
            lines: AnyDelimiterCodec::new_with_max_length(delimiters, separator, MAX_REQUEST - 1),
        }
    }

    /// The next line without its end; None at the end of the stream. Cancel-safe.
    async fn next(&mut self) -> Result<Option<Bytes>, ErrorShape> {
        loop {
            match self.lines.decode(&mut self.buffer) {
                Ok(None) if self.fill().await == 0 => return Ok(None),
                Ok(None) => {}
                Ok(line) => return Ok(line),
                Err(_) => {
                    let message =
                        format!("IPC error: a request is at most {MAX_REQUEST} bytes long");
                    return Err(ErrorShape::new(Code::BadRequest, message));
                }
            }
        }
    }

    /// Returns when the client has gone. Cancel-safe.
    async fn closed(&mut self) {
        while self.buffer.len() < MAX_REQUEST {
            if self.fill().await == 0 {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    async fn fill(&mut self) -> usize {
        self.buffer.reserve(CHUNK);
        self.read.read_buf(&mut self.buffer).await.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
