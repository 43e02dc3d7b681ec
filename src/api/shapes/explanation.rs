//! What an error means, for programs.

use serde::Serialize;

use crate::domain::explain::Explanation;

/// An explanation, as `explain` answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExplanationShape {
    pub name: &'static str,
    pub codes: &'static [&'static str],
    /// With its variable parts in angle brackets.
    pub message: &'static str,
    pub group: &'static str,
    pub severity: &'static str,
    pub meaning: &'static str,
    pub symptoms: &'static [&'static str],
    pub causes: &'static [&'static str],
    pub cures: &'static [&'static str],
    pub prevention: &'static [&'static str],
    pub log_target: &'static str,
}

impl From<&Explanation> for ExplanationShape {
    fn from(entry: &Explanation) -> Self {
        Self {
            name: entry.name,
            codes: entry.codes,
            message: entry.message(),
            group: entry.group.as_str(),
            severity: entry.severity.as_str(),
            meaning: entry.meaning,
            symptoms: entry.symptoms,
            causes: entry.causes,
            cures: entry.cures,
            prevention: entry.prevention,
            log_target: entry.log_target,
        }
    }
}
