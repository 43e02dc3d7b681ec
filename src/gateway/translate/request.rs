//! A request on its way to another dialect.

use bytes::Bytes;

use super::crossing::Way;
use super::mark::{self, Maker, hex_digest};
use super::names::{ToolNames, call_id};
use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::answer::{Part, Reasoning};
use crate::gateway::wire::ir::request::{Choice, Content, Format, Item, Request};
use crate::gateway::wire::target::{Target, Unsayable};
use crate::gateway::wire::{chat, messages, responses};

/// The longest name of a user that every vendor takes.
const MAX_USER: usize = 64;

/// How many words models make by themselves, in `OpenAI`'s word.
const USUAL_VERBOSITY: &str = "medium";

/// A request in the upstream's dialect.
#[derive(Clone, Debug)]
pub struct Sent {
    pub body: Bytes,
    pub way: Way,
    /// What of the request it lacks, by name.
    pub without: Vec<String>,
}

/// Reads a caller's request.
///
/// # Errors
/// If the body is not what the dialect says.
pub fn read(caller: TranslatedDialect, body: &[u8]) -> Result<Request, serde_json::Error> {
    match caller {
        TranslatedDialect::Messages => messages::request::read(body),
        TranslatedDialect::Chat => chat::request::read(body),
        TranslatedDialect::Responses => responses::request::read(body),
    }
}

/// Writes it for an endpoint that speaks another dialect.
///
/// # Errors
/// If it holds what that dialect has no words for.
pub fn write(
    asked: &Request,
    upstream: TranslatedDialect,
    target: &Target,
    maker: &Maker,
) -> Result<Sent, Unsayable> {
    if let Some(demand) = asked.demands.first() {
        return Err(Unsayable(demand.clone()));
    }
    let mut names = ToolNames::default();
    let mut request = adapt(asked.clone(), upstream, maker, &mut names);
    note_unsaid(&mut request, upstream, target);
    let body = match upstream {
        TranslatedDialect::Messages => messages::request::write(&request, target)?,
        TranslatedDialect::Chat => chat::request::write(&request, target)?,
        TranslatedDialect::Responses => responses::request::write(&request, target)?,
    };
    let body = serde_json::to_vec(&body).map_err(|error| Unsayable(error.to_string()))?;
    Ok(Sent {
        body: body.into(),
        way: Way {
            names,
            tells_usage: asked.include_usage,
            forms: asked.forms.clone(),
        },
        without: request.left_out,
    })
}

/// Changes what the other side would not take as it is.
fn adapt(
    mut request: Request,
    upstream: TranslatedDialect,
    maker: &Maker,
    names: &mut ToolNames,
) -> Request {
    for tool in &mut request.tools {
        tool.name = names.send(upstream, &tool.name);
    }
    if let Some(Choice::Tool(name)) = &mut request.choice {
        *name = names.send(upstream, name);
    }
    for item in &mut request.items {
        match item {
            Item::Answer(parts) => {
                parts.retain_mut(|part| match part {
                    Part::Reasoning(reasoning) => goes_back(reasoning, maker),
                    Part::Call(call) => {
                        call.id = call_id(upstream, &call.id);
                        call.name = names.send(upstream, &call.name);
                        true
                    }
                    Part::Text(_) => true,
                });
            }
            Item::Result(result) => result.id = call_id(upstream, &result.id),
            Item::System(_) | Item::User(_) => {}
        }
    }
    request
        .items
        .retain(|item| !matches!(item, Item::Answer(parts) if parts.is_empty()));
    request.items = in_order(request.items);
    if let Some(user) = request
        .user
        .as_mut()
        .filter(|user| user.chars().count() > MAX_USER)
    {
        *user = hex_digest(user.as_bytes(), MAX_USER);
    }
    request
}

/// Names what the form holds and this one endpoint is not told, though another one might be.
fn note_unsaid(request: &mut Request, upstream: TranslatedDialect, target: &Target) {
    let is_messages = upstream == TranslatedDialect::Messages;
    let verbosity = request.verbosity.as_deref();
    let asks = verbosity.is_some_and(|word| word != USUAL_VERBOSITY);
    if asks && (is_messages || target.verbosity(request).is_none()) {
        request.leave_out("verbosity");
    }
    if !is_messages && !target.takes_effort && chat::request::effort(request.thinking).is_some() {
        request.leave_out("reasoning");
    }
    let is_described = matches!(
        request.format,
        Some(Format::Schema {
            description: Some(_),
            ..
        })
    );
    if is_messages && is_described {
        request.leave_out("description");
    }
    if is_messages && request.items.iter().any(asks_for_detail) {
        request.leave_out("detail");
    }
}

/// Whether an image is to be looked at more or less closely than a model would by itself.
fn asks_for_detail(item: &Item) -> bool {
    let contents = match item {
        Item::User(contents) => contents,
        Item::Result(result) => &result.content,
        Item::System(_) | Item::Answer(_) => return false,
    };
    contents.iter().any(|content| match content {
        Content::Image { detail, .. } => detail.as_deref().is_some_and(|detail| detail != "auto"),
        Content::Text(_) | Content::Document { .. } => false,
    })
}

/// Puts every result right after its call, and what a tool told bit by bit into one result, as the vendors want it.
fn in_order(items: Vec<Item>) -> Vec<Item> {
    let mut ordered: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let Item::Result(result) = item else {
            ordered.push(item);
            continue;
        };
        let calls = |item: &Item| match item {
            Item::Answer(parts) => parts
                .iter()
                .any(|part| matches!(part, Part::Call(call) if call.id == result.id)),
            Item::System(_) | Item::User(_) | Item::Result(_) => false,
        };
        let Some(answer) = ordered.iter().rposition(calls) else {
            ordered.push(Item::Result(result));
            continue;
        };
        let mut at = answer + 1;
        while let Some(Item::Result(known)) = ordered.get_mut(at) {
            if known.id == result.id {
                break;
            }
            at += 1;
        }
        match ordered.get_mut(at) {
            Some(Item::Result(known)) => {
                known.content.extend(result.content);
                known.is_error |= result.is_error;
            }
            _ => ordered.insert(at, Item::Result(result)),
        }
    }
    ordered
}

/// Whether reasoning was made by that endpoint; its own proof is put back in place of the mark.
fn goes_back(reasoning: &mut Reasoning, endpoint: &Maker) -> bool {
    let marked = reasoning.proof.data.as_deref().and_then(mark::read);
    match marked {
        Some((maker, proof)) if maker == *endpoint => {
            reasoning.proof = proof;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::wire::ir::answer::Call;
    use crate::gateway::wire::ir::request::ToolResult;

    fn call(id: &str) -> Part {
        Part::Call(Call {
            id: id.to_owned(),
            name: "f".to_owned(),
            arguments: "{}".to_owned(),
        })
    }

    fn result(id: &str, texts: &[&str]) -> Item {
        let content = texts.iter().map(|text| Content::Text((*text).to_owned()));
        Item::Result(ToolResult {
            id: id.to_owned(),
            content: content.collect(),
            is_error: false,
        })
    }

    #[test]
    fn results_follow_their_calls_and_each_call_has_one() {
        let said = |text: &str| Item::User(vec![Content::Text(text.to_owned())]);
        let mixed = vec![
            Item::Answer(vec![call("a"), call("b")]),
            said("meanwhile"),
            result("b", &["1"]),
            result("a", &["2"]),
            result("b", &["3"]),
            result("nobody's", &["4"]),
        ];
        assert_eq!(
            in_order(mixed),
            [
                Item::Answer(vec![call("a"), call("b")]),
                result("b", &["1", "3"]),
                result("a", &["2"]),
                said("meanwhile"),
                result("nobody's", &["4"]),
            ]
        );
    }
}
