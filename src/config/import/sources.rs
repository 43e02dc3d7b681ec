//! What the files say, gathered profile by profile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Everything read, profile by profile.
#[derive(Default)]
pub(super) struct Sources {
    /// In the order in which they were met.
    pub profiles: Vec<(String, Map<String, Value>)>,
    pub breaker: Map<String, Value>,
    /// By a profile's name or id.
    pub usage: BTreeMap<String, String>,
    pub remarks: Vec<String>,
}

impl Sources {
    pub fn add_profiles(&mut self, json: &Value) {
        let list = match json {
            Value::Object(object) => object.get("profiles").unwrap_or(json),
            _ => json,
        };
        for profile in list.as_array().into_iter().flatten() {
            self.merge(profile);
        }
    }

    pub fn add_harness(&mut self, json: &Value) {
        for key in ["profile", "profiles"] {
            for profile in json[key].as_array().into_iter().flatten() {
                self.merge(profile);
            }
        }
        if let Some(breaker) = json["circuit_breaker"].as_object() {
            self.breaker.clone_from(breaker);
        }
        if json.get("rate_limit").is_some() {
            let text = "harness.toml: [rate_limit] has no counterpart: limits belong to profiles";
            self.remarks.push(text.to_owned());
        }
    }

    pub fn add_usage(&mut self, json: &Value) {
        let rows: Vec<(Option<&str>, &Value)> = match json {
            Value::Array(rows) => rows.iter().map(|row| (None, row)).collect(),
            Value::Object(rows) => rows
                .iter()
                .map(|(name, row)| (Some(name.as_str()), row))
                .collect(),
            _ => Vec::new(),
        };
        for (name, row) in rows {
            let id = row["profile_id"].as_str().or(row["name"].as_str()).or(name);
            let Some(id) = id else { continue };
            let count = |key: &str| row[key].as_u64().unwrap_or(0);
            let mut text = format!(
                "{} requests, {} errors, {} rate limits",
                count("total_requests"),
                count("total_errors"),
                count("total_rate_limits")
            );
            if let Some(spent) = row["estimated_spend_usd"].as_f64() {
                let _ = write!(text, ", ${spent:.2}");
            }
            self.usage.insert(id.to_owned(), text);
        }
    }

    /// Adds a profile, or what is said anew of one that is known by name.
    fn merge(&mut self, profile: &Value) {
        let Some(members) = profile.as_object() else {
            return;
        };
        let name = text(members, &["name"]).or(text(members, &["id"]));
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
            self.remarks
                .push("a profile without a name was left out".to_owned());
            return;
        };
        let known = self.profiles.iter_mut().find(|(other, _)| other == name);
        match known {
            Some((_, known)) => known.extend(members.clone()),
            None => self.profiles.push((name.to_owned(), members.clone())),
        }
    }
}

/// The first of these members that is a text and not empty.
pub(super) fn text<'v>(members: &'v Map<String, Value>, keys: &[&str]) -> Option<&'v str> {
    keys.iter()
        .find_map(|key| members.get(*key)?.as_str())
        .filter(|text| !text.is_empty())
}
