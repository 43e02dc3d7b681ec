//! The router: which profile a request goes to, what its end means for the next one, and how an operator steers it.
//!
//! Pure state over all profiles. Whoever holds it under a lock asks it to [`Router::admit`] a call, carries the call
//! out with the lock released, and settles its permit exactly once. What the status calls active is where the next request
//! goes, but for one of a conversation that stays with whoever answered it, and for a caller's login.

mod call;
pub mod choice;
mod command;
mod entry;
#[cfg(test)]
pub(crate) mod fixtures;
mod jitter;
mod kept;
mod outage;
mod permit;
mod profile_state;
mod roster;
mod selection;
mod settings;
pub mod skip;
mod status;
mod substitute;
pub mod translation;
mod verb;
mod wait_queue;

use std::sync::Arc;
use std::time::Duration;

use super::affinity::Affinity;
use super::breaker::{Jitter, Transition};
use super::bucket::{Amount, Remaining, Used};
use super::caller::RequestNumber;
use super::login::Spill;
use super::moment::Moment;
use super::outcome::{CallError, Outcome};
use super::profile::{Auth, Profile, ProfileName};
use super::usage::Usage;

use entry::Entry;
use jitter::JitterSource;
use outage::Outage;
use roster::Roster;
use selection::Selection;
use wait_queue::WaitQueue;

pub use call::{Call, CallLogin, Run};
pub use choice::Choice;
pub use command::{By, CommandError, DEFAULT_HOLD, Done, PlanNews, RouterCommand, RouterEvent};
pub use kept::{KeptEntry, KeptRouter};
pub use permit::{Admission, Cool, Permit, Settlement};
pub use profile_state::{KeyState, LoginState, ProfileId, REJECTED_FOR, Rejection, ServerState};
pub use settings::RouteSettings;
pub use skip::{Lack, NothingLeft, Reason, Skip};
pub use status::{ProviderState, ProviderStatus, RouterStatus};
pub use substitute::Substitute;
pub use translation::{Feature, Foreign, Translation};
pub use verb::{NamelessError, Verb};

/// All profiles' state, who waits, and where requests go.
#[derive(Debug)]
pub struct Router {
    settings: RouteSettings,
    roster: Roster,
    queue: WaitQueue,
    affinity: Affinity,
    outage: Outage,
    in_flight: u64,
    /// Requests so far, each counted once, at its first admission.
    requests: u64,
    revision: u64,
    /// Where requests went when last looked at, so that a move is told once.
    active: Option<ProfileName>,
    events: Vec<RouterEvent>,
    /// Something happened that those in the queue may have waited for.
    capacity_changed: bool,
    jitter: JitterSource,
}

impl Router {
    /// `seed` feeds the breakers' jitter.
    #[must_use]
    pub fn new(
        settings: RouteSettings,
        profiles: Vec<(Profile, KeyState)>,
        seed: u64,
        now: Moment,
    ) -> Self {
        let mut roster = Roster::default();
        roster.reload(profiles, settings.breaker, now);
        let active = roster.active(now).map(|entry| entry.profile.name.clone());
        Self {
            settings,
            roster,
            queue: WaitQueue::default(),
            affinity: Affinity::default(),
            outage: Outage::default(),
            in_flight: 0,
            requests: 0,
            revision: 0,
            active,
            events: Vec::new(),
            capacity_changed: false,
            jitter: JitterSource(seed),
        }
    }

    /// What goes over to another program.
    #[must_use]
    pub fn keep(&self) -> KeptRouter {
        let affinity = self.affinity.all();
        KeptRouter {
            entries: self.roster.entries().iter().map(Entry::keep).collect(),
            pinned: self.roster.pinned().cloned(),
            affinity: affinity
                .map(|(conversation, profile, at)| (conversation, profile.clone(), at))
                .collect(),
            requests: self.requests,
            outage: self.outage.refused(),
        }
    }

    /// Goes on as another program left it, before the first call. A profile that reaches another provider than it did
    /// there begins anew.
    pub fn resume(&mut self, kept: &KeptRouter, now: Moment) {
        for kept in &kept.entries {
            if let Some(entry) = self.roster.named(&kept.name) {
                entry.resume(kept);
            }
        }
        if let Some(pinned) = &kept.pinned {
            self.roster.pin(pinned);
        }
        for (conversation, profile, at) in &kept.affinity {
            self.affinity.note(*conversation, profile, *at);
        }
        self.requests = kept.requests;
        self.outage = Outage::resume(kept.outage);
        // Where requests go was told by the program before.
        self.active = self
            .roster
            .active(now)
            .map(|entry| entry.profile.name.clone());
        self.revision += 1;
    }

    /// Takes other settings and profiles; a profile that reaches the same provider keeps its state.
    pub fn reload(
        &mut self,
        settings: RouteSettings,
        profiles: Vec<(Profile, KeyState)>,
        by: By,
        now: Moment,
    ) {
        self.settings = settings;
        self.affinity.clear();
        let changes = self.roster.reload(profiles, settings.breaker, now);
        self.events.push(RouterEvent::Reloaded {
            by,
            added: changes.added,
            changed: changes.changed,
            removed: changes.removed,
            at: now,
        });
        self.changed(now);
    }

    /// Notes that a profile's key was found or is gone.
    pub fn set_key(&mut self, name: &ProfileName, key: KeyState, now: Moment) {
        if let Some(entry) = self.roster.named(name) {
            entry.key = key;
            self.changed(now);
        }
    }

    /// Notes whether a profile's server takes requests.
    pub fn set_server(&mut self, name: &ProfileName, server: ServerState, now: Moment) {
        if let Some(entry) = self.roster.named(name)
            && entry.server != server
        {
            entry.server = server;
            self.changed(now);
        }
    }

    /// Notes which login came last to a profile for callers, and how it stands.
    pub fn set_login(&mut self, name: &ProfileName, login: LoginState, now: Moment) {
        let Some(entry) = self.roster.named(name) else {
            return;
        };
        if entry.login == login {
            return;
        }
        let ends = login.used_up.is_some() && entry.login.used_up.is_none();
        entry.login = login;
        if ends && self.settings.spill == Spill::Ask {
            // Its callers' requests go nowhere else until they agree, so that nothing has moved.
            self.active = self.active(now);
        }
        self.changed(now);
    }

    /// Chooses the profile for a call: the first in order that can take it and that `run` has not asked yet.
    ///
    /// Breaker and buckets are taken together or not at all. Where nobody can, the call waits in the queue for the soonest
    /// bucket or cooldown, as long as that comes before its patience ends; whoever stands in the queue asks again with the
    /// same run, or calls [`Router::leave_queue`].
    pub fn admit(&mut self, call: &Call, run: &mut Run, now: Moment) -> Admission {
        run.skipped.clear();
        run.number.get_or_insert_with(|| {
            self.requests += 1;
            RequestNumber(self.requests)
        });
        let chosen = self.selection(call, now).choose(run);
        let permit = chosen.and_then(|(id, choice)| self.grant(id, choice, call, now));
        if permit.is_none()
            && let Some(until) = self.join_queue(call, run, now)
        {
            return Admission::Wait { until };
        }
        let permit = permit.or_else(|| self.early_probe(call, run, now));
        self.leave_queue(run);
        match permit {
            Some(permit) => {
                run.tries(permit.id, permit.choice);
                Admission::Go(permit)
            }
            None => Admission::Refused(self.nothing_left(call, run, now)),
        }
    }

    /// The profile that the call's conversation stays with.
    fn stays_with(&self, call: &Call, now: Moment) -> Option<&ProfileName> {
        self.affinity
            .of(call.conversation?, self.settings.affinity, now)
    }

    /// Leaves the queue, if the run stands there. Whoever gives a waiting call up must say so.
    pub fn leave_queue(&mut self, run: &mut Run) {
        if let Some(place) = run.place.take() {
            self.capacity_changed |= self.queue.leave(place);
        }
    }

    /// Judges a half-open breaker's probe at the first valid event of its answer.
    pub fn confirm(&mut self, permit: &mut Permit, now: Moment) {
        let Some(entry) = self.roster.with_id(permit.id) else {
            return;
        };
        let transition = entry.breaker.confirm(&mut permit.breaker, now);
        self.told(permit.id, transition, now);
    }

    /// Takes a provider's word on what is left of its limits.
    pub fn learn(&mut self, permit: &Permit, remaining: Remaining, now: Moment) {
        if let Some(entry) = self.roster.with_id(permit.id) {
            entry.bucket.learn(&permit.reservation, remaining, now);
        }
    }

    /// Whether the permit's profile may be connected to once more for this call, which its retry budget pays for.
    pub fn may_reconnect(&mut self, permit: &Permit) -> bool {
        self.roster
            .with_id(permit.id)
            .is_some_and(|entry| entry.retries.take())
    }

    /// Ends a call. A permit for a profile that is gone changes nothing but the number in flight.
    pub fn settle(&mut self, permit: Permit, settlement: Settlement, now: Moment) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.revision += 1;
        let jitter = self.jitter.draw();
        let Some(entry) = self.roster.with_id(permit.id) else {
            return;
        };
        entry.in_flight = entry.in_flight.saturating_sub(1);
        if settlement.outcome == Outcome::Success {
            self.outage.end();
            entry.retries.earn();
            if let Some(conversation) = permit.conversation {
                self.affinity.note(conversation, &entry.profile.name, now);
            }
        }
        if permit.asks_again {
            entry.cooldown.asked(settlement.answered);
        }
        self.capacity_changed |= settlement.used != Used::AsReserved;
        entry
            .bucket
            .settle(permit.reservation, settlement.used, now);
        let transition = entry
            .breaker
            .settle(permit.breaker, settlement.outcome, now, jitter);
        let cooled = settlement.cool.map(|cool| entry.cool(cool, now));
        let moves = cooled.is_some();
        self.events.extend(cooled);
        self.told(permit.id, transition, now);
        if moves {
            self.changed(now);
        }
    }

    /// Carries out an operator's command.
    ///
    /// # Errors
    /// [`CommandError`] where the profile is unknown or nobody else can take over; nothing is changed then.
    pub fn command(
        &mut self,
        command: &RouterCommand,
        by: By,
        now: Moment,
    ) -> Result<Done, CommandError> {
        let mut held_for = None;
        self.affinity.clear();
        let profile = match command {
            RouterCommand::Failover { from, hold } => {
                held_for = Some(*hold);
                Some(self.hold(from.as_ref(), *hold, now)?)
            }
            RouterCommand::Pin(name) => {
                self.entry(name)?.held_until = None;
                self.roster.pin(name);
                Some(name.clone())
            }
            RouterCommand::Unpin => {
                self.roster.call_back();
                self.roster.unpin()
            }
            RouterCommand::Reset(name) | RouterCommand::Restart(name) => {
                let entry = self.entry(name)?;
                let id = entry.id;
                let transition = entry.reset(now);
                self.told(id, transition, now);
                Some(name.clone())
            }
            RouterCommand::Enable(name) => {
                self.entry(name)?.enabled = true;
                Some(name.clone())
            }
            RouterCommand::Disable(name) => {
                self.entry(name)?.enabled = false;
                Some(name.clone())
            }
        };
        let done = Done {
            profile,
            active: self.active(now),
            held_for,
        };
        self.events.push(RouterEvent::Commanded {
            command: command.clone(),
            by,
            done: done.clone(),
            at: now,
        });
        self.changed(now);
        Ok(done)
    }

    /// Carries out a failover from a profile for callers whose plan is used up: its requests may cost money now, which
    /// its keeper has noted, and nothing is held.
    pub fn spilled(
        &mut self,
        command: &RouterCommand,
        profile: ProfileName,
        by: By,
        now: Moment,
    ) -> Done {
        self.affinity.clear();
        let done = Done {
            profile: Some(profile),
            active: self.active(now),
            held_for: None,
        };
        self.events.push(RouterEvent::Commanded {
            command: command.clone(),
            by,
            done: done.clone(),
            at: now,
        });
        self.changed(now);
        done
    }

    /// Every profile, in their order.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.roster.entries().iter().map(|entry| &*entry.profile)
    }

    /// The profiles for callers, in their order.
    pub fn for_callers(&self) -> impl Iterator<Item = ProfileName> {
        let entries = self.roster.for_callers();
        entries.map(|entry| entry.profile.name.clone())
    }

    /// Who takes the requests of `profile`'s callers while their plan is used up, where they have `agreed` to pay or not;
    /// first whom they would ask first.
    #[must_use]
    pub fn substitute(
        &self,
        profile: &ProfileName,
        agreed: bool,
        now: Moment,
    ) -> Option<Substitute> {
        self.roster.substitute(profile, &self.settings, agreed, now)
    }

    /// When profiles of another dialect are asked.
    #[must_use]
    pub const fn translation(&self) -> Translation {
        self.settings.translation
    }

    /// Whether a login's requests may cost money.
    #[must_use]
    pub const fn spill(&self) -> Spill {
        self.settings.spill
    }

    /// Whether somebody has sent the requests of the call's login elsewhere by hand, which is to agree that they cost money:
    /// each profile for callers that it could go to is held.
    #[must_use]
    pub fn sends_away(&self, call: &Call, now: Moment) -> bool {
        let wants = call.wants(self.settings.translation);
        let mut own = (self.roster.for_callers())
            .filter(|entry| call.login.is_some() && entry.is_for(&wants))
            .peekable();
        own.peek().is_some() && own.all(|entry| entry.held_for(now).is_some())
    }

    /// Tells what is new of a plan.
    pub fn tell_plan(&mut self, profile: &ProfileName, news: PlanNews, now: Moment) {
        let substitute = self.substitute(profile, false, now);
        self.events.push(RouterEvent::Plan {
            profile: profile.clone(),
            news,
            substitute,
            at: now,
        });
    }

    /// Tells that a request failed at `profile`, and who answered it then.
    pub fn tell_passed_over(
        &mut self,
        profile: ProfileName,
        error: &CallError,
        to: Option<&ProfileName>,
        now: Moment,
    ) {
        self.events.push(RouterEvent::PassedOver {
            profile,
            kind: error.kind(),
            why: error.to_string(),
            to: to.cloned(),
            at: now,
        });
    }

    /// Notes that what is shown of a plan is another.
    pub const fn plan_changed(&mut self) {
        self.revision += 1;
    }

    /// Where the next request goes, whatever it asks for; where nobody else can take one, to whom a probe is under way.
    #[must_use]
    pub fn active(&self, now: Moment) -> Option<ProfileName> {
        let active = self.roster.active(now).or_else(|| self.roster.probed(now));
        active.map(|entry| entry.profile.name.clone())
    }

    /// Every profile in the order in which a call would try it, with what stands against it; changes nothing.
    #[must_use]
    pub fn plan(&self, call: &Call, now: Moment) -> Vec<(Arc<Profile>, Option<Skip>)> {
        self.selection(call, now).plan()
    }

    /// Everything there is to see, with what `usage` counts beside it; changes nothing.
    #[must_use]
    pub fn status(&self, usage: &Usage, now: Moment) -> RouterStatus {
        let active = self.roster.active(now).or_else(|| self.roster.probed(now));
        let active = active.map(|entry| entry.id);
        RouterStatus {
            at: now,
            providers: self
                .roster
                .entries()
                .iter()
                .map(|entry| {
                    let pinned = self.roster.is_pinned(entry);
                    ProviderStatus::of(entry, active == Some(entry.id), pinned, usage, now)
                })
                .collect(),
            in_flight: self.in_flight,
            waiting: self.queue.len(),
            revision: self.revision,
        }
    }

    /// Rises with every change that a panel could show, but for the passing of time.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes what has happened since the last time; to be told to others once the lock is released.
    #[must_use]
    pub fn take_events(&mut self) -> Vec<RouterEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether those in the queue should look again before their time; asked and forgotten.
    #[must_use]
    pub const fn take_capacity_changed(&mut self) -> bool {
        std::mem::replace(&mut self.capacity_changed, false)
    }

    fn grant(&mut self, id: ProfileId, choice: Choice, call: &Call, now: Moment) -> Option<Permit> {
        let lease = self.settings.breaker.probe_lease;
        let translation = self.settings.translation;
        let entry = self.roster.with_id(id)?;
        let dialect = entry.dialect_for(&call.wants(translation)).ok()??;
        let (breaker, transition) = if choice == Choice::EarlyProbe {
            (entry.breaker.admit_early(now)?, None)
        } else {
            entry.breaker.admit(now).ok()?
        };
        let Ok(reservation) = entry.bucket.reserve(Amount::call(call.tokens), now) else {
            let jitter = Jitter::default();
            entry.breaker.settle(breaker, Outcome::Ignored, now, jitter);
            self.told(id, transition, now);
            return None;
        };
        entry.in_flight += 1;
        let permit = Permit {
            id,
            breaker,
            reservation,
            asks_again: entry.cooldown.ask_again(now, lease),
            profile: Arc::clone(&entry.profile),
            dialect,
            choice,
            conversation: call.conversation,
        };
        self.in_flight += 1;
        self.revision += 1;
        self.told(id, transition, now);
        Some(permit)
    }

    /// Stands in the queue where waiting is worth it; answers when to look again.
    fn join_queue(&mut self, call: &Call, run: &mut Run, now: Moment) -> Option<Moment> {
        let patience = now.after(self.settings.max_wait);
        let patience_ends = *run.patience_ends.get_or_insert(patience);
        let selection = self.selection(call, now);
        let until = selection.worth_waiting(run, patience_ends)?;
        if run.place.is_none() {
            let candidates = selection.candidates(run);
            run.place = self.queue.join(call.tokens, candidates);
        }
        run.place.map(|_| until)
    }

    fn early_probe(&mut self, call: &Call, run: &Run, now: Moment) -> Option<Permit> {
        let id = self.selection(call, now).early_probe(run)?;
        self.grant(id, Choice::EarlyProbe, call, now)
    }

    fn nothing_left(&mut self, call: &Call, run: &Run, now: Moment) -> NothingLeft {
        let mut left = self.selection(call, now).nothing_left(run);
        if !left.never && !left.all_rate {
            let stay_away = self.outage.refuse(now);
            left.retry_after = left.retry_in.map(|soonest| soonest.max(stay_away));
        }
        left
    }

    /// How everything stands for a call.
    fn selection<'a>(&'a self, call: &'a Call, now: Moment) -> Selection<'a> {
        Selection {
            settings: &self.settings,
            roster: &self.roster,
            queue: &self.queue,
            call,
            stays: self.stays_with(call, now),
            now,
        }
    }

    /// Holds `from`, or where requests now go; answers whom.
    fn hold(
        &mut self,
        from: Option<&ProfileName>,
        hold: Duration,
        now: Moment,
    ) -> Result<ProfileName, CommandError> {
        let name = match from {
            Some(name) => {
                self.entry(name)?;
                name.clone()
            }
            None => self.active(now).ok_or(CommandError::NobodyLeft)?,
        };
        let is_for_callers = self.entry(&name)?.profile.auth == Auth::Caller;
        let somebody_left = if is_for_callers {
            self.substitute(&name, true, now).is_some()
        } else {
            self.roster.can_do_without(&name, now)
        };
        if !somebody_left {
            return Err(CommandError::NobodyLeft);
        }
        self.entry(&name)?.held_until = Some(now.after(hold));
        Ok(name)
    }

    fn entry(&mut self, name: &ProfileName) -> Result<&mut Entry, CommandError> {
        self.roster
            .named(name)
            .ok_or_else(|| CommandError::NotFound(name.clone()))
    }

    /// Tells of a breaker's transition, if there was one.
    fn told(&mut self, id: ProfileId, transition: Option<Transition>, now: Moment) {
        let Some(transition) = transition else {
            return;
        };
        if let Some(entry) = self.roster.with_id(id) {
            let profile = entry.profile.name.clone();
            self.events.push(RouterEvent::Breaker {
                profile,
                transition,
            });
        }
        self.changed(now);
    }

    /// After anything that may send requests elsewhere.
    fn changed(&mut self, now: Moment) {
        self.revision += 1;
        self.capacity_changed = true;
        let active = self.roster.active(now);
        if active.is_none() && self.roster.probed(now).is_some() {
            // Whether anybody is left is what the probe tells.
            return;
        }
        let active = active.map(|entry| entry.profile.name.clone());
        if active != self.active {
            let from = std::mem::replace(&mut self.active, active.clone());
            self.events.push(RouterEvent::Moved {
                from,
                to: active,
                at: now,
            });
        }
    }
}

#[cfg(test)]
mod tests;
