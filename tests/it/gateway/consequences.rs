//! What follows from a provider's fault: who is asked instead, how long it is left alone, what the caller is told.

use std::time::{Duration, Instant};

use tundra::domain::breaker::BreakerState;
use tundra::domain::outcome::ErrorKind;
use tundra::domain::profile::{Capabilities, Capability, TranslatedDialect};
use tundra::domain::route::{By, ProviderState, RouterCommand, Translation};

use super::dialects::{self, delta, lifecycle, path, request};
use crate::support::eventually;
use crate::support::stage::{Got, SECRET, Stage, profile, quick};
use crate::support::upstream::{Step, Upstream, answer, chunk, json, stream_head};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_reached_is_passed_over() {
    let good = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let plain = Upstream::start(json(200, "{}"));
    let port = plain.url().rsplit(':').next().unwrap().to_owned();
    for url in [
        format!("http://{}", Upstream::refused()),
        format!("https://127.0.0.1:{port}"),
        "http://no-such-host.invalid".to_owned(),
    ] {
        let stage = Stage::two(&url, &good.url()).await;
        let got =
            Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
        assert_eq!((got.status.as_u16(), got.attempts()), (200, "2"), "{url}");
        let first = stage.provider("first");
        assert_eq!(first.breaker.failures, 1, "{url}");
        assert_eq!(first.usage.counters.errors.of(ErrorKind::Http), 1, "{url}");
        assert!(
            first
                .usage
                .last_error
                .unwrap()
                .message
                .starts_with("HTTP error: connect: ")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_turns_out_closed_is_replaced_for_free() {
    for ending in [Step::Close, Step::Reset] {
        let (only, stage) =
            Stage::before(json(200, dialects::answer(TranslatedDialect::Messages))).await;
        let ask =
            || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
        assert_eq!(ask().await.status, 200);
        only.then(vec![ending]);
        let got = ask().await;
        assert_eq!((got.status.as_u16(), got.attempts()), (200, "1"));
        let seen = only.seen();
        assert_eq!(
            seen.iter().map(|seen| seen.connection).collect::<Vec<_>>(),
            [0, 0, 1]
        );
        let provider = stage.provider("p");
        assert_eq!(provider.breaker.failures, 0);
        assert_eq!(
            (
                provider.usage.counters.requests,
                provider.usage.counters.errors.total()
            ),
            (2, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_replaced_once_only() {
    let (only, stage) =
        Stage::before(json(200, dialects::answer(TranslatedDialect::Messages))).await;
    let ask = || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
    assert_eq!(ask().await.status, 200);
    only.then(vec![Step::Close]).then(vec![Step::Close]);
    assert_eq!(ask().await.status, 503);
    assert_eq!(only.requests(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_takes_no_key_anywhere() {
    let thief = Upstream::start(json(200, dialects::answer(TranslatedDialect::Chat)));
    let script = answer(
        308,
        &[("location", &format!("{}/v1/chat/completions", thief.url()))],
        "",
    );
    let (_first, stage) = Stage::before(script).await;
    let got = Got::of(stage.post(
        "/v1/chat/completions",
        request(TranslatedDialect::Chat, false),
    ))
    .await;
    assert_eq!(got.status, 503);
    assert_eq!(thief.requests(), 0);
    assert!(got.text().contains("redirect"), "{}", got.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_left_alone_for_as_long_as_it_asks() {
    let good = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let error = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#;
    let table: [(u16, &[(&str, &str)], u64, ProviderState); 5] = [
        (429, &[("retry-after", "7")], 7, ProviderState::Cooling),
        (
            429,
            &[("retry-after-ms", "2500"), ("retry-after", "7")],
            3,
            ProviderState::Cooling,
        ),
        (429, &[], 60, ProviderState::Cooling),
        (529, &[("retry-after", "9")], 9, ProviderState::Cooling),
        (529, &[], 0, ProviderState::Ready),
    ];
    for (status, headers, seconds, state) in table {
        let first = Upstream::start(answer(status, headers, error));
        let stage = Stage::two(&first.url(), &good.url()).await;
        let ask =
            || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
        assert_eq!(ask().await.attempts(), "2");
        let provider = stage.provider("first");
        assert_eq!(provider.state, state, "{status} {headers:?}");
        let left = provider.cooldown.unwrap_or_default();
        assert!(
            left <= Duration::from_secs(seconds)
                && left + Duration::from_secs(1) >= Duration::from_secs(seconds),
            "{left:?}"
        );
        assert_eq!(ask().await.attempts(), if seconds > 0 { "1" } else { "2" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spent_budget_takes_a_profile_out() {
    let spent = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let first = Upstream::start(json(429, spent));
    let good = Upstream::start(json(200, dialects::answer(TranslatedDialect::Chat)));
    let stage = Stage::two(&first.url(), &good.url()).await;
    let got = Got::of(stage.post(
        "/v1/chat/completions",
        request(TranslatedDialect::Chat, false),
    ))
    .await;
    assert_eq!(got.profile(), Some("second"));
    assert_eq!(stage.provider("first").state, ProviderState::Exhausted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_left_tells_every_reason_in_the_callers_format() {
    let limited = Upstream::start(answer(429, &[("retry-after", "40")], "{}"));
    let broken = Upstream::start(answer(503, &[], "down for repairs"));
    for dialect in dialects::ALL {
        for streaming in [false, true] {
            let stage = Stage::quick(vec![
                profile("limited", 1, &limited.url()),
                profile("broken", 2, &broken.url()),
            ])
            .await;
            let ask = || Got::of(stage.post(path(dialect), request(dialect, streaming)));
            let got = ask().await;
            assert_eq!(
                (got.status.as_u16(), got.attempts()),
                (503, "2"),
                "{}",
                got.text()
            );
            // The broken one may be asked by the next request.
            assert_eq!(got.header("retry-after"), Some("1"));
            let body = got.json();
            let message = body["error"]["message"].as_str().unwrap();
            for part in [
                "limited: rate limited: retry after 40s",
                "broken: API error (status 503): down for repairs",
            ] {
                assert!(message.contains(part), "{message}");
            }
            assert_eq!(body["profiles"][0]["name"], "limited");
            assert_eq!(body["profiles"][1]["retry_in_s"], 1.0);
            assert!(message.ends_with("(soonest retry in 1s)"), "{message}");
            assert_eq!(
                body["profiles"][1]["reason"],
                "API error (status 503): down for repairs"
            );
            assert_eq!(
                body["type"] == "error",
                dialect == TranslatedDialect::Messages
            );
            assert_eq!(
                body["error"]["code"].is_string(),
                dialect != TranslatedDialect::Messages
            );
        }
    }
    let stage = Stage::quick(vec![profile("limited", 1, &limited.url())]).await;
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_eq!((got.status.as_u16(), got.attempts()), (429, "1"));
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_eq!(
        (got.status.as_u16(), got.attempts(), got.profile()),
        (429, "0", None)
    );
    assert!(got.json()["profiles"][0]["retry_in_s"].as_f64().unwrap() > 38.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialect_that_nobody_speaks_is_told_as_unsupported() {
    let upstream = Upstream::start(json(200, "{}"));
    let mut profile = profile("claude", 1, &upstream.url());
    profile.dialects = profile.provider.dialects();
    let mut options = quick();
    options.route.translation = Translation::Off;
    let stage = Stage::with(options, vec![profile]).await;
    let got = Got::of(stage.post(
        "/v1/responses",
        request(TranslatedDialect::Responses, false),
    ))
    .await;
    assert_eq!((got.status.as_u16(), got.attempts()), (400, "0"));
    assert_eq!(got.header("retry-after"), None, "no time would mend it");
    assert_eq!(
        got.json()["profiles"][0]["reason"],
        "unsupported: responses"
    );
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_opens_probes_once_and_closes() {
    let first = Upstream::start(answer(500, &[], "no"));
    let second = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let stage = Stage::two(&first.url(), &second.url()).await;
    let ask = || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
    for _ in 0..5 {
        assert_eq!(ask().await.attempts(), "2");
    }
    assert_eq!(stage.provider("first").breaker.state, BreakerState::Open);
    assert_eq!(ask().await.attempts(), "1");
    assert_eq!(first.requests(), 5);
    first.usually(json(200, dialects::answer(TranslatedDialect::Messages)));
    eventually("the breaker is half-open", || {
        stage.provider("first").breaker.state == BreakerState::HalfOpen
    });
    assert_eq!(ask().await.profile(), Some("first"));
    assert_eq!(stage.provider("first").breaker.state, BreakerState::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_leaves_takes_the_providers_connection_along() {
    for streaming in [false, true] {
        let first = Upstream::start(if streaming {
            let mut script = vec![stream_head(&[])];
            script.extend(lifecycle(TranslatedDialect::Messages).iter().map(chunk));
            script.extend([chunk(delta(TranslatedDialect::Messages, "Hi")), Step::Stall]);
            script
        } else {
            vec![Step::Stall]
        });
        let mut options = crate::support::stage::quick();
        options.timeouts.first_byte = Duration::from_secs(30);
        options.timeouts.stream_idle = Duration::from_secs(30);
        let stage = Stage::with(options, vec![profile("first", 1, &first.url())]).await;
        let request = stage.post(
            "/v1/messages",
            request(TranslatedDialect::Messages, streaming),
        );
        let left = if streaming {
            let mut response = request.send().await.unwrap();
            response.chunk().await.unwrap().unwrap();
            drop(response);
            Instant::now()
        } else {
            let asking = tokio::spawn(request.send());
            eventually("the provider is asked", || first.requests() == 1);
            asking.abort();
            let _ = asking.await;
            Instant::now()
        };
        let gone = eventually("the provider's connection is closed", || {
            first.seen()[0].gone
        });
        let took = gone.saturating_duration_since(left);
        assert!(
            took < Duration::from_millis(100),
            "streaming {streaming}: {took:?}"
        );
        let provider = eventually("the call is settled", || {
            Some(stage.provider("first")).filter(|provider| provider.in_flight == 0)
        });
        assert_eq!(
            (
                provider.breaker.failures,
                provider.usage.counters.errors.total()
            ),
            (0, 0)
        );
        assert_eq!(provider.state, ProviderState::Ready);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_key_does_not_stop_the_agent_and_is_told_by_its_words() {
    let rejects = Upstream::start(json(
        401,
        format!(
            r#"{{"type":"error","error":{{"type":"authentication_error","message":"invalid x-api-key {SECRET}"}}}}"#
        ),
    ));
    let good = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let stage = Stage::quick(vec![
        profile("first", 1, &rejects.url()),
        profile("second", 2, &good.url()),
    ])
    .await;
    let ask = || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
    let got = ask().await;
    assert_eq!(
        (got.status.as_u16(), got.attempts(), got.profile()),
        (200, "2", Some("second"))
    );
    let first = stage.provider("first");
    assert_eq!(first.state, ProviderState::Rejected);
    assert_eq!(
        first.reason.as_deref(),
        Some("key of UPSTREAM_KEY rejected (status 401): invalid x-api-key [redacted]")
    );
    assert_eq!(
        first.usage.last_error.unwrap().message,
        "API error (status 401): invalid x-api-key [redacted]"
    );
    // It is not shown again, until somebody says that it is another one.
    assert_eq!(ask().await.attempts(), "1");
    assert_eq!(rejects.requests(), 1);
    let reset = RouterCommand::Reset(Stage::name("first"));
    stage.gateway.command(&reset, By::Cli).unwrap();
    assert_eq!(ask().await.attempts(), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_everybody_rejects_the_last_ones_answer_goes_back_byte_for_byte() {
    let words = |name: &str| format!(r#"{{"error": {{"message":"{name} says no" ,"code":402}} }}"#);
    let first = Upstream::start(json(401, words("first")));
    let second = Upstream::start(json(402, words("second")));
    let mut blind = profile("blind", 0, &first.url());
    blind.capabilities = Some(Capabilities::of(&[Capability::Tools]));
    let stage = Stage::quick(vec![
        blind,
        profile("first", 1, &first.url()),
        profile("second", 2, &second.url()),
    ])
    .await;
    let got = Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, true))).await;
    assert_eq!(
        (got.status.as_u16(), got.attempts(), got.profile()),
        (402, "2", Some("second"))
    );
    assert_eq!(got.text(), words("second"));
    assert_eq!(stage.provider("second").state, ProviderState::Exhausted);
    // From now on nobody is asked, and each says why.
    let got = Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, true))).await;
    assert_eq!((got.status.as_u16(), got.attempts()), (503, "0"));
    assert!(
        got.text()
            .contains("key of UPSTREAM_KEY rejected (status 402): second says no")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_for_a_rate_limit_that_ends_within_its_patience() {
    let upstream = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    upstream.then(answer(429, &[("retry-after-ms", "300")], "slow"));
    let stage = Stage::quick(vec![profile("p", 1, &upstream.url())]).await;
    let ask = || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
    let began = Instant::now();
    let got = ask().await;
    assert_eq!((got.status.as_u16(), got.attempts()), (200, "2"));
    assert!(began.elapsed() >= Duration::from_millis(300));
    // Twice is enough: then the caller is told.
    upstream.then(answer(429, &[("retry-after-ms", "100")], "slow"));
    upstream.then(answer(429, &[("retry-after-ms", "100")], "slow"));
    let got = ask().await;
    assert_eq!((got.status.as_u16(), got.attempts()), (429, "2"));
    assert!(got.text().contains("rate limited"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_probe_finds_who_is_back_behind_an_open_breaker() {
    let mut options = quick();
    options.route.breaker.open_for = Duration::from_secs(600);
    options.route.breaker.early_probe = Duration::from_millis(300);
    options.route.max_wait = Duration::ZERO;
    let back = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    for _ in 0..5 {
        back.then(json(500, "{}"));
    }
    let slow = Upstream::start(json(429, "{}"));
    let stage = Stage::with(
        options,
        vec![
            profile("back", 1, &back.url()),
            profile("slow", 2, &slow.url()),
        ],
    )
    .await;
    let ask = || Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false)));
    let began = Instant::now();
    let mut got = ask().await;
    while got.status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", got.text());
        got = ask().await;
    }
    assert_eq!(got.profile(), Some("back"));
    assert_eq!(stage.provider("back").breaker.state, BreakerState::Closed);
    // Five that opened it, and no more of those before the probe was due.
    assert!(back.requests() <= 7, "{}", back.requests());
}
