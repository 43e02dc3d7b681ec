//! A streamed answer, gathered into a whole one.

use std::collections::BTreeMap;

use super::answer::{Answer, Call, Part, Reasoning};
use super::event::{Event, PartId, PartKind};

/// Takes events as a reader tells them.
#[derive(Debug, Default)]
pub struct Gathering {
    answer: Answer,
    /// Where the parts that are open stand in the answer.
    open: BTreeMap<PartId, usize>,
}

impl Gathering {
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Start { id, model } => {
                self.answer.id = id;
                self.answer.model = model;
            }
            Event::Open { part, kind } => {
                self.open.insert(part, self.answer.parts.len());
                self.answer.parts.push(match kind {
                    PartKind::Text => Part::Text(String::new()),
                    PartKind::Reasoning => Part::Reasoning(Reasoning::default()),
                    PartKind::Call { id, name } => Part::Call(Call {
                        id,
                        name,
                        arguments: String::new(),
                    }),
                });
            }
            Event::Delta { part, text } => match self.part(part) {
                Some(Part::Text(all)) => all.push_str(&text),
                Some(Part::Reasoning(reasoning)) => reasoning.text.push_str(&text),
                Some(Part::Call(call)) => call.arguments.push_str(&text),
                None => {}
            },
            Event::Close { part, proof } => {
                if let Some(Part::Reasoning(reasoning)) = self.part(part) {
                    reasoning.proof = proof;
                }
                self.open.remove(&part);
            }
            Event::Usage(usage) => self.answer.usage.update(usage),
            Event::Stop(end) => self.answer.end = end,
            // An error is told before anything is gathered.
            Event::Done | Event::Error(_) => {}
        }
    }

    /// The answer, without what was opened and never filled; a tool's call without arguments has none.
    pub fn whole(mut self) -> Answer {
        self.answer.parts.retain_mut(|part| match part {
            Part::Text(text) => !text.is_empty(),
            Part::Reasoning(reasoning) => {
                !reasoning.text.is_empty() || reasoning.proof.data.is_some()
            }
            Part::Call(call) => {
                if call.arguments.trim().is_empty() {
                    "{}".clone_into(&mut call.arguments);
                }
                true
            }
        });
        self.answer
    }

    fn part(&mut self, part: PartId) -> Option<&mut Part> {
        self.answer.parts.get_mut(*self.open.get(&part)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::wire::ir::answer::{End, Proof, Usage};
    use crate::gateway::wire::ir::event;

    #[test]
    fn what_a_whole_answer_would_be_told_as_is_gathered_into_it_again() {
        let whole = Answer {
            id: Some("a".to_owned()),
            model: Some("m".to_owned()),
            parts: vec![
                Part::Reasoning(Reasoning {
                    text: "hm".to_owned(),
                    proof: Proof {
                        data: Some("signed".to_owned()),
                        ..Proof::default()
                    },
                }),
                Part::Text("yes".to_owned()),
                Part::Call(Call {
                    id: "c".to_owned(),
                    name: "read".to_owned(),
                    arguments: "{\"a\":1}".to_owned(),
                }),
            ],
            end: End::Calls,
            usage: Usage {
                input: Some(3),
                output: Some(4),
                ..Usage::default()
            },
        };
        let mut events = Vec::new();
        event::of_answer(whole.clone(), 5, &mut events);
        let mut gathering = Gathering::default();
        for event in events {
            gathering.take(event);
        }
        assert_eq!(gathering.whole(), whole);
    }

    #[test]
    fn parts_that_grow_beside_one_another_keep_their_order_and_empty_ones_go() {
        let mut gathering = Gathering::default();
        let open = |part, kind| Event::Open { part, kind };
        let call = |id: &str| PartKind::Call {
            id: id.to_owned(),
            name: "run".to_owned(),
        };
        let delta = |part, text: &str| Event::Delta {
            part,
            text: text.to_owned(),
        };
        let close = |part| Event::Close {
            part,
            proof: Proof::default(),
        };
        for event in [
            open(0, PartKind::Text),
            open(1, call("a")),
            open(2, call("b")),
            delta(2, "[2]"),
            delta(1, "[1"),
            delta(1, "]"),
            close(2),
            close(1),
            open(1, call("c")),
            close(1),
            close(0),
        ] {
            gathering.take(event);
        }
        let calls: Vec<_> = (gathering.whole().parts.into_iter())
            .map(|part| match part {
                Part::Call(call) => (call.id, call.arguments),
                other => panic!("{other:?}"),
            })
            .collect();
        let wanted = [("a", "[1]"), ("b", "[2]"), ("c", "{}")];
        assert_eq!(
            calls,
            wanted.map(|(id, arguments)| (id.to_owned(), arguments.to_owned()))
        );
    }
}
