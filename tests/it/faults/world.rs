//! The machine around it: other instances, disks, environments.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::condition::eventually;
use crate::support::{Home, Serve, skip};

#[test]
fn a_second_instance_names_the_first() {
    let serve = Serve::start();
    let second = serve.cli(&["serve"]);
    assert_eq!(second.code, 1, "{second:#?}");
    assert!(
        second.stderr.contains(&serve.pid().to_string()),
        "{second:#?}"
    );
    serve.cli(&["status"]).ok();
}

#[test]
fn after_a_kill_9_it_starts_again() {
    let mut serve = Serve::start();
    serve.sh("exec cat");
    let (code, _) = serve.end(Signal::KILL);
    assert_eq!(code, 137);
    let home = &serve.home;
    eventually("the children are gone", || home.processes().is_empty());
    assert_eq!(home.cli(&["ls"]).code, 3, "a stale socket is no instance");
    let command = home.tundra(&["serve", "--print-ready"]);
    let mut again = Serve::from(Home::new(), command);
    home.cli(&["ls"]).ok();
    assert_eq!(again.end(Signal::TERM).0, 143);
}

#[test]
fn a_log_on_a_full_disk_stops_nothing() {
    let home = Home::new();
    fs::create_dir_all(home.path().join("logs")).unwrap();
    symlink("/dev/full", home.path().join("logs/tundra.log")).unwrap();
    let mut serve = Serve::at(home);
    let id = serve.sh("exec cat");
    serve.enter(&id, "hello");
    serve.wait_text(&id, "hello");
    assert!(serve.running());
    let (_, told) = serve.end(Signal::TERM);
    assert!(!told.contains("panicked"), "{told}");
}

#[test]
fn a_full_disk_under_home_stops_no_terminal() {
    let home = Home::new();
    let mut mount = home.program("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"])
        .arg(home.path().join("logs"));
    fs::create_dir_all(home.path().join("logs")).unwrap();
    let mounted = crate::support::command::run(mount, b"", Duration::from_secs(10));
    if mounted.code != 0 {
        skip(&format!(
            "no tmpfs can be mounted here: {}",
            mounted.stderr.trim()
        ));
        return;
    }
    // It goes away when the last user is gone, however this test ends.
    let logs = home.path().join("logs");
    let mut serve = Serve::at(home);
    fs::write(logs.join("filler"), vec![b'x'; 1 << 20]).unwrap_err();
    for _ in 0..30 {
        let id = serve.sh("echo hello; exec cat");
        serve.wait_text(&id, "hello");
        serve.cli(&["kill", &id]).ok();
        serve.wait_exit(&id);
    }
    assert!(serve.running());
    serve.end(Signal::TERM);
    let mut unmount = serve.home.program("umount");
    unmount.arg("-l").arg(&logs);
    crate::support::command::run(unmount, b"", Duration::from_secs(10));
}

#[test]
fn a_log_folder_that_cannot_be_made_is_told() {
    let home = Home::new();
    fs::write(home.path().join("logs"), "a file where a folder should be").unwrap();
    let done = home.cli(&["config", "path"]);
    assert_eq!(done.code, 0, "commands need no logs: {done:#?}");
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("RUST_BACKTRACE", "0");
    let mut serve = Serve::from(home, command);
    let (code, told) = serve.end(Signal::TERM);
    assert_eq!(code, 143);
    assert!(!told.contains("panicked"), "{told}");
    assert!(told.contains("no log is written to"), "{told}");
}

#[test]
fn without_shell_home_and_term_there_is_still_a_shell() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command
        .env_remove("SHELL")
        .env_remove("TERM")
        .env_remove("HOME");
    command.env("TUNDRA_TEST_HOME", home.user());
    let serve = Serve::from(home, command);
    let id = serve.cli(&["new"]).ok();
    let id = id.trim();
    serve.enter(id, "echo $TERM:$((40 + 2))");
    serve.wait_text(id, "xterm-256color:42");
}

#[test]
fn a_locale_without_utf_8_changes_nothing_for_programs() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("LC_ALL", "C").env_remove("LANG");
    let serve = Serve::from(home, command);
    let id = serve.sh("printf '\\342\\202\\254 \\346\\227\\245\\n'; exec cat");
    serve.wait_text(&id, "€ 日");
}

#[test]
fn an_unwritable_home_is_told_not_panicked_about() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("TUNDRA_HOME", "/proc/nowhere");
    let done = crate::support::command::run(command, b"", Duration::from_secs(20));
    assert!(done.code == 1 || done.code == 2, "{done:#?}");
    assert!(done.stderr.contains("/proc/nowhere"), "{done:#?}");
    assert!(!done.stderr.contains("panicked"), "{done:#?}");
}

#[test]
fn waits_end_when_the_instance_ends() {
    let mut serve = Serve::start();
    let id = serve.sh("exec cat");
    let mut wait = serve.home.tundra(&["wait", &id, "--text", "never"]);
    wait.stderr(std::process::Stdio::null());
    let mut wait = wait.spawn().unwrap();
    assert_eq!(serve.end(Signal::TERM).0, 143);
    let status = eventually("the wait has ended", || wait.try_wait().unwrap());
    assert!(!status.success());
}
