//! What another program has left.

use super::kept::KeptRooms;
use crate::api::shapes::UpgradeShape;
use crate::runtime::handover::Incoming;

/// What another program has left, all of it read and none of it taken up.
pub struct Resumed {
    pub rooms: KeptRooms,
    pub incoming: Incoming,
    /// Why another program than this one could not go on.
    pub because: Option<String>,
}

impl Resumed {
    /// Whether another program has failed over this state already, so that nobody could go on in this one's place.
    #[must_use]
    pub fn is_last_resort(&self) -> bool {
        self.because.is_some()
    }

    /// What those are told who asked for the change.
    pub fn upgraded(
        &self,
        version: &str,
        terminals: usize,
        lost: Vec<String>,
    ) -> Result<UpgradeShape, String> {
        match &self.because {
            Some(because) => {
                let told: Vec<&str> = [because.as_str()]
                    .into_iter()
                    .chain(lost.iter().map(String::as_str))
                    .collect();
                Err(format!("{}; tundra {version} goes on", told.join("; ")))
            }
            None => Ok(UpgradeShape {
                pid: std::process::id(),
                from: self.incoming.version().to_owned(),
                version: version.to_owned(),
                terminals,
                lost,
            }),
        }
    }
}
