//! Which variables of the environment hold secrets.

use crate::config::Settings;
use crate::domain::REMOTE_TOKEN_VARIABLE;

/// The variables whose values nobody is to find in what the kernel shows of this process.
pub(super) fn of(settings: &Settings) -> Vec<String> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let profiles = settings.effective_profiles(is_set);
    let keys = crate::gateway::key_variables(&profiles).map(str::to_owned);
    keys.chain(settings.dolt.password_env.clone())
        .chain([REMOTE_TOKEN_VARIABLE.to_owned()])
        .collect()
}
