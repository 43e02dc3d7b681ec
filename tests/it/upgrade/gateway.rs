//! The gateway's state and its callers go on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::upgrade;
use crate::support::condition::{PATIENCE, eventually};
use crate::support::upstream::{Script, Step, Upstream};
use crate::support::{Home, Serve, Terminal};

fn serve(first: &Upstream, general: &str) -> Serve {
    let home = Home::with_config(&format!(
        "{general}\n[circuit_breaker]\nfailure_threshold = 1\nopen_for = \"10m\"\n\
         [[profile]]\nname = \"first\"\nprovider = \"anthropic\"\npriority = 1\nbase_url = \"{}\"\nrate_limit_rpm = 50\n\
         [[profile]]\nname = \"second\"\nprovider = \"anthropic\"\npriority = 2\nbase_url = \"{0}/second\"\n",
        first.url()
    ));
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("ANTHROPIC_API_KEY", "sk-secret-of-the-test");
    Serve::from(home, command)
}

fn says(status: &str, body: &str) -> Script {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    vec![Step::Send(head.into_bytes())]
}

fn answer() -> Script {
    let body = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "x",
        "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 2},
    });
    says("200 OK", &body.to_string())
}

/// A connection to the gateway that is kept.
struct Caller {
    stream: TcpStream,
    address: String,
    key: String,
}

impl Caller {
    fn of(serve: &Serve) -> Self {
        let url = serve.ready()["gateway_url"].as_str().unwrap().to_owned();
        let address = url.strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = fs::read_to_string(serve.home.path().join("state/gateway.key")).unwrap();
        Self {
            stream,
            address,
            key: key.trim().to_owned(),
        }
    }

    fn send(&mut self, stream: bool) {
        let body = json!({
            "model": "claude-x", "max_tokens": 10, "stream": stream,
            "messages": [{"role": "user", "content": "hi"}],
        })
        .to_string();
        write!(
            self.stream,
            "POST /v1/messages HTTP/1.1\r\nhost: {}\r\nx-api-key: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            self.key,
            body.len()
        )
        .unwrap();
    }

    /// Reads until the text is there.
    fn read_until(&mut self, text: &str) -> String {
        let mut read = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            let so_far = String::from_utf8_lossy(&read).into_owned();
            if so_far.contains(text) {
                return so_far;
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => panic!("it ended: {so_far}"),
                Ok(count) => read.extend(&chunk[..count]),
                Err(error) => panic!("{error}: {so_far}"),
            }
        }
    }
}

fn named(serve: &Serve, name: &str) -> Value {
    let providers = serve.cli(&["providers", "--json"]).json();
    let all = providers.as_array().unwrap().clone();
    all.into_iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn breaker_usage_pin_and_a_kept_connection_go_on() {
    let upstream = Upstream::answering(|seen| {
        if seen.path().starts_with("/second") {
            answer()
        } else {
            says("500 Internal Server Error", "{}")
        }
    });
    let serve = serve(&upstream, "");
    let mut caller = Caller::of(&serve);
    for _ in 0..2 {
        caller.send(false);
        caller.read_until("end_turn");
    }
    serve.cli(&["pin", "second"]).ok();
    let facts = |name: &str| {
        let one = named(&serve, name);
        let keys = ["state", "requests", "errors", "tokens", "pinned"];
        let facts: Vec<Value> = keys.iter().map(|key| one[*key].clone()).collect();
        (
            (facts, one["last_error"]["message"].clone()),
            one["breaker"]["state"].clone(),
            one["breaker"]["failures"].clone(),
        )
    };
    let before = (facts("first"), facts("second"));
    assert_eq!(before.0.1, "open");
    upgrade(&serve);
    assert_eq!((facts("first"), facts("second")), before);
    let asked = upstream.requests();
    // On the connection that was there before.
    caller.send(false);
    caller.read_until("end_turn");
    assert_eq!(upstream.requests(), asked + 1);
}

#[test]
fn a_request_under_way_ends_and_one_that_comes_meanwhile_waits() {
    let slow: Script = [vec![Step::Wait(Duration::from_secs(2))], answer()].concat();
    let upstream = Upstream::start(slow);
    let serve = serve(&upstream, "");
    let mut under_way = Caller::of(&serve);
    let mut idle = Caller::of(&serve);
    under_way.send(false);
    eventually("the provider is asked", || upstream.requests() == 1);
    let upgrading = thread::spawn({
        let mut command = serve.home.tundra(&["upgrade"]);
        move || command.output().unwrap()
    });
    eventually("it takes over", || {
        serve.home.logs().contains("another program takes over")
    });
    idle.send(false);
    let mut fresh = Caller::of(&serve);
    fresh.send(false);
    under_way.read_until("end_turn");
    assert!(upgrading.join().unwrap().status.success());
    idle.read_until("end_turn");
    fresh.read_until("end_turn");
    assert_eq!(upstream.requests(), 3);
}

#[test]
fn a_stream_longer_than_its_time_ends_with_an_error_that_is_tried_again() {
    let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\
        \"role\":\"assistant\",\"model\":\"x\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n\
        event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
        event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"slowly\"}}\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let upstream = Upstream::start(vec![
        Step::Send(format!("{head}{events}").into_bytes()),
        Step::Stall,
    ]);
    let serve = serve(&upstream, "[general]\ndrain = \"1s\"");
    let mut caller = Caller::of(&serve);
    caller.send(true);
    caller.read_until("slowly");
    upgrade(&serve);
    caller.read_until("overloaded_error");
}

#[test]
fn a_collector_that_does_not_answer_holds_up_nothing_that_is_shown() {
    let upstream = Upstream::answering(|_| answer());
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let serve = serve(
        &upstream,
        &format!("[logging]\notlp_endpoint = \"{endpoint}\"\n"),
    );
    let mut terminal = Terminal::tundra(&serve.home, &["--", "sh"]);
    terminal.wait_text("$");
    let mut caller = Caller::of(&serve);
    caller.send(false);
    caller.read_until("\"hi\"");
    upgrade(&serve);
    terminal.say("after");
    // What waits for the collector is given up before the terminal is left.
    let logs = serve.home.logs();
    let given_up = logs.find("traces wait for their collector").unwrap();
    assert!(given_up < logs.find("why=\"upgrade\"").unwrap(), "{logs}");
}
