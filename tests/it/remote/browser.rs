//! The page in a real browser.

use std::path::Path;
use std::process::Command;

use super::instance;
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
    let (serve, remote) = instance("reconnect_grace = \"1s\"\nidle_timeout = \"60s\"");
    let output = Command::new("node")
        .arg(&script)
        .env("TUNDRA_BIN", env!("CARGO_BIN_EXE_tundra"))
        .env("TUNDRA_HOME", serve.home.path())
        .env("TUNDRA_URL", remote.origin())
        .env("TUNDRA_TOKEN", &remote.token)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
