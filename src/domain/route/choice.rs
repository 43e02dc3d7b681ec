//! Why a request goes where it goes.

/// Why this profile was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// First in order.
    First,
    /// It is pinned.
    Pinned,
    /// The caller named it.
    Named,
    /// It answered the conversation before, and one of a better order could take it too.
    Affinity,
    /// Those before it were skipped.
    Next,
    /// One before it was asked and failed.
    Failover,
    /// Nobody else was left, so that it was asked although its breaker is open.
    EarlyProbe,
}

impl Choice {
    pub const ALL: [Self; 7] = [
        Self::First,
        Self::Pinned,
        Self::Named,
        Self::Affinity,
        Self::Next,
        Self::Failover,
        Self::EarlyProbe,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Pinned => "pinned",
            Self::Named => "named",
            Self::Affinity => "affinity",
            Self::Next => "next",
            Self::Failover => "failover",
            Self::EarlyProbe => "early probe",
        }
    }
}
