//! The secrets of a home, for the redactor.

use std::fs;
use std::path::Path;

use crate::config::{SecretKind, secret_values};
use crate::doctor::subject::Subject;
use crate::domain::REMOTE_TOKEN_VARIABLE;
use crate::telemetry::redact::{Kind, Redactor};

/// Whether names of the user, the host and the home are left in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Kept,
    Redacted,
}

/// Parts of the name of a variable whose value is a secret.
const SECRET_NAMES: [&str; 8] = [
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "AUTH",
    "COOKIE",
    "CREDENTIAL",
];

/// How the redactor calls a secret of the configuration.
pub(super) const fn kind(kind: SecretKind) -> Kind {
    match kind {
        SecretKind::Header => Kind::Header,
        SecretKind::Environment => Kind::Environment,
    }
}

/// One that knows what this home, its configuration and this process's environment hold.
pub(super) fn redactor(subject: &Subject, names: Names) -> Redactor {
    let mut redactor = Redactor::default();
    for (name, kind) in [
        ("gateway.key", Kind::Key),
        ("remote.token", Kind::Token),
        ("dolt.password", Kind::Password),
    ] {
        if let Ok(secret) = fs::read_to_string(subject.paths.state.join(name)) {
            redactor = redactor.knowing(kind, &secret);
        }
    }
    let config = fs::read(&subject.source.path).unwrap_or_default();
    for value in secret_values(&String::from_utf8_lossy(&config)) {
        redactor = redactor.knowing(kind(value.kind), &value.text);
    }
    let mut key_variables: Vec<&str> = vec![REMOTE_TOKEN_VARIABLE];
    if let Ok(settings) = &subject.settings {
        let profiles = settings.profiles.iter();
        key_variables.extend(profiles.filter_map(|profile| profile.key_env.as_deref()));
        key_variables.extend(settings.dolt.password_env.as_deref());
    }
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let upper = name.to_ascii_uppercase();
        if upper.ends_with("_PROXY")
            && let Some((user, _)) = value.rsplit_once('@')
        {
            let user = user.rsplit_once("://").map_or(user, |(_, user)| user);
            let password = user.split_once(':').map_or("", |(_, password)| password);
            redactor = redactor
                .knowing(Kind::Password, user)
                .knowing(Kind::Password, password);
        }
        let is_named = key_variables.contains(&name.as_ref());
        let says_so = SECRET_NAMES.iter().any(|part| upper.contains(part));
        // A path to a key, or to an agent's socket, is none.
        if is_named || (says_so && !Path::new(value.as_ref()).is_absolute()) {
            redactor = redactor.knowing(Kind::Key, &value);
        }
    }
    match names {
        Names::Kept => redactor,
        Names::Redacted => {
            let home = std::env::var("HOME").ok().filter(|home| home.len() > 1);
            let user = ["USER", "LOGNAME"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok())
                .or_else(|| home.as_deref().and_then(last_part));
            let system = rustix::system::uname();
            let host = system.nodename().to_string_lossy().into_owned();
            redactor.without_names(home.as_deref(), &user.unwrap_or_default(), &host)
        }
    }
}

fn last_part(path: &str) -> Option<String> {
    let name = Path::new(path).file_name()?;
    Some(name.to_string_lossy().into_owned())
}
