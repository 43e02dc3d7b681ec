//! What a terminal is to the program in it, and how waiting and capturing see it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Home, Serve, eventually, present, procs, skip};

const TUNDRA: &str = env!("CARGO_BIN_EXE_tundra");

#[test]
fn a_program_finds_the_terminal_that_was_promised() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "81", "--rows", "23"],
        &[
            "sh",
            "-c",
            "echo $TERM,$COLORTERM,$TERM_PROGRAM,$TUNDRA_TERMINAL_ID; stty size; tty; exec cat",
        ],
    );
    serve.wait_text(&id, "/dev/pts/");
    let lines = serve.screen(&id)["lines"].clone();
    assert_eq!(lines[0], format!("xterm-256color,truecolor,tundra,{id}"));
    assert_eq!(lines[1], "23 81");
}

#[test]
fn a_program_leads_its_own_session_with_its_own_terminal() {
    let serve = Serve::start();
    let id = serve.sh("ps -o sid=,tpgid=,tty= -p $$; exec cat");
    let pid = serve.child_pid(&id);
    assert_eq!(procs::process(pid).unwrap().session, pid);
}

#[test]
fn no_descriptor_of_tundra_reaches_a_program() {
    let serve = Serve::start();
    let first = serve.sh("exec cat");
    let second = serve.sh("exec cat");
    for id in [first, second] {
        let open = procs::descriptors(serve.child_pid(&id));
        assert_eq!(open.len(), 3, "{open:?}");
        assert!(
            open.iter().all(|link| link.starts_with("/dev/pts/")),
            "{open:?}"
        );
    }
}

#[test]
fn the_working_directory_and_the_environment_are_as_told() {
    let serve = Serve::start();
    let folder = serve.home.file("some where");
    std::fs::create_dir(&folder).unwrap();
    let id = serve.open_with(
        &[
            "--cwd",
            folder.to_str().unwrap(),
            "--env",
            "COLOUR=a=b c",
            "--env",
            "EMPTY=",
        ],
        &[
            "sh",
            "-c",
            "pwd -P; echo \"[$COLOUR][${EMPTY-unset}]\"; exec cat",
        ],
    );
    serve.wait_text(&id, r"\[a=b c\]\[\]");
    assert!(serve.joined(&id).contains("/some where"));
    assert_eq!(
        serve.terminal(&id)["cwd"],
        folder.canonicalize().unwrap().to_str().unwrap()
    );
}

#[test]
fn without_a_command_there_is_the_shell() {
    let serve = Serve::start();
    let id = serve.cli(&["new", "--cols", "60", "--rows", "10"]).ok();
    let id = id.trim();
    serve.enter(id, "echo $((6 * 7)):$0");
    serve.wait_text(id, "42:");
    assert_eq!(serve.terminal(id)["command"][0], "/bin/sh");
}

#[test]
fn wait_sees_what_came_before_it() {
    let serve = Serve::start();
    for round in 0..20 {
        let id = serve.sh(&format!("echo MARK-{round}.; exec cat"));
        serve.wait_text(&id, &format!(r"MARK-{round}\."));
        assert!(serve.capture(&id).contains(&format!("MARK-{round}.")));
        serve.cli(&["kill", &id]).ok();
        serve.wait_exit(&id);
    }
}

#[test]
fn wait_sees_what_has_scrolled_away() {
    let serve = Serve::start();
    let id = serve.sh("echo NEEDLE; seq 1 500; echo END; exec cat");
    serve.wait_text(&id, "(?m)^END");
    assert!(!serve.capture(&id).contains("NEEDLE"));
    serve.wait_text(&id, "NEEDLE");
}

#[test]
fn a_capture_is_never_older_than_what_a_wait_has_seen() {
    let serve = Serve::start();
    let id = serve.sh("i=0; while read x; do i=$((i+1)); echo \"<$i>\"; done");
    for round in 1..=30 {
        serve.enter(&id, "");
        serve.wait_text(&id, &format!("<{round}>"));
        assert!(serve.capture(&id).contains(&format!("<{round}>")));
    }
}

#[test]
fn title_cursor_and_lines_of_a_capture_belong_together() {
    let serve = Serve::start();
    let id = serve.sh(
        "i=0; while :; do i=$((i+1)); printf '\\033]2;%d\\007\\033[2J\\033[H%d\\033[%d;20H' $i $i $((i % 20 + 2)); done",
    );
    serve.wait_text(&id, "[0-9]");
    let mut newest = 0;
    for _ in 0..20 {
        let listed: u64 = serve.terminal(&id)["title"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap_or(0);
        let screen = serve.screen(&id);
        let title: u64 = screen["title"].as_str().unwrap().parse().unwrap();
        assert!(
            title >= newest && title >= listed,
            "{title} after {newest}, {listed}"
        );
        newest = title;
        // The byte stream may stand anywhere within one round of the loop.
        let shown = screen["lines"][0].as_str().unwrap();
        let allowed = ["", &title.to_string(), &(title - 1).to_string()].map(str::to_owned);
        let partly = title.to_string().starts_with(shown);
        assert!(partly || allowed.contains(&shown.to_owned()), "{screen}");
        if shown == title.to_string() && screen["cursor"]["col"] == 19 {
            assert_eq!(screen["cursor"]["row"], title % 20 + 1, "{screen}");
        }
    }
}

#[test]
fn a_capture_tells_the_screen_key_by_key() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "20", "--rows", "4"],
        &[
            "sh",
            "-c",
            "stty -echo; printf '\\033]2;a title\\007\\033[?1h\\033=\\033[?2004h\\033[?1002h\\033[?1004h\\033[?25l'; \
             printf 'one\\r\\n\\346\\227\\245\\346\\234\\254 \\033[8mhidden\\033[m  \\r\\n\\033[4;20HX'; exec cat",
        ],
    );
    serve.wait_text(&id, "X");
    let expected = json!({
        "id": id,
        "cols": 20,
        "rows": 4,
        "cursor": {"row": 3, "col": 19, "visible": false},
        "title": "a title",
        "alternate_screen": false,
        "modes": {
            "application_cursor": true,
            "application_keypad": true,
            "bracketed_paste": true,
            "mouse": "button",
            "focus": true,
        },
        "lines": ["one", "日本 hidden", "", "                   X"],
    });
    let screen = serve.screen(&id);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&screen[key], value, "{key}");
    }
    assert!(screen.get("scrollback").is_none(), "only where asked for");
}

#[test]
fn mouse_modes_are_named() {
    let serve = Serve::start();
    let id = serve.sh("stty -echo; while read -r mode; do printf \"$mode\"; echo ok; done");
    for (number, (set, name)) in [
        ("\\033[?9h", "x10"),
        ("\\033[?9l\\033[?1000h", "normal"),
        ("\\033[?1002h", "button"),
        ("\\033[?1003h", "any"),
        ("\\033[?1003l", "none"),
        ("\\033[?1049h", "none"),
    ]
    .into_iter()
    .enumerate()
    {
        serve.enter(&id, &format!("{set}{number}:"));
        serve.wait_text(&id, &format!("{number}:ok"));
        assert_eq!(serve.screen(&id)["modes"]["mouse"], name, "after {set}");
    }
    assert_eq!(serve.screen(&id)["alternate_screen"], true);
}

#[test]
fn scrollback_comes_when_asked_for_and_is_bounded() {
    let serve = Serve::with_config("[pty]\nscrollback_lines = 100\n");
    let id = serve.sh("seq 1 1000; echo END; exec cat");
    serve.wait_text(&id, "END");
    let screen = serve
        .cli(&["capture", &id, "--scrollback", "--json"])
        .json();
    let history = screen["scrollback"].as_array().unwrap();
    assert_eq!(history.len(), 100);
    // 24 rows: 22 numbers, END, and the row of the cursor.
    assert_eq!(history.last().unwrap(), "978");
    assert_eq!(screen["lines"][0], "979");
    let text = serve.cli(&["capture", &id, "--scrollback"]).ok();
    assert!(text.starts_with("879\n880\n"), "{text}");
}

#[test]
fn a_row_that_wrapped_is_not_joined() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "10", "--rows", "5"],
        &["sh", "-c", "printf 'abcdefghijklmno'; exec cat"],
    );
    serve.wait_text(&id, "klmno");
    assert_eq!(
        serve.screen(&id)["lines"],
        json!(["abcdefghij", "klmno", "", "", ""])
    );
}

#[test]
fn ansi_captures_hold_colours_and_nothing_else() {
    let serve = Serve::start();
    let id =
        serve.sh("printf '\\033[1;31mred\\033[0m plain \\033[38;2;1;2;3mrgb\\033[m\\n'; exec cat");
    serve.wait_text(&id, "rgb");
    let text = serve.cli(&["capture", &id, "--ansi"]).ok();
    let row = text.lines().next().unwrap();
    assert!(
        row.contains("red") && row.contains("38;2;1;2;3m"),
        "{row:?}"
    );
    let stripped = regex::Regex::new("\x1b\\[[0-9;:]*m")
        .unwrap()
        .replace_all(row, "");
    assert_eq!(stripped, "red plain rgb");
}

#[test]
fn less_height_takes_blank_rows_first_and_history_gives_back() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "20", "--rows", "10"],
        &["sh", "-c", "stty -echo; printf 'a\\nb\\nc\\nd'; exec cat"],
    );
    serve.wait_text(&id, "d");
    serve.cli(&["resize", &id, "20x6"]).ok();
    assert_eq!(
        serve.screen(&id)["lines"],
        json!(["a", "b", "c", "d", "", ""])
    );
    serve.cli(&["resize", &id, "20x2"]).ok();
    let screen = serve
        .cli(&["capture", &id, "--scrollback", "--json"])
        .json();
    assert_eq!(screen["lines"], json!(["c", "d"]));
    assert_eq!(screen["scrollback"], json!(["a", "b"]));
    serve.cli(&["resize", &id, "20x5"]).ok();
    let screen = serve
        .cli(&["capture", &id, "--scrollback", "--json"])
        .json();
    assert_eq!(screen["lines"], json!(["a", "b", "c", "d", ""]));
    assert_eq!(screen["scrollback"], json!([]));
}

#[test]
fn queries_of_a_program_are_answered_once() {
    let serve = Serve::start();
    let id = serve.sh(
        "stty raw -echo; printf '\\033[c\\033[5n\\033[3;4H\\033[6n\\033[5;1HASKED'; \
         dd bs=1 count=200 2>/dev/null | od -An -c; exec cat",
    );
    serve.wait_text(&id, "ASKED");
    // Typed after the answers, it fills what dd still waits for: only then is all of it printed.
    eventually("the answers and the filling have been printed", || {
        serve.send(&id, "........");
        serve.capture(&id).contains('R')
    });
    let text: String = serve.joined(&id).split_whitespace().collect();
    assert_eq!(text.matches("033[?").count(), 1, "one DA1: {text}");
    assert_eq!(text.matches("033[0n").count(), 1, "one DSR: {text}");
    assert_eq!(text.matches("033[3;4R").count(), 1, "one CPR: {text}");
}

#[test]
fn the_exit_is_told_as_code_or_signal() {
    let serve = Serve::start();
    let code = serve.sh("exit 7");
    let signal = serve.sh("kill -USR1 $$");
    let both = [
        (code, json!({"code": 7, "signal": null})),
        (signal, json!({"code": null, "signal": 10})),
    ];
    for (id, exit) in both {
        serve.wait_exit(&id);
        let terminal = serve.terminal(&id);
        assert_eq!(terminal["status"], "dead");
        assert_eq!(terminal["exit"], exit);
    }
}

#[test]
fn the_last_words_of_a_program_are_kept() {
    let serve = Serve::start();
    for round in 0..10 {
        let id = serve.sh(&format!("seq 1 2000; printf 'LAST-{round}'"));
        serve.wait_exit(&id);
        assert!(
            serve.capture(&id).contains(&format!("LAST-{round}")),
            "round {round}"
        );
    }
}

#[test]
fn an_unfinished_line_is_never_finished_for_the_user() {
    let serve = Serve::start();
    let marker = serve.home.file("typed");
    let script = format!(
        "trap '' HUP TERM; echo READY; read line; echo \"$line\" > {}",
        marker.display()
    );
    let id = serve.sh(&script);
    serve.wait_text(&id, "READY");
    serve.send(&id, "half a comm");
    serve.wait_text(&id, "half a comm");
    serve.cli(&["kill", &id]).ok();
    serve.wait_exit(&id);
    let line = std::fs::read_to_string(&marker).unwrap_or_default();
    assert_eq!(
        line.trim(),
        "",
        "neither newline nor end of file may be typed into it"
    );
    drop(serve);
}

#[test]
fn a_persistent_terminal_says_so_and_names_are_kept() {
    let serve = Serve::start();
    let id = serve.open_with(&["--persistent", "--name", "build"], &["cat"]);
    let terminal = serve.terminal(&id);
    assert_eq!(terminal["persistent"], true);
    assert_eq!(terminal["name"], "build");
    serve.cli(&["rename", "build", "ship it"]).ok();
    assert_eq!(serve.terminal(&id)["name"], "ship it");
    serve.cli(&["send", "ship it", "--enter", "hello"]).ok();
    serve.wait_text(&id, "hello");
}

#[test]
fn a_narrower_terminal_wraps_its_lines_and_a_wider_one_joins_them_again() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "60", "--rows", "8"],
        &[
            "sh",
            "-c",
            "for i in $(seq 300); do printf 'line %03d of words that go on for a while\\n' $i; done; printf 'READY> '; exec cat",
        ],
    );
    serve.wait_text(&id, "READY>");
    let whole = |serve: &Serve| {
        serve
            .cli(&["capture", &id, "--scrollback", "--json"])
            .json()
    };
    let before = whole(&serve);
    serve.cli(&["resize", &id, "25x8"]).ok();
    let narrow = whole(&serve);
    let rows = narrow["scrollback"].as_array().unwrap().len();
    assert_eq!(narrow["scrollback"][0], "line 001 of words that go");
    assert_eq!(narrow["scrollback"][1], " on for a while");
    assert_eq!(rows, 2 * 300 - 7);
    assert_eq!(
        narrow["cursor"],
        json!({"row": 7, "col": 7, "visible": true})
    );
    serve.cli(&["resize", &id, "60x8"]).ok();
    let after = whole(&serve);
    for key in ["lines", "scrollback", "cursor"] {
        assert_eq!(after[key], before[key], "{key}");
    }
}

#[test]
fn the_alternate_screen_is_left_to_its_program_and_the_shell_behind_it_is_whole() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "40", "--rows", "6"],
        &[
            "sh",
            "-c",
            "printf '%s' 0123456789abcdefghijklmnopqrstuvwxyz; printf '\\033[?1049h\\033[HALTERNATE, longer than ten'; read x; printf '\\033[?1049l'; exec cat",
        ],
    );
    serve.wait_text(&id, "longer than ten");
    serve.cli(&["resize", &id, "10x6"]).ok();
    assert_eq!(serve.screen(&id)["lines"][0], "ALTERNATE,");
    assert_eq!(serve.screen(&id)["lines"][1], "");
    serve.key(&id, "Enter");
    serve.wait_text(&id, "uvwxyz");
    let lines = serve.screen(&id)["lines"].clone();
    assert_eq!(lines[0], "0123456789");
    assert_eq!(lines[3], "uvwxyz");
}

#[test]
fn an_ansi_capture_keeps_blanks_that_show_a_colour_or_an_attribute() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--cols", "12", "--rows", "5"],
        &[
            "sh",
            "-c",
            "printf '\\033[44mab\\033[K\\033[m\\r\\n\\033[7mcd  \\033[m\\r\\n\\033[31mef  \\033[m\\r\\nREADY'; exec cat",
        ],
    );
    serve.wait_text(&id, "READY");
    let text = serve.cli(&["capture", &id, "--ansi"]).ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "\x1b[44mab          \x1b[0m");
    assert_eq!(lines[1], "\x1b[7mcd  \x1b[0m");
    assert_eq!(lines[2], "\x1b[31mef\x1b[0m");
}

#[test]
fn shift_enter_breaks_a_line_in_an_agent_that_asks_for_no_keyboard_protocol() {
    let serve = Serve::start();
    let script = "#!/bin/sh\nstty raw -echo; echo READY; od -An -tx1 -v -w1\n";
    for (program, expected) in [("claude", "1b 0d"), ("other", "0d")] {
        let path = serve.home.file(program);
        std::fs::write(&path, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        let path = path.to_str().unwrap().to_owned();
        for command in [
            vec![path.as_str()],
            vec!["sh", "-ic", &format!("{path}; true")],
        ] {
            let id = serve.open(&command);
            serve.wait_text(&id, "READY");
            serve.key(&id, "S-Enter");
            serve.key(&id, "z");
            serve.wait_text(&id, "7a");
            let text = serve.capture(&id);
            let typed = text.split_once("READY").unwrap().1;
            let typed: Vec<&str> = typed.split_whitespace().collect();
            assert!(typed.join(" ").starts_with(expected), "{command:?}: {text}");
        }
    }
}

/// A script that tries every way to an instance that is known, and says of each whether it was held.
fn attack(home: &Path, pid: u32, tundra: &Path) -> String {
    let (home, tundra) = (home.display(), tundra.display());
    format!(
        "cd /; echo \"home[$TUNDRA_HOME]\"
        try() {{ name=$1; shift; if \"$@\" >/dev/null 2>&1; then echo \"$name held NOT\"; else echo \"$name held\"; fi; }}
        try token cat {home}/state/remote.token
        try key cat {home}/state/gateway.key
        try log cat {home}/logs/tundra.log
        try write touch {home}/state/x
        try command {tundra} --home {home} ls
        try session setsid -w {tundra} --home {home} ls
        try daemon sh -c '(setsid -f {tundra} --home {home} new -- touch {home}/daemon) && sleep 1 && test -e {home}/daemon'
        try uncover umount {home}/state
        try move mv {home} {home}.moved
        try root cat /proc/{pid}/root{home}/state/remote.token
        try environ cat /proc/{pid}/environ
        try trace sh -c 'exec 3</proc/{pid}/mem'
        try join nsenter -t {pid} -m cat {home}/state/remote.token
        try nest unshare -Urm sh -c 'umount {home}/state; cat {home}/state/remote.token'
        echo DONE; exec cat"
    )
}

fn assert_held(shown: &str) {
    assert!(shown.contains("home[]"), "{shown}");
    assert!(!shown.contains("NOT"), "{shown}");
    assert_eq!(shown.matches(" held").count(), 14, "{shown}");
}

#[test]
fn a_confined_terminal_reaches_neither_the_socket_nor_the_tokens() {
    let serve = Serve::with_config("[pty]\nconfine = true\n");
    let script = attack(serve.home.path(), serve.pid(), Path::new(TUNDRA));
    let id = serve.open_with(&["--cols", "100", "--rows", "30"], &["sh", "-c", &script]);
    serve.wait_text(&id, "DONE");
    assert_held(&serve.capture(&id));
    // Whoever is outside goes on as ever.
    assert!(serve.cli(&["ls"]).ok().contains(&id[..8]));
}

#[test]
fn a_confined_program_of_root_finds_no_file_by_its_handle() {
    // A handle names a file whatever is mounted over its folder; it is little more than the file's number.
    const NAME: &str = "
import ctypes, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
handle, mount = ctypes.create_string_buffer(136), ctypes.c_int()
struct.pack_into('I', handle, 0, 128)
if libc.name_to_handle_at(-100, sys.argv[1].encode(), handle, ctypes.byref(mount), 0):
    sys.exit('no handles here')
print(handle.raw[:8 + struct.unpack_from('I', handle, 0)[0]].hex())
";
    const OPEN: &str = "
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(bytes.fromhex(sys.argv[1]), 136)
opened = libc.open_by_handle_at(os.open('/', os.O_RDONLY), handle, os.O_RDONLY)
print('opened' if opened >= 0 else 'held', 'DONE')
sys.stdin.read()
";
    if !present("python3") {
        return;
    }
    let serve = Serve::start();
    let token = serve.home.path().join("state/remote.token");
    let named = Command::new("python3")
        .args(["-c", NAME])
        .arg(token)
        .output()
        .unwrap();
    if !named.status.success() {
        skip("this filesystem has no handles");
        return;
    }
    let handle = String::from_utf8(named.stdout).unwrap();
    let open = ["python3", "-c", OPEN, handle.trim()];
    let id = serve.open_with(&["--confine"], &open);
    serve.wait_text(&id, "DONE");
    let shown = serve.capture(&id);
    assert!(shown.contains("held DONE"), "{shown}");
}

#[test]
fn one_terminal_alone_is_confined_by_a_flag() {
    let serve = Serve::start();
    let script = attack(serve.home.path(), serve.pid(), Path::new(TUNDRA));
    let flags = ["--confine", "--cols", "100", "--rows", "30"];
    let id = serve.open_with(&flags, &["sh", "-c", &script]);
    serve.wait_text(&id, "DONE");
    assert_held(&serve.capture(&id));
    let free = serve.sh("cat $TUNDRA_HOME/state/remote.token | wc -c; echo DONE");
    serve.wait_text(&free, "DONE");
    assert!(
        serve.capture(&free).contains("65"),
        "{}",
        serve.capture(&free)
    );
}

#[test]
#[allow(clippy::print_stderr)]
fn a_user_without_roots_rights_confines_too() {
    const NOBODY: u32 = 65_534;
    let home = Home::with_config(
        "[pty]\nconfine = true\n[gateway]\nbind = \"127.0.0.1:0\"\n[remote]\nbind = \"127.0.0.1:0\"\n",
    );
    let as_nobody = |args: &[&str]| {
        let mut command = home.tundra(args);
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    let may = |mut command: Command| command.output().is_ok_and(|output| output.status.success());
    let mut namespaces = Command::new("unshare");
    namespaces.args(["-U", "true"]).uid(NOBODY).gid(NOBODY);
    if !may(as_nobody(&["--version"])) || !may(namespaces) {
        eprintln!("SKIPPED: not root, no user namespaces, or the binary is in a closed folder");
        return;
    }
    for entry in ["", "user", "config", "config/config.toml"] {
        let path = home.path().join(entry);
        std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut instance = as_nobody(&["serve", "--print-ready"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let stdout = instance.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut ready).unwrap();
    let run = |args: &[&str]| {
        let output = as_nobody(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let script = attack(home.path(), instance.id(), Path::new(TUNDRA));
    let id = run(&[
        "new", "--cols", "100", "--rows", "30", "--", "sh", "-c", &script,
    ]);
    run(&["wait", id.trim(), "--text", "DONE", "--timeout", "60s"]);
    assert_held(&run(&["capture", id.trim()]));
    instance.kill().unwrap();
    instance.wait().unwrap();
}
