//! The rules' state as it goes over to another program: what was learned of each profile, and what an operator said.
//!
//! Nothing is under way then, so permits, reservations, leases and the queue have no place here.

use crate::domain::affinity::ConversationId;
use crate::domain::breaker::KeptBreaker;
use crate::domain::bucket::KeptBucket;
use crate::domain::cooldown::KeptCooldown;
use crate::domain::moment::Moment;
use crate::domain::profile::ProfileName;

use super::profile_state::Rejection;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptRouter {
    pub entries: Vec<KeptEntry>,
    pub pinned: Option<ProfileName>,
    /// Who answered each conversation last, and when.
    pub affinity: Vec<(ConversationId, ProfileName, Moment)>,
    /// How many requests there have been.
    pub requests: u64,
    /// When an outage that lasts was met first and last.
    pub outage: Option<(Moment, Moment)>,
}

/// One profile's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEntry {
    pub name: ProfileName,
    /// Tells whether a profile of that name still reaches the same provider with the same key.
    pub identity: String,
    /// Whether an operator said otherwise than the configuration; then what.
    pub enabled: Option<bool>,
    pub held_until: Option<Moment>,
    pub rejected: Option<(Rejection, Moment)>,
    pub cooldown: KeptCooldown,
    pub breaker: KeptBreaker,
    pub bucket: KeptBucket,
    pub retries: u8,
}
