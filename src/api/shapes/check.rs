//! What the doctor found, for programs.

use serde::Serialize;

use crate::domain::check::{Check, CheckStatus, count};

/// A check, as `doctor` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckShape {
    pub name: String,
    pub group: String,
    pub status: &'static str,
    pub message: String,
    /// Null where nothing is wrong.
    pub cure: Option<String>,
}

impl From<&Check> for CheckShape {
    fn from(check: &Check) -> Self {
        Self {
            name: check.name.clone(),
            group: check.group().to_owned(),
            status: check.status.as_str(),
            message: check.message.clone(),
            cure: check.cure.clone(),
        }
    }
}

/// All that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckupShape {
    pub checks: Vec<CheckShape>,
    pub summary: SummaryShape,
    /// What was mended before; missing where nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryShape {
    pub ok: usize,
    pub warn: usize,
    pub fail: usize,
    pub skip: usize,
}

impl CheckupShape {
    #[must_use]
    pub fn new(checks: &[Check], fixed: Option<Vec<String>>) -> Self {
        Self {
            checks: checks.iter().map(CheckShape::from).collect(),
            summary: SummaryShape {
                ok: count(checks, CheckStatus::Ok),
                warn: count(checks, CheckStatus::Warn),
                fail: count(checks, CheckStatus::Fail),
                skip: count(checks, CheckStatus::Skip),
            },
            fixed,
        }
    }
}
