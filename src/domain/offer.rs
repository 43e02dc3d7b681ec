//! What the gateway can do for the clients of each vendor, from which the environment of a terminal follows.

use super::profile::{Auth, Dialect, Profile, ProviderKind};
use super::route::Translation;

/// A vendor whose clients run in terminals: what they speak, and whose login they bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vendor {
    Anthropic,
    OpenAi,
    Google,
}

impl Vendor {
    const fn provider(self) -> ProviderKind {
        match self {
            Self::Anthropic => ProviderKind::Anthropic,
            Self::OpenAi => ProviderKind::OpenAi,
            Self::Google => ProviderKind::Gemini,
        }
    }

    const fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::Anthropic => &[Dialect::Messages],
            Self::OpenAi => &[Dialect::Chat, Dialect::Responses],
            Self::Google => &[Dialect::Generate],
        }
    }
}

/// What the gateway offers a vendor's clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Offer {
    /// They do what they do without tundra.
    #[default]
    Nothing,
    /// A key of their terminal's in the place of the vendor's.
    Key,
    /// Their own login goes through the gateway to the vendor.
    Login,
}

/// What the gateway offers, vendor by vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    pub anthropic: Offer,
    pub openai: Offer,
    pub google: Offer,
}

impl Offers {
    /// What follows from the profiles that are enabled and have the key that they need.
    ///
    /// A vendor with a login profile keeps its clients logged in. Else they get a key where somebody can serve what they
    /// speak; a local server that nobody wrote down does not count, since an agent that has no other would be broken.
    pub fn of(usable: &[&Profile], translation: Translation) -> Self {
        let offer = |vendor: Vendor| {
            let is_login = |profile: &&Profile| {
                profile.auth == Auth::Caller && profile.provider == vendor.provider()
            };
            let serves = |profile: &&Profile| {
                let may_translate = translation != Translation::Off;
                let mut spoken = vendor.dialects().iter();
                profile.auth == Auth::Key
                    && !profile.is_guess
                    && spoken.any(|dialect| {
                        profile.dialects.contains(*dialect)
                            || may_translate && profile.foreign_dialects(*dialect).next().is_some()
                    })
            };
            if usable.iter().any(is_login) {
                Offer::Login
            } else if usable.iter().any(serves) {
                Offer::Key
            } else {
                Offer::Nothing
            }
        };
        Self {
            anthropic: offer(Vendor::Anthropic),
            openai: offer(Vendor::OpenAi),
            google: offer(Vendor::Google),
        }
    }

    /// What it offers `vendor`'s clients.
    #[must_use]
    pub const fn to(self, vendor: Vendor) -> Offer {
        match vendor {
            Vendor::Anthropic => self.anthropic,
            Vendor::OpenAi => self.openai,
            Vendor::Google => self.google,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(profiles: &[Profile]) -> (Offer, Offer) {
        let offers = Offers::of(&profiles.iter().collect::<Vec<_>>(), Translation::Fallback);
        (offers.to(Vendor::Anthropic), offers.to(Vendor::OpenAi))
    }

    #[test]
    fn a_fresh_tundra_leaves_everybody_logged_in() {
        let fresh = Profile::discovered(|_| false, 1);
        assert_eq!(offers(&fresh), (Offer::Login, Offer::Login));
        let anthropic = Profile::discovered(|name| name == "ANTHROPIC_API_KEY", 1);
        assert_eq!(offers(&anthropic), (Offer::Key, Offer::Login));
        let both = Profile::discovered(|name| name != "OPENROUTER_API_KEY", 1);
        assert_eq!(offers(&both), (Offer::Key, Offer::Key));
    }

    #[test]
    fn a_key_is_given_where_it_helps_alone() {
        let local = |is_guess| Profile {
            is_guess,
            ..Profile::new("local", ProviderKind::Local)
        };
        assert_eq!(offers(&[]), (Offer::Nothing, Offer::Nothing));
        assert_eq!(offers(&[local(true)]), (Offer::Nothing, Offer::Nothing));
        assert_eq!(offers(&[local(false)]), (Offer::Key, Offer::Key));
        let login = Profile::for_callers("mine", ProviderKind::OpenAi);
        let router = Profile::new("router", ProviderKind::OpenRouter);
        assert_eq!(offers(&[router, login]), (Offer::Key, Offer::Login));
        let claude = Profile::new("claude", ProviderKind::Anthropic);
        assert_eq!(
            offers(std::slice::from_ref(&claude)),
            (Offer::Key, Offer::Key)
        );
        let google = Profile::new("google", ProviderKind::Gemini);
        assert_eq!(
            Offers::of(&[&google], Translation::Fallback),
            Offers {
                google: Offer::Key,
                ..Offers::default()
            }
        );
        let native = Offers::of(&[&claude], Translation::Off);
        assert_eq!(
            (native.anthropic, native.openai),
            (Offer::Key, Offer::Nothing)
        );
    }
}
