//! An answer as it comes: parts that open, grow and close, beside one another where the dialect mixes them.

use super::answer::{Answer, End, Part, Proof, Usage};
use super::error::Failure;

/// Names one part within one stream.
pub type PartId = u32;

/// One thing that happens in a streamed answer.
///
/// A reader tells `Start` first and once, opens a part before it grows, closes every part before `Stop`, and says
/// `Done` or `Error` last and once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Start {
        id: Option<String>,
        model: Option<String>,
    },
    Open {
        part: PartId,
        kind: PartKind,
    },
    Delta {
        part: PartId,
        text: String,
    },
    Close {
        part: PartId,
        /// Of reasoning; empty otherwise.
        proof: Proof,
    },
    Usage(Usage),
    Stop(End),
    Done,
    Error(Failure),
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    Text,
    Reasoning,
    Call { id: String, name: String },
}

/// A whole answer as the events that it would have come in, for streams that tell it at once; its parts are numbered
/// from `first` on.
pub fn of_answer(answer: Answer, first: PartId, told: &mut Vec<Event>) {
    told.push(Event::Start {
        id: answer.id,
        model: answer.model,
    });
    for (part, content) in (first..).zip(answer.parts) {
        of_part(content, part, told);
    }
    told.push(Event::Usage(answer.usage));
    told.push(Event::Stop(answer.end));
    told.push(Event::Done);
}

/// One whole part as events.
pub fn of_part(content: Part, part: PartId, told: &mut Vec<Event>) {
    let (kind, text, proof) = match content {
        Part::Text(text) => (PartKind::Text, text, Proof::default()),
        Part::Reasoning(reasoning) => (PartKind::Reasoning, reasoning.text, reasoning.proof),
        Part::Call(call) => {
            let kind = PartKind::Call {
                id: call.id,
                name: call.name,
            };
            (kind, call.arguments, Proof::default())
        }
    };
    told.push(Event::Open { part, kind });
    if !text.is_empty() {
        told.push(Event::Delta { part, text });
    }
    told.push(Event::Close { part, proof });
}
