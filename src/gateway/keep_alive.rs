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
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::body::{Body, Cut};
use super::exchange::Answer;
use super::relay::Relay;
use super::wire;
use crate::domain::profile::Dialect;

/// The rest of an exchange; boxed so that it can move into a body.
pub type Search = Pin<Box<dyn Future<Output = Answer> + Send>>;

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
    Flowing(Box<Relay>),
    Over,
}

impl fmt::Debug for KeepAliveBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAliveBody").finish_non_exhaustive()
    }
}

impl KeepAliveBody {
    /// Starts with a ping, since one interval is over.
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

    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            match &mut self.state {
                State::Over => return Poll::Ready(None),
                State::Flowing(relay) => return relay.poll_next(cx),
                State::Searching(search) => match search.as_mut().poll(cx) {
                    Poll::Ready(answer) => self.take(answer),
                    Poll::Pending if self.shutdown.as_mut().poll(cx).is_ready() => {
                        let message = "tundra is shutting down";
                        self.ready
                            .push_back(wire::error_event(self.dialect, message, 0));
                        self.state = State::Over;
                    }
                    Poll::Pending => {
                        std::task::ready!(self.timer.as_mut().poll(cx));
                        self.ready.push_back(wire::ping(self.dialect));
                        self.timer.as_mut().reset(Instant::now() + self.ping);
                    }
                },
            }
        }
    }

    fn take(&mut self, answer: Answer) {
        let response = answer.into_response();
        let status = response.status();
        self.state = match response.into_body() {
            // A folded stream cannot follow pings that were sent unfolded.
            Body::Relay(relay) if relay.takes_events() => State::Flowing(relay),
            Body::Whole(body) => {
                let body = body.unwrap_or_default();
                self.ready.push_back(if status.is_success() {
                    wire::error_event(self.dialect, "parse error: the provider did not stream", 0)
                } else {
                    wire::error_as_event(self.dialect, &body)
                });
                State::Over
            }
            body => {
                drop(body);
                let message = "unsupported: the provider's stream is compressed and came late";
                self.ready
                    .push_back(wire::error_event(self.dialect, message, 0));
                State::Over
            }
        };
    }
}
