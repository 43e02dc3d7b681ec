//! What each fault of a provider must come to: who answers, what the breaker hears, what is counted.

use std::time::Duration;

use tokio::task::JoinSet;
use tundra::domain::outcome::ErrorKind;
use tundra::domain::profile::TranslatedDialect;
use tundra::domain::route::ProviderState;

use super::dialects::{
    self, delta, empty_ending, ending, error_event, events, lifecycle, path, request, terminator,
};
use crate::support::eventually;
use crate::support::stage::{Got, SECRET, Stage};
use crate::support::upstream::{
    Script, Step, Upstream, answer, chunk, json, last_chunk, stream, stream_head,
};

/// What a fault of the first provider must come to.
#[derive(Clone, Debug)]
enum Want {
    /// The second provider answers, unseen.
    Elsewhere,
    /// The first one's answer goes back as it came.
    Passed(u16),
    /// tundra itself answers; nobody else is asked.
    Told(u16),
    /// The stream is committed and ends in an error event, with no terminator.
    Broken,
    /// The stream is committed and ends in the provider's own word that it failed, with no terminator.
    Ended,
    /// The first one answers as if nothing had been.
    Fine,
}

struct Row {
    name: &'static str,
    script: Script,
    want: Want,
    /// What is counted against the first provider.
    kind: Option<ErrorKind>,
    failures: u32,
    timeouts: u32,
}

fn row(name: &'static str, script: Script, want: Want, kind: impl Into<Option<ErrorKind>>) -> Row {
    let kind = kind.into();
    let counts = matches!(
        kind,
        Some(ErrorKind::Http | ErrorKind::Api | ErrorKind::Timeout | ErrorKind::Parse)
    ) && !matches!(want, Want::Passed(_));
    Row {
        name,
        script,
        want,
        failures: u32::from(counts),
        timeouts: u32::from(kind == Some(ErrorKind::Timeout)),
        kind,
    }
}

/// The provider does not take tundra's key: the next one's turn, and nobody's fault.
fn rejected(name: &'static str, script: Script) -> Row {
    Row {
        failures: 0,
        ..row(name, script, Want::Elsewhere, ErrorKind::Api)
    }
}

const HTML: &str = "<!doctype html><html><body>maintenance</body></html>";

/// Faults before there is an answer at all, the same whether it was to be a stream or not.
fn before_the_answer(dialect: TranslatedDialect) -> Vec<Row> {
    use ErrorKind::{Api, Http, RateLimited, Timeout};
    use Want::{Elsewhere, Passed};
    let error = |status| {
        json(
            status,
            r#"{"type":"error","error":{"type":"x","message":"no","code":"c"}}"#,
        )
    };
    let big = "x".repeat(70_000);
    vec![
        row("closed without a byte", vec![Step::Close], Elsewhere, Http),
        row("reset without a byte", vec![Step::Reset], Elsewhere, Http),
        row(
            "reset within the headers",
            vec![
                Step::Send(b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec()),
                Step::Wait(Duration::from_millis(20)),
                Step::Reset,
            ],
            Elsewhere,
            Http,
        ),
        row(
            "stall before the headers",
            vec![Step::Stall],
            Elsewhere,
            Timeout,
        ),
        row(
            "stall within the headers",
            vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Stall],
            Elsewhere,
            Timeout,
        ),
        row(
            "garbage",
            vec![
                Step::Send(b"\x16\x03\x01 this is no HTTP\r\n\r\n".to_vec()),
                Step::Close,
            ],
            Elsewhere,
            Http,
        ),
        row("500", error(500), Elsewhere, Api),
        row(
            "503 with a web page",
            answer(503, &[("content-type", "text/html")], HTML),
            Elsewhere,
            Api,
        ),
        row("529", error(529), Elsewhere, Api),
        row(
            "200 with a web page",
            answer(200, &[("content-type", "text/html")], HTML),
            Elsewhere,
            Http,
        ),
        row("200 with nothing", answer(200, &[], ""), Elsewhere, Http),
        row(
            "a redirect",
            answer(307, &[("location", "http://127.0.0.1:1/elsewhere")], ""),
            Elsewhere,
            Http,
        ),
        row(
            "headers of 70 kB",
            answer(200, &[("x-big", &big)], dialects::answer(dialect)),
            Elsewhere,
            Http,
        ),
        row("429", error(429), Elsewhere, RateLimited),
        row("400", error(400), Passed(400), Api),
        rejected("401", error(401)),
        rejected("402", error(402)),
        rejected("403", error(403)),
        row("404", error(404), Passed(404), Api),
        row("413", error(413), Passed(413), Api),
    ]
}

fn whole_answers(dialect: TranslatedDialect) -> Vec<Row> {
    use ErrorKind::{Http, Parse, Timeout};
    use Want::{Elsewhere, Told};
    let good = dialects::answer(dialect);
    let (half, _) = good.split_at(good.len() / 2);
    let short = |then: Step| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
            good.len()
        );
        vec![
            Step::Send(head.into_bytes()),
            Step::Wait(Duration::from_millis(20)),
            then,
        ]
    };
    let mut rows = before_the_answer(dialect);
    rows.extend([
        row(
            "cut short of its length",
            short(Step::Close),
            Elsewhere,
            Http,
        ),
        row("reset within the body", short(Step::Reset), Elsewhere, Http),
        row(
            "stall within the body",
            short(Step::Stall),
            Elsewhere,
            Timeout,
        ),
        row("JSON that ends early", json(200, half), Told(502), Parse),
        row("text instead of JSON", json(200, "oh no"), Told(502), Parse),
        row(
            "an error under a 200",
            json(200, in_band_answer(dialect)),
            Elsewhere,
            ErrorKind::Api,
        ),
        row(
            "an error under a 200 that says nothing more",
            json(200, silent_error(dialect)),
            Elsewhere,
            ErrorKind::Api,
        ),
        row(
            "a rate limit under a 200",
            json(200, rate_limit_within(dialect)),
            Elsewhere,
            ErrorKind::RateLimited,
        ),
        rejected("a rejected key under a 200", json(200, rejection_within(dialect))),
        // As gateways in front of a vendor tell it, whatever the dialect.
        row(
            "an error under a 200 that is a text alone",
            json(200, r#"{"error":"no capacity"}"#),
            Elsewhere,
            ErrorKind::Api,
        ),
        row(
            "a rate limit under a 200 that is a number",
            json(200, r#"{"error":{"code":429,"message":"slow"}}"#),
            Elsewhere,
            ErrorKind::RateLimited,
        ),
        row(
            "a body that drips",
            vec![
                Step::Send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{".to_vec()),
                Step::Drip(b' ', Duration::from_millis(50)),
            ],
            Elsewhere,
            Timeout,
        ),
        row(
            "a body of more than 32 MiB",
            json(200, vec![b' '; 33 * 1024 * 1024]),
            Told(502),
            Parse,
        ),
    ]);
    rows
}

fn in_band_answer(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => {
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#
        }
        TranslatedDialect::Chat => r#"{"error":{"message":"Overloaded","code":502}}"#,
        TranslatedDialect::Responses => {
            r#"{"id":"r","status":"failed","error":{"code":"server_error","message":"Overloaded"}}"#
        }
    }
}

/// A whole answer that failed and does not say why.
fn silent_error(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => r#"{"type":"message","content":[],"stop_reason":"error"}"#,
        TranslatedDialect::Chat => {
            r#"{"choices":[{"index":0,"message":{"content":""},"finish_reason":"error"}]}"#
        }
        TranslatedDialect::Responses => r#"{"id":"r","status":"failed","error":null,"output":[]}"#,
    }
}

fn rate_limit_within(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => {
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#
        }
        TranslatedDialect::Chat => {
            r#"{"choices":[{"index":0,"error":{"code":429,"message":"slow"},"finish_reason":"error"}]}"#
        }
        TranslatedDialect::Responses => {
            r#"{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}"#
        }
    }
}

fn rejection_within(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => {
            r#"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#
        }
        TranslatedDialect::Chat => r#"{"error":{"code":402,"message":"Insufficient credits"}}"#,
        TranslatedDialect::Responses => {
            r#"{"status":"failed","error":{"code":"invalid_api_key","message":"no"}}"#
        }
    }
}

/// The last event of a stream that failed and does not say why.
fn silent_error_event(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => {
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"error\"}}\n\n"
        }
        TranslatedDialect::Chat => {
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n"
        }
        TranslatedDialect::Responses => {
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\"}}\n\n"
        }
    }
}

/// Events that say that the provider is at work and nothing else.
fn waiting(dialect: TranslatedDialect) -> [&'static str; 3] {
    [
        ": OPENROUTER PROCESSING\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        match dialect {
            TranslatedDialect::Messages => {
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}}\n\n"
            }
            TranslatedDialect::Chat => {
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":null}]}\n\n"
            }
            TranslatedDialect::Responses => {
                "event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"response\":{\"status\":\"in_progress\"}}\n\n"
            }
        },
    ]
}

fn streams(dialect: TranslatedDialect) -> Vec<Row> {
    use ErrorKind::{Api, Http, RateLimited, Timeout};
    use Want::{Broken, Elsewhere, Fine};
    let started = |more: Vec<Step>| {
        let mut script = vec![stream_head(&[])];
        script.extend(lifecycle(dialect).iter().map(chunk));
        script.extend(more);
        script
    };
    let committed = |more: Vec<Step>| {
        let mut steps = vec![
            chunk(delta(dialect, "Hi")),
            Step::Wait(Duration::from_millis(20)),
        ];
        steps.extend(more);
        started(steps)
    };
    let end = || last_chunk();
    let cut_event = delta(dialect, "never whole");
    let (half, _) = cut_event.split_at(cut_event.len() / 2);
    let huge = delta(dialect, &"x".repeat(9 * 1024 * 1024));
    let mut rows = before_the_answer(dialect);
    rows.extend([
        row(
            "an empty stream",
            vec![stream_head(&[]), end()],
            Elsewhere,
            Http,
        ),
        row(
            "lifecycle and the end",
            started(vec![end()]),
            Elsewhere,
            Http,
        ),
        row(
            "an empty answer that is all there is",
            started(vec![chunk(empty_ending(dialect, false).concat()), end()]),
            Elsewhere,
            Http,
        ),
        row(
            "lifecycle and a close",
            started(vec![Step::Close]),
            Elsewhere,
            Http,
        ),
        row(
            "lifecycle and a reset",
            started(vec![Step::Wait(Duration::from_millis(20)), Step::Reset]),
            Elsewhere,
            Http,
        ),
        row(
            "lifecycle and a stall",
            started(vec![Step::Stall]),
            Elsewhere,
            Timeout,
        ),
        row(
            "lifecycle and a drip that never becomes an event",
            started(vec![
                Step::Send(b"fffff\r\n".to_vec()),
                Step::Drip(b'x', Duration::from_millis(50)),
            ]),
            Elsewhere,
            Timeout,
        ),
        row(
            "an overload as its first event",
            stream(&[error_event(dialect, true)]),
            Elsewhere,
            Api,
        ),
        row(
            "an overload after the lifecycle",
            started(vec![chunk(error_event(dialect, true)), end()]),
            Elsewhere,
            Api,
        ),
        row(
            "a rate limit as its first event",
            stream(&[error_event(dialect, false)]),
            Elsewhere,
            RateLimited,
        ),
        row(
            "an event of 9 MB before content",
            started(vec![chunk(&huge), end()]),
            Elsewhere,
            Http,
        ),
        row(
            "a thousand times nothing and a failure",
            started(
                (0..334)
                    .map(|_| chunk(waiting(dialect).concat()))
                    .chain([chunk(error_event(dialect, true)), end()])
                    .collect(),
            ),
            Elsewhere,
            Api,
        ),
        row(
            "an error before content that says nothing more",
            started(vec![chunk(silent_error_event(dialect)), end()]),
            Elsewhere,
            Api,
        ),
        row(
            "content and an error that says nothing more",
            committed(vec![chunk(silent_error_event(dialect)), end()]),
            Want::Ended,
            Api,
        ),
        row("content and the end", committed(vec![end()]), Broken, Http),
        row(
            "content and a close",
            committed(vec![Step::Close]),
            Broken,
            Http,
        ),
        row(
            "content and a reset",
            committed(vec![Step::Reset]),
            Broken,
            Http,
        ),
        row(
            "content and a stall",
            committed(vec![Step::Stall]),
            Broken,
            Timeout,
        ),
        row(
            "content and half an event",
            committed(vec![chunk(half), end()]),
            Broken,
            Http,
        ),
        row(
            "content and half an event and a stall",
            committed(vec![chunk(half), Step::Stall]),
            Broken,
            Timeout,
        ),
        row(
            "content and a drip that never becomes an event",
            committed(vec![
                Step::Send(b"fffff\r\n".to_vec()),
                Step::Drip(b'x', Duration::from_millis(50)),
            ]),
            Broken,
            Timeout,
        ),
        row(
            "content and garbage",
            committed(vec![Step::Send(b"not a chunk\r\n".to_vec()), Step::Close]),
            Broken,
            Http,
        ),
        row(
            "content and an overload",
            committed(vec![chunk(error_event(dialect, true)), end()]),
            Broken,
            Api,
        ),
        row(
            "content and an event of 9 MB",
            committed(vec![chunk(&huge), end()]),
            Broken,
            Http,
        ),
        row(
            "content, the terminator and no end",
            committed(
                ending(dialect)
                    .iter()
                    .map(chunk)
                    .chain([Step::Stall])
                    .collect(),
            ),
            Fine,
            None,
        ),
        row(
            "content, the terminator and a reset",
            committed(
                ending(dialect)
                    .iter()
                    .map(chunk)
                    .chain([Step::Wait(Duration::from_millis(20)), Step::Reset])
                    .collect(),
            ),
            Fine,
            None,
        ),
    ]);
    rows
}

async fn play(dialect: TranslatedDialect, streaming: bool, row: Row) {
    let name = format!("{} in {dialect:?}, streaming {streaming}", row.name);
    let first = Upstream::start(row.script.clone());
    let good = if streaming {
        stream(&events(dialect))
    } else {
        json(200, dialects::answer(dialect))
    };
    let second = Upstream::start(good);
    let stage = Stage::two(&first.url(), &second.url()).await;
    let got = Got::of(stage.post(path(dialect), request(dialect, streaming))).await;
    let text = got.text();
    match row.want {
        Want::Elsewhere => {
            assert_eq!(got.status, 200, "{name}: {text}");
            assert_eq!(
                (got.attempts(), got.profile()),
                ("2", Some("second")),
                "{name}"
            );
            let expected = if streaming {
                events(dialect).concat()
            } else {
                dialects::answer(dialect)
            };
            assert_eq!(text, expected, "{name}");
        }
        Want::Passed(status) => {
            assert_eq!(got.status, status, "{name}: {text}");
            assert_eq!(
                (got.attempts(), got.profile()),
                ("1", Some("first")),
                "{name}"
            );
            assert_eq!(
                text, r#"{"type":"error","error":{"type":"x","message":"no","code":"c"}}"#,
                "{name}"
            );
        }
        Want::Told(status) => {
            assert_eq!(got.status, status, "{name}: {text}");
            assert_eq!(
                (got.attempts(), got.profile()),
                ("1", Some("first")),
                "{name}"
            );
            assert!(
                got.json()["error"]["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("parse error: "),
                "{name}: {text}"
            );
        }
        Want::Broken => {
            assert_eq!(got.status, 200, "{name}");
            assert_eq!(
                (got.attempts(), got.profile()),
                ("1", Some("first")),
                "{name}"
            );
            let begin = lifecycle(dialect).concat() + &delta(dialect, "Hi");
            assert!(text.starts_with(&begin), "{name}: {text}");
            assert!(text[begin.len()..].contains("\"error\""), "{name}: {text}");
            assert!(
                text.ends_with("\n\n") && !text.contains(terminator(dialect)),
                "{name}: {text}"
            );
            assert!(!got.cut, "{name}");
        }
        Want::Ended => {
            assert_eq!(got.status, 200, "{name}");
            let expected =
                lifecycle(dialect).concat() + &delta(dialect, "Hi") + silent_error_event(dialect);
            assert_eq!(text, expected, "{name}");
        }
        Want::Fine => {
            assert_eq!(got.status, 200, "{name}");
            let expected =
                lifecycle(dialect).concat() + &delta(dialect, "Hi") + &ending(dialect).concat();
            assert_eq!(text, expected, "{name}");
        }
    }
    assert_eq!(first.requests(), 1, "{name}: the first is asked once");
    assert_eq!(
        second.requests(),
        usize::from(matches!(row.want, Want::Elsewhere)),
        "{name}: the second"
    );
    let provider = eventually(&format!("{name}: all calls are settled"), || {
        Some(stage.provider("first")).filter(|provider| provider.in_flight == 0)
    });
    assert_eq!(provider.usage.counters.requests, 1, "{name}");
    let errors = provider.usage.counters.errors;
    assert_eq!(
        errors.total(),
        u64::from(row.kind.is_some()),
        "{name}: {errors:?}"
    );
    assert_eq!(
        row.kind.map_or(0, |kind| errors.of(kind)),
        u64::from(row.kind.is_some()),
        "{name}: {errors:?}"
    );
    assert_eq!(
        (provider.breaker.failures, provider.breaker.timeouts),
        (row.failures, row.timeouts),
        "{name}: the breaker's streaks"
    );
    let cooling = row.kind == Some(ErrorKind::RateLimited);
    assert_eq!(
        provider.state == ProviderState::Cooling,
        cooling,
        "{name}: {:?}",
        provider.state
    );
    assert!(
        !text.contains(SECRET) && !text.contains(stage.key.reveal()),
        "{name}: a key is told"
    );
}

async fn play_all(rows: impl Fn(TranslatedDialect) -> Vec<Row>, streaming: bool) {
    let mut plays = JoinSet::new();
    for dialect in dialects::ALL {
        for row in rows(dialect) {
            plays.spawn(play(dialect, streaming, row));
            // Enough at a time that waits overlap, few enough that they stay true on two cores.
            if plays.len() >= 8 {
                plays.join_next().await.unwrap().unwrap();
            }
        }
    }
    while let Some(played) = plays.join_next().await {
        played.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_whole_answer_comes_to_what_it_must() {
    play_all(whole_answers, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_stream_comes_to_what_it_must() {
    play_all(streams, true).await;
}
