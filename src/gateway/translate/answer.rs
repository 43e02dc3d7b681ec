//! A whole answer on its way back.

use bytes::Bytes;

use super::crossing::Crossing;
use super::stream::{Reader, Stream};
use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::answer::{Answer, Part};
use crate::gateway::wire::ir::event;
use crate::gateway::wire::ir::gather::Gathering;
use crate::gateway::wire::responses::answer::Heading;
use crate::gateway::wire::{chat, messages, responses};

/// Why an answer cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer is no answer of its dialect: {0}")]
    Shape(#[from] serde_json::Error),
    #[error(transparent)]
    Arguments(#[from] messages::answer::BadArguments),
}

/// Translates a whole answer.
///
/// # Errors
/// If it is not what the upstream's dialect says, or holds what the caller's has no words for.
pub fn answer(body: &[u8], crossing: &Crossing) -> Result<Bytes, AnswerError> {
    write(read(body, crossing)?, crossing)
}

/// Translates a streamed answer, of which `events` are all names and data, for a caller who asked for a whole one.
///
/// # Errors
/// If it holds what the caller's dialect has no words for.
pub fn stream_as_whole<'e>(
    events: impl IntoIterator<Item = (&'e [u8], &'e [u8])>,
    crossing: &Crossing,
) -> Result<Bytes, AnswerError> {
    let mut reader = Reader::new(crossing.upstream);
    let (mut gathering, mut told) = (Gathering::default(), Vec::new());
    for (name, data) in events {
        reader.read(name, data, &mut told);
        for event in told.drain(..) {
            gathering.take(event);
        }
    }
    reader.finish(&mut told);
    for event in told {
        gathering.take(event);
    }
    let mut answer = gathering.whole();
    answer.model.get_or_insert_with(|| crossing.model.clone());
    write(answer, crossing)
}

fn write(mut answer: Answer, crossing: &Crossing) -> Result<Bytes, AnswerError> {
    for (number, part) in (0..).zip(&mut answer.parts) {
        match part {
            Part::Text(_) => {}
            Part::Reasoning(reasoning) => {
                reasoning.proof = crossing.marked(&reasoning.proof, !reasoning.text.is_empty());
            }
            Part::Call(call) => {
                call.id = crossing.caller_id(&call.id, number);
                call.name = crossing.way.names.receive(std::mem::take(&mut call.name));
            }
        }
    }
    let written = match crossing.caller {
        TranslatedDialect::Messages => messages::answer::write(&answer, &crossing.id)?,
        TranslatedDialect::Chat => chat::answer::write(&answer, &crossing.id, crossing.created),
        TranslatedDialect::Responses => {
            let heading = Heading {
                id: crossing.id.clone(),
                model: answer.model.clone().unwrap_or_default(),
                created: crossing.created,
            };
            responses::answer::write(&answer, &heading, &crossing.way.forms)
        }
    };
    Ok(Bytes::from(serde_json::to_vec(&written)?))
}

/// Translates a whole answer for a caller who asked for a stream.
///
/// # Errors
/// If it is not what the upstream's dialect says.
pub fn whole_as_stream(body: &[u8], crossing: Crossing) -> Result<Bytes, AnswerError> {
    let answer = read(body, &crossing)?;
    let (mut events, mut out) = (Vec::new(), Vec::new());
    event::of_answer(answer, 0, &mut events);
    Stream::new(crossing).tell(events, &mut out);
    Ok(out.into())
}

fn read(body: &[u8], crossing: &Crossing) -> Result<Answer, serde_json::Error> {
    let mut answer = match crossing.upstream {
        TranslatedDialect::Messages => messages::answer::read(body),
        TranslatedDialect::Chat => chat::answer::read(body),
        TranslatedDialect::Responses => responses::answer::read(body),
    }?;
    answer.model.get_or_insert_with(|| crossing.model.clone());
    Ok(answer)
}
