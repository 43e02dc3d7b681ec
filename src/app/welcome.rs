//! What to do next, told once in a home where nobody can be asked yet.

use std::fs;

use crate::config::{Paths, Settings};
use crate::domain::action::Action;
use crate::runtime::private::{self, Access};

/// Nothing else is kept of it.
const TOLD: &str = "welcomed";

/// The first steps, where no profile is configured and no key is set; `None` if they were told before.
pub(super) fn first_steps(paths: &Paths, settings: &Settings, has_key: bool) -> Option<String> {
    let marker = paths.state.join(TOLD);
    if has_key || !settings.profiles.is_empty() || fs::metadata(&marker).is_ok() {
        return None;
    }
    private::open(&marker, Access::Update).ok()?;
    // On a narrow screen the hint line has room for the beginning alone.
    let all = settings.keymap.bindings_of(Action::MessageLog).first();
    let all = all.map_or_else(String::new, |chord| {
        format!(" ({} {chord} shows all of this)", settings.keymap.prefix())
    });
    Some(format!(
        "welcome{all}: claude and codex work here as always, with their own login; a key such as ANTHROPIC_API_KEY makes failover \
         possible (tundra demo shows it, tundra doctor checks it)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_first_steps_are_told_once_and_only_to_who_needs_them() {
        let home = std::env::temp_dir().join(format!("tundra-welcome-{}", std::process::id()));
        let paths = Paths::find(Some(&home)).unwrap();
        paths.prepare().unwrap();
        let settings = config::parse("x", "").unwrap();
        assert_eq!(first_steps(&paths, &settings, true), None);
        let told = first_steps(&paths, &settings, false).unwrap();
        let begin = "welcome (ctrl-b m shows all of this): claude";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.contains("tundra demo"), "{told}");
        assert_eq!(first_steps(&paths, &settings, false), None);
        fs::remove_dir_all(&home).unwrap();
    }
}
