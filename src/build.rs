//! Tells the program which commit it was built from, where it was built from one: `tundra --version`.

use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "TUNDRA_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    // A build for trying is not built anew with every commit.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return;
    }
    // Whoever builds from an archive may say it.
    let said = std::env::var(VARIABLE)
        .ok()
        .filter(|commit| !commit.is_empty());
    if let Some(commit) = said.or_else(commit) {
        println!("cargo:rustc-env={VARIABLE}={commit}");
    }
}

/// The commit of this folder's own repository, not of one that it was unpacked in.
fn commit() -> Option<String> {
    let folder = std::env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&folder).canonicalize().ok()? {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let done = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(done.stdout).ok()?;
    let said = said.trim().to_owned();
    (done.status.success() && !said.is_empty()).then_some(said)
}
