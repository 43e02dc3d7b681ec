//! The list of models that can be asked for, from the configuration: what each profile sends by default and maps.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::gateway::router::RouterHandle;

/// The list in Anthropic's form or in `OpenAI`'s; names that are patterns are left out.
pub fn list(router: &RouterHandle, anthropic: bool) -> Bytes {
    let mut models = BTreeMap::new();
    for provider in router.status().providers {
        if !provider.enabled {
            continue;
        }
        let profile = provider.profile;
        let mapped = profile.models.iter().map(|(asked, _)| asked.as_str());
        for name in mapped.chain([profile.default_model.as_str()]) {
            if !name.contains('*') {
                models
                    .entry(name.to_owned())
                    .or_insert_with(|| profile.provider.as_str());
            }
        }
    }
    let entries: Vec<Value> = models
        .iter()
        .map(|(name, owner)| entry(name, owner, anthropic))
        .collect();
    let ends = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    let body = if anthropic {
        json!({
            "first_id": ends(entries.first()), "last_id": ends(entries.last()),
            "has_more": false, "data": entries,
        })
    } else {
        json!({"object": "list", "data": entries})
    };
    Bytes::from(body.to_string())
}

fn entry(name: &str, owner: &str, anthropic: bool) -> Value {
    if anthropic {
        json!({"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"})
    } else {
        json!({"object": "model", "id": name, "owned_by": owner, "created": 0})
    }
}
