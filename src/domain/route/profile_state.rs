//! What the router is told of a profile besides its configuration.

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
