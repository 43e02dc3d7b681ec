//! What a terminal is given besides what was asked for.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use crate::domain::agent::AgentKind;
use crate::domain::id::TerminalId;

/// Gives terminals variables and arguments of another room's, and hears when they are over.
///
/// Called on the pane's own thread; must not block.
pub trait Outfitter: fmt::Debug + Send + Sync {
    /// Before the program is started.
    fn outfit(&self, id: TerminalId, agent: Option<AgentKind>) -> Outfit;

    /// After its last process is gone, or where it could not be started.
    fn ended(&self, id: TerminalId);
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outfit {
    /// Variables, which those that were asked for go before.
    pub env: Vec<(String, OsString)>,
    /// For an agent's own program alone, right after its name.
    pub args: Vec<String>,
    /// Variables of tundra's own that the program must not see.
    pub without: Vec<String>,
}

/// Tells the outfitter of the end when dropped.
#[derive(Debug)]
pub(super) struct Outfitted {
    outfitter: Option<Arc<dyn Outfitter>>,
    id: TerminalId,
}

impl Outfitted {
    pub fn new(outfitter: Option<Arc<dyn Outfitter>>, id: TerminalId) -> Self {
        Self { outfitter, id }
    }

    pub fn id(&self) -> TerminalId {
        self.id
    }

    pub fn outfit(&self, agent: Option<AgentKind>) -> Outfit {
        match &self.outfitter {
            Some(outfitter) => outfitter.outfit(self.id, agent),
            None => Outfit::default(),
        }
    }
}

impl Drop for Outfitted {
    fn drop(&mut self) {
        if let Some(outfitter) = &self.outfitter {
            outfitter.ended(self.id);
        }
    }
}
