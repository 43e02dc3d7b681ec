//! A request as it is on the wire.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::gateway::wire::ir::json::Json;

#[derive(Deserialize)]
pub(super) struct Body {
    pub model: String,
    pub messages: Vec<Message>,
    pub system: Option<Words>,
    pub stream: Option<bool>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub stop_sequences: Option<Vec<String>>,
    pub tools: Option<Vec<ToolDefinition>>,
    pub tool_choice: Option<ToolChoice>,
    pub thinking: Option<ThinkingConfig>,
    pub output_config: Option<OutputConfig>,
    pub output_format: Option<OutputFormat>,
    pub metadata: Option<Metadata>,
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub role: String,
    pub content: Blocks,
}

/// A text, or blocks.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Blocks(#[serde(deserialize_with = "blocks")] pub(super) Vec<Block>);

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Words(pub(super) Blocks);

#[derive(Default, Deserialize)]
pub(super) struct Block {
    #[serde(rename = "type")]
    pub kind: String,
    pub text: Option<String>,
    pub thinking: Option<String>,
    pub signature: Option<String>,
    pub data: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub input: Option<Json>,
    pub tool_use_id: Option<String>,
    pub content: Option<Blocks>,
    pub is_error: Option<bool>,
    pub source: Option<Origin>,
    pub title: Option<String>,
    /// What is to be known of a document beside what it says.
    pub context: Option<String>,
    pub citations: Option<Citations>,
    pub tool_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Citations {
    pub enabled: Option<bool>,
}

/// Where something is from: what a search found names it, everything else holds it.
pub(super) enum Origin {
    Named(String),
    Held(BlockSource),
}

#[derive(Deserialize)]
pub(super) struct BlockSource {
    #[serde(rename = "type")]
    pub kind: String,
    pub media_type: Option<String>,
    pub data: Option<String>,
    pub url: Option<String>,
    pub content: Option<Blocks>,
}

#[derive(Deserialize)]
pub(super) struct ToolDefinition {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub input_schema: Option<Json>,
    pub input_examples: Option<Vec<Json>>,
    pub strict: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ToolChoice {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
    pub disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ThinkingConfig {
    #[serde(rename = "type")]
    pub kind: String,
    pub budget_tokens: Option<u64>,
    pub display: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OutputConfig {
    pub format: Option<OutputFormat>,
    pub effort: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OutputFormat {
    #[serde(rename = "type")]
    pub kind: String,
    pub schema: Option<Json>,
}

#[derive(Deserialize)]
pub(super) struct Metadata {
    pub user_id: Option<String>,
}

impl<'de> Deserialize<'de> for Origin {
    /// By hand, since an untagged enum would read an image's data through a copy of its own.
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Origin;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a source, or its name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Origin, E> {
                Ok(Origin::Named(name.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Origin, A::Error> {
                let source = serde::de::value::MapAccessDeserializer::new(map);
                BlockSource::deserialize(source).map(Origin::Held)
            }
        }
        input.deserialize_any(Visitor)
    }
}

/// Reads a text as one block, so that every content is blocks.
fn blocks<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<Block>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<Block>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or a list of content blocks")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Block {
                kind: "text".to_owned(),
                text: Some(text.to_owned()),
                ..Block::default()
            }])
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut seq: A,
        ) -> Result<Self::Value, A::Error> {
            let mut blocks = Vec::new();
            while let Some(block) = seq.next_element()? {
                blocks.push(block);
            }
            Ok(blocks)
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let block = Block::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
            Ok(vec![block])
        }
    }
    input.deserialize_any(Visitor)
}
