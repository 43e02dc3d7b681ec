//! Reads a stream, event by event.

use std::collections::HashMap;

use serde::Deserialize;

use crate::gateway::wire::ir::answer::{End, Part, Proof};
use crate::gateway::wire::ir::event::{self, Event, PartId, PartKind};
use crate::gateway::wire::messages::answer::{self, Block, Message, WireUsage};
use crate::gateway::wire::sse;

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
        match sse::kind(&frame.kind, name) {
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
        let whole = crate::gateway::wire::ir::answer::Answer::from(message);
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
