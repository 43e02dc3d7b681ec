//! A program that is not started.

use jiff::Timestamp;

/// What is known of a pane whose program does not run: it was brought back after an end that nobody asked for, or is offered
/// where there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Since when it ran; None for one that never did.
    pub since: Option<Timestamp>,
    /// Variables that it was given by name and value, of which only the names were kept.
    pub lost_variables: Vec<String>,
}
