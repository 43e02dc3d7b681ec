//! Writes a stream, event by event.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gateway::wire::ir::answer::{Call, End, Proof, Usage};
use crate::gateway::wire::ir::error::Failure;
use crate::gateway::wire::ir::event::{PartId, PartKind};
use crate::gateway::wire::ir::json::Object;
use crate::gateway::wire::ir::request::{Form, FormKind};
use crate::gateway::wire::responses::answer::{self, Heading};
use crate::gateway::wire::responses::tools;
use crate::gateway::wire::sse;
use crate::gateway::wire::stream_writer::{Progress, StreamWriter};

/// Writes a stream: every item is added, filled and done, and the last event tells them all again.
#[derive(Debug)]
pub struct Writer {
    heading: Heading,
    forms: BTreeMap<String, Form>,
    sequence: u64,
    next_item: u32,
    open: BTreeMap<PartId, Growth>,
    /// What is done, for the whole answer at the end.
    output: BTreeMap<u32, Object>,
    progress: Progress,
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
            sequence: 0,
            next_item: 0,
            open: BTreeMap::new(),
            output: BTreeMap::new(),
            progress: Progress::new(Usage::default()),
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
}

impl StreamWriter for Writer {
    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn answers(&mut self, model: String) {
        self.heading.model = model;
    }

    fn head(&mut self, out: &mut Vec<u8>) {
        for kind in ["response.created", "response.in_progress"] {
            let response = answer::object(&self.heading, Vec::new(), None, None);
            self.event(kind, "response", response, out);
        }
    }

    fn open(&mut self, part: PartId, kind: PartKind, out: &mut Vec<u8>) {
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

    fn close(&mut self, part: PartId, proof: Proof, out: &mut Vec<u8>) {
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

    fn finish(&mut self, out: &mut Vec<u8>) {
        let open: Vec<PartId> = self.open.keys().copied().collect();
        for part in open {
            self.close(part, Proof::default(), out);
        }
        let kind = match self.progress.end {
            End::Length | End::Refused => "response.incomplete",
            End::Done | End::Calls | End::Stopped(_) => "response.completed",
        };
        let output = std::mem::take(&mut self.output);
        let whole = answer::object(
            &self.heading,
            output.values().collect(),
            Some(&self.progress.end),
            Some(&self.progress.usage),
        );
        self.event(kind, "response", whole, out);
        self.progress.finish();
    }

    /// Ends the stream with the `error` that the SDKs raise and the `response.failed` that agents wait for.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if !self.progress.finish() {
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
