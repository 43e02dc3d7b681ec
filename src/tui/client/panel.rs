//! The panel of providers, while it is open.

use std::path::PathBuf;

use crate::domain::profile::ProfileName;
use crate::domain::usage::RequestTries;

/// The panel of providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// The chosen one; it may be gone meanwhile.
    pub selected: Option<ProfileName>,
    pub page: Page,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    List,
    /// All about the chosen one, with its last requests.
    Details {
        requests: Vec<RequestTries>,
        scroll: usize,
    },
    /// What the chosen one's server has written.
    Output {
        file: Option<PathBuf>,
        lines: Vec<String>,
        /// Lines scrolled up from the newest.
        scroll: usize,
    },
}
