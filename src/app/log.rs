//! The log as commands ask for it.

use std::sync::Weak;

use crate::api::Log;
use crate::domain::route::By;
use crate::telemetry::Telemetry;

/// Gives commands what is asked of the log. Weak, since what waits is written when the log's last holder drops it.
#[derive(Debug)]
pub(super) struct LogHandle(pub Weak<Telemetry>);

impl Log for LogHandle {
    fn filter(&self) -> String {
        self.0
            .upgrade()
            .map_or_else(String::new, |log| log.filter())
    }

    fn set_filter(&self, filter: &str, by: By) -> Result<(), String> {
        match self.0.upgrade() {
            Some(log) => log.set_filter(filter, by.as_str()),
            None => Err("tundra ends".to_owned()),
        }
    }
}
