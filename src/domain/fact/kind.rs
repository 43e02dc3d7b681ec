//! The kinds of events of a history, by the names of the contract.

use std::fmt;

/// The kinds of events of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `instance.started`
    InstanceStarted,
    /// `instance.stopped`
    InstanceStopped,
    /// `terminal.opened`
    TerminalOpened,
    /// `terminal.exited`
    TerminalExited,
    /// `viewer.attached`
    ViewerAttached,
    /// `viewer.detached`
    ViewerDetached,
    /// `viewer.refused`
    ViewerRefused,
    /// `provider.failover`: requests go elsewhere than before.
    ProviderFailover,
    /// `provider.breaker`: a breaker is in another state.
    ProviderBreaker,
    /// `provider.cooldown`: a profile is left alone for a while.
    ProviderCooldown,
    /// `provider.command`: what an operator asked for.
    ProviderCommand,
    /// `provider.failed`: an attempt that failed.
    ProviderFailed,
    /// `agent.state`
    AgentState,
    /// `config.reloaded`
    ConfigReloaded,
    /// `config.refused`
    ConfigRefused,
    /// `store.state`: the journal or its copy stands otherwise.
    StoreState,
    /// `front.attached`
    FrontAttached,
    /// `front.detached`
    FrontDetached,
}

impl Kind {
    /// In the order of the contract.
    pub const ALL: [Self; 18] = [
        Self::InstanceStarted,
        Self::InstanceStopped,
        Self::TerminalOpened,
        Self::TerminalExited,
        Self::ViewerAttached,
        Self::ViewerDetached,
        Self::ViewerRefused,
        Self::ProviderFailover,
        Self::ProviderBreaker,
        Self::ProviderCooldown,
        Self::ProviderCommand,
        Self::ProviderFailed,
        Self::AgentState,
        Self::ConfigReloaded,
        Self::ConfigRefused,
        Self::StoreState,
        Self::FrontAttached,
        Self::FrontDetached,
    ];

    /// The families that [`Kind::named`] takes, in the order in which they are offered.
    pub const FAMILIES: [&str; 8] = [
        "provider", "terminal", "agent", "viewer", "front", "config", "store", "instance",
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InstanceStarted => "instance.started",
            Self::InstanceStopped => "instance.stopped",
            Self::TerminalOpened => "terminal.opened",
            Self::TerminalExited => "terminal.exited",
            Self::ViewerAttached => "viewer.attached",
            Self::ViewerDetached => "viewer.detached",
            Self::ViewerRefused => "viewer.refused",
            Self::ProviderFailover => "provider.failover",
            Self::ProviderBreaker => "provider.breaker",
            Self::ProviderCooldown => "provider.cooldown",
            Self::ProviderCommand => "provider.command",
            Self::ProviderFailed => "provider.failed",
            Self::AgentState => "agent.state",
            Self::ConfigReloaded => "config.reloaded",
            Self::ConfigRefused => "config.refused",
            Self::StoreState => "store.state",
            Self::FrontAttached => "front.attached",
            Self::FrontDetached => "front.detached",
        }
    }

    /// Those that a name means: one kind, or all of a family (`provider`).
    #[must_use]
    pub fn named(name: &str) -> Vec<Self> {
        let is_meant = |kind: &Self| {
            let text = kind.as_str();
            let family = text.split_once('.').map_or(text, |(family, _)| family);
            text == name || family == name
        };
        Self::ALL.into_iter().filter(is_meant).collect()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_all_of_its_kinds_and_a_kind_is_itself() {
        let names = |name| -> Vec<&str> {
            let kinds = Kind::named(name);
            kinds.into_iter().map(Kind::as_str).collect()
        };
        assert_eq!(
            names("config"),
            ["config.reloaded", "config.refused"],
            "a family"
        );
        assert_eq!(names("store.state"), ["store.state"], "a kind");
        assert_eq!(names("provider").len(), 5);
        assert_eq!(names("prov"), [""; 0], "no family begins to be one");
        let of_families: usize = Kind::FAMILIES.map(|name| names(name).len()).iter().sum();
        assert_eq!(of_families, Kind::ALL.len(), "each kind has its family");
    }
}
