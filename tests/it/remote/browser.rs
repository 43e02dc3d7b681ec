//! The page in a real browser.

use std::path::Path;
use std::process::Command;

use crate::support::{present, skip};

#[test]
fn the_page_works_in_chromium() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page.mjs");
    if !present("chromium") || !present("node") {
        return;
    }
    if !script
        .with_file_name("node_modules/playwright-core")
        .is_dir()
    {
        skip("playwright-core is missing: run `npm ci` in tests/browser");
        return;
    }
    // The script starts what it attaches to, with homes of their own.
    let output = Command::new("node")
        .arg(&script)
        .env("TUNDRA_BIN", env!("CARGO_BIN_EXE_tundra"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_page_and_the_client_of_attach_are_one_machine() {
    if !present("node") {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/link.mjs");
    let output = Command::new("node").arg(script).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}
