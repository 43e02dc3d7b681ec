//! What a terminal's requests may use.

use serde_json::{Value, json};

use super::{Agent, body_of, profile, said};
use crate::support::upstream::Upstream;
use crate::support::{Home, Serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_tells_what_its_requests_used() {
    let upstream = Upstream::start(said());
    let agent = Agent::before(&upstream);
    let usage = || agent.serve.terminal(&agent.id)["usage"].clone();
    let tokens = |input, output, read| json!({"input": input, "output": output, "cache_read": read, "cache_write": 0});
    assert_eq!(
        usage(),
        json!({"requests": 0, "tokens": tokens(0, 0, 0), "cost_usd": 0.0})
    );
    assert_eq!(agent.serve.terminal(&agent.id)["budget"], Value::Null);
    agent.ask().await;
    let after = usage();
    assert_eq!(after["requests"], 1);
    assert_eq!(after["tokens"], tokens(100_000, 20, 7));
    // 3 dollars a million in, 15 out, 0.30 from the cache.
    let cost = after["cost_usd"].as_f64().unwrap();
    assert!((cost - 0.300_302_1).abs() < 1e-6, "{cost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_refused_once_the_tokens_are_used_and_in_the_callers_format() {
    let upstream = Upstream::start(said());
    let agent = Agent::with(
        &profile("one", &upstream.url()),
        &["--budget-tokens", "100"],
    );
    assert_eq!(agent.ask().await.status(), 200);
    let refused = agent.ask().await;
    assert_eq!(refused.status(), 402);
    assert_eq!(refused.headers()["x-tundra-attempts"], "0");
    let body: Value = body_of(refused).await;
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "billing_error");
    let words = "budget reached for agent: 100020 of 100 tokens; tundra budget agent --tokens 200000 raises it";
    assert_eq!(body["error"]["message"], words);
    for (path, body) in [
        (
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#,
        ),
        ("/v1/responses", r#"{"model":"m","input":"hi"}"#),
    ] {
        let refused = agent.post(path, body).send().await.unwrap();
        assert_eq!(refused.status(), 402);
        let body: Value = body_of(refused).await;
        assert_eq!(body["error"]["type"], "insufficient_quota");
        assert_eq!(body["error"]["message"], words);
    }
    let failed = agent.wait("failed");
    assert_eq!(failed["message"], words);
    assert_eq!(upstream.requests(), 1, "nobody was asked");
    // Raised, the next request goes through; what was used stays counted.
    let raised = agent
        .serve
        .cli(&["budget", "agent", "--tokens", "200000", "--json"]);
    let budget =
        json!({"usd": null, "tokens": 200_000, "used_usd": 0.300_302_1, "used_tokens": 100_020});
    assert_eq!(raised.json(), budget);
    assert_eq!(agent.ask().await.status(), 200);
    let told = agent.serve.terminal(&agent.id)["budget"].clone();
    assert_eq!(
        (&told["tokens"], &told["used_tokens"]),
        (&200_000.into(), &200_040.into())
    );
    agent.serve.cli(&["budget", "agent", "--off"]).ok();
    assert_eq!(
        agent.serve.cli(&["budget", "agent", "--json"]).json(),
        Value::Null
    );
    assert_eq!(agent.ask().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_in_dollars_proposes_the_next_round_sum() {
    let upstream = Upstream::start(said());
    let agent = Agent::with(&profile("one", &upstream.url()), &["--budget-usd", "0.30"]);
    agent.ask().await;
    let body: Value = body_of(agent.ask().await).await;
    assert_eq!(
        body["error"]["message"],
        "budget reached for agent: $0.30 of $0.30; tundra budget agent --usd 1 raises it"
    );
    assert_eq!(
        agent.serve.cli(&["budget", "agent"]).ok(),
        "$0.30 of $0.30\n"
    );
    agent
        .serve
        .cli(&["budget", "agent", "--usd", "0"])
        .refused(
            2,
            "error: invalid value '0' for '--usd <X>': write a sum above 0 in US dollars, such as 2 or 0.50",
        );
    agent
        .serve
        .cli(&["budget", "nobody"])
        .refused(1, "pty handle not found: nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_budget_is_each_panes_own() {
    let upstream = Upstream::start(said());
    let config = format!(
        "{}[[agent]]\nname = \"shell\"\nbudget_tokens = 5\n",
        profile("one", &upstream.url())
    );
    let agent = Agent::with(&config, &[]);
    agent.ask().await;
    assert_eq!(agent.ask().await.status(), 402);
    let other = agent.serve.open_with(&["--agent", "shell"], &["sh"]);
    let budget = agent.serve.terminal(&other)["budget"].clone();
    assert_eq!(
        budget,
        json!({"usd": null, "tokens": 5, "used_usd": 0.0, "used_tokens": 0})
    );
    let own = agent
        .serve
        .open_with(&["--agent", "shell", "--budget-tokens", "9"], &["sh"]);
    assert_eq!(agent.serve.terminal(&own)["budget"]["tokens"], 9);
}

#[test]
fn a_configured_panes_budget_is_its_own() {
    let home = Home::with_config(
        "[[pane]]\nname = \"one\"\ncommand = [\"cat\"]\nbudget_usd = 1.5\nbudget_tokens = 7\n",
    );
    let serve = Serve::at(home);
    crate::support::eventually("the pane", || serve.cli(&["capture", "one"]).code == 0);
    let budget = serve.cli(&["budget", "one", "--json"]).json();
    assert_eq!(
        budget,
        json!({"usd": 1.5, "tokens": 7, "used_usd": 0.0, "used_tokens": 0})
    );
}
