//! What an attacker tries: a neighbour on the listener, a caller with a doubled key, a provider with headers for browsers.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tundra::domain::profile::TranslatedDialect;

use super::dialects::{self, delta, lifecycle, path, request};
use crate::support::eventually;
use crate::support::stage::{Got, SECRET, Stage, profile};
use crate::support::upstream::{Step, Upstream, answer, chunk, json, stream_head};

async fn stage() -> (Upstream, Stage) {
    let upstream = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
    (upstream, stage)
}

/// Sends bytes and reads until the other side closes.
async fn raw(stage: &Stage, bytes: &[u8]) -> String {
    let address = stage.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A peer that has closed already is what some of these are about.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .expect("it closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_has_five_seconds_and_32_kib() {
    let (upstream, stage) = stage().await;
    for slow in ["", "POST /v1/messages HTTP/1.1\r\nhost: local"] {
        let began = Instant::now();
        let told = raw(&stage, slow.as_bytes()).await;
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(4) && took < Duration::from_secs(20),
            "{took:?}"
        );
        assert!(!told.contains("200 OK"), "{told}");
    }
    let big = format!(
        "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx-big: {}\r\n\r\n",
        "x".repeat(40 * 1024)
    );
    let told = raw(&stage, big.as_bytes()).await;
    assert!(told.is_empty() || told.contains(" 431 "), "{told}");
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_rests_between_two_requests_for_longer_than_a_head_may_take() {
    let (_upstream, stage) = stage().await;
    let address = stage.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let health = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let mut answered = vec![0; 4096];
    for rest in [6, 0] {
        stream.write_all(health).await.unwrap();
        let length = stream.read(&mut answered).await.unwrap();
        assert!(String::from_utf8_lossy(&answered[..length]).starts_with("HTTP/1.1 200"));
        tokio::time::sleep(Duration::from_secs(rest)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ambiguous_heads_are_refused_and_two_lengths_close_the_connection() {
    let (upstream, stage) = stage().await;
    let key = stage.key.reveal();
    let ask = |target: &str, more: &str| {
        format!("GET {target} HTTP/1.1\r\nx-api-key: {key}\r\nconnection: close\r\n{more}\r\n")
    };
    for (head, status) in [
        (ask("/v1/models", "host: 127.0.0.1\r\n"), " 200 "),
        (
            ask("/v1/models", "host: 127.0.0.1\r\nhost: evil.example\r\n"),
            " 403 ",
        ),
        (
            ask("/v1/models", "host: evil.example@127.0.0.1\r\n"),
            " 403 ",
        ),
        (ask("/v1/models", "host: 127.0.0.1:+1\r\n"), " 403 "),
        (
            ask("http://evil.example/v1/models", "host: 127.0.0.1\r\n"),
            " 403 ",
        ),
        (
            ask(
                "/v1/models",
                "host: 127.0.0.1\r\norigin: http://localhost@evil.example\r\n",
            ),
            " 403 ",
        ),
        (
            ask(
                "/v1/models",
                "host: 127.0.0.1\r\norigin: http://localhost\r\norigin: http://evil.example\r\n",
            ),
            " 403 ",
        ),
    ] {
        let told = raw(&stage, head.as_bytes()).await;
        assert!(
            told.lines().next().unwrap_or_default().contains(status),
            "{head}{told}"
        );
    }
    let body = request(TranslatedDialect::Messages, false);
    // Not closed by the caller: the second request must never be read as one.
    let smuggled = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {key}\r\ncontent-length: 4\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        body.len()
    );
    let told = raw(&stage, smuggled.as_bytes()).await;
    assert_eq!(told.matches("HTTP/1.1 ").count(), 1, "{told}");
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_that_is_priced_is_the_one_that_every_reader_of_the_body_finds() {
    let (upstream, stage) = stage().await;
    let body = r#"{"model":"cheap","max_tokens":5,"mod\u0065l":"expensive","messages":[]}"#;
    let got = Got::of(stage.post("/v1/messages", body)).await;
    assert_eq!(got.status, 200);
    let sent = String::from_utf8(upstream.seen()[0].body.clone()).unwrap();
    assert_eq!(
        sent,
        r#"{"model":"expensive","max_tokens":5,"mod\u0065l":"expensive","messages":[]}"#
    );
    let attempts = stage.attempts("p");
    assert_eq!(
        (&*attempts[0].model, &*attempts[0].sent_model),
        ("expensive", "expensive")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_steers_a_browser_comes_back_from_a_provider() {
    let hostile = [
        ("set-cookie", "session=planted"),
        ("clear-site-data", "\"*\""),
        ("alt-svc", "h3=\":443\""),
        ("access-control-allow-origin", "*"),
        ("access-control-allow-credentials", "true"),
    ];
    for status in [200, 400] {
        let upstream = Upstream::start(answer(
            status,
            &hostile,
            dialects::answer(TranslatedDialect::Messages),
        ));
        let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
        let got =
            Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
        assert_eq!(got.status.as_u16(), status);
        for (name, _) in hostile {
            assert_eq!(got.header(name), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_provider_repeats_is_told_to_nobody() {
    let words = format!(
        "no {SECRET}\\u001b]52;c;AAAA\\u0007\\r\\nforged line {}",
        "x".repeat(5_000)
    );
    for dialect in dialects::ALL {
        let within = match dialect {
            TranslatedDialect::Messages => {
                format!(r#"{{"type":"error","error":{{"type":"api_error","message":"{words}"}}}}"#)
            }
            TranslatedDialect::Chat | TranslatedDialect::Responses => {
                format!(r#"{{"error":{{"code":"server_error","message":"{words}"}}}}"#)
            }
        };
        let event = format!("event: error\ndata: {within}\n\n");
        let mut committed = vec![stream_head(&[])];
        committed.extend(lifecycle(dialect).iter().map(chunk));
        committed.extend([
            chunk(delta(dialect, "Hi")),
            Step::Wait(Duration::from_millis(20)),
            chunk(&event),
            Step::Close,
        ]);
        for (script, streaming) in [
            (json(500, &within), false),
            (json(400, &within), false),
            (json(200, &within), false),
            (vec![stream_head(&[]), chunk(&event), Step::Close], true),
            (committed, true),
        ] {
            let upstream = Upstream::start(script);
            let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
            let got = Got::of(stage.post(path(dialect), request(dialect, streaming))).await;
            assert!(!got.text().contains(SECRET), "{dialect:?}: {}", got.text());
            let provider = eventually("the call is settled", || {
                Some(stage.provider("p")).filter(|provider| provider.in_flight == 0)
            });
            let told = provider.usage.last_error.unwrap().message;
            assert!(told.contains("no [redacted]"), "{dialect:?}: {told}");
            assert!(
                told.len() < 600 && !told.chars().any(char::is_control),
                "{told}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn informational_answers_without_end_are_the_next_ones_turn() {
    // What lies in the kernel's buffers of both sides was sent as well.
    const MOST: usize = 16 << 20;
    let hint = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";
    let flood = Upstream::start(vec![Step::Flood(hint.repeat(100))]);
    let good = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let stage = Stage::quick(vec![
        profile("flood", 1, &flood.url()),
        profile("good", 2, &good.url()),
    ])
    .await;
    let body = request(TranslatedDialect::Messages, false);
    let ask = || Got::of(stage.post(path(TranslatedDialect::Messages), body.clone()));
    let got = ask().await;
    assert_eq!((got.status.as_u16(), got.profile()), (200, Some("good")));
    eventually("the connection is closed", || {
        flood.seen()[0].gone.is_some()
    });
    let flooded = flood.seen()[0].flooded;
    assert!(flooded < MOST, "{flooded} bytes");
    let last = stage.provider("flood").usage.last_error.unwrap();
    let why = "HTTP error: informational answers without end";
    assert_eq!(last.message, why);

    // A few are heard and passed over.
    let mut few = hint.repeat(3);
    few.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    let whole = json(200, dialects::answer(TranslatedDialect::Messages));
    flood.usually([vec![Step::Send(few)], whole].concat());
    let got = ask().await;
    assert_eq!((got.status.as_u16(), got.profile()), (200, Some("flood")));
}
