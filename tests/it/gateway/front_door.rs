//! Who and what is let in, and what is told to the rest.

use tundra::domain::profile::TranslatedDialect;
use tundra::domain::route::{By, RouterCommand};

use super::dialects::{self, request};
use crate::support::stage::{Got, Stage, profile};
use crate::support::upstream::{Upstream, json};

async fn stage() -> (Upstream, Stage) {
    let (upstream, stage) =
        Stage::before(json(200, dialects::answer(TranslatedDialect::Messages))).await;
    (upstream, stage)
}

fn assert_told(got: &Got, status: u16, dialect: TranslatedDialect, part: &str) {
    assert_eq!(got.status, status, "{}", got.text());
    assert_eq!((got.attempts(), got.profile()), ("0", None));
    let body = got.json();
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains(part), "{message}");
    if dialect == TranslatedDialect::Messages {
        assert_eq!(body["type"], "error");
        assert!(body["request_id"].as_str().unwrap().starts_with("req_"));
        assert_eq!(got.header("request-id"), body["request_id"].as_str());
    } else {
        assert!(
            body["error"]["type"].is_string()
                && body["error"].as_object().unwrap().contains_key("param")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_told_in_the_callers_format_and_go_nowhere() {
    let (upstream, stage) = stage().await;
    for dialect in dialects::ALL {
        let path = dialects::path(dialect);
        let table: [(Vec<u8>, u16, &str); 7] = [
            (b"hello".to_vec(), 400, "not JSON"),
            (b"{\"model\":\"m\"".to_vec(), 400, "not JSON"),
            (b"[]".to_vec(), 400, "not a JSON object"),
            (b"{}".to_vec(), 400, "names no model"),
            (b"{\"model\":\"\"}".to_vec(), 400, "names no model"),
            (
                format!("{{\"model\":\"{}\"}}", "m".repeat(513)).into_bytes(),
                400,
                "at most 512 bytes long",
            ),
            (
                vec![b' '; 1024 * 1024 + 1],
                413,
                "larger than 1048576 bytes (gateway.max_body)",
            ),
        ];
        for (body, status, part) in table {
            let got = Got::of(stage.post(path, body)).await;
            assert_told(&got, status, dialect, part);
        }
        let got = Got::of(stage.get(path)).await;
        assert_told(&got, 405, dialect, "use POST");
        assert_eq!(got.header("allow"), Some("POST"));
        for coding in ["br", "compress"] {
            let request = stage.post(path, "x").header("content-encoding", coding);
            let got = Got::of(request).await;
            let told = format!("content-encoding {coding} is not taken");
            assert_told(&got, 415, dialect, &told);
            let taken = got.header("accept-encoding").unwrap();
            assert!(
                taken.contains("zstd") && taken.contains("identity"),
                "{taken}"
            );
        }
        let socket = stage
            .get(path)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket");
        assert_told(&Got::of(socket).await, 426, dialect, "use plain HTTP");
    }
    for path in ["/v1/completions", "/v1/messages/batches", "/v1/embeddings"] {
        let dialect = if path.starts_with("/v1/messages") {
            TranslatedDialect::Messages
        } else {
            TranslatedDialect::Chat
        };
        assert_told(
            &Got::of(stage.post(path, "{}")).await,
            404,
            dialect,
            "no such route",
        );
    }
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_valid_keys_and_this_machine_come_in() {
    let (upstream, stage) = stage().await;
    for dialect in dialects::ALL {
        let url = format!("{}{}", stage.url, dialects::path(dialect));
        let post = |url: &str| stage.client().post(url).body(request(dialect, false));
        assert_told(&Got::of(post(&url)).await, 401, dialect, "no key");
        assert_told(
            &Got::of(post(&url).bearer_auth("guess")).await,
            401,
            dialect,
            "invalid key",
        );
        assert_told(
            &Got::of(post(&url).header("x-api-key", "guess")).await,
            401,
            dialect,
            "invalid key",
        );
        let query = format!("{url}?api_key={}", stage.key.reveal());
        assert_told(
            &Got::of(post(&query)).await,
            400,
            dialect,
            "must not be in the query",
        );
        let valid = || post(&url).bearer_auth(stage.key.reveal());
        assert_told(
            &Got::of(valid().header("host", "evil.example")).await,
            403,
            dialect,
            "Host",
        );
        assert_told(
            &Got::of(valid().header("origin", "https://evil.example")).await,
            403,
            dialect,
            "Origin",
        );
        assert_eq!(upstream.requests(), 0);
    }
    stage.gateway.keys().forget(stage.terminal);
    let got =
        Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    assert_told(&got, 401, TranslatedDialect::Messages, "invalid key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_hello_need_no_key_and_the_rest_does() {
    let (_upstream, stage) = stage().await;
    let health = Got::of(stage.client().get(format!("{}/health", stage.url))).await;
    assert_eq!((health.status.as_u16(), health.attempts()), (200, "0"));
    let hello = Got::of(stage.client().head(format!("{}/api/hello", stage.url))).await;
    assert_eq!((hello.status.as_u16(), hello.body.len()), (200, 0));
    let root = Got::of(stage.client().head(format!("{}/", stage.url))).await;
    assert_eq!((root.status.as_u16(), root.body.len()), (200, 0));
    for path in ["/v1/models", "/metrics"] {
        assert_eq!(
            Got::of(stage.client().get(format!("{}{path}", stage.url)))
                .await
                .status,
            401
        );
        assert_eq!(Got::of(stage.get(path)).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_in_both_forms() {
    let upstream = Upstream::start(json(200, "{}"));
    let mut one = profile("p", 1, &upstream.url());
    one.default_model = "claude-default".to_owned();
    one.models = [("claude-mapped", "x"), ("gpt-*", "y")]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .to_vec();
    let stage = Stage::quick(vec![one]).await;
    let openai = Got::of(stage.get("/v1/models?limit=1000")).await.json();
    let ids = |list: &serde_json::Value| {
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&openai), ["claude-default", "claude-mapped"]);
    assert_eq!(openai["object"], "list");
    let anthropic = Got::of(
        stage
            .get("/v1/models")
            .header("anthropic-version", "2023-06-01"),
    )
    .await
    .json();
    assert_eq!(ids(&anthropic), ids(&openai));
    assert_eq!(
        (&anthropic["has_more"], &anthropic["data"][0]["type"]),
        (&false.into(), &"model".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_tell_requests_tokens_latency_and_state() {
    let (_upstream, stage) = stage().await;
    Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
    Got::of(stage.post("/v1/messages", "junk")).await;
    let got = Got::of(stage.get("/metrics")).await;
    assert!(
        got.header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let page = got.text();
    for line in [
        "tundra_gateway_requests_total 2",
        "tundra_gateway_refused_total 1",
        "tundra_llm_requests_total{profile=\"p\",model=\"some-model\"} 1",
        "tundra_llm_tokens_total{profile=\"p\",model=\"some-model\",type=\"cache_read\"} 5",
        "tundra_llm_errors_total{profile=\"p\",model=\"some-model\",kind=\"timeout\"} 0",
        "tundra_llm_time_to_first_byte_seconds_bucket{profile=\"p\",le=\"+Inf\"} 1",
        "tundra_llm_cost_unknown_total{profile=\"p\",model=\"some-model\"} 1",
        "tundra_breaker_state{profile=\"p\",state=\"closed\"} 1",
        "tundra_provider_active{profile=\"p\"} 1",
    ] {
        assert!(page.lines().any(|told| told == line), "{line} in\n{page}");
    }
    assert!(page.contains("process_resident_memory_bytes "));
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_steer_the_next_request() {
    let one = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let two = Upstream::start(json(200, dialects::answer(TranslatedDialect::Messages)));
    let stage = Stage::quick(vec![
        profile("one", 1, &one.url()),
        profile("two", 2, &two.url()),
    ])
    .await;
    let asked = || async {
        let got =
            Got::of(stage.post("/v1/messages", request(TranslatedDialect::Messages, false))).await;
        got.profile().map(str::to_owned)
    };
    let command = |command| stage.gateway.command(&command, By::Cli).unwrap();
    assert_eq!(asked().await.as_deref(), Some("one"));
    command(RouterCommand::Failover {
        from: None,
        hold: std::time::Duration::from_secs(60),
    });
    assert_eq!(asked().await.as_deref(), Some("two"));
    command(RouterCommand::Restart(Stage::name("one")));
    assert_eq!(asked().await.as_deref(), Some("one"));
    let connection = one.seen().last().unwrap().connection;
    assert_eq!(connection, 1, "a restart takes new connections");
    command(RouterCommand::Pin(Stage::name("two")));
    assert_eq!(asked().await.as_deref(), Some("two"));
    command(RouterCommand::Disable(Stage::name("two")));
    assert_eq!(asked().await.as_deref(), Some("one"));
    stage.gateway.reload(
        crate::support::stage::quick(),
        vec![profile("two", 1, &two.url())],
        By::Reload,
    );
    assert_eq!(asked().await, None, "it stays disabled across a reload");
}
