//! What arrives on a connection, cut into lines of a bounded length, with the descriptors that come along.

use std::io;
use std::os::fd::OwnedFd;

use bytes::{Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
use tokio_util::codec::{AnyDelimiterCodec, Decoder};

use crate::api::shapes::ErrorShape;
use crate::control::protocol::MAX_REQUEST;
use crate::domain::code::Code;
use crate::runtime::descriptors;

/// What is read at a time.
const CHUNK: usize = 16 << 10;

pub(super) struct Requests {
    read: OwnedReadHalf,
    buffer: BytesMut,
    lines: AnyDelimiterCodec,
    descriptors: Vec<OwnedFd>,
}

impl Requests {
    pub fn new(read: OwnedReadHalf) -> Self {
        let (delimiters, separator) = (b"\n".to_vec(), Vec::new());
        Self {
            read,
            buffer: BytesMut::new(),
            lines: AnyDelimiterCodec::new_with_max_length(delimiters, separator, MAX_REQUEST - 1),
            descriptors: Vec::new(),
        }
    }

    /// Goes on where another program has read some of the next line, and what came along with it.
    pub fn read_before(mut self, read: &[u8], descriptors: Vec<OwnedFd>) -> Self {
        self.buffer.extend_from_slice(read);
        self.descriptors = descriptors;
        self
    }

    /// The whole connection again, and what has been read of the next line.
    pub fn into_parts(self, write: OwnedWriteHalf) -> Result<(UnixStream, Bytes), ReuniteError> {
        let read = self.buffer.freeze();
        Ok((self.read.reunite(write)?, read))
    }

    /// The next line without its end; None at the end of the stream. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ErrorShape> {
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

    /// Takes the descriptors that came so far.
    pub fn take_descriptors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.descriptors)
    }

    /// Returns when the client has gone. Cancel-safe.
    pub async fn closed(&mut self) {
        while self.buffer.len() < MAX_REQUEST {
            if self.fill().await == 0 {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// The whole connection again.
    pub fn reunite(self, write: OwnedWriteHalf) -> Result<UnixStream, ReuniteError> {
        self.read.reunite(write)
    }

    async fn fill(&mut self) -> usize {
        loop {
            if self.read.readable().await.is_err() {
                return 0;
            }
            match self.receive() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received.unwrap_or(0),
            }
        }
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut chunk = [0; CHUNK];
        let stream: &UnixStream = self.read.as_ref();
        let received = stream.try_io(Interest::READABLE, || {
            descriptors::receive(stream, &mut chunk, &mut self.descriptors)
        })?;
        let bytes = chunk.get(..received).unwrap_or_default();
        self.buffer.extend_from_slice(bytes);
        Ok(received)
    }
}
