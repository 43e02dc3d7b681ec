//! Streams of `OpenAI`'s Chat Completions (platform.openai.com/docs/api-reference/chat-streaming), as they are told by
//! those who imitate them too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::ir::answer::{End, Proof, Usage};
use super::super::ir::error::Failure;
use super::super::ir::event::{Event, PartId, PartKind};
use super::super::ir::json::Object;
use super::super::sse;
use super::answer::{self, Message, ToolCall, WireUsage};

#[derive(Deserialize)]
struct Chunk {
    id: Option<String>,
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Message>,
    /// From those who tell a whole answer in one event.
    message: Option<Message>,
    finish_reason: Option<String>,
}

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    next: PartId,
    /// The text or the reasoning that grows.
    words: Option<(PartId, PartKind)>,
    /// The calls by their index, in which they may come mixed.
    calls: BTreeMap<u32, OpenCall>,
    called: bool,
    end: Option<End>,
    over: bool,
}

#[derive(Debug)]
struct OpenCall {
    part: PartId,
    id: String,
}

impl Reader {
    /// Reads one event; what is unheard of says nothing.
    pub fn read(&mut self, data: &[u8], told: &mut Vec<Event>) {
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            self.finish(told);
            return;
        }
        let Ok(chunk) = serde_json::from_slice::<Chunk>(data) else {
            return;
        };
        if !std::mem::replace(&mut self.started, true) {
            told.push(Event::Start {
                id: chunk.id,
                model: chunk.model.filter(|model| !model.is_empty()),
            });
        }
        if let Some(usage) = chunk.usage {
            told.push(Event::Usage(usage.into()));
        }
        let Some(choice) = chunk.choices.into_iter().find(|choice| choice.index == 0) else {
            return;
        };
        if let Some(mut message) = choice.delta.or(choice.message) {
            self.grow(&mut message, told);
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.end = Some(answer::end(&reason, self.called));
            self.close_all(told);
        }
    }

    /// The stream is over, with its terminator or after its last word.
    pub fn finish(&mut self, told: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.close_all(told);
        let end = self
            .end
            .take()
            .unwrap_or_else(|| answer::end("", self.called));
        told.push(Event::Stop(end));
        told.push(Event::Done);
    }

    fn grow(&mut self, message: &mut Message, told: &mut Vec<Event>) {
        if let Some(text) = message.thought() {
            self.say(PartKind::Reasoning, text, told);
        }
        if let Some(text) = message.said() {
            self.say(PartKind::Text, text, told);
        }
        for (at, call) in (0..).zip(message.tool_calls.take().unwrap_or_default()) {
            self.call(at, call, told);
        }
    }

    fn say(&mut self, kind: PartKind, text: String, told: &mut Vec<Event>) {
        if self
            .words
            .as_ref()
            .is_none_or(|(_, growing)| *growing != kind)
        {
            self.close_words(told);
            let part = self.open(kind.clone(), told);
            self.words = Some((part, kind));
        }
        if let Some((part, _)) = self.words {
            told.push(Event::Delta { part, text });
        }
    }

    fn call(&mut self, at: u32, call: ToolCall, told: &mut Vec<Event>) {
        let mut function = call.function.unwrap_or_default();
        let id = call.id.unwrap_or_default();
        let mut index = call.index.unwrap_or_else(|| self.guess_index(at, &id));
        // Some give every call the same index and another id.
        let is_other = |open: &OpenCall| !id.is_empty() && !open.id.is_empty() && open.id != id;
        if self.calls.get(&index).is_some_and(is_other) {
            let known = self
                .calls
                .iter()
                .find(|(_, open)| open.id == id)
                .map(|(index, _)| *index);
            index = known.unwrap_or_else(|| self.next_index());
        }
        let part = if let Some(open) = self.calls.get(&index) {
            open.part
        } else {
            self.close_words(told);
            let kind = PartKind::Call {
                id: id.clone(),
                name: function.name.take().unwrap_or_default(),
            };
            let part = self.open(kind, told);
            self.called = true;
            self.calls.insert(index, OpenCall { part, id });
            part
        };
        let text = function.arguments();
        if !text.is_empty() {
            told.push(Event::Delta { part, text });
        }
    }

    fn guess_index(&self, at: u32, id: &str) -> u32 {
        if id.is_empty() {
            return self.calls.keys().next_back().copied().unwrap_or(at);
        }
        let known = self.calls.iter().find(|(_, open)| open.id == id);
        known.map_or_else(|| self.next_index(), |(index, _)| *index)
    }

    fn next_index(&self) -> u32 {
        self.calls
            .keys()
            .next_back()
            .map_or(0, |last| last.saturating_add(1))
    }

    fn open(&mut self, kind: PartKind, told: &mut Vec<Event>) -> PartId {
        let part = self.next;
        self.next += 1;
        told.push(Event::Open { part, kind });
        part
    }

    fn close_words(&mut self, told: &mut Vec<Event>) {
        if let Some((part, _)) = self.words.take() {
            told.push(Event::Close {
                part,
                proof: Proof::default(),
            });
        }
    }

    fn close_all(&mut self, told: &mut Vec<Event>) {
        self.close_words(told);
        for (_, open) in std::mem::take(&mut self.calls) {
            told.push(Event::Close {
                part: open.part,
                proof: Proof::default(),
            });
        }
    }
}

/// Writes a stream.
#[derive(Debug)]
pub struct Writer {
    id: String,
    model: String,
    /// In seconds since 1970.
    created: u64,
    tells_usage: bool,
    started: bool,
    /// Each part that is open, calls with their index.
    open: BTreeMap<PartId, Open>,
    calls: u32,
    usage: Usage,
    end: End,
    over: bool,
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
            started: false,
            open: BTreeMap::new(),
            calls: 0,
            usage: Usage::default(),
            end: End::Done,
            over: false,
        }
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
            Event::Open { part, kind } => self.begin(part, &kind, out),
            Event::Delta { part, text } => self.grow(part, &text, out),
            Event::Close { part, proof } => self.close(part, &proof, out),
            Event::Stop(end) => self.end = end,
            Event::Done => self.finish(out),
            Event::Error(failure) => self.fail(&failure, out),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let delta = Delta {
            role: Some("assistant"),
            content: Some(""),
            ..Delta::default()
        };
        self.chunk(delta, None, out);
    }

    fn begin(&mut self, part: PartId, kind: &PartKind, out: &mut Vec<u8>) {
        self.start(out);
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

    fn close(&mut self, part: PartId, proof: &Proof, out: &mut Vec<u8>) {
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
        self.start(out);
        let reason = answer::finish_reason(&self.end, self.calls > 0);
        self.chunk(Delta::default(), Some(reason), out);
        if self.tells_usage {
            let none: [(); 0] = [];
            let usage = Object::new()
                .with("id", &self.id)
                .with("object", "chat.completion.chunk")
                .with("created", self.created)
                .with("model", &self.model)
                .with("choices", none)
                .with("usage", answer::write_usage(&self.usage));
            sse::data(&usage, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        self.over = true;
    }

    /// Ends the stream with an error, and without a terminator.
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.over, true) {
            sse::data(&super::error::write(failure), out);
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
