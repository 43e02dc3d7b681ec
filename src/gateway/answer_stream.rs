//! A committed stream: the provider's bytes go to the caller as they come, until its end or its failure.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::conversion::Conversion;
use super::report::Report;
use super::spans::RequestSpans;
use super::stream_reader::StreamReader;
use super::upstream::body_error;
use super::upstream_call::UpstreamCall;
use super::wire;
use crate::domain::agent::Ending;
use crate::domain::outcome::CallError;
use crate::domain::profile::Dialect;

/// How long a provider may keep the connection open after its terminator.
const LINGER: Duration = Duration::from_secs(1);

/// An answer must be cut rather than look whole.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer was cut short")]
pub struct Cut;

/// How long a stream may be silent, on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between any two bytes from the provider.
    pub idle: Duration,
    /// Between any two bytes to the caller, before a ping.
    pub ping: Duration,
}

/// A stream whose first content is here, so that it is this provider's for good.
#[derive(Debug)]
pub struct Committed {
    /// What is to be passed on of what came so far.
    pub held: VecDeque<Bytes>,
    pub source: Incoming,
    pub reader: StreamReader,
    pub conversion: Conversion,
    pub call: UpstreamCall,
    /// Stands in for the input tokens where the provider tells none.
    pub input_estimate: u64,
}

/// Passes a stream on after its commit.
///
/// After a failure the caller gets an error event and no terminator, or, where no event can be put into the stream, a
/// cut connection. Dropped before its end, it closes the provider's connection and settles the call as left.
#[derive(Debug)]
pub struct AnswerStream {
    /// The caller's dialect, for pings and errors of our own.
    dialect: Dialect,
    ready: VecDeque<Bytes>,
    /// None once nothing more is wanted of the provider.
    source: Option<Incoming>,
    reader: StreamReader,
    conversion: Conversion,
    /// None once settled.
    call: Option<UpstreamCall>,
    spans: RequestSpans,
    input_estimate: u64,
    /// How it ended, once it has.
    ending: Option<Ending>,
    report: Report,
    cut: bool,
    patience: Patience,
    last_byte: Instant,
    last_event: (u64, Instant),
    last_sent: Instant,
    timer: Pin<Box<Sleep>>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl AnswerStream {
    /// Takes a stream over for a caller of `dialect`.
    pub fn new(
        committed: Committed,
        dialect: Dialect,
        patience: Patience,
        shutdown: WaitForCancellationFutureOwned,
    ) -> Self {
        let now = Instant::now();
        let mut stream = Self {
            dialect,
            ready: committed.held,
            source: Some(committed.source),
            last_event: (committed.reader.progress().events, now),
            reader: committed.reader,
            conversion: committed.conversion,
            call: Some(committed.call),
            spans: RequestSpans::default(),
            input_estimate: committed.input_estimate,
            ending: None,
            report: Report::default(),
            cut: false,
            patience,
            last_byte: now,
            last_sent: now,
            timer: Box::pin(tokio::time::sleep_until(
                now + patience.idle.min(patience.ping),
            )),
            shutdown: Box::pin(shutdown),
        };
        stream.look();
        stream
    }

    /// Tells the end of its request to `report`, which may have come already.
    pub fn report_to(&mut self, report: Report) {
        match self.ending.take() {
            Some(ending) => report.end(ending),
            None => self.report = report,
        }
    }

    /// Takes the request's spans over, which end with the stream.
    pub fn trace(&mut self, mut spans: RequestSpans) {
        spans.stream();
        if self.call.is_none() {
            spans.leave(None);
        }
        self.spans = spans;
    }

    /// Whether our own events can be put between the provider's.
    pub fn takes_events(&self) -> bool {
        self.conversion.is_translation() || self.reader.takes_events()
    }

    fn take(&mut self, chunk: Bytes) {
        self.last_byte = Instant::now();
        match self.reader.take(chunk) {
            Ok(part) => self.ready.push_back(self.conversion.events(part)),
            Err(error) => return self.fail(&error),
        }
        if let Some(error) = self.conversion.broken() {
            // The caller has read of it already.
            self.settle(Err(&error));
            self.source = None;
            return;
        }
        if self.reader.progress().events != self.last_event.0 {
            self.last_event = (self.reader.progress().events, self.last_byte);
        }
        self.look();
    }

    /// Acts on what the reader has seen.
    fn look(&mut self) {
        if let Some(error) = &self.reader.progress().error {
            let error = CallError::Api {
                status: error.status,
                message: error.message.clone(),
            };
            // In the caller's own dialect its words are on their way already.
            let told = match &error {
                CallError::Api { status, message } => self.conversion.failed(*status, message),
                _ => None,
            };
            self.settle(Err(&error));
            self.source = None;
            match told {
                Some(told) => self.ready.push_back(told),
                None => self.cut = !self.takes_events(),
            }
        } else if self.reader.progress().ended && self.call.is_some() {
            self.settle(Ok(()));
            self.timer.as_mut().reset(Instant::now() + LINGER);
        }
    }

    fn ended(&mut self, how: Result<(), CallError>) {
        let rest = self.reader.finish();
        self.ready.push_back(self.conversion.events(rest));
        if self.reader.progress().error.is_some() {
            return self.look();
        }
        if self.reader.is_whole() {
            self.settle(Ok(()));
            self.source = None;
            self.ready.push_back(self.conversion.end());
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
        if self.takes_events() {
            self.push_error(&error.to_string());
        } else {
            self.cut = true;
        }
    }

    fn settle(&mut self, how: Result<(), &CallError>) {
        let Some(mut call) = self.call.take() else {
            return;
        };
        note_usage(&mut call, &self.reader, self.input_estimate);
        self.spans.leave(how.err().map(ToString::to_string));
        let ending = match how {
            Ok(()) => {
                call.succeed();
                let calls = self.reader.progress().calls;
                Ending::Answered { calls }
            }
            Err(error) => {
                call.fail(error);
                let message = error.to_string();
                Ending::Failed { message }
            }
        };
        std::mem::take(&mut self.report).end(ending.clone());
        self.ending = Some(ending);
    }

    /// Waits for whichever comes first: a ping's time, the end of patience, the end of tundra.
    fn poll_clocks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.shutdown.as_mut().poll(cx).is_ready() {
            if self.reader.is_whole() {
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
        } else if self.takes_events() && !settled && now >= self.last_sent + self.patience.ping {
            self.ready.push_back(wire::ping(self.dialect));
            self.last_sent = now;
        }
        let mut next = self.last_byte + idle;
        if !settled {
            next = next.min(self.last_event.1 + idle * 2);
            if self.takes_events() {
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
        if self.takes_events() {
            self.push_error("tundra is shutting down");
        } else {
            self.cut = true;
        }
    }

    fn leave(&mut self) {
        if let Some(mut call) = self.call.take() {
            note_usage(&mut call, &self.reader, self.input_estimate);
            drop(call);
            drop(std::mem::take(&mut self.report));
        }
    }

    /// Tells the caller of a failure after everything that was passed on.
    fn push_error(&mut self, message: &str) {
        let next = self.reader.next_number();
        let told = self.conversion.failed(502, message);
        let own = || wire::error_event(self.dialect, message, next);
        self.ready.push_back(told.unwrap_or_else(own));
    }
}

fn note_usage(call: &mut UpstreamCall, reader: &StreamReader, input_estimate: u64) {
    let (usage, estimated) = reader.usage(input_estimate);
    call.used(usage, estimated);
}

impl http_body::Body for AnswerStream {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                if bytes.is_empty() {
                    continue;
                }
                this.last_sent = Instant::now();
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if std::mem::take(&mut this.cut) {
                return Poll::Ready(Some(Err(Cut)));
            }
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            match Pin::new(source).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(chunk) = frame.into_data() {
                        this.take(chunk);
                    }
                }
                Poll::Ready(Some(Err(error))) => this.ended(Err(body_error(&error))),
                Poll::Ready(None) => this.ended(Ok(())),
                Poll::Pending => ready!(this.poll_clocks(cx)),
            }
        }
    }
}

impl Drop for AnswerStream {
    fn drop(&mut self) {
        self.leave();
    }
}
