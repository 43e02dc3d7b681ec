//! The list of models that can be asked for, from the configuration: what each profile sends by default and maps.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::profile::Dialect;
use crate::gateway::router::RouterHandle;

/// The list in Anthropic's form, `OpenAI`'s or Google's, of whatever can be asked for in that dialect; names that are patterns
/// are left out.
pub fn list(router: &RouterHandle, dialect: Dialect) -> Bytes {
    let mut models = BTreeMap::new();
    for provider in router.status().providers {
        if !provider.enabled {
            continue;
        }
        let profile = provider.profile;
        // What Google's clients ask for is not translated, and nothing into it.
        let speaks = profile.dialects.contains(dialect);
        if !(speaks || dialect.translated().is_some() && profile.dialects.is_translated()) {
            continue;
        }
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
        .map(|(name, owner)| entry(name, owner, dialect))
        .collect();
    let ends = |entry: Option<&Value>| entry.map_or(Value::Null, |entry| entry["id"].clone());
    let body = match dialect {
        Dialect::Messages => json!({
            "first_id": ends(entries.first()), "last_id": ends(entries.last()),
            "has_more": false, "data": entries,
        }),
        Dialect::Chat | Dialect::Responses => json!({"object": "list", "data": entries}),
        Dialect::Generate => json!({"models": entries}),
    };
    Bytes::from(body.to_string())
}

fn entry(name: &str, owner: &str, dialect: Dialect) -> Value {
    match dialect {
        Dialect::Messages => {
            json!({"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"})
        }
        Dialect::Chat | Dialect::Responses => {
            json!({"object": "model", "id": name, "owned_by": owner, "created": 0})
        }
        Dialect::Generate => json!({
            "name": format!("models/{name}"), "displayName": name,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }),
    }
}
