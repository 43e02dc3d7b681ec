//! The files of the archive, as they are before the redactor.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::api::shapes::{CheckupShape, EventShape};
use crate::config::secret_values;
use crate::doctor::subject::Subject;
use crate::domain::check::Check;
use crate::domain::profile::ProviderKind;
use crate::store::{EventFilter, Reader, StoreError};

/// Of each log the end, in bytes.
const MOST_LOG: u64 = 4 << 20;
/// Of a configuration that is none.
const MOST_CONFIG: u64 = 1 << 20;
const MOST_EVENTS: usize = 2000;
/// Variables that say how it behaves and tell no secret.
const HARMLESS: [&str; 17] = [
    "COLORFGBG",
    "COLORTERM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "NO_COLOR",
    "NO_PROXY",
    "no_proxy",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SHELL",
    "TERM",
    "TERM_PROGRAM",
    "TUNDRA_HOME",
    "TZ",
    "XDG_RUNTIME_DIR",
];

/// Name and text of each, in their order; a log that cannot be read is left out.
///
/// # Errors
/// Where a text cannot be made, which only a lack of memory does.
pub(super) fn files(
    subject: &Subject,
    checks: &[Check],
    version: &str,
) -> io::Result<Vec<(String, String)>> {
    let status = subject.status();
    let mut files = vec![
        (
            "doctor.json".to_owned(),
            serde_json::to_string_pretty(&CheckupShape::new(checks, None))?,
        ),
        (
            "status.json".to_owned(),
            serde_json::to_string_pretty(&status)?,
        ),
        ("history.json".to_owned(), history(subject)),
        ("config.toml".to_owned(), configuration(subject)),
        ("environment.txt".to_owned(), environment(subject)),
        ("versions.txt".to_owned(), versions(checks, version)),
    ];
    files.extend(logs(&subject.paths.logs));
    Ok(files)
}

fn history(subject: &Subject) -> String {
    let filter = EventFilter {
        last: Some(MOST_EVENTS),
        ..EventFilter::default()
    };
    let mut events: Vec<String> = Vec::new();
    let read = Reader::open(&subject.paths.journal()).and_then(|reader| {
        reader.events(&filter, None, |event| {
            events.extend(serde_json::to_string(&EventShape::from(event)));
            Ok::<(), StoreError>(())
        })
    });
    match read {
        Ok(_) => format!("[{}]\n", events.join(",\n")),
        Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
    }
}

/// The file without the values of headers and environments, however short they are.
fn configuration(subject: &Subject) -> String {
    let read = File::open(&subject.source.path).and_then(|file| {
        let mut bytes = Vec::new();
        file.take(MOST_CONFIG).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let text = match read {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("# {}: {error}\n", subject.source.path.display()),
    };
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for value in secret_values(&text) {
        if value.span.start < from {
            continue;
        }
        left.push_str(text.get(from..value.span.start).unwrap_or_default());
        let _ = write!(
            left,
            "\"[redacted {}]\"",
            super::secrets::kind(value.kind).as_str()
        );
        from = value.span.end;
    }
    left.push_str(text.get(from..).unwrap_or_default());
    left
}

/// Whether variables are set, and the values of those that are harmless.
fn environment(subject: &Subject) -> String {
    let mut keys: Vec<String> = ProviderKind::ALL
        .into_iter()
        .filter_map(ProviderKind::key_env)
        .map(str::to_owned)
        .collect();
    if let Ok(settings) = &subject.settings {
        keys.extend(
            settings
                .profiles
                .iter()
                .filter_map(|profile| profile.key_env.clone()),
        );
        keys.extend(settings.dolt.password_env.clone());
    }
    keys.sort();
    keys.dedup();
    let mut text = String::from("# keys\n");
    for name in keys {
        let is_set = std::env::var_os(&name).is_some_and(|value| !value.is_empty());
        let _ = writeln!(text, "{name}={}", if is_set { "[set]" } else { "[unset]" });
    }
    text.push_str("# proxies\n");
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        if let Ok(value) = std::env::var(name) {
            let _ = writeln!(text, "{name}={value}");
        }
    }
    text.push_str("# locale, terminal, log\n");
    for name in HARMLESS {
        if let Ok(value) = std::env::var(name) {
            let _ = writeln!(text, "{name}={value}");
        }
    }
    text
}

fn versions(checks: &[Check], version: &str) -> String {
    let system = rustix::system::uname();
    let mut text = format!(
        "tundra {version}\n{} {} {}\n",
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.machine().to_string_lossy()
    );
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if let Some(name) = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
    {
        let _ = writeln!(text, "{}", name.trim_matches('"'));
    }
    for check in checks.iter().filter(|check| check.group() == "programs") {
        let _ = writeln!(text, "{}: {}", check.name, check.message);
    }
    text
}

/// Every regular file of the log folder, under `logs/`.
fn logs(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, String)> = entries
        .filter_map(|entry| {
            let is_file = entry.file_type().ok()?.is_file();
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = is_file.then(|| end_of(&entry.path())).flatten()?;
            Some((format!("logs/{name}"), text))
        })
        .collect();
    found.sort();
    found
}

/// The end of a file, from the beginning of a line on.
fn end_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let skipped = length.saturating_sub(MOST_LOG);
    file.seek(SeekFrom::Start(skipped)).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST_LOG).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(match text.split_once('\n') {
        // A half line could hold a half secret.
        Some((_, rest)) if skipped > 0 => rest.to_owned(),
        _ => text,
    })
}
