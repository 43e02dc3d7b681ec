//! Streams that take their time, and many at once.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tundra::domain::profile::TranslatedDialect;

use super::dialects::{
    self, delta, empty_ending, ending, error_event, events, lifecycle, path, request, terminator,
};
use crate::support::eventually;
use crate::support::stage::{Got, Stage, profile, quick};
use crate::support::upstream::{
    Step, Upstream, answer, chunk, json, last_chunk, stream, stream_head,
};

fn patient() -> tundra::gateway::Options {
    let mut options = quick();
    options.timeouts.first_byte = Duration::from_secs(20);
    options.timeouts.stream_idle = Duration::from_secs(20);
    options.ping_every = Duration::from_millis(150);
    options
}

fn ping(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        TranslatedDialect::Chat | TranslatedDialect::Responses => ": ping\n\n",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_provider_is_bridged_with_pings() {
    for dialect in dialects::ALL {
        let mut script = vec![stream_head(&[])];
        script.extend(lifecycle(dialect).iter().map(chunk));
        let (first, second) = delta(dialect, "Hi")
            .split_at(20)
            .pipe(|(a, b)| (a.to_owned(), b.to_owned()));
        script.extend([
            chunk(delta(dialect, "x")),
            chunk(first),
            Step::Wait(Duration::from_millis(500)),
            chunk(second),
        ]);
        script.extend(ending(dialect).iter().map(chunk));
        script.push(last_chunk());
        let (_upstream, stage) = Stage::before_with(patient(), script).await;
        let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
        let text = got.text();
        let pings = text.matches(ping(dialect)).count();
        assert!((2..=4).contains(&pings), "{dialect:?}: {text}");
        let expected = lifecycle(dialect).concat()
            + &delta(dialect, "x")
            + &delta(dialect, "Hi")
            + &ending(dialect).concat();
        assert_eq!(text.replace(ping(dialect), ""), expected);
    }
}

trait Pipe: Sized {
    fn pipe<T>(self, with: impl FnOnce(Self) -> T) -> T {
        with(self)
    }
}
impl<T> Pipe for T {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_fails_over_behind_pings() {
    for dialect in dialects::ALL {
        let slow = Upstream::start(vec![Step::Wait(Duration::from_millis(400)), Step::Close]);
        let good = Upstream::start(stream(&events(dialect)));
        let stage = Stage::with(
            patient(),
            vec![
                profile("slow", 1, &slow.url()),
                profile("good", 2, &good.url()),
            ],
        )
        .await;
        let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
        assert_eq!(
            (got.status.as_u16(), got.header("content-type")),
            (200, Some("text/event-stream"))
        );
        assert_eq!(got.attempts(), "1", "as of the head");
        let text = got.text();
        assert!(text.starts_with(ping(dialect)), "{text}");
        assert_eq!(
            text.replace(ping(dialect), ""),
            events(dialect).concat().replace(ping(dialect), "")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_after_pings_is_an_event_and_no_success() {
    for dialect in dialects::ALL {
        for script in [
            answer(500, &[], "broken"),
            json(
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"broken"}}"#,
            ),
        ] {
            let mut late = vec![Step::Wait(Duration::from_millis(400))];
            late.extend(script);
            let (_upstream, stage) = Stage::before_with(patient(), late).await;
            let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
            let text = got.text();
            assert_eq!(got.status, 200);
            assert!(
                text.contains("\"error\"") && text.contains("broken"),
                "{text}"
            );
            assert!(!text.contains(terminator(dialect)), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_tell_something_are_held_until_they_are_too_much() {
    // More than 2 MiB of lifecycle, then a failure: by then the stream has been let go.
    let filler = "x".repeat(1024 * 1024);
    let created = format!(
        "event: response.created\ndata: {{\"type\":\"response.created\",\"response\":{{\"instructions\":\"{filler}\"}}}}\n\n"
    );
    let script = vec![
        stream_head(&[]),
        chunk(&created),
        chunk(&created),
        Step::Wait(Duration::from_millis(20)),
        Step::Close,
    ];
    let first = Upstream::start(script);
    let second = Upstream::start(stream(&events(TranslatedDialect::Responses)));
    let stage = Stage::two(&first.url(), &second.url()).await;
    let got =
        Got::of(stage.post("/v1/responses", request(TranslatedDialect::Responses, true))).await;
    assert_eq!((got.attempts(), second.requests()), ("1", 0));
    let failed = "\"type\":\"response.failed\"";
    assert!(got.text().contains(failed) && !got.text().contains("response.completed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_known_by_its_bytes_and_passes_at_once() {
    for dialect in dialects::ALL {
        for media in [
            Some("text/plain"),
            Some("application/json"),
            Some("application/octet-stream"),
            None,
        ] {
            let kind = media.map_or(String::new(), |media| format!("content-type: {media}\r\n"));
            let head = format!("HTTP/1.1 200 OK\r\n{kind}transfer-encoding: chunked\r\n\r\n");
            let mut script = vec![Step::Send(head.into_bytes())];
            script.extend(lifecycle(dialect).iter().map(chunk));
            script.push(chunk(delta(dialect, "Hi")));
            // It would take longer than the client waits, were it read whole first.
            script.push(Step::Stall);
            let upstream = Upstream::start(script);
            let stage = Stage::with(patient(), vec![profile("p", 1, &upstream.url())]).await;
            let mut response = stage
                .post(path(dialect), request(dialect, true))
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 200, "{media:?}");
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let expected = lifecycle(dialect).concat() + &delta(dialect, "Hi");
            let mut text = String::new();
            while text.len() < expected.len() {
                let next = tokio::time::timeout(Duration::from_secs(5), response.chunk());
                let part = next.await.expect("the stream flows").unwrap().unwrap();
                text.push_str(&String::from_utf8_lossy(&part));
            }
            assert_eq!(text, expected, "{dialect:?} as {media:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_event_without_its_empty_line_passes_whole_and_counts_as_whole() {
    for dialect in dialects::ALL {
        for cut in [1, 2] {
            let text = events(dialect).concat();
            let text = text.get(..text.len() - cut).unwrap();
            let upstream = Upstream::start(stream(&[text]));
            let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
            let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
            assert_eq!(got.text(), text, "{dialect:?} without {cut}");
            let provider = eventually("the call is settled", || {
                Some(stage.provider("p")).filter(|provider| provider.in_flight == 0)
            });
            let counters = provider.usage.counters;
            assert_eq!(
                (
                    counters.errors.total(),
                    counters.tokens.output,
                    provider.breaker.failures
                ),
                (0, 7, 0),
                "{dialect:?} without {cut}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_stream_ends_in_the_event_after_which_clients_ask_again() {
    for (dialect, kind) in [
        (TranslatedDialect::Messages, "\"type\":\"overloaded_error\""),
        (TranslatedDialect::Chat, "\"type\":\"server_error\""),
        (TranslatedDialect::Responses, "\"code\":\"server_error\""),
    ] {
        let mut script = vec![stream_head(&[])];
        script.extend(lifecycle(dialect).iter().map(chunk));
        script.extend([
            chunk(delta(dialect, "Hi")),
            Step::Wait(Duration::from_millis(20)),
            Step::Close,
        ]);
        let upstream = Upstream::start(script);
        let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
        let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
        let text = got.text();
        let begin = lifecycle(dialect).concat() + &delta(dialect, "Hi");
        let last = text.strip_prefix(&begin).unwrap();
        assert!(last.contains(kind) && !got.cut, "{dialect:?}: {last}");
        assert!(!last.contains("server_is_overloaded") && !last.contains("api_error"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_cut_off_before_its_first_word_is_one() {
    for dialect in dialects::ALL {
        let text = lifecycle(dialect).concat() + &empty_ending(dialect, true).concat();
        let first = Upstream::start(vec![stream_head(&[]), chunk(&text), last_chunk()]);
        let second = Upstream::start(stream(&events(dialect)));
        let stage = Stage::two(&first.url(), &second.url()).await;
        let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
        assert_eq!((got.text(), got.profile()), (text, Some("first")));
        assert_eq!(stage.provider("first").breaker.failures, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn error_events_of_our_own_are_numbered_on_where_events_are_numbered() {
    let dialect = TranslatedDialect::Responses;
    let text = lifecycle(dialect).concat() + &delta(dialect, "\\\"sequence_number\\\":70");
    let (_upstream, stage) = Stage::before(vec![stream_head(&[]), chunk(&text), Step::Reset]).await;
    let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
    let told = got.text();
    let own: Vec<(String, u64)> = told[text.len()..]
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| {
            let event: serde_json::Value = serde_json::from_str(data).unwrap();
            let number = event["sequence_number"].as_u64().unwrap();
            (event["type"].as_str().unwrap().to_owned(), number)
        })
        .collect();
    assert_eq!(
        own,
        [("error".to_owned(), 4), ("response.failed".to_owned(), 5)],
        "after the provider's 3: {told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_follows_a_providers_own_error() {
    for dialect in dialects::ALL {
        let mut text =
            lifecycle(dialect).concat() + &delta(dialect, "Hi") + &error_event(dialect, true);
        let expected = text.clone();
        text += &ending(dialect).concat();
        let (_upstream, stage) =
            Stage::before(vec![stream_head(&[]), chunk(text), last_chunk()]).await;
        let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
        assert_eq!(got.text(), expected);
        assert_eq!(stage.provider("p").breaker.failures, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_an_error_when_tundra_ends() {
    let mut script = vec![
        stream_head(&[]),
        chunk(delta(TranslatedDialect::Messages, "Hi")),
    ];
    script.push(Step::Stall);
    let (_upstream, stage) = Stage::before_with(patient(), script).await;
    let mut response = stage
        .post("/v1/messages", request(TranslatedDialect::Messages, true))
        .send()
        .await
        .unwrap();
    let mut text = String::from_utf8(response.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let began = Instant::now();
    let tasks = stage.tasks.clone();
    let ending = tokio::spawn(async move { tasks.shutdown(Duration::from_secs(5)).await });
    while let Some(chunk) = response.chunk().await.unwrap() {
        text += std::str::from_utf8(&chunk).unwrap();
    }
    ending.await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert!(
        text.contains("tundra is shutting down") && !text.contains("message_stop"),
        "{text}"
    );
    assert_eq!(stage.provider("p").breaker.failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_streams_run_side_by_side() {
    let mut script = vec![stream_head(&[])];
    script.extend(lifecycle(TranslatedDialect::Messages).iter().map(chunk));
    script.extend((0..20).flat_map(|_| {
        [
            chunk(delta(TranslatedDialect::Messages, "Hi")),
            Step::Wait(Duration::from_millis(5)),
        ]
    }));
    script.extend(ending(TranslatedDialect::Messages).iter().map(chunk));
    script.push(last_chunk());
    let upstream = Upstream::start(script);
    let mut options = patient();
    options.ping_every = Duration::from_secs(20);
    let stage = Stage::with(options, vec![profile("p", 1, &upstream.url())]).await;
    let expected = lifecycle(TranslatedDialect::Messages).concat()
        + &delta(TranslatedDialect::Messages, "Hi").repeat(20)
        + &ending(TranslatedDialect::Messages).concat();
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        asking.spawn(Got::of(
            stage.post("/v1/messages", request(TranslatedDialect::Messages, true)),
        ));
    }
    while let Some(got) = asking.join_next().await {
        assert_eq!(got.unwrap().text(), expected);
    }
    eventually("nothing is under way", || {
        stage.provider("p").in_flight == 0
    });
    assert_eq!(stage.provider("p").usage.counters.tokens.output, 700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_leave_at_any_moment_leave_nothing_behind() {
    let mut script = vec![Step::Wait(Duration::from_millis(10)), stream_head(&[])];
    script.extend(lifecycle(TranslatedDialect::Messages).iter().map(chunk));
    script.extend((0..20).flat_map(|_| {
        [
            chunk(delta(TranslatedDialect::Messages, "Hi")),
            Step::Wait(Duration::from_millis(2)),
        ]
    }));
    script.extend(ending(TranslatedDialect::Messages).iter().map(chunk));
    script.push(last_chunk());
    let upstream = Upstream::start(script);
    let mut limited = profile("p", 1, &upstream.url());
    limited.limits.tpm = std::num::NonZeroU64::new(10_000_000);
    let stage = Stage::with(patient(), vec![limited]).await;
    let mut asking = JoinSet::new();
    for number in 0..200_u64 {
        let request = stage.post("/v1/messages", request(TranslatedDialect::Messages, true));
        asking.spawn(async move {
            let patience = Duration::from_micros(number * 500);
            let _ = tokio::time::timeout(patience, Got::of(request)).await;
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let provider = eventually("nothing is under way", || {
        Some(stage.provider("p")).filter(|provider| provider.in_flight == 0)
    });
    assert_eq!(provider.breaker.failures, 0);
    assert_eq!(provider.usage.counters.errors.total(), 0);
    assert_eq!(stage.gateway.traffic().1, 0);
    let got = Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, true))).await;
    assert!(got.text().contains("message_stop"));
}
