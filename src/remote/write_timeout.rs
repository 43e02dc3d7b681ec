//! A connection whose peer has to take what is written to it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a peer may take nothing of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether a connection has become a viewer's, for whom other clocks tick. Travels with each request as an extension.
#[derive(Clone, Debug, Default)]
pub(super) struct Upgraded(Arc<AtomicBool>);

impl Upgraded {
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fails a write that made no progress for [`WRITE_TIMEOUT`].
pub(super) struct WriteTimeout<S> {
    stream: S,
    upgraded: Upgraded,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub fn new(stream: S, upgraded: Upgraded) -> Self {
        Self {
            stream,
            upgraded,
            stalled: None,
        }
    }

    /// The connection without a clock.
    pub fn into_inner(self) -> S {
        self.stream
    }

    /// Starts the clock at a write that has to wait, and stops it at one that need not.
    fn watch<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() || self.upgraded.0.load(Ordering::Relaxed) {
            self.stalled = None;
            return written;
        }
        let clock = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(WRITE_TIMEOUT)));
        match clock.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut timed = WriteTimeout::new(ours, Upgraded::default());
        let writing = tokio::spawn(async move { timed.write_all(&[0; 64]).await });
        // Slow is not stuck.
        for _ in 0..3 {
            sleep(WRITE_TIMEOUT / 2).await;
            theirs.read_exact(&mut [0; 8]).await.unwrap();
        }
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_may_be_slow() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let upgraded = Upgraded::default();
        upgraded.set();
        let mut timed = WriteTimeout::new(ours, upgraded);
        let writing = tokio::spawn(async move { timed.write_all(&[0; 64]).await });
        sleep(WRITE_TIMEOUT * 10).await;
        theirs.read_exact(&mut [0; 64]).await.unwrap();
        writing.await.unwrap().unwrap();
    }
}
