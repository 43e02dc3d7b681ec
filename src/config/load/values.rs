//! Values that several sections share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use directories::BaseDirs;

use crate::config::reader::Item;
use crate::config::shell::plain_words;

/// What a command may be written as, for who wrote something else.
pub(super) const WORDS: &str = "an array of strings";
pub(super) const WORDS_OR_TEXT: &str = "a string or an array of strings";
/// An hour: what waits longer is forgotten by whoever waits.
pub(super) const MAX_GRACE: Duration = Duration::from_secs(3600);
/// A hundred years: beyond it, clocks overflow.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(36_500 * 86_400);

/// A program and its arguments; a line that only a shell can read is given to `shell`.
pub(super) fn command_line(item: &Item<'_>, shell: &[String]) -> Option<Vec<String>> {
    if !item.is_string() {
        return command_words(item, WORDS_OR_TEXT);
    }
    let line = item.string()?;
    if line.trim().is_empty() {
        return item.fault("must name a program; leave the key out for the shell");
    }
    Some(plain_words(line).unwrap_or_else(|| {
        let program = shell.first().cloned();
        let mut command = vec![program.unwrap_or_else(|| "/bin/sh".to_owned())];
        command.extend(["-c".to_owned(), line.to_owned()]);
        command
    }))
}

/// An array of strings with a program at its head; `wanted` says what may stand there besides.
pub(super) fn command_words(item: &Item<'_>, wanted: &str) -> Option<Vec<String>> {
    let items = item.elements(wanted)?;
    let count = items.len();
    let words: Vec<String> = items
        .iter()
        .filter_map(|item| match item.string()? {
            word if word.contains('\0') => item.fault("must not hold a NUL"),
            word => Some(word.to_owned()),
        })
        .collect();
    if words.len() < count {
        return None;
    }
    if words.first().is_none_or(String::is_empty) {
        return item.fault("must begin with a program");
    }
    Some(words)
}

/// A folder to start in.
pub(super) fn working_directory(item: &Item<'_>) -> Option<PathBuf> {
    let text = item.string()?;
    if text.is_empty() || text.contains('\0') {
        return item.fault("must be a folder; leave the key out for the one tundra was started in");
    }
    expand_home(item, text)
}

/// The path that a text names, `~` replaced by the home directory.
pub(super) fn expand_home(item: &Item<'_>, text: &str) -> Option<PathBuf> {
    let below_home = match text.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    match (below_home, BaseDirs::new()) {
        (Some(rest), Some(dirs)) => Some(dirs.home_dir().join(rest)),
        (Some(_), None) => item.fault("must be without ~, since there is no home directory"),
        (None, _) => Some(PathBuf::from(text)),
    }
}

/// Variables and their values.
pub(super) fn environment(item: &Item<'_>) -> Option<BTreeMap<String, String>> {
    let table = item.table()?;
    let entries = table.items().filter_map(|item| {
        let value = item.string()?;
        if item.key.is_empty() || item.key.contains(['=', '\0']) || value.contains('\0') {
            return item.fault("must be a variable's name and its value");
        }
        Some((item.key.to_owned(), value.to_owned()))
    });
    Some(entries.collect())
}
