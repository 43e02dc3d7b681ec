//! A stream whose provider is still looked for while its caller already gets pings.
//!
//! Clients give a silent stream up after some minutes. So after the first ping interval the answer's head goes out,
//! and whatever is found later follows as events: failing over goes on unseen, only the status can no longer change.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http_body::Frame;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::answer::{Answer, AnswerBody};
use super::answer_stream::{AnswerStream, Cut};
use super::wire;
use crate::domain::profile::Dialect;

/// The rest of an exchange; boxed so that it can move into a body.
pub type Search = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Pings its caller until the search has an answer, then passes that on. Dropped, it drops the search.
pub struct KeepAliveBody {
    dialect: Dialect,
    ping: Duration,
    timer: Pin<Box<Sleep>>,
    state: State,
    ready: VecDeque<Bytes>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

enum State {
    Searching(Search),
    Flowing(Box<AnswerStream>),
    Over,
}

impl fmt::Debug for KeepAliveBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAliveBody").finish_non_exhaustive()
    }
}

impl KeepAliveBody {
    /// Starts with a ping in the caller's dialect, since one interval is over.
    pub fn new(
        dialect: Dialect,
        search: Search,
        ping: Duration,
        shutdown: WaitForCancellationFutureOwned,
    ) -> Self {
        Self {
            dialect,
            ping,
            timer: Box::pin(tokio::time::sleep(ping)),
            state: State::Searching(search),
            ready: VecDeque::from([wire::ping(dialect)]),
            shutdown: Box::pin(shutdown),
        }
    }

    fn take(&mut self, answer: Answer) {
        self.state = match answer.body {
            // A compressed stream cannot follow pings that were sent decoded.
            AnswerBody::Stream(stream) if stream.takes_events() => State::Flowing(stream),
            AnswerBody::Whole(body) => {
                let is_stream = answer
                    .headers
                    .get(CONTENT_TYPE)
                    .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
                self.ready.push_back(if is_stream {
                    // A translated answer that came whole.
                    body
                } else if answer.status.is_success() {
                    wire::error_event(self.dialect, "parse error: the provider did not stream", 0)
                } else {
                    wire::error_as_event(self.dialect, &body)
                });
                State::Over
            }
            AnswerBody::Stream(compressed) => {
                drop(compressed);
                let message = "unsupported: the provider's stream is compressed and came late";
                self.ready
                    .push_back(wire::error_event(self.dialect, message, 0));
                State::Over
            }
        };
    }
}

impl http_body::Body for KeepAliveBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match &mut this.state {
                State::Over => return Poll::Ready(None),
                State::Flowing(stream) => return Pin::new(&mut **stream).poll_frame(cx),
                State::Searching(search) => match search.as_mut().poll(cx) {
                    Poll::Ready(answer) => this.take(answer),
                    Poll::Pending if this.shutdown.as_mut().poll(cx).is_ready() => {
                        let message = "tundra is shutting down";
                        this.ready
                            .push_back(wire::error_event(this.dialect, message, 0));
                        this.state = State::Over;
                    }
                    Poll::Pending => {
                        std::task::ready!(this.timer.as_mut().poll(cx));
                        this.ready.push_back(wire::ping(this.dialect));
                        this.timer.as_mut().reset(Instant::now() + this.ping);
                    }
                },
            }
        }
    }
}
