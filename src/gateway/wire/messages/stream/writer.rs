//! Writes a stream, event by event.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Value, json};

use crate::gateway::wire::ir::answer::{Proof, Usage};
use crate::gateway::wire::ir::error::Failure;
use crate::gateway::wire::ir::event::{PartId, PartKind};
use crate::gateway::wire::messages::answer;
use crate::gateway::wire::messages::request::arguments;
use crate::gateway::wire::sse::frame;
use crate::gateway::wire::stream_writer::{Progress, StreamWriter};

/// Writes a stream: one block is open at a time, and what comes beside it waits for its end.
#[derive(Debug)]
pub struct Writer {
    id: String,
    model: String,
    /// The first goes out as it comes; those behind it wait.
    parts: VecDeque<Outgoing>,
    /// Texts that were ended because another part began, should they go on.
    paused: Vec<PartId>,
    next_index: u32,
    calls: bool,
    progress: Progress,
    has_bad_arguments: bool,
}

/// A part on its way out.
#[derive(Debug)]
struct Outgoing {
    part: PartId,
    kind: PartKind,
    /// Whether its block has been begun on the wire.
    is_open: bool,
    /// What waits to be sent; of a call all that was said.
    text: String,
    /// How much of `text` has gone out.
    sent: usize,
    /// Set once nothing more comes.
    closed: Option<Proof>,
}

#[derive(Serialize)]
struct BlockDelta<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    index: u32,
    delta: DeltaBody<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum DeltaBody<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
}

impl Writer {
    /// `input` is the estimate of what was sent, told until the provider tells better.
    pub fn new(id: &str, model: &str, input: u64) -> Self {
        Self {
            id: format!("msg_{id}"),
            model: model.to_owned(),
            parts: VecDeque::new(),
            paused: Vec::new(),
            next_index: 0,
            calls: false,
            progress: Progress::new(Usage {
                input: Some(input),
                ..Usage::default()
            }),
            has_bad_arguments: false,
        }
    }

    /// Bytes that wait for their turn.
    pub fn kept(&self) -> usize {
        self.parts.iter().map(|part| part.text.len()).sum()
    }

    /// Whether it was ended because a call's arguments were no JSON object.
    pub fn has_bad_arguments(&self) -> bool {
        self.has_bad_arguments
    }

    /// Sends what may be sent of the first part, and ends it where nothing more can come.
    fn advance(&mut self, out: &mut Vec<u8>) {
        loop {
            let others_wait = self.parts.len() > 1;
            let index = self.next_index;
            let Some(first) = self.parts.front_mut() else {
                return;
            };
            first.send(index, out);
            let yields = others_wait && first.closed.is_none() && first.can_end();
            if first.closed.is_none() && !yields {
                return;
            }
            if first.kind == PartKind::Text && yields {
                self.paused.push(first.part);
            }
            let Some(last) = self.parts.pop_front() else {
                return;
            };
            match last.end(index, out) {
                Ok(true) => self.next_index += 1,
                Ok(false) => {}
                Err(answer::BadArguments) => return self.bad_arguments(out),
            }
        }
    }

    fn bad_arguments(&mut self, out: &mut Vec<u8>) {
        self.has_bad_arguments = true;
        let message = format!("parse error: {}", answer::BadArguments);
        self.fail(&Failure::new(500, message, ""), out);
    }
}

impl StreamWriter for Writer {
    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn answers(&mut self, model: String) {
        self.model = model;
    }

    fn head(&mut self, out: &mut Vec<u8>) {
        let start = json!({"type": "message_start", "message": {
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": answer::write_usage(&self.progress.usage),
        }});
        frame("message_start", &start, out);
    }

    fn open(&mut self, part: PartId, kind: PartKind, out: &mut Vec<u8>) {
        self.calls |= matches!(kind, PartKind::Call { .. });
        self.parts.push_back(Outgoing::new(part, kind));
        self.advance(out);
    }

    fn grow(&mut self, part: PartId, text: &str, out: &mut Vec<u8>) {
        let known = self.parts.iter().position(|waiting| waiting.part == part);
        let at = match known {
            Some(at) => at,
            None if self.paused.contains(&part) => {
                self.parts.push_back(Outgoing::new(part, PartKind::Text));
                self.parts.len() - 1
            }
            // More of a call that was whole already: blanks say nothing, and all else makes it wrong.
            None if text.trim().is_empty() => return,
            None => return self.bad_arguments(out),
        };
        if let Some(outgoing) = self.parts.get_mut(at) {
            outgoing.text.push_str(text);
        }
        self.advance(out);
    }

    fn close(&mut self, part: PartId, proof: Proof, out: &mut Vec<u8>) {
        if let Some(outgoing) = self.parts.iter_mut().find(|waiting| waiting.part == part) {
            outgoing.closed = Some(proof);
        }
        self.advance(out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        for part in &mut self.parts {
            part.closed.get_or_insert_default();
        }
        self.advance(out);
        if self.progress.is_over() {
            return;
        }
        let (reason, sequence) = answer::stop(&self.progress.end, self.calls);
        let delta = json!({
            "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": answer::write_usage(&self.progress.usage),
        });
        frame("message_delta", &delta, out);
        frame("message_stop", &json!({"type": "message_stop"}), out);
        self.progress.finish();
    }

    /// Ends the stream with an error of the kind after which clients try again by themselves, unless it is the
    /// request's own fault.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if !self.progress.finish() {
            return;
        }
        let kind = match failure.status {
            status @ (400..=428 | 430..=499) => {
                crate::gateway::wire::messages::error::kind_of(status)
            }
            _ => "overloaded_error",
        };
        let error = json!({
            "type": "error", "error": {"type": kind, "message": crate::gateway::wire::messages::error::words(failure)},
        });
        frame("error", &error, out);
    }
}

impl Outgoing {
    fn new(part: PartId, kind: PartKind) -> Self {
        Self {
            part,
            kind,
            is_open: false,
            text: String::new(),
            sent: 0,
            closed: None,
        }
    }

    /// Whether another part may take its place though nobody said that it is over.
    fn can_end(&self) -> bool {
        match self.kind {
            PartKind::Text => true,
            PartKind::Reasoning => false,
            PartKind::Call { .. } => !self.text.is_empty() && arguments(&self.text).is_some(),
        }
    }

    fn send(&mut self, index: u32, out: &mut Vec<u8>) {
        let is_call = matches!(self.kind, PartKind::Call { .. });
        if !self.is_open && (is_call || !self.text.is_empty()) {
            self.is_open = true;
            frame("content_block_start", &self.start(index), out);
        }
        let Some(text) = self.text.get(self.sent..).filter(|text| !text.is_empty()) else {
            return;
        };
        let delta = match self.kind {
            PartKind::Text => DeltaBody::Text { text },
            PartKind::Reasoning => DeltaBody::Thinking { thinking: text },
            PartKind::Call { .. } => DeltaBody::Input { partial_json: text },
        };
        block_delta(index, delta, out);
        if is_call {
            self.sent = self.text.len();
        } else {
            self.text.clear();
        }
    }

    fn start(&self, index: u32) -> Value {
        let block = match &self.kind {
            PartKind::Text => json!({"type": "text", "text": ""}),
            PartKind::Reasoning => json!({"type": "thinking", "thinking": "", "signature": ""}),
            PartKind::Call { id, name } => {
                json!({"type": "tool_use", "id": id, "name": name, "input": {}})
            }
        };
        json!({"type": "content_block_start", "index": index, "content_block": block})
    }

    /// Ends the block; false where there never was one to end.
    fn end(self, index: u32, out: &mut Vec<u8>) -> Result<bool, answer::BadArguments> {
        let proof = self.closed.unwrap_or_default();
        match self.kind {
            PartKind::Text => {}
            PartKind::Reasoning => match proof.data {
                Some(signature) if self.is_open => {
                    let signature = signature.as_str();
                    block_delta(index, DeltaBody::Signature { signature }, out);
                }
                Some(data) => {
                    let block = json!({"type": "redacted_thinking", "data": data});
                    let start = json!({"type": "content_block_start", "index": index, "content_block": block});
                    frame("content_block_start", &start, out);
                    stop(index, out);
                    return Ok(true);
                }
                None => {}
            },
            PartKind::Call { .. } => {
                if self.text.trim().is_empty() {
                    block_delta(index, DeltaBody::Input { partial_json: "{}" }, out);
                } else {
                    arguments(&self.text).ok_or(answer::BadArguments)?;
                }
            }
        }
        if self.is_open {
            stop(index, out);
        }
        Ok(self.is_open)
    }
}

fn stop(index: u32, out: &mut Vec<u8>) {
    frame(
        "content_block_stop",
        &json!({"type": "content_block_stop", "index": index}),
        out,
    );
}

fn block_delta(index: u32, delta: DeltaBody<'_>, out: &mut Vec<u8>) {
    let delta = BlockDelta {
        kind: "content_block_delta",
        index,
        delta,
    };
    frame("content_block_delta", &delta, out);
}
