//! Reads a stream, event by event.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::gateway::wire::ir::answer::{End, Part, Proof};
use crate::gateway::wire::ir::event::{self, Event, PartId, PartKind};
use crate::gateway::wire::responses::answer::{OutputItem, Response};
use crate::gateway::wire::sse;

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    output_index: u32,
    #[serde(default)]
    content_index: u32,
    #[serde(default)]
    summary_index: u32,
    response: Option<Response>,
    item: Option<OutputItem>,
    delta: Option<String>,
    text: Option<String>,
    refusal: Option<String>,
    arguments: Option<String>,
}

/// Reads a stream, event by event.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    next: PartId,
    items: BTreeMap<u32, Item>,
    called: bool,
    over: bool,
}

/// What has been told of one output item.
#[derive(Debug, Default)]
struct Item {
    /// The parts that are open: one for a call or reasoning, one a content for a message.
    open: BTreeMap<u32, Growing>,
    /// Contents that were told whole or in pieces.
    told: u32,
    is_done: bool,
}

#[derive(Debug)]
struct Growing {
    part: PartId,
    is_empty: bool,
    /// Of reasoning, which has its pieces from two series of events or from one.
    series: Series,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Series {
    None,
    Summary(u32),
    Text,
}

impl Reader {
    /// Reads one event; what is unheard of says nothing.
    pub fn read(&mut self, name: &[u8], data: &[u8], told: &mut Vec<Event>) {
        let Ok(frame) = serde_json::from_slice::<Frame>(data) else {
            return;
        };
        let (at, content) = (frame.output_index, frame.content_index);
        let kind = sse::kind(&frame.kind, name);
        match kind {
            "response.created" | "response.in_progress" => self.start(frame.response, told),
            "response.output_item.added" => {
                if let Some(item) = frame.item {
                    self.add(at, item, told);
                }
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                self.say(at, content, frame.delta.unwrap_or_default(), told);
            }
            "response.output_text.done" | "response.refusal.done" => {
                let text = frame.text.or(frame.refusal).unwrap_or_default();
                self.say_whole(at, content, text, told);
            }
            "response.reasoning_summary_text.delta" => {
                let series = Series::Summary(frame.summary_index);
                self.think(at, series, &frame.delta.unwrap_or_default(), told);
            }
            "response.reasoning_text.delta" => {
                self.think(at, Series::Text, &frame.delta.unwrap_or_default(), told);
            }
            "response.function_call_arguments.delta" => {
                self.argue(at, frame.delta.unwrap_or_default(), told);
            }
            "response.function_call_arguments.done" if self.is_empty(at) => {
                self.argue(at, frame.arguments.unwrap_or_default(), told);
            }
            "response.output_item.done" => {
                if let Some(item) = frame.item {
                    self.done(at, item, told);
                }
            }
            "response.completed" | "response.incomplete" => {
                let mut response = frame.response.unwrap_or_default();
                if kind == "response.incomplete" && response.end(false) == End::Done {
                    self.finish(response, Some(End::Length), told);
                } else {
                    self.start_with(&mut response, told);
                    self.finish(response, None, told);
                }
            }
            _ => {}
        }
    }

    /// The stream is over after its last word.
    pub fn finish_early(&mut self, told: &mut Vec<Event>) {
        self.finish(Response::default(), None, told);
    }

    fn start(&mut self, response: Option<Response>, told: &mut Vec<Event>) {
        let mut response = response.unwrap_or_default();
        self.start_with(&mut response, told);
    }

    fn start_with(&mut self, response: &mut Response, told: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            told.push(Event::Start {
                id: response.id.take(),
                model: response.model.take(),
            });
        }
    }

    fn finish(&mut self, mut response: Response, end: Option<End>, told: &mut Vec<Event>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let output = std::mem::take(&mut response.output);
        for (at, item) in (0..).zip(output) {
            // What came piece by piece is not told again.
            if !self.items.get(&at).is_some_and(|known| known.is_done) {
                self.done(at, item, told);
            }
        }
        let open: Vec<u32> = self.items.keys().copied().collect();
        for at in open {
            self.close(at, &Proof::default(), told);
        }
        let end = end.unwrap_or_else(|| response.end(self.called));
        told.push(Event::Usage(response.usage()));
        told.push(Event::Stop(end));
        told.push(Event::Done);
    }

    fn open(&mut self, at: u32, content: u32, kind: PartKind, told: &mut Vec<Event>) {
        let part = self.next;
        self.next += 1;
        told.push(Event::Open { part, kind });
        let item = self.items.entry(at).or_default();
        item.told += 1;
        let growing = Growing {
            part,
            is_empty: true,
            series: Series::None,
        };
        item.open.insert(content, growing);
    }

    fn add(&mut self, at: u32, item: OutputItem, told: &mut Vec<Event>) {
        if item.kind == "function_call" {
            let kind = PartKind::Call {
                id: item.call_id.unwrap_or_default(),
                name: item.name.unwrap_or_default(),
            };
            self.called = true;
            self.open(at, 0, kind, told);
            self.argue(at, item.arguments.unwrap_or_default(), told);
        }
    }

    fn say(&mut self, at: u32, content: u32, text: String, told: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let is_open = self
            .items
            .get(&at)
            .is_some_and(|item| item.open.contains_key(&content));
        if !is_open {
            self.open(at, content, PartKind::Text, told);
        }
        if let Some(growing) = self
            .items
            .get_mut(&at)
            .and_then(|item| item.open.get_mut(&content))
        {
            growing.is_empty = false;
            let part = growing.part;
            told.push(Event::Delta { part, text });
        }
    }

    /// A text is told once more at its end, and for the first time where it came without pieces.
    fn say_whole(&mut self, at: u32, content: u32, text: String, told: &mut Vec<Event>) {
        let growing = self.items.get(&at).and_then(|item| item.open.get(&content));
        if growing.is_none_or(|growing| growing.is_empty) {
            self.say(at, content, text, told);
        }
        if let Some(growing) = self
            .items
            .get_mut(&at)
            .and_then(|item| item.open.remove(&content))
        {
            told.push(Event::Close {
                part: growing.part,
                proof: Proof::default(),
            });
        }
    }

    fn think(&mut self, at: u32, series: Series, text: &str, told: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        if self.items.get(&at).is_none_or(|item| item.open.is_empty()) {
            self.open(at, 0, PartKind::Reasoning, told);
        }
        let Some(growing) = self
            .items
            .get_mut(&at)
            .and_then(|item| item.open.get_mut(&0))
        else {
            return;
        };
        let text = match (growing.series, series) {
            // The same thoughts a second time, as another series.
            (Series::Summary(_), Series::Text) | (Series::Text, Series::Summary(_)) => return,
            (Series::Summary(before), Series::Summary(now)) if now > before => {
                format!("\n\n{text}")
            }
            _ => text.to_owned(),
        };
        growing.series = series;
        growing.is_empty = false;
        let part = growing.part;
        told.push(Event::Delta { part, text });
    }

    fn argue(&mut self, at: u32, text: String, told: &mut Vec<Event>) {
        let growing = self
            .items
            .get_mut(&at)
            .and_then(|item| item.open.get_mut(&0));
        if let Some(growing) = growing.filter(|_| !text.is_empty()) {
            growing.is_empty = false;
            let part = growing.part;
            told.push(Event::Delta { part, text });
        }
    }

    fn is_empty(&self, at: u32) -> bool {
        let growing = self.items.get(&at).and_then(|item| item.open.get(&0));
        growing.is_some_and(|growing| growing.is_empty)
    }

    fn done(&mut self, at: u32, item: OutputItem, told: &mut Vec<Event>) {
        let proof = item.proof();
        let is_reasoning = item.kind == "reasoning";
        let parts = item.into_parts();
        let known = self.items.entry(at).or_default();
        if known.told == 0 {
            known.is_done = true;
            for part in parts {
                self.called |= matches!(part, Part::Call(_));
                event::of_part(part, self.next, told);
                self.next += 1;
            }
            return;
        }
        if let [Part::Call(call)] = parts.as_slice()
            && self.is_empty(at)
        {
            self.argue(at, call.arguments.clone(), told);
        }
        let proof = if is_reasoning {
            proof
        } else {
            Proof::default()
        };
        self.close(at, &proof, told);
    }

    fn close(&mut self, at: u32, proof: &Proof, told: &mut Vec<Event>) {
        let Some(item) = self.items.get_mut(&at) else {
            return;
        };
        item.is_done = true;
        for growing in std::mem::take(&mut item.open).into_values() {
            told.push(Event::Close {
                part: growing.part,
                proof: proof.clone(),
            });
        }
    }
}
