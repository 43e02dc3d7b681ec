//! The mode without a subprotocol.

use std::net::Shutdown;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::instance;

#[test]
fn the_present_screen_comes_first_and_then_the_programs_bytes() {
    let (serve, remote) = instance("");
    let id = serve.sh("printf '\\033[31mred\\033[m\\r\\n'; exec cat");
    serve.wait_text(&id, "red");
    let mut viewer = remote.plain(&id);
    let first = viewer.next();
    let painted = String::from_utf8_lossy(first.into_data().as_ref()).into_owned();
    assert!(
        painted.starts_with("\u{1b}c") && painted.contains("red"),
        "{painted:?}"
    );
    serve.send(&id, "typed");
    assert_eq!(viewer.bytes_with("typed"), b"typed");
}

#[test]
fn binary_and_text_are_input_and_three_messages_are_not() {
    let (serve, remote) = instance("");
    let id = serve.sh("stty raw -echo; echo ready; exec cat");
    serve.wait_text(&id, "ready");
    let mut viewer = remote.plain(&id);
    viewer.next();
    viewer.send(Message::binary(&b"\x01binary"[..]));
    assert_eq!(viewer.bytes_with("binary"), b"\x01binary");
    viewer.text("{not json");
    viewer.bytes_with("{not json");
    viewer.text(r#"{"no":"type"}"#);
    viewer.bytes_with(r#"{"no":"type"}"#);
    viewer.say(&json!({"type": "input", "data": "ü\r"}));
    viewer.bytes_with("ü\r");
    viewer.say(&json!({"type": "unheard of", "data": "ignored"}));
    viewer.say(&json!({"type": "ping"}));
    assert_eq!(viewer.next(), Message::text(r#"{"type":"pong"}"#));
    viewer.say(&json!({"type": "resize", "cols": 101, "rows": 31}));
    crate::support::eventually("the size is in force", || {
        let facts = remote.terminal(&id);
        facts["cols"] == 101 && facts["rows"] == 31
    });
}

#[test]
fn the_return_within_the_grace_goes_on_exactly() {
    let (_serve, remote) = instance("reconnect_grace = \"30s\"");
    let script = "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo line $i; done; exec cat";
    let id = remote.open(&json!({"command": "sh", "args": ["-c", script]}));
    let mut all = Vec::new();
    // Whatever part each visit reads, the next one goes on from there.
    for visit in 0..8 {
        let mut viewer = remote.plain(&id);
        let part = if visit == 7 {
            viewer.bytes_with("line 4000\r\n")
        } else {
            viewer.bytes_until(|part| !part.is_empty() || visit == 0 && part.len() > 10)
        };
        all.extend_from_slice(&part);
        let _ = viewer.socket.close(None);
        loop {
            match viewer.socket.read() {
                Ok(Message::Binary(bytes)) => all.extend_from_slice(&bytes),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if all.ends_with(b"line 4000\r\n") {
            break;
        }
    }
    let text = String::from_utf8(all).unwrap();
    // What was painted first is the screen there was; from its last line on all is exact.
    let tail = &text[text.rfind("\u{1b}]2;").unwrap()..];
    let numbers: Vec<u32> = tail
        .lines()
        .filter_map(|line| line.strip_prefix("line ")?.trim().parse().ok())
        .collect();
    assert_eq!(numbers.last(), Some(&4000));
    for pair in numbers.windows(2) {
        assert_eq!(pair[1], pair[0] + 1, "{pair:?}");
    }
}

#[test]
fn nothing_is_painted_on_return_and_all_is_painted_beside_another() {
    let (serve, remote) = instance("");
    let id = serve.sh("echo painted; exec cat");
    serve.wait_text(&id, "painted");
    let mut first = remote.plain(&id);
    first.bytes_with("painted");
    let mut second = remote.plain(&id);
    second.bytes_with("painted");
    for viewer in [&mut first, &mut second] {
        let _ = viewer.socket.close(None);
        while viewer.socket.read().is_ok() {}
    }
    serve.send(&id, "meanwhile");
    serve.wait_text(&id, "meanwhile");
    let mut back = remote.plain(&id);
    assert_eq!(back.bytes_with("meanwhile"), b"meanwhile");
}

#[test]
fn one_that_closes_at_once_leaves_off_where_the_one_before_it_did() {
    let (serve, remote) = instance("replay_bytes = 65536");
    let id = serve.sh("yes painted | head -n 20000; echo all; exec cat");
    serve.wait_text(&id, "all");
    let leave = |mut viewer: crate::support::viewer::Socket| {
        let _ = viewer.socket.close(None);
        while viewer.socket.read().is_ok() {}
    };
    let mut first = remote.plain(&id);
    first.bytes_with("all");
    leave(first);
    for _ in 0..30 {
        leave(remote.plain(&id));
    }
    serve.send(&id, "meanwhile");
    serve.wait_text(&id, "meanwhile");
    let mut back = remote.plain(&id);
    assert_eq!(back.bytes_with("meanwhile"), b"meanwhile");
}

#[test]
fn one_that_has_its_handshake_is_attached() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    for _ in 0..30 {
        let mut viewer = remote.plain(&id);
        let facts = remote.terminal(&id);
        assert_eq!(
            (&facts["viewers"], &facts["status"]),
            (&json!(1), &json!("active"))
        );
        viewer.socket.close(None).unwrap();
        while viewer.socket.read().is_ok() {}
    }
}

#[test]
fn one_that_is_cut_off_and_comes_back_before_anybody_noticed_goes_on() {
    let (serve, remote) = instance("");
    let id = serve.sh("exec cat");
    let mut viewer = remote.plain(&id);
    viewer.text("painted-");
    viewer.bytes_with("painted-");
    for turn in 0..30 {
        let word = format!("turn{turn}-");
        viewer.text(&word);
        assert_eq!(viewer.bytes_with(&word), word.as_bytes());
        // The next one is on its way before the server has read that this one is gone. Merely dropped it might stay open in
        // a child of another test that has not begun its program yet.
        viewer.socket.get_mut().shutdown(Shutdown::Both).unwrap();
        viewer = remote.plain(&id);
    }
}

#[test]
fn a_message_too_long_and_text_that_is_not_utf_8_close_the_socket() {
    let (_serve, remote) = instance("");
    let id = remote.open(&json!({"command": "cat", "persistent": true}));
    let mut viewer = remote.plain(&id);
    let _ = viewer
        .socket
        .send(Message::binary(vec![b'x'; (1 << 20) + 1]));
    assert_eq!(viewer.close_code(), 1009);

    let mut viewer = remote.plain(&id);
    let payload = [0xff, 0xfe];
    let mask = [1, 2, 3, 4];
    let mut frame = vec![0x81, 0x80 | 2];
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    std::io::Write::write_all(viewer.socket.get_mut(), &frame).unwrap();
    assert_eq!(viewer.close_code(), 1007);
}
