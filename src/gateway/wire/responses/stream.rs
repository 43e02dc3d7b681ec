//! Streams of `OpenAI`'s Responses (platform.openai.com/docs/api-reference/responses-streaming).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::ir::answer::{Call, End, Part, Proof, Usage};
use super::super::ir::error::Failure;
use super::super::ir::event::{self, Event, PartId, PartKind};
use super::super::ir::json::Object;
use super::super::ir::request::{Form, FormKind};
use super::super::sse;
use super::answer::{self, Heading, OutputItem, Response};
use super::tools;

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
        let kind = if frame.kind.is_empty() {
            std::str::from_utf8(name).unwrap_or_default()
        } else {
            frame.kind.as_str()
        };
        let (at, content) = (frame.output_index, frame.content_index);
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

/// Writes a stream: every item is added, filled and done, and the last event tells them all again.
#[derive(Debug)]
pub struct Writer {
    heading: Heading,
    forms: BTreeMap<String, Form>,
    started: bool,
    sequence: u64,
    next_item: u32,
    open: BTreeMap<PartId, Growth>,
    /// What is done, for the whole answer at the end.
    output: BTreeMap<u32, Object>,
    usage: Usage,
    end: End,
    over: bool,
}

/// An item that is open.
#[derive(Debug)]
struct Growth {
    kind: PartKind,
    /// Its place in the output and its id, once it was added.
    place: Option<(u32, String)>,
    text: String,
}

/// A piece of something within an item.
#[derive(Serialize)]
struct Piece<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    item_id: &'a str,
    output_index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<[(); 0]>,
}

impl<'a> Piece<'a> {
    fn new(kind: &'static str, output_index: u32, item_id: &'a str) -> Self {
        Self {
            kind,
            sequence_number: 0,
            item_id,
            output_index,
            content_index: None,
            summary_index: None,
            delta: None,
            text: None,
            arguments: None,
            input: None,
            part: None,
            logprobs: None,
        }
    }

    fn in_content(self) -> Self {
        Self {
            content_index: Some(0),
            ..self
        }
    }

    fn in_summary(self) -> Self {
        Self {
            summary_index: Some(0),
            ..self
        }
    }
}

impl Writer {
    pub fn new(heading: Heading, forms: BTreeMap<String, Form>) -> Self {
        Self {
            heading,
            forms,
            started: false,
            sequence: 0,
            next_item: 0,
            open: BTreeMap::new(),
            output: BTreeMap::new(),
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
                    self.heading.model = model;
                }
                self.start(out);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { part, kind } => self.begin(part, kind, out),
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
        for kind in ["response.created", "response.in_progress"] {
            let response = answer::object(&self.heading, Vec::new(), None, None);
            self.event(kind, "response", response, out);
        }
    }

    fn event(&mut self, kind: &'static str, key: &'static str, value: Object, out: &mut Vec<u8>) {
        let event = Object::new()
            .with("type", kind)
            .with("sequence_number", self.sequence)
            .with(key, value);
        self.sequence += 1;
        sse::frame(kind, &event, out);
    }

    fn item_event(&mut self, kind: &'static str, place: u32, item: &Object, out: &mut Vec<u8>) {
        let event = Object::new()
            .with("type", kind)
            .with("sequence_number", self.sequence)
            .with("output_index", place)
            .with("item", item);
        self.sequence += 1;
        sse::frame(kind, &event, out);
    }

    fn piece(&mut self, piece: Piece<'_>, out: &mut Vec<u8>) {
        let piece = Piece {
            sequence_number: self.sequence,
            ..piece
        };
        self.sequence += 1;
        sse::frame(piece.kind, &piece, out);
    }

    fn begin(&mut self, part: PartId, kind: PartKind, out: &mut Vec<u8>) {
        self.start(out);
        let mut growth = Growth {
            kind,
            place: None,
            text: String::new(),
        };
        // Words open their item once there are any.
        if matches!(growth.kind, PartKind::Call { .. }) {
            self.add(&mut growth, out);
        }
        self.open.insert(part, growth);
    }

    /// Adds the item to the output.
    fn add(&mut self, growth: &mut Growth, out: &mut Vec<u8>) {
        if growth.place.is_some() {
            return;
        }
        let place = self.next_item;
        self.next_item += 1;
        let number = self.heading.item(place);
        let status = "in_progress";
        let item = match &growth.kind {
            PartKind::Text => answer::message_item(&number, None, status),
            PartKind::Reasoning => answer::reasoning_item(&number, "", None, status),
            PartKind::Call { .. } => self.call_item(growth, &number, status),
        };
        self.item_event("response.output_item.added", place, &item, out);
        let id = match &growth.kind {
            PartKind::Text => format!("msg_{number}"),
            PartKind::Reasoning => format!("rs_{number}"),
            PartKind::Call { .. } => number,
        };
        match growth.kind {
            PartKind::Text => {
                let part = Some(answer::text_part(""));
                let piece = Piece {
                    part,
                    ..Piece::new("response.content_part.added", place, &id)
                };
                self.piece(piece.in_content(), out);
            }
            PartKind::Reasoning => {
                let part = Some(answer::summary_part(""));
                let kind = "response.reasoning_summary_part.added";
                let piece = Piece {
                    part,
                    ..Piece::new(kind, place, &id)
                };
                self.piece(piece.in_summary(), out);
            }
            PartKind::Call { .. } => {}
        }
        growth.place = Some((place, id));
    }

    fn call_item(&self, growth: &Growth, number: &str, status: &str) -> Object {
        let PartKind::Call { id, name } = &growth.kind else {
            return Object::new();
        };
        let call = Call {
            id: id.clone(),
            name: name.clone(),
            arguments: growth.text.clone(),
        };
        tools::write_call(&call, self.forms.get(name), number, status)
    }

    fn form_kind(&self, name: &str) -> FormKind {
        self.forms
            .get(name)
            .map_or(FormKind::Function, |form| form.kind)
    }

    fn grow(&mut self, part: PartId, text: &str, out: &mut Vec<u8>) {
        let Some(mut growth) = self.open.remove(&part) else {
            return;
        };
        self.add(&mut growth, out);
        growth.text.push_str(text);
        if let Some((place, id)) = &growth.place {
            let delta = Some(text);
            match &growth.kind {
                PartKind::Text => {
                    let piece = Piece::new("response.output_text.delta", *place, id).in_content();
                    self.piece(
                        Piece {
                            delta,
                            logprobs: Some([]),
                            ..piece
                        },
                        out,
                    );
                }
                PartKind::Reasoning => {
                    let kind = "response.reasoning_summary_text.delta";
                    let piece = Piece::new(kind, *place, id).in_summary();
                    self.piece(Piece { delta, ..piece }, out);
                }
                PartKind::Call { name, .. } if self.form_kind(name) == FormKind::Function => {
                    let id = format!("fc_{id}");
                    let kind = "response.function_call_arguments.delta";
                    self.piece(
                        Piece {
                            delta,
                            ..Piece::new(kind, *place, &id)
                        },
                        out,
                    );
                }
                // Its text is known once its argument is whole.
                PartKind::Call { .. } => {}
            }
        }
        self.open.insert(part, growth);
    }

    fn close(&mut self, part: PartId, proof: &Proof, out: &mut Vec<u8>) {
        let Some(mut growth) = self.open.remove(&part) else {
            return;
        };
        let data = proof.data.as_deref();
        match growth.kind {
            PartKind::Text => self.close_text(growth, out),
            PartKind::Reasoning if growth.text.is_empty() && data.is_none() => {}
            PartKind::Reasoning => self.close_reasoning(growth, data, out),
            PartKind::Call { .. } => {
                if growth.text.trim().is_empty() {
                    self.open.insert(part, growth);
                    self.grow(part, "{}", out);
                    match self.open.remove(&part) {
                        Some(filled) => growth = filled,
                        None => return,
                    }
                }
                self.close_call(&growth, out);
            }
        }
    }

    fn done(&mut self, place: u32, item: Object, out: &mut Vec<u8>) {
        self.item_event("response.output_item.done", place, &item, out);
        self.output.insert(place, item);
    }

    fn close_text(&mut self, growth: Growth, out: &mut Vec<u8>) {
        let Some((place, id)) = growth.place else {
            return;
        };
        let text = Some(growth.text.as_str());
        let piece = Piece::new("response.output_text.done", place, &id).in_content();
        self.piece(
            Piece {
                text,
                logprobs: Some([]),
                ..piece
            },
            out,
        );
        let piece = Piece::new("response.content_part.done", place, &id).in_content();
        let part = Some(answer::text_part(&growth.text));
        self.piece(Piece { part, ..piece }, out);
        let number = self.heading.item(place);
        self.done(place, answer::message_item(&number, text, "completed"), out);
    }

    fn close_reasoning(&mut self, mut growth: Growth, data: Option<&str>, out: &mut Vec<u8>) {
        if growth.place.is_none() {
            // Nothing of it can be read: it is added and done at once.
            let place = self.next_item;
            self.next_item += 1;
            let number = self.heading.item(place);
            let item = answer::reasoning_item(&number, "", None, "in_progress");
            self.item_event("response.output_item.added", place, &item, out);
            self.done(
                place,
                answer::reasoning_item(&number, "", data, "completed"),
                out,
            );
            return;
        }
        let Some((place, id)) = growth.place.take() else {
            return;
        };
        let text = Some(growth.text.as_str());
        let piece = Piece::new("response.reasoning_summary_text.done", place, &id).in_summary();
        self.piece(Piece { text, ..piece }, out);
        let piece = Piece::new("response.reasoning_summary_part.done", place, &id).in_summary();
        let part = Some(answer::summary_part(&growth.text));
        self.piece(Piece { part, ..piece }, out);
        let number = self.heading.item(place);
        let item = answer::reasoning_item(&number, &growth.text, data, "completed");
        self.done(place, item, out);
    }

    fn close_call(&mut self, growth: &Growth, out: &mut Vec<u8>) {
        let Some((place, number)) = &growth.place else {
            return;
        };
        let PartKind::Call { name, .. } = &growth.kind else {
            return;
        };
        match self.form_kind(name) {
            FormKind::Function => {
                let id = format!("fc_{number}");
                let kind = "response.function_call_arguments.done";
                let arguments = Some(growth.text.as_str());
                self.piece(
                    Piece {
                        arguments,
                        ..Piece::new(kind, *place, &id)
                    },
                    out,
                );
            }
            FormKind::Custom => {
                let id = format!("ctc_{number}");
                let text = tools::custom_input(&growth.text);
                let kind = "response.custom_tool_call_input.delta";
                let delta = Some(text.as_str());
                self.piece(
                    Piece {
                        delta,
                        ..Piece::new(kind, *place, &id)
                    },
                    out,
                );
                let kind = "response.custom_tool_call_input.done";
                let input = Some(text.as_str());
                self.piece(
                    Piece {
                        input,
                        ..Piece::new(kind, *place, &id)
                    },
                    out,
                );
            }
            FormKind::LocalShell => {}
        }
        let item = self.call_item(growth, number, "completed");
        self.done(*place, item, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.start(out);
        let open: Vec<PartId> = self.open.keys().copied().collect();
        for part in open {
            self.close(part, &Proof::default(), out);
        }
        let kind = match self.end {
            End::Length | End::Refused => "response.incomplete",
            End::Done | End::Calls | End::Stopped(_) => "response.completed",
        };
        let output = std::mem::take(&mut self.output);
        let whole = answer::object(
            &self.heading,
            output.values().collect(),
            Some(&self.end),
            Some(&self.usage),
        );
        self.event(kind, "response", whole, out);
        self.over = true;
    }

    /// Ends the stream with the `error` that the SDKs raise and the `response.failed` that agents wait for.
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let code = if failure.too_long {
            "context_length_exceeded"
        } else {
            "server_error"
        };
        let event = Object::new()
            .with("type", "error")
            .with("code", code)
            .with("message", &failure.message)
            .with("param", ())
            .with("sequence_number", self.sequence)
            .with(
                "error",
                Object::new()
                    .with("type", code)
                    .with("code", code)
                    .with("message", &failure.message)
                    .with("param", ()),
            );
        self.sequence += 1;
        sse::frame("error", &event, out);
        let error = Object::new()
            .with("code", code)
            .with("message", &failure.message);
        let response = Object::new()
            .with("id", format!("resp_tundra_{}", self.heading.id))
            .with("object", "response")
            .with("created_at", self.heading.created)
            .with("status", "failed")
            .with("model", &self.heading.model)
            .with("output", [(); 0])
            .with("error", error);
        self.event("response.failed", "response", response, out);
    }
}
