//! The lending side of a terminal: the process that the user's shell waits for.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::client;
use super::error::ControlError;
use super::lend::{LenderLine, OfferShape, ToldLine};
use super::protocol::{Reply, Request};
use crate::api::shapes::ErrorShape;
use crate::config::Paths;
use crate::runtime::descriptors;
use crate::runtime::lend::{BorrowerEvent, LenderEvent, Offer};

/// A terminal that is offered or lent to the instance.
#[derive(Debug)]
pub struct Lender {
    told: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

/// Connects to the instance of a home, to lend it a terminal.
///
/// # Errors
/// [`ControlError::NoInstance`] where nobody listens; [`ControlError::Ipc`] where the socket cannot be opened.
pub fn connect(paths: &Paths) -> Result<StdUnixStream, ControlError> {
    client::connect(paths)
}

/// The process that listens at the other end of a connection.
#[must_use]
pub fn peer(stream: &StdUnixStream) -> Option<u32> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}

/// Tells whoever lends a terminal why it is not taken.
pub fn refuse(stream: &StdUnixStream, error: ErrorShape) {
    if let Ok(mut line) = serde_json::to_vec(&Reply::<()>::Error(error)) {
        line.push(b'\n');
        // There may be nobody left to tell.
        let _ = descriptors::send(stream, &line, &[]);
    }
}

/// Sends a line, and a terminal's descriptors with it.
fn send(stream: &StdUnixStream, line: &[u8], terminal: [BorrowedFd<'_>; 2]) -> std::io::Result<()> {
    let mut sent = descriptors::send(stream, line, &terminal)?;
    while sent < line.len() {
        let rest = line.get(sent..).unwrap_or_default();
        sent += descriptors::send(stream, rest, &[])?;
    }
    Ok(())
}

impl Lender {
    /// Offers a terminal over a fresh connection; must be called within the runtime.
    ///
    /// # Errors
    /// [`ControlError::Ipc`] where the connection takes no offer.
    pub fn offer(
        stream: StdUnixStream,
        offer: &Offer,
        terminal: [BorrowedFd<'_>; 2],
    ) -> Result<Self, ControlError> {
        let request = Request::Lend(OfferShape::from(offer));
        let mut line = serde_json::to_vec(&request).map_err(std::io::Error::other)?;
        line.push(b'\n');
        match send(&stream, &line, terminal) {
            // Whoever is gone already may have said why: that is still to be read.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {}
            sent => sent?,
        }
        stream.set_nonblocking(true)?;
        let (read, write) = UnixStream::from_std(stream)?.into_split();
        Ok(Self {
            told: BufReader::new(read).lines(),
            write,
        })
    }

    /// Waits for the next word. Cancel-safe.
    ///
    /// # Errors
    /// [`ControlError::Refused`] where the instance takes no terminal, [`ControlError::Ipc`] where it is gone.
    pub async fn told(&mut self) -> Result<BorrowerEvent, ControlError> {
        let Some(line) = self.told.next_line().await? else {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        };
        match serde_json::from_str::<Reply<ToldLine>>(&line) {
            Ok(Reply::Ok(word)) => Ok(word.into()),
            Ok(Reply::Error(error)) => Err(ControlError::Refused(error)),
            Err(error) => Err(ControlError::Ipc(format!(
                "the running tundra gave an answer that this one cannot read: {error}"
            ))),
        }
    }

    /// Says a word. That the instance is gone is told by [`Self::told`].
    pub async fn tell(&mut self, event: LenderEvent) {
        if let Some(word) = LenderLine::of(event)
            && let Ok(mut line) = serde_json::to_vec(&word)
        {
            line.push(b'\n');
            let _ = self.write.write_all(&line).await;
        }
    }

    /// Waits until the instance's process is gone. Cancel-safe.
    pub async fn gone(&mut self) {
        let mut rest = [0; 256];
        while matches!(self.told.get_mut().read(&mut rest).await, Ok(1..)) {}
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::domain::code::Code;
    use crate::runtime::lend::LineModes;

    #[tokio::test]
    async fn why_an_instance_ended_before_the_offer_came_is_still_read() {
        let (own, instance) = StdUnixStream::pair().unwrap();
        refuse(
            &instance,
            ErrorShape::new(Code::AlreadyRunning, "another was faster".to_owned()),
        );
        drop(instance);
        let terminal = std::fs::File::open("/dev/null").unwrap();
        let modes = LineModes {
            input: 0,
            output: 0,
            control: 0,
            local: 0,
            min: 1,
            time: 0,
        };
        let offer = Offer {
            pid: 1,
            environment: Vec::new(),
            modes,
            command: Vec::new(),
            cwd: None,
            inside: None,
        };
        let mut lender = Lender::offer(own, &offer, [terminal.as_fd(); 2]).unwrap();
        let refused = lender.told().await.unwrap_err();
        assert!(
            matches!(&refused, ControlError::Refused(error) if error.code == Code::AlreadyRunning.as_str()),
            "{refused:?}"
        );
    }
}
