//! What a model said: its parts in order, why it ended, and what it used.

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub id: Option<String>,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    pub parts: Vec<Part>,
    pub end: End,
    pub usage: Usage,
}

/// One part of an answer, in a whole one or in a conversation's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words; a refusal's are words too.
    Text(String),
    Reasoning(Reasoning),
    Call(Call),
}

/// What a model thought, with what its vendor proves it by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    pub text: String,
    pub proof: Proof,
}

/// What a vendor gives along with reasoning, to be handed back to it unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The signature, or the encrypted reasoning.
    pub data: Option<String>,
    /// The item's id, where the dialect has one.
    pub id: Option<String>,
    /// There is nothing to read but `data`.
    pub redacted: bool,
}

/// A tool's call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub id: String,
    pub name: String,
    /// As sent: JSON text, if the model wrote it well.
    pub arguments: String,
}

/// Why an answer ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// All is said.
    #[default]
    Done,
    /// One of the request's stop sequences came; which, where the dialect tells.
    Stopped(Option<String>),
    /// It waits for its tools.
    Calls,
    /// It reached the token limit or the end of the context.
    Length,
    /// The vendor withheld it.
    Refused,
}

/// Tokens, each where it was told; `input` is without what came from or went to a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    /// Part of `output`.
    pub reasoning: Option<u64>,
}

impl Usage {
    /// Takes later numbers over earlier ones, each by itself.
    pub fn update(&mut self, later: Self) {
        let set = |place: &mut Option<u64>, value: Option<u64>| *place = value.or(*place);
        set(&mut self.input, later.input);
        set(&mut self.output, later.output);
        set(&mut self.cache_read, later.cache_read);
        set(&mut self.cache_write, later.cache_write);
        set(&mut self.reasoning, later.reasoning);
    }

    /// All input tokens, those of caches included.
    pub fn whole_input(&self) -> u64 {
        self.input.unwrap_or_default()
            + self.cache_read.unwrap_or_default()
            + self.cache_write.unwrap_or_default()
    }

    pub fn output(&self) -> u64 {
        self.output.unwrap_or_default()
    }

    /// From numbers whose input is told with what a cache gave and took.
    pub fn of_whole_input(
        input: Option<u64>,
        output: Option<u64>,
        cache_read: Option<u64>,
        cache_write: Option<u64>,
        reasoning: Option<u64>,
    ) -> Self {
        let cached = cache_read.unwrap_or_default() + cache_write.unwrap_or_default();
        Self {
            input: input.map(|all| all.saturating_sub(cached)),
            output,
            cache_read,
            cache_write,
            reasoning,
        }
    }
}
