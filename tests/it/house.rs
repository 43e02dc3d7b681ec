//! The walls of the house: which room may import which, and where each foreign crate lives.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms it may import, as `src/ARCHITECTURE.md` has them.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("runtime", &["domain"]),
    ("telemetry", &["config", "domain"]),
    ("pane", &["config", "domain", "runtime"]),
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
        ],
    ),
    ("control", &["api", "config", "domain", "runtime"]),
    ("remote", &["api", "config", "domain", "pane", "runtime"]),
    (
        "tui",
        &[
            "config",
            "domain",
            "runtime",
            "pane",
            "providers",
            "supervise",
        ],
    ),
    (
        "app",
        &[
            "api",
            "config",
            "control",
            "domain",
            "gateway",
            "pane",
            "providers",
            "remote",
            "runtime",
            "telemetry",
            "tui",
        ],
    ),
    (
        "cli",
        &["api", "app", "config", "control", "domain", "remote"],
    ),
];

/// Foreign crates that have one home.
const HOMES: &[(&str, &[&str])] = &[
    ("vt100", &["src/pane/emulator"]),
    ("portable_pty", &["src/pane/pty.rs"]),
    ("ratatui", &["src/tui"]),
    ("crossterm", &["src/tui"]),
    ("clap", &["src/cli"]),
    ("reqwest", &["src/gateway"]),
    ("hyper", &["src/gateway", "src/remote"]),
    ("flate2", &["src/gateway"]),
    ("notify", &["src/config"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a file that are code.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn rooms_import_only_the_rooms_below_them() {
    let mut offences = Vec::new();
    for (room, allowed) in ROOMS {
        for path in sources(&root().join("src").join(room)) {
            for line in code(&path) {
                for (other, _) in ROOMS {
                    let imports = line.contains(&format!("crate::{other}::"))
                        || line.contains(&format!("crate::{other};"));
                    if imports && other != room && !allowed.contains(other) {
                        offences.push(format!("{}: {}", path.display(), line.trim()));
                    }
                }
            }
        }
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
