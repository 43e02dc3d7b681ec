//! One connection to a provider, as the HTTP library sees it, and the ways to end it from outside.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::sync::Notify;

/// Why no connection came about.
pub(super) type DialError = Box<dyn Error + Send + Sync>;

/// What a connection is made of: TCP, TLS, or TLS in a proxy's tunnel.
pub(super) trait Stream: Read + Write + Connection + Send + Unpin {}

impl<S: Read + Write + Connection + Send + Unpin> Stream for S {}

/// Whom the bytes go to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// The provider, or a tunnel to it.
    Provider,
    /// A proxy that is asked in the provider's place, and has to be told whom it is for.
    Proxy,
}

/// Ends its connection: nothing more is read from it. The HTTP library shows it beside a request's connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<OnceLock<&'static str>>);

impl Cut {
    /// `why` is what the connection's reader is told.
    pub fn now(&self, why: &'static str) {
        let _ = self.0.set(why);
    }
}

/// An open connection.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    via: Via,
    cut: Cut,
    /// Told once it is closed.
    closed: Option<Arc<Notify>>,
}

impl Link {
    pub fn new(stream: impl Stream + 'static, via: Via) -> Self {
        Self {
            stream: Box::new(stream),
            via,
            cut: Cut::default(),
            closed: None,
        }
    }

    /// Tells `closed` once it is closed.
    pub fn telling(mut self, closed: Arc<Notify>) -> Self {
        self.closed = Some(closed);
        self
    }

    /// Ready once the peer said anything or left; a byte that it said is lost.
    pub fn poll_disturbed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut byte = [MaybeUninit::uninit(); 1];
        let mut read = ReadBuf::uninit(&mut byte);
        Pin::new(&mut self.stream)
            .poll_read(cx, read.unfilled())
            .map(|_| ())
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        let connected = self.stream.connected().extra(self.cut.clone());
        connected.proxy(self.via == Via::Proxy)
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(why) = self.cut.0.get() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, *why)));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(closed) = self.closed.take() {
            closed.notify_one();
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
