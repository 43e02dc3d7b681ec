//! One row of the table.

/// An error, explained. Texts hold their variable parts in angle brackets: `pty pool is at capacity (<max>)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub name: &'static str,
    /// Other names: of the code, of the states that it shows as, of the guide that tundra's errors are named after.
    pub aliases: &'static [&'static str],
    /// What programs read: codes of sockets and routes, HTTP statuses, reasons of a skipped profile, `exit N`.
    pub codes: &'static [&'static str],
    /// Every wording; the first is the usual one.
    pub texts: &'static [&'static str],
    pub group: Group,
    pub severity: Severity,
    pub meaning: &'static str,
    pub symptoms: &'static [&'static str],
    pub causes: &'static [&'static str],
    /// What helps, the likeliest first.
    pub cures: &'static [&'static str],
    pub prevention: &'static [&'static str],
    /// Which target of the log tells more, as `tundra logs --target` takes it.
    pub log_target: &'static str,
}

impl Explanation {
    /// The usual wording.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.texts.first().copied().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Provider,
    Gateway,
    Terminal,
    Attach,
    Store,
    Configuration,
    Instance,
    /// What the system says, in its own words.
    System,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Provider,
        Self::Gateway,
        Self::Terminal,
        Self::Attach,
        Self::Store,
        Self::Configuration,
        Self::Instance,
        Self::System,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Gateway => "gateway",
            Self::Terminal => "terminal",
            Self::Attach => "attach",
            Self::Store => "store",
            Self::Configuration => "configuration",
            Self::Instance => "instance",
            Self::System => "system",
        }
    }
}

/// How much it matters: `Info` heals or is meant, `Warning` may heal, `Error` needs somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
