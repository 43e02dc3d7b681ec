//! Follows one agent: every sign goes to its rung, and the highest rung that says anything is the state.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::{Agent, AgentState, Evidence, NOT_OBSERVED};
use super::title::TitleMeaning;
use super::traits::AgentTraits;
use super::wire::{Verdict, Wire, WireFact};
use crate::domain::adapter::AgentName;

/// How long an agent must be quiet before it is taken to have finished, and how long one that starts and is not observed may
/// draw its screen.
const QUIET: Duration = Duration::from_secs(3);

/// Work that a title or, of an observed agent, its output tells this soon after the start, and that nobody asked for, is the
/// start itself.
const STARTS: Duration = Duration::from_secs(10);

/// A notification this long before the end of the turn that calls a tool asks about that call.
const EARLY: Duration = Duration::from_secs(2);

/// Output this soon after input is taken for its echo, not for work.
const ECHO: Duration = Duration::from_millis(400);

/// What changes on the screen this soon after its size did is taken for the program drawing it again, not for work.
const REDRAWS: Duration = Duration::from_secs(1);

/// Something that bears on what an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Something happened to one of its requests.
    Wire(WireFact),
    /// It rang the bell (no text) or sent a notification: it wants the user.
    Notification(String),
    /// The window title changed.
    Title(String),
    /// OSC 9;4: whether progress is under way.
    Progress { running: bool },
    /// OSC 133: a command of its shell began or ended.
    Command { running: bool },
    /// The program changed what stands on the screen.
    Output,
    /// The screen has another size, for which programs draw it again.
    Resized,
    /// The user typed something.
    Input,
    /// The user looked at the pane.
    Seen,
    /// Whether it has running children that it did not have when it asked last; told when
    /// [`Tracker::asks_for_children`] says so.
    Children { busy: bool },
    /// Time has passed; sent when [`Tracker::due`] says so.
    Tick,
}

/// Follows one agent from signs. A weaker sign never overrules a stronger one that still holds.
#[derive(Clone, Debug)]
pub struct Tracker {
    agent: Agent,
    traits: AgentTraits,
    wire: Wire,
    notified: Option<String>,
    /// When it notified, where its turn was still under way.
    notified_amid: Option<Instant>,
    title: Option<AgentState>,
    output: Option<AgentState>,
    started: Instant,
    last_output: Option<Instant>,
    last_input: Option<Instant>,
    last_resize: Option<Instant>,
}

impl Tracker {
    #[must_use]
    pub fn new(agent: Agent, traits: AgentTraits, now: Instant) -> Self {
        let mut tracker = Self {
            agent,
            wire: Wire::new(traits.titles_first),
            traits,
            notified: None,
            notified_amid: None,
            title: None,
            output: None,
            started: now,
            last_output: None,
            last_input: None,
            last_resize: None,
        };
        if tracker.agent.message.is_none() {
            let (_, verdict) = tracker.verdict();
            tracker.agent.message = tracker.message(verdict);
        }
        tracker
    }

    /// Goes on from what was known of an agent, as after another program has taken this one's place. Nothing of it is in
    /// flight.
    #[must_use]
    pub fn resume(agent: Agent, traits: AgentTraits, now: Instant, at: Timestamp) -> Self {
        let mut tracker = Self::new(agent, traits, now);
        let agent = &tracker.agent;
        // What it draws now is no start.
        tracker.last_input = now.checked_sub(ECHO);
        match agent.by {
            Evidence::Wire => {
                let verdict = Verdict {
                    state: agent.state,
                    until: agent.until,
                    message: agent.message.clone(),
                };
                tracker.wire.resume(&verdict, now, at);
            }
            Evidence::Notification => {
                tracker.notified = Some(agent.message.clone().unwrap_or_default());
            }
            Evidence::Title => tracker.title = Some(agent.state),
            Evidence::Output if agent.state == AgentState::Unknown => {}
            Evidence::Output => {
                tracker.output = Some(agent.state);
                tracker.last_output = Some(now);
            }
        }
        tracker
    }

    #[must_use]
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    #[must_use]
    pub fn kind(&self) -> &AgentName {
        &self.agent.kind
    }

    /// When a [`Sign::Tick`] or [`Sign::Children`] is wanted: only while something is open, so that an idle agent costs
    /// nothing.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let quiet = (self.output == Some(AgentState::Working))
            .then(|| self.last_output?.checked_add(QUIET))
            .flatten();
        [self.wire.due(), quiet].into_iter().flatten().min()
    }

    /// Whether [`Sign::Children`] is wanted now in the place of [`Sign::Tick`].
    #[must_use]
    pub fn asks_for_children(&self, now: Instant) -> bool {
        self.wire.asks_for_children(now)
    }

    /// Whether [`Sign::Output`] would tell anything now. Whoever compares screens need not do so otherwise.
    #[must_use]
    pub fn minds_output(&self) -> bool {
        !self.wire.has_told() || self.wire.has_open_call()
    }

    /// Takes a sign in; true when anything that is told of the agent changed.
    pub fn handle(&mut self, sign: &Sign, now: Instant, at: Timestamp) -> bool {
        self.take(sign, now, at);
        let (by, verdict) = self.verdict();
        let mut next = Agent {
            state: verdict.state,
            by,
            until: verdict.until,
            ..self.agent.clone()
        };
        next.message = self.message(verdict);
        if next.state != self.agent.state {
            next.since = at;
        }
        let changed = next != self.agent;
        self.agent = next;
        changed
    }

    fn take(&mut self, sign: &Sign, now: Instant, at: Timestamp) {
        match sign {
            Sign::Wire(fact) => {
                self.wire.take(fact, now, at);
                // With the next turn, and with the end of one, whatever it notified of is over. What is asked aside leaves
                // its question as it is.
                if matches!(fact, WireFact::Began { tools: true, .. }) || !self.wire.may_ask() {
                    self.notified = None;
                }
                if self.wire.has_open_call()
                    && let Some(at) = self.notified_amid.take()
                    && at + EARLY < now
                {
                    self.notified = None;
                }
            }
            Sign::Notification(text) => {
                if self.wire.may_ask() {
                    self.notified = Some(text.clone());
                    self.notified_amid = self.wire.has_turn().then_some(now);
                }
            }
            Sign::Title(title) => {
                let meaning = self.traits.titles.meaning(title);
                self.title = meaning.map_or(self.title, |meaning| self.by_title(meaning, now));
            }
            Sign::Progress { running } | Sign::Command { running } => {
                let meaning = if *running {
                    TitleMeaning::Working
                } else {
                    TitleMeaning::Over
                };
                self.title = self.by_title(meaning, now);
            }
            Sign::Output => self.moved(now),
            Sign::Resized => self.last_resize = Some(now),
            Sign::Input => {
                self.last_input = Some(now);
                if self.notified.take().is_some() {
                    // Whatever it waited for, the user is answering.
                    self.output = Some(AgentState::Idle);
                }
                self.seen();
            }
            Sign::Seen => self.seen(),
            Sign::Children { busy } => self.wire.children(*busy, now),
            Sign::Tick => {
                self.wire.tick(now);
                let is_quiet = self.last_output.is_some_and(|last| now >= last + QUIET);
                if is_quiet && self.output == Some(AgentState::Working) {
                    let is_told = self.agent.observed && self.traits.works_by_requests;
                    self.output = Some(if is_told {
                        AgentState::Idle
                    } else {
                        AgentState::Done
                    });
                }
            }
        }
    }

    fn by_title(&self, meaning: TitleMeaning, now: Instant) -> Option<AgentState> {
        let worked = self.title == Some(AgentState::Working);
        let within = now.saturating_duration_since(self.started) < STARTS;
        // The wire would tell of work that an observed agent was started with.
        let starts = self.last_input.is_none() && (within || self.agent.observed);
        match meaning {
            TitleMeaning::Working => Some(AgentState::Working),
            TitleMeaning::Waiting => Some(AgentState::Waiting),
            TitleMeaning::Over if worked && starts => None,
            TitleMeaning::Idle | TitleMeaning::Over if worked && !starts => Some(AgentState::Done),
            // Said again, it changes nothing.
            TitleMeaning::Idle if self.title == Some(AgentState::Done) => self.title,
            TitleMeaning::Idle => Some(AgentState::Idle),
            TitleMeaning::Over => self.title,
        }
    }

    fn moved(&mut self, now: Instant) {
        let is_within = |since: Instant, span| now.saturating_duration_since(since) < span;
        if self
            .last_resize
            .is_some_and(|resize| is_within(resize, REDRAWS))
        {
            return;
        }
        self.last_output = Some(now);
        self.wire.moved(now);
        let echoes = self.last_input.is_some_and(|input| is_within(input, ECHO));
        // What an agent draws at its start is no work that anybody asked for.
        let span = if self.agent.observed { STARTS } else { QUIET };
        let starts = self.last_input.is_none() && is_within(self.started, span);
        if !echoes && !starts && !self.wire.has_told() {
            self.output = Some(AgentState::Working);
        }
    }

    fn seen(&mut self) {
        self.wire.seen();
        for claim in [&mut self.title, &mut self.output] {
            if *claim == Some(AgentState::Done) {
                *claim = Some(AgentState::Idle);
            }
        }
    }

    fn verdict(&self) -> (Evidence, Verdict) {
        let of = |state| Verdict {
            state,
            until: None,
            message: None,
        };
        let told = self.wire.verdict();
        let notified = self.notified.as_ref().map(|text| Verdict {
            message: Some(text.clone()).filter(|text| !text.is_empty()),
            ..of(AgentState::Waiting)
        });
        match (told, notified) {
            // The wire has an open question, which the notification answers.
            (Some(_), Some(notified)) if self.wire.has_open_call() => {
                (Evidence::Notification, notified)
            }
            (Some(told), _) => (Evidence::Wire, told),
            (None, Some(notified)) => (Evidence::Notification, notified),
            (None, None) => match (self.title, self.output) {
                (Some(state), _) => (Evidence::Title, of(state)),
                (None, state) => (Evidence::Output, of(state.unwrap_or_default())),
            },
        }
    }

    fn message(&self, verdict: Verdict) -> Option<String> {
        let not_observed = (!self.agent.observed).then(|| NOT_OBSERVED.to_owned());
        verdict.message.or(not_observed)
    }
}

#[cfg(test)]
mod tests;
