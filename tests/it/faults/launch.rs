//! Terminals that cannot be opened.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::home::TUNDRA;
use crate::support::{Home, Serve, command, procs};

#[test]
fn a_program_that_cannot_be_started_is_refused_with_the_reason() {
    let serve = Serve::start();
    let folder = serve.home.file("folder");
    fs::create_dir(&folder).unwrap();
    let plain = serve.home.file("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    let cases = [
        ("no-such-program-anywhere", "not found"),
        ("/no/such/program", "not found"),
        (folder.to_str().unwrap(), "folder"),
        (plain.to_str().unwrap(), "not executable"),
    ];
    for (program, reason) in cases {
        let refused = serve.cli(&["new", "--", program]);
        assert_eq!(refused.code, 1, "{refused:#?}");
        assert!(
            refused.stderr.contains("pty spawn failed: "),
            "{refused:#?}"
        );
        assert!(
            refused.stderr.contains(program),
            "the name is told: {refused:#?}"
        );
        assert!(
            refused.stderr.contains(reason)
                || (reason == "folder" && refused.stderr.contains("directory")),
            "{reason} is told: {refused:#?}"
        );
    }
    let list = serve.cli(&["ls", "--json"]).json();
    assert_eq!(
        list.as_array().unwrap().len(),
        0,
        "nothing of them is listed: {list}"
    );
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 0);
}

#[test]
fn a_script_whose_interpreter_is_missing_is_refused_with_the_interpreter() {
    let serve = Serve::start();
    let script = serve.home.script("script", "#!/no/such/interpreter -x\n");
    let script = script.to_str().unwrap();
    serve.cli(&["new", "--", script]).refused(
        1,
        &format!("pty spawn failed: {script}: its interpreter /no/such/interpreter: not found"),
    );
}

#[test]
fn a_working_directory_that_is_gone_is_refused() {
    let serve = Serve::start();
    serve
        .cli(&["new", "--cwd", "/no/such/folder", "--", "cat"])
        .refused(
            1,
            "pty spawn failed: working directory /no/such/folder: does not exist",
        );
    let removed = |args: &str| {
        let mut shell = serve.home.program("sh");
        let script = format!("mkdir gone && cd gone && rmdir ../gone && exec \"$0\" new {args}");
        shell.args(["-c", &script, TUNDRA]);
        command::run(shell, b"", Duration::from_secs(20))
    };
    removed("--cwd . -- cat").refused(1, "pty spawn failed: working directory .: does not exist");
    // Without the option there is a shell all the same, where the instance was started.
    let id = removed("-- cat").ok();
    let here = serve.home.user().canonicalize().unwrap();
    assert_eq!(serve.terminal(id.trim())["cwd"], here.to_str().unwrap());
    let absolute = removed("--cwd / -- cat").ok();
    assert_eq!(serve.terminal(absolute.trim())["cwd"], "/");
}

#[test]
fn a_folder_whose_name_is_no_text_is_a_folder_like_others() {
    let serve = Serve::start();
    let folder = serve.home.user().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let write = ["new", "--", "sh", "-c", "echo here > file"];
    let mut command = serve.home.tundra(&write);
    command.current_dir(&folder);
    let id = command::run(command, b"", Duration::from_secs(20)).ok();
    serve.wait_exit(id.trim());
    assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "here\n");
    let mut command = serve.home.tundra(&["new", "--cwd"]);
    command.arg(&folder).args(["--", "rm", "file"]);
    let id = command::run(command, b"", Duration::from_secs(20)).ok();
    serve.wait_exit(id.trim());
    assert!(!folder.join("file").exists());
    assert_eq!(serve.terminal(id.trim())["status"], "dead");
}

#[test]
fn a_full_pool_refuses_until_a_child_has_been_reaped() {
    let serve = Serve::with_config("[pty]\nmax_ptys = 2\n");
    let first = serve.sh("exec cat");
    let _second = serve.sh("exec cat");
    serve
        .cli(&["new", "--", "cat"])
        .refused(1, "pty pool is at capacity (2)");
    let json = serve.cli(&["new", "--json", "--", "cat"]);
    let error: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(error["error"]["code"], "at_capacity");
    assert_eq!(error["error"]["message"], "pty pool is at capacity (2)");
    assert_eq!(json.code, 1);
    serve.cli(&["kill", &first]).ok();
    serve.wait_exit(&first);
    serve.sh("exec cat");
}

#[test]
fn a_pool_under_a_stampede_is_never_overfull() {
    let serve = Serve::with_config("[pty]\nmax_ptys = 3\n");
    let home = &serve.home;
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| home.cli(&["new", "--", "cat"]).code))
            .collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        3,
        "{codes:?}"
    );
    assert_eq!(procs::children(serve.pid()).len(), 3);
}

#[test]
fn an_unknown_id_is_named() {
    let serve = Serve::start();
    for command in [
        &["send", "nobody", "text"][..],
        &["capture", "nobody"],
        &["resize", "nobody", "80x24"],
        &["rename", "nobody", "name"],
        &["kill", "nobody"],
        &["wait", "nobody", "--exit"],
    ] {
        serve
            .cli(command)
            .refused(1, "pty handle not found: nobody");
    }
    let uuid = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    let refused = serve.cli(&["capture", uuid]);
    refused.refused(1, &format!("pty handle not found: {uuid}"));
}

#[test]
fn impossible_sizes_are_refused() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    for size in [
        "0x0",
        "0x24",
        "80x0",
        "80",
        "x",
        "80x24x3",
        "-1x5",
        "99999999x2",
    ] {
        let done = serve.cli(&["resize", "--", &id, size]);
        assert_eq!(done.code, 2, "{size}: {done:#?}");
    }
    let limit = serve.cli(&["resize", &id, "1000x1001"]);
    assert_eq!(limit.code, 2, "{limit:#?}");
    assert!(
        limit
            .stderr
            .contains("1000x1001 is out of range: from 1x1 to 1000x1000"),
        "{limit:#?}"
    );
    serve.cli(&["resize", &id, "1000x1000"]).ok();
    assert_eq!(serve.terminal(&id)["rows"], 1000);
    // The smallest that is asked for is the smallest there is.
    serve.cli(&["resize", &id, "1x1"]).ok();
    assert_eq!(serve.terminal(&id)["cols"], 2);
    let id = serve.open_with(&["--cols", "1", "--rows", "1"], &["cat"]);
    assert_eq!(serve.terminal(&id)["rows"], 2);
}

#[test]
fn a_shell_that_does_not_exist_is_refused_with_its_name() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("SHELL", "/no/such/shell");
    let serve = Serve::from(home, command);
    let done = serve.cli(&["new"]);
    // Either it falls back to one that exists, or it says what is wrong.
    assert!(
        done.code == 0 || done.stderr.contains("/no/such/shell"),
        "{done:#?}"
    );
}
