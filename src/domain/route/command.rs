//! What an operator may tell the router, what it answers, and what it tells everybody.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::breaker::Transition;
use crate::domain::cooldown::CoolingCause;
use crate::domain::moment::{Moment, Span};
use crate::domain::outcome::ErrorKind;
use crate::domain::plan::UsedUp;
use crate::domain::profile::ProfileName;

use super::profile_state::Rejection;
use super::substitute::Substitute;

/// How long `failover` holds a profile where no time is given.
pub const DEFAULT_HOLD: Duration = Duration::from_secs(600);

/// Each takes effect on the next request and ends nothing that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterCommand {
    /// Holds the profile that requests now go to, or `from`, so that they go elsewhere.
    Failover {
        /// The profile to hold; where requests now go where none is named.
        from: Option<ProfileName>,
        /// How long; at the end requests go back by themselves.
        hold: Duration,
    },
    /// Prefers one profile until it is unpinned, and ends its hold.
    Pin(ProfileName),
    /// Prefers none.
    Unpin,
    /// Closes the breaker and ends cooldown, exhaustion and hold.
    Reset(ProfileName),
    /// As reset. New connections, a fresh look at the key and a local server's process are its carrier's.
    Restart(ProfileName),
    /// Lets it take requests again, until the configuration says otherwise.
    Enable(ProfileName),
    /// Lets it take none, until the configuration says otherwise.
    Disable(ProfileName),
}

/// Who gave a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A key in the front end.
    Key,
    /// A command on the local socket.
    Cli,
    /// A route of the listener.
    Http,
    /// A change of the configuration.
    Reload,
}

impl By {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Cli => "cli",
            Self::Http => "http",
            Self::Reload => "reload",
        }
    }
}

/// What a command has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The profile that it concerned; `None` for an unpin with nothing pinned.
    pub profile: Option<ProfileName>,
    /// Where the next request goes from now on.
    pub active: Option<ProfileName>,
    /// For a failover, how long the profile is held.
    pub held_for: Option<Duration>,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nobody else could take the requests.
    #[error("no other profile can take over")]
    NobodyLeft,
    /// There is no profile of that name.
    #[error("profile not found: {0}")]
    NotFound(ProfileName),
}

/// What is new of a login's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanNews {
    /// It is used up, or its part for one model family.
    UsedUp(UsedUp),
    /// A window has passed what its user is warned at.
    NearEnd {
        window: String,
        /// How much of it is used, in whole percents.
        percent: u32,
        resets_at: Option<Timestamp>,
    },
}

/// Told once each, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterEvent {
    /// A breaker changed its state.
    Breaker {
        profile: ProfileName,
        transition: Transition,
    },
    /// A 429, or an overload that named a time: it is left alone for `wait`.
    Cooling {
        profile: ProfileName,
        cause: CoolingCause,
        wait: Duration,
        at: Moment,
    },
    /// Its budget is spent.
    Exhausted { profile: ProfileName, at: Moment },
    /// Its provider did not take the key.
    Rejected {
        profile: ProfileName,
        rejection: Rejection,
        at: Moment,
    },
    /// Something is new of the plan of a login at `profile`.
    Plan {
        profile: ProfileName,
        news: PlanNews,
        /// Who takes its requests then.
        substitute: Option<Substitute>,
        at: Moment,
    },
    /// A request failed at `profile`, and was answered by another one, or by nobody.
    PassedOver {
        profile: ProfileName,
        kind: ErrorKind,
        /// The error's words.
        why: String,
        to: Option<ProfileName>,
        at: Moment,
    },
    /// A command was carried out.
    Commanded {
        command: RouterCommand,
        by: By,
        done: Done,
        at: Moment,
    },
    /// The next request goes to another profile than the one before.
    Moved {
        from: Option<ProfileName>,
        to: Option<ProfileName>,
        at: Moment,
    },
    /// Other settings or profiles are in force.
    Reloaded {
        by: By,
        added: Vec<ProfileName>,
        changed: Vec<ProfileName>,
        removed: Vec<ProfileName>,
        at: Moment,
    },
}

impl fmt::Display for RouterEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breaker {
                profile,
                transition,
            } => write!(
                f,
                "{profile}: breaker {} → {}",
                transition.from.as_str(),
                transition.to.as_str()
            ),
            Self::Cooling { profile, wait, .. } => {
                write!(f, "{profile}: cooling for {}", Span(*wait))
            }
            Self::Exhausted { profile, .. } => write!(f, "{profile}: budget spent"),
            Self::Plan { profile, news, .. } => match news {
                PlanNews::UsedUp(UsedUp { until, family }) => {
                    let family = family.as_ref();
                    let which = family.map_or(String::new(), |family| format!(" for {family}"));
                    write!(f, "{profile}: used up{which} until {until:.0}")
                }
                PlanNews::NearEnd {
                    window, percent, ..
                } => write!(f, "{profile}: {percent} % of {window} is used"),
            },
            Self::Rejected {
                profile, rejection, ..
            } => {
                let Rejection { status, words } = rejection;
                write!(f, "{profile}: key rejected (status {status}): {words}")
            }
            Self::PassedOver {
                profile, why, to, ..
            } => match to {
                // What matters comes first, since a narrow screen cuts the rest.
                Some(to) => write!(f, "{to} answered for {profile}: {why}"),
                None => write!(f, "nobody answered for {profile}: {why}"),
            },
            Self::Commanded {
                command: RouterCommand::Failover { .. },
                by,
                done:
                    Done {
                        profile: Some(profile),
                        held_for: None,
                        ..
                    },
                ..
            } => write!(
                f,
                "{profile}: requests may cost money now (by {})",
                by.as_str()
            ),
            Self::Commanded { command, by, .. } => write!(f, "{command} (by {})", by.as_str()),
            Self::Moved { to: Some(to), .. } => write!(f, "requests now go to {to}"),
            Self::Moved { to: None, .. } => f.write_str("no provider can take requests now"),
            Self::Reloaded { .. } => f.write_str("profiles reloaded"),
        }
    }
}

impl fmt::Display for RouterCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb().as_str())?;
        match (self, self.profile()) {
            (Self::Failover { .. }, Some(name)) => write!(f, " from {name}")?,
            (_, Some(name)) => write!(f, " {name}")?,
            (_, None) => {}
        }
        match self.hold() {
            Some(hold) => write!(f, " for {}", Span(hold)),
            None => Ok(()),
        }
    }
}
