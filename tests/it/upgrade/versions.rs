//! The two programs need not be of one version.

use serde_json::Value;

use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::viewer::Remote;
use crate::support::{Home, Serve, Terminal};

/// Upgrades to a program of another version, whose state has keys that the present one does not know, or back.
#[track_caller]
fn upgrade(home: &Home, version: Option<&str>) -> Value {
    let environment = match version {
        Some(version) => format!("export TUNDRA_FAULT=version:{version}"),
        None => "unset TUNDRA_FAULT".to_owned(),
    };
    let script = format!("#!/bin/bash\n{environment}\nexec {TUNDRA} \"$@\"\n");
    let binary = home.script(&format!("tundra-{}", version.unwrap_or("own")), &script);
    home.cli(&["upgrade", "--json", "--binary", binary.to_str().unwrap()])
        .json()
}

#[test]
fn a_later_one_takes_over_and_the_earlier_one_after_it() {
    let serve = Serve::start();
    let remote = Remote::of(&serve);
    let id = serve.open_with(&["--name", "work"], &["sh"]);
    serve.enter(&id, "printf '\\033[1;35mloud\\033[m\\n'; seq 1 100");
    serve.wait_text(&id, "^100");
    let mut viewer = remote.plain(&id);
    viewer.bytes_with("100");
    let state = || {
        (
            serve.terminal(&id),
            serve.cli(&["capture", &id, "--scrollback", "--ansi"]).ok(),
        )
    };
    let before = state();
    for (to, from, version) in [
        (Some("9.9.9"), "0.1.0", "9.9.9"),
        (None, "9.9.9", "0.1.0"),
        (Some("0.0.1"), "0.1.0", "0.0.1"),
        (None, "0.0.1", "0.1.0"),
    ] {
        let answer = upgrade(&serve.home, to);
        assert_eq!(
            (&answer["from"], &answer["version"]),
            (&from.into(), &version.into())
        );
        assert_eq!(answer["lost"], serde_json::json!([]));
        assert_eq!(answer["pid"], serve.pid());
        let told = serve.cli(&["status", "--json"]).json();
        assert_eq!(told["version"], version);
        assert_eq!(state(), before);
    }
    viewer.text("echo on\"\"ward\r");
    viewer.bytes_with("onward");
}

#[test]
fn what_a_terminal_shows_goes_on_in_both_directions() {
    let home = Home::new();
    let mut terminal = Terminal::arranged(&home);
    for version in [Some("9.9.9"), None] {
        let before = terminal.raw_len();
        upgrade(&home, version);
        eventually("it is shown again", || terminal.raw_len() > before);
        terminal.wait_for("both panes are there", |screen| screen.has("remembered"));
        terminal.say("alive");
    }
    terminal.command("d");
    assert_eq!(terminal.exit(), 0);
}
