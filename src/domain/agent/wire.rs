//! What an agent's requests tell of it: the strongest evidence there is.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::AgentState;

/// How long after an answer without a tool call a further request is waited for before the agent is done.
const SETTLES: Duration = Duration::from_secs(1);
/// The same after a request without tools of an agent that asks for a conversation's title before its turn.
const SETTLES_AFTER_TITLE: Duration = Duration::from_secs(10);
/// How long the screen must be still after a tool call before the agent is taken to wait for its user.
const STILL: Duration = Duration::from_secs(3);
/// How near to a turn, a request that declares tools, one that declares none belongs to it.
const BESIDE: Duration = Duration::from_secs(2);
/// How often is looked whether a child that keeps the agent busy still runs.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Names one request of a terminal from its beginning to its end.
pub type RequestId = u64;

/// Something that happened to one of the agent's requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireFact {
    /// It came in. `tools` tells whether it declares any: one that declares none is no turn of an agent that works with them.
    Began { id: RequestId, tools: bool },
    /// A provider is asked.
    Admitted { id: RequestId },
    /// Told once for each that began.
    Ended { id: RequestId, ending: Ending },
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer, whether that calls a tool or not.
    Answered { calls: bool },
    /// Everybody who could serve has no quota left.
    Refused {
        until: Option<Timestamp>,
        message: String,
    },
    /// It was rejected, nobody is left, or the answer broke off.
    Failed { message: String },
    /// Its caller gave it up, or it asked for no answer: as if it had never been.
    Left,
}

/// What the wire says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub state: AgentState,
    pub until: Option<Timestamp>,
    pub message: Option<String>,
}

impl Verdict {
    const fn of(state: AgentState) -> Self {
        Self {
            state,
            until: None,
            message: None,
        }
    }
}

/// The requests of one agent.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    in_flight: Vec<Flight>,
    /// When a request that declares tools began or ended last.
    turn_at: Option<Instant>,
    /// What holds while nothing is in flight.
    rest: Rest,
    /// See [`super::AgentTraits::titles_first`].
    titles_first: bool,
}

#[derive(Clone, Debug)]
struct Flight {
    id: RequestId,
    tools: bool,
    began: Instant,
    /// It makes the agent work; one that came while its quota was used up does so once it is admitted.
    counts: bool,
}

#[derive(Clone, Debug, Default)]
enum Rest {
    /// Nothing was told yet.
    #[default]
    Untold,
    /// An answer without a tool call ended; the agent is done unless it goes on by then.
    Settling {
        due: Instant,
    },
    Done,
    Idle,
    /// An answer with a tool call ended.
    OpenCall(OpenCall),
    Quota {
        due: Option<Instant>,
        until: Option<Timestamp>,
        message: String,
    },
    Failed {
        message: String,
    },
}

#[derive(Clone, Debug)]
struct OpenCall {
    /// When the children are to be looked at, unless the screen moves before; None while the agent waits.
    look_at: Option<Instant>,
}

impl Wire {
    pub fn new(titles_first: bool) -> Self {
        Self {
            titles_first,
            ..Self::default()
        }
    }

    /// Takes up what it said when nothing was in flight.
    pub fn resume(&mut self, verdict: &Verdict, now: Instant, at: Timestamp) {
        let message = || verdict.message.clone().unwrap_or_default();
        self.rest = match verdict.state {
            AgentState::Unknown => Rest::Untold,
            AgentState::Working => Rest::OpenCall(OpenCall {
                look_at: Some(now + STILL),
            }),
            AgentState::Waiting => Rest::OpenCall(OpenCall { look_at: None }),
            AgentState::Done => Rest::Done,
            AgentState::Idle => Rest::Idle,
            AgentState::Quota => Rest::Quota {
                due: verdict.until.map(|until| instant_of(until, now, at)),
                until: verdict.until,
                message: message(),
            },
            AgentState::Failed => Rest::Failed { message: message() },
        };
    }

    /// Whether it says anything at all.
    pub fn has_told(&self) -> bool {
        self.verdict().is_some()
    }

    pub fn verdict(&self) -> Option<Verdict> {
        if self.in_flight.iter().any(|flight| flight.counts) {
            return Some(Verdict::of(AgentState::Working));
        }
        Some(match &self.rest {
            Rest::Untold => return None,
            Rest::Settling { .. } => Verdict::of(AgentState::Working),
            Rest::Done => Verdict::of(AgentState::Done),
            Rest::Idle => Verdict::of(AgentState::Idle),
            Rest::OpenCall(call) => Verdict::of(match call.look_at {
                Some(_) => AgentState::Working,
                None => AgentState::Waiting,
            }),
            Rest::Quota { until, message, .. } => Verdict {
                state: AgentState::Quota,
                until: *until,
                message: Some(message.clone()),
            },
            Rest::Failed { message } => Verdict {
                state: AgentState::Failed,
                until: None,
                message: Some(message.clone()),
            },
        })
    }

    /// Whether a tool call is open and nothing is in flight, so that weaker signs may tell what became of it.
    pub fn has_open_call(&self) -> bool {
        matches!(self.rest, Rest::OpenCall(_)) && !self.in_flight.iter().any(|flight| flight.counts)
    }

    /// Whether a turn is in flight, a request that declares tools.
    pub fn has_turn(&self) -> bool {
        self.in_flight.iter().any(|flight| flight.tools)
    }

    /// Whether a notification may be a question of the agent's, now or once nothing is in flight: it may ask before the end of
    /// the answer that calls the tool is here, and beside a request that is no turn.
    pub fn may_ask(&self) -> bool {
        !self.in_flight.is_empty() || matches!(self.rest, Rest::Untold | Rest::OpenCall(_))
    }

    /// When [`Wire::tick`] or [`Wire::children`] is wanted.
    pub fn due(&self) -> Option<Instant> {
        match &self.rest {
            Rest::Settling { due } => Some(*due),
            Rest::Quota { due, .. } => *due,
            Rest::OpenCall(call) if self.has_open_call() => call.look_at,
            Rest::OpenCall(_) | Rest::Untold | Rest::Done | Rest::Idle | Rest::Failed { .. } => {
                None
            }
        }
    }

    /// Whether it is to be told, by [`Wire::children`], if the agent has children that it did not have before.
    pub fn asks_for_children(&self, now: Instant) -> bool {
        self.has_open_call() && self.due().is_some_and(|due| due <= now)
    }

    pub fn take(&mut self, fact: &WireFact, now: Instant, at: Timestamp) {
        match fact {
            WireFact::Began { id, tools } => {
                let counts = !matches!(self.rest, Rest::Quota { .. });
                self.in_flight.push(Flight {
                    id: *id,
                    tools: *tools,
                    began: now,
                    counts,
                });
                self.note_turn(*tools, now);
            }
            WireFact::Admitted { id } => {
                if let Some(flight) = self.in_flight.iter_mut().find(|flight| flight.id == *id) {
                    flight.counts = true;
                }
            }
            WireFact::Ended { id, ending } => {
                let Some(place) = self.in_flight.iter().position(|flight| flight.id == *id) else {
                    return;
                };
                let flight = self.in_flight.swap_remove(place);
                self.ended(&flight, ending, now, at);
            }
        }
    }

    fn ended(&mut self, flight: &Flight, ending: &Ending, now: Instant, at: Timestamp) {
        let is_aside = self.is_aside(flight);
        self.note_turn(flight.tools, now);
        self.rest = match ending {
            Ending::Left => return,
            Ending::Answered { .. } | Ending::Refused { .. } | Ending::Failed { .. }
                if is_aside =>
            {
                return;
            }
            Ending::Answered { calls: false } => Rest::Settling {
                due: now
                    + if self.titles_first && !flight.tools {
                        SETTLES_AFTER_TITLE
                    } else {
                        SETTLES
                    },
            },
            Ending::Answered { calls: true } => Rest::OpenCall(OpenCall {
                look_at: Some(now + STILL),
            }),
            Ending::Refused { until, message } => Rest::Quota {
                due: until.map(|until| instant_of(until, now, at)),
                until: *until,
                message: message.clone(),
            },
            Ending::Failed { message } => Rest::Failed {
                message: message.clone(),
            },
        };
    }

    fn note_turn(&mut self, tools: bool, now: Instant) {
        if tools {
            self.turn_at = Some(now);
        }
    }

    /// An agent that works with tools asks for titles and summaries beside its turns, before, amid or after one. They tell
    /// nothing of what it is doing.
    fn is_aside(&self, flight: &Flight) -> bool {
        let amid = self.in_flight.iter().any(|other| other.tools);
        let near = self
            .turn_at
            .is_some_and(|turn| turn + BESIDE > flight.began);
        !flight.tools && (amid || near)
    }

    /// The screen moved.
    pub fn moved(&mut self, now: Instant) {
        if let Rest::OpenCall(call) = &mut self.rest {
            call.look_at = Some(now + STILL);
        }
    }

    /// Tells whether the agent has running children that it did not have when it asked last.
    pub fn children(&mut self, busy: bool, now: Instant) {
        if !self.asks_for_children(now) {
            return;
        }
        if let Rest::OpenCall(call) = &mut self.rest {
            call.look_at = busy.then(|| now + LOOK_AGAIN);
        }
    }

    /// The user looked, or typed.
    pub fn seen(&mut self) {
        if matches!(self.rest, Rest::Done) {
            self.rest = Rest::Idle;
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        match &self.rest {
            Rest::Settling { .. } => self.rest = Rest::Done,
            Rest::Quota { .. } => {
                self.rest = Rest::Idle;
                for flight in &mut self.in_flight {
                    flight.counts = true;
                }
            }
            // Its children are told instead.
            Rest::OpenCall(_) | Rest::Untold | Rest::Done | Rest::Idle | Rest::Failed { .. } => {}
        }
    }
}

/// The moment of a date to come; `now` for one that has passed.
fn instant_of(until: Timestamp, now: Instant, at: Timestamp) -> Instant {
    now + Duration::try_from(until.duration_since(at)).unwrap_or(Duration::ZERO)
}
