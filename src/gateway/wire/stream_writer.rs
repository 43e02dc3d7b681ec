//! What writing a stream is in every dialect: which event does what, from the first to the terminator.

use super::ir::answer::{End, Proof, Usage};
use super::ir::error::Failure;
use super::ir::event::{Event, PartId, PartKind};

/// How far a stream has been written.
#[derive(Debug)]
pub struct Progress {
    pub usage: Usage,
    pub end: End,
    started: bool,
    over: bool,
}

impl Progress {
    /// Before the first event; `usage` is what is known of it by then.
    pub fn new(usage: Usage) -> Self {
        Self {
            usage,
            end: End::Done,
            started: false,
            over: false,
        }
    }

    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Ends the stream; false where it had ended before.
    pub fn finish(&mut self) -> bool {
        !std::mem::replace(&mut self.over, true)
    }
}

/// Writes the events of one dialect. After the terminator or an error nothing more is written.
pub trait StreamWriter {
    fn progress(&mut self) -> &mut Progress;

    /// Learns which model answers, before anything is written.
    fn answers(&mut self, model: String);

    /// Writes what a stream begins with.
    fn head(&mut self, out: &mut Vec<u8>);

    fn open(&mut self, part: PartId, kind: PartKind, out: &mut Vec<u8>);

    fn grow(&mut self, part: PartId, text: &str, out: &mut Vec<u8>);

    /// `proof` is reasoning's; empty otherwise.
    fn close(&mut self, part: PartId, proof: Proof, out: &mut Vec<u8>);

    /// Writes the end and the terminator.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Ends the stream with an error, and without success.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.progress().over {
            return;
        }
        match event {
            Event::Start { model, .. } => {
                if let Some(model) = model {
                    self.answers(model);
                }
                self.start(out);
            }
            Event::Usage(usage) => self.progress().usage.update(usage),
            Event::Open { part, kind } => {
                self.start(out);
                self.open(part, kind, out);
            }
            Event::Delta { part, text } => self.grow(part, &text, out),
            Event::Close { part, proof } => self.close(part, proof, out),
            Event::Stop(end) => self.progress().end = end,
            Event::Done => {
                self.start(out);
                self.finish(out);
            }
            Event::Error(failure) => self.fail(&failure, out),
        }
    }

    /// Writes the head, once.
    fn start(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.progress().started, true) {
            self.head(out);
        }
    }
}
