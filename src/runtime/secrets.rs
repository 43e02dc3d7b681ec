//! The secrets of this process's environment, taken out of what others can read of it.
//!
//! `/proc/PID/environ` shows the block of memory that a process was started with for as long as it runs. So the values of
//! key variables are read once, at the start, kept here, and overwritten there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_char};
use std::sync::{Mutex, OnceLock, PoisonError};

static TAKEN: OnceLock<BTreeMap<String, String>> = OnceLock::new();
static HIDDEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[allow(unsafe_code)] // Declares what libc has; using it is what needs a proof.
unsafe extern "C" {
    static environ: *const *mut c_char;
}

/// Takes variables out of the environment. Only the first call does, and only before there is a second thread.
pub fn take(names: impl IntoIterator<Item = String>) {
    let found: BTreeMap<String, String> = names
        .into_iter()
        .filter_map(|name| {
            let value = std::env::var(&name).ok()?;
            (!value.is_empty()).then_some((name, value))
        })
        .collect();
    if TAKEN.set(found).is_ok() {
        for (name, _) in taken() {
            overwrite(name);
        }
    }
}

/// Keeps a variable from the programs that are started from now on, whether it was taken or not.
pub fn hide(name: &str) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.insert(name.to_owned());
}

/// The value of a variable, whether it was taken or not.
#[must_use]
pub fn value(name: &str) -> Option<String> {
    let taken = TAKEN.get().and_then(|taken| taken.get(name)).cloned();
    taken.or_else(|| std::env::var(name).ok())
}

/// What was taken, with its values, for a program that is to go on in this one's place.
pub fn taken() -> impl Iterator<Item = (&'static str, &'static str)> {
    let taken = TAKEN.get().into_iter().flatten();
    taken.map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The names that whoever starts a program leaves out: of what was taken, whose values are empty now, and of what is
/// hidden.
#[must_use]
pub fn kept_from_children() -> BTreeSet<String> {
    let mut names = HIDDEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    names.extend(taken().map(|(name, _)| name.to_owned()));
    names
}

/// Overwrites the value of a variable in the environment block itself, every time that it occurs.
fn overwrite(name: &str) {
    // SAFETY: `environ` is the null-terminated array of null-terminated strings that execve(2) left, or that libc made
    // from it. It is walked, and bytes within its strings are written, before there is a second thread that could read
    // or change it. A string keeps its end where it is.
    #[allow(unsafe_code)]
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let text = *entry;
            let bytes = CStr::from_ptr(text).to_bytes();
            let length = bytes.len();
            let is_it = bytes
                .strip_prefix(name.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"="));
            if is_it {
                for offset in name.len() + 1..length {
                    text.add(offset).write_volatile(0);
                }
            }
            entry = entry.add(1);
        }
    }
}
