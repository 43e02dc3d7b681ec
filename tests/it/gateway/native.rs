//! The same dialect on both sides: bytes pass, and all of them are counted.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tundra::domain::profile::{Dialects, ProviderKind, TranslatedDialect};
use tundra::domain::usage::Tokens;

use super::dialects::{self, events, path, request};
use crate::support::eventually;
use crate::support::stage::{Got, SECRET, Stage, profile};
use crate::support::upstream::{
    Step, Upstream, answer, chunk, json, last_chunk, stream, stream_head,
};

const USED: Tokens = Tokens {
    input: 12,
    output: 7,
    cache_read: 5,
    cache_write: 0,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_and_answer_pass_byte_for_byte() {
    for dialect in dialects::ALL {
        let (upstream, stage) = Stage::before(answer(
            200,
            &[
                ("content-type", "application/json"),
                ("request-id", "req_9"),
                ("x-vendor", "a"),
                ("x-vendor", "b"),
            ],
            dialects::answer(dialect),
        ))
        .await;
        let body = request(dialect, false);
        let got = Got::of(
            stage
                .post(&format!("{}?beta=true&x=%20y", path(dialect)), body.clone())
                .header("anthropic-version", "2023-06-01")
                .header("anthropic-beta", "one,two")
                .header("x-unheard-of", "yes")
                .header("accept-encoding", "br, gzip, zstd"),
        )
        .await;
        assert_eq!(got.text(), dialects::answer(dialect));
        assert_eq!(
            (got.header("request-id"), got.attempts(), got.profile()),
            (Some("req_9"), "1", Some("p"))
        );
        assert_eq!(got.headers.get_all("x-vendor").iter().count(), 2);
        let seen = &upstream.seen()[0];
        assert_eq!(seen.path(), format!("{}?beta=true&x=%20y", path(dialect)));
        assert_eq!(String::from_utf8_lossy(&seen.body), body);
        for (name, value) in [
            ("anthropic-version", "2023-06-01"),
            ("anthropic-beta", "one,two"),
            ("x-unheard-of", "yes"),
            ("accept-encoding", "gzip, identity"),
            ("x-api-key", SECRET),
        ] {
            assert_eq!(seen.header(name), Some(value), "{name}");
        }
        assert!(!seen.head.contains(stage.key.reveal()), "{}", seen.head);
        assert!(seen.header("host").unwrap().starts_with("127.0.0.1:"));
        let counters = stage.provider("p").usage.counters;
        assert_eq!(
            (counters.tokens, counters.estimated),
            (USED, 0),
            "{dialect:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_passes_byte_for_byte_however_it_is_cut() {
    for dialect in dialects::ALL {
        let text = events(dialect).concat();
        for size in [1, 3, 50, 100_000] {
            let mut script = vec![stream_head(&[])];
            script.extend(text.as_bytes().chunks(size).map(chunk));
            script.push(last_chunk());
            let (_upstream, stage) = Stage::before(script).await;
            let got = Got::of(stage.post(path(dialect), request(dialect, true))).await;
            assert_eq!(got.text(), text, "{dialect:?} in {size}s");
            assert_eq!((got.header("x-vendor"), got.attempts()), (Some("yes"), "1"));
            let provider = stage.provider("p");
            assert_eq!(
                (
                    provider.usage.counters.tokens,
                    provider.usage.counters.estimated
                ),
                (USED, 0)
            );
            assert_eq!(provider.usage.first_byte.count(), 1);
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_answer_passes_as_it_is_and_is_counted_all_the_same() {
    for dialect in dialects::ALL {
        let whole = gzip(&dialects::answer(dialect));
        let (upstream, stage) = Stage::before(answer(
            200,
            &[
                ("content-type", "application/json"),
                ("content-encoding", "gzip"),
            ],
            &whole,
        ))
        .await;
        let got = Got::of(
            stage
                .post(path(dialect), request(dialect, false))
                .header("accept-encoding", "gzip"),
        )
        .await;
        assert_eq!(
            (
                got.body,
                got.headers
                    .get("content-encoding")
                    .unwrap()
                    .to_str()
                    .unwrap()
            ),
            (whole, "gzip")
        );
        assert_eq!(stage.provider("p").usage.counters.tokens, USED);

        let folded = gzip(&events(dialect).concat());
        let mut script = vec![stream_head(&[("content-encoding", "gzip")])];
        script.extend(folded.chunks(40).map(chunk));
        script.push(last_chunk());
        upstream.usually(script);
        let got = Got::of(
            stage
                .post(path(dialect), request(dialect, true))
                .header("accept-encoding", "gzip"),
        )
        .await;
        assert_eq!(got.body, folded);
        let tokens = stage.provider("p").usage.counters.tokens;
        assert_eq!(
            (tokens.input, tokens.output, tokens.cache_read),
            (24, 14, 10)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_stream_that_breaks_is_cut_and_never_looks_whole() {
    let text = events(TranslatedDialect::Messages).concat();
    let folded = gzip(&text);
    let (_upstream, stage) = Stage::before(vec![
        stream_head(&[("content-encoding", "gzip")]),
        chunk(&folded[..folded.len() - 60]),
        Step::Wait(std::time::Duration::from_millis(20)),
        Step::Close,
    ])
    .await;
    let got = Got::of(
        stage
            .post("/v1/messages", request(TranslatedDialect::Messages, true))
            .header("accept-encoding", "gzip"),
    )
    .await;
    // Whether enough of it could be unfolded to commit depends on the compressor; either way it is no success.
    assert!(got.cut || got.status == 503, "{got:?}");
    assert_eq!(stage.provider("p").breaker.failures, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_name_follows_the_profile_and_nothing_else_changes() {
    let upstream = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let table: [(ProviderKind, &[(&str, &str)], &str, &str); 6] = [
        (ProviderKind::Anthropic, &[], "claude-x", "claude-x"),
        (
            ProviderKind::OpenRouter,
            &[],
            "claude-x",
            "anthropic/claude-x",
        ),
        (ProviderKind::OpenRouter, &[], "gpt-x", "openai/gpt-x"),
        (ProviderKind::OpenRouter, &[], "z-ai/glm", "z-ai/glm"),
        (ProviderKind::Local, &[], "claude-x", "qwen2.5-coder:14b"),
        (
            ProviderKind::Local,
            &[("claude-*", "big")],
            "claude-x",
            "big",
        ),
    ];
    for (provider, models, asked, sent) in table {
        let mut profile = profile("p", 1, &upstream.url());
        profile.provider = provider;
        profile.default_model = provider.model().to_owned();
        profile.models = models
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        let stage = Stage::quick(vec![profile]).await;
        let body = |model: &str| {
            format!(
                "{{ \"max_tokens\" : 1e2,\n\"model\"\t: \"{model}\",\"m\":[{{\"model\":\"other\"}}],  \"é\":\"\\u00e9\"}} "
            )
        };
        let before = upstream.requests();
        let got = Got::of(stage.post("/v1/messages", body(asked))).await;
        assert_eq!(got.status, 200);
        let seen = &upstream.seen()[before];
        assert_eq!(
            String::from_utf8_lossy(&seen.body),
            body(sent),
            "{provider:?}"
        );
        assert_eq!(
            seen.header("content-length"),
            Some(body(sent).len().to_string().as_str())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_tokens_passes_through() {
    let upstream = Upstream::start(json(200, r#"{"input_tokens":42}"#));
    // A base URL may bring the version that every route begins with.
    let versioned = format!("{}/v1/", upstream.url());
    let stage = Stage::quick(vec![profile("p", 1, &versioned)]).await;
    let got = Got::of(stage.post(
        "/v1/messages/count_tokens",
        request(TranslatedDialect::Messages, false),
    ))
    .await;
    assert_eq!(
        (got.text().as_str(), got.attempts()),
        (r#"{"input_tokens":42}"#, "1")
    );
    assert_eq!(upstream.seen()[0].path(), "/v1/messages/count_tokens");
    let counters = stage.provider("p").usage.counters;
    assert_eq!((counters.requests, counters.tokens), (1, Tokens::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compacting_a_conversation_passes_to_who_has_such_a_route() {
    let body = r#"{"model":"some-model","input":[{"role":"user","content":"long"}]}"#;
    let upstream = Upstream::start(json(200, dialects::answer(TranslatedDialect::Responses)));
    let mut chat = profile("chat", 1, &upstream.url());
    chat.dialects = Dialects::of(&[TranslatedDialect::Chat.into()]);
    let stage = Stage::quick(vec![chat, profile("p", 2, &upstream.url())]).await;
    let got = Got::of(stage.post("/v1/responses/compact", body)).await;
    assert_eq!((got.status.as_u16(), got.profile()), (200, Some("p")));
    assert_eq!(got.text(), dialects::answer(TranslatedDialect::Responses));
    let seen = upstream.seen();
    assert_eq!(seen[0].path(), "/v1/responses/compact");
    assert_eq!(seen[0].body, body.as_bytes());
    assert_eq!(stage.provider("p").usage.counters.tokens.output, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_usage_is_told_it_is_estimated_and_marked() {
    let told = events(TranslatedDialect::Chat);
    let untold: Vec<String> = told
        .into_iter()
        .filter(|event| !event.contains("prompt_tokens"))
        .collect();
    let (_upstream, stage) = Stage::before(stream(&untold)).await;
    let got = Got::of(stage.post(
        "/v1/chat/completions",
        request(TranslatedDialect::Chat, true),
    ))
    .await;
    assert_eq!(got.text(), untold.concat());
    let counters = stage.provider("p").usage.counters;
    assert_eq!(counters.estimated, 1);
    assert!(
        counters.tokens.input > 0 && counters.tokens.output == 3,
        "{:?}",
        counters.tokens
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_counted_by_who_asked_and_what_it_cost() {
    let (_upstream, stage) =
        Stage::before(json(200, dialects::answer(TranslatedDialect::Messages))).await;
    let other = stage
        .gateway
        .keys()
        .issue(tundra::domain::id::TerminalId::random());
    let body =
        request(TranslatedDialect::Messages, false).replace("some-model", "claude-sonnet-4-5");
    for key in [&stage.key, &other, &other] {
        let request = stage
            .client()
            .post(format!("{}/v1/messages", stage.url))
            .header("x-api-key", key.reveal());
        assert_eq!(Got::of(request.body(body.clone())).await.status, 200);
    }
    let mut rows = stage.gateway.router().read(|state, _| {
        state
            .usage
            .rows()
            .map(|(key, counters)| (key.clone(), *counters))
            .collect::<Vec<_>>()
    });
    rows.sort_by_key(|(_, counters)| counters.requests);
    assert_eq!(
        rows.iter()
            .map(|(_, counters)| counters.requests)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let (key, counters) = &rows[0];
    assert_eq!(
        key.caller,
        tundra::domain::caller::Caller::Terminal(stage.terminal)
    );
    assert_eq!((&*key.model, counters.tokens), ("claude-sonnet-4-5", USED));
    // 12 at 3 dollars a million, 7 at 15, 5 at 0.3.
    assert_eq!(counters.cost.nanodollars, 36_000 + 105_000 + 1_500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_server_without_a_key_gets_none() {
    let upstream = Upstream::start(json(200, dialects::answer(TranslatedDialect::Chat)));
    let mut local = profile("local", 1, &upstream.url());
    local.provider = ProviderKind::Local;
    local.key_env = None;
    local.headers = vec![("x-mine".to_owned(), "1".to_owned())];
    let stage = Stage::quick(vec![local]).await;
    let got = Got::of(stage.post(
        "/v1/chat/completions",
        request(TranslatedDialect::Chat, false),
    ))
    .await;
    assert_eq!(got.status, 200);
    let seen = &upstream.seen()[0];
    assert_eq!(
        (
            seen.header("authorization"),
            seen.header("x-api-key"),
            seen.header("x-mine")
        ),
        (None, None, Some("1"))
    );
    assert_eq!(stage.provider("local").usage.counters.cost.unknown, 1);
    eventually("nothing is under way", || {
        stage.provider("local").in_flight == 0
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_goes_through_the_router_and_comes_back_as_text() {
    use tundra::gateway::{Ask, AskError};

    let broken = Upstream::start(json(503, "{}"));
    let good = Upstream::answering(dialects::converse);
    for dialect in dialects::ALL {
        let mut first = profile("first", 1, &broken.url());
        let mut second = profile("second", 2, &good.url());
        for profile in [&mut first, &mut second] {
            profile.dialects = tundra::domain::profile::Dialects::of(&[dialect.into()]);
        }
        let stage = Stage::quick(vec![first, second]).await;
        let ask = |profile: Option<&str>| {
            let (text, mut pieces) = tokio::sync::mpsc::channel(8);
            let gateway = stage.gateway.clone();
            let ask = Ask {
                prompt: "Say hi".to_owned(),
                model: None,
                profile: profile.map(Stage::name),
            };
            async move {
                let asking = tokio::spawn(async move { gateway.ask(ask, text).await });
                let mut said = String::new();
                while let Some(piece) = pieces.recv().await {
                    said += &piece;
                }
                (said, asking.await.unwrap())
            }
        };
        let (said, asked) = ask(None).await;
        assert_eq!(
            (said.as_str(), asked.unwrap().profile.as_deref()),
            ("Hi there!", Some("second"))
        );
        let (said, asked) = ask(Some("first")).await;
        assert_eq!(said, "");
        let told = asked.unwrap_err().to_string();
        assert!(told.contains("first: API error (status 503)"), "{told}");
        let (_, asked) = ask(Some("third")).await;
        assert!(matches!(asked, Err(AskError::NotFound(_))));
    }
}
