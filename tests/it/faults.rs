//! What goes wrong in the world, and what tundra makes of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::condition::{eventually, within};
use crate::support::{Home, Serve, procs, skip};

/// How much more memory a fault may cost, in KiB: rings and queues, never the flood itself.
const ROOM_KIB: u64 = 64 * 1024;

#[test]
fn a_child_that_ignores_hup_and_term_is_killed_after_the_grace() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.sh("trap '' HUP TERM; echo READY; while :; do sleep 1000; done");
    serve.wait_text(&id, "READY");
    let pid = serve.child_pid(&id);
    let start = Instant::now();
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    assert!(
        start.elapsed() >= Duration::from_millis(450),
        "it was not given its grace"
    );
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 9);
    eventually("the whole session is gone", || {
        procs::all().iter().all(|process| process.session != pid)
    });
}

#[test]
fn a_child_that_obeys_is_not_kept_waiting_for_the_grace() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"30s\"\n");
    let id = serve.sh("echo READY; exec sleep 1000");
    serve.wait_text(&id, "READY");
    let start = Instant::now();
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(serve.terminal(&id)["exit"]["signal"], 1);
}

#[test]
fn killing_ends_every_process_group_of_the_session() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.open(&[
        "bash",
        "-c",
        "set -m; (trap '' HUP TERM; sleep 1000; sleep 1000) & sleep 1000 & echo READY; exec sleep 1000",
    ]);
    serve.wait_text(&id, "READY");
    let pid = serve.child_pid(&id);
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    eventually("every group of the session is gone", || {
        procs::all().iter().all(|process| process.session != pid)
    });
}

#[test]
fn a_child_that_exits_at_once_is_seen_whole() {
    let serve = Serve::start();
    for _ in 0..20 {
        let id = serve.sh("printf gone; exit 3");
        serve.wait_exit(&id);
        assert_eq!(serve.terminal(&id)["exit"]["code"], 3);
        assert_eq!(serve.capture(&id).trim_end(), "gone");
    }
    assert!(procs::zombies(serve.pid()).is_empty());
}

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
fn a_script_with_a_broken_interpreter_is_refused_or_told_as_an_exit() {
    let serve = Serve::start();
    let script = serve.home.file("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let done = serve.cli(&["new", "--", script.to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:#?}");
    assert!(done.stderr.contains("pty spawn failed: "), "{done:#?}");
}

#[test]
fn a_working_directory_that_is_gone_is_refused() {
    let serve = Serve::start();
    let refused = serve.cli(&["new", "--cwd", "/no/such/folder", "--", "cat"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("pty spawn failed: "),
        "{refused:#?}"
    );
    assert!(refused.stderr.contains("/no/such/folder"), "{refused:#?}");
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
fn killing_twice_does_no_harm() {
    let serve = Serve::start();
    let id = serve.sh("exec cat");
    let other = serve.sh("exec cat");
    serve.cli(&["kill", &id]).ok();
    let again = serve.cli(&["kill", &id]);
    assert!(again.code == 0 || again.code == 1, "{again:#?}");
    serve.wait_exit(&id);
    let dead = serve.cli(&["kill", &id]);
    assert!(dead.code == 0 || dead.code == 1, "{dead:#?}");
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 1);
    serve.enter(&other, "still here");
    serve.wait_text(&other, "still here");
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
fn a_flood_in_a_hidden_pane_slows_nobody_and_is_bounded() {
    let serve = Serve::start();
    let before = procs::resident_kib(serve.pid());
    let flood = serve.sh("exec yes flooding the pane with lines of text");
    let shell = serve.sh("exec cat");
    for round in 0..20 {
        let start = Instant::now();
        serve.enter(&shell, &format!("echo-{round}."));
        serve.wait_text(&shell, &format!(r"echo-{round}\."));
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "echo took {:?}",
            start.elapsed()
        );
        assert!(serve.capture(&flood).contains("flooding"));
    }
    let growth = procs::peak_resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
    serve.cli(&["kill", &flood]).ok();
    serve.wait_exit(&flood);
}

#[test]
fn a_paste_into_a_program_that_does_not_read_is_refused_and_hangs_nothing() {
    let serve = Serve::start();
    let deaf = serve.sh("stty raw -echo; echo READY; exec sleep 1000");
    serve.wait_text(&deaf, "READY");
    let other = serve.sh("exec cat");
    let before = procs::resident_kib(serve.pid());
    let piece = "x".repeat(96 * 1024);
    // A queue of any sensible bound is full long before 16 MiB.
    let refused = (0..170)
        .map(|_| serve.cli(&["send", &deaf, "--paste", &piece]))
        .find(|done| done.code != 0)
        .expect("a full queue is told");
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.stderr.contains("does not read"),
        "{}",
        refused.stderr
    );
    serve.enter(&other, "meanwhile");
    serve.wait_text(&other, "meanwhile");
    assert!(serve.capture(&deaf).contains("READY"));
    let growth = procs::resident_kib(serve.pid()).saturating_sub(before);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
    serve.cli(&["kill", &deaf]).ok();
    serve.wait_exit(&deaf);
}

#[test]
fn a_paste_of_a_mebibyte_arrives_whole() {
    let serve = Serve::start();
    let piece: String = ('!'..='~').cycle().take(64 * 1024).collect();
    let whole = piece.repeat(16);
    let sum = serve.home.file("whole");
    fs::write(&sum, &whole).unwrap();
    let mut command = serve.home.program("sha256sum");
    command.arg(&sum);
    let expected = crate::support::command::run(command, b"", Duration::from_secs(30)).ok();
    let expected = expected.split(' ').next().unwrap();
    let id = serve.sh("stty raw -echo; echo READY; head -c 1048576 | sha256sum; exec cat");
    serve.wait_text(&id, "READY");
    for _ in 0..16 {
        // A program that is slow to read is told as such; then one tries again, since nothing of it was typed.
        eventually("the program has room for more", || {
            let done = serve.cli(&["send", &id, "--paste", "--", &piece]);
            assert!(
                done.code == 0 || done.stderr.contains("does not read"),
                "{done:#?}"
            );
            done.code == 0
        });
    }
    serve.wait_text(&id, expected);
}

#[test]
fn a_thousand_terminals_later_nothing_has_grown() {
    const AT_ONCE: usize = 10;
    let serve = Serve::start();
    let round = || {
        let ids: Vec<String> = (0..AT_ONCE).map(|_| serve.sh("exec cat")).collect();
        for id in &ids {
            serve.cli(&["kill", id]).ok();
        }
        for id in &ids {
            serve.wait_exit(id);
        }
    };
    // Whatever is made once and kept is made by now.
    round();
    let pid = serve.pid();
    let settled = || (procs::descriptors(pid).len(), procs::threads(pid).len());
    eventually("the first terminals' threads have ended", || {
        procs::threads(pid).len() <= 12
    });
    let before = settled();
    for _ in 0..(1000 / AT_ONCE) {
        round();
    }
    within(
        Duration::from_secs(30),
        &format!("descriptors and threads are as before: {before:?}"),
        || {
            let now = settled();
            now.0 <= before.0 && now.1 <= before.1
        },
    );
    assert_eq!(procs::children(pid).len(), 0);
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 0);
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let serve = Serve::start();
    let id = serve.sh("trap 'stty size' WINCH; echo READY; while :; do read x; done");
    serve.wait_text(&id, "READY");
    for size in ["1x1", "2x1", "1x2", "500x1000", "1000x500", "3x3"]
        .iter()
        .cycle()
        .take(30)
    {
        serve.cli(&["resize", &id, size]).ok();
    }
    serve.cli(&["resize", &id, "77x33"]).ok();
    let screen = serve.screen(&id);
    assert_eq!(
        (screen["cols"].as_u64(), screen["rows"].as_u64()),
        (Some(77), Some(33))
    );
    serve.wait_text(&id, "33 77");
}

#[test]
fn a_terminal_of_one_cell_goes_on_living() {
    let serve = Serve::start();
    let id = serve
        .sh("stty -echo; while read x; do printf '\\346\\227\\245\\033[5;5H\\033[Kab\\n'; done");
    serve.cli(&["resize", &id, "1x1"]).ok();
    for _ in 0..20 {
        serve.enter(&id, "");
    }
    let screen = serve.screen(&id);
    assert_eq!(
        screen["lines"].as_array().unwrap().len(),
        usize::try_from(screen["rows"].as_u64().unwrap()).unwrap()
    );
    serve.cli(&["resize", &id, "80x24"]).ok();
    serve.enter(&id, "");
    serve.wait_text(&id, "ab");
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
}

/// Sends `introducer`, then `mib` MiB of `filler`, then the string's end and a mark; answers how much memory it took.
fn unterminated(introducer: &str, filler: &str, mib: usize) -> u64 {
    let serve = Serve::start();
    let id = serve.open(&[
        "perl",
        "-e",
        &format!(
            "$|=1; print qq({introducer}); print qq({filler}) x 16384 for 1..{}; \
             print qq(\\e\\\\\\030\\e[m\\nDONE\\n); sleep 1000",
            mib * 64 / filler.len()
        ),
    ]);
    let other = serve.sh("exec cat");
    let before = procs::resident_kib(serve.pid());
    serve.enter(&other, "meanwhile");
    serve.wait_text(&other, "meanwhile");
    within(
        Duration::from_secs(240),
        "the mark after the string",
        || {
            serve
                .cli(&["wait", &id, "--text", "DONE", "--timeout", "20s"])
                .code
                == 0
        },
    );
    procs::peak_resident_kib(serve.pid()).saturating_sub(before)
}

#[test]
fn an_unterminated_osc_of_200_mb_is_bounded() {
    let growth = unterminated("\\e]0;", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_unterminated_dcs_of_200_mb_is_bounded() {
    let growth = unterminated("\\eP+q", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_unterminated_apc_of_200_mb_is_bounded() {
    let growth = unterminated("\\e_G", "abcdefgh", 200);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn endless_csi_parameters_are_bounded() {
    let growth = unterminated("\\e[", "12345;:;", 64);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn an_endless_clipboard_string_is_bounded() {
    let growth = unterminated("\\e]52;c;", "QUFBQUFB", 64);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn endless_combining_characters_are_bounded() {
    let growth = unterminated("a", "\\xcc\\x81\\xcc\\x82\\xcc\\x83\\xcc\\x84", 16);
    assert!(growth < ROOM_KIB, "grew by {growth} KiB");
}

#[test]
fn random_bytes_harm_nobody() {
    let serve = Serve::start();
    let other = serve.sh("exec cat");
    for seed in 0..4 {
        let id = serve.open(&[
            "perl",
            "-e",
            &format!(
                "srand {seed}; for (1..2000) {{ print pack 'C*', map {{ rand 256 }} 1..1000 }} \
                 print qq(\\030\\e\\\\\\ec\\nDONE\\n); sleep 1000"
            ),
        ]);
        serve.wait_text(&id, "DONE");
        serve.screen(&id);
        serve.cli(&["capture", &id, "--ansi", "--scrollback"]).ok();
        serve.cli(&["resize", &id, "33x11"]).ok();
        serve.screen(&id);
        serve.cli(&["kill", &id]).ok();
    }
    serve.enter(&other, "unharmed");
    serve.wait_text(&other, "unharmed");
    assert!(
        !serve.home.logs().contains("panicked"),
        "{}",
        serve.home.logs()
    );
}

#[test]
fn broken_utf_8_is_shown_as_replacement_characters() {
    let serve = Serve::start();
    let id = serve.sh(
        "stty -echo; printf 'a\\377b\\n\\303(\\n\\342\\202c\\n\\360\\237\\230\\200d\\n\\355\\240\\200e\\n'; echo DONE; exec cat",
    );
    serve.wait_text(&id, "DONE");
    let screen = serve.screen(&id);
    assert_eq!(screen["lines"][0], "a\u{fffd}b");
    assert_eq!(screen["lines"][1], "\u{fffd}(");
    assert_eq!(screen["lines"][2], "\u{fffd}c");
    assert_eq!(screen["lines"][3], "😀d");
    let surrogate = screen["lines"][4].as_str().unwrap();
    assert!(
        surrogate.starts_with('\u{fffd}') && surrogate.ends_with('e'),
        "{surrogate}"
    );
}

#[test]
fn a_character_that_comes_byte_by_byte_is_one_character() {
    let serve = Serve::start();
    let id = serve.sh(
        "stty -echo; printf 'READY\\n'; for byte in '\\342' '\\202' '\\254'; do read x; printf \"$byte\"; done; \
         echo DONE; exec cat",
    );
    serve.wait_text(&id, "READY");
    for _ in 0..3 {
        serve.enter(&id, "");
        // Answered only once what came before has been shown.
        serve.capture(&id);
    }
    serve.wait_text(&id, "DONE");
    assert_eq!(serve.screen(&id)["lines"][1], "€DONE");
}

#[test]
fn a_grandchild_that_keeps_the_terminal_open_delays_nothing() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"1s\"\n");
    let pid_file = serve.home.file("grandchild");
    let id = serve.sh(&format!(
        "setsid sh -c 'trap \"\" HUP TERM; echo $$ > {0}; exec sleep 1000' & \
         while ! [ -s {0} ]; do :; done; echo BYE",
        pid_file.display()
    ));
    let start = Instant::now();
    serve.wait_exit(&id);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "the exit was told only after {:?}",
        start.elapsed()
    );
    assert_eq!(serve.terminal(&id)["exit"]["code"], 0);
    assert!(serve.capture(&id).contains("BYE"));
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 0);
    let grandchild: u32 = fs::read_to_string(&pid_file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // It left the session on purpose: it is nobody's to kill but ours.
    procs::signal(grandchild, Signal::KILL);
}

#[test]
fn a_background_child_of_the_session_does_not_outlive_its_terminal() {
    let serve = Serve::with_config("[pty]\nkill_grace = \"500ms\"\n");
    let id = serve.sh("trap '' HUP; sleep 1000 & echo BYE");
    let pid = serve.child_pid(&id);
    serve.wait_exit(&id);
    eventually("the session is gone", || {
        procs::all()
            .iter()
            .all(|process| process.session != pid || process.state == 'Z')
    });
}

#[test]
fn no_zombie_is_left_by_children_or_by_their_orphans() {
    let serve = Serve::start();
    for _ in 0..20 {
        let id = serve.sh("sh -c 'exit 1' & exit 0");
        serve.wait_exit(&id);
    }
    let pid = serve.pid();
    eventually("no zombies", || procs::zombies(pid).is_empty());
}

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
    let mut serve_command = home.tundra(&["serve"]);
    serve_command.env("RUST_BACKTRACE", "0");
    let done = home.cli(&["config", "path"]);
    assert_eq!(done.code, 0, "commands need no logs: {done:#?}");
    let done = crate::support::command::run_for(serve_command, Duration::from_secs(20));
    assert!(!done.stderr.contains("panicked"), "{done:#?}");
    assert!(done.stderr.contains("logs"), "{done:#?}");
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
fn a_panic_inside_a_pane_leaves_the_others_alone() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("TUNDRA_FAULT", "pane:broken");
    let mut serve = Serve::from(home, command);
    let other = serve.open_with(&["--name", "sound"], &["cat"]);
    let broken = serve.open_with(&["--name", "broken"], &["cat"]);
    let pid = serve.child_pid(&broken);
    serve.cli(&["send", &broken, "text"]);
    serve.wait_exit(&broken);
    eventually("the session of the broken pane has ended", || {
        !procs::alive(pid)
    });
    assert_eq!(serve.terminal(&broken)["status"], "dead");
    serve.enter(&other, "unharmed");
    serve.wait_text(&other, "unharmed");
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["active"], 1);
    serve.sh("exec cat");
    assert!(procs::zombies(serve.pid()).is_empty());
    assert!(serve.running());
}

#[test]
fn a_terminal_left_idle_or_old_is_ended_where_that_is_configured() {
    let serve = Serve::with_config("[pty]\nidle_timeout = \"1s\"\n");
    let quiet = serve.sh("exec sleep 1000");
    let busy = serve.sh("while :; do echo busy; sleep 0.2; done");
    serve.wait_exit(&quiet);
    assert_eq!(serve.terminal(&busy)["status"], "active");
    serve.home.configure("[pty]\nmax_lifetime = \"1s\"\n");
    serve.wait_exit(&busy);
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
