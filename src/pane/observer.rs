//! What a pane's thread knows of the agent in it: the signs that it takes to the tracker, and what they came to.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use rustix::process::Pid;

use super::emulator::Emulator;
use super::foreground;
use super::pty::Pty;
use super::session::{self, Member};
use crate::domain::adapter::{Adapter, Adapters};
use crate::domain::agent::{Agent, Sign, Tracker, WireFact};
use crate::domain::screen::ScreenSnapshot;

/// Follows the agent of one pane.
pub(super) struct Observer {
    tracker: Option<Tracker>,
    /// What is known of agents.
    adapters: Adapters,
    /// The agent that somebody typed into the pane's shell; None where it is the pane's own.
    guest: Option<Pid>,
    /// The agent's children when it asked last.
    children: Vec<Member>,
    /// The screen that later ones are compared with.
    screen: Option<ScreenSnapshot>,
}

/// Where the pane's programs are looked up.
#[derive(Clone, Copy)]
pub(super) struct Whereabouts<'a> {
    pub pty: Option<&'a Pty>,
    /// The pane's first process.
    pub first: Pid,
}

impl Observer {
    pub fn new(tracker: Option<Tracker>, adapters: Adapters) -> Self {
        Self {
            tracker,
            adapters,
            guest: None,
            children: Vec::new(),
            screen: None,
        }
    }

    /// The pane wrote something: a sign where other words stand on its screen now. A colour that moves over a text, a title
    /// that blinks or a screen that is drawn again as it was is none.
    pub fn output(&mut self, emulator: &Emulator, now: Instant) -> Option<Agent> {
        if !self.tracker.as_ref().is_some_and(Tracker::minds_output) {
            self.screen = None;
            return None;
        }
        let screen = emulator.snapshot(self.screen.as_ref());
        let before = self.screen.replace(screen);
        let (before, screen) = before.as_ref().zip(self.screen.as_ref())?;
        if is_same_text(before, screen) {
            return None;
        }
        self.sign(&Sign::Output, now)
    }

    /// The screen has another size: what stands on it now is what later ones are compared with.
    pub fn resized(&mut self, emulator: &Emulator, now: Instant) -> Option<Agent> {
        if self.screen.is_some() {
            self.screen = Some(emulator.snapshot(None));
        }
        self.sign(&Sign::Resized, now)
    }

    /// When [`Observer::keep_time`] is wanted.
    pub fn due(&self) -> Option<Instant> {
        self.tracker.as_ref()?.due()
    }

    /// Takes a sign in; the agent as it is now, where that changed.
    pub fn sign(&mut self, sign: &Sign, now: Instant) -> Option<Agent> {
        let tracker = self.tracker.as_mut()?;
        let changed = tracker.handle(sign, now, Timestamp::now());
        changed.then(|| tracker.agent().clone())
    }

    /// Something happened to a request of the pane's programs. The first request of an agent that somebody typed into the
    /// pane's shell tells that there is one.
    pub fn wire(&mut self, fact: WireFact, place: Whereabouts<'_>, now: Instant) -> Option<Agent> {
        if matches!(fact, WireFact::Began { .. }) {
            if self.tracker.is_none() {
                self.adopt(place, now);
            }
            if self.tracker.is_some() {
                self.children = session::descendants(self.guest.unwrap_or(place.first));
            }
        }
        self.sign(&Sign::Wire(fact), now)
    }

    /// Tells the tracker that its time has come, and of the agent's children where it asks for them.
    pub fn keep_time(&mut self, place: Whereabouts<'_>, now: Instant) -> Option<Agent> {
        let tracker = self.tracker.as_ref()?;
        if tracker.due()? > now {
            return None;
        }
        if !tracker.asks_for_children(now) {
            return self.sign(&Sign::Tick, now);
        }
        let running = session::descendants(self.guest.unwrap_or(place.first));
        let busy = running.iter().any(|child| !self.children.contains(child));
        self.sign(&Sign::Children { busy }, now)
    }

    /// The user typed: a guest that has left is not followed any more. True where that is so.
    pub fn lost_guest(&mut self, place: Whereabouts<'_>) -> bool {
        let left =
            self.guest.is_some() && place.pty.and_then(Pty::foreground_group) == Some(place.first);
        if left {
            self.guest = None;
            self.tracker = None;
        }
        left
    }

    /// The adapter of the agent that reads the pane's keys.
    pub fn adapter(&self, place: Whereabouts<'_>) -> Option<&Adapter> {
        let own = self.tracker.as_ref().map(Tracker::kind);
        foreground::adapter(place.pty?, place.first, own, &self.adapters)
    }

    /// Compares what follows with the screen of now.
    pub fn mark(&mut self, emulator: &Emulator) {
        if self.screen.is_none() && self.tracker.as_ref().is_some_and(Tracker::minds_output) {
            self.screen = Some(emulator.snapshot(None));
        }
    }

    fn adopt(&mut self, place: Whereabouts<'_>, now: Instant) {
        let Some(pty) = place.pty else { return };
        let group = pty.foreground_group();
        let Some((group, adapter)) = group
            .filter(|group| *group != place.first)
            .zip(foreground::adapter(pty, place.first, None, &self.adapters))
        else {
            return;
        };
        let agent = Agent::new(adapter.name.clone(), Timestamp::now(), true);
        self.tracker = Some(Tracker::new(agent, adapter.traits.clone(), now));
        self.guest = Some(group);
    }
}

fn is_same_text(before: &ScreenSnapshot, now: &ScreenSnapshot) -> bool {
    let mut rows = before.rows.iter().zip(&now.rows);
    // What scrolls has moved, though every line may be like the one before it.
    before.top == now.top
        && before.rows.len() == now.rows.len()
        && rows.all(|(before, now)| Arc::ptr_eq(before, now) || before.text() == now.text())
}
