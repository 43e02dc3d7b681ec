//! Each profile's way out: its client and its key.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use http::HeaderValue;

use super::Upstream;
use super::cleaner::Cleaner;
use crate::domain::login::LoginId;
use crate::domain::profile::{Auth, Profile, ProfileName};
use crate::domain::route::KeyState;
use crate::domain::timeouts::Timeouts;
use crate::runtime::secrets;

/// Tells the value of an environment variable. A closure, so that keys stay where they are until they are needed.
pub type KeySource = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Reads the process's own environment.
#[must_use]
pub fn environment() -> KeySource {
    Arc::new(secrets::value)
}

/// Logins of one profile whose clients are kept; past them the one that was used longest ago loses its own.
const MOST_LOGINS: usize = 8;

/// A way to one provider.
#[derive(Debug)]
pub struct Connection {
    pub upstream: Upstream,
    /// Marked as sensitive, so that nothing prints it.
    pub key: Option<HeaderValue>,
    /// Knows the key and the configured headers.
    pub cleaner: Arc<Cleaner>,
    /// At a profile for callers: each login's own client, the one used last at the end.
    logins: Option<Mutex<Vec<(LoginId, Upstream)>>>,
}

impl Connection {
    /// The way out for a call, which no two logins share.
    pub fn upstream_for(&self, login: Option<LoginId>) -> Upstream {
        let (Some(logins), Some(login)) = (&self.logins, login) else {
            return self.upstream.clone();
        };
        let mut open = logins.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.iter().position(|(known, _)| *known == login);
        let upstream = match known {
            Some(at) => open.remove(at).1,
            None => self.upstream.for_login(),
        };
        if open.len() >= MOST_LOGINS {
            open.remove(0);
        }
        open.push((login, upstream.clone()));
        upstream
    }
}

/// All ways out; replaced one by one, while calls under way keep the one that they began with.
pub struct Connections {
    keys: KeySource,
    open: RwLock<HashMap<ProfileName, Result<Arc<Connection>, String>>>,
}

impl Connections {
    pub fn new(keys: KeySource) -> Self {
        Self {
            keys,
            open: RwLock::default(),
        }
    }

    /// Opens ways for `profiles` and forgets all others; answers who has a key.
    pub fn open_all(&self, profiles: Vec<Profile>, timeouts: Timeouts) -> Vec<(Profile, KeyState)> {
        let mut open = HashMap::new();
        let with_keys = profiles
            .into_iter()
            .map(|profile| {
                let (connection, state) = self.connect(&profile, timeouts);
                open.insert(profile.name.clone(), connection);
                (profile, state)
            })
            .collect();
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = open;
        with_keys
    }

    /// Takes new connections and a fresh look at the key.
    pub fn reopen(&self, profile: &Profile, timeouts: Timeouts) -> KeyState {
        let (connection, state) = self.connect(profile, timeouts);
        self.open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(profile.name.clone(), connection);
        state
    }

    /// The way to a profile, or why there is none.
    pub fn of(&self, name: &ProfileName) -> Result<Arc<Connection>, String> {
        self.open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
            .unwrap_or_else(|| Err("the profile was removed".to_owned()))
    }

    fn connect(
        &self,
        profile: &Profile,
        timeouts: Timeouts,
    ) -> (Result<Arc<Connection>, String>, KeyState) {
        let secret = profile
            .key_env
            .as_deref()
            .and_then(|name| (self.keys)(name))
            .map(|secret| secret.trim().to_owned())
            .filter(|secret| !secret.is_empty());
        let state = if profile.key_env.is_some() && secret.is_none() {
            KeyState::Missing
        } else {
            KeyState::Present
        };
        let values = profile.headers.iter().map(|(_, value)| value.as_str());
        let cleaner = Arc::new(Cleaner::new(secret.as_deref().into_iter().chain(values)));
        let key = secret
            .map(|secret| HeaderValue::from_str(&secret))
            .transpose();
        let connection = match (Upstream::new(&profile.base_url, timeouts), key) {
            (Ok(upstream), Ok(mut key)) => {
                if let Some(key) = &mut key {
                    key.set_sensitive(true);
                }
                let logins = (profile.auth == Auth::Caller).then(Mutex::default);
                Ok(Arc::new(Connection {
                    upstream,
                    key,
                    cleaner,
                    logins,
                }))
            }
            (Err(error), _) => Err(error.to_string()),
            (_, Err(_)) => Err("the key holds characters that no header can carry".to_owned()),
        };
        (connection, state)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}
