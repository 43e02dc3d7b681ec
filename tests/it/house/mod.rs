//! The walls of the house: which room may import which, where each foreign crate lives, and that no two files of a room
//! import each other.

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sources;

/// Each room with the rooms it may import, as `src/ARCHITECTURE.md` has them.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain", "runtime"]),
    ("runtime", &["domain"]),
    ("store", &["domain", "runtime", "supervise"]),
    ("telemetry", &["config", "domain", "runtime"]),
    ("pane", &["domain", "runtime"]),
    ("gateway", &["domain", "runtime"]),
    ("supervise", &["domain", "runtime"]),
    (
        "providers",
        &["config", "domain", "runtime", "gateway", "supervise"],
    ),
    (
        "api",
        &[
            "config",
            "domain",
            "runtime",
            "pane",
            "gateway",
            "providers",
            "supervise",
            "store",
        ],
    ),
    ("control", &["api", "config", "domain", "runtime"]),
    ("demo", &["domain"]),
    (
        "doctor",
        &[
            "api",
            "config",
            "control",
            "domain",
            "gateway",
            "runtime",
            "store",
            "telemetry",
        ],
    ),
    ("push", &["domain", "runtime"]),
    (
        "remote",
        &["api", "config", "domain", "pane", "push", "runtime"],
    ),
    (
        "tui",
        &[
            "config",
            "domain",
            "runtime",
            "pane",
            "providers",
            "store",
            "supervise",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "api",
            "config",
            "control",
            "demo",
            "doctor",
            "domain",
            "gateway",
            "pane",
            "providers",
            "push",
            "remote",
            "runtime",
            "telemetry",
            "tui",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "api",
            "app",
            "config",
            "control",
            "doctor",
            "domain",
            "remote",
            "runtime",
            "store",
            "telemetry",
        ],
    ),
];

/// Files that stand aside where circles are counted: each command's file has its arguments and what it does, and the
/// parser knows all commands.
const ASIDE: &[&str] = &["cli/args.rs", "cli/mod.rs"];

/// Foreign crates that have one home.
const HOMES: &[(&str, &[&str])] = &[
    ("vt100", &["src/pane/emulator"]),
    ("portable_pty", &["src/pane/pty.rs"]),
    ("ratatui", &["src/tui"]),
    ("crossterm", &["src/tui"]),
    ("clap", &["src/cli"]),
    ("reqwest", &["src/push", "src/telemetry/otlp"]),
    ("hyper_rustls", &["src/gateway/upstream"]),
    ("hyper", &["src/demo", "src/gateway", "src/remote"]),
    ("flate2", &["src/doctor/bundle.rs", "src/gateway"]),
    ("tar", &["src/doctor/bundle.rs"]),
    ("rusqlite", &["src/store"]),
    ("mysql_async", &["src/store/dolt"]),
    ("notify", &["src/runtime"]),
];

/// The lines of a file that are code.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The other rooms that a line names.
fn rooms_in(line: &str) -> impl Iterator<Item = &'static str> {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    ROOMS.iter().map(|(room, _)| *room).filter(move |room| {
        line.split("crate::")
            .skip(1)
            .any(|path| path.strip_prefix(room).is_some_and(ends))
    })
}

/// The rooms that a room imports, each with a line that does.
fn imports(room: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for path in sources(&root().join("src").join(room)) {
        for line in code(&path) {
            for other in rooms_in(&line).filter(|other| *other != room) {
                found.push((other, format!("{}: {}", path.display(), line.trim())));
            }
        }
    }
    found
}

#[test]
fn rooms_import_only_the_rooms_below_them() {
    let mut offences = Vec::new();
    for (room, allowed) in ROOMS {
        let imports = imports(room).into_iter();
        offences.extend(imports.filter(|(other, _)| !allowed.contains(other)));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn no_room_may_import_what_it_does_not() {
    let mut unused = Vec::new();
    for (room, allowed) in ROOMS {
        let used: BTreeSet<&str> = imports(room).iter().map(|(other, _)| *other).collect();
        let idle = allowed.iter().filter(|other| !used.contains(*other));
        unused.extend(idle.map(|other| format!("{room} imports nothing of {other}")));
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn no_import_hides_in_braces() {
    let mut offences = Vec::new();
    for path in sources(&root().join("src")) {
        let lines = code(&path).into_iter();
        offences.extend(lines.filter(|line| line.contains("crate::{")));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let mut offences = Vec::new();
    for (room, _) in ROOMS {
        offences.extend(circles::circles(&root().join("src"), room, ASIDE));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn every_room_is_on_the_list() {
    let mut rooms: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    rooms.sort();
    let mut listed: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    listed.sort_unstable();
    assert_eq!(rooms, listed);
}

#[test]
fn each_foreign_crate_has_one_home() {
    let mut offences = Vec::new();
    for path in sources(&root().join("src")) {
        let place = path
            .strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for line in code(&path) {
            for (name, homes) in HOMES {
                let names = [
                    format!("use {name}::"),
                    format!(" {name}::"),
                    format!("({name}::"),
                ];
                let is_named = names.iter().any(|pattern| line.contains(pattern));
                if is_named && !homes.iter().any(|home| place.starts_with(home)) {
                    offences.push(format!("{place}: {}", line.trim()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn every_room_says_what_it_is_for() {
    for (room, _) in ROOMS {
        let path = root().join("src").join(room).join("mod.rs");
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} opens without a word",
            path.display()
        );
    }
}
