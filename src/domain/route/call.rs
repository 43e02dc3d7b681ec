//! What a request needs of a profile, and what has become of it so far.

use std::sync::Arc;

use crate::domain::affinity::ConversationId;
use crate::domain::caller::{Caller, RequestNumber};
use crate::domain::login::Login;
use crate::domain::moment::Moment;
use crate::domain::outcome::CallError;
use crate::domain::profile::{Capabilities, Dialect, ProfileName};

use super::choice::Choice;
use super::profile_state::ProfileId;
use super::skip::Skip;
use super::translation::{Foreign, Translation};

/// One request as the router sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub caller: Caller,
    /// The model name as asked for.
    pub model: Arc<str>,
    pub dialect: Dialect,
    pub capabilities: Capabilities,
    /// The estimate to reserve: input and the most output.
    pub tokens: u64,
    /// The one profile that may be asked, where the caller named it.
    pub only: Option<ProfileName>,
    /// Whether it can be asked in another dialect.
    pub foreign: Foreign,
    /// The login that the caller brings, as it stands now.
    pub login: Option<CallLogin>,
    /// What it belongs to; `None` stays with nobody.
    pub conversation: Option<ConversationId>,
}

/// A caller's login, and what stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLogin {
    pub login: Login,
    /// Its plan is used up until then.
    pub used_up: Option<Moment>,
    /// Its provider told it to wait until then.
    pub cooling: Option<Moment>,
    /// Its requests may go to profiles with a key, which cost money.
    pub may_spill: bool,
}

impl From<Login> for CallLogin {
    fn from(login: Login) -> Self {
        Self {
            login,
            used_up: None,
            cooling: None,
            may_spill: false,
        }
    }
}

impl Call {
    /// One that needs no more than its dialect, reserves nothing, and belongs to nothing.
    #[must_use]
    pub const fn new(caller: Caller, model: Arc<str>, dialect: Dialect) -> Self {
        Self {
            caller,
            model,
            dialect,
            capabilities: Capabilities::NONE,
            tokens: 0,
            only: None,
            foreign: Foreign::Never,
            login: None,
            conversation: None,
        }
    }

    pub(super) fn wants(&self, translation: Translation) -> Wants<'_> {
        Wants {
            dialect: Some(self.dialect),
            capabilities: self.capabilities,
            tokens: self.tokens,
            only: self.only.as_ref(),
            foreign: Some(&self.foreign),
            translation,
            login: self
                .login
                .as_ref()
                .map_or(WantedLogin::None, WantedLogin::Brought),
        }
    }
}

/// Whose login a call brings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum WantedLogin<'a> {
    /// It is no call but a look at what there is.
    #[default]
    Any,
    None,
    Brought(&'a CallLogin),
}

/// The part of a call that decides who can take it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wants<'a> {
    /// `None` is any.
    pub dialect: Option<Dialect>,
    pub capabilities: Capabilities,
    pub tokens: u64,
    pub only: Option<&'a ProfileName>,
    /// `None` is any.
    pub foreign: Option<&'a Foreign>,
    pub translation: Translation,
    pub login: WantedLogin<'a>,
}

/// One request's way through the router: kept by whoever carries it out, from its first admission to its last.
#[derive(Debug, Default)]
pub struct Run {
    /// The latest profile asked. Apart from the others so that a request that meets no fault allocates nothing.
    latest: Option<Tried>,
    earlier: Vec<Tried>,
    /// Who stood before the chosen profile, and why not; as of the last admission.
    pub(super) skipped: Vec<(ProfileName, Skip)>,
    /// When waiting ends, from the first wait on.
    pub(super) patience_ends: Option<Moment>,
    /// The place in the queue.
    pub(super) place: Option<u64>,
    /// Given at its first admission.
    pub(super) number: Option<RequestNumber>,
}

#[derive(Debug)]
struct Tried {
    profile: ProfileId,
    choice: Choice,
    failure: Option<String>,
    /// It answered 429, so that it may be asked once more.
    rate_limited: bool,
}

impl Run {
    /// Notes why the profile that was asked last did not answer, for the list of reasons should nobody be left.
    pub fn failed(&mut self, error: &CallError) {
        if let Some(latest) = &mut self.latest {
            latest.failure = Some(error.to_string());
            latest.rate_limited = matches!(error, CallError::RateLimited { .. });
        }
    }

    /// Why the profile that is chosen now is the one.
    pub(super) fn choice(&self, call: &Call, pinned: bool, stays: bool) -> Choice {
        if call.only.is_some() {
            Choice::Named
        } else if self.attempts() > 0 {
            Choice::Failover
        } else if pinned {
            Choice::Pinned
        } else if stays {
            Choice::Affinity
        } else if self.skipped.is_empty() {
            Choice::First
        } else {
            Choice::Next
        }
    }

    /// Upstreams asked so far.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.earlier.len() + usize::from(self.latest.is_some())
    }

    /// The number that the request got at its first admission.
    #[must_use]
    pub fn number(&self) -> RequestNumber {
        self.number.unwrap_or_default()
    }

    /// The profiles that stood before the one last chosen, and why each was skipped.
    #[must_use]
    pub fn skipped(&self) -> &[(ProfileName, Skip)] {
        &self.skipped
    }

    /// Whether a server was passed over because nothing answered when it was last looked for.
    #[must_use]
    pub fn met_unreachable(&self) -> bool {
        let mut skips = self.skipped.iter();
        skips.any(|(_, skip)| *skip == Skip::Unreachable)
    }

    /// Whether it stands in the queue.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.place.is_some()
    }

    pub(super) fn tries(&mut self, profile: ProfileId, choice: Choice) {
        let next = Tried {
            profile,
            choice,
            failure: None,
            rate_limited: false,
        };
        self.earlier.extend(self.latest.replace(next));
    }

    /// Takes back that the profile chosen last was asked: it turned out that the request cannot be said in its dialect.
    pub fn not_tried(&mut self) {
        self.latest = self.earlier.pop();
    }

    /// Whether this request has asked the profile already.
    pub(super) fn has_asked(&self, profile: ProfileId) -> bool {
        self.tried().any(|tried| tried.profile == profile)
    }

    /// Whether this request has been an early probe, which it is once at most.
    pub(super) fn has_probed_early(&self) -> bool {
        self.tried().any(|tried| tried.choice == Choice::EarlyProbe)
    }

    /// Whether this request may ask the profile: once, and once more where it answered 429.
    pub(super) fn may_ask(&self, profile: ProfileId) -> bool {
        let mut tries = self.tried().filter(|tried| tried.profile == profile);
        match (tries.next(), tries.next()) {
            (None, _) => true,
            (Some(only), None) => only.rate_limited,
            (Some(_), Some(_)) => false,
        }
    }

    /// Why the profile did not answer when it was asked last.
    pub(super) fn failure_of(&self, profile: ProfileId) -> Option<&str> {
        self.last_try(profile)
            .and_then(|tried| tried.failure.as_deref())
    }

    /// Whether it answered 429 when it was asked last.
    pub(super) fn was_rate_limited(&self, profile: ProfileId) -> bool {
        self.last_try(profile)
            .is_some_and(|tried| tried.rate_limited)
    }

    fn last_try(&self, profile: ProfileId) -> Option<&Tried> {
        self.tried().filter(|tried| tried.profile == profile).last()
    }

    fn tried(&self) -> impl Iterator<Item = &Tried> {
        self.earlier.iter().chain(&self.latest)
    }
}
