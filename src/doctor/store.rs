//! The journal.

use std::fmt::Write as _;

use super::subject::Subject;
use crate::domain::check::Check;
use crate::store::{Reader, status_of_error};

pub(super) const NAME: &str = "store";

pub(super) fn check(subject: &Subject) -> Check {
    if let Some(status) = subject.status() {
        let store = &status.store;
        return judge(
            &store.state,
            store.message.as_deref(),
            store.size_bytes,
            store.waiting,
        );
    }
    let path = subject.paths.journal();
    let status = match Reader::open(&path).and_then(|reader| reader.status()) {
        Ok(status) if status.schema.is_none() => {
            return Check::ok(NAME, "nothing was recorded yet");
        }
        Ok(status) => status,
        Err(error) => match status_of_error(&path, &error) {
            Some(status) => status,
            None => return Check::fail(NAME, error.to_string(), "tundra explain JournalFailed"),
        },
    };
    judge(
        status.state.as_str(),
        status.message.as_deref(),
        status.size,
        status.waiting,
    )
}

fn judge(state: &str, message: Option<&str>, bytes: u64, waiting: usize) -> Check {
    let mut text = format!("{state}, {} KiB", bytes / 1024);
    match waiting {
        0 => {}
        1 => text.push_str(", 1 fact waits in memory"),
        more => {
            let _ = write!(text, ", {more} facts wait in memory");
        }
    }
    if let Some(message) = message {
        text.push_str(": ");
        text.push_str(message);
    }
    match state {
        "ready" => Check::ok(NAME, text),
        "off" if message.is_none() => Check::ok(NAME, text),
        "degraded" => Check::fail(
            NAME,
            text,
            "paths.disk and paths.rights tell what is in the way; what waits is written then",
        ),
        "schema_newer" => Check::fail(
            NAME,
            text,
            "run the newer tundra that wrote it, or another home with --home DIR",
        ),
        _ => Check::warn(NAME, text, "tundra explain NoDatabase"),
    }
}
