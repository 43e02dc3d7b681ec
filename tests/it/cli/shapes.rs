//! What commands answer, key by key.

use serde_json::{Value, json};

use super::{has_keys, is_recent};
use crate::support::{Home, Serve, procs};

#[test]
fn the_ready_line_tells_where_to_reach_it() {
    let serve = Serve::start();
    let ready = serve.ready();
    has_keys(
        ready,
        &[
            "pid",
            "version",
            "remote_url",
            "gateway_url",
            "control_socket",
        ],
    );
    assert_eq!(ready["pid"], serve.pid());
    assert_eq!(ready["version"], env!("CARGO_PKG_VERSION"));
    let socket = ready["control_socket"].as_str().unwrap();
    assert!(
        socket.starts_with(serve.home.path().join("run").to_str().unwrap()),
        "{socket}"
    );
    for url in ["remote_url", "gateway_url"] {
        assert!(
            ready[url].is_null() || ready[url].as_str().unwrap().starts_with("http"),
            "{ready}"
        );
    }
}

#[test]
fn sockets_and_their_folders_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let serve = Serve::start();
    let socket = std::path::Path::new(serve.ready()["control_socket"].as_str().unwrap()).to_owned();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
}

#[test]
fn ls_lists_terminals_key_by_key() {
    let serve = Serve::start();
    assert_eq!(serve.cli(&["ls", "--json"]).json(), json!([]));
    let id = serve.open_with(
        &["--name", "work", "--cols", "90", "--rows", "20"],
        &["sh", "-c", "exec cat"],
    );
    let list = serve.cli(&["ls", "--json"]).json();
    let terminal = &list[0];
    has_keys(
        terminal,
        &[
            "id",
            "name",
            "command",
            "cwd",
            "pid",
            "cols",
            "rows",
            "title",
            "status",
            "owner",
            "persistent",
            "viewers",
            "created_at",
            "disconnected_since",
            "exit",
            "agent",
        ],
    );
    assert_eq!(terminal["id"], id);
    assert_eq!(terminal["name"], "work");
    assert_eq!(terminal["command"], json!(["sh", "-c", "exec cat"]));
    assert_eq!(
        terminal["cwd"],
        serve.home.user().canonicalize().unwrap().to_str().unwrap()
    );
    assert!(procs::alive(serve.child_pid(&id)));
    assert_eq!(
        (&terminal["cols"], &terminal["rows"]),
        (&json!(90), &json!(20))
    );
    assert_eq!(terminal["status"], "active");
    assert_eq!(terminal["owner"], "local");
    assert_eq!(terminal["persistent"], false);
    assert_eq!(terminal["viewers"], 0);
    is_recent(&terminal["created_at"]);
    for key in ["disconnected_since", "exit", "agent"] {
        assert_eq!(terminal[key], Value::Null, "{key}");
    }
    let text = serve.cli(&["ls"]).ok();
    let row = text.lines().find(|line| line.contains("work")).unwrap();
    for part in [
        &id[..8],
        "cat",
        "90x20",
        "active",
        &serve.child_pid(&id).to_string(),
    ] {
        assert!(row.contains(part), "{part:?} is not in {row:?}");
    }
}

#[test]
fn new_prints_the_id_or_the_terminal() {
    let serve = Serve::start();
    let plain = serve.cli(&["new", "--", "cat"]).ok();
    assert!(plain.ends_with('\n'));
    let id = plain.trim();
    assert_eq!(id.len(), 36, "{id}");
    let terminal = serve.cli(&["new", "--json", "--", "cat"]).json();
    has_keys(
        &terminal,
        &["id", "name", "command", "pid", "cols", "rows", "status"],
    );
    assert_eq!(terminal["command"], json!(["cat"]));
}

#[test]
fn an_agent_terminal_names_its_kind() {
    let home = Home::new();
    let claude = home.script("bin/claude", "#!/bin/sh\necho pretending; exec cat\n");
    let bin = claude.parent().unwrap();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", bin.display()));
    let serve = Serve::from(home, command);
    let id = serve.cli(&["new", "--agent", "claude"]).ok();
    let agent = serve.terminal(id.trim())["agent"].clone();
    has_keys(&agent, &["kind", "state", "since", "by"]);
    assert_eq!(agent["kind"], "claude");
    let bad = serve.cli(&["new", "--agent", "nobody"]);
    assert_eq!(bad.code, 2, "{bad:#?}");
}

#[test]
fn status_tells_the_pool_in_one_look() {
    let serve = Serve::with_config("[pty]\nmax_ptys = 7\n");
    serve.sh("exec cat");
    let status = serve.cli(&["status", "--json"]).json();
    has_keys(&status, &["version", "pid", "started_at", "pool"]);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["pid"], serve.pid());
    is_recent(&status["started_at"]);
    assert_eq!(status["pool"], json!({"active": 1, "max": 7}));
    let text = serve.cli(&["status"]).ok();
    assert!(text.contains("1/7") || text.contains("1 of 7"), "{text}");
    assert!(text.contains(&serve.pid().to_string()), "{text}");
}

#[test]
fn errors_are_json_where_json_was_asked_for() {
    let serve = Serve::start();
    let done = serve.cli(&["capture", "nobody", "--json"]);
    assert_eq!(done.code, 1);
    assert_eq!(
        done.stderr.trim_end().lines().count(),
        1,
        "one line: {done:#?}"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&done.stderr).unwrap(),
        json!({"error": {"code": "not_found", "message": "pty handle not found: nobody"}})
    );
    let done = serve.cli(&["new", "--json", "--", "no-such-program"]);
    let error: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(error["error"]["code"], "spawn_failed");
}
