//! A page to read: what an error means, or what the doctor found.

use crate::domain::check::Check;
use crate::domain::explain::{Explanation, by_text};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub about: About,
    /// Lines scrolled down; the view stops at the end.
    pub scroll: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Error {
        /// As it was told.
        told: String,
        /// None for a text that nobody knows.
        entry: Option<&'static Explanation>,
    },
    /// None while the checks run.
    Checkup(Option<Vec<Check>>),
}

impl Report {
    #[must_use]
    pub fn of_error(told: String) -> Self {
        let entry = by_text(&told);
        Self {
            about: About::Error { told, entry },
            scroll: 0,
        }
    }

    #[must_use]
    pub fn of_checkup(checks: Option<Vec<Check>>) -> Self {
        Self {
            about: About::Checkup(checks),
            scroll: 0,
        }
    }
}
