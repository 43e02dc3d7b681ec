//! Each state, by the sign that tells it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{ASKED, Agent, called, profile, said};
use crate::support::upstream::{Step, Upstream, answer, json as plain, stream};
use crate::support::{Home, Serve, eventually};

const LIMIT: &str =
    r#"{"type":"error","error":{"type":"rate_limit_error","message":"too many requests"}}"#;
const REJECTED: &str =
    r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_work_and_an_answer_that_nothing_follows_is_done() {
    let upstream = Upstream::start(vec![Step::Stall]);
    upstream.then(said());
    let agent = Agent::before(&upstream);
    let first = agent.agent();
    assert_eq!(
        (&first["state"], &first["observed"]),
        (&"unknown".into(), &true.into())
    );
    let answered = agent.ask().await;
    let ended = Instant::now();
    assert_eq!(answered.status(), 200);
    answered.bytes().await.unwrap();
    let working = agent.agent();
    assert!(ended.elapsed() > Duration::from_secs(1) || working["state"] == "working");
    let done = agent.wait("done");
    assert!(
        ended.elapsed() >= Duration::from_millis(900),
        "{:?}",
        ended.elapsed()
    );
    assert_eq!(done["by"], "wire");
    // Typed into, it is seen.
    agent.serve.send(&agent.id, "x");
    agent.wait("idle");
    let asked = tokio::spawn(agent.post("/v1/messages", ASKED).send());
    assert_eq!(agent.wait("working")["by"], "wire");
    // Given up, it leaves what was before it.
    asked.abort();
    agent.wait("idle");
    let states = || -> Vec<String> {
        let history = agent
            .serve
            .cli(&["history", "--kind", "agent.state", "--json"])
            .json();
        let events = history.as_array().unwrap().iter();
        events
            .map(|event| event["data"]["state"].as_str().unwrap().to_owned())
            .collect()
    };
    eventually("the last state is kept", || states().len() == 5);
    assert_eq!(states(), ["working", "done", "idle", "working", "idle"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_call_waits_once_the_screen_is_still_and_no_new_child_runs() {
    let upstream = Upstream::start(called());
    let agent = Agent::before(&upstream);
    agent
        .serve
        .enter(&agent.id, "sleep 0.2 && echo ready to ask");
    agent.serve.wait_text(&agent.id, "^ready to ask");
    agent.ask().await.bytes().await.unwrap();
    let ended = Instant::now();
    assert_eq!(agent.agent()["state"], "working");
    assert_eq!(agent.wait("waiting")["by"], "wire");
    let waited = ended.elapsed();
    assert!(waited >= Duration::from_millis(2_500), "{waited:?}");
    // A child that it did not have before is the tool at work, however still the screen.
    agent.serve.enter(&agent.id, "sleep 5 & echo tool started");
    agent.serve.wait_text(&agent.id, "^tool started");
    let moved = Instant::now();
    agent.wait("working");
    agent.wait("waiting");
    assert!(
        moved.elapsed() >= Duration::from_millis(4_500),
        "{:?}",
        moved.elapsed()
    );
    // Those that it had when it asked are no sign of work.
    agent
        .serve
        .enter(&agent.id, "sleep 600 & echo server started");
    agent.serve.wait_text(&agent.id, "^server started");
    agent.ask().await.bytes().await.unwrap();
    agent.wait("waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_tool_call_waits_at_once_where_the_agent_notifies() {
    let events = [
        r#"event: message_start
data: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"c","stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}}

"#,
        r#"event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"run","input":{}}}

"#,
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ];
    let upstream = Upstream::start(stream(&events));
    let agent = Agent::before(&upstream);
    let streamed = ASKED.replacen('{', r#"{"stream":true,"#, 1);
    let answered = agent.post("/v1/messages", streamed).send().await.unwrap();
    answered.bytes().await.unwrap();
    agent
        .serve
        .enter(&agent.id, r"printf '\033]9;may I run it?\007'");
    let waiting = agent.wait("waiting");
    assert_eq!(waiting["by"], "notification");
    assert_eq!(waiting["message"], "may I run it?");
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_tells_until_when_and_ends_with_the_next_request_that_is_admitted() {
    let upstream = Upstream::start(said());
    upstream.then(answer(
        429,
        &[("retry-after", "600"), ("content-type", "application/json")],
        LIMIT,
    ));
    let agent = Agent::before(&upstream);
    assert_eq!(agent.ask().await.status(), 429);
    let told = Instant::now();
    let quota = agent.wait("quota");
    assert!(told.elapsed() < Duration::from_secs(5));
    assert_eq!(quota["by"], "wire");
    let until: Timestamp = quota["until"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(Timestamp::now()).as_secs();
    assert!((590..=600).contains(&left), "{left}");
    assert!(
        quota["message"].as_str().unwrap().contains("one: "),
        "{quota}"
    );
    // Refused again, it stays so.
    assert_eq!(agent.ask().await.status(), 429);
    assert_eq!(agent.agent()["state"], "quota");
    agent.serve.cli(&["reset", "one"]).ok();
    assert_eq!(agent.ask().await.status(), 200);
    assert_eq!(agent.wait("done")["until"], serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_is_over_at_its_time() {
    let upstream = Upstream::start(answer(429, &[("retry-after", "2")], LIMIT));
    let config = format!(
        "[gateway]\nmax_wait = \"0s\"\n{}",
        profile("one", &upstream.url())
    );
    let agent = Agent::with(&config, &[]);
    agent.ask().await;
    agent.wait("quota");
    assert_eq!(agent.wait("idle")["by"], "wire");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_fails_with_the_providers_words_until_the_next_success() {
    let upstream = Upstream::start(said());
    upstream.then(plain(401, REJECTED));
    let agent = Agent::before(&upstream);
    assert_eq!(agent.ask().await.status(), 401);
    let failed = agent.wait("failed");
    assert_eq!(failed["by"], "wire");
    assert_eq!(
        failed["message"],
        "API error (status 401): invalid x-api-key"
    );
    agent.serve.cli(&["reset", "one"]).ok();
    agent.ask().await;
    assert_eq!(agent.wait("done")["message"], serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_left_fails_and_counting_tokens_is_no_work() {
    let agent = Agent::with(
        &profile("one", &format!("http://{}", Upstream::refused())),
        &[],
    );
    let counted = agent
        .post("/v1/messages/count_tokens", ASKED)
        .send()
        .await
        .unwrap();
    assert_eq!(counted.headers()["x-tundra-estimated"], "true");
    assert_eq!(agent.agent()["state"], "unknown");
    assert_eq!(agent.ask().await.status(), 503);
    let failed = agent.wait("failed");
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .starts_with("no provider can take this request: one: "),
        "{failed}"
    );
}

#[test]
fn one_that_is_not_observed_is_judged_by_weaker_signs_and_says_so() {
    let serve = Serve::at(Home::new());
    let id = serve.open_with(&["--agent", "claude", "--no-gateway"], &["sh"]);
    let agent = || serve.terminal(&id)["agent"].clone();
    assert_eq!(agent()["state"], "unknown");
    assert_eq!(
        (&agent()["observed"], &agent()["message"]),
        (&false.into(), &"not observed".into())
    );
    let title = |title: &str| serve.enter(&id, &format!(r"printf '\033]2;{title}\007'"));
    let state = |state: &str, by: &str| {
        eventually(state, || {
            let agent = agent();
            (agent["state"] == state && agent["by"] == by).then_some(agent)
        })
    };
    title("⠂ thinking");
    state("working", "title");
    // A notification outranks the title.
    serve.enter(&id, r"printf '\007'");
    state("waiting", "notification");
    title("✳ ready");
    state("done", "title");
    serve.send(&id, "x");
    state("idle", "title");
}

#[test]
fn an_agent_that_starts_is_not_taken_to_work() {
    let serve = Serve::at(Home::new());
    let id = serve.open_with(
        &["--agent", "shell"],
        &["sh", "-c", "echo welcome; exec cat"],
    );
    serve.wait_text(&id, "welcome");
    assert_eq!(serve.terminal(&id)["agent"]["state"], "unknown");
    let refused = serve.cli(&["wait", &id, "--state", "working", "--timeout", "1s"]);
    assert_eq!(refused.code, 1);
}
