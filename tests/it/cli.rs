//! The commands: what they print, where, and with which exit code.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, Serve, command, procs};

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[track_caller]
fn has_keys(value: &Value, wanted: &[&str]) {
    for key in wanted {
        assert!(keys(value).contains(key), "{key} is missing in {value}");
    }
}

/// Fails unless it is an RFC 3339 time in UTC of the last minutes.
#[track_caller]
fn is_recent(value: &Value) {
    let text = value.as_str().unwrap();
    let time: jiff::Timestamp = text.parse().unwrap();
    assert!(text.ends_with('Z'), "{text} is not UTC");
    let age = jiff::Timestamp::now().duration_since(time);
    assert!(age.as_secs() < 600 && age.as_secs() >= -1, "{text}");
}

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
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let bin = home.file("bin");
    std::fs::create_dir(&bin).unwrap();
    let claude = bin.join("claude");
    std::fs::write(&claude, "#!/bin/sh\necho pretending; exec cat\n").unwrap();
    std::fs::set_permissions(&claude, std::fs::Permissions::from_mode(0o755)).unwrap();
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
fn a_terminal_is_found_by_id_prefix_and_name() {
    let serve = Serve::start();
    let id = serve.open_with(&["--name", "named"], &["cat"]);
    serve.enter(&id, "hello");
    serve.wait_text(&id, "hello");
    for given in [
        id.as_str(),
        &id[..8],
        &id[..13],
        &id.to_uppercase(),
        "named",
    ] {
        assert!(serve.capture(given).contains("hello"), "{given}");
    }
}

#[test]
fn a_name_that_fits_two_is_refused_with_both() {
    let serve = Serve::start();
    let ids = [(); 2].map(|()| serve.open_with(&["--name", "twin"], &["cat"]));
    let refused = serve.cli(&["kill", "twin"]);
    assert_eq!(refused.code, 1, "one of two was picked: {refused:#?}");
    for id in ids {
        assert!(refused.stderr.contains(&id), "{refused:#?}");
    }
}

#[test]
fn send_types_text_keys_and_pastes() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read -r line; do echo \"[$line]\"; done");
    serve.send(&id, "no enter");
    serve.cli(&["send", &id, "--enter", " yet"]).ok();
    serve.wait_text(&id, r"\[no enter yet\]");
    serve
        .cli(&["send", &id, "--paste", "--enter", "pasted\ttext"])
        .ok();
    serve.wait_text(&id, r"\[pasted");
    serve.send(&id, "one");
    serve.key(&id, "Enter");
    serve.wait_text(&id, r"\[one\]");
    serve
        .cli(&["send", &id, "--enter", "--", "--looks like a flag"])
        .ok();
    serve.wait_text(&id, r"\[--looks like a flag\]");
    serve.cli(&["send", &id, "--enter", ""]).ok();
    serve.wait_text(&id, r"\[\]");
    serve.key(&id, "C-c");
    serve.wait_exit(&id);
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 2);
}

#[test]
fn a_paste_gets_brackets_only_where_asked_for_and_never_breaks_out() {
    let serve = Serve::start();
    let plain = serve.sh("stty raw -echo; echo READY; exec od -An -c -v -w1");
    let bracketed =
        serve.sh("stty raw -echo; printf '\\033[?2004h'; echo READY; exec od -An -c -v -w1");
    for (id, expected) in [(plain, "abZ"), (bracketed, "033[200~ab033[201~Z")] {
        serve.wait_text(&id, "READY");
        serve.cli(&["send", &id, "--paste", "a\x1b[201~\x07b"]).ok();
        serve.send(&id, "Z");
        serve.wait_text(&id, "Z");
        let text: String = serve.joined(&id).split_whitespace().collect();
        let expected_whole = expected.replacen("ab", "a[201~b", 1);
        assert_eq!(text, format!("READY{expected_whole}"));
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for key in ["", "C-", "NoSuchKey", "F99", "ctrl-alt-"] {
        let done = serve.cli(&["send", &id, "--key", key]);
        assert_eq!(done.code, 2, "{key:?}: {done:#?}");
        assert!(key.is_empty() || done.stderr.contains(key), "{done:#?}");
    }
}

#[test]
fn typing_into_a_dead_terminal_is_refused() {
    let serve = Serve::start();
    let id = serve.sh("exit 0");
    serve.wait_exit(&id);
    let done = serve.cli(&["send", &id, "text"]);
    assert_eq!(done.code, 1, "{done:#?}");
    assert!(
        done.stderr.contains("dead") && done.stderr.contains(&id),
        "{done:#?}"
    );
}

#[test]
fn a_dead_terminal_still_shows_its_last_screen() {
    let serve = Serve::start();
    let id = serve.sh("echo last words");
    serve.wait_exit(&id);
    assert!(serve.capture(&id).contains("last words"));
    assert_eq!(serve.screen(&id)["lines"][0], "last words");
    assert_eq!(serve.terminal(&id)["status"], "dead");
    serve.wait_text(&id, "last words");
}

#[test]
fn wait_gives_up_after_its_timeout() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for what in [&["--text", "never"][..], &["--exit"], &["--state", "done"]] {
        let start = Instant::now();
        let mut args = vec!["wait", id.as_str()];
        args.extend(what);
        args.extend(["--timeout", "300ms"]);
        let done = serve.cli(&args);
        assert_eq!(done.code, 1, "{done:#?}");
        assert!(start.elapsed() >= Duration::from_millis(300));
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(!done.stderr.is_empty(), "it says that it gave up");
    }
}

#[test]
fn a_wait_for_text_ends_when_the_terminal_ends_without_it() {
    let serve = Serve::start();
    let id = serve.sh("read x");
    let start = Instant::now();
    std::thread::scope(|scope| {
        let wait = scope.spawn(|| {
            serve
                .home
                .cli(&["wait", &id, "--text", "never", "--timeout", "40s"])
        });
        serve.enter(&id, "");
        assert_eq!(wait.join().unwrap().code, 1);
    });
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "it waited for the dead"
    );
}

#[test]
fn wait_for_exit_answers_at_once_for_the_dead() {
    let serve = Serve::start();
    let id = serve.sh("exit 0");
    serve.wait_exit(&id);
    serve.wait_exit(&id);
}

#[test]
fn wait_wants_exactly_one_thing() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for args in [
        &["wait", &id][..],
        &["wait", &id, "--exit", "--text", "x"],
        &["wait", &id, "--text", "("],
        &["wait", &id, "--state", "no-such-state"],
        &["wait", &id, "--exit", "--timeout", "soon"],
    ] {
        let done = serve.cli(args);
        assert_eq!(done.code, 2, "{args:?}: {done:#?}");
    }
}

#[test]
fn resize_is_seen_by_the_program() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read x; do stty size; done");
    serve.cli(&["resize", &id, "101x31"]).ok();
    serve.enter(&id, "");
    serve.wait_text(&id, "31 101");
    assert_eq!(serve.terminal(&id)["cols"], 101);
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
fn without_an_instance_commands_exit_3() {
    let home = Home::new();
    for args in [
        &["ls"][..],
        &["new"],
        &["send", "x", "y"],
        &["capture", "x"],
        &["resize", "x", "80x24"],
        &["rename", "x", "y"],
        &["wait", "x", "--exit"],
        &["kill", "x"],
        &["status"],
    ] {
        let done = home.cli(args);
        assert_eq!(done.code, 3, "{args:?}: {done:#?}");
        assert_eq!(done.stdout, "");
        assert!(
            done.stderr.contains("tundra serve"),
            "the remedy is told: {done:#?}"
        );
    }
    let done = home.cli(&["ls", "--json"]);
    assert_eq!(done.code, 3);
    assert_eq!(
        done.stderr.trim_end().lines().count(),
        1,
        "one line: {done:#?}"
    );
    let error: Value = serde_json::from_str(&done.stderr).unwrap();
    assert!(
        error["error"]["code"].is_string() && error["error"]["message"].is_string(),
        "{error}"
    );
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

#[test]
fn usage_errors_exit_2() {
    let home = Home::new();
    for args in [
        &["no-such-command"][..],
        &["--no-such-flag"],
        &["ls", "--no-such-flag"],
        &["capture"],
        &["completions", "no-such-shell"],
        &["new", "--cols", "0"],
        &["new", "--cols", "wide"],
        &["new", "--env", "no-equals-sign"],
    ] {
        let done = home.cli(args);
        assert_eq!(done.code, 2, "{args:?}: {done:#?}");
        assert_eq!(done.stdout, "", "{args:?}");
    }
}

#[test]
fn version_and_help_go_to_stdout_and_need_nothing() {
    let home = Home::new();
    let version = home.cli(&["--version"]).ok();
    assert!(
        version.starts_with(&format!("tundra {}", env!("CARGO_PKG_VERSION"))),
        "{version}"
    );
    let help = home.cli(&["--help"]).ok();
    for command in [
        "serve",
        "ls",
        "new",
        "send",
        "capture",
        "resize",
        "rename",
        "wait",
        "kill",
        "status",
        "providers",
        "failover",
        "pin",
        "unpin",
        "restart",
        "reset",
        "enable",
        "disable",
        "ask",
        "config",
        "completions",
        "man",
    ] {
        assert!(help.contains(command), "{command} is not in the help");
        let own = home.cli(&[command, "--help"]).ok();
        assert!(own.contains("Usage:"), "{own}");
    }
    let (example, usage) = (help.to_lowercase().find("example"), help.find("Usage:"));
    assert!(
        example.is_some() && example < usage,
        "help opens with examples:\n{help}"
    );
    assert!(!help.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn no_key_of_a_later_part_is_promised_yet() {
    let home = Home::new();
    let help = home.cli(&["--help"]).ok();
    for later in ["attach", "dolt"] {
        assert!(
            !help.contains(later),
            "{later} is in the help but not there"
        );
    }
}

#[test]
fn completions_and_man_are_generated() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let text = home.cli(&["completions", shell]).ok();
        assert!(
            text.contains("tundra") && text.contains("capture"),
            "{shell}"
        );
    }
    let bash = home.file("completion.bash");
    std::fs::write(&bash, home.cli(&["completions", "bash"]).ok()).unwrap();
    let mut check = home.program("bash");
    check.arg("-n").arg(&bash);
    command::run(check, b"", Duration::from_secs(20)).ok();
    let man = home.cli(&["man"]).ok();
    assert!(man.contains(".TH tundra") && man.contains(".SH"), "{man}");
}

#[test]
fn colours_follow_no_color_and_the_flag() {
    let serve = Serve::start();
    serve.sh("exec cat");
    let plain = serve.cli(&["ls"]).ok();
    assert!(!plain.contains('\x1b'), "a pipe gets no colours");
    let mut forced = serve.home.tundra(&["ls", "--color", "always"]);
    forced.env("NO_COLOR", "1");
    command::run(forced, b"", Duration::from_secs(20)).ok();
    let never = serve.cli(&["ls", "--color", "never"]).ok();
    assert!(!never.contains('\x1b'));
    let bad = serve.cli(&["ls", "--color", "sometimes"]);
    assert_eq!(bad.code, 2);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let serve = Serve::start();
    let id = serve.sh("seq 1 5000; echo END; exec cat");
    serve.wait_text(&id, "END");
    let mut command = serve.home.program("bash");
    command.args([
        "-c",
        "set -o pipefail; \"$0\" capture \"$1\" --scrollback 2>&1 >/dev/full | head -c 400; \"$0\" capture \"$1\" --scrollback | head -1",
        crate::support::home::TUNDRA,
        &id,
    ]);
    let done = command::run(command, b"", Duration::from_secs(30));
    assert!(
        !done.stdout.contains("panicked") && !done.stderr.contains("panicked"),
        "{done:#?}"
    );
}

#[test]
fn without_a_terminal_the_front_end_names_serve() {
    let home = Home::new();
    let done = home.cli(&[]);
    assert_eq!(done.code, 2, "{done:#?}");
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("tundra serve"), "{done:#?}");
    assert!(home.processes().is_empty());
}

#[test]
fn serve_ends_by_sigterm_and_takes_everything_along() {
    for (signal, code) in [(Signal::TERM, [0, 143]), (Signal::INT, [0, 130])] {
        let mut serve = Serve::start();
        let id = serve.sh("trap '' HUP TERM; echo READY; while :; do sleep 1000; done");
        serve.wait_text(&id, "READY");
        let (ended, told) = serve.end(signal);
        assert!(code.contains(&ended), "{signal:?}: {ended} {told}");
        assert!(
            serve.home.processes().is_empty(),
            "{:?}",
            serve.home.processes()
        );
        assert_eq!(serve.cli(&["ls"]).code, 3);
    }
}

#[test]
fn many_commands_at_once_are_all_answered() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    let home = &serve.home;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..20)
            .map(|number| {
                let id = &id;
                scope.spawn(move || {
                    home.cli(&["send", id, "--enter", &format!("<{number}>")])
                        .ok();
                    home.cli(&["wait", id, "--text", &format!("<{number}>")])
                        .code
                })
            })
            .collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 0);
        }
    });
}

#[test]
fn rubbish_on_the_socket_harms_nobody() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    let serve = Serve::start();
    let socket = serve.ready()["control_socket"].as_str().unwrap().to_owned();
    let mut silent = Vec::new();
    for rubbish in [
        &b""[..],
        b"\n",
        b"{}\n",
        b"\xff\xfe\x00\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{\"a\":",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(rubbish).unwrap();
        silent.push(stream);
    }
    let mut endless = UnixStream::connect(&socket).unwrap();
    endless
        .set_write_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let megabyte = vec![b'a'; 1 << 20];
    for _ in 0..64 {
        if endless.write_all(&megabyte).is_err() {
            break;
        }
    }
    assert!(
        procs::resident_kib(serve.pid()) < 128 * 1024,
        "an endless line is not kept"
    );
    serve.cli(&["ls"]).ok();
    drop(silent);
    endless
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let _ = endless.read(&mut [0; 64]);
    serve.cli(&["ls"]).ok();
}
