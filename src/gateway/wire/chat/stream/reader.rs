//! Reads a stream, event by event.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::gateway::wire::chat::answer::{self, Message, ToolCall, WireUsage};
use crate::gateway::wire::chat::details::Details;
use crate::gateway::wire::ir::answer::{End, Proof};
use crate::gateway::wire::ir::event::{Event, PartId, PartKind};

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
    /// What came with the reasoning so far, until something in it proves it.
    details: Details,
    /// The words of the reasoning that grows.
    thought: String,
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
        let (text, pieces) = message.thought();
        if !pieces.is_empty() {
            self.details.add(pieces);
        }
        if let Some(text) = text {
            if !self.details.is_empty() {
                self.thought.push_str(&text);
            }
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
        let Some((part, kind)) = self.words.take() else {
            return;
        };
        let proof = match kind {
            PartKind::Reasoning => self.proof(),
            PartKind::Text | PartKind::Call { .. } => Proof::default(),
        };
        told.push(Event::Close { part, proof });
    }

    /// What proves the reasoning that closes now; what may yet be proved is kept.
    fn proof(&mut self) -> Proof {
        let text = std::mem::take(&mut self.thought);
        if !self.details.prove() {
            return Proof::default();
        }
        Proof {
            data: std::mem::take(&mut self.details).proof(&text),
            ..Proof::default()
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
        // Some tell what proves their reasoning after everything else, or where there are no words to it.
        let late = self.proof();
        if late.data.is_some() {
            let part = self.open(PartKind::Reasoning, told);
            told.push(Event::Close { part, proof: late });
        }
    }
}
