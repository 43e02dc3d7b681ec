//! The logins that callers bring: whose plan it is, what of it is left, and whether its requests may cost money.
//!
//! A login itself is never here, only a [`LoginId`] that its bytes cannot be found from. What a plan has left belongs to
//! its login: it outlives a renewed token where the account is known, and no other login is touched by it.

use jiff::Timestamp;

use super::plan::{UsedUp, WARN_AT, Window, Windows};
use super::profile::ProfileName;

/// Logins that are remembered; past them the one that was not seen for longest goes.
const MOST_LOGINS: usize = 64;
/// Used-up windows of one plan; a plan has one and perhaps one per model family.
const MOST_USED_UP: usize = 8;

/// Names a login: a keyed hash of its account, or of its token where the account is not told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginId([u8; 16]);

impl LoginId {
    /// A login whose account hashes to `hash`.
    #[must_use]
    pub const fn from_hash(hash: [u8; 16]) -> Self {
        Self(hash)
    }

    /// The keyed hash itself, to be kept over a restart.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Debug for LoginId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginId(…)")
    }
}

/// What a caller brought besides its terminal's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    pub id: LoginId,
    /// It is an API key of the caller's own (`sk-…`), which a subscription's service does not take.
    pub is_api_key: bool,
}

/// Whether a request of a login may go to a profile with a key, which costs money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spill {
    /// Once the user has said so, by failing over from the login's profile.
    #[default]
    Ask,
    Always,
    Never,
}

impl Spill {
    /// In the order of the contract.
    pub const ALL: [Self; 3] = [Self::Ask, Self::Always, Self::Never];

    /// Its name in the configuration (`gateway.spill`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spill| spill.as_str() == name)
    }
}

/// What stands against a login's own profile, and whether its requests may go elsewhere for money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its plan is used up until then.
    pub used_up: Option<Timestamp>,
    /// It was told to wait until then.
    pub cooling: Option<Timestamp>,
    /// Its user has agreed that its requests cost money.
    pub agreed: bool,
}

/// A window that has just passed what its user is warned at.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowWarning {
    pub profile: ProfileName,
    pub window: Window,
}

/// What there is to see of a profile's login: of the one seen last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanStatus {
    pub windows: Vec<Window>,
    /// That it is used up, as a whole where it is so, else for one model family.
    pub used_up: Option<UsedUp>,
    /// Until when its requests may cost money.
    pub spills_until: Option<Timestamp>,
}

/// A plan as it is kept over a restart; consent is not.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPlan {
    pub login: LoginId,
    pub profile: ProfileName,
    pub windows: Vec<Window>,
    pub used_up: Vec<UsedUp>,
}

/// How a login of this run stands besides its plan, for a program that goes on in this one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptStanding {
    pub login: LoginId,
    pub profile: ProfileName,
    pub cooling: Option<Timestamp>,
    pub agreed_until: Option<Timestamp>,
    /// The number of its last sighting in this run.
    pub seen: u64,
}

/// The plans of all logins that were seen.
#[derive(Clone, Debug, Default)]
pub struct Plans {
    known: Vec<Plan>,
    /// Counts sightings, so that the oldest can be let go.
    sightings: u64,
    revision: u64,
}

#[derive(Clone, Debug)]
struct Plan {
    login: LoginId,
    profile: ProfileName,
    windows: Windows,
    used_up: Vec<UsedUp>,
    cooling: Option<Timestamp>,
    agreed_until: Option<Timestamp>,
    /// Windows that were warned of, by name and end.
    warned: Vec<(String, Option<Timestamp>)>,
    /// The number of its last sighting; 0 where it is known from an earlier run alone.
    seen: u64,
}

impl PlanStatus {
    /// Until when nothing of it can be used.
    #[must_use]
    pub fn ends_wholly(&self) -> Option<Timestamp> {
        let whole = self.used_up.as_ref();
        whole
            .filter(|used_up| used_up.family.is_none())
            .map(|used_up| used_up.until)
    }
}

impl Plan {
    fn used_up(&self, wall: Timestamp) -> Option<&UsedUp> {
        let ends = self.used_up.iter().filter(|used_up| wall < used_up.until);
        ends.max_by_key(|used_up| (used_up.family.is_none(), used_up.until))
    }
}

impl Plans {
    /// Takes up what an earlier run kept.
    pub fn restore(&mut self, kept: impl IntoIterator<Item = KeptPlan>, wall: Timestamp) {
        for kept in kept {
            let plan = self.plan(kept.login, &kept.profile);
            plan.windows = Windows::of(kept.windows);
            plan.windows.expire(wall);
            plan.used_up = kept.used_up;
            // Told in the run before.
            plan.warned = warned_of(&plan.windows, wall).collect();
        }
    }

    /// What is worth keeping over a restart.
    #[must_use]
    pub fn kept(&self, wall: Timestamp) -> Vec<KeptPlan> {
        // Whose login came last is shown until another one comes.
        let mut known: Vec<&Plan> = self.known.iter().collect();
        known.sort_by_key(|plan| plan.seen);
        let kept = known.into_iter().map(|plan| KeptPlan {
            login: plan.login,
            profile: plan.profile.clone(),
            windows: plan.windows.live(wall).cloned().collect(),
            used_up: plan
                .used_up
                .iter()
                .filter(|used_up| wall < used_up.until)
                .cloned()
                .collect(),
        });
        kept.filter(|plan| !plan.windows.is_empty() || !plan.used_up.is_empty())
            .collect()
    }

    /// What goes over to another program besides what is kept over a restart.
    #[must_use]
    pub fn standings(&self) -> Vec<KeptStanding> {
        let standing = |plan: &Plan| KeptStanding {
            login: plan.login,
            profile: plan.profile.clone(),
            cooling: plan.cooling,
            agreed_until: plan.agreed_until,
            seen: plan.seen,
        };
        self.known.iter().map(standing).collect()
    }

    /// Goes on as another program left it.
    pub fn resume_standings(&mut self, kept: impl IntoIterator<Item = KeptStanding>) {
        for kept in kept {
            self.sightings = self.sightings.max(kept.seen);
            let plan = self.plan(kept.login, &kept.profile);
            plan.cooling = kept.cooling;
            plan.agreed_until = kept.agreed_until;
            plan.seen = kept.seen;
        }
    }

    /// Notes that a login came to `profile`.
    pub fn see(&mut self, login: LoginId, profile: &ProfileName) {
        self.sightings += 1;
        let seen = self.sightings;
        let plan = self.plan(login, profile);
        plan.seen = seen;
    }

    /// Takes what an answer tells of a login's windows; answers those that its user should be warned of now.
    pub fn learn(
        &mut self,
        login: LoginId,
        profile: &ProfileName,
        windows: Windows,
        wall: Timestamp,
    ) -> Vec<WindowWarning> {
        if windows.is_empty() {
            return Vec::new();
        }
        self.revision += 1;
        let plan = self.plan(login, profile);
        plan.windows.learn(windows);
        plan.windows.expire(wall);
        let near: Vec<_> = warned_of(&plan.windows, wall).collect();
        // Where a vendor tells how long a window still runs, its end is another one each time.
        plan.warned.retain(|(name, ends)| {
            let runs = ends.is_none_or(|ends| wall < ends);
            runs && near.iter().any(|(near, _)| near == name)
        });
        let known = |name: &str| plan.warned.iter().any(|(known, _)| known == name);
        let fresh: Vec<_> = near.into_iter().filter(|(name, _)| !known(name)).collect();
        let warnings = fresh
            .iter()
            .filter_map(|(name, _)| plan.windows.live(wall).find(|window| window.name == *name))
            .map(|window| WindowWarning {
                profile: profile.clone(),
                window: window.clone(),
            })
            .collect();
        plan.warned.extend(fresh);
        warnings
    }

    /// Notes that a login's plan, or its part for one model family, is used up.
    pub fn use_up(
        &mut self,
        login: LoginId,
        profile: &ProfileName,
        used_up: UsedUp,
        wall: Timestamp,
    ) {
        self.revision += 1;
        let plan = self.plan(login, profile);
        plan.used_up
            .retain(|known| wall < known.until && known.family != used_up.family);
        if plan.used_up.len() < MOST_USED_UP {
            plan.used_up.push(used_up);
        }
    }

    /// Notes that a login was told to wait, which is a matter of rate and not of its plan.
    pub fn cool(&mut self, login: LoginId, profile: &ProfileName, until: Timestamp) {
        self.revision += 1;
        let plan = self.plan(login, profile);
        plan.cooling = plan.cooling.max(Some(until));
    }

    /// Notes that a login's plan serves `model` after all.
    pub fn serves(&mut self, login: LoginId, model: &str, wall: Timestamp) {
        if let Some(plan) = self.known.iter_mut().find(|plan| plan.login == login) {
            let before = plan.used_up.len();
            plan.used_up
                .retain(|used_up| wall < used_up.until && !used_up.concerns(model, wall));
            let was_cooling = plan.cooling.take().is_some();
            if was_cooling || plan.used_up.len() != before {
                self.revision += 1;
            }
        }
    }

    /// What stands against a login's request for `model`.
    #[must_use]
    pub fn standing(&self, login: LoginId, model: &str, wall: Timestamp) -> Standing {
        let Some(plan) = self.known.iter().find(|plan| plan.login == login) else {
            return Standing::default();
        };
        let used_up = plan
            .used_up
            .iter()
            .filter(|used_up| used_up.concerns(model, wall));
        Standing {
            used_up: used_up.map(|used_up| used_up.until).max(),
            cooling: plan.cooling.filter(|until| wall < *until),
            agreed: plan.agreed_until.is_some_and(|until| wall < until),
        }
    }

    /// Whether a login of `profile` has a plan that is used up while its user has not agreed to anything yet.
    #[must_use]
    pub fn asks(&self, profile: &ProfileName, wall: Timestamp) -> bool {
        let mut used_up = self.of(profile).filter(|plan| plan.used_up(wall).is_some());
        used_up.any(|plan| plan.agreed_until.is_none_or(|until| until <= wall))
    }

    /// Whether a login of `profile` has a plan that is used up, agreed to or not.
    #[must_use]
    pub fn is_used_up(&self, profile: &ProfileName, wall: Timestamp) -> bool {
        self.of(profile).any(|plan| plan.used_up(wall).is_some())
    }

    /// Lets the requests of those of `profile`'s logins whose plans are used up cost money until the reset. The others have
    /// agreed to nothing: each is asked when its own plan ends.
    pub fn agree(&mut self, profile: &ProfileName, wall: Timestamp) {
        let mine = self.known.iter_mut();
        for plan in mine.filter(|plan| plan.profile == *profile) {
            if let Some(reset) = plan.used_up(wall).map(|used_up| used_up.until) {
                plan.agreed_until = Some(reset);
                self.revision += 1;
            }
        }
    }

    /// Takes back what was agreed to, for all profiles or one.
    pub fn disagree(&mut self, profile: Option<&ProfileName>) {
        let mine = |plan: &&mut Plan| profile.is_none_or(|profile| plan.profile == *profile);
        for plan in self.known.iter_mut().filter(mine) {
            if plan.agreed_until.take().is_some() {
                self.revision += 1;
            }
        }
    }

    /// Forgets what stands against `profile`'s logins, as a reset asks for.
    pub fn reset(&mut self, profile: &ProfileName) {
        self.revision += 1;
        for plan in self
            .known
            .iter_mut()
            .filter(|plan| plan.profile == *profile)
        {
            plan.used_up.clear();
            plan.cooling = None;
            plan.agreed_until = None;
        }
    }

    /// Whether a login came to `profile` in this run.
    #[must_use]
    pub fn was_seen(&self, profile: &ProfileName) -> bool {
        self.of(profile).any(|plan| plan.seen > 0)
    }

    /// Rises with every login that comes, so that of two profiles the one whose login came last has the higher.
    #[must_use]
    pub fn last_seen(&self, profile: &ProfileName) -> u64 {
        self.of(profile)
            .map(|plan| plan.seen)
            .max()
            .unwrap_or_default()
    }

    /// What there is to see of `profile`'s plan.
    #[must_use]
    pub fn status(&self, profile: &ProfileName, wall: Timestamp) -> PlanStatus {
        let Some(plan) = self.of(profile).max_by_key(|plan| plan.seen) else {
            return PlanStatus::default();
        };
        PlanStatus {
            windows: plan.windows.live(wall).cloned().collect(),
            used_up: plan.used_up(wall).cloned(),
            spills_until: plan.agreed_until.filter(|until| wall < *until),
        }
    }

    /// Rises with every change that is worth keeping or showing.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    fn of(&self, profile: &ProfileName) -> impl Iterator<Item = &Plan> {
        self.known
            .iter()
            .filter(move |plan| plan.profile == *profile)
    }

    fn plan(&mut self, login: LoginId, profile: &ProfileName) -> &mut Plan {
        let at = self.known.iter().position(|plan| plan.login == login);
        let at = at.unwrap_or_else(|| {
            if self.known.len() >= MOST_LOGINS {
                let oldest = self.known.iter().enumerate();
                if let Some((oldest, _)) = oldest.min_by_key(|(_, plan)| plan.seen) {
                    self.known.swap_remove(oldest);
                }
            }
            self.known.push(Plan {
                login,
                profile: profile.clone(),
                windows: Windows::default(),
                used_up: Vec::new(),
                cooling: None,
                agreed_until: None,
                warned: Vec::new(),
                seen: 0,
            });
            self.known.len() - 1
        });
        let plan = &mut self.known[at];
        if plan.profile != *profile {
            plan.profile = profile.clone();
        }
        plan
    }
}

/// The windows whose user has been warned, or should be.
fn warned_of(
    windows: &Windows,
    wall: Timestamp,
) -> impl Iterator<Item = (String, Option<Timestamp>)> {
    windows
        .live(wall)
        .filter(|window| window.used >= WARN_AT)
        .map(|window| (window.name.clone(), window.resets_at))
}

#[cfg(test)]
mod tests;
