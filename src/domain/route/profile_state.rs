//! What the router is told of a profile besides its configuration.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::moment::Moment;

/// Names one profile in one life: a profile that was removed and came back is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProfileId(pub(super) u32);

/// Whether a profile's key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Found, or none is needed.
    Present,
    Missing,
}

/// Whether a profile's server takes requests, as far as tundra knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// It does, or is not tundra's to know.
    Serving,
    /// It runs and does not take requests yet.
    Starting,
    /// It ended by itself.
    Down,
    /// Nothing answers at the address of a server that nobody wrote down.
    Unreachable,
}

/// The login that came last to a profile for callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginState {
    /// One came in this run.
    pub seen: bool,
    /// Its plan is used up until then.
    pub used_up: Option<Moment>,
}

/// How long a key that was rejected is not shown again, unless somebody says that it is another one. Ten minutes: nobody
/// who renews a key waits for longer, and a vendor hears of a dead one six times an hour.
pub const REJECTED_FOR: Duration = Duration::from_secs(600);

/// That a provider did not take tundra's key, and by what words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// 401, 402 or 403.
    pub status: u16,
    /// The provider's own, cleaned.
    pub words: Arc<str>,
}

impl Rejection {
    /// Whether it is the account's credit that is missing and not the key's right.
    #[must_use]
    pub const fn is_billing(&self) -> bool {
        self.status == 402
    }
}
