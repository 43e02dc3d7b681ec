//! `OpenRouter`'s reasoning details (openrouter.ai/docs/use-cases/reasoning-tokens): what they say, and what proves it.
//!
//! A vendor behind it takes reasoning back only as it gave it, signed or encrypted. So the details of an answer are kept
//! whole as its reasoning's proof, and written again where that comes back to the endpoint that made it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the mark of reasoning goes: a detail of the kind that callers hand back unread.
pub const MARK_KIND: &str = "reasoning.encrypted";
/// The kind whose text grows in a stream, and whose words are those that are shown.
const TEXT_KIND: &str = "reasoning.text";
const SUMMARY_KIND: &str = "reasoning.summary";

/// One detail, whole or a stream's piece of one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Detail {
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Its signature, id, format and index, and whatever else comes.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Detail {
    /// Whether there is more to it than words.
    fn proves(&self) -> bool {
        let signature = self.rest.get("signature");
        let signed = signature.is_some_and(|signature| !signature.is_null());
        signed || self.data.is_some()
    }

    /// Whether `piece` goes on where this one ended.
    fn grows_by(&self, piece: &Self) -> bool {
        let index = |detail: &Self| detail.rest.get("index").cloned();
        let grows = matches!(self.kind.as_str(), TEXT_KIND | SUMMARY_KIND);
        grows && self.kind == piece.kind && index(self) == index(piece)
    }

    fn grow(&mut self, piece: Self) {
        let join = |whole: &mut Option<String>, more: Option<String>| match (whole.as_mut(), more) {
            (Some(whole), Some(more)) => whole.push_str(&more),
            (None, more) => *whole = more,
            (Some(_), None) => {}
        };
        join(&mut self.text, piece.text);
        join(&mut self.summary, piece.summary);
        let told = piece.rest.into_iter().filter(|(_, value)| !value.is_null());
        self.rest.extend(told);
    }
}

/// The details of one answer, put together from the pieces that a stream tells.
#[derive(Debug, Default)]
pub struct Details {
    told: Vec<Detail>,
    /// Bytes of what is kept; past [`MOST`] nothing is, since a part of a proof proves nothing.
    bytes: usize,
}

/// The longest reasoning whose details are kept until something proves it.
const MOST: usize = 1024 * 1024;

impl Details {
    pub fn add(&mut self, pieces: Vec<Detail>) {
        for piece in pieces {
            let words = [&piece.text, &piece.summary, &piece.data];
            let words = words.into_iter().flatten().map(String::len);
            self.bytes = self.bytes.saturating_add(words.sum::<usize>() + 64);
            if self.bytes > MOST {
                self.told.clear();
                return;
            }
            match self.told.last_mut().filter(|last| last.grows_by(&piece)) {
                Some(last) => last.grow(piece),
                None => self.told.push(piece),
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Whether there is more to it than words.
    pub fn prove(&self) -> bool {
        self.told.iter().any(Detail::proves)
    }

    /// What is to be handed back with reasoning whose words are `text`; `None` where the words are all there is.
    ///
    /// The words are left out where they stand in one detail, since they come back beside it.
    pub fn proof(mut self, text: &str) -> Option<String> {
        if !self.prove() {
            return None;
        }
        let mut words = (self.told.iter_mut()).filter(|detail| detail.kind == TEXT_KIND);
        if let (Some(only), None) = (words.next(), words.next())
            && only.text.as_deref() == Some(text)
        {
            only.text = None;
        }
        serde_json::to_string(&self.told).ok()
    }
}

/// The details that a proof holds, with the words `text` put back; nothing where it is no proof of this dialect's.
pub fn of_proof(proof: &str, text: &str) -> Option<Vec<Detail>> {
    let mut details: Vec<Detail> = serde_json::from_str(proof).ok()?;
    let words = details
        .iter_mut()
        .find(|detail| detail.kind == TEXT_KIND && detail.text.is_none());
    if let Some(words) = words {
        words.text = Some(text.to_owned());
    }
    (!details.is_empty()).then_some(details)
}

/// The data that stands for reasoning.
pub fn mark_in(details: &[Detail]) -> Option<String> {
    let mut marks = details.iter().filter(|detail| detail.kind == MARK_KIND);
    marks.find_map(|detail| detail.data.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn details(value: Value) -> Vec<Detail> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_pieces_of_a_stream_are_put_together_and_come_back_as_they_were() {
        let mut all = Details::default();
        let piece = |more: Value| {
            let mut piece =
                json!({"type": "reasoning.text", "index": 0, "format": "anthropic-claude-v1"});
            piece
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            details(json!([piece]))
        };
        all.add(piece(json!({"text": "Let me "})));
        all.add(piece(json!({"text": "see.", "signature": null})));
        all.add(piece(json!({"signature": "EqQB"})));
        all.add(details(
            json!([{"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "index": 1}]),
        ));
        let proof = all.proof("Let me see.").unwrap();
        assert!(!proof.contains("Let me"), "{proof}");
        let back = serde_json::to_value(of_proof(&proof, "Let me see.").unwrap()).unwrap();
        assert_eq!(
            back,
            json!([
                {"type": "reasoning.text", "text": "Let me see.", "signature": "EqQB", "format": "anthropic-claude-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "index": 1},
            ])
        );
    }

    #[test]
    fn words_alone_prove_nothing() {
        let mut all = Details::default();
        all.add(details(
            json!([{"type": "reasoning.text", "text": "hm", "signature": null}]),
        ));
        assert_eq!(all.proof("hm"), None);
        assert!(of_proof("EqQBCg==", "hm").is_none());
    }
}
