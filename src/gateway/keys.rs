//! The keys that callers of the gateway show, and who they are.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use crate::domain::caller::Caller;
use crate::domain::id::TerminalId;
use crate::runtime::private;

/// How every caller's key begins.
pub const CALLER_KEY_START: &str = "tundra-";
/// How many hexadecimal digits follow: two UUIDs.
pub const CALLER_KEY_DIGITS: usize = 64;

/// A caller's secret: `tundra-` and 244 random bits. Debugging it shows nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CallerKey(String);

impl CallerKey {
    /// Draws a new one, of two UUIDs of version 4.
    #[must_use]
    pub fn random() -> Self {
        Self(format!(
            "{CALLER_KEY_START}{}{}",
            Uuid::new_v4().simple(),
            Uuid::new_v4().simple()
        ))
    }

    /// What a caller shows, which need be no key that was ever made.
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret itself, for a child's environment.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerKey(…)")
    }
}

/// The keys that are valid now; cheap to clone, all clones share one set.
///
/// A lookup hashes with a random seed before it compares, so its time tells nothing about how much of a guess is right.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    callers: Arc<RwLock<HashMap<String, Caller>>>,
}

impl KeyRing {
    /// Makes a key for a terminal; valid until [`KeyRing::forget`].
    #[must_use]
    pub fn issue(&self, terminal: TerminalId) -> CallerKey {
        let key = CallerKey::random();
        self.admit(key.clone(), Caller::Terminal(terminal));
        key
    }

    /// Makes `key` valid for `caller`.
    pub fn admit(&self, key: CallerKey, caller: Caller) {
        self.callers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.0, caller);
    }

    /// Makes every key of a terminal invalid; requests in flight go on.
    pub fn forget(&self, terminal: TerminalId) {
        self.callers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, caller| *caller != Caller::Terminal(terminal));
    }

    /// The keys of terminals, for a program that goes on in this one's place.
    #[must_use]
    pub fn of_terminals(&self) -> Vec<(CallerKey, TerminalId)> {
        let callers = self.callers.read().unwrap_or_else(PoisonError::into_inner);
        let terminal = |(key, caller): (&String, &Caller)| match caller {
            Caller::Terminal(id) => Some((CallerKey(key.clone()), *id)),
            Caller::Outside | Caller::Ask => None,
        };
        callers.iter().filter_map(terminal).collect()
    }

    /// Whose key it is; `None` for one that was never given, or whose terminal has ended.
    pub fn who(&self, key: &str) -> Option<Caller> {
        self.callers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .copied()
    }
}

/// Reads the key for programs outside from `file`, or makes it there: 0600, in a folder of 0700.
///
/// # Errors
/// Where the file can be neither read nor made.
pub fn outside_key(file: &Path) -> io::Result<CallerKey> {
    match fs::read_to_string(file) {
        Ok(text) if is_key(text.trim()) => {
            fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
            return Ok(CallerKey(text.trim().to_owned()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let key = CallerKey::random();
    private::replace_soon(file, format!("{}\n", key.0).as_bytes())?;
    Ok(key)
}

/// Whether a text can be a key: long enough to be a secret, and fit for a header.
fn is_key(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_valid_until_its_terminal_is_forgotten() {
        let ring = KeyRing::default();
        let (one, two) = (TerminalId::random(), TerminalId::random());
        let (first, second) = (ring.issue(one), ring.issue(two));
        assert_eq!(ring.who(first.reveal()), Some(Caller::Terminal(one)));
        ring.forget(one);
        assert_eq!(ring.who(first.reveal()), None);
        assert_eq!(ring.who(second.reveal()), Some(Caller::Terminal(two)));
        assert_eq!(format!("{first:?}"), "CallerKey(…)");
    }

    #[test]
    fn the_outside_key_lasts_and_is_private() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let file = folder.join("state/gateway.key");
        let key = outside_key(&file).unwrap();
        assert_eq!(outside_key(&file).unwrap(), key);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&file, "short").unwrap();
        assert_ne!(outside_key(&file).unwrap(), key);
    }
}
