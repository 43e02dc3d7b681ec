//! Whom a request goes to across dialects, and what its caller reads of it.

use serde_json::{Value, json};
use tundra::domain::profile::{Dialect, Dialects, Profile, ProviderKind, TranslatedDialect};
use tundra::domain::route::{By, RouterCommand, Translation};
use tundra::domain::usage::AttemptEnd;

use super::strict;
use crate::gateway::dialects::{
    ALL, answer, converse, delta, error_event, events, lifecycle, path, request, streams_only,
};
use crate::support::stage::{Got, SECRET, Stage, profile, quick};
use crate::support::upstream::{
    self, Step, Upstream, chunk, json as whole, last_chunk, stream_head,
};

/// A profile that speaks `dialect` alone and has a model of its own.
fn speaks(name: &str, priority: i64, url: &str, dialect: TranslatedDialect) -> Profile {
    let mut profile = profile(name, priority, url);
    profile.dialects = Dialects::of(&[dialect.into()]);
    profile.provider = match dialect {
        TranslatedDialect::Messages => ProviderKind::Anthropic,
        TranslatedDialect::Chat | TranslatedDialect::Responses => ProviderKind::OpenAi,
    };
    "their-model".clone_into(&mut profile.default_model);
    profile
}

/// A gateway whose only profile speaks `dialect`.
async fn alone(upstream: &Upstream, dialect: TranslatedDialect) -> Stage {
    Stage::quick(vec![speaks("p", 1, &upstream.url(), dialect)]).await
}

fn directions() -> impl Iterator<Item = (TranslatedDialect, TranslatedDialect)> {
    ALL.into_iter().flat_map(|caller| {
        let others = ALL.into_iter().filter(move |upstream| *upstream != caller);
        others.map(move |upstream| (caller, upstream))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_direction_is_served_plain_and_streamed() {
    for (caller, dialect) in directions() {
        let upstream = Upstream::answering(converse);
        let stage = alone(&upstream, dialect).await;
        let send = |stream| {
            stage
                .post(
                    &format!("{}?beta=true", path(caller)),
                    request(caller, stream),
                )
                .header("anthropic-version", "2023-06-01")
                .header("anthropic-beta", "one")
                .header("openai-organization", "o")
                .header("x-stainless-lang", "js")
        };
        let got = Got::of(send(false)).await;
        assert_eq!(got.status, 200, "{caller:?} {dialect:?} {}", got.text());
        assert_eq!(
            (
                got.header("x-tundra-translated"),
                got.header("x-tundra-without"),
                got.profile()
            ),
            (Some(dialect.as_str()), None, Some("p"))
        );
        let told = got.json();
        let (text, model) = match caller {
            TranslatedDialect::Messages => (&told["content"][0]["text"], &told["model"]),
            TranslatedDialect::Chat => (&told["choices"][0]["message"]["content"], &told["model"]),
            TranslatedDialect::Responses => {
                (&told["output"][0]["content"][0]["text"], &told["model"])
            }
        };
        assert_eq!((text, model), (&json!("Hi"), &json!("some-model")));

        let got = Got::of(send(true)).await;
        assert_eq!(got.header("content-type"), Some("text/event-stream"));
        let said = strict::read(caller, &got.body)
            .unwrap_or_else(|fault| panic!("{fault}\n{}", got.text()));
        assert_eq!((said.text.as_str(), said.error), ("Hi there!", None));

        for seen in upstream.seen() {
            assert_eq!(seen.path(), path(dialect));
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            assert_eq!(body["model"], "their-model");
            for name in ["anthropic-beta", "openai-organization", "x-stainless-lang"] {
                assert_eq!(seen.header(name), None, "{name}");
            }
            let version = (dialect == TranslatedDialect::Messages).then_some("2023-06-01");
            assert_eq!(seen.header("anthropic-version"), version);
            let key = if dialect == TranslatedDialect::Messages {
                SECRET.to_owned()
            } else {
                format!("Bearer {SECRET}")
            };
            let name = if dialect == TranslatedDialect::Messages {
                "x-api-key"
            } else {
                "authorization"
            };
            assert_eq!(seen.header(name), Some(key.as_str()));
        }
        let counters = stage.provider("p").usage.counters;
        assert_eq!(
            (
                counters.translated,
                counters.tokens.input,
                counters.tokens.output,
                counters.tokens.cache_read
            ),
            (2, 24, 14, 10)
        );
        let attempts = stage.attempts("p");
        assert!(attempts.iter().all(|made| made.translated
            && made.dialect == dialect.into()
            && &*made.sent_model == "their-model"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_caller_is_served_whole_by_a_provider_that_only_streams() {
    for (caller, dialect) in directions() {
        let talks = Upstream::answering(streams_only(false));
        let calls = Upstream::answering(streams_only(true));
        let stage = Stage::quick(vec![
            speaks("talks", 1, &talks.url(), dialect),
            speaks("calls", 2, &calls.url(), dialect),
        ])
        .await;
        let ask = || Got::of(stage.post(path(caller), request(caller, false)));
        let got = ask().await;
        let context = format!("{caller:?} {dialect:?} {}", got.text());
        assert_eq!(got.header("content-type"), Some("application/json"));
        assert_eq!(got.header("x-tundra-translated"), Some(dialect.as_str()));
        let told = got.json();
        let (text, end) = match caller {
            TranslatedDialect::Messages => (&told["content"][0]["text"], &told["stop_reason"]),
            TranslatedDialect::Chat => {
                let choice = &told["choices"][0];
                (&choice["message"]["content"], &choice["finish_reason"])
            }
            TranslatedDialect::Responses => {
                (&told["output"][0]["content"][0]["text"], &told["status"])
            }
        };
        let ended = match caller {
            TranslatedDialect::Messages => "end_turn",
            TranslatedDialect::Chat => "stop",
            TranslatedDialect::Responses => "completed",
        };
        assert_eq!(
            (text, end),
            (&json!("Hi there!"), &json!(ended)),
            "{context}"
        );
        assert!(stage.provider("talks").usage.counters.tokens.output > 0);
        assert_eq!(stage.attempts("talks")[0].end, AttemptEnd::Success);

        // One that is cut, and one that fails in its first event, are passed over.
        let cut = &events(dialect)[..2];
        talks.then(upstream::stream(cut));
        let got = ask().await;
        assert_eq!(got.profile(), Some("calls"), "{context}");
        talks.then(upstream::stream(&[error_event(dialect, true)]));
        let got = ask().await;
        assert_eq!(got.profile(), Some("calls"), "{context}");
        let told = got.json();
        let (name, arguments) = match caller {
            TranslatedDialect::Messages => {
                let call = &told["content"][0];
                (call["name"].clone(), call["input"].to_string())
            }
            TranslatedDialect::Chat => {
                let call = &told["choices"][0]["message"]["tool_calls"][0]["function"];
                (
                    call["name"].clone(),
                    call["arguments"].as_str().unwrap_or_default().to_owned(),
                )
            }
            TranslatedDialect::Responses => {
                let call = &told["output"][0];
                (
                    call["name"].clone(),
                    call["arguments"].as_str().unwrap_or_default().to_owned(),
                )
            }
        };
        let arguments: Value = serde_json::from_str(&arguments).unwrap_or_default();
        assert_eq!(
            (name, arguments),
            (json!("get_weather"), json!({"city": "Oslo"})),
            "{}",
            got.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_is_as_configured_and_a_pin_comes_first() {
    let chat = Upstream::answering(converse);
    let messages = Upstream::answering(converse);
    let profiles = || {
        vec![
            speaks("chat", 1, &chat.url(), TranslatedDialect::Chat),
            speaks("messages", 2, &messages.url(), TranslatedDialect::Messages),
        ]
    };
    for (translation, served) in [
        (Translation::Fallback, "messages"),
        (Translation::Priority, "chat"),
        (Translation::Off, "messages"),
    ] {
        let mut options = quick();
        options.route.translation = translation;
        let stage = Stage::with(options, profiles()).await;
        let ask = || stage.post("/v1/messages", request(TranslatedDialect::Messages, false));
        let got = Got::of(ask()).await;
        assert_eq!(got.profile(), Some(served), "{translation:?}");
        assert_eq!(
            got.header("x-tundra-translated"),
            (served == "chat").then_some("chat")
        );
        let pin = RouterCommand::Pin(Stage::name("chat"));
        stage.gateway.command(&pin, By::Cli).unwrap();
        let pinned = if translation == Translation::Off {
            "messages"
        } else {
            "chat"
        };
        assert_eq!(
            Got::of(ask()).await.profile(),
            Some(pinned),
            "{translation:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_translation_is_off_nobody_of_another_dialect_is_asked() {
    let chat = Upstream::answering(converse);
    let mut options = quick();
    options.route.translation = Translation::Off;
    let stage = Stage::with(
        options,
        vec![speaks("chat", 1, &chat.url(), TranslatedDialect::Chat)],
    )
    .await;
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_eq!((got.status.as_u16(), chat.requests()), (400, 0));
    assert!(
        got.text().contains("chat: unsupported: messages"),
        "{}",
        got.text()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_native_profile_fails_over_to_a_foreign_one_unseen() {
    for (caller, dialect) in directions() {
        let failures = [
            upstream::answer(529, &[], "{}"),
            vec![Step::Close],
            upstream::stream(
                &(lifecycle(caller)
                    .into_iter()
                    .chain([error_event(caller, true)]))
                .collect::<Vec<_>>(),
            ),
            upstream::stream(&[error_event(caller, false)]),
        ];
        for failure in failures {
            let native = Upstream::start(failure);
            let foreign = Upstream::answering(converse);
            let stage = Stage::quick(vec![
                speaks("native", 2, &native.url(), caller),
                speaks("foreign", 1, &foreign.url(), dialect),
            ])
            .await;
            let got = Got::of(stage.post(path(caller), request(caller, true))).await;
            assert_eq!((got.attempts(), got.profile()), ("2", Some("foreign")));
            let said = strict::read(caller, &got.body).unwrap();
            assert_eq!(said.text, "Hi there!");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_profile_fails_over_before_its_first_content_and_never_after() {
    for (caller, dialect) in directions() {
        let good = Upstream::answering(converse);
        // An error as the first event is what it would have been as a status.
        for (overloaded, cooling) in [(true, false), (false, true)] {
            let first = Upstream::start(upstream::stream(&[error_event(dialect, overloaded)]));
            let stage = Stage::quick(vec![
                speaks("first", 1, &first.url(), dialect),
                speaks("second", 2, &good.url(), dialect),
            ])
            .await;
            let got = Got::of(stage.post(path(caller), request(caller, true))).await;
            assert_eq!((got.attempts(), got.profile()), ("2", Some("second")));
            assert_eq!(strict::read(caller, &got.body).unwrap().text, "Hi there!");
            assert_eq!(stage.provider("first").cooldown.is_some(), cooling);
        }
        let words = lifecycle(dialect).concat() + &delta(dialect, "Hi");
        for end in [
            vec![chunk(error_event(dialect, true)), last_chunk()],
            vec![Step::Reset],
            vec![last_chunk()],
            vec![Step::Stall],
        ] {
            let mut script = vec![stream_head(&[]), chunk(&words)];
            script.extend(end);
            let first = Upstream::start(script);
            let stage = Stage::quick(vec![
                speaks("first", 1, &first.url(), dialect),
                speaks("second", 2, &good.url(), dialect),
            ])
            .await;
            let got = Got::of(stage.post(path(caller), request(caller, true))).await;
            assert_eq!((got.attempts(), got.cut), ("1", false));
            let said = strict::read(caller, &got.body)
                .unwrap_or_else(|fault| panic!("{fault}\n{}", got.text()));
            let error = said.error.unwrap();
            match caller {
                TranslatedDialect::Messages => assert_eq!(
                    (error["type"].as_str(), said.text.as_str()),
                    (Some("overloaded_error"), "Hi")
                ),
                TranslatedDialect::Chat => assert_eq!(
                    (error["type"].as_str(), said.text.as_str()),
                    (Some("server_error"), "Hi")
                ),
                TranslatedDialect::Responses => assert_eq!(error["code"], "server_error"),
            }
            assert_eq!(stage.provider("first").breaker.failures, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_answer_to_a_request_for_a_stream_is_streamed() {
    for (caller, dialect) in directions() {
        let upstream = Upstream::start(whole(200, answer(dialect)));
        let stage = alone(&upstream, dialect).await;
        let got = Got::of(stage.post(path(caller), request(caller, true))).await;
        assert_eq!(strict::read(caller, &got.body).unwrap().text, "Hi");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_keeps_its_status_and_its_words_in_the_callers_format() {
    for (caller, dialect) in directions() {
        let told = match dialect {
            TranslatedDialect::Messages => {
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#
            }
            TranslatedDialect::Chat | TranslatedDialect::Responses => {
                r#"{"error":{"message":"maximum context length is 8 tokens","type":"invalid_request_error","code":"context_length_exceeded"}}"#
            }
        };
        let upstream = Upstream::start(whole(400, told));
        let stage = alone(&upstream, dialect).await;
        for stream in [true, false] {
            let got = Got::of(stage.post(path(caller), request(caller, stream))).await;
            assert_eq!(
                (got.status.as_u16(), got.header("content-type")),
                (400, Some("application/json"))
            );
            let error = got.json();
            match caller {
                TranslatedDialect::Messages => {
                    assert_eq!(
                        (&error["type"], &error["error"]["type"]),
                        (&json!("error"), &json!("invalid_request_error"))
                    );
                    assert_eq!(
                        error["error"]["message"],
                        "prompt is too long: maximum context length is 8 tokens"
                    );
                }
                TranslatedDialect::Chat | TranslatedDialect::Responses => {
                    assert_eq!(error["error"]["code"], "context_length_exceeded");
                }
            }
        }
        assert_eq!(stage.provider("p").breaker.failures, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_said_goes_to_who_understands_it_and_is_named_where_nobody_does() {
    let upstream = Upstream::answering(converse);
    let body =
        json!({"model": "m", "stop": ["END"], "messages": [{"role": "user", "content": "Hi"}]})
            .to_string();
    let responses = speaks(
        "responses",
        1,
        &upstream.url(),
        TranslatedDialect::Responses,
    );
    let stage = Stage::quick(vec![
        responses.clone(),
        speaks("messages", 2, &upstream.url(), TranslatedDialect::Messages),
    ])
    .await;
    let got = Got::of(stage.post("/v1/chat/completions", body.clone())).await;
    assert_eq!(
        (got.status.as_u16(), got.profile(), got.attempts()),
        (200, Some("messages"), "1")
    );
    let skipped = stage.attempts("responses");
    assert!(matches!(&skipped[0].end, AttemptEnd::Skipped(skip) if skip.as_str() == "unsupported"));

    // A profile of two dialects is asked in the one that has the words.
    let mut both = responses.clone();
    both.dialects = Dialects::of(
        &[TranslatedDialect::Responses, TranslatedDialect::Messages].map(Dialect::from),
    );
    let stage = Stage::quick(vec![both]).await;
    let got = Got::of(stage.post("/v1/chat/completions", body.clone())).await;
    assert_eq!(got.header("x-tundra-translated"), Some("messages"));

    let stage = Stage::quick(vec![responses]).await;
    let got = Got::of(stage.post("/v1/chat/completions", body)).await;
    assert_eq!(
        (
            got.status.as_u16(),
            got.attempts(),
            got.header("retry-after")
        ),
        (400, "0", None)
    );
    assert_eq!(got.json()["profiles"][0]["reason"], "unsupported: stop");
    assert_eq!(got.json()["error"]["type"], "invalid_request_error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_of_the_vendors_own_are_left_out_and_named() {
    let upstream = Upstream::answering(converse);
    let stage = alone(&upstream, TranslatedDialect::Chat).await;
    let body = json!({
        "model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "web_search_20250305", "name": "web_search"}, {"type": "bash_20250124", "name": "bash"}],
    });
    let got = Got::of(stage.post("/v1/messages", body.to_string())).await;
    assert_eq!(
        (got.status.as_u16(), got.header("x-tundra-without")),
        (200, Some("web_search, bash_20250124"))
    );
    let sent: Value = serde_json::from_slice(&upstream.seen()[0].body).unwrap();
    assert_eq!(
        (&sent["tools"], &sent["tool_choice"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        stage.attempts("p")[0].without,
        ["web_search", "bash_20250124"]
    );
    let last = stage.provider("p").usage.last_translated.unwrap();
    assert_eq!((last.dialect, last.without.len()), (Dialect::Chat, 2));
    let metrics = Got::of(stage.get("/metrics")).await.text();
    assert!(
        metrics.contains("tundra_llm_translated_total{profile=\"p\",model=\"their-model\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_clamped_to_the_profiles() {
    let upstream = Upstream::answering(converse);
    for (dialect, key, asked, expected) in [
        (
            TranslatedDialect::Chat,
            "max_completion_tokens",
            json!(5_000),
            1_000,
        ),
        (
            TranslatedDialect::Responses,
            "max_output_tokens",
            json!(5_000),
            1_000,
        ),
        (
            TranslatedDialect::Responses,
            "max_output_tokens",
            json!(1),
            16,
        ),
        (
            TranslatedDialect::Messages,
            "max_tokens",
            Value::Null,
            1_000,
        ),
    ] {
        let mut to = speaks("p", 1, &upstream.url(), dialect);
        to.max_tokens = std::num::NonZeroU32::new(1_000);
        let stage = Stage::quick(vec![to]).await;
        let caller = if dialect == TranslatedDialect::Messages {
            TranslatedDialect::Chat
        } else {
            TranslatedDialect::Messages
        };
        let body = json!({"model": "m", "max_tokens": asked, "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(
            Got::of(stage.post(path(caller), body.to_string()))
                .await
                .status,
            200
        );
        let sent: Value = serde_json::from_slice(&upstream.seen().last().unwrap().body).unwrap();
        assert_eq!(sent[key], expected, "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_nobody_counts_are_estimated() {
    let upstream = Upstream::answering(converse);
    let stage = alone(&upstream, TranslatedDialect::Chat).await;
    let got = Got::of(stage.post(
        "/v1/messages/count_tokens",
        request(TranslatedDialect::Messages, false),
    ))
    .await;
    assert_eq!(
        (got.status.as_u16(), got.header("x-tundra-estimated")),
        (200, Some("true"))
    );
    assert!(got.json()["input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_estimated_where_a_server_of_messages_lacks_the_route() {
    let upstream = Upstream::start(whole(404, "404 page not found"));
    let mut server = speaks("p", 1, &upstream.url(), TranslatedDialect::Messages);
    server.provider = ProviderKind::Local;
    let stage = Stage::quick(vec![server]).await;
    let count = || {
        stage.post(
            "/v1/messages/count_tokens",
            request(TranslatedDialect::Messages, false),
        )
    };
    let got = Got::of(count()).await;
    assert_eq!(
        (got.status.as_u16(), got.header("x-tundra-estimated")),
        (200, Some("true"))
    );
    assert_eq!((got.attempts(), got.profile()), ("1", Some("p")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_model_of_every_profile_is_listed_in_the_callers_dialect() {
    let upstream = Upstream::answering(converse);
    let mut chat = speaks("chat", 1, &upstream.url(), TranslatedDialect::Chat);
    chat.models = vec![("claude-mapped".to_owned(), "theirs".to_owned())];
    let stage = Stage::quick(vec![chat]).await;
    let got = Got::of(
        stage
            .get("/v1/models?limit=1000")
            .header("anthropic-version", "2023-06-01"),
    )
    .await;
    let ids = |list: &Value| -> Vec<String> {
        let entries = list["data"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (ids(&got.json()), &got.json()["data"][0]["type"]),
        (
            vec!["claude-mapped".to_owned(), "their-model".to_owned()],
            &json!("model")
        )
    );
    let got = Got::of(stage.get("/v1/models")).await;
    assert_eq!(
        (ids(&got.json()).len(), &got.json()["object"]),
        (2, &json!("list"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_are_no_json_are_a_parse_error_before_messages() {
    let call = r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{oops"}}]},"finish_reason":"tool_calls"}]}"#;
    let upstream = Upstream::start(whole(200, call));
    let stage = alone(&upstream, TranslatedDialect::Chat).await;
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_eq!(got.status, 502);
    assert!(
        got.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("parse error")
    );
    let got = Got::of(stage.post(
        "/v1/responses",
        request(TranslatedDialect::Responses, false),
    ))
    .await;
    assert_eq!(got.json()["output"][0]["arguments"], "{oops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_answer_is_translated_all_the_same() {
    use std::io::Write;
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut script = vec![stream_head(&[("content-encoding", "gzip")])];
    script.extend(
        gzip(&events(TranslatedDialect::Chat).concat())
            .chunks(40)
            .map(chunk),
    );
    script.push(last_chunk());
    let upstream = Upstream::start(script);
    let stage = alone(&upstream, TranslatedDialect::Chat).await;
    let got = Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, true))).await;
    assert_eq!(got.header("content-encoding"), None);
    assert_eq!(
        strict::read(TranslatedDialect::Messages, &got.body)
            .unwrap()
            .text,
        "Hi there!"
    );
    upstream.usually(upstream::answer(
        200,
        &[
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ],
        gzip(&answer(TranslatedDialect::Chat)),
    ));
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_eq!(got.json()["content"][0]["text"], "Hi");
}
