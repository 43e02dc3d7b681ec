//! What routing needs to know of a request to `generateContent`.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::profile::{Capabilities, Capability};

/// A body, as far as it concerns routing. Google takes its names in both spellings (protobuf's JSON).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Body {
    contents: Contents,
    #[serde(alias = "system_instruction")]
    system_instruction: Option<Value>,
    tools: Vec<Tool>,
    #[serde(alias = "generation_config")]
    generation_config: Option<Config>,
}

/// One content may stand for a list of one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Contents {
    Many(Vec<Content>),
    One(Content),
}

impl Default for Contents {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    text: Option<String>,
    #[serde(alias = "inline_data")]
    inline_data: Option<Media>,
    #[serde(alias = "file_data")]
    file_data: Option<Media>,
    #[serde(alias = "function_call")]
    function_call: Option<Value>,
    #[serde(alias = "function_response")]
    function_response: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Media {
    #[serde(alias = "mime_type")]
    mime_type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Tool {
    #[serde(alias = "function_declarations")]
    function_declarations: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    #[serde(alias = "max_output_tokens")]
    max_output_tokens: Option<u64>,
    #[serde(alias = "response_mime_type")]
    response_mime_type: Option<String>,
}

/// What a request brings, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of words.
    pub text: usize,
    pub pictures: u64,
    pub documents: u64,
}

impl Body {
    pub fn needs(&self, streams: bool) -> Capabilities {
        let config = self.generation_config.as_ref();
        let mime = config.and_then(|config| config.response_mime_type.as_deref());
        let tools = &self.tools;
        let wanted = [
            (streams, Capability::Streaming),
            (
                tools
                    .iter()
                    .any(|tool| !tool.function_declarations.is_empty()),
                Capability::Tools,
            ),
            (self.weight().pictures > 0, Capability::Vision),
            (mime == Some("application/json"), Capability::Json),
        ];
        let wanted = wanted.into_iter().filter(|(is_needed, _)| *is_needed);
        wanted.fold(Capabilities::NONE, |needs, (_, capability)| {
            needs.with(capability)
        })
    }

    pub fn weight(&self) -> Weight {
        let length =
            |value: &Option<Value>| value.as_ref().map_or(0, |value| value.to_string().len());
        let declared = self
            .tools
            .iter()
            .flat_map(|tool| &tool.function_declarations);
        let declared = declared.map(|tool| tool.to_string().len()).sum::<usize>();
        let mut weight = Weight {
            text: declared + length(&self.system_instruction),
            ..Weight::default()
        };
        let contents = match &self.contents {
            Contents::Many(contents) => contents.as_slice(),
            Contents::One(content) => std::slice::from_ref(content),
        };
        for part in contents.iter().flat_map(|content| &content.parts) {
            weight.text += part.text.as_ref().map_or(0, String::len)
                + length(&part.function_call)
                + length(&part.function_response);
            for media in [&part.inline_data, &part.file_data].into_iter().flatten() {
                if media.mime_type.starts_with("image/") {
                    weight.pictures += 1;
                } else {
                    weight.documents += 1;
                }
            }
        }
        weight
    }

    pub fn max_output(&self) -> Option<u64> {
        self.generation_config.as_ref()?.max_output_tokens
    }
}
