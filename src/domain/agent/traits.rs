//! What is known of one agent's ways, by which its signs are read.

use super::title::TitleRules;

/// How an agent's signs are read. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AgentTraits {
    /// What its window title tells.
    pub titles: TitleRules,
    /// It asks for a conversation's title, by a request without tools, before its turn begins.
    pub titles_first: bool,
    /// It works by requests alone: where they are observed, a screen that has come to rest ends no work.
    pub works_by_requests: bool,
}
