//! A streamed answer on its way back, event by event.

use std::collections::BTreeMap;

use super::crossing::Crossing;
use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::answer::Proof;
use crate::gateway::wire::ir::error::Failure;
use crate::gateway::wire::ir::event::{Event, PartId, PartKind};
use crate::gateway::wire::responses::answer::Heading;
use crate::gateway::wire::stream_writer::StreamWriter;
use crate::gateway::wire::{chat, messages, responses};

/// The most that may wait for its turn, all parts together.
const MAX_KEPT: usize = 32 * 1024 * 1024;

/// Reads the upstream's events and writes the caller's.
#[derive(Debug)]
pub struct Stream {
    reader: Reader,
    writer: Writer,
    crossing: Crossing,
    /// Reasoning that is open, and whether any of it can be read.
    thoughts: BTreeMap<PartId, bool>,
    /// The way from the one to the other; empty between two calls.
    events: Vec<Event>,
    broken: Option<String>,
}

/// Reads the events of an upstream's dialect.
#[derive(Debug)]
pub(super) enum Reader {
    Messages(messages::stream::Reader),
    Chat(chat::stream::Reader),
    Responses(responses::stream::Reader),
}

#[derive(Debug)]
enum Writer {
    Messages(messages::stream::Writer),
    Chat(chat::stream::Writer),
    Responses(Box<responses::stream::Writer>),
}

impl Reader {
    pub fn new(upstream: TranslatedDialect) -> Self {
        match upstream {
            TranslatedDialect::Messages => Self::Messages(messages::stream::Reader::default()),
            TranslatedDialect::Chat => Self::Chat(chat::stream::Reader::default()),
            TranslatedDialect::Responses => Self::Responses(responses::stream::Reader::default()),
        }
    }

    /// Reads one event; what it tells is added to `told`.
    pub fn read(&mut self, name: &[u8], data: &[u8], told: &mut Vec<Event>) {
        match self {
            Self::Messages(reader) => reader.read(name, data, told),
            Self::Chat(reader) => reader.read(data, told),
            Self::Responses(reader) => reader.read(name, data, told),
        }
    }

    /// The stream has ended, perhaps without its terminator.
    pub fn finish(&mut self, told: &mut Vec<Event>) {
        match self {
            Self::Messages(reader) => reader.finish(told),
            Self::Chat(reader) => reader.finish(told),
            Self::Responses(reader) => reader.finish_early(told),
        }
    }
}

impl Stream {
    pub fn new(crossing: Crossing) -> Self {
        let reader = Reader::new(crossing.upstream);
        let (id, model, created) = (&crossing.id, &crossing.model, crossing.created);
        let writer = match crossing.caller {
            TranslatedDialect::Messages => Writer::Messages(messages::stream::Writer::new(
                id,
                model,
                crossing.input_estimate,
            )),
            TranslatedDialect::Chat => Writer::Chat(chat::stream::Writer::new(
                id,
                model,
                created,
                crossing.way.tells_usage,
            )),
            TranslatedDialect::Responses => {
                let heading = Heading {
                    id: id.clone(),
                    model: model.clone(),
                    created,
                };
                let forms = crossing.way.forms.clone();
                Writer::Responses(Box::new(responses::stream::Writer::new(heading, forms)))
            }
        };
        Self {
            reader,
            writer,
            crossing,
            thoughts: BTreeMap::new(),
            events: Vec::new(),
            broken: None,
        }
    }

    /// Takes one of the upstream's events; what the caller is to read of it is added to `out`.
    pub fn take(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>) {
        self.reader.read(name, data, &mut self.events);
        self.pass(out);
    }

    /// The upstream's stream ended after its last word, though without its terminator.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.reader.finish(&mut self.events);
        self.pass(out);
    }

    /// Ends the stream with an error, and without success.
    pub fn fail(&mut self, status: u16, message: &str, out: &mut Vec<u8>) {
        let failure = Failure::new(status, message.to_owned(), "");
        self.write(Event::Error(failure), out);
    }

    /// Why the stream was ended from this side, where what the provider sent could not be passed on.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Writes events that come from elsewhere than the reader.
    pub(super) fn tell(&mut self, events: Vec<Event>, out: &mut Vec<u8>) {
        self.events = events;
        self.pass(out);
    }

    fn pass(&mut self, out: &mut Vec<u8>) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            if matches!(event, Event::Done) {
                self.close_thoughts(out);
            }
            let event = self.adapt(event);
            self.write(event, out);
        }
        // Kept for its room.
        self.events = events;
        if let Writer::Messages(writer) = &self.writer
            && writer.has_bad_arguments()
        {
            self.broken = Some(messages::answer::BadArguments.to_string());
        }
        if let Writer::Messages(writer) = &self.writer
            && writer.kept() > MAX_KEPT
        {
            let message = "the answer's parts wait for one another too long";
            self.fail(500, message, out);
            self.broken = Some(message.to_owned());
        }
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::Messages(writer) => writer.write(event, out),
            Writer::Chat(writer) => writer.write(event, out),
            Writer::Responses(writer) => writer.write(event, out),
        }
    }

    /// Closes reasoning that its provider never did: without its mark no vendor would take it back.
    fn close_thoughts(&mut self, out: &mut Vec<u8>) {
        for (part, is_readable) in std::mem::take(&mut self.thoughts) {
            let proof = self.crossing.marked(&Proof::default(), is_readable);
            self.write(Event::Close { part, proof }, out);
        }
    }

    /// Gives tools the names and ids that the caller knows them by, and reasoning its mark.
    fn adapt(&mut self, event: Event) -> Event {
        match event {
            Event::Open {
                part,
                kind: PartKind::Call { id, name },
            } => {
                let name = self.crossing.way.names.receive(name);
                let id = self.crossing.caller_id(&id, part);
                Event::Open {
                    part,
                    kind: PartKind::Call { id, name },
                }
            }
            Event::Open {
                part,
                kind: PartKind::Reasoning,
            } => {
                self.thoughts.insert(part, false);
                Event::Open {
                    part,
                    kind: PartKind::Reasoning,
                }
            }
            Event::Delta { part, text } => {
                if let Some(is_readable) = self.thoughts.get_mut(&part) {
                    *is_readable = true;
                }
                Event::Delta { part, text }
            }
            Event::Close { part, proof } => {
                let proof = match self.thoughts.remove(&part) {
                    Some(is_readable) => self.crossing.marked(&proof, is_readable),
                    None => proof,
                };
                Event::Close { part, proof }
            }
            event => event,
        }
    }
}
