//! Who goes on for a login whose plan is used up.

use crate::domain::profile::ProfileName;

/// Who takes the requests of a login whose plan is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// The profile that is asked in its place.
    pub profile: ProfileName,
    /// Only once the login's user agrees that they cost money.
    pub asks: bool,
}
