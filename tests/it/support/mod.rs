//! What tests stand on: a home of their own, an outer terminal, a running instance, a look into `/proc`, and waiting.
//!
//! Every test module may use this room. Nothing here knows what a test is about.

pub mod client;
pub mod command;
pub mod condition;
pub mod home;
pub mod local_server;
pub mod procs;
pub mod pty;
pub mod screen;
pub mod serve;
pub mod stage;
pub mod terminal;
pub mod upstream;
pub mod viewer;

use std::fs;
use std::path::{Path, PathBuf};

pub use condition::eventually;
pub use home::Home;
pub use serve::Serve;
pub use terminal::Terminal;

/// The Rust files below a folder, by name.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Tells whether a program is there; where it is not, says loudly what is skipped.
pub fn present(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    });
    if !found {
        skip(&format!("{program} is not installed"));
    }
    found
}

/// Says on the real stderr, past the test harness, what is not tried here.
pub fn skip(why: &str) {
    use std::io::Write as _;
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "SKIPPED: {test}: {why}").unwrap();
}
