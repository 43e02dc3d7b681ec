//! The subprotocol `tundra.v1`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tundra::remote::protocol::{ToClient, ToServer, WINDOW};

use super::instance;
use crate::support::Serve;
use crate::support::viewer::{Dice, Proxy, Remote, Socket};

const CLIENT: &str = "0123456789abcdef";
const OTHER: &str = "fedcba9876543210";

/// An instance with a terminal that shows what is typed into it and nothing else.
fn typed_back(lines: &str) -> (Serve, Remote, String) {
    let (serve, remote) = instance(lines);
    let id = serve.sh("stty raw -echo; echo ready; exec cat");
    serve.wait_text(&id, "ready");
    (serve, remote, id)
}

/// Two who attached one after the other: the first writes, and the second has been told so.
fn writer_and_viewer(remote: &Remote, id: &str) -> (Socket, Socket) {
    let mut first = remote.v1(id);
    first.attach(CLIENT, None);
    let mut second = remote.v1(id);
    second.attach(OTHER, None);
    assert_eq!(second.notice("role")["writer"], "viewer");
    (first, second)
}

#[test]
fn a_snapshot_comes_first_and_output_goes_on_from_its_number() {
    let (serve, remote) = instance("");
    let id = serve.sh("echo shown; exec cat");
    serve.wait_text(&id, "shown");
    let mut viewer = remote.v1(&id);
    let (hello, attached) = viewer.attach(CLIENT, None);
    assert_eq!(hello["protocol"], "tundra.v1");
    assert_eq!(hello["terminal"], *id);
    assert_eq!(
        (hello["cols"].clone(), hello["rows"].clone()),
        (json!(80), json!(24))
    );
    assert_eq!(attached["resumed"], false);
    let ToClient::Snapshot { seq, size, bytes } = viewer.frame() else {
        panic!("no snapshot");
    };
    assert_eq!(attached["next_seq"], seq);
    assert_eq!((size.cols(), size.rows()), (80, 24));
    assert!(String::from_utf8_lossy(&bytes).contains("shown"));
    viewer.input(1, b"typed");
    let ack = viewer.notice("input_ack");
    assert_eq!(ack, json!({"type": "input_ack", "id": 1, "typed": true}));
    serve.wait_text(&id, "typed");
    let ToClient::Output { seq: next, .. } = viewer.frame() else {
        panic!("no output");
    };
    assert_eq!(next, seq);
}

#[test]
fn a_resent_key_is_typed_once() {
    let (serve, remote) = instance("");
    let id = serve.sh("stty raw -echo; echo ready; exec cat -v");
    serve.wait_text(&id, "ready");
    let mut viewer = remote.v1(&id);
    viewer.attach(CLIENT, None);
    for id in [1, 2, 1, 2, 3] {
        viewer.input(id, id.to_string().as_bytes());
    }
    while viewer.notice("input_ack")["id"] != 3 {}
    drop(viewer);
    let mut back = remote.v1(&id);
    let (_, attached) = back.attach(CLIENT, None);
    assert_eq!(attached["input_id"], 3);
    back.input(3, b"3");
    back.input(4, b"4");
    while back.notice("input_ack")["id"] != 4 {}
    serve.wait_text(&id, "1234");
    assert!(!serve.joined(&id).contains("33"));
}

#[test]
fn one_writes_the_others_look_and_taking_over_is_told() {
    let (serve, remote, id) = typed_back("");
    let mut first = remote.v1(&id);
    first.attach(CLIENT, None);
    assert_eq!(
        first.notice("role"),
        json!({"type": "role", "role": "writer", "writer": "you"})
    );
    let mut second = remote.v1(&id);
    second.attach(OTHER, None);
    assert_eq!(
        second.notice("role"),
        json!({"type": "role", "role": "viewer", "writer": "viewer"})
    );
    second.input(1, b"refused");
    assert_eq!(second.notice("input_ack")["typed"], false);
    second.say(&json!({"type": "resize", "cols": 120, "rows": 40}));
    second.say(&json!({"type": "take"}));
    assert_eq!(second.notice("role")["writer"], "you");
    assert_eq!(
        first.notice("role"),
        json!({"type": "role", "role": "viewer", "writer": "viewer"})
    );
    assert_eq!(remote.terminal(&id)["cols"], 80);
    second.say(&json!({"type": "resize", "cols": 100, "rows": 30}));
    loop {
        // Both are told the size with the screen in it.
        if let ToClient::Snapshot { size, .. } = first.frame()
            && size.cols() == 100
        {
            break;
        }
    }
    second.input(2, b"taken");
    assert_eq!(second.notice("input_ack")["typed"], true);
    second.socket.close(None).unwrap();
    crate::support::eventually("nobody writes", || remote.terminal(&id)["viewers"] == 1);
    // The next input takes the place.
    first.input(1, b"again");
    assert_eq!(first.notice("input_ack")["typed"], true);
    serve.wait_text(&id, "takenagain");
    assert!(!serve.joined(&id).contains("refused"));
    let logs = serve.home.logs();
    assert!(logs.contains("the writer changes") && logs.contains("viewer attached"));
}

#[test]
fn a_writer_that_is_cut_off_keeps_its_place_for_the_grace() {
    let (serve, remote, id) = typed_back("reconnect_grace = \"60s\"");
    let (mut first, mut second) = writer_and_viewer(&remote, &id);
    // Without a word, and with one that says that it comes back.
    let coming_back = CloseFrame {
        code: 4010.into(),
        reason: "".into(),
    };
    for (input, frame) in [(1, None), (2, Some(coming_back))] {
        if let Some(frame) = frame {
            first.socket.close(Some(frame)).unwrap();
        }
        drop(first);
        crate::support::eventually("one is gone", || remote.terminal(&id)["viewers"] == 1);
        second.input(input, b"not yet");
        assert_eq!(second.notice("input_ack")["typed"], false);
        second.say(&json!({"type": "resize", "cols": 120, "rows": 40}));
        first = remote.v1(&id);
        first.attach(CLIENT, None);
        assert_eq!(first.notice("role")["role"], "writer");
        first.input(input, b"mine");
        assert_eq!(first.notice("input_ack")["typed"], true);
    }
    assert_eq!(remote.terminal(&id)["cols"], 80);
    serve.wait_text(&id, "minemine");
    // One that closes has left, and `take` waits for nobody.
    first.socket.close(None).unwrap();
    crate::support::eventually("one is gone", || remote.terminal(&id)["viewers"] == 1);
    second.input(3, b"free");
    assert_eq!(second.notice("input_ack")["typed"], true);
    let mut third = remote.v1(&id);
    third.attach(CLIENT, None);
    drop(second);
    third.say(&json!({"type": "take"}));
    while third.notice("role")["writer"] != "you" {}
}

#[test]
fn after_the_grace_the_next_input_takes_the_place_and_the_one_who_comes_back_is_told() {
    let (_serve, remote, id) = typed_back("reconnect_grace = \"200ms\"");
    let (first, mut second) = writer_and_viewer(&remote, &id);
    drop(first);
    // Told without being asked for.
    assert_eq!(second.notice("role")["writer"], Value::Null);
    second.input(1, b"next");
    assert_eq!(second.notice("input_ack")["typed"], true);
    let mut back = remote.v1(&id);
    back.attach(CLIENT, None);
    let role = back.notice("role");
    assert_eq!(
        (&role["role"], &role["writer"]),
        (&json!("viewer"), &json!("viewer"))
    );
}

#[test]
fn a_plain_writer_that_is_cut_off_comes_back_to_its_place() {
    let (serve, remote, id) = typed_back("reconnect_grace = \"60s\"");
    let first = remote.plain(&id);
    let mut second = remote.v1(&id);
    second.attach(OTHER, None);
    assert_eq!(second.notice("role")["writer"], "viewer");
    drop(first);
    crate::support::eventually("one is gone", || remote.terminal(&id)["viewers"] == 1);
    second.input(1, b"not yet");
    assert_eq!(second.notice("input_ack")["typed"], false);
    let mut back = remote.plain(&id);
    back.text("back again");
    serve.wait_text(&id, "back again");
}

#[test]
fn a_program_that_reads_nothing_holds_up_no_one_for_long() {
    let (serve, remote) = instance("");
    let id = serve.sh("stty raw -echo; echo ready; exec sleep 1000");
    serve.wait_text(&id, "ready");
    let mut viewer = remote.v1(&id);
    viewer.attach(CLIENT, None);
    let much = vec![b'x'; 500_000];
    let mut next = 1;
    let refused = loop {
        viewer.input(next, &much);
        let ack = viewer.notice("input_ack");
        assert_eq!(ack["id"], next);
        if ack["typed"] == false {
            break next;
        }
        next += 1;
        assert!(next < 100, "it takes everything");
    };
    // What comes then is dropped at once, and the socket is read on.
    viewer.input(refused + 1, &much);
    assert_eq!(viewer.notice("error")["code"], "input_full");
    assert_eq!(viewer.notice("input_ack")["typed"], false);
    viewer.input(refused + 3, b"a gap");
    assert_eq!(viewer.close_code(), 1002);
}

#[test]
fn one_who_may_only_look_never_types() {
    let (serve, remote, id) = typed_back("");
    let path = format!("/ws/terminal/{id}?read_only=1");
    let mut plain = remote.socket(&path, &[remote.bearer()]).unwrap();
    plain.text("never");
    plain.say(&json!({"type": "take"}));
    plain.text("never");
    let mut viewer = remote.v1(&id);
    viewer.notice("hello");
    viewer.say(&json!({"type": "attach", "client": CLIENT, "read_only": true}));
    assert_eq!(viewer.notice("attached")["read_only"], true);
    viewer.say(&json!({"type": "take"}));
    viewer.input(1, b"never");
    assert_eq!(viewer.notice("input_ack")["typed"], false);
    viewer.say(&json!({"type": "resize", "cols": 20, "rows": 5}));
    viewer.say(&json!({"type": "ping"}));
    viewer.notice("pong");
    serve.send(&id, "end");
    serve.wait_text(&id, "end");
    assert!(!serve.joined(&id).contains("never"));
    assert_eq!(remote.terminal(&id)["cols"], 80);
}

#[test]
fn a_second_socket_of_a_client_takes_the_first_ones_place() {
    let (serve, remote) = instance("");
    let id = serve.sh("exec cat");
    let mut first = remote.v1(&id);
    first.attach(CLIENT, None);
    let mut second = remote.v1(&id);
    second.attach(CLIENT, None);
    assert_eq!(first.close_code(), 4001);
    assert_eq!(second.notice("role")["writer"], "you");
}

#[test]
fn what_breaks_the_protocol_closes_the_socket() {
    let (serve, remote) = instance("");
    let id = serve.sh("exec cat");
    let first = |message: Message| {
        let mut viewer = remote.v1(&id);
        viewer.notice("hello");
        viewer.send(message);
        viewer.close_code()
    };
    assert_eq!(first(Message::text("nonsense")), 1002);
    assert_eq!(first(Message::text(r#"{"type":"ping"}"#)), 1002);
    assert_eq!(
        first(Message::text(r#"{"type":"attach","client":"short"}"#)),
        1002
    );
    assert_eq!(first(Message::binary(&b"\x10"[..])), 1002);
    let mut viewer = remote.v1(&id);
    viewer.attach(CLIENT, None);
    viewer.text("nonsense");
    assert_eq!(viewer.notice("error")["code"], "bad_request");
    viewer.send(Message::binary(&b"\x7f\0\0\0\0\0\0\0\0"[..]));
    assert_eq!(viewer.close_code(), 1002);
}

/// A viewer that keeps coming back, and what it has got.
struct Returning<'r> {
    remote: &'r Remote,
    proxy: &'r Proxy,
    id: &'r str,
    epoch: Option<String>,
    next: Option<u64>,
    pending: Vec<(u64, Vec<u8>)>,
    attempt: u64,
}

impl<'r> Returning<'r> {
    const fn new(remote: &'r Remote, proxy: &'r Proxy, id: &'r str) -> Self {
        Self {
            remote,
            proxy,
            id,
            epoch: None,
            next: None,
            pending: Vec::new(),
            attempt: 0,
        }
    }

    /// A socket on which all is as it was left; None where the proxy cut it before that.
    fn connect(&mut self) -> Option<Socket> {
        let protocol = ("Sec-WebSocket-Protocol", "tundra.v1".to_owned());
        let path = format!("/ws/terminal/{}", self.id);
        let headers = [self.remote.bearer(), protocol];
        let mut viewer = self
            .remote
            .socket_through(self.proxy.address, &path, &headers)
            .ok()?;
        let hello = text_of(&mut viewer, "hello")?;
        self.attempt += 1;
        let mut attach = json!({"type": "attach", "client": CLIENT, "attempt": self.attempt});
        if let (Some(epoch), Some(next)) = (&self.epoch, self.next) {
            attach["epoch"] = epoch.as_str().into();
            attach["next_seq"] = next.into();
        }
        viewer.socket.send(Message::text(attach.to_string())).ok()?;
        let attached = text_of(&mut viewer, "attached")?;
        if self.next.is_some() {
            assert_eq!(attached["resumed"], true, "the place was lost: {attached}");
        }
        self.epoch = hello["epoch"].as_str().map(str::to_owned);
        self.next = attached["next_seq"].as_u64();
        let seen = attached["input_id"].as_u64().unwrap();
        self.pending.retain(|(id, _)| *id > seen);
        for (id, bytes) in self.pending.clone() {
            let bytes = bytes.into();
            let frame = ToServer::Input { id, bytes }.encode();
            viewer.socket.send(Message::Binary(frame)).ok()?;
        }
        Some(viewer)
    }
}

fn text_of(viewer: &mut Socket, kind: &str) -> Option<Value> {
    loop {
        if let Message::Text(text) = viewer.socket.read().ok()? {
            let value: Value = serde_json::from_str(&text).ok()?;
            if value["type"] == kind {
                return Some(value);
            }
        }
    }
}

/// Cuts connections until there were so many.
const CUTS: usize = 1000;
/// Room for as many who come back.
const FOR_CUTS: &str = "replay_bytes = 16777216\nreconnect_grace = \"60s\"\nmax_viewers = 1000";

#[test]
fn a_thousand_cuts_lose_and_double_no_output() {
    let (_serve, remote) = instance(FOR_CUTS);
    // Bytes that tell their place, at a pace that leaves time for a thousand cuts.
    let script = "i=0; while :; do i=$((i+1)); echo $i; done";
    let id = remote.open(&json!({
        "command": "sh", "args": ["-c", format!("stty raw -echo; read go; {script}")],
    }));
    let proxy = Proxy::before(remote.address, 40_000, 7);
    let mut viewer = Returning::new(&remote, &proxy, &id);
    viewer.pending.push((1, b"go\n".to_vec()));
    let mut got = Vec::new();
    let until = Instant::now() + Duration::from_secs(120);
    while proxy.cuts.load(Ordering::Relaxed) < CUTS {
        assert!(
            Instant::now() < until,
            "{} cuts",
            proxy.cuts.load(Ordering::Relaxed)
        );
        let Some(mut socket) = viewer.connect() else {
            continue;
        };
        while let Ok(message) = socket.socket.read() {
            let Message::Binary(bytes) = message else {
                continue;
            };
            match ToClient::decode(&bytes).unwrap() {
                ToClient::Output { seq, bytes } => {
                    assert_eq!(Some(seq), viewer.next);
                    viewer.next = Some(seq + bytes.len() as u64);
                    got.extend_from_slice(&bytes);
                    if socket
                        .socket
                        .send(Message::Binary(
                            ToServer::Ack {
                                seq: seq + bytes.len() as u64,
                            }
                            .encode(),
                        ))
                        .is_err()
                    {
                        break;
                    }
                }
                ToClient::Snapshot { seq, .. } => {
                    assert!(got.is_empty(), "output was skipped at {seq}");
                    viewer.next = Some(seq);
                }
            }
        }
    }
    let text = String::from_utf8(got).unwrap();
    // The word that set the program off may have been echoed before the terminal was raw.
    let whole = &text[text.find("1\n").unwrap()..=text.rfind('\n').unwrap()];
    let count = whole.lines().count();
    let mut expected = Context::new(&SHA256);
    for number in 1..=count {
        expected.update(format!("{number}\n").as_bytes());
    }
    let mut found = Context::new(&SHA256);
    found.update(whole.as_bytes());
    assert_eq!(found.finish().as_ref(), expected.finish().as_ref());
    assert!(count > 10_000, "{count} lines");
}

#[test]
fn a_thousand_cuts_lose_and_double_no_input() {
    const BYTES: usize = 1_500_000;
    let (serve, remote) = instance(FOR_CUTS);
    let script = format!("stty raw -echo; echo ready; head -c {BYTES} | sha256sum; exec cat");
    let id = remote.open(&json!({"command": "sh", "args": ["-c", script], "persistent": true}));
    serve.wait_text(&id, "ready");
    let proxy = Proxy::before(remote.address, 4_000, 11);
    let mut viewer = Returning::new(&remote, &proxy, &id);
    let mut dice = Dice::new(5);
    let data: Vec<u8> = (0..BYTES).map(|_| dice.letter()).collect();
    let mut rest = data.as_slice();
    let mut next_id = 1;
    let until = Instant::now() + Duration::from_secs(150);
    while !rest.is_empty() || !viewer.pending.is_empty() {
        assert!(Instant::now() < until, "{} bytes are left", rest.len());
        if proxy.cuts.load(Ordering::Relaxed) >= CUTS {
            proxy.calm.store(true, Ordering::Relaxed);
        }
        let Some(mut socket) = viewer.connect() else {
            continue;
        };
        while !rest.is_empty() || !viewer.pending.is_empty() {
            if viewer.pending.len() < 4 && !rest.is_empty() {
                let most = if proxy.calm.load(Ordering::Relaxed) {
                    60_000
                } else {
                    900
                };
                let (now, later) = rest.split_at(dice.size(most).min(rest.len()));
                rest = later;
                viewer.pending.push((next_id, now.to_vec()));
                let bytes = bytes::Bytes::copy_from_slice(now);
                let frame = ToServer::Input { id: next_id, bytes }.encode();
                next_id += 1;
                if socket.socket.send(Message::Binary(frame)).is_err() {
                    break;
                }
                continue;
            }
            let Some(ack) = text_of(&mut socket, "input_ack") else {
                break;
            };
            let seen = ack["id"].as_u64().unwrap();
            viewer.pending.retain(|(id, _)| *id > seen);
        }
    }
    let digest = ring::digest::digest(&SHA256, &data);
    let hash: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    serve.wait_text(&id, &hash);
    let cuts = proxy.cuts.load(Ordering::Relaxed);
    assert!(cuts >= CUTS, "{cuts} cuts");
}

#[test]
fn one_that_acknowledges_nothing_waits_at_the_window() {
    let (serve, remote) = instance("");
    let id = serve.sh("read go; exec yes");
    let mut viewer = remote.v1(&id);
    viewer.attach(CLIENT, None);
    viewer.frame();
    viewer.input(1, b"go\r");
    viewer.patience(Duration::from_millis(700));
    let mut read = 0;
    while let Ok(message) = viewer.socket.read() {
        if let Message::Binary(bytes) = message {
            read += bytes.len() as u64;
        }
    }
    assert!((WINDOW..WINDOW + 64 * 1024).contains(&read), "{read} bytes");
}
