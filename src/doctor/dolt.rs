//! The journal's versioned copy.

use tokio::runtime::Handle;

use super::subject::Subject;
use crate::api::at_rest;
use crate::domain::check::Check;
use crate::runtime::programs;

pub(super) const NAME: &str = "dolt";

pub(super) fn check(subject: &Subject) -> Check {
    if let Some(status) = subject.status() {
        let dolt = &status.store.dolt;
        return judge(&dolt.state, dolt.message.as_deref(), status.store.outbox);
    }
    let Ok(settings) = &subject.settings else {
        return Check::skip(NAME, "the configuration is refused");
    };
    if settings.dolt.enabled && settings.dolt.managed {
        return match programs::find_here("dolt") {
            Ok(path) => Check::ok(NAME, format!("{}: tundra starts it", path.display())),
            Err(error) => Check::fail(
                NAME,
                error.to_string(),
                "install dolt (dolthub.com), or dolt.managed = false with a server",
            ),
        };
    }
    let looked = at_rest::store(&subject.paths, &subject.settings);
    match Handle::current().block_on(looked) {
        Ok(status) => judge(
            status.dolt.state.as_str(),
            status.dolt.message.as_deref(),
            status.outbox,
        ),
        // The store's own check tells why.
        Err(_) => Check::skip(NAME, "the journal cannot be read"),
    }
}

fn judge(state: &str, message: Option<&str>, outbox: u64) -> Check {
    let told = match message {
        Some(message) => format!("{state}: {message}"),
        None => state.to_owned(),
    };
    let told = match outbox {
        0 => told,
        waiting => format!("{told}, {waiting} rows wait"),
    };
    match state {
        "disabled" => Check::skip(NAME, "dolt.enabled is false"),
        "ready" | "connecting" => Check::ok(NAME, told),
        "backoff" => Check::warn(
            NAME,
            told,
            "nothing is lost: rows wait; the message says what helps",
        ),
        _ => Check::fail(
            NAME,
            told,
            "tundra explain with this message; tundra store status tells more",
        ),
    }
}
