//! Writes a stream, event by event.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gateway::wire::chat::answer;
use crate::gateway::wire::ir::answer::{Proof, Usage};
use crate::gateway::wire::ir::error::Failure;
use crate::gateway::wire::ir::event::{PartId, PartKind};
use crate::gateway::wire::ir::json::Object;
use crate::gateway::wire::sse;
use crate::gateway::wire::stream_writer::{Progress, StreamWriter};

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    id: String,
    model: String,
    /// In seconds since 1970.
    created: u64,
    tells_usage: bool,
    /// Each part that is open, calls with their index.
    open: BTreeMap<PartId, Open>,
    calls: u32,
    progress: Progress,
}

#[derive(Clone, Copy, Debug)]
enum Open {
    Text,
    Reasoning,
    Call { index: u32, is_empty: bool },
}

#[derive(Serialize)]
struct ChunkBody<'a, D> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [ChoiceBody<D>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<()>,
}

#[derive(Serialize)]
struct ChoiceBody<D> {
    index: u32,
    delta: D,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<Vec<Object>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Object; 1]>,
}

impl Writer {
    pub fn new(id: &str, model: &str, created: u64, tells_usage: bool) -> Self {
        Self {
            id: format!("chatcmpl-{id}"),
            model: model.to_owned(),
            created,
            tells_usage,
            open: BTreeMap::new(),
            calls: 0,
            progress: Progress::new(Usage::default()),
        }
    }

    fn chunk(&self, delta: Delta<'_>, finish_reason: Option<&'static str>, out: &mut Vec<u8>) {
        let chunk = ChunkBody {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices: [ChoiceBody {
                index: 0,
                delta,
                logprobs: None,
                finish_reason,
            }],
            usage: None,
        };
        sse::data(&chunk, out);
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
        let delta = Delta {
            role: Some("assistant"),
            content: Some(""),
            ..Delta::default()
        };
        self.chunk(delta, None, out);
    }

    fn open(&mut self, part: PartId, kind: PartKind, out: &mut Vec<u8>) {
        let open = match kind {
            PartKind::Text => Open::Text,
            PartKind::Reasoning => Open::Reasoning,
            PartKind::Call { id, name } => {
                let index = self.calls;
                self.calls += 1;
                let function = Object::new().with("name", name).with("arguments", "");
                let call = Object::new()
                    .with("index", index)
                    .with("id", id)
                    .with("type", "function")
                    .with("function", function);
                self.chunk(call_delta(call), None, out);
                Open::Call {
                    index,
                    is_empty: true,
                }
            }
        };
        self.open.insert(part, open);
    }

    fn grow(&mut self, part: PartId, text: &str, out: &mut Vec<u8>) {
        let delta = match self.open.get_mut(&part) {
            Some(Open::Text) => Delta {
                content: Some(text),
                ..Delta::default()
            },
            Some(Open::Reasoning) => Delta {
                reasoning_content: Some(text),
                ..Delta::default()
            },
            Some(Open::Call { index, is_empty }) => {
                *is_empty = false;
                call_delta(arguments(*index, text))
            }
            None => return,
        };
        self.chunk(delta, None, out);
    }

    fn close(&mut self, part: PartId, proof: Proof, out: &mut Vec<u8>) {
        let delta = match (self.open.remove(&part), &proof.data) {
            (
                Some(Open::Call {
                    index,
                    is_empty: true,
                }),
                _,
            ) => call_delta(arguments(index, "{}")),
            (Some(Open::Reasoning), Some(mark)) => Delta {
                reasoning_details: Some(answer::mark_detail(mark)),
                ..Delta::default()
            },
            _ => return,
        };
        self.chunk(delta, None, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let reason = answer::finish_reason(&self.progress.end, self.calls > 0);
        self.chunk(Delta::default(), Some(reason), out);
        if self.tells_usage {
            let none: [(); 0] = [];
            let usage = Object::new()
                .with("id", &self.id)
                .with("object", "chat.completion.chunk")
                .with("created", self.created)
                .with("model", &self.model)
                .with("choices", none)
                .with("usage", answer::write_usage(&self.progress.usage));
            sse::data(&usage, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.progress.finish();
    }

    /// An error, and no terminator.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if self.progress.finish() {
            sse::data(&crate::gateway::wire::chat::error::write(failure), out);
        }
    }
}

fn call_delta<'a>(call: Object) -> Delta<'a> {
    Delta {
        tool_calls: Some([call]),
        ..Delta::default()
    }
}

fn arguments(index: u32, text: &str) -> Object {
    let function = Object::new().with("arguments", text);
    Object::new()
        .with("index", index)
        .with("function", function)
}
