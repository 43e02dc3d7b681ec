//! The word by which each command is asked for: the same on the command line, in a route and on the local socket.

use std::time::Duration;

use super::command::{DEFAULT_HOLD, RouterCommand};
use crate::domain::profile::ProfileName;

/// What can be done to the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Failover,
    Pin,
    Unpin,
    Reset,
    Restart,
    Enable,
    Disable,
}

/// A verb that needs a profile was given none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} needs the name of a profile", .0.as_str())]
pub struct NamelessError(pub Verb);

impl Verb {
    pub const ALL: [Self; 7] = [
        Self::Failover,
        Self::Pin,
        Self::Unpin,
        Self::Reset,
        Self::Restart,
        Self::Enable,
        Self::Disable,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Reset => "reset",
            Self::Restart => "restart",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }

    /// The verb of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == name)
    }
}

impl RouterCommand {
    /// The command of a verb. A failover without a profile moves on from the one that requests go to, and one without a
    /// time holds for [`DEFAULT_HOLD`]; an unpin takes no profile and ignores one.
    ///
    /// # Errors
    /// [`NamelessError`] where the verb needs a profile and there is none.
    pub fn of(
        verb: Verb,
        profile: Option<ProfileName>,
        hold: Option<Duration>,
    ) -> Result<Self, NamelessError> {
        let named = |profile: Option<ProfileName>| profile.ok_or(NamelessError(verb));
        Ok(match verb {
            Verb::Failover => Self::Failover {
                from: profile,
                hold: hold.unwrap_or(DEFAULT_HOLD),
            },
            Verb::Pin => Self::Pin(named(profile)?),
            Verb::Unpin => Self::Unpin,
            Verb::Reset => Self::Reset(named(profile)?),
            Verb::Restart => Self::Restart(named(profile)?),
            Verb::Enable => Self::Enable(named(profile)?),
            Verb::Disable => Self::Disable(named(profile)?),
        })
    }

    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Failover { .. } => Verb::Failover,
            Self::Pin(_) => Verb::Pin,
            Self::Unpin => Verb::Unpin,
            Self::Reset(_) => Verb::Reset,
            Self::Restart(_) => Verb::Restart,
            Self::Enable(_) => Verb::Enable,
            Self::Disable(_) => Verb::Disable,
        }
    }

    /// The profile that it names.
    #[must_use]
    pub const fn profile(&self) -> Option<&ProfileName> {
        match self {
            Self::Failover { from, .. } => from.as_ref(),
            Self::Unpin => None,
            Self::Pin(name)
            | Self::Reset(name)
            | Self::Restart(name)
            | Self::Enable(name)
            | Self::Disable(name) => Some(name),
        }
    }

    /// How long it holds a profile.
    #[must_use]
    pub const fn hold(&self) -> Option<Duration> {
        match self {
            Self::Failover { hold, .. } => Some(*hold),
            Self::Pin(_)
            | Self::Unpin
            | Self::Reset(_)
            | Self::Restart(_)
            | Self::Enable(_)
            | Self::Disable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_apart_into_what_it_is_made_of() {
        let name = ProfileName::from("a");
        let hold = Duration::from_secs(5);
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.as_str()), Some(verb));
            let command = RouterCommand::of(verb, Some(name.clone()), Some(hold)).unwrap();
            assert_eq!(command.verb(), verb);
            let again = RouterCommand::of(verb, command.profile().cloned(), command.hold());
            assert_eq!(again, Ok(command));
        }
        assert_eq!(Verb::parse("explode"), None);
    }

    #[test]
    fn a_profile_may_be_left_out_where_none_is_needed() {
        let nameless =
            |verb| RouterCommand::of(verb, None, None).map_err(|error| error.to_string());
        assert_eq!(
            nameless(Verb::Failover),
            Ok(RouterCommand::Failover {
                from: None,
                hold: DEFAULT_HOLD
            })
        );
        assert_eq!(nameless(Verb::Unpin), Ok(RouterCommand::Unpin));
        assert_eq!(
            nameless(Verb::Pin),
            Err("pin needs the name of a profile".to_owned())
        );
    }
}
