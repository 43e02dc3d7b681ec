//! Streams of Anthropic's Messages (platform.claude.com/docs/en/build-with-claude/streaming).

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::ir::answer::{End, Part, Proof, Usage};
use super::super::ir::error::Failure;
use super::super::ir::event::{self, Event, PartId, PartKind};
use super::super::sse::frame;
use super::answer::{self, Block, Message, WireUsage};
use super::request::arguments;

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    index: u32,
    message: Option<Message>,
    content_block: Option<Block>,
    delta: Option<Delta>,
    usage: Option<WireUsage>,
}

#[derive(Default, Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    open: HashMap<u32, Growing>,
    next: PartId,
    calls: bool,
    end: Option<End>,
}

/// A block that is open.
#[derive(Debug)]
struct Growing {
    part: PartId,
    is_call: bool,
    /// What a call was opened with, which counts where nothing follows.
    input: Option<String>,
    proof: Proof,
}

impl Reader {
    /// Reads one event; what is unheard of says nothing.
    pub fn read(&mut self, name: &[u8], data: &[u8], told: &mut Vec<Event>) {
        let Ok(frame) = serde_json::from_slice::<Frame>(data) else {
            return;
        };
        let kind = if frame.kind.is_empty() {
            std::str::from_utf8(name).unwrap_or_default()
        } else {
            frame.kind.as_str()
        };
        match kind {
            "message_start" => self.start(frame.message, told),
            "content_block_start" => {
                if let Some(block) = frame.content_block {
                    self.open(frame.index, block, told);
                }
            }
            "content_block_delta" => self.grow(frame.index, frame.delta.unwrap_or_default(), told),
            "content_block_stop" => self.close(frame.index, told),
            "message_delta" => {
                let delta = frame.delta.unwrap_or_default();
                if let Some(usage) = frame.usage {
                    told.push(Event::Usage(usage.into()));
                }
                if let Some(reason) = delta.stop_reason {
                    self.end = Some(answer::end(&reason, delta.stop_sequence));
                }
            }
            "message_stop" => self.finish(told),
            "message" => {
                if let Ok(message) = serde_json::from_slice::<Message>(data) {
                    self.end = Some(End::Done);
                    event::of_answer(message.into(), self.next, told);
                }
            }
            _ => {}
        }
    }

    /// The stream is over, with its terminator or after its last word.
    pub fn finish(&mut self, told: &mut Vec<Event>) {
        let mut open: Vec<u32> = self.open.keys().copied().collect();
        open.sort_unstable();
        for index in open {
            self.close(index, told);
        }
        let calls = self.calls;
        let end = self
            .end
            .take()
            .unwrap_or(if calls { End::Calls } else { End::Done });
        told.push(Event::Stop(end));
        told.push(Event::Done);
    }

    fn start(&mut self, message: Option<Message>, told: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let Some(message) = message else { return };
        let whole = super::super::ir::answer::Answer::from(message);
        told.push(Event::Start {
            id: whole.id,
            model: whole.model,
        });
        told.push(Event::Usage(whole.usage));
        for part in whole.parts {
            self.calls |= matches!(part, Part::Call(_));
            event::of_part(part, self.next, told);
            self.next += 1;
        }
    }

    fn open(&mut self, index: u32, block: Block, told: &mut Vec<Event>) {
        let (mut text, mut input, mut proof) = (None, None, Proof::default());
        let kind = match block.kind.as_str() {
            "text" => {
                text = block.text;
                PartKind::Text
            }
            "thinking" => {
                text = block.thinking;
                proof.data = block.signature.filter(|signature| !signature.is_empty());
                PartKind::Reasoning
            }
            "redacted_thinking" => {
                proof.data = block.data;
                proof.redacted = true;
                PartKind::Reasoning
            }
            "tool_use" => {
                input = block.input.map(|input| input.text().to_owned());
                PartKind::Call {
                    id: block.id.unwrap_or_default(),
                    name: block.name.unwrap_or_default(),
                }
            }
            // Tools that ran at the vendor's, and what is unheard of.
            _ => return,
        };
        let is_call = matches!(kind, PartKind::Call { .. });
        let part = self.begin(kind, told);
        self.calls |= is_call;
        let growing = Growing {
            part,
            is_call,
            input,
            proof,
        };
        self.open.insert(index, growing);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            told.push(Event::Delta { part, text });
        }
    }

    fn begin(&mut self, kind: PartKind, told: &mut Vec<Event>) -> PartId {
        let part = self.next;
        self.next += 1;
        told.push(Event::Open { part, kind });
        part
    }

    fn grow(&mut self, index: u32, delta: Delta, told: &mut Vec<Event>) {
        if let Some(growing) = self.open.get_mut(&index) {
            if let Some(signature) = delta.signature {
                growing
                    .proof
                    .data
                    .get_or_insert_default()
                    .push_str(&signature);
            }
            let text = delta.text.or(delta.thinking).or(delta.partial_json);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                growing.input = None;
                let part = growing.part;
                told.push(Event::Delta { part, text });
            }
            return;
        }
        // Some servers never say that a block begins.
        let (kind, text) = match (delta.text, delta.thinking) {
            (Some(text), _) => (PartKind::Text, text),
            (None, Some(text)) => (PartKind::Reasoning, text),
            (None, None) => return,
        };
        let part = self.begin(kind, told);
        let growing = Growing {
            part,
            is_call: false,
            input: None,
            proof: Proof::default(),
        };
        self.open.insert(index, growing);
        told.push(Event::Delta { part, text });
    }

    fn close(&mut self, index: u32, told: &mut Vec<Event>) {
        let Some(growing) = self.open.remove(&index) else {
            return;
        };
        let part = growing.part;
        if let Some(text) = growing.input.filter(|text| growing.is_call && text != "{}") {
            told.push(Event::Delta { part, text });
        }
        told.push(Event::Close {
            part,
            proof: growing.proof,
        });
    }
}

/// Writes a stream: one block is open at a time, and what comes beside it waits for its end.
#[derive(Debug)]
pub struct Writer {
    id: String,
    model: String,
    /// An estimate until the provider tells.
    usage: Usage,
    started: bool,
    /// The first goes out as it comes; those behind it wait.
    parts: VecDeque<Outgoing>,
    /// Texts that were ended because another part began, should they go on.
    paused: Vec<PartId>,
    next_index: u32,
    calls: bool,
    end: End,
    over: bool,
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
            usage: Usage {
                input: Some(input),
                ..Usage::default()
            },
            started: false,
            parts: VecDeque::new(),
            paused: Vec::new(),
            next_index: 0,
            calls: false,
            end: End::Done,
            over: false,
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

    pub fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { model, .. } => {
                if let Some(model) = model {
                    self.model = model;
                }
                self.start(out);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { part, kind } => {
                self.start(out);
                self.calls |= matches!(kind, PartKind::Call { .. });
                self.parts.push_back(Outgoing::new(part, kind));
                self.advance(out);
            }
            Event::Delta { part, text } => self.grow(part, &text, out),
            Event::Close { part, proof } => {
                if let Some(outgoing) = self.parts.iter_mut().find(|waiting| waiting.part == part) {
                    outgoing.closed = Some(proof);
                }
                self.advance(out);
            }
            Event::Stop(end) => self.end = end,
            Event::Done => self.finish(out),
            Event::Error(failure) => self.fail(&failure, out),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let start = json!({"type": "message_start", "message": {
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": answer::write_usage(&self.usage),
        }});
        frame("message_start", &start, out);
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

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        for part in &mut self.parts {
            part.closed.get_or_insert_default();
        }
        self.advance(out);
        if self.over {
            return;
        }
        let (reason, sequence) = answer::stop(&self.end, self.calls);
        let delta = json!({
            "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": answer::write_usage(&self.usage),
        });
        frame("message_delta", &delta, out);
        frame("message_stop", &json!({"type": "message_stop"}), out);
        self.over = true;
    }

    /// Ends the stream with an error of the kind after which clients try again by themselves, unless it is the
    /// request's own fault.
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let kind = match failure.status {
            status @ (400..=428 | 430..=499) => super::error::kind_of(status),
            _ => "overloaded_error",
        };
        let error = json!({
            "type": "error", "error": {"type": kind, "message": super::error::words(failure)},
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
