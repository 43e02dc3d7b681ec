//! Why a terminal is left, and what follows from it.

use tokio::sync::oneshot;

use crate::runtime::lend::{Departure, LentTerminal};
use crate::tui::error::TuiError;
use crate::tui::kept::KeptFront;
use crate::tui::services::Ending;

/// Why the terminal is left, or the front end ends.
pub(super) enum Leave {
    /// The instance goes on by itself, for this reason.
    Detached(&'static str),
    /// Another terminal is to show it.
    TakenOver(Box<LentTerminal>),
    Suspended,
    /// Its window was closed.
    Closed,
    /// It cannot be shown.
    Failed(TuiError),
    /// Another program goes on; whoever asked is told the user's place.
    Frozen(oneshot::Sender<KeptFront>),
    Ending(Ending),
}

/// What decides whether the front end ends with its terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeaveRules {
    /// A window that is closed ends everything.
    pub closing_quits: bool,
    /// There is nothing to go on with where it cannot be shown.
    pub failing_ends: bool,
}

/// How a terminal is left.
pub(super) struct LeavePlan {
    /// As the log and the journal tell it.
    pub why: &'static str,
    /// What its lender is told.
    pub departure: Departure,
    pub next: Next,
}

/// What comes after a terminal was left.
pub(super) enum Next {
    /// The front end goes on without one.
    Away,
    Show(Box<LentTerminal>),
    /// The next program goes on at the user's place.
    HandOver(oneshot::Sender<KeptFront>),
    End(Result<Ending, TuiError>),
}

impl Leave {
    pub fn plan(self, rules: LeaveRules) -> LeavePlan {
        let (why, departure, next) = match self {
            Self::Frozen(reply) => ("upgrade", Departure::Again, Next::HandOver(reply)),
            Self::Detached(why) => (why, Departure::Detached, Next::Away),
            Self::Closed if rules.closing_quits => (
                "its terminal was closed",
                ended(Ending::Quit),
                end(Ending::Quit),
            ),
            Self::Closed => ("its terminal was closed", Departure::Detached, Next::Away),
            Self::Suspended => ("suspended", Departure::Suspended, Next::Away),
            Self::TakenOver(lent) => {
                let pid = lent.offer.pid;
                ("taken over", Departure::TakenOver { pid }, Next::Show(lent))
            }
            Self::Failed(error) => {
                let departure = failed(&error, rules.failing_ends);
                let next = if rules.failing_ends {
                    Next::End(Err(error))
                } else {
                    Next::Away
                };
                ("it failed", departure, next)
            }
            Self::Ending(Ending::Quit) => ("quit", ended(Ending::Quit), end(Ending::Quit)),
            Self::Ending(ending @ Ending::Signal(signal)) => {
                (signal.name(), ended(ending), end(ending))
            }
        };
        LeavePlan {
            why,
            departure,
            next,
        }
    }
}

/// What the lender of a terminal is told that cannot show the session; `ends` where the instance ends, too.
pub(super) fn failed(error: &TuiError, ends: bool) -> Departure {
    Departure::Failed {
        code: error.into(),
        message: error.to_string(),
        ends,
    }
}

fn end(ending: Ending) -> Next {
    Next::End(Ok(ending))
}

fn ended(ending: Ending) -> Departure {
    let exit = match ending {
        Ending::Quit => 0,
        Ending::Signal(signal) => u8::try_from(128 + signal.number()).unwrap_or(u8::MAX),
    };
    Departure::Ended { exit }
}
