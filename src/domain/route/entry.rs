//! One profile's live state within the router.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::breaker::{Breaker, BreakerRefusal, BreakerSettings, Transition};
use crate::domain::bucket::{Amount, Bucket};
use crate::domain::cooldown::{Cooldown, Cooling, CoolingCause};
use crate::domain::moment::Moment;
use crate::domain::profile::{Auth, Capabilities, Dialect, Profile, ProviderKind};
use crate::domain::retry_budget::RetryBudget;

use super::call::{WantedLogin, Wants};
use super::command::RouterEvent;
use super::kept::KeptEntry;
use super::permit::Cool;
use super::profile_state::{KeyState, LoginState, ProfileId, REJECTED_FOR, Rejection, ServerState};
use super::skip::{Lack, Skip};
use super::translation::{Foreign, Translation};

#[derive(Debug)]
pub(super) struct Entry {
    pub id: ProfileId,
    pub profile: Arc<Profile>,
    pub key: KeyState,
    /// One that nobody wrote down is not there until somebody has looked.
    pub server: ServerState,
    /// As configured until an operator says otherwise.
    pub enabled: bool,
    pub held_until: Option<Moment>,
    /// That the key was rejected, and until when it is not shown again.
    pub rejected: Option<(Rejection, Moment)>,
    pub cooldown: Cooldown,
    pub breaker: Breaker,
    pub bucket: Bucket,
    pub retries: RetryBudget,
    pub in_flight: u64,
    /// Of a profile for callers: the login that came last.
    pub login: LoginState,
}

impl Entry {
    pub fn new(
        id: ProfileId,
        profile: Profile,
        key: KeyState,
        breaker: BreakerSettings,
        now: Moment,
    ) -> Self {
        Self {
            id,
            key,
            server: if profile.is_guess {
                ServerState::Unreachable
            } else {
                ServerState::Serving
            },
            enabled: profile.enabled,
            held_until: None,
            rejected: None,
            cooldown: Cooldown::default(),
            breaker: Breaker::new(breaker),
            bucket: Bucket::new(profile.limits, now),
            retries: RetryBudget::default(),
            in_flight: 0,
            login: LoginState::default(),
            profile: Arc::new(profile),
        }
    }

    /// Whether `profile` is the same one with other settings, so that its state still speaks of it.
    pub fn is_same(&self, profile: &Profile) -> bool {
        let mine = &self.profile;
        mine.name == profile.name
            && mine.provider == profile.provider
            && mine.base_url == profile.base_url
            && mine.auth == profile.auth
            && mine.key_env == profile.key_env
    }

    /// What goes over to another program.
    pub fn keep(&self) -> KeptEntry {
        KeptEntry {
            name: self.profile.name.clone(),
            identity: self.identity(),
            enabled: (self.enabled != self.profile.enabled).then_some(self.enabled),
            held_until: self.held_until,
            rejected: self.rejected.clone(),
            cooldown: self.cooldown.keep(),
            breaker: self.breaker.keep(),
            bucket: self.bucket.keep(),
            retries: self.retries.tenths(),
        }
    }

    /// Goes on as another program left it, if it is the same profile.
    pub fn resume(&mut self, kept: &KeptEntry) {
        if kept.identity != self.identity() {
            return;
        }
        if let Some(enabled) = kept.enabled {
            self.enabled = enabled;
        }
        self.held_until = kept.held_until;
        self.rejected.clone_from(&kept.rejected);
        self.cooldown = Cooldown::resume(&kept.cooldown);
        self.breaker.resume(&kept.breaker);
        self.bucket.resume(&kept.bucket);
        self.retries = RetryBudget::of_tenths(kept.retries);
    }

    /// What [`Entry::is_same`] compares, as text.
    fn identity(&self) -> String {
        let Profile {
            provider,
            base_url,
            auth,
            key_env,
            ..
        } = &*self.profile;
        let key_env = key_env.as_deref().unwrap_or_default();
        format!(
            "{} {base_url} {} {key_env}",
            provider.as_str(),
            auth.as_str()
        )
    }

    /// Takes other settings and keeps the state.
    pub fn reconfigure(
        &mut self,
        profile: Profile,
        key: KeyState,
        breaker: BreakerSettings,
        now: Moment,
    ) {
        if self.profile.enabled != profile.enabled {
            self.enabled = profile.enabled;
        }
        self.key = key;
        // A user who changes something has perhaps changed just that.
        self.rejected = None;
        self.breaker.reconfigure(breaker);
        if self.profile.limits != profile.limits {
            self.bucket.reconfigure(profile.limits, now);
        }
        self.profile = Arc::new(profile);
    }

    /// What stands against a call that wants `wants`, the first reason of all; `ahead` is what others will take before.
    pub fn verdict(&self, wants: &Wants<'_>, ahead: Amount, now: Moment) -> Result<(), Skip> {
        self.serves(wants)?;
        self.login_stands(wants.login, now)?;
        self.available(now)?;
        self.bucket
            .check(Amount::call(wants.tokens), ahead, now)
            .map_err(|no_room| Skip::NoRoom {
                until: now.after(no_room.wait),
            })
    }

    /// Whether the profile could ever take the call, the way it is configured.
    pub fn serves(&self, wants: &Wants<'_>) -> Result<(), Skip> {
        if !self.enabled {
            return Err(Skip::Disabled);
        }
        // First what no key and no login would change.
        self.dialect_for(wants).map_err(Skip::Unsupported)?;
        if let Some(lack) = self.lack(wants.capabilities) {
            return Err(Skip::Unsupported(lack));
        }
        if self.key == KeyState::Missing {
            return Err(Skip::NoKey);
        }
        self.takes_login(wants.login)
    }

    /// Whether it is there for such a call, enabled or not.
    pub fn is_for(&self, wants: &Wants<'_>) -> bool {
        self.dialect_for(wants).is_ok() && self.takes_login(wants.login).is_ok()
    }

    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.profile.dialects.contains(dialect)
    }

    /// The dialect in which the profile is asked: the call's own, else the first in which all of it can be said; `None`
    /// for a call of none.
    pub fn dialect_for(&self, wants: &Wants<'_>) -> Result<Option<Dialect>, Lack> {
        let Some(own) = wants.dialect.filter(|own| !self.speaks(*own)) else {
            return Ok(wants.dialect);
        };
        let foreign = match wants.foreign {
            Some(foreign) if wants.translation != Translation::Off => foreign,
            _ => &Foreign::Never,
        };
        if *foreign == Foreign::Never {
            return Err(Lack::Dialect(own));
        }
        let mut lack = None;
        for dialect in self.profile.foreign_dialects(own) {
            match foreign.obstacle(dialect) {
                None => return Ok(Some(dialect)),
                Some(feature) => {
                    lack.get_or_insert(Lack::Content(feature));
                }
            }
        }
        Err(lack.unwrap_or(Lack::Dialect(own)))
    }

    /// Whether the profile takes calls with such a login, or without one.
    fn takes_login(&self, wanted: WantedLogin<'_>) -> Result<(), Skip> {
        match (self.profile.auth, wanted) {
            (_, WantedLogin::Any) | (Auth::Key, WantedLogin::None) => Ok(()),
            (Auth::Caller, WantedLogin::None) => Err(Skip::NeedsLogin),
            (Auth::Caller, WantedLogin::Brought(brought)) => {
                let is_chatgpt = self.profile.provider == ProviderKind::OpenAi;
                if is_chatgpt && brought.login.is_api_key {
                    Err(Skip::NeedsLogin)
                } else {
                    Ok(())
                }
            }
            (Auth::Key, WantedLogin::Brought(brought)) => {
                let is_free = self.profile.provider == ProviderKind::Local;
                if is_free || brought.may_spill {
                    Ok(())
                } else {
                    Err(Skip::NeedsConsent)
                }
            }
        }
    }

    /// What stands against the login itself, at a profile for callers.
    fn login_stands(&self, wanted: WantedLogin<'_>, now: Moment) -> Result<(), Skip> {
        if self.profile.auth == Auth::Key {
            return Ok(());
        }
        let (used_up, cooling) = match wanted {
            WantedLogin::None => return Ok(()),
            WantedLogin::Any if !self.login.seen => return Err(Skip::NeedsLogin),
            WantedLogin::Any => (self.login.used_up, None),
            WantedLogin::Brought(brought) => (brought.used_up, brought.cooling),
        };
        if let Some(until) = used_up.filter(|until| now < *until) {
            return Err(Skip::UsedUp { until });
        }
        match cooling.filter(|until| now < *until) {
            Some(until) => Err(Skip::Cooling {
                until,
                cause: CoolingCause::RateLimit,
            }),
            None => Ok(()),
        }
    }

    /// Ends what keeps the profile from being asked, and lets nothing under way bring it back.
    pub fn reset(&mut self, now: Moment) -> Option<Transition> {
        self.held_until = None;
        self.rejected = None;
        self.cooldown.clear();
        self.breaker.reset(now)
    }

    /// Leaves the profile alone for as long as its answer asks.
    pub fn cool(&mut self, cool: Cool, now: Moment) -> RouterEvent {
        let profile = self.profile.name.clone();
        let (cause, wait) = match cool {
            Cool::Spent(reset) => {
                self.cooldown.exhaust(reset, now);
                return RouterEvent::Exhausted { profile, at: now };
            }
            Cool::Rejected(rejection) => {
                self.rejected = Some((rejection.clone(), now.after(REJECTED_FOR)));
                return RouterEvent::Rejected {
                    profile,
                    rejection,
                    at: now,
                };
            }
            Cool::RateLimit(wait) => (CoolingCause::RateLimit, wait),
            Cool::Overload(wait) => (CoolingCause::Overload, wait),
        };
        self.cooldown.cool(now.after(wait), cause);
        RouterEvent::Cooling {
            profile,
            cause,
            wait,
            at: now,
        }
    }

    /// Why it is skipped, in words, the provider's own where it rejected the key.
    pub fn reason(&self, skip: &Skip, now: Moment) -> String {
        match (skip, &self.rejected) {
            (Skip::Rejected { .. }, Some((rejection, _))) => {
                let Rejection { status, words } = rejection;
                let key = match &self.profile.key_env {
                    Some(variable) => format!("key of {variable}"),
                    None => "request without a key".to_owned(),
                };
                format!("{key} rejected (status {status}): {words}")
            }
            _ => skip.text(&self.profile, now),
        }
    }

    pub fn held_for(&self, now: Moment) -> Option<Duration> {
        let until = self.held_until.filter(|until| now < *until)?;
        Some(until.since(now))
    }

    /// Server, hold, cooldown and breaker.
    fn available(&self, now: Moment) -> Result<(), Skip> {
        match self.server {
            ServerState::Serving => {}
            ServerState::Starting => return Err(Skip::Starting),
            ServerState::Down => return Err(Skip::Down),
            ServerState::Unreachable => return Err(Skip::Unreachable),
        }
        if let Some(until) = self.held_until.filter(|until| now < *until) {
            return Err(Skip::Held { until });
        }
        if let Some((rejection, until)) = self.rejected.as_ref().filter(|(_, until)| now < *until) {
            return Err(Skip::Rejected {
                until: *until,
                billing: rejection.is_billing(),
            });
        }
        match self.cooldown.check(now) {
            Some(Cooling::Exhausted(until)) => return Err(Skip::Exhausted { until }),
            Some(Cooling::Until(until, cause)) => return Err(Skip::Cooling { until, cause }),
            None => {}
        }
        self.breaker.check(now).map_err(|refusal| match refusal {
            BreakerRefusal::Open { retry_at } => Skip::Open { retry_at },
            BreakerRefusal::Probing { until } => Skip::Probing { until },
        })
    }

    fn lack(&self, wanted: Capabilities) -> Option<Lack> {
        let offered = self.profile.capabilities?;
        wanted
            .iter()
            .find(|capability| !offered.contains(*capability))
            .map(Lack::Capability)
    }
}
