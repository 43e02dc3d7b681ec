//! What a Messages caller reads of a Chat provider's odd streams, judged by the reader that the tests use.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tundra::domain::profile::TranslatedDialect;

use super::arm::Arm;
use super::strict::{self, Said};

/// One stream of a provider's and what its caller should read.
struct Case {
    name: &'static str,
    events: &'static [&'static str],
    ends: Ends,
    line_end: &'static str,
    reads: fn(u16, Result<Said, String>) -> Result<(), String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Well,
    /// The connection breaks.
    Cut,
}

const ROLE: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const HI: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const CALLED: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
const USAGE: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":60}}}"#;
const DONE: &str = "[DONE]";

macro_rules! delta {
    ($delta:literal) => {
        concat!(
            r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":"#,
            $delta,
            r#","finish_reason":null}]}"#
        )
    };
}

#[allow(clippy::too_many_lines, reason = "a table of streams is one table")]
fn cases() -> Vec<Case> {
    let case = |name, events, reads| Case {
        name,
        events,
        ends: Ends::Well,
        line_end: "\n",
        reads,
    };
    let says_hi: fn(u16, Result<Said, String>) -> Result<(), String> = |_, said| {
        let said = said?;
        same("text", &said.text, "Hi")?;
        same("end", &said.end, "end_turn")?;
        used(&said)
    };
    let fails: fn(u16, Result<Said, String>) -> Result<(), String> = |_, said| {
        let said = said?;
        said.error.ok_or("no error")?;
        Ok(())
    };
    vec![
        case(
            "content with `tool_calls: []`",
            &[
                ROLE,
                delta!(r#"{"content":"Hi","tool_calls":[]}"#),
                STOP,
                USAGE,
                DONE,
            ],
            says_hi,
        ),
        case(
            "reasoning, text, split arguments",
            &[
                delta!(r#"{"role":"assistant","reasoning_content":"hm"}"#),
                HI,
                delta!(
                    r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"read","arguments":""}}]}"#
                ),
                delta!(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}"#),
                delta!(r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#),
                CALLED,
                USAGE,
                DONE,
            ],
            |_, said| {
                let said = said?;
                same("reasoning", &said.reasoning, "hm")?;
                same("text", &said.text, "Hi")?;
                same("calls", &calls(&said), "read {\"a\":1}")?;
                used(&said)
            },
        ),
        case(
            "two calls interleaved",
            &[
                ROLE,
                delta!(
                    r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"read","arguments":"{\"a\""}}]}"#
                ),
                delta!(
                    r#"{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"write","arguments":"{\"b\""}}]}"#
                ),
                delta!(r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#),
                delta!(r#"{"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]}"#),
                CALLED,
                USAGE,
                DONE,
            ],
            |_, said| same("calls", &calls(&said?), "read {\"a\":1}, write {\"b\":2}"),
        ),
        case(
            "error chunk in the middle",
            &[ROLE, HI, r#"{"error":{"message":"gone","code":502}}"#, DONE],
            fails,
        ),
        Case {
            ends: Ends::Cut,
            ..case("socket cut", &[ROLE, HI], fails)
        },
        case(
            "tool without arguments",
            &[
                ROLE,
                delta!(
                    r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"list","arguments":""}}]}"#
                ),
                CALLED,
                USAGE,
                DONE,
            ],
            |_, said| same("calls", &calls(&said?), "list {}"),
        ),
        case("no `[DONE]`", &[ROLE, HI, STOP, USAGE], says_hi),
        Case {
            line_end: "\r\n",
            ..case(
                "CRLF and comments",
                &[ROLE, ": hello", HI, STOP, USAGE, DONE],
                says_hi,
            )
        },
        case(
            "the whole answer in one event",
            &[
                r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":60}}}"#,
                DONE,
            ],
            says_hi,
        ),
        // Last, since whoever heeds it leaves the provider alone for a while.
        case(
            "first event is an error 429",
            &[
                r#"{"error":{"message":"slow down","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#,
            ],
            |status, _| same("status", &status.to_string(), "429"),
        ),
    ]
}

fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}"))
    }
}

fn calls(said: &Said) -> String {
    let compact = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text)
            .map_or_else(|_| text.to_owned(), |value| value.to_string())
    };
    let each = said
        .calls
        .iter()
        .map(|(_, name, arguments)| format!("{name} {}", compact(arguments)));
    each.collect::<Vec<_>>().join(", ")
}

fn used(said: &Said) -> Result<(), String> {
    let usage = &said.usage;
    let input = usage["input_tokens"].as_u64().unwrap_or_default()
        + usage["cache_read_input_tokens"]
            .as_u64()
            .unwrap_or_default();
    same("input tokens", &input.to_string(), "100")?;
    same("output tokens", &usage["output_tokens"].to_string(), "7")
}

/// A provider that streams the case that its request names.
pub fn run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || converse(stream));
    }
}

fn converse(mut stream: TcpStream) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let mut chunk = [0; 8_192];
        let head = loop {
            if let Some(head) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
                if buffer.len() >= head + 4 + length {
                    break head + 4 + length;
                }
            }
            match stream.read(&mut chunk).ok()? {
                0 => return None,
                count => buffer.extend_from_slice(&chunk[..count]),
            }
        };
        let request = String::from_utf8_lossy(&buffer[..head]).into_owned();
        buffer.drain(..head);
        let number = request
            .split("case-")
            .nth(1)?
            .split('-')
            .next()?
            .parse::<usize>()
            .ok()?;
        let case = cases().into_iter().nth(number)?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).ok()?;
        for event in case.events {
            let line = if event.starts_with(':') {
                (*event).to_owned()
            } else {
                format!("data: {event}")
            };
            let text = format!("{line}{0}{0}", case.line_end);
            stream
                .write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
                .ok()?;
            std::thread::sleep(Duration::from_millis(5));
        }
        if case.ends == Ends::Cut {
            return None;
        }
        stream.write_all(b"0\r\n\r\n").ok()?;
    }
}

/// Asks every arm for every case and prints what was read.
pub fn table(arms: &[&Arm]) {
    let names: Vec<&str> = arms.iter().map(|arm| arm.name).collect();
    println!("| upstream stream | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(arms.len()));
    for (number, case) in cases().iter().enumerate() {
        let cells: Vec<String> = arms
            .iter()
            .map(|arm| match ask(arm, number) {
                None => "no answer".to_owned(),
                Some((status, body)) => {
                    match (case.reads)(status, strict::read(TranslatedDialect::Messages, &body)) {
                        Ok(()) => "ok".to_owned(),
                        Err(fault) => {
                            eprintln!(
                                "{}: {}: {fault}\n{}",
                                case.name,
                                arm.name,
                                String::from_utf8_lossy(&body)
                            );
                            fault.chars().take(60).collect()
                        }
                    }
                }
            })
            .collect();
        println!("| {} | {} |", case.name, cells.join(" | "));
    }
}

/// Status and body, without its chunks.
fn ask(arm: &Arm, number: usize) -> Option<(u16, Vec<u8>)> {
    let body = format!(
        r#"{{"model":"some-model","max_tokens":100,"stream":true,"messages":[{{"role":"user","content":"case-{number}-"}}],"tools":[{{"name":"read","input_schema":{{"type":"object"}}}}]}}"#
    );
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: {}\r\nx-api-key: {1}\r\nauthorization: Bearer {1}\r\nanthropic-version: 2023-06-01\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {2}\r\n\r\n{body}",
        arm.address,
        arm.key,
        body.len()
    );
    let mut stream = TcpStream::connect(&arm.address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let head = memchr::memmem::find(&answer, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let status = text.get(9..12)?.parse().ok()?;
    let mut rest = answer.get(head..)?;
    if !text.contains("transfer-encoding: chunked") {
        return Some((status, rest.to_vec()));
    }
    let mut body = Vec::new();
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
    Some((status, body))
}
