//! What leaves for others: traces for a collector, and lines for systemd's journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::upstream::{self, Script, Upstream};
use crate::support::{Home, Serve, eventually};

/// A field of a protobuf message.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Field {
    fn message(&self) -> Vec<(u64, Field)> {
        match self {
            Self::Bytes(bytes) => fields(bytes),
            Self::Number(_) => panic!("no message"),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Self::Number(number) => number.to_string(),
        }
    }
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (first, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            number |= u64::from(first & 0x7f) << shift;
            shift += 7;
            if first & 0x80 == 0 {
                return number;
            }
        }
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (number, rest) = bytes.split_at(8);
                bytes = rest;
                Field::Number(u64::from_le_bytes(number.try_into().unwrap()))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (content, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(content.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, field));
    }
    found
}

fn all(message: &[(u64, Field)], number: u64) -> Vec<Field> {
    let found = message.iter().filter(|(key, _)| *key == number);
    found.map(|(_, field)| field.clone()).collect()
}

fn one(message: &[(u64, Field)], number: u64) -> Option<Field> {
    all(message, number).into_iter().next()
}

fn attributes(message: &[(u64, Field)], number: u64) -> BTreeMap<String, String> {
    let pairs = all(message, number).into_iter().map(|pair| {
        let pair = pair.message();
        let value = one(&pair, 2).unwrap().message();
        (one(&pair, 1).unwrap().text(), value[0].1.text())
    });
    pairs.collect()
}

#[derive(Debug)]
struct Span {
    trace: Field,
    id: Field,
    parent: Option<Field>,
    name: String,
    start: u64,
    end: u64,
    attributes: BTreeMap<String, String>,
    /// Code and message.
    status: Option<(u64, String)>,
}

/// The spans that a collector got, and the service that they are of.
fn collected(collector: &Upstream) -> (Vec<Span>, String) {
    let (mut spans, mut service) = (Vec::new(), String::new());
    for seen in collector.seen() {
        assert_eq!(seen.path(), "/v1/traces");
        assert_eq!(seen.header("content-type"), Some("application/x-protobuf"));
        for resource in all(&fields(&seen.body), 1) {
            let resource = resource.message();
            let about = attributes(&one(&resource, 1).unwrap().message(), 1);
            service.clone_from(&about["service.name"]);
            for scope in all(&resource, 2) {
                spans.extend(all(&scope.message(), 2).iter().map(span));
            }
        }
    }
    (spans, service)
}

fn span(field: &Field) -> Span {
    let message = field.message();
    let number = |key| match one(&message, key) {
        Some(Field::Number(number)) => number,
        other => panic!("{other:?}"),
    };
    let status = one(&message, 15).map(|status| {
        let status = status.message();
        let Some(Field::Number(code)) = one(&status, 3) else {
            panic!("no code");
        };
        (code, one(&status, 2).unwrap().text())
    });
    Span {
        trace: one(&message, 1).unwrap(),
        id: one(&message, 2).unwrap(),
        parent: one(&message, 4),
        name: one(&message, 5).unwrap().text(),
        start: number(7),
        end: number(8),
        attributes: attributes(&message, 9),
        status,
    }
}

fn streamed() -> Script {
    let event = |data: &str| {
        let kind = data.split('"').nth(3).unwrap();
        format!("event: {kind}\ndata: {data}\n\n")
    };
    upstream::stream(&[
        event(
            r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}"#,
        ),
        event(
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        event(
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hello"}}"#,
        ),
        event(r#"{"type":"content_block_stop","index":0}"#),
        event(
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
        ),
        event(r#"{"type":"message_stop"}"#),
    ])
}

fn config(collector: &str, first: &Upstream, second: &Upstream) -> String {
    let profile = |name: &str, priority: u8, upstream: &Upstream| {
        format!(
            "[[profile]]\nname = \"{name}\"\nprovider = \"local\"\npriority = {priority}\nbase_url = \"{}\"\n\
             dialect = [\"messages\"]\n",
            upstream.url()
        )
    };
    format!(
        "[gateway]\nbind = \"127.0.0.1:0\"\n[remote]\nenabled = false\n[logging]\nlevel = \"error\"\n\
         otlp_endpoint = \"{collector}\"\n{}{}",
        profile("first", 1, first),
        profile("second", 2, second)
    )
}

const PROMPT: &str = "a prompt that nobody else is to read";

#[test]
fn a_request_is_traced_with_its_plan_attempts_and_stream() {
    let collector = Upstream::start(upstream::answer(200, &[], ""));
    let failing = Upstream::start(upstream::json(500, r#"{"error":{"message":"broken"}}"#));
    let second = Upstream::start(streamed());
    let tundra = Serve::with_config(&config(&collector.url(), &failing, &second));
    assert_eq!(tundra.cli(&["ask", PROMPT]).ok().trim(), "hello");
    eventually("the trace is sent", || collector.requests() > 0);
    let (spans, service) = collected(&collector);
    assert_eq!(service, "tundra");
    let mut kinds: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        ["attempt", "attempt", "plan", "plan", "request", "stream"]
    );
    let named = |name: &str| {
        spans
            .iter()
            .filter(|span| span.name == name)
            .collect::<Vec<_>>()
    };
    let (request, attempts, stream) = (named("request")[0], named("attempt"), named("stream")[0]);
    assert_eq!(request.parent, None);
    for span in &spans {
        assert_eq!(span.trace, request.trace);
        assert!(span.start <= span.end && request.start <= span.start && span.end <= request.end);
    }
    for span in attempts.iter().chain(&named("plan")) {
        assert_eq!(span.parent.as_ref(), Some(&request.id));
    }
    assert_eq!(attempts[0].attributes["tundra.profile"], "first");
    let (code, why) = attempts[0].status.clone().unwrap();
    assert_eq!((code, why.as_str()), (2, "API error (status 500): broken"));
    assert_eq!(attempts[1].attributes["tundra.profile"], "second");
    assert_eq!(attempts[1].status, None);
    assert_eq!(stream.parent.as_ref(), Some(&attempts[1].id));
    assert_eq!(request.attributes["tundra.attempts"], "2");
    assert_eq!(request.attributes["http.response.status_code"], "200");
    for seen in collector.seen() {
        assert!(!String::from_utf8_lossy(&seen.body).contains(PROMPT));
    }
}

#[test]
fn what_waits_is_sent_at_the_end_and_a_collector_that_is_down_harms_no_request() {
    let collector = Upstream::start(upstream::answer(200, &[], ""));
    let (first, second) = (Upstream::start(streamed()), Upstream::start(streamed()));
    let down = format!("http://{}", Upstream::refused());
    let mut tundra = Serve::with_config(&config(&down, &first, &second));
    for _ in 0..3 {
        assert_eq!(tundra.cli(&["ask", "hi"]).ok().trim(), "hello");
    }
    tundra
        .home
        .configure(&config(&collector.url(), &first, &second));
    eventually("the collector is used", || {
        tundra.cli(&["ask", "hi"]).ok();
        collector.requests() > 0
    });
    let before = collected(&collector).0.len();
    tundra.cli(&["ask", "hi"]).ok();
    tundra.end(Signal::TERM);
    assert!(collected(&collector).0.len() > before);
}

#[test]
fn a_collector_that_was_away_gets_what_came_meanwhile() {
    let collector = Upstream::start(upstream::answer(503, &[("retry-after", "0")], ""));
    let (first, second) = (Upstream::start(streamed()), Upstream::start(streamed()));
    let tundra = Serve::with_config(&config(&collector.url(), &first, &second));
    tundra.cli(&["ask", "hi"]).ok();
    eventually("it is asked in vain", || collector.requests() > 1);
    // Nobody waits for it, and what comes now is sent after it.
    tundra.cli(&["ask", "hi"]).ok();
    tundra.cli(&["ask", "hi"]).ok();
    collector.usually(upstream::answer(200, &[], ""));
    let traces = || {
        let (spans, _) = collected(&collector);
        let ids = spans.iter().map(|span| format!("{:?}", span.trace));
        ids.collect::<BTreeSet<String>>().len()
    };
    eventually("every trace arrives", || traces() == 3);
}

#[test]
fn a_whole_answer_is_passed_on_in_a_span_too() {
    let collector = Upstream::start(upstream::answer(200, &[], ""));
    let body = r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let whole = upstream::json(200, body);
    let (first, second) = (Upstream::start(whole.clone()), Upstream::start(whole));
    let tundra = Serve::with_config(&config(&collector.url(), &first, &second));
    let key = fs::read_to_string(tundra.home.path().join("state/gateway.key")).unwrap();
    let gateway = tundra.ready()["gateway_url"].as_str().unwrap();
    let mut stream = TcpStream::connect(gateway.trim_start_matches("http://")).unwrap();
    let asked = r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    write!(
        stream,
        "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-tundra-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{asked}",
        key.trim(),
        asked.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(body), "{answer}");
    eventually("the trace is sent", || collector.requests() > 0);
    let (spans, _) = collected(&collector);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["plan", "attempt", "stream", "request"]);
    assert_eq!(spans[2].parent.as_ref(), Some(&spans[1].id));
    assert!(spans.iter().all(|span| span.status.is_none()), "{spans:?}");
}

/// Reads the fields of the journal's own protocol.
fn entry(mut datagram: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while !datagram.is_empty() {
        let end = datagram.iter().position(|byte| *byte == b'\n').unwrap();
        let line = String::from_utf8_lossy(&datagram[..end]).into_owned();
        datagram = &datagram[end + 1..];
        if let Some((name, value)) = line.split_once('=') {
            fields.insert(name.to_owned(), value.to_owned());
            continue;
        }
        let (length, rest) = datagram.split_at(8);
        let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
        let value = String::from_utf8_lossy(&rest[..length]).into_owned();
        fields.insert(line, value);
        datagram = &rest[length + 1..];
    }
    fields
}

#[test]
fn lines_go_to_the_journal_with_its_priorities_while_it_is_wanted() {
    let home = Home::new();
    let path = home.path().join("journal");
    let receiver = UnixDatagram::bind(&path).unwrap();
    receiver
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let quiet = "[gateway]\nenabled = false\n[remote]\nenabled = false\n";
    home.configure(&format!("{quiet}[logging]\njournald = true\n"));
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("TUNDRA_JOURNAL_SOCKET", &path);
    let tundra = Serve::from(home, command);
    let next = || {
        let mut buffer = vec![0; 1 << 17];
        let length = receiver.recv(&mut buffer).unwrap();
        entry(&buffer[..length])
    };
    let until = |text: &str| loop {
        let entry = next();
        if entry["MESSAGE"].contains(text) {
            return entry;
        }
    };
    let started = until("tundra started");
    assert_eq!(started["SYSLOG_IDENTIFIER"], "tundra");
    assert_eq!(started["PRIORITY"], "6");
    assert_eq!(started["TARGET"], "tundra::app::rooms");
    assert_eq!(started["F_PID"], tundra.pid().to_string());
    tundra.home.configure("nonsense = 1\n");
    assert_eq!(until("configuration refused")["PRIORITY"], "4");
    let id = tundra.sh("exit");
    assert_eq!(until("terminal ended")["PRIORITY"], "7");
    // A journal that takes nothing holds nobody up.
    drop(receiver);
    tundra.wait_exit(&id);
    tundra.wait_exit(&tundra.sh("exit"));
}
