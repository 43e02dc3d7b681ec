//! JSON that passes as the text it was sent as.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One JSON value as its text: no number is rewritten and no key moves.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// `None` where `text` is not one JSON value.
    pub fn parse(text: &str) -> Option<Self> {
        RawValue::from_string(text.to_owned()).ok().map(Self)
    }

    /// `None` only for values that cannot be written as JSON, such as maps with keys that are no strings.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        serde_json::value::to_raw_value(value).ok().map(Self)
    }

    pub fn text(&self) -> &str {
        self.0.get()
    }

    pub fn is_object(&self) -> bool {
        self.text().trim_start().starts_with('{')
    }

    /// The value as a string, where it is one.
    pub fn as_string(&self) -> Option<String> {
        serde_json::from_str(self.text()).ok()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A JSON object that is written member by member, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(&'static str, Json)>);

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more member.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Serialize) -> Self {
        self.set(key, value);
        self
    }

    /// With one more member where there is a value for it.
    #[must_use]
    pub fn with_some(mut self, key: &'static str, value: Option<impl Serialize>) -> Self {
        if let Some(value) = value {
            self.set(key, value);
        }
        self
    }

    pub fn set(&mut self, key: &'static str, value: impl Serialize) {
        if let Some(value) = Json::of(&value) {
            self.0.push((key, value));
        }
    }
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A JSON object that was read: its members in their order, each as its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Vec<(String, Json)>);

impl Members {
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The member's string, where it is one.
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(Json::as_string)
    }

    /// Puts a value in the place of the member's.
    pub fn set(&mut self, key: &str, value: Json) {
        if let Some((_, place)) = self.0.iter_mut().find(|(name, _)| name == key) {
            *place = value;
        }
    }

    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(Visitor)
    }
}

impl Serialize for Members {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// A number as it is written most plainly: 1, not 1.0.
pub fn number(value: f64) -> serde_json::Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is cut off is seen below"
    )]
    let whole = value as i64;
    #[expect(clippy::cast_precision_loss, reason = "it came from a double")]
    let is_whole = (whole as f64 - value).abs() < f64::EPSILON;
    if is_whole { whole.into() } else { value.into() }
}
