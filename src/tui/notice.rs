//! What other rooms have the front end tell its user.

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    /// Something the user asked for was done.
    Success,
    Warning,
    Error,
}

/// A message from another room, for the message log and where its prominence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub prominence: Prominence,
    pub text: String,
}

/// Where a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prominence {
    /// Over the panes for a few seconds, and as the last event.
    Toast,
    /// As the last event alone, so that it lies over nothing.
    LastEvent,
}
