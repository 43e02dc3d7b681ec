//! An error that a provider told.

/// What a provider said went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status that it has, or would have had.
    pub status: u16,
    /// The provider's words.
    pub message: String,
    /// The conversation does not fit into the model; clients shorten it where they are told so in the words that they
    /// know.
    pub too_long: bool,
}

impl Failure {
    pub fn new(status: u16, message: String, code: &str) -> Self {
        let too_long = code == "context_length_exceeded" || is_too_long(&message);
        Self {
            status,
            message,
            too_long,
        }
    }
}

/// Whether the words are one of those by which vendors refuse a conversation for its length.
fn is_too_long(message: &str) -> bool {
    const WORDS: [&str; 5] = [
        "prompt is too long",
        "maximum context length",
        "context_length_exceeded",
        "exceeds the context window",
        "exceed context limit",
    ];
    let message = message.to_ascii_lowercase();
    WORDS.iter().any(|words| message.contains(words))
}
