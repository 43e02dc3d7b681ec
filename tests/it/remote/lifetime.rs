//! How long terminals and sockets live.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::instance;
use crate::support::viewer::timed;

#[test]
fn a_terminal_ends_after_the_grace_and_is_gone() {
    let (_serve, remote) = instance("reconnect_grace = \"300ms\"");
    let watched = remote.open(&json!({"command": "cat"}));
    let viewer = remote.plain(&watched);
    assert_eq!(remote.terminal(&watched)["status"], "active");
    let never = remote.open(&json!({"command": "cat"}));
    let kept = remote.open(&json!({"command": "cat", "persistent": true}));
    // One that nobody ever attached to has its grace from the start.
    remote.wait_status(&never, "dead");
    assert_eq!(remote.terminal(&watched)["status"], "active");
    drop(viewer);
    remote.wait_status(&watched, "dead");
    let answer = remote
        .socket(&format!("/ws/terminal/{watched}"), &[remote.bearer()])
        .err()
        .unwrap();
    assert_eq!(answer.refusal(), (410, "gone".to_owned()));
    assert_eq!(remote.terminal(&kept)["status"], "disconnected");
}

#[test]
fn coming_back_within_the_grace_keeps_the_terminal() {
    let (_serve, remote) = instance("reconnect_grace = \"700ms\"");
    let id = remote.open(&json!({"command": "cat"}));
    for _ in 0..4 {
        let viewer = remote.plain(&id);
        assert!(remote.terminal(&id)["disconnected_since"].is_null());
        drop(viewer);
        remote.wait_status(&id, "disconnected");
        assert!(remote.terminal(&id)["disconnected_since"].is_string());
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(remote.terminal(&id)["status"], "disconnected");
}

#[test]
fn a_viewer_that_leaves_ends_nothing_of_this_machine() {
    let (serve, remote) = instance("reconnect_grace = \"100ms\"");
    let id = serve.open(&["cat"]);
    drop(remote.plain(&id));
    crate::support::eventually("nobody is attached", || {
        remote.terminal(&id)["viewers"] == 0
    });
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(remote.terminal(&id)["status"], "active");
}

#[test]
fn an_idle_socket_is_closed_and_its_terminal_lives() {
    let (_serve, remote) = instance("idle_timeout = \"500ms\"\nreconnect_grace = \"400ms\"");
    let id = remote.open(&json!({"command": "cat"}));
    let mut viewer = remote.plain(&id);
    let (took, code) = timed(|| viewer.close_code());
    assert_eq!(code, 4000);
    assert!(took > Duration::from_millis(300), "{took:?}");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(remote.terminal(&id)["status"], "disconnected");
}

#[test]
fn a_message_that_asks_for_an_answer_counts_as_data() {
    let (_serve, remote) = instance("idle_timeout = \"600ms\"");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let mut viewer = remote.plain(&id);
    viewer.next();
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(250));
        viewer.say(&json!({"type": "ping"}));
        assert_eq!(viewer.next(), Message::text(r#"{"type":"pong"}"#));
    }
    assert_eq!(viewer.close_code(), 4000);
}

#[test]
fn a_client_that_answers_no_ping_is_given_up() {
    let (_serve, remote) = instance("heartbeat_interval = \"200ms\"\npong_timeout = \"300ms\"");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let mute = remote.plain(&id);
    let mut lively = remote.plain(&id);
    // Reading answers pings; the other one never reads.
    lively.patience(Duration::from_millis(100));
    let until = std::time::Instant::now() + Duration::from_millis(1200);
    while std::time::Instant::now() < until {
        match lively.socket.read() {
            Ok(_) | Err(Error::Io(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    crate::support::eventually("one is left", || remote.terminal(&id)["viewers"] == 1);
    drop(mute);
}

#[test]
fn a_close_is_answered() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    for mut viewer in [remote.plain(&id), remote.v1(&id)] {
        viewer.socket.close(None).unwrap();
        let answer = loop {
            match viewer.socket.read() {
                Ok(Message::Close(answer)) => break answer,
                Ok(_) => {}
                Err(error) => panic!("no answer to a close: {error}"),
            }
        };
        assert!(answer.is_none_or(|frame| u16::from(frame.code) == 1000));
    }
}

#[test]
fn a_terminal_is_dead_before_its_sockets_close() {
    let (_serve, remote) = instance("");
    for _ in 0..10 {
        let id = remote.open(&json!({"command": "sh", "args": ["-c", "read line; exit 3"]}));
        let mut viewer = remote.plain(&id);
        viewer.text("go\r");
        assert_eq!(viewer.close_code(), 1000);
        let facts = remote.terminal(&id);
        assert_eq!(facts["status"], "dead");
        assert_eq!(facts["exit"]["code"], 3);
    }
}

#[test]
fn viewers_hear_that_tundra_ends_and_not_that_their_terminal_did() {
    let (mut serve, remote) = instance("");
    let id = serve.open(&["cat"]);
    let mut plain = remote.plain(&id);
    let mut v1 = remote.v1(&id);
    v1.attach("0123456789abcdef", None);
    serve.end(rustix::process::Signal::TERM);
    assert_eq!(plain.close_code(), 1001);
    assert_eq!(v1.close_code(), 1001);
}

#[test]
fn sockets_close_in_order_when_the_program_ends() {
    let (_serve, remote) = instance("");
    let script = "read line; echo last words; exit 7";
    let id = remote.open(&json!({"command": "sh", "args": ["-c", script]}));
    let mut plain = remote.plain(&id);
    let mut v1 = remote.v1(&id);
    v1.attach("0123456789abcdef", None);
    plain.text("go\r");
    plain.bytes_with("last words");
    assert_eq!(plain.close_code(), 1000);
    let exit = v1.notice("exit");
    assert_eq!(exit, json!({"type": "exit", "code": 7, "signal": null}));
    assert_eq!(v1.close_code(), 1000);
}
