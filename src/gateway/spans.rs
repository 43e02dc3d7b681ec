//! The spans of one request, told once it is over: how it was planned, each attempt, and the stream.

use std::sync::Arc;

use jiff::Timestamp;

use super::request::IncomingRequest;
use crate::domain::trace::{Side, Span, SpanId, Trace, TraceId, Tracer, Value};

/// What a span is told as that was under way when its request was dropped.
const LEFT: &str = "the caller went away";

/// A request's spans so far; nothing at all where nobody wants them. Dropped, they are told.
#[derive(Debug, Default)]
pub struct RequestSpans(Option<Box<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    tracer: Arc<dyn Tracer>,
    trace: Trace,
    request: Span,
    /// The part that is under way.
    open: Option<Span>,
    /// The attempt that answered, which the stream belongs to.
    answered: Option<SpanId>,
}

impl RequestSpans {
    pub fn begin(tracer: Option<&Arc<dyn Tracer>>, request: &IncomingRequest) -> Self {
        let Some(tracer) = tracer.filter(|tracer| tracer.is_on()) else {
            return Self::default();
        };
        let mut span = new("request", Side::Server, None);
        span.attributes = vec![
            ("http.request.method", "POST".into()),
            (
                "url.path",
                request
                    .endpoint
                    .path(&request.summary.model)
                    .into_owned()
                    .into(),
            ),
            (
                "gen_ai.request.model",
                request.summary.model.as_str().into(),
            ),
            ("tundra.dialect", request.dialect().as_str().into()),
        ];
        Self(Some(Box::new(UnderWay {
            tracer: Arc::clone(tracer),
            trace: Trace {
                id: TraceId::random(),
                spans: Vec::new(),
            },
            request: span,
            open: None,
            answered: None,
        })))
    }

    /// Begins to look for somebody who can be asked.
    pub fn plan(&mut self) {
        self.enter("plan", Side::Internal);
    }

    /// Begins to ask a profile.
    pub fn attempt(&mut self, profile: &str, number: usize, dialect: &str) {
        self.enter("attempt", Side::Client);
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.set("tundra.profile", profile.into());
        self.set("tundra.attempt", number.into());
        self.set("tundra.dialect", dialect.into());
    }

    /// Begins to pass a stream on.
    pub fn stream(&mut self) {
        self.enter("stream", Side::Internal);
        if let Some(under_way) = &mut self.0
            && let (Some(open), Some(attempt)) = (&mut under_way.open, under_way.answered)
        {
            open.parent = Some(attempt);
        }
    }

    /// An answer is passed on that is here already, all at once; what nobody was asked for has none.
    pub fn whole(&mut self) {
        if self
            .0
            .as_ref()
            .is_some_and(|spans| spans.answered.is_some())
        {
            self.stream();
            self.leave(None);
        }
    }

    /// The attempt brought an answer of this status.
    pub fn answered(&mut self, status: u16) {
        self.set("http.response.status_code", i64::from(status).into());
        if let Some(under_way) = &mut self.0 {
            under_way.answered = under_way.open.as_ref().map(|span| span.id);
        }
        let failed = (status >= 400).then(|| format!("status {status}"));
        self.leave(failed);
    }

    /// Ends the part that is under way, with why it failed where it did.
    pub fn leave(&mut self, error: Option<String>) {
        if let Some(under_way) = &mut self.0
            && let Some(mut span) = under_way.open.take()
        {
            span.end = Timestamp::now();
            span.error = error;
            under_way.trace.spans.push(span);
        }
    }

    /// The caller gets an answer of this status.
    pub fn told(&mut self, status: u16, attempts: usize) {
        if let Some(under_way) = &mut self.0 {
            let attempts = i64::try_from(attempts).unwrap_or(i64::MAX);
            let request = &mut under_way.request;
            let status_code = i64::from(status);
            request
                .attributes
                .push(("http.response.status_code", status_code.into()));
            request
                .attributes
                .push(("tundra.attempts", attempts.into()));
            request.error = (status >= 500).then(|| format!("status {status}"));
        }
    }

    fn enter(&mut self, name: &'static str, side: Side) {
        self.leave(None);
        if let Some(under_way) = &mut self.0 {
            under_way.open = Some(new(name, side, Some(under_way.request.id)));
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        if let Some(under_way) = &mut self.0
            && let Some(open) = &mut under_way.open
        {
            open.attributes.push((name, value));
        }
    }
}

impl Drop for RequestSpans {
    fn drop(&mut self) {
        let is_left = self.0.as_ref().is_some_and(|spans| spans.open.is_some());
        self.leave(Some(LEFT.to_owned()));
        let Some(under_way) = self.0.take() else {
            return;
        };
        let UnderWay {
            tracer,
            mut trace,
            mut request,
            ..
        } = *under_way;
        request.end = Timestamp::now();
        if is_left {
            request.error.get_or_insert_with(|| LEFT.to_owned());
        }
        trace.spans.push(request);
        tracer.record(trace);
    }
}

fn new(name: &'static str, side: Side, parent: Option<SpanId>) -> Span {
    let now = Timestamp::now();
    Span {
        id: SpanId::random(),
        parent,
        name,
        side,
        start: now,
        end: now,
        attributes: Vec::new(),
        error: None,
    }
}
