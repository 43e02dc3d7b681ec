//! `tundra explain`, and that its table knows every error of the code.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tundra::domain::explain;

use crate::cli::has_keys;
use crate::support::{Home, sources};

/// Errors whose text is made where they happen, each with the name under which it is explained.
const WORDED_ELSEWHERE: &[(&str, &str)] = &[
    ("AppError::NoTerminal", "HandleNotFound"),
    ("AppError::NotStarted", "SpawnFailed"),
    ("AppError::Left", "NotShown"),
    ("AskError::Answered", "Refused"),
    ("AskError::BadRequest", "BadRequest"),
    ("ConfigError::Faults", "ConfigError"),
    ("ControlError::Refused", "Refused"),
    ("DoltError::BadRevision", "DoltServerError"),
    ("DoltError::Managed", "ManagedDolt"),
    ("DoltError::WrongDatabase", "WrongDatabase"),
    ("Failure::Ended", "TerminalDead"),
    ("Failure::Import", "ImportFailed"),
    ("Failure::Input", "BadRequest"),
    ("Failure::NoTerminal", "NoTerminal"),
    ("Failure::TimedOut", "WaitTimedOut"),
    ("Failure::Unknown", "BadRequest"),
    ("Failure::Usage", "Usage"),
    ("ImportError::Malformed", "ImportFailed"),
    ("KeepError", "Paths"),
    ("TlsError::File", "TlsFailed"),
    ("TransportError::Refused", "Refused"),
    ("TuiError::NotStarted", "SpawnFailed"),
    ("Unsayable", "Unsupported"),
];

const KEYS: &[&str] = &[
    "name",
    "codes",
    "message",
    "group",
    "severity",
    "meaning",
    "symptoms",
    "causes",
    "cures",
    "prevention",
    "log_target",
];

#[test]
fn an_error_is_explained_by_name_text_line_and_code() {
    let home = Home::with_config("nonsense = true\n");
    for given in [
        "AtCapacity",
        "atcapacity",
        "pty pool is at capacity (10)",
        "WARN tundra::pane: refused error=pty pool is at capacity (3) by=cli",
        "at_capacity",
    ] {
        let answer = home.cli(&["explain", given, "--json"]).json();
        has_keys(&answer, KEYS);
        assert_eq!(answer["name"], "AtCapacity", "{given}");
        assert_eq!(answer["message"], "pty pool is at capacity (<max>)");
    }
    let index = home.cli(&["explain", "--json"]).json();
    let index = index.as_array().unwrap();
    assert!(index.len() > 40, "{}", index.len());
    for entry in index {
        has_keys(entry, KEYS);
        let name = entry["name"].as_str().unwrap();
        let alone = home.cli(&["explain", name, "--json"]).json();
        assert_eq!(alone, *entry);
    }
    let page = home.cli(&["explain", "429"]).ok();
    assert!(
        page.starts_with("RateLimited  (provider, warning)\n"),
        "{page}"
    );
    assert!(home.cli(&["explain"]).ok().contains("\n  AtCapacity "));
}

#[test]
fn an_unknown_error_is_told_with_the_nearest_name() {
    let home = Home::new();
    home.cli(&["explain", "AtCapasity"]).refused(
        1,
        "no error is known by \"AtCapasity\": did you mean AtCapacity? `tundra explain` lists them all",
    );
    let told = home.cli(&["explain", "quuxity", "--json"]);
    assert_eq!(told.code, 1);
    let error: Value = serde_json::from_str(&told.stderr).unwrap();
    assert_eq!(error["error"]["code"], "not_found");
}

/// A variant of an error enum, with the text that `thiserror` makes of it.
#[derive(Debug)]
struct Variant {
    /// `Enum::Variant`, or the struct's name.
    name: String,
    text: String,
}

/// The texts that are given where they happen: to a variant that has none of its own, or beside a code.
fn worded(text: &str) -> Vec<(String, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let elsewhere = WORDED_ELSEWHERE.iter().map(|(variant, _)| *variant);
    let beginnings = elsewhere.filter(|variant| variant.contains("::")).chain([
        "ApiError::bad_request",
        "ApiError::new",
        "ErrorShape::new",
        "Refusal::bad_request",
        "Refusal::forbidden",
        "Refusal::internal",
        "Refusal::new",
        "Refusal::not_found",
        "CloseReason::server",
    ]);
    let mut found = Vec::new();
    for beginning in beginnings {
        for (at, _) in code.match_indices(&format!("{beginning}(")) {
            let mut given = code[at + beginning.len() + 1..].trim_start();
            for before in ["StatusCode::", "Code::", "close::"] {
                if given.starts_with(before) {
                    given = given
                        .split_once(',')
                        .map_or("", |(_, rest)| rest.trim_start());
                }
            }
            given = given.strip_prefix("format!(").unwrap_or(given).trim_start();
            if let Some(literal) = given.strip_prefix('"') {
                found.push((beginning.to_owned(), sample(literal)));
            }
        }
    }
    found
}

/// The identifier that a line begins with.
fn identifier(line: &str) -> &str {
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_');
    &line[..end.unwrap_or(line.len())]
}

/// The errors of one file: after each `#[error(…)]` that has a text of its own comes its variant, or its struct.
fn variants(text: &str) -> Vec<Variant> {
    let mut found = Vec::new();
    let mut of = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("#[error(") {
        let (before, after) = rest.split_at(at);
        for line in before.lines() {
            if let Some((_, name)) = line.split_once("enum ") {
                identifier(name).clone_into(&mut of);
            }
        }
        let after = after["#[error(".len()..].trim_start();
        let end = after.find(")]").unwrap();
        rest = &after[end..];
        let Some(literal) = after.strip_prefix('"') else {
            continue;
        };
        let next = rest
            .lines()
            .skip(1)
            .map(str::trim)
            .find(|line| !line.starts_with("//") && !line.starts_with('#'));
        let next = next.unwrap();
        let name = match next.split_once("struct ") {
            Some((_, name)) => identifier(name).to_owned(),
            None => format!("{of}::{}", identifier(next)),
        };
        let text = sample(literal);
        found.push(Variant { name, text });
    }
    found
}

/// The text of a format string with an `x` for each of its arguments.
fn sample(literal: &str) -> String {
    let mut text = String::new();
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            '{' => {
                while chars.next().is_some_and(|c| c != '}') {}
                text.push('x');
            }
            c => text.push(c),
        }
    }
    text
}

#[test]
fn every_error_of_the_code_is_explained() {
    let src = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = Vec::new();
    let mut count = 0;
    for path in sources(&src) {
        for Variant { name, text } in variants(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            let letters = text
                .chars()
                .filter(|c| c.is_alphabetic() && *c != 'x')
                .count();
            let elsewhere = WORDED_ELSEWHERE
                .iter()
                .find(|(variant, _)| *variant == name);
            let known = match elsewhere {
                Some((_, entry)) => explain::by_name(entry).is_some(),
                None => letters >= 4 && explain::by_text(&text).is_some(),
            };
            if !known {
                missing.push(format!("{}: {name}: {text}", path.display()));
            }
        }
    }
    assert!(count > 100, "only {count} errors were found in the sources");
    let mut count = 0;
    for path in sources(&src) {
        for (given_to, text) in worded(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            // A word alone is a name.
            if explain::by_text(&text)
                .or(explain::by_name(&text))
                .is_none()
            {
                missing.push(format!("{}: {given_to}: {text}", path.display()));
            }
        }
    }
    assert!(
        count > 25,
        "only {count} texts were found where they are made"
    );
    assert!(
        missing.is_empty(),
        "add them to src/domain/explain (or, where the text is made elsewhere, to this test's list): {missing:#?}"
    );
}

/// The README's index, as the table has it.
fn readme_index() -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
    let mut text = String::from("\n| name | text | what helps first |\n|---|---|---|\n");
    for entry in explain::index() {
        let cure = entry.cures.first().unwrap();
        let message = cell(entry.message());
        let _ = writeln!(text, "| {} | {message} | {} |", entry.name, cell(cure));
    }
    text
}

#[test]
fn the_readme_lists_every_error() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("UPDATE_README=1 -->\n", "<!-- end of errors -->");
    let from = readme.find(begin).unwrap() + begin.len();
    let to = readme.find(end).unwrap();
    let wanted = readme_index();
    if std::env::var_os("UPDATE_README").is_some() {
        let updated = format!("{}{wanted}{}", &readme[..from], &readme[to..]);
        fs::write(&path, updated).unwrap();
        return;
    }
    assert_eq!(
        &readme[from..to],
        wanted,
        "run this test with UPDATE_README=1"
    );
}
