//! Which profile a call goes to, as everything stands: a look that changes nothing. What follows from it is the router's.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::moment::Moment;
use crate::domain::profile::{Auth, Profile, ProfileName};

use super::call::{Call, CallLogin, Run, WantedLogin, Wants};
use super::choice::Choice;
use super::command::CommandError;
use super::entry::Entry;
use super::profile_state::ProfileId;
use super::roster::{Rank, Roster};
use super::settings::RouteSettings;
use super::skip::{NothingLeft, Reason, Skip};
use super::translation::Translation;
use super::wait_queue::WaitQueue;

/// How everything stands for one call at one moment.
pub(super) struct Selection<'a> {
    pub settings: &'a RouteSettings,
    pub roster: &'a Roster,
    pub queue: &'a WaitQueue,
    pub call: &'a Call,
    /// The profile that the call's conversation stays with.
    pub stays: Option<&'a ProfileName>,
    pub now: Moment,
}

impl<'a> Selection<'a> {
    /// The first in order that can take the call and that `run` has not asked yet, and why it is that one; else the
    /// caller's own profile. Notes in `run` who was skipped.
    pub fn choose(&self, run: &mut Run) -> Option<(ProfileId, Choice)> {
        let wants = self.wants();
        for entry in self.in_order(self.stays) {
            match self.verdict(entry, &wants, run) {
                Ok(()) => {
                    let pinned = self.roster.is_pinned(entry);
                    let stays = self.stays == Some(&entry.profile.name)
                        && self
                            .roster
                            .active(self.now)
                            .is_some_and(|first| first.id != entry.id);
                    return Some((entry.id, run.choice(self.call, pinned, stays)));
                }
                Err(skip) => run.skipped.push((entry.profile.name.clone(), skip)),
            }
        }
        self.own_login(run)
    }

    /// Every profile in the order in which the call would try it, with what stands against it.
    pub fn plan(&self) -> Vec<(Arc<Profile>, Option<Skip>)> {
        let (wants, run) = (self.wants(), Run::default());
        self.in_order(self.stays)
            .map(|entry| {
                let verdict = self.verdict(entry, &wants, &run);
                (Arc::clone(&entry.profile), verdict.err())
            })
            .collect()
    }

    /// The last resort: of the profiles that nothing but an open breaker stands against, the one that opened first and
    /// whose early probe is due. A request is one such probe at most: it would find out about everybody, one outage long.
    pub fn early_probe(&self, run: &Run) -> Option<ProfileId> {
        if run.has_probed_early() {
            return None;
        }
        let is_open = |name: &ProfileName| {
            let mut skips = run.skipped.iter();
            skips.any(|(other, skip)| other == name && matches!(skip, Skip::Open { .. }))
        };
        let due = self
            .roster
            .in_order(self.call.only.as_ref())
            .filter(|entry| is_open(&entry.profile.name) && run.may_ask(entry.id))
            .filter(|entry| {
                entry
                    .breaker
                    .early_probe_at()
                    .is_some_and(|at| at <= self.now)
            });
        due.min_by_key(|entry| entry.breaker.opened_at())
            .map(|entry| entry.id)
    }

    /// When to look again, if a bucket or a cooldown is due before patience ends: then, or as soon as anything else is.
    pub fn worth_waiting(&self, run: &Run, patience_ends: Moment) -> Option<Moment> {
        let may_ask = |name| {
            let mut entries = self.roster.in_order(Some(name));
            entries.any(|entry| run.may_ask(entry.id))
        };
        let left = run.skipped.iter().filter(|(name, _)| may_ask(name));
        let (mut due, mut worth) = (None::<Moment>, false);
        for (_, skip) in left {
            worth |= skip
                .worth_waiting()
                .is_some_and(|until| until <= patience_ends);
            due = due.into_iter().chain(skip.retry_at()).min();
        }
        due.filter(|_| worth)
    }

    /// Whoever could take the call if it waited.
    pub fn candidates(&self, run: &Run) -> Vec<ProfileId> {
        let wants = self.wants();
        self.roster
            .in_order(wants.only)
            .filter(|entry| entry.serves(&wants).is_ok() && run.may_ask(entry.id))
            .map(|entry| entry.id)
            .collect()
    }

    /// Each profile's reason, once nobody is left.
    pub fn nothing_left(&self, run: &Run) -> NothingLeft {
        let mut weighed = 0;
        let mut all_rate = true;
        let mut profiles = Vec::with_capacity(run.skipped.len());
        for (name, skip) in &run.skipped {
            let Some(entry) = self.roster.in_order(Some(name)).next() else {
                continue;
            };
            let tried = *skip == Skip::Tried;
            if skip.is_weighed() {
                weighed += 1;
                all_rate &= skip.is_rate() || (tried && run.was_rate_limited(entry.id));
            }
            let failure = run.failure_of(entry.id).filter(|_| tried);
            profiles.push(Reason {
                name: name.clone(),
                reason: failure.map_or_else(|| entry.reason(skip, self.now), str::to_owned),
                retry_in: retry_in(entry, skip, self.now),
                able: skip.is_able(),
            });
        }
        let unknown = self.call.only.as_ref().filter(|_| profiles.is_empty());
        profiles.extend(unknown.map(|name| Reason {
            name: name.clone(),
            reason: CommandError::NotFound(name.clone()).to_string(),
            retry_in: None,
            able: false,
        }));
        // Nothing that time or an operator could change, in any profile that is enabled.
        let mut enabled = (run.skipped.iter())
            .filter(|(_, skip)| *skip != Skip::Disabled)
            .peekable();
        let never = enabled.peek().is_some()
            && enabled.all(|(_, skip)| matches!(skip, Skip::Unsupported(_)));
        let retry_in = profiles.iter().filter_map(|profile| profile.retry_in).min();
        NothingLeft {
            never,
            all_rate: all_rate && weighed > 0,
            retry_in,
            retry_after: retry_in,
            profiles,
        }
    }

    /// Where a call with a login goes when nobody else may take it: to its own profile, whose answer is then the
    /// caller's, even if its plan is used up.
    fn own_login(&self, run: &Run) -> Option<(ProfileId, Choice)> {
        let fresh = CallLogin::from(self.call.login?.login);
        let wants = Wants {
            login: WantedLogin::Brought(&fresh),
            ..self.wants()
        };
        self.in_order(None)
            .take_while(|entry| entry.profile.auth == Auth::Caller)
            // Its own 429 is the caller's, who knows best when to come again.
            .filter(|entry| !run.has_asked(entry.id))
            .find(|entry| self.verdict(entry, &wants, run).is_ok())
            .map(|entry| (entry.id, run.choice(self.call, false, false)))
    }

    /// The profiles in the order in which a call tries them: those for the login that it brings, whatever the priorities;
    /// the pinned one; the one that its conversation stays with; the others, where translation is the last resort those
    /// of the call's own dialect before the rest.
    fn in_order(
        &self,
        stays: Option<&'a ProfileName>,
    ) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let (call, roster) = (self.call, self.roster);
        let native_first = self.settings.translation == Translation::Fallback;
        let rank = move |entry: &Entry| {
            if call.login.is_some() && entry.profile.auth == Auth::Caller {
                Rank::OwnLogin
            } else if roster.is_pinned(entry) {
                Rank::Pinned
            } else if stays == Some(&entry.profile.name) {
                Rank::Stays
            } else if native_first && !entry.speaks(call.dialect) {
                Rank::Translated
            } else {
                Rank::Usual
            }
        };
        let only = call.only.as_ref();
        roster
            .by_rank(rank)
            .filter(move |entry| only.is_none_or(|only| entry.profile.name == *only))
    }

    fn verdict(&self, entry: &Entry, wants: &Wants<'_>, run: &Run) -> Result<(), Skip> {
        let ahead = self.queue.ahead_of(run.place, entry.id);
        entry.verdict(wants, ahead, self.now)?;
        if run.may_ask(entry.id) {
            Ok(())
        } else {
            Err(Skip::Tried)
        }
    }

    fn wants(&self) -> Wants<'a> {
        self.call.wants(self.settings.translation)
    }
}

/// When the caller should ask again for the profile's sake.
fn retry_in(entry: &Entry, skip: &Skip, now: Moment) -> Option<Duration> {
    match skip {
        // The next request may well be taken, but should not come at once.
        Skip::Tried | Skip::Starting | Skip::Down => Some(Duration::from_secs(1)),
        Skip::Open { retry_at } => {
            let early = entry.breaker.early_probe_at();
            let soonest = retry_at.iter().copied().chain(early).min();
            soonest.map(|at| at.since(now))
        }
        Skip::Held { .. }
        | Skip::Rejected { .. }
        | Skip::Exhausted { .. }
        | Skip::Cooling { .. }
        | Skip::Probing { .. }
        | Skip::UsedUp { .. }
        | Skip::NoRoom { .. }
        | Skip::Disabled
        | Skip::NoKey
        | Skip::NeedsLogin
        | Skip::NeedsConsent
        | Skip::Unreachable
        | Skip::Unsupported(_) => skip.retry_at().map(|at| at.since(now)),
    }
}
