//! Google's `generateContent`: passed on as it is, by whoever speaks it, and by nobody else.

use std::time::Duration;

use serde_json::{Value, json};
use tundra::domain::outcome::ErrorKind;
use tundra::domain::profile::{Profile, ProviderKind};
use tundra::domain::usage::Tokens;

use crate::support::eventually;
use crate::support::stage::{Got, SECRET, Stage, profile};
use crate::support::upstream::{
    Step, Upstream, answer, chunk, json as whole, last_chunk, stream, stream_head,
};

const ASKED: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"systemInstruction":{"parts":[{"text":"be brief"}]}}"#;
const GENERATE: &str = "/v1beta/models/gemini-2.5-pro:generateContent";
const STREAM: &str = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";
const USED: Tokens = Tokens {
    input: 12,
    output: 7,
    cache_read: 5,
    cache_write: 0,
};

fn google(name: &str, priority: i64, url: &str) -> Profile {
    let mut profile = Profile::new(name, ProviderKind::Gemini);
    url.clone_into(&mut profile.base_url);
    profile.key_env = Some("UPSTREAM_KEY".to_owned());
    profile.priority = priority;
    profile
}

fn said(words: &str, finish: Option<&str>) -> Value {
    let mut candidate =
        json!({"content": {"parts": [{"text": words}], "role": "model"}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 17, "cachedContentTokenCount": 5, "candidatesTokenCount": 4, "thoughtsTokenCount": 3, "totalTokenCount": 24},
        "modelVersion": "gemini-2.5-pro", "responseId": "r",
    })
}

/// An event as Google ends it.
fn event(told: &Value) -> String {
    format!("data: {told}\r\n\r\n")
}

fn refusal(code: u16, status: &str, details: &Value) -> String {
    json!({"error": {"code": code, "message": "no", "status": status, "details": details}})
        .to_string()
}

async fn before(script: Vec<Step>) -> (Upstream, Stage) {
    let upstream = Upstream::start(script);
    let stage = Stage::quick(vec![google("p", 1, &upstream.url())]).await;
    (upstream, stage)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_and_answer_pass_byte_for_byte_with_the_profiles_key() {
    let told = said("Hi", Some("STOP")).to_string();
    let (upstream, stage) = before(answer(
        200,
        &[("content-type", "application/json"), ("x-vendor", "yes")],
        &told,
    ))
    .await;
    let url = format!("{}{GENERATE}?$fields=x", stage.url);
    let asked = stage.client().post(url).body(ASKED);
    let asked = asked
        .header("x-goog-api-key", stage.key.reveal())
        .header("x-goog-api-client", "google-genai-sdk/1.30");
    let got = Got::of(asked).await;
    assert_eq!(
        (got.text(), got.attempts(), got.profile()),
        (told, "1", Some("p"))
    );
    let seen = &upstream.seen()[0];
    assert_eq!(seen.path(), format!("{GENERATE}?$fields=x"));
    assert_eq!(String::from_utf8_lossy(&seen.body), ASKED);
    assert_eq!(seen.header("x-goog-api-key"), Some(SECRET));
    assert_eq!(
        seen.header("x-goog-api-client"),
        Some("google-genai-sdk/1.30")
    );
    assert!(!seen.head.contains(stage.key.reveal()), "{}", seen.head);
    let counters = stage.provider("p").usage.counters;
    assert_eq!((counters.tokens, counters.estimated), (USED, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_passes_as_events_or_as_an_array_and_is_counted() {
    let told = [said("H", None), said("i", Some("STOP"))];
    let text = told.iter().map(event).collect::<String>();
    for size in [1, 7, 100_000] {
        let mut script = vec![stream_head(&[])];
        script.extend(text.as_bytes().chunks(size).map(chunk));
        script.push(last_chunk());
        let (upstream, stage) = before(script).await;
        let got = Got::of(stage.post(STREAM, ASKED)).await;
        assert_eq!(got.text(), text);
        assert_eq!(upstream.seen()[0].path(), STREAM);
        let counters = stage.provider("p").usage.counters;
        assert_eq!(
            (counters.tokens, counters.estimated),
            (USED, 0),
            "in {size}s"
        );
    }
    let array = serde_json::to_string_pretty(&told).unwrap();
    let (_upstream, stage) = before(whole(200, &array)).await;
    let path = STREAM.strip_suffix("?alt=sse").unwrap();
    let got = Got::of(stage.post(path, ASKED)).await;
    assert_eq!(got.text(), array);
    assert_eq!(stage.provider("p").usage.counters.tokens, USED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_tokens_and_listing_models_cost_nothing() {
    let (upstream, stage) = before(whole(200, r#"{"totalTokens":3}"#)).await;
    let path = "/v1/models/gemini-2.5-flash:countTokens";
    let got = Got::of(stage.post(path, ASKED)).await;
    assert_eq!(got.text(), r#"{"totalTokens":3}"#);
    assert_eq!(upstream.seen()[0].path(), path);
    assert_eq!(stage.provider("p").usage.counters.tokens, Tokens::default());
    let list = Got::of(stage.get("/v1beta/models")).await.json();
    assert_eq!(list["models"][0]["name"], "models/gemini-2.5-pro");
    // Nobody translates into it, so that others cannot ask for its models.
    let list = Got::of(stage.get("/v1/models")).await.json();
    assert_eq!(list["data"], json!([]));
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_models_name_in_the_path_follows_the_profile() {
    let upstream = Upstream::start(whole(200, said("Hi", Some("STOP")).to_string()));
    let mut mapped = google("p", 1, &format!("{}/proxy/v1beta", upstream.url()));
    mapped.models = vec![("gemini-2.5-*".to_owned(), "../odd name".to_owned())];
    let stage = Stage::quick(vec![mapped]).await;
    assert_eq!(Got::of(stage.post(GENERATE, ASKED)).await.status, 200);
    assert_eq!(
        upstream.seen()[0].path(),
        "/proxy/v1beta/models/..%2Fodd%20name:generateContent"
    );
    for path in [
        "/v1beta/models/..%2F..%2Fx:generateContent",
        "/v1beta/models/gemini:embedContent",
    ] {
        let got = Got::of(stage.post(path, ASKED)).await;
        assert_eq!(got.status, 404, "{path}");
        assert_eq!(got.json()["error"]["status"], "NOT_FOUND", "{path}");
    }
    assert_eq!(upstream.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_told_in_googles_form() {
    let (upstream, stage) = before(Vec::new()).await;
    let url = format!("{}{GENERATE}", stage.url);
    let keyless = Got::of(stage.client().post(&url).body(ASKED)).await;
    assert_eq!(keyless.status, 401);
    let error = &keyless.json()["error"];
    assert_eq!(
        (&error["code"], &error["status"]),
        (&401.into(), &"UNAUTHENTICATED".into())
    );
    let in_query = stage
        .client()
        .post(format!("{url}?key={}", stage.key.reveal()));
    assert_eq!(Got::of(in_query.body(ASKED)).await.status, 400);
    let broken = Got::of(stage.post(GENERATE, "{")).await;
    assert_eq!((broken.status.as_u16(), broken.attempts()), (400, "0"));
    assert_eq!(broken.json()["error"]["status"], "INVALID_ARGUMENT");
    let get = Got::of(stage.get(GENERATE)).await;
    assert_eq!(
        (get.status.as_u16(), get.header("allow")),
        (405, Some("POST"))
    );
    assert_eq!(upstream.requests(), 0);
    // Nobody else can be asked, and it can be asked by nobody else.
    let other = Upstream::start(Vec::new());
    let mut messages = profile("m", 1, &other.url());
    messages.dialects = ProviderKind::Anthropic.dialects();
    let stage = Stage::quick(vec![messages]).await;
    let got = Got::of(stage.post(GENERATE, ASKED)).await;
    assert_eq!(got.status, 400);
    let body = got.json();
    assert_eq!(body["profiles"][0]["reason"], "unsupported: generate");
    assert_eq!(body["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(other.requests(), 0);
    let stage = Stage::quick(vec![google("p", 1, &upstream.url())]).await;
    let chat = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(
        Got::of(stage.post("/v1/chat/completions", chat))
            .await
            .status,
        400
    );
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_profile_takes_over_before_the_first_content() {
    let fine = stream(&[event(&said("Hi", Some("STOP")))]);
    let overloaded = refusal(503, "UNAVAILABLE", &json!([]));
    let key =
        json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let quiet = json!({"candidates": [{"content": {"parts": [{"text": ""}]}}]});
    for (name, script) in [
        ("overloaded", whole(503, &overloaded)),
        ("an array", whole(503, format!("[{overloaded}]"))),
        (
            "an unknown key",
            whole(400, refusal(400, "INVALID_ARGUMENT", &key)),
        ),
        (
            "an error in the stream",
            stream(&[
                event(&quiet),
                event(&serde_json::from_str(&overloaded).unwrap()),
            ]),
        ),
        ("an empty stream", stream(&[event(&quiet)])),
        ("no JSON", stream(&["data: nonsense\n\n"])),
    ] {
        let (first, second) = (Upstream::start(script), Upstream::start(fine.clone()));
        let profiles = vec![
            google("first", 1, &first.url()),
            google("second", 2, &second.url()),
        ];
        let stage = Stage::quick(profiles).await;
        let got = Got::of(stage.post(STREAM, ASKED)).await;
        assert_eq!(got.text(), event(&said("Hi", Some("STOP"))), "{name}");
        assert_eq!(
            (got.attempts(), got.profile()),
            ("2", Some("second")),
            "{name}"
        );
        if name == "an unknown key" {
            let reason = stage.provider("first").state;
            assert_eq!(format!("{reason:?}"), "Rejected");
        }
    }
    // What is wrong with the request itself is the caller's.
    let wrong = refusal(400, "INVALID_ARGUMENT", &json!([]));
    let (upstream, stage) = before(whole(400, &wrong)).await;
    let got = Got::of(stage.post(GENERATE, ASKED)).await;
    assert_eq!((got.text(), upstream.requests()), (wrong, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_cools_down_for_as_long_as_its_details_say() {
    let wait = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}]);
    let (_upstream, stage) = before(whole(429, refusal(429, "RESOURCE_EXHAUSTED", &wait))).await;
    let got = Got::of(stage.post(GENERATE, ASKED)).await;
    assert_eq!(got.status, 429);
    assert_eq!(got.json()["error"]["status"], "RESOURCE_EXHAUSTED");
    let left = stage.provider("p").cooldown.unwrap();
    assert!(
        left > Duration::from_secs(30) && left <= Duration::from_secs(37),
        "{left:?}"
    );
    let day = json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]);
    let (_upstream, stage) = before(whole(429, refusal(429, "RESOURCE_EXHAUSTED", &day))).await;
    Got::of(stage.post(GENERATE, ASKED)).await;
    assert_eq!(format!("{:?}", stage.provider("p").state), "Exhausted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_off_never_looks_whole() {
    let mut script = vec![stream_head(&[]), chunk(event(&said("H", None)))];
    script.push(Step::Reset);
    let (_upstream, stage) = before(script).await;
    let got = Got::of(stage.post(STREAM, ASKED)).await;
    let text = got.text();
    assert!(text.starts_with(&event(&said("H", None))), "{text}");
    assert!(!text.contains("finishReason"), "{text}");
    let rest = &text[event(&said("H", None)).len()..];
    // Once for those who read events, and once for Google's own client, which reads on until it can make nothing of it.
    let (told, bare) = rest
        .strip_prefix("data: ")
        .unwrap()
        .split_once("\n\n")
        .unwrap();
    assert_eq!(told, bare.trim_end());
    let error: Value = serde_json::from_str(told).unwrap();
    assert_eq!(
        (&error["error"]["code"], &error["error"]["status"]),
        (&503.into(), &"UNAVAILABLE".into())
    );
    eventually("the failure is counted", || {
        (stage
            .provider("p")
            .usage
            .counters
            .errors
            .of(ErrorKind::Http)
            == 1)
            .then_some(())
    });
}
