//! What lies between a caller and an endpoint of another dialect, for one call.

use std::collections::BTreeMap;

use super::mark::{self, Maker, hex_digest};
use super::names::{ToolNames, call_id};
use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::ir::answer::Proof;
use crate::gateway::wire::ir::event::PartId;
use crate::gateway::wire::ir::request::Form;

/// What an answer's translation needs to know of its request.
#[derive(Clone, Debug)]
pub struct Crossing {
    pub caller: TranslatedDialect,
    pub upstream: TranslatedDialect,
    /// Whom the reasoning comes from.
    pub maker: Maker,
    /// The model that was asked for upstream, where the answer names none.
    pub model: String,
    /// The middle part of the answer's ids; another one for each answer.
    pub id: String,
    /// In seconds since 1970.
    pub created: u64,
    /// An estimate of the tokens sent, for dialects that begin a stream with it.
    pub input_estimate: u64,
    pub way: Way,
}

/// How the request was written, which its answer is read by.
#[derive(Clone, Debug, Default)]
pub struct Way {
    pub(super) names: ToolNames,
    /// Whether a chat caller asked for a stream's usage.
    pub(super) tells_usage: bool,
    pub(super) forms: BTreeMap<String, Form>,
}

impl Crossing {
    /// The id of a call as the caller takes it; one for a call that has none.
    pub(super) fn caller_id(&self, id: &str, part: PartId) -> String {
        if id.is_empty() {
            let call = format!("{} {part}", self.id);
            return format!("call_{}", hex_digest(call.as_bytes(), 32));
        }
        call_id(self.caller, id)
    }

    /// The mark in the place of a proof; nothing where there is nothing to mark.
    pub(super) fn marked(&self, proof: &Proof, is_readable: bool) -> Proof {
        Proof {
            data: (is_readable || proof.data.is_some()).then(|| mark::write(&self.maker, proof)),
            ..Proof::default()
        }
    }
}
