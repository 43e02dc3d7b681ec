//! Callers who bring their own login: through the real binary, between a client and scripted providers.

mod memory;

use std::time::{Duration, SystemTime};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::client::client;
use crate::support::stage::Got;
use crate::support::upstream::{Script, Step, Upstream, answer, json as plain};
use crate::support::{Home, Serve, eventually};

/// A made-up login, which must be found nowhere but at its provider.
const TOKEN: &str = "sk-ant-oat01-planted-login-0123456789";
const OTHER: &str = "sk-ant-oat01-another-login-9876543210";
const ACCOUNT: &str = "0b1c2d3e-0000-4000-8000-000000000001";
const MESSAGE: &str =
    r#"{"model":"claude-opus-4-5", "max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
const ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-5","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1000000,"output_tokens":7}}"#;
const RESPONSE: &str = r#"{"id":"resp_1","object":"response","status":"completed","error":null,"model":"gpt-5","output":[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":17,"output_tokens":7,"total_tokens":24}}"#;
const LIMIT: &str = r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your account's rate limit."}}"#;

struct Instance {
    serve: Serve,
    client: reqwest::Client,
    key: String,
}

impl Instance {
    fn start(config: &str) -> Self {
        Self::at(Home::with_config(config))
    }

    fn at(home: Home) -> Self {
        let mut command = home.tundra(&["serve", "--print-ready"]);
        command.env("PAID_KEY", "sk-paid-key-of-tundras-own");
        let serve = Serve::from(home, command);
        let key = std::fs::read_to_string(serve.home.path().join("state/gateway.key")).unwrap();
        let client = client();
        Self {
            serve,
            client,
            key: key.trim().to_owned(),
        }
    }

    fn url(&self, path: &str) -> String {
        let url = self.serve.ready()["gateway_url"].as_str().unwrap();
        format!("{url}{path}")
    }

    /// A request of Claude Code's with `login`, its terminal's key beside it.
    fn claude(&self, login: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client
            .post(self.url("/v1/messages?beta=true"))
            .header("x-tundra-key", &self.key)
            .bearer_auth(login)
            .header("anthropic-beta", "oauth-2025-04-20")
            .header("content-type", "application/json")
            .body(body)
    }

    fn codex(&self, login: &str) -> RequestBuilder {
        self.client
            .post(self.url("/v1/responses"))
            .header("x-tundra-key", &self.key)
            .bearer_auth(login)
            .header("chatgpt-account-id", "account-1")
            .header("content-type", "application/json")
            .body(r#"{"model":"gpt-5","input":"hi"}"#)
    }

    fn provider(&self, name: &str) -> Value {
        let list = self.serve.cli(&["providers", "--json"]).json();
        let providers = list.as_array().unwrap();
        let found = providers.iter().find(|provider| provider["name"] == name);
        found
            .unwrap_or_else(|| panic!("no {name} in {list}"))
            .clone()
    }
}

fn caller(name: &str, provider: &str, url: &str) -> String {
    format!(
        "[[profile]]\nname = \"{name}\"\nprovider = \"{provider}\"\nauth = \"caller\"\nbase_url = \"{url}\"\n"
    )
}

fn paid(url: &str) -> String {
    format!(
        "[[profile]]\nname = \"paid\"\nprovider = \"anthropic\"\ndialect = [\"messages\", \"responses\"]\n\
         base_url = \"{url}\"\napi_key_env = \"PAID_KEY\"\npriority = 1\n"
    )
}

fn seconds_from_now(seconds: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs() + seconds
}

/// What Anthropic says when a plan's window is used up.
fn used_up(resets_in: u64) -> Script {
    let reset = seconds_from_now(resets_in).to_string();
    answer(
        429,
        &[
            ("content-type", "application/json"),
            ("x-vendor", "yes"),
            ("retry-after", "7"),
            ("anthropic-ratelimit-unified-status", "rejected"),
            (
                "anthropic-ratelimit-unified-representative-claim",
                "five_hour",
            ),
            ("anthropic-ratelimit-unified-reset", &reset),
            ("anthropic-ratelimit-unified-5h-utilization", "1.0"),
            ("anthropic-ratelimit-unified-5h-reset", &reset),
            ("anthropic-ratelimit-unified-5h-status", "rejected"),
        ],
        LIMIT,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_goes_to_its_own_profile_byte_for_byte_whatever_the_priorities() {
    let login = Upstream::start(plain(200, ANSWER));
    let key = Upstream::start(plain(200, ANSWER));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    assert_eq!(instance.provider("claude-login")["state"], "no_login");

    let asked = instance
        .claude(TOKEN, MESSAGE)
        .header("cookie", "a=b")
        .header("x-unheard-of", "yes");
    let got = Got::of(asked).await;
    assert_eq!((got.status.as_u16(), got.text().as_str()), (200, ANSWER));
    assert_eq!((got.attempts(), got.profile()), ("1", Some("claude-login")));
    let seen = &login.seen()[0];
    assert_eq!(seen.path(), "/v1/messages?beta=true");
    assert_eq!(String::from_utf8_lossy(&seen.body), MESSAGE);
    let bearer = format!("Bearer {TOKEN}");
    for (name, value) in [
        ("authorization", Some(bearer.as_str())),
        ("cookie", Some("a=b")),
        ("anthropic-beta", Some("oauth-2025-04-20")),
        ("x-unheard-of", Some("yes")),
        ("x-api-key", None),
        ("x-tundra-key", None),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert_eq!(key.requests(), 0);

    let provider = instance.provider("claude-login");
    assert_eq!(provider["state"], "ready");
    assert_eq!(provider["auth"], "caller");
    assert_eq!(provider["tokens"]["input"], 1_000_000);
    assert_eq!(provider["cost_usd"].as_f64(), Some(0.0), "a plan covers it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_terminals_key_may_stand_in_the_path_and_is_sent_and_logged_nowhere() {
    let login = Upstream::start(plain(200, ANSWER));
    let instance = Instance::start(&caller("claude-login", "anthropic", &login.url()));
    let with_key = |key: &str, path: &str| instance.url(&format!("/t/{key}{path}"));
    let asked = instance
        .client
        .post(with_key(&instance.key, "/v1/messages?beta=true"))
        .bearer_auth(TOKEN)
        .body(MESSAGE);
    let got = Got::of(asked).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let seen = &login.seen()[0];
    assert_eq!(seen.path(), "/v1/messages?beta=true");
    assert!(!seen.head.contains(&instance.key), "{}", seen.head);

    let asked = instance
        .client
        .post(with_key("tundra-wrong", "/v1/messages"));
    let got = Got::of(asked.bearer_auth(TOKEN).body(MESSAGE)).await;
    assert_eq!(got.status, 401);
    assert_eq!(got.json()["error"]["type"], "authentication_error");
    let head = instance.client.head(with_key(&instance.key, "/"));
    assert_eq!(Got::of(head).await.status, 200);
    let bare = instance.client.head(instance.url("/"));
    assert_eq!(Got::of(bare).await.status, 200);
    assert!(!instance.serve.home.logs().contains(&instance.key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_brings_no_login_is_passed_on() {
    let login = Upstream::start(plain(200, ANSWER));
    let key = Upstream::start(plain(200, ANSWER));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    let bare = || {
        let request = instance.client.post(instance.url("/v1/messages"));
        request.bearer_auth(&instance.key).body(MESSAGE)
    };
    let got = Got::of(bare()).await;
    assert_eq!((got.status.as_u16(), got.profile()), (200, Some("paid")));
    assert_eq!(
        key.seen()[0].header("x-api-key"),
        Some("sk-paid-key-of-tundras-own")
    );
    instance.serve.cli(&["disable", "paid"]).ok();
    let got = Got::of(bare()).await;
    assert!(
        got.text().contains("claude-login: needs a login"),
        "{}",
        got.text()
    );
    assert_eq!((login.requests(), got.attempts()), (0, "0"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_needs_a_login_hides_no_answer_from_a_caller_without_one() {
    let login = Upstream::start(plain(200, ANSWER));
    let key = Upstream::start(plain(401, r#"{"error":{"message":"the last words"}}"#));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    let chat = instance.client.post(instance.url("/v1/chat/completions"));
    let body = r#"{"model":"m","n":2,"messages":[{"role":"user","content":"hi"}]}"#;
    let never = Got::of(chat.bearer_auth(&instance.key).body(body)).await;
    assert_eq!(never.status, 400, "{}", never.text());
    assert!(
        never.text().contains("claude-login: unsupported: chat"),
        "{}",
        never.text()
    );
    let bare = instance.client.post(instance.url("/v1/messages"));
    let got = Got::of(bare.bearer_auth(&instance.key).body(MESSAGE)).await;
    assert_eq!(got.status, 401, "{}", got.text());
    assert_eq!(got.text(), r#"{"error":{"message":"the last words"}}"#);
    assert_eq!(login.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_up_plan_costs_money_only_with_consent_and_until_it_is_taken_back() {
    let login = Upstream::start(used_up(3600));
    let key = Upstream::start(plain(200, ANSWER));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    let ask = || Got::of(instance.claude(TOKEN, MESSAGE).header("cookie", "a=b"));
    for _ in 0..2 {
        let got = ask().await;
        assert_eq!((got.status.as_u16(), got.text().as_str()), (429, LIMIT));
        let vendor = (got.header("x-vendor"), got.header("retry-after"));
        assert_eq!(vendor, (Some("yes"), Some("7")));
        assert_eq!(got.profile(), Some("claude-login"));
    }
    assert_eq!(key.requests(), 0);
    let provider = instance.provider("claude-login");
    assert_eq!(provider["state"], "exhausted");
    let window = &provider["windows"][0];
    assert_eq!(
        (&window["name"], &window["used"]),
        (&json!("5h"), &json!(1.0))
    );
    assert_eq!(window["status"], "rejected");
    assert!(window["resets_at"].as_str().unwrap().ends_with('Z'));

    let done = instance
        .serve
        .cli(&["failover", "--from", "claude-login", "--json"]);
    assert_eq!(done.json()["active"], "paid");
    let asked_before = login.requests();
    let got = ask().await;
    assert_eq!((got.status.as_u16(), got.profile()), (200, Some("paid")));
    assert_eq!(login.requests(), asked_before);
    let seen = &key.seen()[0];
    assert_eq!(seen.header("x-api-key"), Some("sk-paid-key-of-tundras-own"));
    assert_eq!(
        (seen.header("authorization"), seen.header("cookie")),
        (None, None)
    );

    // Another login has agreed to nothing.
    let got = Got::of(instance.claude(OTHER, MESSAGE)).await;
    assert_eq!(
        (got.status.as_u16(), got.profile()),
        (429, Some("claude-login"))
    );
    instance.serve.cli(&["unpin"]).ok();
    let got = ask().await;
    assert_eq!(
        (got.status.as_u16(), got.profile()),
        (429, Some("claude-login"))
    );
    assert_eq!(key.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_logins_at_one_profile_each_is_asked_for_its_own_consent() {
    let login = Upstream::answering(|seen| match seen.header("authorization") {
        Some(token) if token.contains(OTHER) => plain(200, ANSWER),
        _ => used_up(3600),
    });
    let key = Upstream::start(plain(200, ANSWER));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    let failover = ["failover", "--from", "claude-login"];
    let ask = async |token, status: u16, profile| {
        let got = Got::of(instance.claude(token, MESSAGE)).await;
        assert_eq!(
            (got.status.as_u16(), got.profile()),
            (status, Some(profile)),
            "{token}: {}",
            got.text()
        );
    };
    ask(TOKEN, 429, "claude-login").await;
    // However often it is said, and whoever came in between: it is consent, and holds nobody.
    for _ in 0..2 {
        ask(OTHER, 200, "claude-login").await;
        instance.serve.cli(&failover).ok();
        ask(TOKEN, 200, "paid").await;
        assert_eq!(instance.provider("claude-login")["held_s"], Value::Null);
    }
    ask(OTHER, 200, "claude-login").await;
    // The other one's plan ends later, and its user has agreed to nothing.
    login.usually(used_up(3600));
    ask(OTHER, 429, "claude-login").await;
    ask(OTHER, 429, "claude-login").await;
    ask(TOKEN, 200, "paid").await;
    instance.serve.cli(&failover).ok();
    ask(OTHER, 200, "paid").await;
    instance.serve.cli(&["unpin"]).ok();
    ask(TOKEN, 429, "claude-login").await;
    ask(OTHER, 429, "claude-login").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_from_a_plan_that_is_not_used_up_moves_every_login_until_unpin() {
    let login = Upstream::start(plain(200, ANSWER));
    let key = Upstream::start(plain(200, ANSWER));
    let config = caller("claude-login", "anthropic", &login.url()) + &paid(&key.url());
    let instance = Instance::start(&config);
    let served_by = async |token| {
        let got = Got::of(instance.claude(token, MESSAGE)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.profile().unwrap().to_owned()
    };
    assert_eq!(served_by(TOKEN).await, "claude-login");
    let done = instance.serve.cli(&["failover", "--from", "claude-login"]);
    done.ok();
    assert_eq!(instance.provider("claude-login")["state"], "held");
    // One that was never seen before as well: it is the profile that was left.
    for token in [TOKEN, OTHER] {
        assert_eq!(served_by(token).await, "paid");
    }
    instance.serve.cli(&["unpin"]).ok();
    for token in [TOKEN, OTHER] {
        assert_eq!(served_by(token).await, "claude-login");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_told_as_one_beside_profiles_that_are_not_there_for_the_caller() {
    let login = Upstream::start(plain(200, ANSWER));
    let key = Upstream::start(answer(429, &[("retry-after", "77")], LIMIT));
    let off = caller("off", "anthropic", &login.url()) + "enabled = false\n";
    let config = caller("claude-login", "anthropic", &login.url()) + &off + &paid(&key.url());
    let instance = Instance::start(&config);
    let asked = instance.client.post(instance.url("/v1/messages"));
    let asked = asked.header("x-tundra-key", &instance.key).body(MESSAGE);
    let got = Got::of(asked).await;
    assert_eq!(got.status, 429, "{}", got.text());
    assert_eq!(got.json()["error"]["type"], "rate_limit_error");
    assert_eq!(got.header("retry-after"), Some("77"));
    let reasons = got.json()["profiles"].clone();
    let reason = |name: &str| {
        let mut all = reasons.as_array().unwrap().iter();
        all.find(|profile| profile["name"] == name).unwrap()["reason"].clone()
    };
    assert_eq!(reason("claude-login"), "needs a login");
    assert_eq!(reason("off"), "disabled");
    assert_eq!(login.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spill_is_as_the_configuration_says() {
    for (spill, served_by) in [("always", "paid"), ("never", "claude-login")] {
        let login = Upstream::start(used_up(3600));
        let key = Upstream::start(plain(200, ANSWER));
        let config = format!("[gateway]\nspill = \"{spill}\"\n")
            + &caller("claude-login", "anthropic", &login.url())
            + &paid(&key.url());
        let instance = Instance::start(&config);
        for _ in 0..2 {
            let got = Got::of(instance.claude(TOKEN, MESSAGE)).await;
            assert_eq!(got.profile(), Some(served_by), "{spill}");
        }
        if spill == "always" {
            assert_eq!((login.requests(), key.requests()), (1, 2));
        } else {
            instance.serve.cli(&["failover", "--from", "claude-login"]);
            let got = Got::of(instance.claude(TOKEN, MESSAGE)).await;
            assert_eq!((got.status.as_u16(), key.requests()), (429, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plans_end_outlives_its_token_and_touches_no_other_login() {
    let login = Upstream::answering(|seen| match seen.header("authorization") {
        Some(token) if token.contains(OTHER) => plain(200, ANSWER),
        _ => used_up(3600),
    });
    let key = Upstream::start(plain(200, ANSWER));
    let config = "[gateway]\nspill = \"always\"\n".to_owned()
        + &caller("claude-login", "anthropic", &login.url())
        + &paid(&key.url());
    let instance = Instance::start(&config);
    let of_account = MESSAGE.replace(
        "\"max_tokens\"",
        &format!(
            "\"metadata\":{{\"user_id\":\"user_ab_account_{ACCOUNT}_session_x\"}},\"max_tokens\""
        ),
    );
    let ask = |token: &'static str, body: &str| Got::of(instance.claude(token, body.to_owned()));
    assert_eq!(ask(TOKEN, &of_account).await.profile(), Some("paid"));
    assert_eq!(
        ask("sk-ant-oat01-renewed", &of_account).await.profile(),
        Some("paid")
    );
    assert_eq!(login.requests(), 1);
    assert_eq!(ask(OTHER, MESSAGE).await.profile(), Some("claude-login"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_asked_again_once_it_is_back_and_its_windows_last_over_a_restart() {
    let login = Upstream::start(plain(200, ANSWER));
    login.then(used_up(4));
    let key = Upstream::start(plain(200, ANSWER));
    let config = "[gateway]\nspill = \"always\"\n".to_owned()
        + &caller("claude-login", "anthropic", &login.url())
        + &paid(&key.url());
    let mut instance = Instance::start(&config);
    assert_eq!(
        Got::of(instance.claude(TOKEN, MESSAGE)).await.profile(),
        Some("paid")
    );
    crate::support::eventually("the plan is back", || {
        (instance.provider("claude-login")["state"] == "ready").then_some(())
    });
    let got = Got::of(instance.claude(TOKEN, MESSAGE)).await;
    assert_eq!(
        got.profile(),
        Some("claude-login"),
        "affinity holds no spilled conversation"
    );

    let reset = seconds_from_now(3600).to_string();
    let windows = [
        ("content-type", "application/json"),
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-7d_opus-utilization", "0.12"),
        ("anthropic-ratelimit-unified-7d_opus-reset", &reset),
    ];
    login.then(answer(200, &windows, ANSWER));
    Got::of(instance.claude(TOKEN, MESSAGE)).await;
    let before = instance.provider("claude-login")["windows"].clone();
    assert_eq!(before[0]["name"], "7d_opus");
    instance.serve.end(rustix::process::Signal::TERM);
    let home = instance.serve.into_home();
    let instance = Instance::at(home);
    assert_eq!(instance.provider("claude-login")["windows"], before);
    assert_eq!(instance.provider("claude-login")["state"], "no_login");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chatgpt_login_has_routes_of_its_own_and_takes_no_api_keys() {
    let login = Upstream::start(plain(200, RESPONSE));
    let url = format!("{}/backend-api/codex", login.url());
    let instance = Instance::start(&caller("chatgpt-login", "openai", &url));
    let got = Got::of(instance.codex("eyJ-made-up-login")).await;
    assert_eq!((got.status.as_u16(), got.text().as_str()), (200, RESPONSE));
    let seen = &login.seen()[0];
    assert_eq!(seen.path(), "/backend-api/codex/responses");
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer eyJ-made-up-login")
    );
    assert_eq!(seen.header("chatgpt-account-id"), Some("account-1"));
    let models = instance
        .client
        .get(instance.url("/v1/models?client_version=1.2.3"))
        .header("x-tundra-key", &instance.key)
        .bearer_auth("eyJ-made-up-login");
    Got::of(models).await;
    assert_eq!(
        login.seen()[1].path(),
        "/backend-api/codex/models?client_version=1.2.3"
    );
    let got = Got::of(instance.codex("sk-proj-an-api-key")).await;
    assert_eq!(
        (
            got.status.is_client_error() || got.status == 503,
            login.requests()
        ),
        (true, 2)
    );

    let limit = format!(
        r#"{{"error":{{"type":"usage_limit_reached","message":"limit","resets_at":{}}}}}"#,
        seconds_from_now(1800)
    );
    login.then(answer(
        429,
        &[
            ("content-type", "application/json"),
            ("x-codex-primary-used-percent", "100"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-after-seconds", "1800"),
        ],
        &limit,
    ));
    let got = Got::of(instance.codex("eyJ-made-up-login")).await;
    assert_eq!((got.status.as_u16(), got.text()), (429, limit));
    let provider = instance.provider("chatgpt-login");
    assert_eq!(provider["state"], "exhausted");
    assert_eq!(provider["windows"][0]["name"], "5h");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_followed_with_no_login() {
    let elsewhere = Upstream::start(plain(200, ANSWER));
    let location = format!("{}/v1/messages", elsewhere.url());
    let login = Upstream::start(answer(307, &[("location", &location)], ""));
    let instance = Instance::start(&caller("claude-login", "anthropic", &login.url()));
    let got = Got::of(instance.claude(TOKEN, MESSAGE)).await;
    assert!(got.status.is_server_error(), "{}", got.status);
    assert_eq!((login.requests(), elsewhere.requests()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logins_401_is_its_own_and_fails_over_to_nobody() {
    let words = r#"{"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired."}}"#;
    let login = Upstream::start(plain(401, words));
    let key = Upstream::start(plain(200, ANSWER));
    let config = "[gateway]\nspill = \"always\"\n".to_owned()
        + &caller("claude-login", "anthropic", &login.url())
        + &paid(&key.url());
    let instance = Instance::start(&config);
    let got = Got::of(instance.claude(TOKEN, MESSAGE)).await;
    assert_eq!((got.status.as_u16(), got.text().as_str()), (401, words));
    assert_eq!(key.requests(), 0);
    assert_eq!(instance.provider("claude-login")["state"], "ready");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_share_no_connection() {
    let login = Upstream::start(plain(200, ANSWER));
    let instance = Instance::start(&caller("claude-login", "anthropic", &login.url()));
    for token in [TOKEN, OTHER, TOKEN, OTHER] {
        Got::of(instance.claude(token, MESSAGE)).await;
    }
    let mut of = std::collections::HashMap::<usize, String>::new();
    for seen in login.seen() {
        let token = seen.header("authorization").unwrap().to_owned();
        let first = of.entry(seen.connection).or_insert(token.clone());
        assert_eq!(*first, token);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logins_next_request_finds_a_connection_that_nobody_else_uses() {
    let login = Upstream::start(plain(200, ANSWER));
    let instance = Instance::start(&caller("claude-login", "anthropic", &login.url()));
    let ask = async |token| {
        let got = Got::of(instance.claude(token, MESSAGE)).await;
        assert_eq!(got.status, 200, "{}", got.text());
        login.seen().last().unwrap().connection
    };
    let opened = |count| eventually("it is opened ahead", || login.connections() == count);
    assert_eq!(ask(TOKEN).await, 0);
    opened(2);
    assert_eq!(ask(OTHER).await, 2, "not the one of the first login");
    opened(4);
    assert_eq!(ask(TOKEN).await, 1, "the one that was opened ahead");
    opened(5);

    // Those that turn out closed cost nothing but their time.
    login.hang_up();
    ask(TOKEN).await;
    ask(OTHER).await;
    opened(9);
    login.then(vec![Step::Close]);
    ask(TOKEN).await;
    let provider = instance.provider("claude-login");
    assert_eq!(provider["errors"]["http"], 0, "{provider}");
    assert_eq!(provider["requests"], 6, "{provider}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_body_passes_as_it_is_and_plain_to_who_could_not_read_it() {
    let login = Upstream::start(plain(200, RESPONSE));
    let key = Upstream::start(plain(200, RESPONSE));
    let config = "[gateway]\nspill = \"always\"\n".to_owned()
        + &caller("chatgpt-login", "openai", &login.url())
        + &paid(&key.url());
    let instance = Instance::start(&config);
    let text = r#"{"model":"gpt-5","input":"hi, compressed"}"#;
    for (coding, body) in [("zstd", zstd(text)), ("gzip", gzip(text))] {
        let asked = || {
            instance
                .codex("eyJ-login")
                .header("content-encoding", coding)
        };
        let got = Got::of(asked().body(body.clone())).await;
        assert_eq!(
            got.profile(),
            Some("chatgpt-login"),
            "{coding}: {}",
            got.text()
        );
        let seen = login.seen().pop().unwrap();
        assert_eq!(
            (seen.header("content-encoding"), &seen.body),
            (Some(coding), &body)
        );

        login.usually(vec![Step::Close]);
        let got = Got::of(asked().body(body)).await;
        assert_eq!(got.profile(), Some("paid"), "{coding}: {}", got.text());
        login.usually(plain(200, RESPONSE));
        let seen = key.seen().pop().unwrap();
        assert_eq!(seen.header("content-encoding"), None);
        assert_eq!(String::from_utf8_lossy(&seen.body), text);
    }
    let asked = instance.codex("eyJ-login").header("content-encoding", "br");
    let got = Got::of(asked).await;
    assert_eq!(got.status, 415);
    assert!(got.text().contains("gzip, deflate, zstd"), "{}", got.text());
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_stays_with_who_answered_it_until_somebody_says_otherwise() {
    let first = Upstream::start(plain(200, ANSWER));
    let second = Upstream::start(plain(200, ANSWER));
    let profile = |name: &str, priority: u8, url: &str| {
        format!(
            "[[profile]]\nname = \"{name}\"\nprovider = \"anthropic\"\nbase_url = \"{url}\"\n\
             api_key_env = \"PAID_KEY\"\npriority = {priority}\n"
        )
    };
    let config = profile("first", 1, &first.url()) + &profile("second", 2, &second.url());
    let instance = Instance::start(&config);
    let ask = |session: &'static str| {
        let request = instance.client.post(instance.url("/v1/messages"));
        let request = request.header("x-claude-code-session-id", session);
        Got::of(request.bearer_auth(&instance.key).body(MESSAGE))
    };
    first.then(plain(503, "{}"));
    assert_eq!(ask("a").await.profile(), Some("second"));
    assert_eq!(ask("a").await.profile(), Some("second"));
    assert_eq!(ask("b").await.profile(), Some("first"));
    instance.serve.cli(&["reset", "first"]).ok();
    assert_eq!(ask("a").await.profile(), Some("first"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planted_login_is_found_nowhere_afterwards() {
    let login = Upstream::answering(|seen| {
        let echoed = seen.header("authorization").unwrap_or_default();
        plain(500, format!(r#"{{"error":{{"message":"bad {echoed}"}}}}"#))
    });
    let instance = Instance::start(&caller("claude-login", "anthropic", &login.url()));
    instance.serve.cli(&["logs", "level", "trace"]);
    for _ in 0..2 {
        Got::of(instance.claude(TOKEN, MESSAGE)).await;
    }
    tokio::time::timeout(Duration::from_secs(30), async {
        while !instance.serve.home.logs().contains("claude-login") {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let metrics = instance.client.get(instance.url("/metrics"));
    let metrics = Got::of(metrics.bearer_auth(&instance.key)).await.text();
    let mut told = vec![
        instance.serve.home.logs(),
        metrics,
        instance.serve.cli(&["status", "--json"]).stdout,
        instance.serve.cli(&["providers", "--json"]).stdout,
        instance.serve.cli(&["providers"]).stdout,
    ];
    let mut folders = vec![instance.serve.home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = std::fs::read(entry.path()).unwrap_or_default();
                told.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    for text in told {
        assert!(!text.contains("planted-login"), "{text}");
    }
}
