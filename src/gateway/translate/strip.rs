//! Marks in native requests: what another dialect's answer left in a conversation goes out before a provider reads it.
//!
//! A body without marks is not touched. In one with marks, only the messages that hold them are written anew.

use bytes::Bytes;
use memchr::memmem;

use super::mark::{ID_PART, PREFIX, is_mark, is_own_id};
use crate::domain::profile::TranslatedDialect;
use crate::gateway::wire::chat::details::MARK_KIND;
use crate::gateway::wire::ir::json::{Json, Members};
use crate::gateway::wire::messages;

/// The body without marks; the very bytes where it has none.
pub fn strip(dialect: TranslatedDialect, body: &Bytes) -> Bytes {
    let holds = |needle: &str| memmem::find(body, needle.as_bytes()).is_some();
    let may_hold = holds(PREFIX) || (dialect == TranslatedDialect::Responses && holds(ID_PART));
    if !may_hold {
        return body.clone();
    }
    let Ok(mut members) = serde_json::from_slice::<Members>(body) else {
        return body.clone();
    };
    let (key, clean): (_, fn(Json) -> Option<Json>) = match dialect {
        TranslatedDialect::Messages => ("messages", clean_message),
        TranslatedDialect::Chat => ("messages", clean_chat_message),
        TranslatedDialect::Responses => ("input", clean_item),
    };
    if !clean_list(&mut members, key, clean) {
        return body.clone();
    }
    let Ok(stripped) = serde_json::to_vec(&members) else {
        return body.clone();
    };
    if dialect == TranslatedDialect::Messages && is_in_loop_without_thinking(&stripped) {
        stop_thinking(&mut members);
        if let Ok(stripped) = serde_json::to_vec(&members) {
            return stripped.into();
        }
    }
    stripped.into()
}

/// Cleans every entry of a list; false where nothing changed.
fn clean_list(members: &mut Members, key: &str, clean: fn(Json) -> Option<Json>) -> bool {
    let Some(list) = members.get(key) else {
        return false;
    };
    let Ok(entries) = serde_json::from_str::<Vec<Json>>(list.text()) else {
        return false;
    };
    let before = entries.clone();
    let entries: Vec<Json> = entries.into_iter().filter_map(clean).collect();
    if entries == before {
        return false;
    }
    if let Some(list) = Json::of(&entries) {
        members.set(key, list);
    }
    true
}

/// The object's members, if it may hold a mark.
fn suspected(entry: &Json) -> Option<Members> {
    let text = entry.text();
    (text.contains(PREFIX) || text.contains(ID_PART)).then(|| serde_json::from_str(text).ok())?
}

fn clean_message(message: Json) -> Option<Json> {
    let Some(mut members) = suspected(&message) else {
        return Some(message);
    };
    if !clean_list(&mut members, "content", clean_block) {
        return Some(message);
    }
    // A message of marks alone is none without them.
    let is_empty = members
        .get("content")
        .is_some_and(|content| content.text() == "[]");
    (!is_empty).then(|| Json::of(&members))?
}

fn clean_block(block: Json) -> Option<Json> {
    let Some(members) = suspected(&block) else {
        return Some(block);
    };
    let proof = match members.text("type").as_deref() {
        Some("thinking") => members.text("signature"),
        Some("redacted_thinking") => members.text("data"),
        _ => None,
    };
    let is_marked = proof.is_some_and(|proof| is_mark(&proof));
    (!is_marked).then_some(block)
}

fn clean_chat_message(message: Json) -> Option<Json> {
    let Some(mut members) = suspected(&message) else {
        return Some(message);
    };
    if !clean_list(&mut members, "reasoning_details", clean_detail) {
        return Some(message);
    }
    members.remove("reasoning_content");
    if members
        .get("reasoning_details")
        .is_some_and(|details| details.text() == "[]")
    {
        members.remove("reasoning_details");
    }
    Json::of(&members)
}

fn clean_detail(detail: Json) -> Option<Json> {
    let Some(members) = suspected(&detail) else {
        return Some(detail);
    };
    let is_marked = members.text("type").as_deref() == Some(MARK_KIND)
        && members.text("data").is_some_and(|data| is_mark(&data));
    (!is_marked).then_some(detail)
}

fn clean_item(item: Json) -> Option<Json> {
    let Some(mut members) = suspected(&item) else {
        return Some(item);
    };
    let has_own_id = members.text("id").is_some_and(|id| is_own_id(&id));
    if members.text("type").as_deref() == Some("reasoning") {
        let is_marked = members
            .text("encrypted_content")
            .is_some_and(|data| is_mark(&data));
        return (!is_marked && !has_own_id).then_some(item);
    }
    if !has_own_id {
        return Some(item);
    }
    members.remove("id");
    Json::of(&members)
}

fn is_in_loop_without_thinking(body: &[u8]) -> bool {
    messages::request::read(body)
        .is_ok_and(|request| messages::request::in_loop_without_thinking(&request.items))
}

/// The vendor refuses to think in the middle of a tool loop that began without; what rests on thinking goes too.
fn stop_thinking(members: &mut Members) {
    members.remove("thinking");
    let Some(management) = members.get("context_management") else {
        return;
    };
    let Ok(mut management) = serde_json::from_str::<Members>(management.text()) else {
        return;
    };
    let clean = |edit: Json| (!edit.text().contains("clear_thinking")).then_some(edit);
    if clean_list(&mut management, "edits", clean) {
        match Json::of(&management) {
            Some(kept)
                if management
                    .get("edits")
                    .is_some_and(|edits| edits.text() != "[]") =>
            {
                members.set("context_management", kept);
            }
            _ => members.remove("context_management"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn stripped(dialect: TranslatedDialect, body: &Value) -> Value {
        serde_json::from_slice(&strip(dialect, &Bytes::from(body.to_string()))).unwrap()
    }

    #[test]
    fn a_body_without_marks_is_the_same_bytes() {
        let body = Bytes::from_static(
            b"{ \"messages\" : [ {\"content\":\"tundra-1 and _tundra\"} ], \"x\":1.0 }",
        );
        for dialect in [
            TranslatedDialect::Messages,
            TranslatedDialect::Chat,
            TranslatedDialect::Responses,
        ] {
            assert_eq!(strip(dialect, &body), body);
        }
        // The words of a mark in a text are none.
        let body = Bytes::from_static(b"{\"messages\":[ {\"role\":\"user\", \"content\":\"tundra-1.ab.p..x msg_tundra_1\"}],\"input\":[]}");
        for dialect in [
            TranslatedDialect::Messages,
            TranslatedDialect::Chat,
            TranslatedDialect::Responses,
        ] {
            assert_eq!(strip(dialect, &body), body);
        }
    }

    #[test]
    fn marked_thinking_goes_and_native_thinking_stays() {
        let body = json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "model": "m", "max_tokens": 9, "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "a", "signature": "tundra-1.ab.p..x"},
                {"type": "text", "text": "b"},
            ]},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "tundra-1.ab.r..x"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "c", "signature": "EqQB"}]},
            {"role": "user", "content": "go on"},
        ]});
        let mut expected = body.clone();
        expected["messages"] = json!([
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "c", "signature": "EqQB"}]},
            {"role": "user", "content": "go on"},
        ]);
        assert_eq!(stripped(TranslatedDialect::Messages, &body), expected);
    }

    #[test]
    fn a_tool_loop_that_loses_its_thinking_goes_on_without() {
        let body = json!({
            "model": "m", "max_tokens": 9, "thinking": {"type": "adaptive"},
            "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            "messages": [
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "a", "signature": "tundra-1.ab.p..x"},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {"b": 1, "a": 1.0}},
                ]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]},
            ],
        });
        let text = strip(TranslatedDialect::Messages, &Bytes::from(body.to_string()));
        assert!(String::from_utf8_lossy(&text).contains(r#""input":{"a":1.0,"b":1}"#));
        let clean: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            (&clean["thinking"], &clean["context_management"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(clean["messages"][1]["content"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn of_items_reasoning_goes_and_others_lose_their_id() {
        let body = json!({"input": [
            {"type": "reasoning", "id": "rs_tundra_1_0", "summary": [], "encrypted_content": "tundra-1.ab.p..x"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
            {"type": "message", "id": "msg_tundra_1_1", "role": "assistant", "content": []},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        ]});
        let expected = json!({"input": [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": []},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        ]});
        assert_eq!(stripped(TranslatedDialect::Responses, &body), expected);
    }

    #[test]
    fn of_chat_messages_the_marked_reasoning_goes() {
        let body = json!({"messages": [
            {"role": "assistant", "content": "a", "reasoning_content": "hm",
             "reasoning_details": [{"type": "reasoning.encrypted", "data": "tundra-1.ab.p..x"}]},
            {"role": "assistant", "content": "b", "reasoning_content": "native"},
        ]});
        let expected = json!({"messages": [
            {"role": "assistant", "content": "a"},
            {"role": "assistant", "content": "b", "reasoning_content": "native"},
        ]});
        assert_eq!(stripped(TranslatedDialect::Chat, &body), expected);
    }
}
