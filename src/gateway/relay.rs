//! A committed stream: the provider's bytes go to the caller as they come, until its end or its failure.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::body::Cut;
use super::tap::Tap;
use super::upstream;
use super::upstream_call::UpstreamCall;
use super::wire;
use crate::domain::outcome::CallError;
use crate::domain::profile::Dialect;

/// How long a provider may keep the connection open after its terminator.
const LINGER: Duration = Duration::from_secs(1);

/// How long a stream may be silent, on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between any two bytes from the provider.
    pub idle: Duration,
    /// Between any two bytes to the caller, before a ping.
    pub ping: Duration,
}

/// Passes a stream on after its commit.
///
/// After a failure the caller gets an error event and no terminator, or, where no event can be put into the stream, a
/// cut connection. Dropped before its end, it closes the provider's connection and settles the call as left.
#[derive(Debug)]
pub struct Relay {
    dialect: Dialect,
    ready: VecDeque<Bytes>,
    /// None once nothing more is wanted of the provider.
    source: Option<reqwest::Body>,
    tap: Tap,
    /// None once settled.
    call: Option<UpstreamCall>,
    cut: bool,
    patience: Patience,
    last_byte: Instant,
    last_event: (u64, Instant),
    last_sent: Instant,
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Relay {
    /// Takes over a stream whose first parts are `held`.
    pub fn new(
        held: VecDeque<Bytes>,
        source: reqwest::Body,
        tap: Tap,
        call: UpstreamCall,
        patience: Patience,
        shutdown: WaitForCancellationFutureOwned,
    ) -> Self {
        let now = Instant::now();
        let mut relay = Self {
            dialect: call.dialect(),
            ready: held,
            source: Some(source),
            last_event: (tap.progress().events, now),
            tap,
            call: Some(call),
            cut: false,
            patience,
            last_byte: now,
            last_sent: now,
            timer: Box::pin(tokio::time::sleep_until(
                now + patience.idle.min(patience.ping),
            )),
            shutdown: Box::pin(shutdown),
        };
        relay.look();
        relay
    }

    /// Whether our own events can be put between the provider's.
    pub fn takes_events(&self) -> bool {
        self.tap.takes_events()
    }

    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                if bytes.is_empty() {
                    continue;
                }
                self.last_sent = Instant::now();
                return Poll::Ready(Some(Ok(bytes)));
            }
            if std::mem::take(&mut self.cut) {
                return Poll::Ready(Some(Err(Cut)));
            }
            let Some(source) = &mut self.source else {
                return Poll::Ready(None);
            };
            match Pin::new(source).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(chunk) = frame.into_data() {
                        self.take(chunk);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.ended(Err(upstream::body_error(&error))),
                Poll::Ready(None) => self.ended(Ok(())),
                Poll::Pending => ready!(self.poll_clocks(cx)),
            }
        }
    }

    fn take(&mut self, chunk: Bytes) {
        self.last_byte = Instant::now();
        match self.tap.take(chunk) {
            Ok(passed) => self.ready.push_back(passed),
            Err(error) => return self.fail(&error),
        }
        if self.tap.progress().events != self.last_event.0 {
            self.last_event = (self.tap.progress().events, self.last_byte);
        }
        self.look();
    }

    /// Acts on what the tap has seen.
    fn look(&mut self) {
        if let Some(error) = &self.tap.progress().error {
            let error = CallError::Api {
                status: error.status,
                message: error.message.clone(),
            };
            // Its own words are on their way to the caller already.
            self.settle(Err(&error));
            self.source = None;
            self.cut = !self.tap.takes_events();
        } else if self.tap.progress().ended && self.call.is_some() {
            self.settle(Ok(()));
            self.timer.as_mut().reset(Instant::now() + LINGER);
        }
    }

    fn ended(&mut self, how: Result<(), CallError>) {
        if self.tap.is_whole() {
            self.settle(Ok(()));
            self.source = None;
            return;
        }
        let error = how.err().unwrap_or_else(|| {
            CallError::Http("the stream ended before its terminator".to_owned())
        });
        self.fail(&error);
    }

    fn fail(&mut self, error: &CallError) {
        self.settle(Err(error));
        self.source = None;
        if self.tap.takes_events() {
            self.ready
                .push_back(self.tap.error_event(&error.to_string()));
        } else {
            self.cut = true;
        }
    }

    fn settle(&mut self, how: Result<(), &CallError>) {
        let Some(mut call) = self.call.take() else {
            return;
        };
        call.used(&self.tap);
        match how {
            Ok(()) => call.succeed(),
            Err(error) => call.fail(error),
        }
    }

    /// Waits for whichever comes first: a ping's time, the end of patience, the end of tundra.
    fn poll_clocks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.shutdown.as_mut().poll(cx).is_ready() {
            if self.tap.is_whole() {
                self.ended(Ok(()));
            } else {
                self.stop();
            }
            return Poll::Ready(());
        }
        ready!(self.timer.as_mut().poll(cx));
        let now = Instant::now();
        let settled = self.call.is_none();
        let idle = if settled { LINGER } else { self.patience.idle };
        if settled && now >= self.last_byte + idle {
            self.source = None;
        } else if now >= self.last_byte + idle || now >= self.last_event.1 + idle * 2 {
            // The second: bytes that never become an event keep nobody waiting forever.
            self.fail(&CallError::Timeout);
        } else if self.tap.takes_events() && !settled && now >= self.last_sent + self.patience.ping
        {
            self.ready.push_back(wire::ping(self.dialect));
            self.last_sent = now;
        }
        let mut next = self.last_byte + idle;
        if !settled {
            next = next.min(self.last_event.1 + idle * 2);
            if self.tap.takes_events() {
                next = next.min(self.last_sent + self.patience.ping);
            }
        }
        self.timer
            .as_mut()
            .reset(next.max(now + Duration::from_millis(1)));
        Poll::Ready(())
    }

    /// Ends the stream because tundra ends; that is nobody's fault.
    fn stop(&mut self) {
        self.source = None;
        self.leave();
        if self.tap.takes_events() {
            self.ready
                .push_back(self.tap.error_event("tundra is shutting down"));
        } else {
            self.cut = true;
        }
    }

    fn leave(&mut self) {
        if let Some(mut call) = self.call.take() {
            call.used(&self.tap);
            call.leave();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.leave();
    }
}
