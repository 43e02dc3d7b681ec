//! The handle on the router: a short lock over pure state, and who is told of what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, broadcast, watch};

use crate::domain::budget::{Account, Accounts, Budget, Reached};
use crate::domain::fact::{Fact, Recorder};
use crate::domain::id::TerminalId;
use crate::domain::login::{KeptPlan, KeptStanding, Plans, Spill};
use crate::domain::moment::Moment;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Auth, Profile, ProfileName};
use crate::domain::route::{
    By, Call, CommandError, Done, KeptRouter, KeyState, LoginState, PlanNews, RouteSettings,
    Router, RouterCommand, RouterEvent, RouterStatus, ServerState,
};
use crate::domain::usage::{Counters, RequestTries, Usage};

use super::clock::Clock;

/// How many events a slow listener may be behind; it then misses the oldest and is told how many.
const EVENTS: usize = 256;

/// Talks to the router. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RouterHandle {
    shared: Arc<RouterInner>,
}

/// What the lock guards: the rules, and beside them what is counted, which no rule asks for.
#[derive(Debug)]
pub struct RouterState {
    /// Who is asked, and why not the others.
    pub router: Router,
    /// What was asked, and how it went.
    pub usage: Usage,
    /// What is left of the plans of the logins that came.
    pub plans: Plans,
    /// What each terminal has used, and may.
    pub accounts: Accounts,
}

#[derive(Debug)]
struct RouterInner {
    state: Mutex<RouterState>,
    clock: Clock,
    revision: watch::Sender<u64>,
    /// The revision of the plans, which changes seldom.
    plans: watch::Sender<u64>,
    events: broadcast::Sender<RouterEvent>,
    /// Wakes everybody in the queue when something may have become free before its time.
    capacity_changed: Notify,
    recorder: OnceLock<Arc<dyn Recorder>>,
}

impl RouterState {
    fn status(&self, now: Moment) -> RouterStatus {
        let wall = Timestamp::now();
        let mut status = self.router.status(&self.usage, now);
        for provider in &mut status.providers {
            if provider.profile.auth == Auth::Caller {
                provider.plan = self.plans.status(&provider.profile.name, wall);
                if provider.plan.used_up.is_some() {
                    if self.router.spill() == Spill::Always {
                        let used_up = provider.plan.used_up.as_ref();
                        provider.plan.spills_until = used_up.map(|used_up| used_up.until);
                    }
                    let agreed = provider.plan.spills_until.is_some();
                    let name = &provider.profile.name;
                    provider.substitute = self.router.substitute(name, agreed, now);
                }
            }
        }
        status
    }

    /// The call with its login as it stands now.
    pub(super) fn as_it_stands(&self, call: &Call, now: Moment) -> Call {
        let mut call = call.clone();
        let sent_away = self.router.sends_away(&call, now);
        if let Some(brought) = &mut call.login {
            let wall = Timestamp::now();
            let standing = self.plans.standing(brought.login.id, &call.model, wall);
            let moment = |at: Timestamp| moment_of(at, wall, now);
            brought.used_up = standing.used_up.map(moment);
            brought.cooling = standing.cooling.map(moment);
            brought.may_spill = match self.router.spill() {
                Spill::Always => true,
                Spill::Ask => standing.agreed || sent_away,
                Spill::Never => false,
            };
        }
        call
    }

    fn command(
        &mut self,
        command: &RouterCommand,
        by: By,
        now: Moment,
    ) -> Result<Done, CommandError> {
        let wall = Timestamp::now();
        match command {
            RouterCommand::Failover { from, .. } => {
                let used_up = match from {
                    Some(name) => {
                        Some(name.clone()).filter(|name| self.plans.is_used_up(name, wall))
                    }
                    // The one whose user has been told of it last.
                    None => (self.router.for_callers())
                        .filter(|name| self.plans.asks(name, wall))
                        .max_by_key(|name| self.plans.last_seen(name)),
                };
                if let Some(name) = used_up {
                    if self.router.substitute(&name, true, now).is_none() {
                        return Err(CommandError::NobodyLeft);
                    }
                    self.plans.agree(&name, wall);
                    self.router.plan_changed();
                    return Ok(self.router.spilled(command, name, by, now));
                }
                return self.router.command(command, by, now);
            }
            RouterCommand::Unpin => self.plans.disagree(None),
            RouterCommand::Reset(name) | RouterCommand::Restart(name) => {
                self.plans.reset(name);
                self.note_login(name, now, wall);
            }
            RouterCommand::Pin(_) | RouterCommand::Enable(_) | RouterCommand::Disable(_) => {}
        }
        self.router.command(command, by, now)
    }

    /// Changes the plan of a login at `profile`, and lets the rules know how it stands then.
    pub(super) fn change_plan(
        &mut self,
        profile: &ProfileName,
        now: Moment,
        change: impl FnOnce(&mut Plans, Timestamp) -> Vec<PlanNews>,
    ) {
        let wall = Timestamp::now();
        let before = self.plans.revision();
        let news = change(&mut self.plans, wall);
        self.note_login(profile, now, wall);
        for news in news {
            self.router.tell_plan(profile, news, now);
        }
        if self.plans.revision() != before {
            self.router.plan_changed();
        }
    }

    fn note_login(&mut self, profile: &ProfileName, now: Moment, wall: Timestamp) {
        let login = LoginState {
            seen: self.plans.was_seen(profile),
            used_up: self
                .plans
                .status(profile, wall)
                .ends_wholly()
                .map(|until| moment_of(until, wall, now)),
        };
        self.router.set_login(profile, login, now);
    }
}

/// The moment of a date to come; `now` for one that has passed.
fn moment_of(at: Timestamp, wall: Timestamp, now: Moment) -> Moment {
    now.after(Duration::try_from(at.duration_since(wall)).unwrap_or(Duration::ZERO))
}

impl RouterHandle {
    /// `seed` feeds the breakers' jitter.
    #[must_use]
    pub fn new(
        settings: RouteSettings,
        profiles: Vec<(Profile, KeyState)>,
        seed: u64,
        clock: Clock,
    ) -> Self {
        let state = RouterState {
            router: Router::new(settings, profiles, seed, clock.now()),
            usage: Usage::default(),
            plans: Plans::default(),
            accounts: Accounts::default(),
        };
        Self {
            shared: Arc::new(RouterInner {
                state: Mutex::new(state),
                clock,
                revision: watch::Sender::new(0),
                plans: watch::Sender::new(0),
                events: broadcast::Sender::new(EVENTS),
                capacity_changed: Notify::new(),
                recorder: OnceLock::new(),
            }),
        }
    }

    /// Goes on as another program left it, before the first call.
    pub(super) fn resume(&self, kept: &KeptRouter, counts: impl FnOnce(&mut RouterState)) {
        self.with(|state, now| {
            state.router.resume(kept, now);
            counts(state);
        });
    }

    /// Goes on with how logins stood in another program.
    pub(super) fn resume_logins(&self, standings: Vec<KeptStanding>) {
        self.with(|state, now| {
            let wall = Timestamp::now();
            let profiles: Vec<ProfileName> = standings
                .iter()
                .map(|standing| standing.profile.clone())
                .collect();
            state.plans.resume_standings(standings);
            for profile in &profiles {
                state.note_login(profile, now, wall);
            }
        });
    }

    /// Ends when something may have become free before its time; none is missed from when it is enabled on.
    pub(super) fn capacity_changed(&self) -> Notified<'_> {
        self.shared.capacity_changed.notified()
    }

    /// Carries out an operator's command; it holds from the next request on.
    ///
    /// # Errors
    /// [`CommandError`] where the profile is unknown or nobody else can take over; nothing is changed then.
    pub fn command(&self, command: &RouterCommand, by: By) -> Result<Done, CommandError> {
        self.with(|state, now| state.command(command, by, now))
    }

    /// What is worth keeping of the logins' plans over a restart.
    #[must_use]
    pub fn kept_plans(&self) -> Vec<KeptPlan> {
        self.read(|state, _| state.plans.kept(Timestamp::now()))
    }

    /// Changes when [`RouterHandle::kept_plans`] may answer something else.
    #[must_use]
    pub fn watch_plans(&self) -> watch::Receiver<u64> {
        self.shared.plans.subscribe()
    }

    /// Takes up what an earlier run kept.
    pub fn restore_plans(&self, kept: Vec<KeptPlan>) {
        self.with(|state, _| state.plans.restore(kept, Timestamp::now()));
    }

    /// Takes other settings and profiles; those that still reach the same provider keep their state.
    pub fn reload(&self, settings: RouteSettings, profiles: Vec<(Profile, KeyState)>, by: By) {
        self.with(|state, now| state.router.reload(settings, profiles, by, now));
    }

    /// Notes that a profile's key was found or is gone.
    pub fn set_key(&self, name: &ProfileName, key: KeyState) {
        self.with(|state, now| state.router.set_key(name, key, now));
    }

    /// Notes whether a profile's server takes requests.
    pub fn set_server(&self, name: &ProfileName, server: ServerState) {
        self.with(|state, now| state.router.set_server(name, server, now));
    }

    /// Tells every attempt and every change of the route from now on to `recorder`; the first one given stays.
    pub fn record_with(&self, recorder: Arc<dyn Recorder>) {
        let _ = self.shared.recorder.set(recorder);
    }

    pub(super) fn recorder(&self) -> Option<&dyn Recorder> {
        self.shared.recorder.get().map(AsRef::as_ref)
    }

    /// Lets a profile's counters go on from what was counted before this process began.
    pub fn resume_usage(&self, profile: &ProfileName, counters: &Counters) {
        self.with(|state, _| state.usage.resume(profile, counters));
        self.shared.revision.send_modify(|_| {});
    }

    /// Begins to count what a terminal uses.
    pub fn open_account(&self, terminal: TerminalId, budget: Budget) {
        self.with(|state, _| state.accounts.open(terminal, budget));
    }

    /// The terminal is over; what it used stays known for a while.
    pub fn close_account(&self, terminal: TerminalId) {
        self.with(|state, _| state.accounts.close(terminal));
    }

    /// Counts a request of a terminal's that came in, and tells the limit that is reached, if one is.
    pub(super) fn came_in(&self, terminal: TerminalId) -> Option<Reached> {
        self.with(|state, _| state.accounts.came_in(terminal))
    }

    /// Sets another budget in the place of the present one; it holds from the next request on.
    pub fn change_budget(&self, terminal: TerminalId, change: impl FnOnce(Budget) -> Budget) {
        self.with(|state, _| state.accounts.change_budget(terminal, change));
        self.shared.revision.send_modify(|_| {});
    }

    /// What a terminal has used, and may; nothing for one that is not known.
    #[must_use]
    pub fn account(&self, terminal: TerminalId) -> Account {
        self.read(|state, _| state.accounts.of(terminal))
    }

    /// What every living terminal has used, and may.
    #[must_use]
    pub fn accounts(&self) -> HashMap<TerminalId, Account> {
        self.read(|state, _| state.accounts.living().collect())
    }

    /// Everything there is to see, as of now.
    #[must_use]
    pub fn status(&self) -> RouterStatus {
        self.read(RouterState::status)
    }

    /// The last requests that were made at a profile or passed it over, the newest first.
    #[must_use]
    pub fn requests(&self, name: &ProfileName) -> Vec<RequestTries> {
        self.read(|state, _| state.usage.requests(name).cloned().collect())
    }

    /// Tells of each profile that a request failed at, and of who answered it then.
    pub(super) fn tell_passed_over(
        &self,
        failed: Vec<(ProfileName, CallError)>,
        to: Option<&ProfileName>,
    ) {
        if failed.is_empty() {
            return;
        }
        self.with(|state, now| {
            for (profile, error) in failed {
                state.router.tell_passed_over(profile, &error, to, now);
            }
        });
    }

    /// Reads rules and counts under their lock: briefly, without waiting for anything.
    pub fn read<T>(&self, look: impl FnOnce(&RouterState, Moment) -> T) -> T {
        let now = self.shared.clock.now();
        look(&self.lock(), now)
    }

    /// Changes when there is something new to show. Countdowns are the viewer's own.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// What happens from now on, each once and in order.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<RouterEvent> {
        self.shared.events.subscribe()
    }

    /// The clock of all of the router's moments.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// Changes the router under its lock, and tells whom it concerns.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut RouterState, Moment) -> T) -> T {
        let (answer, revisions, capacity_changed) = {
            let mut state = self.lock();
            // Read under the lock, so that the router never sees time run back.
            let now = self.shared.clock.now();
            let answer = change(&mut state, now);
            // Sent under the lock for their order; a listener cannot hold it up, since it is only woken.
            let events = state.router.take_events();
            if let Some(recorder) = self.recorder().filter(|_| !events.is_empty()) {
                for fact in Fact::of_route(Timestamp::now(), events.clone()) {
                    recorder.record(fact);
                }
            }
            for event in events {
                // Nobody listening is no fault.
                let _ = self.shared.events.send(event);
            }
            (
                answer,
                (state.router.revision(), state.plans.revision()),
                state.router.take_capacity_changed(),
            )
        };
        raise(&self.shared.revision, revisions.0);
        raise(&self.shared.plans, revisions.1);
        if capacity_changed {
            self.shared.capacity_changed.notify_waiters();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, RouterState> {
        // The router's own steps do not panic half way; a caller's closure that did has not touched its innards.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of a revision unless a newer one was told; two who changed the router may come here in any order.
fn raise(told: &watch::Sender<u64>, revision: u64) {
    told.send_if_modified(|told| {
        let newer = revision > *told;
        *told = revision.max(*told);
        newer
    });
}

#[cfg(test)]
mod tests;
