//! What a check of the doctor found.

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckStatus {
    Ok,
    /// It works, and could work better or may not work for long.
    Warn,
    /// Something does not work.
    Fail,
    /// Not looked at: what it depends on failed, or is not wanted.
    Skip,
}

impl CheckStatus {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::Skip];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Such as `limits.pool` or `profile.NAME.dns`; what stands before the first dot is its group.
    pub name: String,
    pub status: CheckStatus,
    /// What was found, with its numbers.
    pub message: String,
    /// What helps, where something is not as it should be.
    pub cure: Option<String>,
}

impl Check {
    pub fn ok(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Ok, message, None)
    }

    pub fn skip(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(name, CheckStatus::Skip, why, None)
    }

    pub fn warn(
        name: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(name, CheckStatus::Warn, message, Some(cure.into()))
    }

    pub fn fail(
        name: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self::new(name, CheckStatus::Fail, message, Some(cure.into()))
    }

    fn new(
        name: impl Into<String>,
        status: CheckStatus,
        message: impl Into<String>,
        cure: Option<String>,
    ) -> Self {
        Self {
            name: name.into(),
            status,
            message: message.into(),
            cure,
        }
    }

    #[must_use]
    pub fn group(&self) -> &str {
        self.name.split('.').next().unwrap_or(&self.name)
    }
}

/// How many checks ended in each way.
#[must_use]
pub fn count(checks: &[Check], status: CheckStatus) -> usize {
    checks.iter().filter(|check| check.status == status).count()
}
