//! What the predecessor's files say, written as this configuration says it.
//!
//! `api_profiles.json` holds profiles, `harness.toml` their limits and the breaker, `profile_usage.json` what was used
//! so far, which has no place in a configuration but a remark. Keys are never copied, only the names of variables.

mod error;
mod files;
mod sources;
mod written;

use std::net::IpAddr;
use std::path::Path;

use super::load::parse;
use crate::domain::profile::{Profile, ProviderKind};

use files::read;
use sources::Sources;

pub use error::ImportError;
pub use written::Import;

/// Reads the files of `folder` and writes what is to be appended to the configuration `present`. Only regular files are
/// read, and none that is larger than 4 MiB.
///
/// # Errors
/// [`ImportError`] where there is nothing to import, or where it cannot stand beside what is configured.
pub fn import(folder: &Path, present: &str) -> Result<Import, ImportError> {
    let profiles = read(folder, "config", "api_profiles.json")?;
    let harness = read(folder, "config", "harness.toml")?;
    let usage = read(folder, "data", "profile_usage.json")?;
    if profiles.is_none() && harness.is_none() {
        return Err(ImportError::Nothing(folder.to_owned()));
    }
    let mut sources = Sources::default();
    if let Some(file) = profiles {
        let json = serde_json::from_str(&file.text).map_err(|error| file.malformed(&error))?;
        sources.add_profiles(&json);
    }
    if let Some(file) = harness {
        let table: toml::Table = file
            .text
            .parse()
            .map_err(|error: toml::de::Error| file.malformed(&error.message()))?;
        let json = serde_json::to_value(table).map_err(|error| file.malformed(&error))?;
        sources.add_harness(&json);
    }
    if let Some(file) = usage {
        let json = serde_json::from_str(&file.text).map_err(|error| file.malformed(&error))?;
        sources.add_usage(&json);
    }
    let mut import = written::write(sources, present);
    import.doubts = check(&import, present)?;
    Ok(import)
}

/// Refuses names that are taken, and values that the configuration would refuse. Tells what is doubtful in the rest.
fn check(import: &Import, present: &str) -> Result<Vec<String>, ImportError> {
    if let Ok(settings) = parse("config.toml", present) {
        let taken: Vec<String> = import
            .profiles
            .iter()
            .filter(|name| {
                let mut configured = settings.profiles.iter();
                configured.any(|profile| profile.name.as_str() == *name)
            })
            .cloned()
            .collect();
        if !taken.is_empty() {
            return Err(ImportError::Exists(taken));
        }
    }
    let settings = parse("import", &import.text).map_err(ImportError::Impossible)?;
    parse("config.toml", &format!("{present}\n{}", import.text))
        .map_err(ImportError::Impossible)?;
    Ok(settings.profiles.iter().flat_map(doubts).collect())
}

/// What somebody who wrote the files could have had in mind: to be sent any secret of the environment, or to read along.
fn doubts(profile: &Profile) -> Vec<String> {
    let Profile { name, base_url, .. } = profile;
    let known = ProviderKind::ALL
        .into_iter()
        .filter_map(ProviderKind::key_env);
    let mut doubts = Vec::new();
    if let Some(variable) = profile.key_env.as_deref().filter(|variable| {
        let mut known = known.clone();
        !known.any(|known| known == *variable)
    }) {
        doubts.push(format!(
            "profile {name}: the value of {variable}, a variable of no known provider, would be sent to {base_url}"
        ));
    }
    if base_url.starts_with("http://") && !is_loopback(base_url) {
        doubts.push(format!(
            "profile {name}: {base_url} is in the clear: key and prompts can be read on the way"
        ));
    }
    doubts
}

/// Whether an address is this machine's own.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
