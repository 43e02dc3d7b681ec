//! The vectors that hold this machine and the page's to one behaviour; `tests/browser/link.mjs` runs them too.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::domain::size::Size;

/// The longest input that a vector writes out.
const SHORT: usize = 1000;

struct Run {
    machine: Machine,
    sent: Vec<Value>,
    told: Vec<Value>,
}

impl Run {
    fn act(&mut self, step: &Value) {
        let text = |key: &str| step[key].as_str().unwrap().to_owned();
        let (kind, given) = step.as_object().unwrap().iter().next().unwrap();
        let effects = match kind.as_str() {
            "do" => match given.as_str().unwrap() {
                "open" => {
                    self.machine.open();
                    Vec::new()
                }
                "cut" => {
                    self.machine.lost();
                    Vec::new()
                }
                "acknowledge" => self.machine.acknowledge().into_iter().collect(),
                other => panic!("{other}"),
            },
            "receive" => self.machine.on_message(&Message::text(given.to_string())),
            "receive_text" => self
                .machine
                .on_message(&Message::text(text("receive_text"))),
            "output" => {
                let seq = given["seq"].as_u64().unwrap();
                let bytes = content(given);
                self.frame(&ToClient::Output { seq, bytes })
            }
            "snapshot" => {
                let number = |key: &str| u16::try_from(given[key].as_u64().unwrap()).unwrap();
                let size = Size::clamped(number("cols"), number("rows"));
                let seq = given["seq"].as_u64().unwrap();
                let bytes = content(given);
                self.frame(&ToClient::Snapshot { seq, size, bytes })
            }
            "type" => self
                .machine
                .on_command(Command::Input(text("type").into_bytes())),
            "type_fill" => {
                let count = usize::try_from(given.as_u64().unwrap()).unwrap();
                self.machine.on_command(Command::Input(vec![b'x'; count]))
            }
            "key" => self
                .machine
                .on_command(Command::Key(text("key").parse().unwrap())),
            "paste" => self.machine.on_command(Command::Paste(text("paste"))),
            other => panic!("{other}"),
        };
        for effect in effects {
            match effect {
                Effect::Send(message) => self.sent.push(sent(&message)),
                Effect::Tell(event) => self.told.extend(told(&event)),
                Effect::Drop => self.told.push(json!({"drop": true})),
                Effect::Going | Effect::End => self.told.push(json!({"over": true})),
            }
        }
    }

    fn frame(&mut self, frame: &ToClient) -> Vec<Effect> {
        self.machine.on_message(&Message::Binary(frame.encode()))
    }
}

fn content(given: &Value) -> Bytes {
    match given["fill"].as_u64() {
        Some(count) => vec![b'x'; usize::try_from(count).unwrap()].into(),
        None => given["text"].as_str().unwrap().to_owned().into(),
    }
}

fn sent(message: &Message) -> Value {
    match message {
        Message::Binary(frame) => match ToServer::decode(frame).unwrap() {
            ToServer::Input { id, bytes } if bytes.len() > SHORT => {
                json!({"input_fill": [id, bytes.len()]})
            }
            ToServer::Input { id, bytes } => {
                json!({"input": [id, String::from_utf8(bytes.to_vec()).unwrap()]})
            }
            ToServer::Paste { id, text } => json!({"paste": [id, text]}),
            ToServer::Key { id, key } => json!({"key": [id, key.to_string()]}),
            ToServer::Ack { seq } => json!({"ack": seq}),
        },
        Message::Text(text) => match serde_json::from_str(text).unwrap() {
            Request::Attach {
                client,
                attempt,
                epoch,
                next_seq,
                read_only,
            } => {
                assert_eq!(client.len(), 32);
                json!({"attach": {
                    "attempt": attempt, "epoch": epoch, "next_seq": next_seq, "read_only": read_only
                }})
            }
            other => json!({"request": other}),
        },
        other => panic!("{other:?}"),
    }
}

fn told(event: &Event) -> Option<Value> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    Some(match event {
        Event::State(ConnectionState::Connected) => json!({"connected": true}),
        Event::State(_) => return None,
        Event::Snapshot { bytes, .. } => json!({"snapshot": text(bytes)}),
        Event::Output(bytes) if bytes.len() > SHORT => json!({"output_fill": bytes.len()}),
        Event::Output(bytes) => json!({"output": text(bytes)}),
        Event::Role { writer: true, .. } => json!({"role": "you"}),
        Event::Role { other, .. } => json!({"role": other}),
        Event::Dropped => json!({"dropped": true}),
        Event::NotTyped { bytes } => json!({"not_typed": bytes}),
        Event::TooLong => json!({"too_long": true}),
        Event::Unread => json!({"unread": true}),
        Event::Exit { code, signal } => json!({"exit": [code, signal]}),
    })
}

#[test]
fn the_machine_does_what_the_vectors_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/link/vectors.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for vector in vectors.as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let mut run = Run {
            machine: Machine::new(vector["read_only"] == true),
            sent: Vec::new(),
            told: Vec::new(),
        };
        for (at, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
            let found = |list: &mut Vec<Value>| Value::Array(std::mem::take(list));
            if let Some(expected) = step.get("sent") {
                assert_eq!(found(&mut run.sent), *expected, "{name}, step {at}");
            } else if let Some(expected) = step.get("told") {
                assert_eq!(found(&mut run.told), *expected, "{name}, step {at}");
            } else if step.get("skip").is_some() {
                run.sent.clear();
                run.told.clear();
            } else {
                run.act(step);
            }
        }
    }
}
