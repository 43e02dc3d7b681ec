//! Providers from the outside: configured or found, asked through the gateway, shown and steered by key and by command.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::condition::{PATIENCE, eventually};
use crate::support::local_server::LocalServer;
use crate::support::terminal::Options;
use crate::support::upstream::{self, Upstream};
use crate::support::{Home, Serve, Terminal};

const SECRET: &str = "sk-ant-very-secret";

/// The answer of an upstream that says who it is.
fn says(name: &str) -> upstream::Script {
    let body = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": name}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    });
    upstream::json(200, body.to_string())
}

fn streams(name: &str) -> upstream::Script {
    let event = |kind: &str, data: Value| format!("event: {kind}\ndata: {data}\n\n");
    let delta = |text: &str| {
        event(
            "content_block_delta",
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        )
    };
    upstream::stream(&[
        event(
            "message_start",
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 0}}}),
        ),
        delta("I am "),
        delta(name),
        event(
            "message_delta",
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
        ),
        event("message_stop", json!({"type": "message_stop"})),
    ])
}

/// Two profiles, the first one first, on a port of their own.
fn two(first: &Upstream, second: &Upstream, more: &str) -> String {
    format!(
        r#"
[gateway]
bind = "127.0.0.1:0"
{more}
[[profile]]
name = "first"
provider = "anthropic"
priority = 1
base_url = "{}"
rate_limit_rpm = 50
[[profile]]
name = "second"
provider = "anthropic"
priority = 2
base_url = "{}"
"#,
        first.url(),
        second.url()
    )
}

fn serve(config: &str) -> Serve {
    let home = Home::with_config(config);
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("ANTHROPIC_API_KEY", SECRET);
    Serve::from(home, command)
}

/// Asks the gateway as a program outside; answers status, head and body.
fn post(home: &Home, url: &str) -> (u16, String, String) {
    let key = fs::read_to_string(home.path().join("state/gateway.key")).unwrap();
    post_as(key.trim(), url)
}

fn post_as(key: &str, url: &str) -> (u16, String, String) {
    let address = url.strip_prefix("http://").unwrap();
    let body = json!({
        "model": "claude-x", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}],
    })
    .to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /v1/messages HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn gateway_url(serve: &Serve) -> String {
    serve.ready()["gateway_url"].as_str().unwrap().to_owned()
}

fn providers(home: &Home) -> Vec<Value> {
    let list = home.cli(&["providers", "--json"]).json();
    list.as_array().unwrap().clone()
}

fn named(home: &Home, name: &str) -> Value {
    let providers = providers(home);
    let found = providers.iter().find(|provider| provider["name"] == name);
    found.unwrap().clone()
}

#[test]
fn requests_move_on_by_command_and_status_tells_the_same() {
    let (one, two_) = (Upstream::start(says("one")), Upstream::start(says("two")));
    let serve = serve(&two(&one, &two_, ""));
    let url = gateway_url(&serve);
    let (status, head, body) = post(&serve.home, &url);
    assert_eq!(status, 200, "{body}");
    assert!(head.contains("x-tundra-profile: first"), "{head}");
    assert!(head.contains("x-tundra-attempts: 1"), "{head}");
    let first = named(&serve.home, "first");
    assert_eq!(first["requests"], 1);
    assert_eq!(
        first["tokens"],
        json!({"input": 3, "output": 5, "cache_read": 0, "cache_write": 0})
    );
    assert_eq!(first["buckets"]["requests"]["capacity"], 50);
    assert_eq!(first["active"], true);

    let done = serve.cli(&["failover", "--for", "5m", "--json"]).json();
    assert_eq!(
        done,
        json!({"profile": "first", "active": "second", "held_s": 300.0})
    );
    let (_, head, _) = post(&serve.home, &url);
    assert!(head.contains("x-tundra-profile: second"), "{head}");
    let status = serve.cli(&["status", "--json"]).json();
    assert_eq!(status["gateway"]["url"], url.as_str());
    assert_eq!(status["gateway"]["requests"], 2);
    assert_eq!(status["gateway"]["in_flight"], 0);
    let told: Vec<_> = status["providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|provider| (provider["state"].clone(), provider["active"].clone()))
        .collect();
    assert_eq!(
        told,
        [(json!("held"), json!(false)), (json!("ready"), json!(true))]
    );
    serve
        .cli(&["failover"])
        .refused(1, "no other profile can take over");

    serve.cli(&["reset", "first"]).ok();
    assert_eq!(named(&serve.home, "first")["state"], "ready");
    serve.cli(&["pin", "second"]).ok();
    assert_eq!(named(&serve.home, "second")["pinned"], true);
    assert_eq!(named(&serve.home, "second")["active"], true);
    serve.cli(&["unpin"]).ok();
    serve.cli(&["disable", "first"]).ok();
    assert_eq!(named(&serve.home, "first")["state"], "disabled");
    serve.cli(&["enable", "first"]).ok();
    assert_eq!(named(&serve.home, "first")["active"], true);
    let logs = serve.home.logs();
    assert!(logs.contains("by=\"cli\""), "{logs}");
    assert!(!logs.contains(SECRET));
}

#[test]
fn a_profile_that_is_not_there_is_named() {
    let serve = serve("[gateway]\nbind = \"127.0.0.1:0\"\n");
    for command in ["pin", "restart", "reset", "enable", "disable"] {
        serve
            .cli(&[command, "nobody"])
            .refused(1, "profile not found: nobody");
    }
    serve
        .cli(&["failover", "--from", "nobody"])
        .refused(1, "profile not found: nobody");
    serve
        .cli(&["ask", "--profile", "nobody", "hi"])
        .refused(1, "profile not found: nobody");
    let failed = serve.cli(&["pin", "nobody", "--json"]);
    assert_eq!(
        failed.stderr.trim(),
        r#"{"error":{"code":"not_found","message":"profile not found: nobody"}}"#
    );
    assert_eq!(serve.cli(&["failover", "--for", "soon"]).code, 2);
}

#[test]
fn providers_with_a_key_in_the_environment_are_found_and_local_is_last() {
    let home = Home::with_config("[gateway]\nbind = \"127.0.0.1:0\"\n");
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command
        .env("OPENAI_API_KEY", "sk-openai")
        .env("ANTHROPIC_API_KEY", SECRET);
    let serve = Serve::from(home, command);
    let names: Vec<Value> = providers(&serve.home)
        .iter()
        .map(|provider| provider["name"].clone())
        .collect();
    assert_eq!(names, ["anthropic", "openai", "local"]);
}

#[test]
fn a_prompt_is_answered_as_it_comes() {
    let (one, two_) = (
        Upstream::start(streams("one")),
        Upstream::start(streams("two")),
    );
    let serve = serve(&two(&one, &two_, ""));
    assert_eq!(serve.cli(&["ask", "who are you?"]).ok(), "I am one\n");
    assert_eq!(
        serve
            .cli(&["ask", "--profile", "second", "--model", "m", "who?"])
            .ok(),
        "I am two\n"
    );
    let seen = two_.seen();
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(body["model"], "m");
    assert_eq!(body["messages"][0]["content"], "who?");
    let rejected = upstream::json(
        401,
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
    );
    one.usually(rejected.clone());
    assert_eq!(serve.cli(&["ask", "who are you?"]).ok(), "I am two\n");
    two_.usually(rejected);
    let done = serve.cli(&["ask", "hi"]);
    assert_eq!(done.code, 1);
    let words = "first: key of ANTHROPIC_API_KEY rejected (status 401): invalid x-api-key";
    assert!(done.stderr.contains(words), "{done:#?}");
}

#[test]
fn a_terminals_program_gets_the_gateway_and_no_providers_key() {
    let one = Upstream::start(says("one"));
    let serve = serve(&two(&one, &one, ""));
    let url = gateway_url(&serve);
    let file = serve.home.file("env");
    let id = serve.sh(&format!(
        "env > {0}.new; mv {0}.new {0}; sleep 1000",
        file.display()
    ));
    let env = eventually("the environment is written", || {
        fs::read_to_string(&file).ok()
    });
    assert!(!env.contains(SECRET), "{env}");
    let value = |name: &str| {
        env.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    assert_eq!(value("ANTHROPIC_BASE_URL"), Some(url.clone()));
    assert_eq!(value("OPENAI_BASE_URL"), Some(format!("{url}/v1")));
    assert_eq!(value("OPENAI_API_BASE"), Some(format!("{url}/v1")));
    assert_eq!(value("ANTHROPIC_API_KEY"), None);
    let key = value("ANTHROPIC_AUTH_TOKEN").unwrap();
    assert_eq!(value("OPENAI_API_KEY"), Some(key.clone()));
    assert_eq!(post_as(&key, &url).0, 200);
    serve.cli(&["kill", &id]).ok();
    eventually("the key ends with its terminal", || {
        post_as(&key, &url).0 == 401
    });
    assert!(!serve.home.logs().contains(&key));
}

#[test]
fn a_disabled_gateway_changes_nothing_for_terminals() {
    let serve = serve("[gateway]\nenabled = false\n");
    assert_eq!(serve.ready()["gateway_url"], Value::Null);
    assert_eq!(
        serve.cli(&["status", "--json"]).json()["gateway"],
        Value::Null
    );
    let id = serve.sh("echo [$ANTHROPIC_BASE_URL] [$ANTHROPIC_API_KEY]; sleep 1000");
    serve.wait_text(&id, &format!(r"\[\] \[{SECRET}\]"));
}

#[test]
fn a_port_that_was_named_must_be_free_and_another_one_is_passed_over() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with_config(&format!("[gateway]\nbind = \"{address}\"\n"));
    let (pid, name) = (
        std::process::id(),
        fs::read_to_string("/proc/self/comm").unwrap(),
    );
    let text = format!(
        "address already in use: {address} (held by pid {pid} {})",
        name.trim()
    );
    home.cli(&["serve"]).refused(1, &text);

    // Whoever holds it, this test or another program.
    let _default = TcpListener::bind("127.0.0.1:3100");
    let serve = Serve::start();
    let url = gateway_url(&serve);
    assert_ne!(url, "http://127.0.0.1:3100");
    assert!(serve.home.cli(&["status"]).ok().contains(&url));
}

#[test]
fn profiles_are_taken_over_while_it_runs_and_a_bad_edit_changes_nothing() {
    let one = Upstream::start(says("one"));
    let config = two(&one, &one, "");
    let serve = serve(&config);
    post(&serve.home, &gateway_url(&serve));
    let more = "[[profile]]\nname = \"third\"\nprovider = \"openai\"\n";
    serve.home.configure(&format!("{config}{more}"));
    eventually("the third profile is there", || {
        providers(&serve.home).len() == 3
    });
    assert_eq!(
        named(&serve.home, "first")["requests"],
        1,
        "what stays keeps its counts"
    );
    serve
        .home
        .configure(&config.replace("rate_limit_rpm = 50", "rate_limit_rpm = 0"));
    eventually("the bad edit is logged", || {
        serve
            .home
            .logs()
            .contains("profile[0].rate_limit_rpm: must be at least 1")
    });
    assert_eq!(providers(&serve.home).len(), 3);
    let logs = serve.home.logs();
    assert!(logs.contains("by=\"reload\""), "{logs}");
}

#[test]
fn a_local_server_is_started_watched_restarted_and_ended() {
    let home = Home::new();
    let Some(server) = LocalServer::in_home(&home) else {
        return;
    };
    home.configure(&format!(
        "[gateway]\nbind = \"127.0.0.1:0\"\n[[profile]]\nname = \"here\"\n{}",
        server.profile()
    ));
    let mut serve = Serve::at(home);
    let process = |serve: &Serve| named(&serve.home, "here")["process"].clone();
    eventually("it is ready", || process(&serve)["state"] == "ready");
    let first = process(&serve);
    assert_eq!(first["restarts"], 0);

    serve.cli(&["restart", "here"]).ok();
    let second = process(&serve);
    assert_eq!(
        (&second["state"], &second["restarts"]),
        (&json!("ready"), &json!(1))
    );
    assert_ne!(first["pid"], second["pid"]);

    server.end();
    eventually("it is started again after it has ended", || {
        let now = process(&serve);
        now["state"] == "ready" && now["restarts"] == 2
    });
    let log = fs::read_to_string(serve.home.path().join("logs/server-here.log")).unwrap();
    assert_eq!(log, "listening\nlistening\nending\nlistening\n");
    assert!(
        serve
            .home
            .logs()
            .contains("here: server ended (exit status: 3)")
    );

    let pid = u32::try_from(process(&serve)["pid"].as_u64().unwrap()).unwrap();
    assert_eq!(serve.end(rustix::process::Signal::TERM).0, 143);
    assert!(
        serve
            .home
            .processes()
            .iter()
            .all(|process| process.pid != pid),
        "no server outlives tundra"
    );
}

#[test]
fn a_local_server_that_is_not_ready_is_passed_over_and_blamed_for_nothing() {
    let home = Home::new();
    let Some(LocalServer { script, port }) = LocalServer::in_home(&home) else {
        return;
    };
    let other = Upstream::start(says("other"));
    let gate = home.file("gate");
    home.configure(&format!(
        r#"
[gateway]
bind = "127.0.0.1:0"
[[profile]]
name = "here"
provider = "local"
priority = 1
base_url = "http://127.0.0.1:{port}"
command = ["sh", "-c", "while [ ! -e {} ]; do sleep 0.05; done; exec python3 {} {port}"]
[[profile]]
name = "other"
provider = "local"
priority = 2
base_url = "{}"
"#,
        gate.display(),
        script.display(),
        other.url()
    ));
    let serve = Serve::at(home);
    let here = || named(&serve.home, "here");
    assert_eq!(here()["process"]["state"], "starting");
    assert_eq!(here()["state"], "held");
    assert_eq!(here()["reason"], "its server is starting");
    assert_eq!(named(&serve.home, "other")["active"], true);
    let (status, head, _) = post(&serve.home, &gateway_url(&serve));
    assert_eq!(status, 200, "{head}");
    assert!(head.contains("x-tundra-attempts: 1"), "{head}");
    assert!(head.contains("x-tundra-profile: other"), "{head}");
    fs::write(&gate, "").unwrap();
    eventually("it is asked", || here()["active"] == true);
    let ready = here();
    assert_eq!(ready["process"]["state"], "ready");
    assert_eq!(
        (&ready["state"], &ready["reason"]),
        (&json!("ready"), &Value::Null)
    );
    assert_eq!(ready["breaker"]["failures"], 0);
}

fn front(config: &str, options: Options) -> (Home, Terminal) {
    let home = Home::with_config(config);
    let mut command = home.tundra(&["--", "sh"]);
    command.env("ANTHROPIC_API_KEY", SECRET);
    let terminal = Terminal::start(command, options);
    terminal.wait_text("$");
    (home, terminal)
}

#[test]
fn the_screen_shows_a_breaker_open_counting_down_and_closed_again() {
    let (one, two_) = (Upstream::start(says("one")), Upstream::start(says("two")));
    let breaker = "affinity = \"0s\"\n[circuit_breaker]\nopen_for = \"4s\"\n";
    let (home, mut terminal) = front(&two(&one, &two_, breaker), Options::default());
    terminal.wait_text("first");
    let url = home.cli(&["status", "--json"]).json()["gateway"]["url"].clone();
    let url = url.as_str().unwrap();
    one.usually(upstream::json(500, "{}"));
    for _ in 0..5 {
        let (status, head, _) = post(&home, url);
        assert_eq!(status, 200);
        assert!(head.contains("x-tundra-profile: second"), "{head}");
    }
    for left in ["open 4s", "open 3s", "open 2s"] {
        terminal.wait_text(left);
    }
    assert_eq!(named(&home, "first")["breaker"]["state"], "open");
    terminal.wait_text("half-open");
    one.usually(says("one"));
    let (_, head, _) = post(&home, url);
    assert!(head.contains("x-tundra-profile: first"), "{head}");
    terminal.wait_for("it is closed again", |screen| {
        screen
            .lines()
            .iter()
            .any(|line| line.contains("first") && line.contains("closed") && line.contains("6 req"))
    });

    // The same by keys: on, restarted, and back.
    terminal.command("f");
    terminal.wait_text("first is held for 10m; requests go to second");
    assert_eq!(named(&home, "first")["state"], "held");
    let (_, head, _) = post(&home, url);
    assert!(head.contains("x-tundra-profile: second"), "{head}");
    terminal.command("r");
    terminal.wait_text("first is restarted; requests go to first");
    let (_, head, _) = post(&home, url);
    assert!(head.contains("x-tundra-profile: first"), "{head}");
    assert!(home.logs().contains("by=\"key\""));
    terminal.command("P");
    terminal.wait_text("enter more");
    terminal.type_("\r");
    terminal.wait_text("last attempts, newest first");
    terminal.wait_text("API error (status 500)");
    terminal.type_("q");
    terminal.wait_text("enter more");
    terminal.type_("jp");
    terminal.wait_text("second is pinned; requests go to second");
    assert_eq!(named(&home, "second")["pinned"], true);
}

#[test]
fn an_idle_screen_with_providers_stays_idle() {
    let one = Upstream::start(says("one"));
    let (_home, terminal) = front(&two(&one, &one, ""), Options::default());
    terminal.wait_text("second");
    let (mut length, mut since) = (terminal.raw_len(), Instant::now());
    eventually("nothing is drawn for three seconds", || {
        if terminal.raw_len() != length {
            (length, since) = (terminal.raw_len(), Instant::now());
        }
        since.elapsed() > Duration::from_secs(3)
    });
}

#[test]
fn the_predecessors_profiles_are_imported() {
    let home = Home::with_config("[gateway]\nmax_wait = \"5s\"\n");
    let old = home.file(".auto-tundra");
    fs::create_dir_all(old.join("config")).unwrap();
    fs::write(
        old.join("config/api_profiles.json"),
        r#"{"profiles": [{"name": "anthropic-primary", "provider": "anthropic", "priority": 0, "enabled": true,
            "api_key": "sk-secret", "rate_limit_rpm": 50}]}"#,
    )
    .unwrap();
    fs::write(
        old.join("config/harness.toml"),
        "[[profile]]\nname = \"anthropic-primary\"\nrate_limit_rpm = 45\n",
    )
    .unwrap();
    let before = fs::read_to_string(home.config_file()).unwrap();
    let folder = old.to_str().unwrap();
    let dry = home.cli(&["config", "import", folder, "--dry-run"]).ok();
    assert!(
        dry.contains("rate_limit_rpm = 45") && !dry.contains("sk-secret"),
        "{dry}"
    );
    assert_eq!(fs::read_to_string(home.config_file()).unwrap(), before);
    home.cli(&["config", "import", folder]).ok();
    let after = fs::read_to_string(home.config_file()).unwrap();
    assert!(
        after.starts_with(before.trim_end()) && after.contains("[[profile]]"),
        "{after}"
    );
    home.cli(&["config", "check"]).ok();
    home.cli(&["config", "import", folder]).refused(
        1,
        "these profiles are configured already: anthropic-primary; rename or remove them first",
    );
    let nowhere = home.cli(&["config", "import", home.user().to_str().unwrap()]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
}

#[test]
fn a_configured_header_that_a_provider_repeats_is_told_nowhere() {
    let words =
        r#"{"type":"error","error":{"type":"api_error","message":"no tenant tenant-secret-1"}}"#;
    let upstream = Upstream::start(upstream::json(500, words));
    let serve = serve(&format!(
        r#"
[gateway]
bind = "127.0.0.1:0"
[[profile]]
name = "first"
provider = "anthropic"
base_url = "{}"
headers = {{ x-tenant = "tenant-secret-1" }}
"#,
        upstream.url()
    ));
    let (status, head, body) = post(&serve.home, &gateway_url(&serve));
    assert_eq!(status, 503, "{head}{body}");
    assert_eq!(
        upstream.seen()[0].header("x-tenant"),
        Some("tenant-secret-1")
    );
    let shown = [
        serve.cli(&["providers", "--json"]).ok(),
        serve.cli(&["status", "--json"]).ok(),
        fs::read_to_string(serve.home.path().join("logs/tundra.log")).unwrap(),
        body,
    ];
    for text in shown {
        assert!(!text.contains("tenant-secret-1"), "{text}");
    }
    let error = named(&serve.home, "first")["last_error"]["message"].clone();
    assert_eq!(error, "API error (status 500): no tenant [redacted]");
}

#[test]
fn requests_go_through_the_environments_proxy_but_for_loopback_and_what_is_excepted() {
    let proxy = Upstream::start(says("proxied"));
    let direct = Upstream::start(says("direct"));
    let profile = |name: &str, priority: u8, url: &str| {
        format!(
            "[[profile]]\nname = \"{name}\"\nprovider = \"anthropic\"\npriority = {priority}\nbase_url = \"{url}\"\n"
        )
    };
    let config = format!(
        "[gateway]\nbind = \"127.0.0.1:0\"\n[timeouts]\nconnect = \"1s\"\n{}{}{}",
        profile("excepted", 1, "http://excepted.invalid"),
        profile("far", 2, "http://far.invalid"),
        profile("near", 3, &direct.url()),
    );
    let home = Home::with_config(&config);
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command
        .env("ANTHROPIC_API_KEY", SECRET)
        .env("HTTP_PROXY", proxy.url())
        .env("http_proxy", proxy.url())
        .env("NO_PROXY", "excepted.invalid")
        .env("no_proxy", "excepted.invalid");
    let serve = Serve::from(home, command);
    let (_, head, body) = post(&serve.home, &gateway_url(&serve));
    assert!(
        head.contains("x-tundra-profile: far") && body.contains("proxied"),
        "{head}{body}"
    );
    assert_eq!(proxy.seen()[0].path(), "http://far.invalid/v1/messages");
    serve.cli(&["pin", "near"]).ok();
    let (_, _, body) = post(&serve.home, &gateway_url(&serve));
    assert!(body.contains("direct"), "{body}");
    assert_eq!(proxy.requests(), 1);
}
