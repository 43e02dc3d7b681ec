//! A plain WebSocket client of another language, with a library of its own.
//!
//! `TUNDRA_TEST_PYTHON` names a Python that has `websockets`. Where it is missing, what is skipped is told.

use std::path::Path;
use std::process::Command;

use super::instance;
use crate::support::skip;

#[test]
fn a_plain_python_client_attaches_returns_and_is_refused() {
    let python = std::env::var("TUNDRA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import websockets.sync.client"])
        .output();
    if !has.is_ok_and(|output| output.status.success()) {
        skip(&format!(
            "{python} has no websockets (set TUNDRA_TEST_PYTHON)"
        ));
        return;
    }
    let (_serve, remote) = instance("reconnect_grace = \"4s\"");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk/attach.py");
    let output = Command::new(&python)
        .args(["-W", "error"])
        .arg(script)
        .env("REMOTE_URL", remote.origin())
        .env("REMOTE_TOKEN", &remote.token)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.trim_end().ends_with("all of it held"),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
