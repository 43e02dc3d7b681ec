//! Whoever looks at a pane looks on.

use std::io::{Read, Write};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tundra::remote::protocol::{ToClient, ToServer};

use super::upgrade;
use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::viewer::{Remote, Socket};
use crate::support::{Home, Serve, Terminal};

const CLIENT: &str = "0123456789abcdef0123456789abcdef";

/// Attaches with `tundra.v1`, and what the screen was numbered.
fn attached(remote: &Remote, id: &str) -> (Socket, String, u64) {
    let mut socket = remote.v1(id);
    let (hello, _) = socket.attach(CLIENT, None);
    let epoch = hello["epoch"].as_str().unwrap().to_owned();
    loop {
        if let ToClient::Snapshot { seq, .. } = socket.frame() {
            return (socket, epoch, seq);
        }
    }
}

/// Reads output without a gap up to a text, and tells the number after it.
fn follow<S: Read + Write>(socket: &mut Socket<S>, mut next: u64, text: &str) -> u64 {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        match socket.frame() {
            ToClient::Output { seq, bytes } => {
                assert_eq!(seq, next, "{:?}", String::from_utf8_lossy(&seen));
                next = seq + bytes.len() as u64;
                seen.extend_from_slice(&bytes);
            }
            ToClient::Snapshot { .. } => panic!("a snapshot in the place of what was missed"),
        }
    }
    next
}

fn viewers(serve: &Serve, id: &str) -> Value {
    serve.terminal(id)["viewers"].clone()
}

#[test]
fn the_socket_of_a_viewer_stays_open_and_nothing_is_missed_or_typed_twice() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open(&["sh"]);
    let (mut socket, _, next) = attached(&remote, &id);
    socket.input(1, b"echo one-$((2-1))\r");
    let next = follow(&mut socket, next, "one-1");
    // The first half of a frame is under way.
    let frame = ToServer::Input {
        id: 2,
        bytes: b"echo two-$((1+1))\r".as_slice().into(),
    };
    let frame = masked(&frame.encode());
    let (half, rest) = frame.split_at(9);
    socket.socket.get_mut().write_all(half).unwrap();
    upgrade(&serve);
    assert_eq!(viewers(&serve, &id), 1);
    socket.socket.get_mut().write_all(rest).unwrap();
    let next = follow(&mut socket, next, "two-2");
    upgrade(&serve);
    socket.input(3, b"echo three-$((1+2))\r");
    follow(&mut socket, next, "three-3");
    let screen = serve.capture(&id);
    for echoed in ["one-$", "two-$", "three-$"] {
        assert_eq!(screen.matches(echoed).count(), 1, "{screen}");
    }
    drop(socket);
    eventually("it has left", || viewers(&serve, &id) == 0);
}

/// A binary frame as a client sends it (RFC 6455, section 5.2), with a mask of nought.
fn masked(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[0x82, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

#[test]
fn a_viewer_that_was_cut_off_meanwhile_resumes_with_exactly_what_it_missed() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open(&["sh"]);
    let (mut socket, epoch, next) = attached(&remote, &id);
    socket.input(1, b"echo one-$((2-1))\r");
    let next = follow(&mut socket, next, "one-1");
    drop(socket);
    upgrade(&serve);
    serve.enter(&id, "echo two-$((1+1))");
    serve.wait_text(&id, "two-2");
    let mut socket = remote.v1(&id);
    let (hello, attached) = socket.attach(CLIENT, Some((&epoch, next)));
    assert_eq!(hello["epoch"], epoch.as_str());
    assert_eq!(attached["resumed"], true, "{attached}");
    assert_eq!(attached["input_id"], 1);
    follow(&mut socket, next, "two-2");
}

#[test]
fn a_plain_viewer_goes_on_as_if_nothing_had_been() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open(&["sh", "-c", "stty -echo; echo ready; exec cat"]);
    let mut socket = remote.plain(&id);
    socket.bytes_with("ready");
    socket.text("one\r");
    socket.bytes_with("one");
    upgrade(&serve);
    socket.say(&json!({ "type": "resize", "cols": 70, "rows": 20 }));
    socket.text("two\r");
    let seen = socket.bytes_with("two");
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert_eq!(seen.trim(), "two", "nothing is painted anew");
    assert_eq!(serve.terminal(&id)["cols"], 70, "it is still the writer");
    // Who comes meanwhile does not take its place.
    let mut other = remote.plain(&id);
    other.text("three\r");
    other.say(&json!({ "type": "ping" }));
    other.notice("pong");
    socket.text("four\r");
    other.bytes_with("four");
    assert!(!serve.capture(&id).contains("three"));
    assert_eq!(viewers(&serve, &id), 2);
    let kinds = || {
        let events = serve.cli(&["history", "--kind", "viewer", "--json"]).json();
        let kinds = events.as_array().unwrap().iter();
        kinds
            .map(|event| event["kind"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    eventually("both are told", || kinds().len() == 2);
    assert_eq!(kinds(), ["viewer.attached", "viewer.attached"]);
}

#[test]
fn plain_viewers_of_a_flood_get_every_byte_once() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let go = serve.home.file("go");
    let id = serve.sh(&format!(
        "until [ -e {} ]; do sleep 0.02; done; seq 100000 160000; echo the end; sleep 99",
        go.display()
    ));
    let mut sockets = [remote.plain(&id), remote.plain(&id)];
    eventually("both are there", || viewers(&serve, &id) == 2);
    std::fs::write(&go, "").unwrap();
    // One reads on all the time, and one begins once all is over.
    let mut late = sockets.each_mut().map(|_| Vec::new());
    late[0] = sockets[0].bytes_with("100500");
    for _ in 0..3 {
        upgrade(&serve);
    }
    for (socket, seen) in sockets.iter_mut().zip(&mut late) {
        seen.extend(socket.bytes_with("the end"));
    }
    let expected: Vec<String> = (100_000..=160_000).map(|n| n.to_string()).collect();
    for seen in late {
        let text = String::from_utf8_lossy(&seen).into_owned();
        let numbers: Vec<&str> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|number| number.len() == 6)
            .collect();
        assert_eq!(numbers.len(), expected.len());
        assert!(numbers.iter().zip(&expected).all(|(a, b)| a == b));
    }
}

#[test]
fn a_viewer_over_the_local_socket_and_one_that_only_reads_go_on() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open(&["sh"]);
    let path = format!("/ws/terminal/{id}?read_only=1");
    let mut reader = remote.socket(&path, &[remote.bearer()]).unwrap();
    let mut terminal = Terminal::tundra(&serve.home, &["attach", &id]);
    terminal.wait_text("$");
    terminal.type_("echo fi\"\"rst\r");
    terminal.wait_text("first");
    reader.bytes_with("first");
    upgrade(&serve);
    assert_eq!(viewers(&serve, &id), 2);
    reader.text("not for it");
    terminal.type_("echo se\"\"cond\r");
    terminal.wait_text("second");
    reader.bytes_with("second");
    assert!(!serve.capture(&id).contains("not for it"));
    assert!(
        !serve.home.logs().contains("reason=Server"),
        "none was closed"
    );
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
}

#[test]
fn a_session_of_the_page_and_a_token_for_one_login_are_still_good() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let url = serve.cli(&["url"]).ok();
    let token = url.trim().split_once("#token=").unwrap().1.to_owned();
    let bearer = std::fs::read_to_string(serve.home.path().join("state/remote.token")).unwrap();
    let login = remote.login(bearer.trim());
    let page_key = login.json()["page_key"].as_str().unwrap().to_owned();
    let cookie = login
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    upgrade(&serve);
    let headers = [
        ("cookie", cookie),
        ("x-tundra-page", page_key),
        ("origin", remote.origin()),
    ];
    let list = remote.raw("GET", "/api/terminals", &headers, "");
    assert_eq!(list.status, 200);
    assert_eq!(list.json(), json!([]));
    assert_eq!(remote.login(&token).status, 200);
    assert_eq!(remote.login(&token).status, 401, "good for one login");
}

/// An instance that listens on every address, so over TLS.
fn encrypted() -> Serve {
    let config = "[gateway]\nenabled = false\n[remote]\nbind = \"0.0.0.0:0\"\n";
    Serve::at(Home::with_config(config))
}

#[test]
fn a_viewer_over_tls_is_told_to_come_back_and_resumes_with_exactly_what_it_missed() {
    let serve = encrypted();
    let go = serve.home.file("go");
    let id = serve.sh(&format!(
        "until [ -e {} ]; do sleep 0.02; done; seq 100000 110000; echo the end; exec cat",
        go.display()
    ));
    let mut socket = Remote::v1_over_tls(&serve, &id);
    let (hello, _) = socket.attach(CLIENT, None);
    let epoch = hello["epoch"].as_str().unwrap().to_owned();
    let mut next = loop {
        if let ToClient::Snapshot { seq, .. } = socket.frame() {
            break seq;
        }
    };
    std::fs::write(&go, "").unwrap();
    let mut seen = Vec::new();
    let mut upgraded = None;
    let code = loop {
        match socket.socket.read().unwrap() {
            Message::Binary(bytes) => match ToClient::decode(&bytes).unwrap() {
                ToClient::Output { seq, bytes } => {
                    assert_eq!(seq, next);
                    next += bytes.len() as u64;
                    seen.extend_from_slice(&bytes);
                }
                ToClient::Snapshot { .. } => panic!("a snapshot in the place of output"),
            },
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            _ => {}
        }
        if upgraded.is_none() && !seen.is_empty() {
            // It reads on meanwhile, as every viewer does.
            upgraded = Some(serve.home.tundra(&["upgrade"]).spawn().unwrap());
        }
    };
    assert_eq!(code, 1013);
    assert!(upgraded.unwrap().wait().unwrap().success());
    let mut socket = Remote::v1_over_tls(&serve, &id);
    let (again, attached) = socket.attach(CLIENT, Some((&epoch, next)));
    assert_eq!(again["epoch"], epoch.as_str());
    assert_eq!(attached["resumed"], true, "{attached}");
    while !String::from_utf8_lossy(&seen).contains("the end") {
        let ToClient::Output { seq, bytes } = socket.frame() else {
            panic!("a snapshot in the place of what was missed");
        };
        assert_eq!(seq, next);
        next += bytes.len() as u64;
        seen.extend_from_slice(&bytes);
    }
    let text = String::from_utf8_lossy(&seen).into_owned();
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<&str> = numbers.filter(|number| number.len() == 6).collect();
    let expected: Vec<String> = (100_000..=110_000).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected, "every byte came once");
}

#[test]
fn what_a_viewer_over_tls_typed_before_it_came_back_is_typed_once() {
    let serve = encrypted();
    let id = serve.open(&["sh"]);
    let mut socket = Remote::v1_over_tls(&serve, &id);
    let (hello, _) = socket.attach(CLIENT, None);
    let epoch = hello["epoch"].as_str().unwrap().to_owned();
    let next = loop {
        if let ToClient::Snapshot { seq, .. } = socket.frame() {
            break seq;
        }
    };
    let line = b"echo typed-$((6*7))\r";
    socket.input(1, line);
    upgrade(&serve);
    // It does not know whether its line arrived, and sends it again.
    let mut socket = Remote::v1_over_tls(&serve, &id);
    socket.attach(CLIENT, Some((&epoch, next)));
    socket.input(1, line);
    let next = follow(&mut socket, next, "typed-42");
    socket.input(2, b"echo last-$((2*21))\r");
    follow(&mut socket, next, "last-42");
    let screen = serve.capture(&id);
    assert_eq!(screen.matches("typed-42").count(), 1, "{screen}");
}

#[test]
fn attach_over_tls_comes_back_by_itself() {
    let serve = encrypted();
    let id = serve.open(&["sh"]);
    let state = serve.home.path().join("state");
    let token = std::fs::read_to_string(state.join("remote.token")).unwrap();
    let url = serve.ready()["remote_url"].as_str().unwrap().to_owned();
    let mut attach = serve.home.tundra(&["attach", "--url", &url, &id]);
    attach.env("TUNDRA_REMOTE_TOKEN", token.trim());
    let mut terminal = Terminal::start(attach, Options::default());
    terminal.wait_text("Trust it from now on?");
    terminal.type_("y\r");
    terminal.wait_text("$");
    terminal.type_("echo be\"\"fore\r");
    terminal.wait_text("before");
    upgrade(&serve);
    terminal.type_("echo af\"\"ter\r");
    terminal.wait_text("after");
    let screen = serve.capture(&id);
    assert_eq!(screen.matches("after").count(), 1, "{screen}");
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
}
