//! `tundra attach`, in a terminal.

use serde_json::json;

use super::instance;
use crate::support::viewer::Proxy;
use crate::support::{Home, Serve, Terminal};

#[test]
fn a_terminal_attaches_types_resizes_and_leaves() {
    let (serve, remote) = instance("");
    let id = serve.open_with(&["--name", "job"], &["sh", "-c", "echo here; exec cat"]);
    let mut viewer = Terminal::tundra(&serve.home, &["attach", "job"]);
    viewer.wait_text("here");
    viewer.wait_text("you write");
    viewer.type_("typed\r");
    serve.wait_text(&id, "typed");
    viewer.resize(30, 100);
    crate::support::eventually("the pane follows", || {
        let facts = remote.terminal(&id);
        facts["cols"] == 100 && facts["rows"] == 29
    });
    viewer.type_("\u{2}d");
    assert_eq!(viewer.exit(), 0);
    viewer.assert_restored();
    assert_eq!(serve.terminal(&id)["status"], "active");
}

#[test]
fn an_address_attaches_over_the_network_and_survives_cuts() {
    let (serve, remote) = instance("");
    let id = serve.open(&["sh", "-c", "stty -echo; echo here; exec cat"]);
    let proxy = Proxy::before(remote.address, 3_000, 3);
    let allowed = format!("http://{}", proxy.address);
    serve.home.configure(&format!(
        "[pty]\nmax_ptys = 4\n[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\nallowed_origins = [\"{allowed}\"]\n"
    ));
    crate::support::eventually("the proxy is allowed", || {
        let headers = [remote.bearer(), ("Host", proxy.address.to_string())];
        remote.raw("GET", "/api/terminals", &headers, "").status == 200
    });
    let url = serve.cli(&["url", &id]).ok();
    let fragment = url.trim().split_once('#').unwrap().1;
    let url = format!("http://{}/#{fragment}", proxy.address);
    let mut viewer = Terminal::tundra(&serve.home, &["attach", "--url", &url]);
    viewer.wait_text("here");
    for number in 0..120 {
        viewer.type_(&format!("line {number}\r"));
        viewer.wait_text(&format!("line {number}"));
    }
    assert!(proxy.cuts.load(std::sync::atomic::Ordering::Relaxed) > 2);
    let history = serve.cli(&["capture", &id, "--scrollback"]).ok();
    let lines: Vec<&str> = history
        .lines()
        .filter(|line| line.starts_with("line "))
        .collect();
    let expected: Vec<String> = (0..120).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, expected);
    viewer.type_("\u{2}d");
    assert_eq!(viewer.exit(), 0);
}

#[test]
fn one_who_only_looks_types_nothing_and_learns_of_the_end() {
    let (serve, _remote) = instance("");
    let id = serve.open(&["sh", "-c", "echo here; read line; exit 3"]);
    let mut viewer = Terminal::tundra(&serve.home, &["attach", &id, "--read-only"]);
    viewer.wait_text("here");
    viewer.wait_text("read only");
    viewer.type_("nothing");
    serve.enter(&id, "end");
    assert_eq!(viewer.exit(), 0);
    viewer.wait_text("the program ended with exit code 3");
    assert!(!serve.joined(&id).contains("nothing"));
}

#[test]
fn what_is_not_there_is_told() {
    let (serve, remote) = instance("");
    let told = |args: &[&str], code: i32, text: &str| {
        let mut viewer = Terminal::tundra(&serve.home, args);
        assert_eq!(viewer.exit(), code, "{args:?}");
        viewer.wait_text(text);
    };
    told(&["attach"], 1, "there is no terminal");
    told(&["attach", "nope"], 1, "pty handle not found: nope");
    let wrong = format!("http://{}/#token=wrong", remote.address);
    told(&["attach", "--url", &wrong], 1, "this token is wrong");
    told(
        &["attach", "--url", "http://127.0.0.1:1/#token=x"],
        1,
        "transport error: ",
    );
    remote.open(&json!({"command": "cat", "name": "one", "persistent": true}));
    remote.open(&json!({"command": "cat", "name": "two", "persistent": true}));
    told(&["attach"], 1, "name one: one, two");
    serve
        .cli(&["attach"])
        .refused(2, "a terminal is needed on stdin and stdout");
    let ended = serve.sh("exit 3");
    remote.wait_status(&ended, "dead");
    told(
        &["attach", &ended],
        1,
        &format!("terminal is dead: {ended}"),
    );
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{nobody}/");
    told(&["attach", "--url", &url], 1, "transport error: ");
    let url = format!("https://{}/", remote.address);
    told(&["attach", "--url", &url], 1, "try http://");
}

#[test]
fn a_terminal_is_not_attached_to_itself() {
    let (serve, _remote) = instance("");
    let bin = env!("CARGO_BIN_EXE_tundra");
    let id = serve.sh(&format!(
        "{bin} attach $TUNDRA_TERMINAL_ID; echo code $?; exec cat"
    ));
    serve.wait_text(&id, "code 1");
    let shown = serve.joined(&id);
    assert!(shown.contains("would show itself"), "{shown}");
}

#[test]
fn an_instance_that_ends_is_told() {
    let (mut serve, _remote) = instance("");
    let id = serve.open(&["cat"]);
    let mut viewer = Terminal::tundra(&serve.home, &["attach", &id]);
    viewer.wait_text("you write");
    serve.end(rustix::process::Signal::TERM);
    viewer.wait_text("IPC error: tundra has ended");
    assert_eq!(viewer.exit(), 1);
    viewer.assert_restored();
}

#[test]
fn a_terminal_smaller_than_the_pane_follows_its_cursor_and_scrolls_back() {
    let (serve, _remote) = instance("");
    let script = "seq 1 300; printf 'a long row that goes on to its END'; \
        read x; printf '\\033]52;c;aGVsbG8=\\007\\aagain'; exec cat";
    let id = serve.open(&["sh", "-c", script]);
    serve.wait_text(&id, "END");
    let mut viewer = Terminal::tundra(&serve.home, &["attach", "--read-only", &id]);
    viewer.wait_text("read only");
    viewer.resize(8, 20);
    // What is at the cursor is seen, though the row begins left of it.
    viewer.wait_for("the end of the row", |screen| {
        screen.has("on to its END") && !screen.has("a long")
    });
    viewer.wait_text("ctrl-b d leaves");
    viewer.type_("\u{2}[");
    viewer.type_("g");
    viewer.wait_for("the first rows", |screen| screen.lines()[..2] == ["1", "2"]);
    viewer.wait_text("q returns");
    viewer.type_("q");
    viewer.wait_text("on to its END");
    // The wheel scrolls without a mode, and new output does not move what is looked at.
    viewer.write(b"\x1b[<64;3;3M\x1b[<64;3;3M");
    viewer.wait_text("6  any key returns");
    let before = viewer.look(|screen| screen.lines()[..7].to_vec());
    serve.send(&id, "\r");
    viewer.wait_for("the clipboard and the bell", |screen| {
        screen.clipboard() == [b"aGVsbG8=".to_vec()] && screen.bells() == 1
    });
    assert_eq!(viewer.look(|screen| screen.lines()[..7].to_vec()), before);
    viewer.type_("\u{2}d");
    assert_eq!(viewer.exit(), 0);
    viewer.assert_restored();
}

#[test]
fn a_paste_longer_than_a_message_arrives_whole() {
    let (serve, _remote) = instance("");
    let bytes = (1 << 20) + 5;
    let id = serve.sh(&format!(
        "stty raw -echo; echo ready; head -c {bytes} | wc -c; exec cat"
    ));
    let mut viewer = Terminal::tundra(&serve.home, &["attach", &id]);
    viewer.wait_text("you write");
    viewer.paste(&"x".repeat(bytes));
    serve.wait_text(&id, &bytes.to_string());
    viewer.type_("and on");
    serve.wait_text(&id, "and on");
}

#[test]
fn a_certificate_that_changed_is_told_as_such() {
    let home = Home::with_config("[gateway]\nenabled = false\n[remote]\nbind = \"0.0.0.0:0\"\n");
    let serve = Serve::at(home);
    let id = serve.open(&["cat"]);
    let url = serve.ready()["remote_url"].as_str().unwrap();
    let port = url.rsplit_once(':').unwrap().1;
    let authority = format!("127.0.0.1:{port}");
    let token = serve.home.path().join("state/remote.token");
    let token = std::fs::read_to_string(token).unwrap();
    let url = format!("https://{authority}/#token={}", token.trim());
    // Asked about once, then known.
    let mut first = Terminal::tundra(&serve.home, &["attach", &id, "--url", &url]);
    first.wait_text("Trust it from now on? [y/N]");
    first.type_("y\r");
    first.wait_text("you write");
    first.type_("\u{2}d");
    assert_eq!(first.exit(), 0);
    let mut second = Terminal::tundra(&serve.home, &["attach", &id, "--url", &url]);
    second.wait_text("you write");
    second.type_("\u{2}d");
    assert_eq!(second.exit(), 0);
    let known = serve.home.path().join("state/known_remotes");
    std::fs::write(known, format!("{authority} SHA256:00:11\n")).unwrap();
    let mut third = Terminal::tundra(&serve.home, &["attach", &id, "--url", &url]);
    third.wait_text("has CHANGED");
    assert_eq!(third.exit(), 1);
}

/// Plain keys, not a bracketed paste; more of them than all queues on the way hold messages.
const BYTES: usize = 200_000;

#[test]
fn much_typed_at_once_arrives_whole_whatever_the_program_does() {
    let (serve, _remote) = instance("");
    let count = format!("head -c {BYTES} | wc -c");
    let quiet = format!("stty raw -echo; echo ready; sleep 1; {count}; exec cat >/dev/null");
    let noisy =
        format!("stty raw -echo; echo ready; yes & {count} >count; kill $!; cat count; exec cat");
    for script in [quiet, noisy] {
        let folder = serve.home.path().to_str().unwrap().to_owned();
        let id = serve.open_with(&["--cwd", &folder], &["sh", "-c", &script]);
        serve.wait_text(&id, "ready|y");
        let mut viewer = Terminal::tundra(&serve.home, &["attach", &id]);
        viewer.wait_text("you write");
        viewer.write(&vec![b'Z'; BYTES]);
        serve.wait_text(&id, &BYTES.to_string());
        viewer.type_("\u{2}d");
        assert_eq!(viewer.exit(), 0);
        viewer.assert_restored();
    }
}

#[test]
fn a_viewer_without_a_connection_can_still_leave() {
    let (mut serve, remote) = instance("");
    let id = serve.open(&["cat"]);
    let url = format!("{}/#token={}&terminal={id}", remote.origin(), remote.token);
    let mut viewer = Terminal::tundra(&serve.home, &["attach", "--url", &url]);
    viewer.wait_text("you write");
    serve.end(rustix::process::Signal::KILL);
    viewer.wait_text("connection lost");
    viewer.write(&vec![b'Z'; 3_000_000]);
    viewer.wait_text("the last was dropped");
    viewer.type_("\u{2}d");
    assert_eq!(viewer.exit(), 0);
    viewer.assert_restored();
}
