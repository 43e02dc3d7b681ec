//! Exit codes, help, colours, and what needs no instance.

use std::time::Duration;

use serde_json::Value;

use crate::support::home::TUNDRA;
use crate::support::{Home, Serve, command, present};

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
        &["new", "--cols", "1001"],
        &["new", "--rows", "1001"],
        &["resize", "x", "1001x10"],
        &["resize", "x", "10x1001"],
        &["resize", "x", "0x10"],
        &["resize", "x", "99999x10"],
        &["new", "--env", "no-equals-sign"],
    ] {
        let done = home.cli(args);
        assert_eq!(done.code, 2, "{args:?}: {done:#?}");
        assert_eq!(done.stdout, "", "{args:?}");
    }
}

#[test]
fn usage_errors_in_json_are_one_line_and_need_no_usage_text() {
    let home = Home::new();
    for (args, message) in [
        (
            &["capture", "--json"][..],
            "the following required arguments were not provided: <ID>",
        ),
        (
            &["resize", "x", "10x1001", "--json"],
            "invalid value '10x1001' for '<COLSxROWS>': 10x1001 is out of range: from 1x1 to 1000x1000",
        ),
        (
            &["ls", "--json", "--color", "loud"],
            "invalid value 'loud' for '--color <WHEN>' [possible values: auto, always, never]",
        ),
    ] {
        let done = home.cli(args);
        assert_eq!(done.code, 2, "{done:#?}");
        let error: Value = serde_json::from_str(&done.stderr).unwrap();
        assert_eq!(
            error,
            serde_json::json!({"error": {"code": "usage", "message": message}})
        );
    }
    let usage = home.cli(&["capture"]).stderr;
    assert!(
        usage.contains("Usage: tundra capture <ID>"),
        "the variable that names the home is none of the command's arguments: {usage}"
    );
}

#[test]
fn what_cannot_be_written_is_a_failure() {
    let home = Home::with_config("[remote]\nbind = \"127.0.0.1:0\"\n[gateway]\nenabled = false\n");
    let into_full = |home: &Home, args: &[&str]| {
        let mut shell = home.program("sh");
        shell
            .args(["-c", "exec \"$0\" \"$@\" >/dev/full", TUNDRA])
            .args(args);
        command::run(shell, b"", Duration::from_secs(20))
    };
    for args in [
        &["serve", "--print-ready"][..],
        &["config", "print-default"],
        &["config", "path", "--json"],
        &["--help"],
        &["man"],
    ] {
        let done = into_full(&home, args);
        assert_eq!(done.code, 1, "{args:?}: {done:#?}");
        let told = "stdout cannot be written: No space left on device";
        assert!(done.stderr.contains(told), "{args:?}: {done:#?}");
    }
    assert_eq!(home.processes().len(), 0, "nothing runs on");
    let serve = Serve::at(home);
    let done = into_full(&serve.home, &["status", "--json"]);
    assert_eq!(done.code, 1, "{done:#?}");
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
    assert!(!help.contains("dolt"), "dolt is in the help but not there");
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
    let page = home.file("tundra.1");
    std::fs::write(&page, &man).unwrap();
    if present("mandoc") {
        let mut lint = home.program("mandoc");
        lint.args(["-T", "lint"]).arg(&page);
        assert_eq!(command::run(lint, b"", Duration::from_secs(20)).ok(), "");
    }
    assert!(
        man.contains(".SH KEYS") && man.contains("ctrl\\-b"),
        "{man}"
    );
    assert!(man.contains(".TH TUNDRA") && man.contains(".SH"), "{man}");
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
