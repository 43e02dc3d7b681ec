//! The profiles in their order, and which of them a request goes to.

use crate::domain::breaker::BreakerSettings;
use crate::domain::bucket::Amount;
use crate::domain::login::Spill;
use crate::domain::moment::Moment;
use crate::domain::profile::{Auth, Profile, ProfileName, ProviderKind};

use super::call::Wants;
use super::entry::Entry;
use super::profile_state::{KeyState, ProfileId};
use super::settings::RouteSettings;
use super::skip::Skip;
use super::substitute::Substitute;
use super::translation::Translation;

#[derive(Debug, Default)]
pub(super) struct Roster {
    /// By priority, then name.
    entries: Vec<Entry>,
    pinned: Option<ProfileName>,
    next_id: u32,
}

/// Which profiles a call tries before which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// It is there for the login that the caller brings.
    OwnLogin,
    /// It is pinned.
    Pinned,
    /// It answered the conversation last.
    Stays,
    Usual,
    /// It is asked in another dialect, and only where none of the call's own is left.
    Translated,
}

impl Rank {
    const ALL: [Self; 5] = [
        Self::OwnLogin,
        Self::Pinned,
        Self::Stays,
        Self::Usual,
        Self::Translated,
    ];
}

/// What a reload did, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub added: Vec<ProfileName>,
    pub changed: Vec<ProfileName>,
    pub removed: Vec<ProfileName>,
}

impl Roster {
    /// Takes `profiles` in place of the present ones. One that reaches the same provider with the same key keeps its
    /// state; any other begins anew.
    pub fn reload(
        &mut self,
        profiles: Vec<(Profile, KeyState)>,
        breaker: BreakerSettings,
        now: Moment,
    ) -> Changes {
        let mut changes = Changes::default();
        let mut former = std::mem::take(&mut self.entries);
        for (profile, key) in profiles {
            let name = profile.name.clone();
            let known = former.iter().position(|entry| entry.is_same(&profile));
            if let Some(mut entry) = known.map(|at| former.remove(at)) {
                if *entry.profile != profile || entry.key != key {
                    changes.changed.push(name);
                }
                entry.reconfigure(profile, key, breaker, now);
                self.entries.push(entry);
            } else {
                changes.added.push(name);
                let id = ProfileId(self.next_id);
                self.next_id += 1;
                self.entries
                    .push(Entry::new(id, profile, key, breaker, now));
            }
        }
        changes.removed = former
            .into_iter()
            .map(|entry| entry.profile.name.clone())
            .collect();
        self.entries.sort_by(|a, b| {
            let key = |entry: &Entry| (entry.profile.priority, entry.profile.name.clone());
            key(a).cmp(&key(b))
        });
        if let Some(pinned) = self.pinned.take() {
            self.pin(&pinned);
        }
        changes
    }

    /// The entries in the order in which they are asked: the pinned one, then by priority. With a name, that one alone.
    pub fn in_order(&self, only: Option<&ProfileName>) -> impl Iterator<Item = &Entry> {
        let pinned = self.entries.iter().filter(|entry| self.is_pinned(entry));
        let others = self.entries.iter().filter(|entry| !self.is_pinned(entry));
        pinned
            .chain(others)
            .filter(move |entry| only.is_none_or(|only| entry.profile.name == *only))
    }

    /// The entries by `rank`, and within it by priority.
    pub fn by_rank(&self, rank: impl Fn(&Entry) -> Rank + Copy) -> impl Iterator<Item = &Entry> {
        Rank::ALL.into_iter().flat_map(move |wanted| {
            let entries = self.entries.iter();
            entries.filter(move |entry| rank(entry) == wanted)
        })
    }

    /// By priority, then name, wherever the pin is.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Those for callers who bring a login, in their order.
    pub fn for_callers(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter();
        entries.filter(|entry| entry.profile.auth == Auth::Caller)
    }

    /// Ends the holds of those for callers: what their requests cost elsewhere is agreed to no more.
    pub fn call_back(&mut self) {
        for entry in &mut self.entries {
            if entry.profile.auth == Auth::Caller {
                entry.held_until = None;
            }
        }
    }

    /// Where the next request goes, whatever it asks for.
    pub fn active(&self, now: Moment) -> Option<&Entry> {
        self.in_order(None).find(|entry| can_take(entry, now))
    }

    /// The first profile that nothing stands against but the probe of its half-open breaker.
    pub fn probed(&self, now: Moment) -> Option<&Entry> {
        self.in_order(None).find(|entry| {
            let verdict = entry.verdict(&Wants::default(), Amount::default(), now);
            matches!(verdict, Err(Skip::Probing { .. }))
        })
    }

    /// Whether anybody but `name` could take its requests: callers' own profiles take none of another's.
    pub fn can_do_without(&self, name: &ProfileName, now: Moment) -> bool {
        self.able_without_login(name, now).next().is_some()
    }

    /// The profiles besides `name` that could take any request, in their order.
    pub fn able_without_login<'a>(
        &'a self,
        name: &'a ProfileName,
        now: Moment,
    ) -> impl Iterator<Item = &'a Entry> {
        self.in_order(None).filter(move |entry| {
            entry.profile.name != *name && entry.profile.auth == Auth::Key && can_take(entry, now)
        })
    }

    /// Who takes the requests of `profile`'s callers while their plan is used up, where they have `agreed` to pay or not;
    /// first whom they would ask first.
    pub fn substitute(
        &self,
        profile: &ProfileName,
        settings: &RouteSettings,
        agreed: bool,
        now: Moment,
    ) -> Option<Substitute> {
        let spoken = self.entries.iter();
        let spoken = spoken
            .filter(|entry| entry.profile.name == *profile)
            .map(|entry| entry.profile.dialects)
            .next()?;
        let is_native = |entry: &&Entry| spoken.iter().any(|dialect| entry.speaks(dialect));
        let native_first = settings.translation != Translation::Priority;
        let translated = settings.translation != Translation::Off;
        let able = || self.able_without_login(profile, now);
        let in_order = || {
            let first = able().filter(move |entry| !native_first || is_native(entry));
            let rest = able().filter(move |entry| native_first && translated && !is_native(entry));
            first.chain(rest)
        };
        let may_pay = match settings.spill {
            Spill::Always => true,
            Spill::Ask => agreed,
            Spill::Never => false,
        };
        let unasked = in_order()
            .find(|entry| may_pay || entry.profile.provider == ProviderKind::Local)
            .map(|entry| (entry, false));
        let asked = || {
            let first = in_order().next().map(|entry| (entry, true));
            first.filter(|_| settings.spill == Spill::Ask)
        };
        let (entry, asks) = unasked.or_else(asked)?;
        Some(Substitute {
            profile: entry.profile.name.clone(),
            asks,
        })
    }

    pub fn named(&mut self, name: &ProfileName) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.profile.name == *name)
    }

    pub fn with_id(&mut self, id: ProfileId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    pub fn is_pinned(&self, entry: &Entry) -> bool {
        self.pinned.as_ref() == Some(&entry.profile.name)
    }

    /// Prefers `name`; nothing happens if there is none.
    pub fn pin(&mut self, name: &ProfileName) {
        if let Some(entry) = self.named(name) {
            self.pinned = Some(entry.profile.name.clone());
        }
    }

    pub const fn pinned(&self) -> Option<&ProfileName> {
        self.pinned.as_ref()
    }

    /// Answers who was pinned.
    pub fn unpin(&mut self) -> Option<ProfileName> {
        self.pinned.take()
    }
}

fn can_take(entry: &Entry, now: Moment) -> bool {
    entry
        .verdict(&Wants::default(), Amount::default(), now)
        .is_ok()
}
