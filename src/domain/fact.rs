//! What happened, for whoever keeps it: one type, and one trait through which every room tells it.
//!
//! A fact holds what its teller knows and no text made of it, so that telling costs little; the words are made by
//! whoever keeps or shows it. No fact holds a prompt, a key or a terminal's bytes.

mod kind;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::id::TerminalId;
use super::profile::ProfileName;
use super::route::{By, PlanNews, RouterEvent};
use super::terminal::Exit;
use super::usage::Attempt;

pub use kind::Kind;

/// Hears of everything that is worth keeping, each fact once, in the order in which each teller tells it.
///
/// It is called from panes' threads and on requests' ways: it must not wait, and says itself what a full queue means.
pub trait Recorder: Send + Sync + fmt::Debug {
    /// Takes note of a fact. Never waits and never fails: what is full makes room as its keeper says.
    fn record(&self, fact: Fact);
}

/// Keeps nothing: where nobody asked for a history, and in tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl Recorder for Forgetful {
    fn record(&self, _: Fact) {}
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When it happened, by the clock on the wall.
    pub at: Timestamp,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// tundra began; the first fact of all.
    InstanceStarted { version: Arc<str>, pid: u32 },
    /// tundra ends; the last fact of all.
    InstanceStopped { end: End },
    /// A program was started in a terminal of its own.
    TerminalOpened(Box<Opened>),
    /// Somebody gave a terminal another name; no event of the history.
    TerminalRenamed { id: TerminalId, name: String },
    /// A terminal's first process has been reaped.
    TerminalExited { id: TerminalId, exit: Exit },
    /// An agent is in another state than before.
    AgentChanged {
        id: TerminalId,
        agent: Arc<str>,
        state: &'static str,
        /// The evidence.
        by: &'static str,
    },
    /// Somebody looks at a terminal from outside of the front end.
    ViewerAttached {
        terminal: TerminalId,
        viewer: Viewer,
    },
    /// A viewer has gone, or was cut off.
    ViewerDetached {
        terminal: TerminalId,
        viewer: Viewer,
    },
    /// A request to the listener was turned away.
    ViewerRefused {
        /// None where it named none, or one that there is not.
        terminal: Option<TerminalId>,
        peer: Peer,
        /// The HTTP status that it was answered with.
        status: u16,
        why: String,
    },
    /// A change of the route, with who caused it where it is a move.
    Routed {
        event: RouterEvent,
        cause: MoveCause,
    },
    /// An attempt that asked a provider has ended.
    Attempted {
        profile: ProfileName,
        attempt: Box<Attempt>,
    },
    /// A changed configuration is in force.
    ConfigReloaded {
        /// Keys that wait for the next start.
        at_next_start: Vec<String>,
    },
    /// A changed configuration has faults; the last good one stays.
    ConfigRefused { why: String },
    /// A terminal shows the instance.
    FrontAttached {
        pid: u32,
        /// Its device, such as `/dev/pts/3`.
        tty: String,
        cols: u16,
        rows: u16,
    },
    /// No terminal shows the instance any more.
    FrontDetached { pid: u32, why: String },
    /// The keeper's own state changed.
    StoreChanged {
        from: &'static str,
        /// Its name in `store.state`.
        to: &'static str,
        why: String,
        /// Events that were given up for want of memory since the last change.
        lost: u64,
    },
}

/// What was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub id: TerminalId,
    pub name: String,
    /// Program and arguments, as started.
    pub command: Vec<String>,
    /// Where it was started.
    pub cwd: PathBuf,
    /// Empty where no agent runs in it.
    pub agent: String,
    /// Who opened it, by the name of its [`Owner`](super::terminal::Owner).
    pub owner: &'static str,
}

/// Who looks at a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub peer: Peer,
    /// As it names itself; empty for one without a name.
    pub client: String,
}

/// Where a viewer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The local socket.
    Local,
    /// The address that it connected from.
    Network(IpAddr),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Network(address) => address.fmt(f),
        }
    }
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its user left, or its last pane ended.
    Quit,
    /// A signal, by its name.
    Signal(&'static str),
    /// It could not go on.
    Failed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quit => "quit",
            Self::Signal(name) => name,
            Self::Failed => "failed",
        })
    }
}

/// Who or what made requests go elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveCause {
    /// An operator, or a reload.
    Asked(By),
    /// A breaker opened or closed.
    Breaker,
    /// A profile cools down, or its budget is spent.
    Cooldown,
    /// Time passed: a hold, a cooldown or an open breaker is over; or a key or a server came or went.
    Recovery,
}

impl MoveCause {
    /// Its name in the history's `by` and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked(by) => by.as_str(),
            Self::Breaker => "breaker",
            Self::Cooldown => "cooldown",
            Self::Recovery => "recovery",
        }
    }

    /// The cause of a move that is told right after `event`.
    #[must_use]
    pub const fn of(event: &RouterEvent) -> Option<Self> {
        match event {
            RouterEvent::Breaker { .. } => Some(Self::Breaker),
            RouterEvent::Cooling { .. }
            | RouterEvent::Exhausted { .. }
            | RouterEvent::Rejected { .. } => Some(Self::Cooldown),
            RouterEvent::Commanded { by, .. } | RouterEvent::Reloaded { by, .. } => {
                Some(Self::Asked(*by))
            }
            RouterEvent::Moved { .. }
            | RouterEvent::Plan { .. }
            | RouterEvent::PassedOver { .. } => None,
        }
    }
}

impl Fact {
    /// A fact of this moment.
    #[must_use]
    pub const fn at(at: Timestamp, what: What) -> Self {
        Self { at, what }
    }

    /// The facts of what the router told in one step, each move with its cause: who asked for the step, else what came
    /// before it.
    pub fn of_route(at: Timestamp, events: Vec<RouterEvent>) -> impl Iterator<Item = Self> {
        let causes = events.iter().filter_map(MoveCause::of);
        let asked = causes
            .clone()
            .find(|cause| matches!(cause, MoveCause::Asked(_)));
        let mut cause = asked.unwrap_or(MoveCause::Recovery);
        events.into_iter().map(move |event| {
            cause = asked.or(MoveCause::of(&event)).unwrap_or(cause);
            Self::at(at, What::Routed { event, cause })
        })
    }
}

impl What {
    /// The kind of event that it is in a history; None for what is only counted, or changes what is known of a terminal.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::InstanceStarted { .. } => Kind::InstanceStarted,
            Self::InstanceStopped { .. } => Kind::InstanceStopped,
            Self::TerminalOpened(_) => Kind::TerminalOpened,
            Self::TerminalRenamed { .. } => return None,
            Self::TerminalExited { .. } => Kind::TerminalExited,
            Self::AgentChanged { .. } => Kind::AgentState,
            Self::ViewerAttached { .. } => Kind::ViewerAttached,
            Self::ViewerDetached { .. } => Kind::ViewerDetached,
            Self::ViewerRefused { .. } => Kind::ViewerRefused,
            Self::Routed { event, .. } => match event {
                RouterEvent::Breaker { .. } => Kind::ProviderBreaker,
                RouterEvent::Cooling { .. }
                | RouterEvent::Exhausted { .. }
                | RouterEvent::Rejected { .. }
                | RouterEvent::Plan {
                    news: PlanNews::UsedUp(_),
                    ..
                } => Kind::ProviderCooldown,
                RouterEvent::Commanded { .. } => Kind::ProviderCommand,
                RouterEvent::Moved { .. } => Kind::ProviderFailover,
                RouterEvent::Plan {
                    news: PlanNews::NearEnd { .. },
                    ..
                }
                // The attempt that failed is a fact of its own.
                | RouterEvent::PassedOver { .. }
                | RouterEvent::Reloaded { .. } => return None,
            },
            Self::Attempted { attempt, .. } => match attempt.end.error() {
                Some(_) => Kind::ProviderFailed,
                None => return None,
            },
            Self::ConfigReloaded { .. } => Kind::ConfigReloaded,
            Self::ConfigRefused { .. } => Kind::ConfigRefused,
            Self::FrontAttached { .. } => Kind::FrontAttached,
            Self::FrontDetached { .. } => Kind::FrontDetached,
            Self::StoreChanged { .. } => Kind::StoreState,
        })
    }

    /// Whether a commit of a versioned copy should not wait for its hour: a session's end, and a route that moved or broke.
    #[must_use]
    pub const fn is_milestone(&self) -> bool {
        matches!(
            self.kind(),
            Some(
                Kind::InstanceStopped
                    | Kind::TerminalExited
                    | Kind::ProviderFailover
                    | Kind::ProviderBreaker
            )
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::cooldown::CoolingCause;
    use crate::domain::moment::Moment;

    #[test]
    fn who_came_how_it_ended_and_what_kind_it_was_have_their_words() {
        let network = Peer::Network(std::net::Ipv4Addr::new(192, 0, 2, 1).into());
        assert_eq!(
            [Peer::Local, network].map(|peer| peer.to_string()),
            ["local", "192.0.2.1"]
        );
        let ends = [End::Quit, End::Signal("SIGTERM"), End::Failed];
        assert_eq!(
            ends.map(|end| end.to_string()),
            ["quit", "SIGTERM", "failed"]
        );
        assert_eq!(Kind::named("store.state")[0].to_string(), "store.state");
    }

    #[test]
    fn a_move_is_told_with_what_came_right_before_it() {
        let moved = RouterEvent::Moved {
            from: None,
            to: Some(ProfileName::from("b")),
            at: Moment::ORIGIN,
        };
        let exhausted = RouterEvent::Exhausted {
            profile: ProfileName::from("a"),
            at: Moment::ORIGIN,
        };
        let causes = |events: Vec<RouterEvent>| -> Vec<&str> {
            Fact::of_route(Timestamp::UNIX_EPOCH, events)
                .map(|fact| match fact.what {
                    What::Routed { cause, .. } => cause.as_str(),
                    _ => "",
                })
                .collect()
        };
        assert_eq!(causes(vec![moved.clone()]), ["recovery"]);
        assert_eq!(causes(vec![exhausted, moved]), ["cooldown", "cooldown"]);
    }

    #[test]
    fn what_moved_or_broke_the_route_is_a_milestone_and_a_cooldown_is_none() {
        let routed = |event| What::Routed {
            event,
            cause: MoveCause::Recovery,
        };
        let moved = routed(RouterEvent::Moved {
            from: None,
            to: None,
            at: Moment::ORIGIN,
        });
        let cooling = routed(RouterEvent::Cooling {
            profile: ProfileName::from("a"),
            cause: CoolingCause::RateLimit,
            wait: Duration::from_secs(1),
            at: Moment::ORIGIN,
        });
        assert!(moved.is_milestone());
        assert!(!cooling.is_milestone());
    }
}
