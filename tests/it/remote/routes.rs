//! The routes and what each of them answers.

use serde_json::{Value, json};

use super::instance;
use crate::support::eventually;

#[test]
fn a_terminal_is_made_shown_listed_and_ended() {
    let (_serve, remote) = instance("");
    let options = json!({
        "command": "sh", "args": ["-c", "echo $COLOUR in $PWD; exec cat"], "cwd": "/tmp",
        "env": {"COLOUR": "blue"}, "cols": 90, "rows": 20, "name": "job", "persistent": true,
    });
    let answer = remote.ask("POST", "/api/terminals", &options);
    assert_eq!(answer.status, 201);
    let made = answer.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        answer.header("location"),
        Some(&*format!("/api/terminals/{id}"))
    );
    for (key, value) in [
        ("name", json!("job")),
        (
            "command",
            json!(["sh", "-c", "echo $COLOUR in $PWD; exec cat"]),
        ),
        ("cols", json!(90)),
        ("rows", json!(20)),
        ("status", json!("disconnected")),
        ("owner", json!("remote")),
        ("persistent", json!(true)),
        ("viewers", json!(0)),
        ("exit", json!(null)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    assert!(made["disconnected_since"].is_string());
    assert_eq!(remote.terminal(id)["id"], id);
    let listed = remote.ask("GET", "/api/terminals", &Value::Null).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let mut viewer = remote.plain(id);
    viewer.bytes_with("blue in /tmp");
    assert_eq!(remote.terminal(id)["viewers"], 1);

    let path = format!("/api/terminals/{id}");
    let ended = remote.ask("DELETE", &path, &Value::Null);
    assert_eq!((ended.status, ended.body.as_str()), (204, ""));
    assert_eq!(remote.terminal(id)["status"], "dead");
    assert_eq!(viewer.close_code(), 1000);
}

#[test]
fn every_key_of_a_new_terminal_is_optional() {
    let (_serve, remote) = instance("");
    let nulls = r#"{"command":null,"args":null,"cwd":null,"env":null,"cols":null,"rows":null,"name":null,"persistent":null}"#;
    for body in ["", "{}", nulls] {
        let answer = remote.raw("POST", "/api/terminals", &[remote.bearer()], body);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.json()["cols"], 80);
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_code() {
    let (_serve, remote) = instance("");
    let post = |body: &str| remote.raw("POST", "/api/terminals", &[remote.bearer()], body);
    for body in [
        "[]",
        "not json",
        r#"{"cols":"wide"}"#,
        r#"{"cols":0}"#,
        r#"{"rows":70000}"#,
        r#"{"cols":1001}"#,
        r#"{"rows":1001}"#,
        r#"{"env":{"A=B":"c"}}"#,
        r#"{"args":["x"]}"#,
        r#"{"name":" "}"#,
        r#"{"command":""}"#,
    ] {
        assert_eq!(
            post(body).refusal(),
            (400, "bad_request".to_owned()),
            "{body}"
        );
    }
    for (body, key) in [
        (r#"{"cols":"wide"}"#, "cols: "),
        (r#"{"env":["A=B"]}"#, "env: "),
        (r#"{"args":"x"}"#, "args: "),
        (r#"{"args":["x",1],"command":"x"}"#, "args[1]: "),
    ] {
        let message = post(body).json()["error"]["message"].clone();
        assert!(message.as_str().unwrap().starts_with(key), "{message}");
    }
    assert_eq!(
        post(r#"{"cols":70000}"#).json()["error"]["message"],
        "70000x24 is out of range: from 1x1 to 1000x1000"
    );
    let missing = post(r#"{"command":"no-such-program"}"#);
    assert_eq!(missing.refusal(), (400, "spawn_failed".to_owned()));
    let message = missing.json()["error"]["message"].clone();
    assert!(
        message.as_str().unwrap().starts_with("pty spawn failed: "),
        "{message}"
    );
    assert_eq!(post(&" ".repeat((1 << 20) + 1)).status, 413);

    let unknown = "/api/terminals/00000000-0000-4000-8000-000000000000";
    for (method, path, refusal) in [
        ("GET", "/api/terminals/x", (404, "not_found")),
        ("DELETE", "/api/terminals/x", (404, "not_found")),
        ("GET", "/api/terminals/", (404, "not_found")),
        ("GET", unknown, (404, "not_found")),
        ("DELETE", unknown, (404, "not_found")),
        ("GET", "/api/nothing", (404, "not_found")),
        ("GET", "/nothing", (404, "not_found")),
        ("POST", "/api/providers/nobody/reset", (404, "not_found")),
        ("GET", "/api/providers/nobody/requests", (404, "not_found")),
        ("POST", "/api/providers/local/explode", (404, "not_found")),
        ("PUT", "/api/terminals", (405, "bad_request")),
        ("GET", "/api/login", (405, "bad_request")),
        ("GET", "/ws/terminal/x", (400, "bad_request")),
    ] {
        let answer = remote.ask(method, path, &Value::Null);
        let (status, code) = refusal;
        assert_eq!(
            answer.refusal(),
            (status, code.to_owned()),
            "{method} {path}"
        );
    }
    let text = remote.ask("GET", unknown, &Value::Null).json()["error"]["message"].clone();
    assert_eq!(
        text,
        "pty handle not found: 00000000-0000-4000-8000-000000000000"
    );
}

#[test]
fn a_handshake_that_is_none_is_refused() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let path = format!("/ws/terminal/{id}");
    let key = ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==".to_owned());
    let upgrade = ("Upgrade", "websocket".to_owned());
    let connection = ("Connection", "Upgrade".to_owned());
    let version = ("Sec-WebSocket-Version", "13".to_owned());
    let both = ("Sec-WebSocket-Version", "13, 8".to_owned());
    let shake = |method: &str, headers: &[&(&str, String)]| {
        let mut given = vec![remote.bearer()];
        given.extend(headers.iter().map(|header| (*header).clone()));
        remote.raw(method, &path, &given, "")
    };
    let whole = [&upgrade, &connection, &version, &key];
    drop(remote.plain(&id));
    let head = shake("HEAD", &whole);
    assert_eq!((head.status, head.header("allow")), (405, Some("GET")));
    let plain = shake("GET", &[]);
    assert_eq!(
        (plain.status, plain.header("upgrade")),
        (426, Some("websocket"))
    );
    let other = shake("GET", &[&upgrade, &connection, &both, &key]);
    assert_eq!(
        (other.status, other.header("sec-websocket-version")),
        (400, Some("13"))
    );
    for headers in [
        &[&upgrade, &connection, &version][..],
        &[&upgrade, &connection, &version, &key, &key],
        &[&upgrade, &connection, &key],
    ] {
        assert_eq!(shake("GET", headers).status, 400, "{headers:?}");
    }
    let put = remote.ask("PUT", "/api/terminals", &Value::Null);
    assert_eq!(put.header("allow"), Some("GET, POST"));
}

#[test]
fn a_full_pool_says_when_to_come_back() {
    let (_serve, remote) = instance("");
    for _ in 0..4 {
        remote.open(&json!({"command": "cat"}));
    }
    let answer = remote.ask("POST", "/api/terminals", &json!({}));
    assert_eq!(answer.refusal(), (503, "at_capacity".to_owned()));
    assert_eq!(
        answer.json()["error"]["message"],
        "pty pool is at capacity (4)"
    );
    assert!(answer.header("retry-after").unwrap().parse::<u32>().is_ok());
}

#[test]
fn status_is_that_of_the_command_and_health_says_ok_alone() {
    let (serve, remote) = instance("");
    let status = remote.ask("GET", "/api/status", &Value::Null).json();
    assert_eq!(status["pid"], serve.pid());
    assert_eq!(status["pool"], json!({"active": 0, "max": 4}));
    assert_eq!(status["remote"]["viewers"], 0);
    assert_eq!(status["remote"]["url"], serve.ready()["remote_url"]);
    assert_eq!(
        serve.cli(&["status", "--json"]).json()["remote"],
        status["remote"]
    );
    let health = remote.raw("GET", "/health", &[], "");
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
}

#[test]
fn usage_and_history_are_those_of_the_commands() {
    let (serve, remote) = instance("");
    let id = serve.open_with(&["--name", "job"], &["sh", "-c", "exit 3"]);
    serve.wait_exit(&id);
    let ask = |path: &str| remote.ask("GET", path, &Value::Null);
    let told = |path: &str| ask(path).json();
    let exits = "/api/history?kind=terminal.exited&since=1h&last=5";
    let events = eventually("the end is told", || {
        let events = told(exits);
        (!events.as_array().unwrap().is_empty()).then_some(events)
    });
    assert_eq!(events[0]["terminal"], json!({"id": id, "name": "job"}));
    let args = ["history", "--kind", "terminal.exited", "--json"];
    assert_eq!(events, serve.cli(&args).json());
    let usage = told("/api/usage?since=2026-01-01&by=day");
    let args = ["usage", "--since", "2026-01-01", "--by", "day", "--json"];
    assert_eq!(usage["rows"], serve.cli(&args).json()["rows"]);
    assert_eq!(usage["since"], "2026-01-01T00:00:00Z");
    for path in [
        "/api/usage?by=colour",
        "/api/history?kind=x",
        "/api/history?since=x",
    ] {
        let refused = ask(path);
        assert_eq!(
            (refused.status, &refused.json()["error"]["code"]),
            (400, &json!("bad_request"))
        );
    }
    assert_eq!(remote.ask("POST", "/api/usage", &Value::Null).status, 405);
    for path in ["/api/usage", "/api/history"] {
        assert_eq!(remote.raw("GET", path, &[], "").status, 401);
    }
}

#[test]
fn providers_are_steered_as_by_the_commands() {
    let config = "[remote]\nbind = \"127.0.0.1:0\"\n[gateway]\nbind = \"127.0.0.1:0\"\n\
        [[profile]]\nname = \"one\"\nprovider = \"local\"\npriority = 1\n\
        [[profile]]\nname = \"two\"\nprovider = \"local\"\npriority = 2\n";
    let serve = crate::support::Serve::with_config(config);
    let remote = crate::support::viewer::Remote::of(&serve);
    let steer = |name: &str, action: &str| {
        remote.ask(
            "POST",
            &format!("/api/providers/{name}/{action}"),
            &Value::Null,
        )
    };
    let done = steer("one", "failover");
    assert_eq!(
        (done.status, done.json()["active"].clone()),
        (200, json!("two"))
    );
    let refused = steer("two", "failover");
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.json()["error"],
        json!({"code": "nobody_left", "message": "no other profile can take over"})
    );
    assert_eq!(steer("one", "reset").json()["active"], "one");
    assert_eq!(steer("two", "pin").json()["active"], "two");
    assert_eq!(steer("two", "disable").status, 200);
    let states = serve.cli(&["providers", "--json"]).json();
    let two = states
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "two")
        .unwrap()
        .clone();
    assert_eq!(
        (two["state"].clone(), two["enabled"].clone()),
        (json!("disabled"), json!(false))
    );
    assert!(serve.home.logs().contains("by=\"http\"") || serve.home.logs().contains("by=http"));
}

#[test]
fn an_error_is_explained_to_the_page() {
    let (_serve, remote) = instance("");
    let of = |of: &str| {
        let path = format!("/api/explain?of={of}");
        remote.ask("GET", &path, &Value::Null)
    };
    for given in ["pty%20pool%20is%20at%20capacity%20(3)", "at_capacity"] {
        let answer = of(given);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["name"], "AtCapacity");
    }
    assert_eq!(of("quuxity").status, 404);
    assert_eq!(of("").status, 400);
}

#[test]
fn a_terminal_is_seen_from_afar_and_a_line_is_typed_into_it() {
    let (serve, remote) = instance("");
    let id = serve.sh("echo what now; read answer; echo so $answer; exec cat");
    serve.wait_text(&id, "what now");
    let path = format!("/api/terminals/{id}");
    let glimpse = || {
        remote
            .ask("GET", &format!("{path}/glimpse"), &Value::Null)
            .json()
    };
    assert_eq!(glimpse()["lines"], json!(["what now"]));
    let line = format!("{path}/line");
    for bad in [
        json!({}),
        json!({"text": "two\nlines"}),
        json!({"text": "\u{1b}[A"}),
    ] {
        let refused = remote.ask("POST", &line, &bad).refusal();
        assert_eq!(refused, (400, "bad_request".to_owned()), "{bad}");
    }
    let typed = remote.ask("POST", &line, &json!({"text": "go on"}));
    assert_eq!(typed.status, 204);
    serve.wait_text(&id, "so go on");
    assert_eq!(glimpse()["lines"], json!(["what now", "go on", "so go on"]));
    assert_eq!(remote.ask("GET", &line, &Value::Null).status, 405);
    serve.cli(&["kill", &id]);
    let dead = remote.ask("POST", &line, &json!({"text": "anybody?"}));
    assert_eq!(dead.status, 410);
}
