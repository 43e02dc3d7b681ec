//! What is asked of a model: instructions, the conversation, tools, and how to answer.

use std::collections::BTreeMap;

use super::answer::Part;
use super::json::Json;

/// Names of what is left out that are told, and the most of one: a caller may well send hundreds.
const MOST_LEFT_OUT: usize = 32;
const LONGEST_NAME: usize = 64;

/// One request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub model: String,
    pub stream: bool,
    /// Whether a chat caller asked for the usage of a stream.
    pub include_usage: bool,
    /// What stands before the conversation, part by part.
    pub system: Vec<String>,
    pub items: Vec<Item>,
    pub tools: Vec<Tool>,
    pub choice: Option<Choice>,
    /// Whether several tools may be called at once.
    pub parallel: Option<bool>,
    pub max_output: Option<u64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub stop: Vec<String>,
    pub format: Option<Format>,
    /// How many words to make, in the vendor's own word.
    pub verbosity: Option<String>,
    pub thinking: Option<Thinking>,
    /// Who the caller's own user is.
    pub user: Option<String>,
    /// By which the vendor finds the conversation's cache.
    pub cache_key: Option<String>,
    /// How tools that another dialect knows as functions alone were declared; by the function's name.
    pub forms: BTreeMap<String, Form>,
    /// What can be left out, though the answer may be another one without it; each name once.
    pub left_out: Vec<String>,
    /// What makes the request another one if it is left out; the first is told.
    pub demands: Vec<String>,
}

/// One step of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Instructions in mid-conversation.
    System(Vec<String>),
    User(Vec<Content>),
    /// What the model said; two of them never follow each other.
    Answer(Vec<Part>),
    Result(ToolResult),
}

/// What a user says or a tool gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Text(String),
    Image {
        source: Source,
        /// How closely to look, where the caller says.
        detail: Option<String>,
    },
    Document {
        source: Source,
        name: Option<String>,
    },
}

/// Where an image or a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Base64.
    Inline {
        media_type: String,
        data: String,
    },
    Url(String),
}

/// What a tool gave back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    pub content: Vec<Content>,
    pub is_error: bool,
}

/// A function that the model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// The schema of its arguments.
    pub parameters: Option<Json>,
    pub strict: Option<bool>,
}

/// How a tool was declared that became a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub name: String,
    pub namespace: Option<String>,
    pub kind: FormKind,
}

/// What is special to a tool's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    Function,
    /// Its input is free text.
    Custom,
    /// Its input is an argument list.
    LocalShell,
}

/// Which tools may or must be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Auto,
    /// One of them, whichever.
    Any,
    Tool(String),
    None,
}

/// The form of the answer's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Any JSON object.
    Json,
    Schema {
        name: Option<String>,
        description: Option<String>,
        schema: Json,
        strict: Option<bool>,
    },
}

/// How long to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thinking {
    pub depth: Depth,
    /// The caller wants to read it.
    pub told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Off,
    /// As the model sees fit.
    Adaptive,
    Effort(Effort),
    /// Tokens.
    Budget(u64),
}

/// The steps that vendors name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    Highest,
}

impl Effort {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "minimal" => Some(Self::Minimal),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            "xhigh" | "max" => Some(Self::Highest),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Highest => "xhigh",
        }
    }

    /// The budget in tokens that stands for this effort.
    pub fn budget(self) -> u64 {
        match self {
            Self::Minimal => 1_024,
            Self::Low => 2_048,
            Self::Medium => 8_192,
            Self::High => 16_384,
            Self::Highest => 32_768,
        }
    }

    /// The effort that stands for a budget in tokens.
    pub fn of_budget(tokens: u64) -> Self {
        match tokens {
            ..4_096 => Self::Low,
            4_096..16_384 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Request {
    /// Adds to what the model said last, or begins a new step of its own.
    pub fn say(&mut self, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        if let Some(Item::Answer(said)) = self.items.last_mut() {
            said.extend(parts);
        } else {
            self.items.push(Item::Answer(parts));
        }
    }

    /// Adds instructions, to those before the conversation as long as it has not begun.
    pub fn instruct(&mut self, parts: Vec<String>) {
        if parts.is_empty() {
            return;
        }
        if self.items.is_empty() {
            self.system.extend(parts);
        } else {
            self.items.push(Item::System(parts));
        }
    }

    /// The texts of a content whose place takes nothing else: what else is in it cannot be said.
    pub fn texts_of(&mut self, content: Vec<Content>) -> Vec<String> {
        let mut texts = Vec::new();
        for content in content {
            match content {
                Content::Text(text) => texts.push(text),
                Content::Image { .. } => self.demand("image"),
                Content::Document { .. } => self.demand("document"),
            }
        }
        texts
    }

    /// Notes that something is left out; the name may be a caller's and is told in a header.
    pub fn leave_out(&mut self, name: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name: String = name
            .chars()
            .take(LONGEST_NAME)
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        if !self.left_out.contains(&name) && self.left_out.len() < MOST_LEFT_OUT {
            self.left_out.push(name);
        }
    }

    pub fn demand(&mut self, name: impl Into<String>) {
        self.demands.push(name.into());
    }

    /// What of its tools must be called: nothing where it declares none, as vendors refuse a choice without tools.
    pub fn choice_of_tools(&self) -> Option<&Choice> {
        self.choice.as_ref().filter(|_| !self.tools.is_empty())
    }

    /// Whether several tools may be called at once, where it says so and declares any.
    pub fn parallel_calls(&self) -> Option<bool> {
        self.parallel.filter(|_| !self.tools.is_empty())
    }

    /// Settles the tool choice once all tools are known: what must be called has to be there.
    pub fn settle_choice(&mut self) {
        match &self.choice {
            Some(Choice::Tool(name)) if !self.tools.iter().any(|tool| tool.name == *name) => {
                let name = name.clone();
                self.demand(name);
            }
            Some(Choice::Any) if self.tools.is_empty() => {
                let name = self
                    .left_out
                    .first()
                    .map_or("tool_choice", String::as_str)
                    .to_owned();
                self.demand(name);
            }
            _ => {}
        }
    }
}
