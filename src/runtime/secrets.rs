//! The secrets of this process's environment, taken out of what others can read of it.
//!
//! `/proc/PID/environ` shows the block of memory that a process was started with for as long as it runs. So the values of
//! key variables are read once, at the start or when a configuration names them first, kept here, and overwritten there.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names and values, each for as long as this process runs.
static TAKEN: Mutex<Vec<(&'static str, &'static str)>> = Mutex::new(Vec::new());
static HIDDEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[allow(unsafe_code)] // Declares what libc has; using it is what needs a proof.
unsafe extern "C" {
    static environ: *const *mut c_char;
}

/// Takes variables out of the environment; those that were taken before stay as they are.
pub fn take(names: impl IntoIterator<Item = String>) {
    let mut taken = lock();
    for name in names {
        if taken.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let value = std::env::var(&name).ok().filter(|value| !value.is_empty());
        if let Some(value) = value {
            overwrite(&name);
            taken.push((name.leak(), value.leak()));
        }
    }
}

/// The same where another program in this process has taken some already.
pub fn take_up(
    kept: impl IntoIterator<Item = (String, String)>,
    names: impl IntoIterator<Item = String>,
) {
    let leaked = kept
        .into_iter()
        .map(|(name, value)| (&*name.leak(), &*value.leak()));
    lock().extend(leaked);
    take(names);
}

fn lock() -> MutexGuard<'static, Vec<(&'static str, &'static str)>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a variable from the programs that are started from now on, whether it was taken or not.
pub fn hide(name: &str) {
    let mut hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner);
    hidden.insert(name.to_owned());
}

/// The value of a variable, whether it was taken or not.
#[must_use]
pub fn value(name: &str) -> Option<String> {
    let taken = lock()
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| (*value).to_owned());
    taken.or_else(|| std::env::var(name).ok())
}

/// What was taken, with its values, for a program that is to go on in this one's place.
pub fn taken() -> impl Iterator<Item = (&'static str, &'static str)> {
    lock().clone().into_iter()
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
    // SAFETY: `environ` is the null-terminated array of null-terminated strings that execve(2) left, or that libc made from
    // it; nothing in this process changes the array (`set_var` is called nowhere). Bytes within a string are written one by
    // one and its end stays where it is, so that whoever reads it meanwhile reads a string as long or shorter. Only this
    // module reads the values of these variables; whoever copies the whole environment for a child leaves them out.
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
                    AtomicU8::from_ptr(text.add(offset).cast()).store(0, Ordering::Relaxed);
                }
            }
            entry = entry.add(1);
        }
    }
}
