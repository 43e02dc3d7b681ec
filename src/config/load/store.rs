//! The sections `[store]` and `[dolt]`.

use std::time::Duration;

use super::super::reader::{Item, Table};
use super::super::settings::{Dolt, Store};
use super::values::{MAX_LIFETIME, expand_home};

const DEFAULT_PORT: u16 = 3306;
/// More often, and the copy's history is noise.
const LEAST_COMMIT: Duration = Duration::from_secs(1);

pub(super) fn store_defaults() -> Store {
    Store {
        retention: Duration::from_secs(90 * 86_400),
    }
}

pub(super) fn dolt_defaults() -> Dolt {
    Dolt {
        enabled: false,
        host: "127.0.0.1".to_owned(),
        port: DEFAULT_PORT,
        user: "root".to_owned(),
        password_env: None,
        database: "tundra".to_owned(),
        managed: false,
        dir: None,
        commit_every: Duration::from_secs(300),
    }
}

pub(super) fn read_store(table: &mut Table<'_>, store: &mut Store) {
    table.read("retention", &mut store.retention, |item| {
        match item.duration(MAX_LIFETIME)? {
            Duration::ZERO => item.fault("must be longer than 0s"),
            duration => Some(duration),
        }
    });
}

pub(super) fn read_dolt(table: &mut Table<'_>, dolt: &mut Dolt) {
    table.read("enabled", &mut dolt.enabled, Item::boolean);
    table.read("host", &mut dolt.host, |item| host(item));
    table.read("port", &mut dolt.port, |item| item.integer(1..=65_535));
    table.read("user", &mut dolt.user, |item| name(item, 32));
    table.read("password_env", &mut dolt.password_env, |item| {
        let variable = item.string()?;
        if variable.is_empty() {
            return Some(None);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !variable.chars().all(is_plain) || variable.starts_with(|c: char| c.is_ascii_digit()) {
            return item.fault("must be the name of a variable, such as \"DOLT_PASSWORD\"");
        }
        Some(Some(variable.to_owned()))
    });
    table.read("database", &mut dolt.database, |item| name(item, 64));
    table.read("managed", &mut dolt.managed, Item::boolean);
    table.read("dir", &mut dolt.dir, |item| {
        let path = item.string()?;
        if path.trim().is_empty() {
            return item.fault("must be a folder");
        }
        expand_home(item, path).map(Some)
    });
    table.read("commit_every", &mut dolt.commit_every, |item| {
        let span = item.duration(MAX_LIFETIME)?;
        if span < LEAST_COMMIT {
            return item.fault("must be at least 1s");
        }
        Some(span)
    });
}

fn host(item: &Item<'_>) -> Option<String> {
    let host = item.string()?;
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    if host.is_empty() || !host.chars().all(is_of_host) {
        return item
            .fault("must be a host's name or address without its port, such as \"127.0.0.1\"");
    }
    Some(host.to_owned())
}

fn name(item: &Item<'_>, longest: usize) -> Option<String> {
    let name = item.string()?;
    if name.is_empty() || name.chars().any(char::is_control) || name.chars().count() > longest {
        return item.fault(format!("must be a name of 1 to {longest} characters"));
    }
    Some(name.to_owned())
}
