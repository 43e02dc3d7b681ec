//! The doctor, called from the front end.

use std::sync::Arc;

use crate::config::{ConfigSource, Paths};
use crate::doctor::{self, OuterTerminal, Scope, Subject};
use crate::tui::{Checkup, Examination, OuterFacts};

/// Looks at this instance's own home, as a command beside it would.
#[derive(Debug)]
pub(super) struct OwnCheckup {
    pub paths: Paths,
    pub source: ConfigSource,
}

impl Checkup for OwnCheckup {
    fn examine(&self, outer: OuterFacts) -> Examination {
        let (paths, source) = (self.paths.clone(), self.source.clone());
        let terminal = OuterTerminal {
            cols: outer.cols,
            rows: outer.rows,
            keyboard: Some(outer.keyboard),
        };
        Box::pin(async move {
            let read = move || Subject::read(paths, source, Scope::Everything, Some(terminal));
            match tokio::task::spawn_blocking(read).await {
                Ok(subject) => doctor::examine(Arc::new(subject), |_, _, _| {}).await,
                Err(_) => Vec::new(),
            }
        })
    }
}
