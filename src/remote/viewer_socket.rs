//! A viewer's connection below its WebSocket, which can be left between two messages for another program to go on with.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::frame_head::FrameHead;
use super::write_timeout::WriteTimeout;

/// What is read at once, in bytes.
const CHUNK: usize = 8 * 1024;
/// What is remembered of a message that has not come whole; no message may be as long. One who sends more between its parts
/// is not carried over.
const MOST_HELD: usize = 2 << 20;

/// What carries a viewer's bytes.
pub(super) enum Wire {
    Network(TcpStream),
    Local(UnixStream),
    /// One that lives in this process alone, since it is encrypted here.
    Bound(Box<TokioIo<Upgraded>>),
}

impl Wire {
    /// What is below a connection that has become a WebSocket, and what was read of it already.
    pub fn of(upgraded: Upgraded) -> (Self, Bytes) {
        let upgraded = match upgraded.downcast::<TokioIo<WriteTimeout<TcpStream>>>() {
            Ok(parts) => {
                let stream = parts.io.into_inner().into_inner();
                return (Self::Network(stream), parts.read_buf);
            }
            Err(upgraded) => upgraded,
        };
        match upgraded.downcast::<TokioIo<WriteTimeout<UnixStream>>>() {
            Ok(parts) => {
                let stream = parts.io.into_inner().into_inner();
                (Self::Local(stream), parts.read_buf)
            }
            Err(upgraded) => (Self::Bound(Box::new(TokioIo::new(upgraded))), Bytes::new()),
        }
    }

    /// Its descriptor once more, where it can go over.
    fn descriptor(&self) -> Option<OwnedFd> {
        let descriptor: BorrowedFd<'_> = match self {
            Self::Network(stream) => stream.as_fd(),
            Self::Local(stream) => stream.as_fd(),
            Self::Bound(_) => return None,
        };
        descriptor.try_clone_to_owned().ok()
    }
}

macro_rules! on_wire {
    ($wire:expr, $stream:ident => $do:expr) => {
        match $wire {
            Wire::Network($stream) => $do,
            Wire::Local($stream) => $do,
            Wire::Bound($stream) => $do,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_wire!(self.get_mut(), stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_wire!(self.get_mut(), stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self.get_mut(), stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(context))
    }
}

/// A connection that remembers what was read of it and not dealt with, and, once it is left, what could not be written.
///
/// It gives out one frame at a time, so that nothing of a later one lies in a buffer above it.
pub(super) struct ViewerSocket<S> {
    stream: S,
    tape: Arc<Tape>,
}

/// What is read and written of one socket; shared by the socket and its session.
pub(super) struct Tape(Mutex<TapeState>);

/// What was under way of a socket that is left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UnderWay {
    /// Read, and not dealt with.
    pub read: Bytes,
    /// To be written before anything else.
    pub unsent: Bytes,
}

struct TapeState {
    /// Read from the connection; up to `given` it was given out.
    read: BytesMut,
    given: usize,
    /// What is still to be given out of the present frame.
    frame_left: u64,
    /// Parts of a message were given out, and its last has not come.
    in_message: bool,
    has_ended: bool,
    unsent: BytesMut,
    is_portable: bool,
    is_left: bool,
}

impl ViewerSocket<Wire> {
    /// A new one. `read` was read of it already.
    pub fn new(wire: Wire, read: &[u8]) -> Self {
        let is_portable = !matches!(wire, Wire::Bound(_));
        Self::over(wire, read, &[], is_portable)
    }

    /// One that another program has left.
    pub fn resume(wire: Wire, under_way: &UnderWay) -> Self {
        Self::over(wire, &under_way.read, &under_way.unsent, true)
    }

    /// The descriptor of one that was left.
    pub fn descriptor(&self) -> Option<OwnedFd> {
        self.stream.descriptor()
    }

    /// Whether it is the local socket's.
    pub fn is_local(&self) -> bool {
        matches!(self.stream, Wire::Local(_))
    }
}

impl<S> ViewerSocket<S> {
    fn over(stream: S, read: &[u8], unsent: &[u8], is_portable: bool) -> Self {
        let tape = TapeState {
            read: read.into(),
            given: 0,
            frame_left: 0,
            in_message: false,
            has_ended: false,
            unsent: unsent.into(),
            is_portable,
            is_left: false,
        };
        Self {
            stream,
            tape: Arc::new(Tape(Mutex::new(tape))),
        }
    }

    pub fn tape(&self) -> Arc<Tape> {
        Arc::clone(&self.tape)
    }
}

impl Tape {
    /// The message that was read last has been dealt with.
    pub fn dealt_with(&self) {
        let mut state = self.state();
        if !state.in_message {
            state.forget();
        }
    }

    /// Leaves the socket: from now on nothing is written to it, but kept. False where it cannot go over.
    pub fn leave(&self) -> bool {
        let mut state = self.state();
        state.is_left = state.is_portable;
        state.is_left
    }

    /// What was under way of a socket that was left.
    pub fn take(&self) -> UnderWay {
        let mut state = self.state();
        UnderWay {
            read: state.read.split().freeze(),
            unsent: state.unsent.split().freeze(),
        }
    }

    fn state(&self) -> MutexGuard<'_, TapeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TapeState {
    fn forget(&mut self) {
        self.read.advance(self.given);
        self.given = 0;
    }

    /// Gives out what there is of the present frame; false where more has to be read first.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let waiting = self.read.get(self.given..).unwrap_or_default();
        if self.frame_left == 0 {
            match FrameHead::parse(waiting) {
                Some(head) => {
                    self.frame_left = head.length;
                    if !head.is_control {
                        self.in_message = !head.is_last;
                    }
                }
                // Whatever it is, it is the last.
                None if self.has_ended => self.frame_left = u64::MAX,
                None => return false,
            }
        }
        let most = usize::try_from(self.frame_left).unwrap_or(usize::MAX);
        let count = waiting.len().min(most).min(buffer.remaining());
        buffer.put_slice(waiting.get(..count).unwrap_or_default());
        self.given += count;
        self.frame_left -= count as u64;
        self.is_portable &= self.given <= MOST_HELD;
        if !self.is_portable {
            self.forget();
        }
        count > 0
    }

    /// Writes what is to be written before anything else.
    fn write_unsent<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut *stream).poll_write(context, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ViewerSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut state = this.tape.state();
        loop {
            if buffer.remaining() == 0 || state.give(buffer) || state.has_ended {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            state.has_ended = chunk.filled().is_empty();
            state.read.extend_from_slice(chunk.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ViewerSocket<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut state = this.tape.state();
        if state.is_left {
            state.unsent.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(state.write_unsent(&mut this.stream, context))?;
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut state = this.tape.state();
        if state.is_left {
            return Poll::Ready(Ok(()));
        }
        ready!(state.write_unsent(&mut this.stream, context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.tape.state().is_left {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A masked text frame; its mask is nought.
    fn frame(first: u8, text: &[u8]) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        [&[first, 0x80 | length, 0, 0, 0, 0], text].concat()
    }

    fn socket(capacity: usize) -> (ViewerSocket<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(capacity);
        (ViewerSocket::over(ours, &[], &[], true), theirs)
    }

    #[tokio::test]
    async fn one_frame_is_given_at_a_time_and_kept_until_it_is_dealt_with() {
        let (mut socket, mut theirs) = socket(1024);
        let (one, two) = (frame(0x81, b"one"), frame(0x81, b"two"));
        theirs.write_all(&[&one[..], &two].concat()).await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(socket.read(&mut buffer).await.unwrap(), one.len());
        let tape = socket.tape();
        tape.dealt_with();
        assert_eq!(socket.read(&mut buffer).await.unwrap(), two.len());
        assert!(tape.leave());
        assert_eq!(tape.take().read, two);
    }

    #[tokio::test]
    async fn a_message_in_parts_is_kept_whole_over_what_stands_between_them() {
        let (mut socket, mut theirs) = socket(1024);
        let (part, ping, last) = (frame(0x01, b"a"), frame(0x89, b"?"), frame(0x80, b"b"));
        let all = [&part[..], &ping, &last].concat();
        theirs.write_all(&all[..all.len() - 1]).await.unwrap();
        let mut buffer = [0; 64];
        let tape = socket.tape();
        assert_eq!(socket.read(&mut buffer).await.unwrap(), part.len());
        assert_eq!(socket.read(&mut buffer).await.unwrap(), ping.len());
        // The ping is, the message is not.
        tape.dealt_with();
        assert_eq!(socket.read(&mut buffer).await.unwrap(), last.len() - 1);
        theirs.write_all(&all[all.len() - 1..]).await.unwrap();
        assert_eq!(socket.read(&mut buffer).await.unwrap(), 1);
        assert!(tape.leave());
        assert_eq!(tape.take().read, all);
    }

    #[tokio::test]
    async fn what_the_peer_does_not_take_is_sent_first_by_the_next() {
        let (mut socket, mut theirs) = socket(4);
        let tape = socket.tape();
        let writing = socket.write_all(b"0123456789");
        tokio::pin!(writing);
        assert!(futures_util::poll!(&mut writing).is_pending());
        assert!(tape.leave());
        writing.await.unwrap();
        socket.flush().await.unwrap();
        let under_way = tape.take();
        assert_eq!(under_way.unsent, &b"456789"[..]);
        let ViewerSocket { stream, .. } = socket;
        let mut next = ViewerSocket::over(stream, &[], &under_way.unsent, true);
        let reading = async {
            let mut all = [0; 12];
            theirs.read_exact(&mut all).await.unwrap();
            all
        };
        let (written, all) = tokio::join!(next.write_all(b"ab"), reading);
        written.unwrap();
        assert_eq!(&all, b"0123456789ab");
    }

    #[tokio::test]
    async fn what_ends_in_the_middle_of_a_frame_is_given_out() {
        let (mut socket, mut theirs) = socket(64);
        theirs.write_all(&[0x81]).await.unwrap();
        drop(theirs);
        let mut all = Vec::new();
        socket.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, [0x81]);
    }
}
