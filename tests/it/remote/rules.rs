//! Who is let in. Each rule has a request that it refuses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};

use super::instance;
use crate::support::viewer::{Answer, timed};
use crate::support::{Home, Serve, eventually};

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn without_a_token_nothing_but_the_page_and_health_is_there() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let wrong = ("Authorization", format!("Bearer {}", "0".repeat(64)));
    for (method, path) in [
        ("GET", "/api/terminals".to_owned()),
        ("POST", "/api/terminals".to_owned()),
        ("GET", format!("/api/terminals/{id}")),
        ("DELETE", format!("/api/terminals/{id}")),
        ("GET", "/api/status".to_owned()),
        ("POST", "/api/providers/local/reset".to_owned()),
        ("GET", format!("/ws/terminal/{id}")),
        ("GET", format!("/api/terminals?token={}", remote.token)),
        ("GET", "/api/nothing".to_owned()),
    ] {
        for headers in [&[][..], std::slice::from_ref(&wrong)] {
            let answer = remote.raw(method, &path, headers, "");
            assert_eq!(
                answer.refusal(),
                refused(401, "unauthorized"),
                "{method} {path}"
            );
        }
    }
    let answer = remote
        .socket(&format!("/ws/terminal/{id}"), &[])
        .err()
        .unwrap();
    assert_eq!(answer.refusal(), refused(401, "unauthorized"));
    for path in ["/", "/health", "/assets/app.js"] {
        assert_eq!(remote.raw("GET", path, &[], "").status, 200, "{path}");
    }
}

#[test]
fn a_foreign_origin_is_refused_everywhere() {
    let (_serve, remote) = instance("allowed_origins = [\"https://proxy.example\"]");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let port = remote.address.port();
    for origin in [
        "http://evil.example".to_owned(),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        "http://127.0.0.1:1".to_owned(),
        "null".to_owned(),
    ] {
        for path in ["/", "/health", "/api/terminals", "/assets/app.js"] {
            let headers = [remote.bearer(), ("Origin", origin.clone())];
            let answer = remote.raw("GET", path, &headers, "");
            assert_eq!(
                answer.refusal(),
                refused(403, "forbidden"),
                "{origin} {path}"
            );
        }
        let headers = [remote.bearer(), ("Origin", origin.clone())];
        let answer = remote
            .socket(&format!("/ws/terminal/{id}"), &headers)
            .err()
            .unwrap();
        assert_eq!(answer.refusal(), refused(403, "forbidden"), "{origin}");
        let answer = remote.raw("POST", "/api/login", &[("Origin", origin)], "{}");
        assert_eq!(answer.status, 403);
    }
    for origin in [remote.origin(), "https://proxy.example".to_owned()] {
        let headers = [remote.bearer(), ("Origin", origin)];
        assert_eq!(
            remote.raw("GET", "/api/terminals", &headers, "").status,
            200
        );
    }
}

#[test]
fn behind_a_proxy_its_own_scheme_holds() {
    let (_serve, remote) = instance("allowed_origins = [\"https://proxy.example\"]");
    let host = ("Host", "proxy.example".to_owned());
    let body = json!({"token": remote.token}).to_string();
    let login = |scheme: &str| {
        let origin = ("Origin", format!("{scheme}://proxy.example"));
        remote.raw("POST", "/api/login", &[host.clone(), origin], &body)
    };
    assert_eq!(login("http").refusal(), refused(403, "forbidden"));
    let answer = login("https");
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains(" wss://proxy.example;"), "{policy}");
}

#[test]
fn a_session_needs_an_origin_where_it_could_be_used_by_another_page() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let login = remote.login(&remote.token);
    assert_eq!(login.status, 200);
    let set = login.header("set-cookie").unwrap();
    for part in ["tundra_", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "{set}");
    let (cookie, page) = session(&login);
    let own = ("Origin", remote.origin());
    let socket = format!("/ws/terminal/{id}");
    let bare = [cookie.clone(), page.clone()];
    assert_eq!(remote.raw("GET", "/api/terminals", &bare, "").status, 200);
    let refusal = remote.raw("POST", "/api/terminals", &bare, "{}").refusal();
    assert_eq!(refusal, refused(403, "forbidden"));
    let refusal = remote.socket(&socket, &bare).err().unwrap().refusal();
    assert_eq!(refusal, refused(403, "forbidden"));
    let whole = [cookie, page, own];
    assert_eq!(
        remote.raw("POST", "/api/terminals", &whole, "{}").status,
        201
    );
    remote.socket(&socket, &whole).unwrap();
    assert_eq!(remote.raw("POST", "/api/logout", &whole, "").status, 204);
    assert_eq!(remote.raw("GET", "/api/terminals", &whole, "").status, 401);
}

/// What a browser has after a login: the cookie, and the page key that the page sends with it.
fn session(login: &Answer) -> ((&'static str, String), (&'static str, String)) {
    let set = login.header("set-cookie").unwrap();
    let cookie = set.split(';').next().unwrap().to_owned();
    let key = login.json()["page_key"].as_str().unwrap().to_owned();
    (("Cookie", cookie), ("x-tundra-page", key))
}

#[test]
fn a_stolen_cookie_opens_nothing() {
    let (serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    // Another port of this host got the cookie of a browser that it sent here. It knows the address, and can send any
    // header of a program's; what it never sees is the storage of the page.
    let (cookie, _) = session(&remote.login(&remote.token));
    let (_, foreign_key) = session(&remote.login(&remote.token));
    let own = ("Origin", remote.origin());
    let empty_key = ("x-tundra-page", String::new());
    let socket = format!("/ws/terminal/{id}");
    let key_of = |key: &str| {
        (
            "Sec-WebSocket-Protocol",
            format!("tundra.v1, tundra.page.{key}"),
        )
    };
    for more in [None, Some(empty_key), Some(foreign_key.clone())] {
        let mut headers = vec![cookie.clone(), own.clone()];
        headers.extend(more);
        for (method, path, body) in [
            ("GET", "/api/terminals", ""),
            ("POST", "/api/terminals", "{\"command\":\"cat\"}"),
            ("GET", "/api/status", ""),
            ("POST", "/api/logout", ""),
            ("POST", "/api/providers/local/reset", ""),
        ] {
            let answer = remote.raw(method, path, &headers, body);
            assert_eq!(answer.refusal(), refused(401, "unauthorized"), "{path}");
        }
        let answer = remote.socket(&socket, &headers).err().unwrap();
        assert_eq!(answer.refusal(), refused(401, "unauthorized"));
    }
    for key in ["", &foreign_key.1] {
        let headers = [cookie.clone(), own.clone(), key_of(key)];
        let answer = remote.socket(&socket, &headers).err().unwrap();
        assert_eq!(answer.refusal(), refused(401, "unauthorized"));
    }
    assert_eq!(
        serve
            .cli(&["ls", "--json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(serve.home.logs().contains("a cookie without its page key"));
}

#[test]
fn the_page_key_goes_with_a_socket_as_a_subprotocol_that_is_never_chosen() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let (cookie, (_, key)) = session(&remote.login(&remote.token));
    let own = ("Origin", remote.origin());
    let path = format!("/ws/terminal/{id}");
    let upgrade = |offered: String| {
        let headers = [
            cookie.clone(),
            own.clone(),
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Version", "13".to_owned()),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".to_owned()),
            ("Sec-WebSocket-Protocol", offered),
        ];
        remote.head("GET", &path, &headers)
    };
    let chosen = |answer: &Answer| answer.header("sec-websocket-protocol").map(str::to_owned);
    let v1 = upgrade(format!("tundra.page.{key}, tundra.v1"));
    assert_eq!(
        (v1.status, chosen(&v1).as_deref()),
        (101, Some("tundra.v1"))
    );
    let plain = upgrade(format!("tundra.page.{key}"));
    assert_eq!((plain.status, chosen(&plain)), (101, None));
}

#[test]
fn a_cookie_of_the_same_name_from_another_port_locks_nobody_out() {
    let (_serve, remote) = instance("");
    let ((_, cookie), page) = session(&remote.login(&remote.token));
    let name = cookie.split('=').next().unwrap();
    for planted in [
        format!("{name}=planted; {cookie}"),
        format!("{cookie}; {name}=planted"),
        format!("{name}=; {name}={}; {cookie}; other=1", "0".repeat(64)),
    ] {
        let headers = [("Cookie", planted), page.clone()];
        let answer = remote.raw("GET", "/api/terminals", &headers, "");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn a_foreign_host_is_refused_everywhere() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let port = remote.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1:1".to_owned(),
    ] {
        for path in ["/", "/health", "/api/terminals"] {
            let headers = [remote.bearer(), ("Host", host.clone())];
            let answer = remote.raw("GET", path, &headers, "");
            assert_eq!(answer.refusal(), refused(403, "forbidden"), "{host} {path}");
        }
        let headers = [remote.bearer(), ("Host", host)];
        let answer = remote
            .socket(&format!("/ws/terminal/{id}"), &headers)
            .err()
            .unwrap();
        assert_eq!(answer.status, 403);
    }
    // A target that names a host itself means that one, whatever Host says.
    let target = "http://evil.example/api/status";
    let answer = remote.raw("GET", target, &[remote.bearer()], "");
    assert_eq!(answer.refusal(), refused(403, "forbidden"));
    let local = [remote.bearer(), ("Host", format!("localhost:{port}"))];
    assert_eq!(remote.raw("GET", "/api/terminals", &local, "").status, 200);
}

#[test]
fn the_sixth_wrong_token_is_throttled_and_a_right_one_never_is() {
    let (serve, remote) = instance("");
    for _ in 0..5 {
        assert_eq!(
            remote.login("wrong").refusal(),
            refused(401, "unauthorized")
        );
    }
    let answer = remote.login("wrong");
    assert_eq!(answer.refusal(), refused(429, "too_many_requests"));
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds <= 60);
    let login = remote.login(&remote.token);
    assert_eq!(login.status, 200);
    let url = serve.cli(&["url"]).ok();
    let once = url.trim().split_once("#token=").unwrap().1;
    assert_eq!(remote.login(once).status, 200);
    let (cookie, page) = session(&login);
    for headers in [&[remote.bearer()][..], &[cookie, page]] {
        let answer = remote.raw("GET", "/api/terminals", headers, "");
        assert_eq!(answer.status, 200);
        let answer = remote.raw("POST", "/api/login", headers, "{\"token\":\"wrong\"}");
        assert_eq!(answer.refusal(), refused(401, "unauthorized"));
    }
    let answer = remote.login("wrong");
    assert_eq!(answer.refusal(), refused(429, "too_many_requests"));
}

#[test]
fn a_refusal_is_logged_with_its_reason() {
    let (serve, remote) = instance("allowed_origins = [\"https://proxy.example\"]");
    let host = ("Host", "evil.example".to_owned());
    remote.raw("GET", "/", &[host], "");
    let origin = ("Origin", "http://evil.example\"quoted".to_owned());
    remote.raw("GET", "/api/terminals", &[origin, remote.bearer()], "");
    remote.raw("POST", "/api/terminals", &[], "{}");
    let wrong = ("Authorization", "Bearer wrong".to_owned());
    remote.raw("GET", "/api/status", &[wrong], "");
    let own = remote.address;
    for parts in [
        ["evil.example", &format!("allowed are {own}, proxy.example")],
        [
            "evil.example",
            &format!("allowed are http://{own}, https://proxy.example"),
        ],
        ["request refused", "no bearer token and no session cookie"],
        ["request refused", "the bearer token is wrong"],
    ] {
        eventually(&format!("a line of the log with {parts:?}"), || {
            let logs = serve.home.logs();
            logs.lines()
                .any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }
    assert!(!serve.home.logs().contains("Bearer wrong"));
}

#[test]
fn a_page_under_an_unexpected_host_says_what_to_do() {
    let (_serve, remote) = instance("");
    let headers = [
        ("Host", "box.example:3000".to_owned()),
        (
            "Accept",
            "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8".to_owned(),
        ),
    ];
    let answer = remote.raw("GET", "/", &headers, "");
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    for told in [remote.origin().as_str(), "remote.allowed_origins"] {
        assert!(answer.body.contains(told), "{}", answer.body);
    }
    assert!(!answer.body.contains("box.example"));
    let answer = remote.raw("GET", "/api/terminals", &headers, "");
    assert_eq!(answer.refusal(), refused(403, "forbidden"));
}

#[test]
fn an_address_is_good_for_one_login() {
    let (serve, remote) = instance("");
    let id = serve.open(&["cat"]);
    let url = serve.cli(&["url", &id]).ok();
    let (page, fragment) = url.trim().split_once("/#token=").unwrap();
    assert_eq!(page, serve.ready()["remote_url"]);
    let (token, terminal) = fragment.split_once("&terminal=").unwrap();
    assert_eq!(terminal, id);
    assert_eq!(token.len(), 64);
    assert_ne!(token, remote.token);
    let bearer = ("Authorization", format!("Bearer {token}"));
    assert_eq!(
        remote.raw("GET", "/api/terminals", &[bearer], "").status,
        401
    );
    assert_eq!(remote.login(token).status, 200);
    assert_eq!(remote.login(token).status, 401);
    serve
        .cli(&["url", "nobody"])
        .refused(1, "pty handle not found: nobody");
}

#[test]
fn tokens_are_private_and_appear_nowhere() {
    let (serve, remote) = instance("");
    let file = serve.home.path().join("state/remote.token");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(remote.token.len(), 64);
    let id = remote.open(&json!({"command": "sh", "args": ["-c", "env; echo END; exec cat"]}));
    let mut viewer = remote.plain(&id);
    let seen = String::from_utf8_lossy(&viewer.bytes_with("END")).into_owned();
    let wrong = "f".repeat(64);
    remote.login(&wrong);
    // Into the wrong place by mistake.
    for path in ["/api/terminals/", "/ws/terminal/", "/"] {
        let answer = remote.ask("GET", &format!("{path}{}", remote.token), &Value::Null);
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    let once = serve.cli(&["url"]).ok();
    let once = once.trim().split_once("token=").unwrap().1;
    remote.login(once);
    let logs = serve.home.logs();
    for secret in [remote.token.as_str(), wrong.as_str(), once] {
        assert!(!logs.contains(secret));
        assert!(!seen.contains(secret));
    }
    assert!(
        logs.contains("login")
            && logs.contains("request refused")
            && logs.contains("viewer attaches")
    );
}

#[test]
fn a_token_that_tundra_was_started_with_reaches_no_child() {
    let home = Home::with_config("[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\n");
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("TUNDRA_REMOTE_TOKEN", "leak-me");
    let serve = Serve::from(home, command);
    let id = serve.sh("env; echo END; exec cat");
    serve.wait_text(&id, "END");
    assert!(!serve.joined(&id).contains("leak-me"));
}

#[test]
fn every_answer_carries_the_rules_for_browsers() {
    let (_serve, remote) = instance("");
    for (path, store) in [
        ("/", "no-store"),
        ("/api/terminals", "no-store"),
        ("/api/nothing", "no-store"),
    ] {
        let answer = remote.ask("GET", path, &Value::Null);
        assert_eq!(answer.header("cache-control"), Some(store), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
    }
    let script = remote.raw("GET", "/assets/app.js", &[], "");
    let tag = script.header("etag").unwrap().to_owned();
    let again = remote.raw("GET", "/assets/app.js", &[("If-None-Match", tag)], "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
}

#[test]
fn viewers_are_counted_over_the_whole_instance() {
    let (_serve, remote) = instance("max_viewers = 2");
    let one = remote.open(&json!({"command": "cat", "persistent": true}));
    let two = remote.open(&json!({"command": "cat", "persistent": true}));
    let _first = remote.plain(&one);
    let second = remote.v1(&two);
    let answer = remote
        .socket(&format!("/ws/terminal/{one}"), &[remote.bearer()])
        .err()
        .unwrap();
    assert_eq!(answer.refusal(), refused(503, "too_many_viewers"));
    assert!(answer.header("retry-after").is_some());
    drop(second);
    eventually("a place is free", || {
        remote
            .socket(&format!("/ws/terminal/{one}"), &[remote.bearer()])
            .is_ok()
    });
}

#[test]
fn an_unfinished_request_is_cut_off_after_five_seconds() {
    let (_serve, remote) = instance("");
    for begun in [
        "GET / HTTP/1.1\r\nHos",
        "POST /api/login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let mut stream = TcpStream::connect(remote.address).unwrap();
        let begun = begun.replace("HOST", &remote.address.to_string());
        stream.write_all(begun.as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let (took, _) = timed(|| stream.read_to_end(&mut Vec::new()));
        assert!((4..9).contains(&took.as_secs()), "{took:?}");
    }
}

#[test]
fn any_bind_but_loopback_is_served_over_tls_with_its_fingerprint_told() {
    let home = Home::with_config("[gateway]\nenabled = false\n[remote]\nbind = \"0.0.0.0:0\"\n");
    let mut serve = Serve::at(home);
    let url = serve.ready()["remote_url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://"), "{url}");
    let status = serve.cli(&["status", "--json"]).json();
    let fingerprint = status["remote"]["fingerprint"].as_str().unwrap().to_owned();
    assert!(fingerprint.starts_with("SHA256:"), "{fingerprint}");
    let port = url.rsplit_once(':').unwrap().1;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("200"));
    let key = serve.home.path().join("state/remote-key.pem");
    assert_eq!(
        std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (_, errors) = serve.end(rustix::process::Signal::TERM);
    assert!(errors.contains(&fingerprint), "{errors}");
}

#[test]
fn a_named_port_that_is_busy_names_its_holder() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let home = Home::with_config(&format!(
        "[gateway]\nenabled = false\n[remote]\nbind = \"{address}\"\n"
    ));
    let me = std::process::id();
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    let told = format!(
        "address already in use: {address} (held by pid {me} {})",
        name.trim()
    );
    home.cli(&["serve"]).refused(1, &told);
}

#[test]
fn what_is_pasted_cannot_end_its_brackets() {
    let (serve, remote) = instance("");
    let script = "stty raw -echo; printf '\\033[?2004h'; echo ready; exec cat -v";
    let id = serve.sh(script);
    serve.wait_text(&id, "ready");
    let mut viewer = remote.v1(&id);
    viewer.attach("0123456789abcdef", None);
    let text = "one\u{1b}[201~two\u{9b}three\r\nfour\u{7}\ttab".to_owned();
    viewer.send(tokio_tungstenite::tungstenite::Message::Binary(
        tundra::remote::protocol::ToServer::Paste { id: 1, text }.encode(),
    ));
    viewer.notice("input_ack");
    serve.wait_text(&id, "tab");
    let joined = serve.joined(&id);
    assert_eq!(joined.matches("^[[201~").count(), 1, "{joined}");
    assert!(joined.contains("^[[200~one[201~twothree"), "{joined}");
}
