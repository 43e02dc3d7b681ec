//! The messages of OTLP that are sent, as protobuf writes them: `ExportTraceServiceRequest` of
//! <https://github.com/open-telemetry/opentelemetry-proto> 1.x, and what is in it.

use jiff::Timestamp;

use crate::domain::trace::{Side, Span, Trace, Value};

const SERVICE: &str = "tundra";

/// The body of a request with these traces.
pub(super) fn request(traces: &[Trace], version: &str) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, &resource_spans(traces, version));
    request.0
}

fn resource_spans(traces: &[Trace], version: &str) -> Message {
    let mut resource = Message::default();
    resource.message(1, &attribute("service.name", &SERVICE.into()));
    resource.message(1, &attribute("service.version", &version.into()));
    let mut scope = Message::default();
    scope.text(1, SERVICE);
    scope.text(2, version);
    let mut scope_spans = Message::default();
    scope_spans.message(1, &scope);
    for trace in traces {
        for one in &trace.spans {
            scope_spans.message(2, &span(trace, one));
        }
    }
    let mut spans = Message::default();
    spans.message(1, &resource);
    spans.message(2, &scope_spans);
    spans
}

fn span(trace: &Trace, span: &Span) -> Message {
    let mut message = Message::default();
    message.bytes(1, &trace.id.0);
    message.bytes(2, &span.id.0);
    if let Some(parent) = span.parent {
        message.bytes(4, &parent.0);
    }
    message.text(5, span.name);
    message.number(
        6,
        match span.side {
            Side::Internal => 1,
            Side::Server => 2,
            Side::Client => 3,
        },
    );
    message.fixed64(7, nanos(span.start));
    message.fixed64(8, nanos(span.end));
    for (name, value) in &span.attributes {
        message.message(9, &attribute(name, value));
    }
    if let Some(error) = &span.error {
        let mut status = Message::default();
        status.text(2, error);
        status.number(3, 2);
        message.message(15, &status);
    }
    message
}

fn attribute(name: &str, value: &Value) -> Message {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.text(1, text),
        Value::Number(number) => any.number(3, number.cast_unsigned()),
    }
    let mut message = Message::default();
    message.text(1, name);
    message.message(2, &any);
    message
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

/// A message of protobuf, field by field (<https://protobuf.dev/programming-guides/encoding/>).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    const VARINT: u64 = 0;
    const FIXED64: u64 = 1;
    const LENGTH: u64 = 2;

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | Self::VARINT);
        self.varint(number);
    }

    fn fixed64(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | Self::FIXED64);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | Self::LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }

    fn varint(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or_default();
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trace::{SpanId, TraceId};

    #[test]
    fn numbers_and_texts_are_written_as_protobuf_has_them() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        assert_eq!(message.0, b"\x08\x96\x01\x12\x07testing");
    }

    #[test]
    fn a_span_has_its_ids_times_and_status() {
        let one = Span {
            id: SpanId([2; 8]),
            parent: Some(SpanId([3; 8])),
            name: "attempt",
            side: Side::Client,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::from_second(1).unwrap(),
            attributes: Vec::new(),
            error: Some("no".to_owned()),
        };
        let trace = Trace {
            id: TraceId([1; 16]),
            spans: Vec::new(),
        };
        let mut expected = b"\x0a\x10".to_vec();
        expected.extend([1; 16]);
        expected.extend(b"\x12\x08");
        expected.extend([2; 8]);
        expected.extend(b"\x22\x08");
        expected.extend([3; 8]);
        expected.extend(b"\x2a\x07attempt\x30\x03\x39");
        expected.extend(0_u64.to_le_bytes());
        expected.push(0x41);
        expected.extend(1_000_000_000_u64.to_le_bytes());
        expected.extend(b"\x7a\x06\x12\x02no\x18\x02");
        assert_eq!(span(&trace, &one).0, expected);
    }
}
