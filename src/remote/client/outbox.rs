//! The way out of one socket. What is to be sent waits here and is sent beside everything else, so that an instance which
//! does not read for a while is still read from.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::endpoint::Socket;

/// With so many bytes waiting, no more of what the user does is taken for now.
const ROOM: usize = 256 * 1024;
const CLOSING: Duration = Duration::from_millis(300);

pub(super) struct Outbox {
    sink: SplitSink<Socket, Message>,
    waiting: VecDeque<Message>,
    bytes: usize,
    /// Something was handed to the socket and may not have left it.
    unflushed: bool,
}

impl Outbox {
    pub fn new(sink: SplitSink<Socket, Message>) -> Self {
        Self {
            sink,
            waiting: VecDeque::new(),
            bytes: 0,
            unflushed: false,
        }
    }

    pub fn push(&mut self, message: Message) {
        self.bytes += message.len();
        self.waiting.push_back(message);
    }

    pub fn has_room(&self) -> bool {
        self.bytes < ROOM
    }

    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.unflushed
    }

    /// Sends what waits. Cancel-safe: what was not sent yet still waits.
    pub async fn drive(&mut self) -> Result<(), Error> {
        poll_fn(|context| self.poll_drive(context)).await
    }

    fn poll_drive(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.waiting.is_empty() {
            ready!(self.sink.poll_ready_unpin(context))?;
            if let Some(message) = self.waiting.pop_front() {
                self.bytes -= message.len();
                self.unflushed = true;
                self.sink.start_send_unpin(message)?;
            }
        }
        ready!(self.sink.poll_flush_unpin(context))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Says goodbye, if that can be said at once.
    pub async fn close(mut self) {
        let _ = timeout(CLOSING, self.sink.close()).await;
    }
}
