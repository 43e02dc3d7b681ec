//! A server of `attach --url` that means no good, and clients that take what they can get.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, accept_hdr};
use tundra::domain::size::Size;
use tundra::remote::protocol::ToClient;

use super::instance;
use crate::support::terminal::Terminal;
use crate::support::{Home, Serve, eventually, procs};

/// What no word of a server may do to the terminal: set its clipboard or title, move its cursor, clear it.
const EVIL: &str = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]0;evil\u{7}\u{1b}[2J\u{9b}2J\u{202e}\r";

/// A server that answers with `answer(path)`: status and body.
fn server(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = read_head(&mut stream);
            let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
            let (status, body) = answer(&path);
            let _ = write!(
                stream,
                "HTTP/1.1 {status} OK\r\nSet-Cookie: tundra_1=x; Path=/\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn error(message: &str) -> String {
    json!({"error": {"code": format!("code{EVIL}"), "message": message}}).to_string()
}

fn terminals(name: &str) -> String {
    json!([{
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "name": name, "command": ["sh"], "cwd": "/", "pid": 1, "cols": 80,
        "rows": 24, "title": "", "status": "active", "owner": "local", "persistent": true, "viewers": 0,
        "created_at": "2026-11-29T22:00:00Z", "disconnected_since": null, "exit": null, "agent": null
    }])
    .to_string()
}

fn page_key() -> String {
    json!({"page_key": "k"}).to_string()
}

fn attach(home: &Home, address: SocketAddr) -> Terminal {
    Terminal::tundra(
        home,
        &["attach", "--url", &format!("http://{address}/#token=t")],
    )
}

#[test]
fn what_a_server_says_reaches_the_terminal_as_text_alone() {
    let home = Home::new();
    let long = "x".repeat(100_000);
    for (name, answer) in [
        ("health", (500, error(&format!("before{EVIL}after")))),
        ("login", (401, error(&format!("before{EVIL}after")))),
        ("list", (200, terminals(&format!("before{EVIL}after")))),
        ("long", (401, error(&format!("before{long}")))),
    ] {
        let address = server(move |path| match (path, name) {
            ("/health", "health") | ("/api/login", "login" | "long") | ("/api/terminals", _) => {
                answer.clone()
            }
            ("/health", _) => (200, "ok".to_owned()),
            ("/api/login", _) => (200, page_key()),
            _ => (404, error(&format!("before{EVIL}after"))),
        });
        let mut viewer = attach(&home, address);
        assert_eq!(viewer.exit(), 1, "{name}");
        // What the list says is shown to nobody who is not asked to choose.
        if name != "list" {
            viewer.wait_text("before");
        }
        let raw = viewer.raw();
        let has = |part: &[u8]| raw.windows(part.len()).any(|window| window == part);
        for part in [
            "\u{1b}]52",
            "\u{1b}]0;evil",
            "\u{1b}[2J",
            "\u{9b}",
            "\u{202e}",
        ] {
            assert!(!has(part.as_bytes()), "{name}: {part:?}");
        }
        assert!(raw.len() < 4096, "{name}: {} bytes", raw.len());
    }
}

#[test]
fn an_answer_without_end_is_given_up() {
    let home = Home::new();
    let endless = |path: &str| match path {
        "/health" => (200, "ok".to_owned()),
        "/api/login" => (200, page_key()),
        _ => (200, " ".repeat(64 << 20)),
    };
    let mut viewer = attach(&home, server(endless));
    assert_eq!(viewer.exit(), 1);
    viewer.wait_text("transport error: ");
}

#[test]
fn informational_answers_without_end_are_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_head(&mut stream);
            let many = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(100);
            while stream.write_all(many.as_bytes()).is_ok() {}
        }
    });
    let home = Home::new();
    let mut viewer = attach(&home, address);
    assert_eq!(viewer.exit(), 1);
    viewer.wait_text("informational answers without end");
}

/// A server that lets in, shows a screen, and then sends these bytes.
fn server_with_socket(then: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut peeked = [0; 64];
            let count = stream.peek(&mut peeked).unwrap();
            let head = String::from_utf8_lossy(&peeked[..count]).into_owned();
            if head.starts_with("GET /ws/") {
                let then = then.clone();
                thread::spawn(move || show_and_send(stream, &then));
                continue;
            }
            read_head(&mut stream);
            let body = if head.starts_with("GET /health") {
                "ok".to_owned()
            } else if head.starts_with("POST") {
                page_key()
            } else {
                terminals("box")
            };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nSet-Cookie: tundra_1=x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

fn show_and_send(stream: TcpStream, then: &[u8]) {
    #[allow(clippy::result_large_err, reason = "the library's own type")]
    let chosen = |_: &_, mut answer: http::Response<()>| {
        let protocol = "tundra.v1".parse().unwrap();
        answer
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        Ok(answer)
    };
    let Ok(mut socket) = accept_hdr(stream, chosen) else {
        return;
    };
    let say = |value: Value| Message::text(value.to_string());
    // It stands for a byte of output, so that it is acknowledged.
    let screen = ToClient::Snapshot {
        seq: 1,
        size: Size::clamped(80, 24),
        bytes: "the screen".into(),
    };
    for message in [
        say(
            json!({"type": "hello", "protocol": "tundra.v1", "epoch": "e", "terminal": "t", "owner": "local", "cols": 80,
            "rows": 24, "ring_start": 0, "head": 1}),
        ),
        say(
            json!({"type": "attached", "resumed": false, "next_seq": 0, "input_id": 0, "read_only": false}),
        ),
        say(json!({"type": "role", "role": "writer", "writer": "you"})),
        Message::Binary(screen.encode()),
    ] {
        let _ = socket.send(message);
    }
    // Not before the screen is acknowledged, which is after it was drawn.
    while let Ok(message) = socket.read() {
        if message.is_binary() {
            break;
        }
    }
    let _ = socket.get_mut().write_all(then);
    while socket.read().is_ok() {}
}

/// The head of a binary frame that claims so many bytes.
fn frame_head(claimed: u64) -> Vec<u8> {
    let mut head = vec![0x82, 0x7f];
    head.extend(claimed.to_be_bytes());
    head
}

#[test]
fn a_frame_that_claims_more_memory_than_there_is_costs_none() {
    let home = Home::new();
    for claimed in [1 << 40, u64::MAX >> 1, 1 << 30] {
        let mut viewer = attach(&home, server_with_socket(frame_head(claimed)));
        viewer.wait_text("the screen");
        viewer.wait_text("connection lost");
        let peak = procs::peak_resident_kib(viewer.pid());
        assert!(peak < 512 << 10, "{claimed}: {peak} KiB");
        viewer.command("d");
        assert_eq!(viewer.exit(), 0, "{claimed}");
        viewer.assert_restored();
    }
}

#[test]
fn an_abort_leaves_the_terminal_as_it_was() {
    let home = Home::new();
    let mut viewer = attach(&home, server_with_socket(Vec::new()));
    viewer.wait_text("the screen");
    viewer.signal(Signal::ABORT);
    eventually("the viewer is gone", || !viewer.running());
    viewer.assert_restored();
}

/// Connections that say nothing, as many as there are descriptors for.
#[test]
fn no_number_of_idle_connections_takes_the_descriptors_of_everybody_else() {
    let home = Home::with_config(
        "[pty]\nmax_ptys = 20\n[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\n",
    );
    let mut command = home.program("sh");
    let tundra = env!("CARGO_BIN_EXE_tundra");
    command.args([
        "-c",
        &format!("ulimit -n 512; exec {tundra} serve --print-ready"),
    ]);
    let serve = Serve::from(home, command);
    let url = serve.ready()["remote_url"].as_str().unwrap();
    let address: SocketAddr = url.split_once("://").unwrap().1.parse().unwrap();
    let mut held = Vec::new();
    for _ in 0..600 {
        held.extend(TcpStream::connect(address));
    }
    // While they are held, and however long each of them is kept.
    for _ in 0..10 {
        serve.open(&["cat"]);
    }
    assert_eq!(
        serve
            .cli(&["ls", "--json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        10
    );
    drop(held);
}

#[test]
fn a_head_is_at_most_32_kib_long() {
    let (_serve, remote) = instance("");
    let filler = ("X-Filler", "x".repeat(40 * 1024));
    let answer = remote.raw("GET", "/health", &[filler], "");
    assert_eq!(answer.status, 431);
    let fits = ("X-Filler", "x".repeat(20 * 1024));
    assert_eq!(remote.raw("GET", "/health", &[fits], "").status, 200);
}
