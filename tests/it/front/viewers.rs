//! Viewers beside the front end: the address for a browser, who is attached, and what one of them takes over.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{list, pane_size, shell};
use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::terminal::Options;
use crate::support::viewer::{Remote, Socket};
use crate::support::{Home, Terminal};

const CLIENT: &str = "0123456789abcdef";

fn home() -> Home {
    Home::with_config("[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\n")
}

fn first_id(home: &Home) -> String {
    list(home)[0]["id"].as_str().unwrap().to_owned()
}

/// The text of the box over the panes with its lines joined, as it was before it was wrapped.
fn boxed(terminal: &Terminal) -> String {
    let lines = terminal.look(|screen| screen.lines());
    lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| line.starts_with('│') && line.ends_with('│'))
        .map(|line| line.trim_matches('│').trim())
        .collect()
}

/// Presses the key and gives the address that is shown.
fn address(terminal: &mut Terminal) -> String {
    terminal.command("u");
    terminal.wait_text("one login");
    let text = boxed(terminal);
    let end = text.find("Open it in a browser").unwrap();
    text[..end].to_owned()
}

fn attach(remote: &Remote, id: &str) -> Socket {
    let mut viewer = remote.v1(id);
    viewer.attach(CLIENT, None);
    viewer
}

/// Takes the pane over and gives it a size.
fn take(remote: &Remote, id: &str, cols: u16, rows: u16) -> Socket {
    let mut viewer = attach(remote, id);
    viewer.say(&json!({"type": "take"}));
    while viewer.notice("role")["role"] != "writer" {}
    viewer.say(&json!({"type": "resize", "cols": cols, "rows": rows}));
    eventually("the pane has the viewer's size", || {
        let facts = remote.terminal(id);
        facts["cols"] == cols && facts["rows"] == rows
    });
    viewer
}

#[test]
fn the_address_opens_the_focused_pane_once_and_is_kept_nowhere() {
    let home = home();
    let options = Options {
        rows: 24,
        cols: 80,
        ..Options::default()
    };
    let mut terminal = Terminal::start(home.tundra(&["--", "sh"]), options);
    terminal.wait_text("$");
    let remote = Remote::beside(&home);
    let url = address(&mut terminal);
    let (site, fragment) = url.split_once("/#token=").unwrap();
    assert_eq!(site, remote.origin());
    let (token, id) = fragment.split_once("&terminal=").unwrap();
    assert_eq!(id, first_id(&home));
    for text in ["10 minutes", "OSC 52"] {
        assert!(terminal.look(|screen| screen.has(text)), "{text}");
    }
    terminal.wait_for("it is in the clipboard", |screen| {
        !screen.clipboard().is_empty()
    });
    assert_eq!(remote.login(token).status, 200);
    assert_eq!(remote.login(token).status, 401);
    terminal.type_("\r");
    terminal.wait_for("it is closed", |screen| !screen.has("one login"));
    terminal.command("m");
    terminal.wait_text("messages");
    let told = terminal.look(|screen| screen.text());
    assert!(!told.contains(&token[..16]), "{told}");
    terminal.type_("q");
    terminal.say("closed");
    assert!(!home.logs().contains(&token[..16]));
}

#[test]
fn where_the_listener_is_disabled_the_key_says_what_to_set() {
    let home = Home::with_config("[remote]\nenabled = false\n");
    let mut terminal = shell(&home);
    terminal.command("u");
    terminal.wait_text("set remote.enabled = true");
    super::escape(&mut terminal, "remote.enabled");
    terminal.say("closed");
}

#[test]
fn a_self_signed_certificate_is_told_with_its_fingerprint() {
    let home = Home::with_config("[gateway]\nenabled = false\n[remote]\nbind = \"0.0.0.0:0\"\n");
    let mut terminal = shell(&home);
    // What is told of the start stands beside the pane, not over what is typed there.
    terminal.wait_text("shows all of this");
    let notice = "remote attach uses";
    assert!(!terminal.look(|screen| screen.has(notice)));
    terminal.command("m");
    terminal.wait_text(notice);
    super::escape(&mut terminal, notice);
    let url = address(&mut terminal);
    assert!(url.starts_with("https://"), "{url}");
    let status = home.cli(&["status", "--json"]).json();
    let fingerprint = status["remote"]["fingerprint"].as_str().unwrap();
    assert!(
        boxed(&terminal).contains(fingerprint),
        "{}",
        boxed(&terminal)
    );
}

#[test]
fn viewers_are_counted_while_they_are_attached() {
    let home = home();
    let mut terminal = shell(&home);
    let remote = Remote::beside(&home);
    let id = first_id(&home);
    terminal.wait_text("0 viewers");
    let one = attach(&remote, &id);
    terminal.wait_text("1 viewer ");
    terminal.wait_text("viewer attached (1)");
    let two = remote.plain(&id);
    terminal.wait_text("2 viewers");
    terminal.wait_text("◉2");
    drop(one);
    terminal.wait_text("1 viewer ");
    drop(two);
    terminal.wait_text("0 viewers");
    terminal.wait_text("viewer left (0)");
    terminal.say("typed-on");
}

#[test]
fn a_viewer_takes_the_pane_over_and_the_next_key_takes_it_back() {
    let home = home();
    let mut terminal = shell(&home);
    let before = pane_size(&home, &mut terminal);
    let remote = Remote::beside(&home);
    let id = first_id(&home);
    let mut viewer = take(&remote, &id, 40, 10);
    terminal.wait_text("a viewer types here (40x10); any key takes it back");
    viewer.input(1, b"echo by-\"\"viewer\r");
    terminal.wait_text("by-viewer");
    terminal.wait_text("····");
    // The mouse passes over it, and commands are given beside it: both leave it taken.
    terminal.type_("\x1b[<35;5;5M");
    terminal.command("?");
    super::escape(&mut terminal, "split the pane");
    assert_eq!(remote.terminal(&id)["cols"], 40);
    terminal.wait_text("any key takes it back");
    terminal.say("back");
    terminal.wait_for("it is the front end's again", |screen| {
        !screen.has("takes it back") && !screen.has("····")
    });
    assert_eq!(pane_size(&home, &mut terminal), before);
    while viewer.notice("role")["role"] != "viewer" {}
}

#[test]
fn the_size_comes_back_when_the_viewer_that_took_the_pane_leaves() {
    let home = home();
    let mut terminal = shell(&home);
    let before = pane_size(&home, &mut terminal);
    let remote = Remote::beside(&home);
    let id = first_id(&home);
    let mut viewer = take(&remote, &id, 200, 60);
    terminal.wait_text("a viewer types here (200x60)");
    viewer.send(Message::Close(None));
    drop(viewer);
    terminal.wait_for("it is the front end's again", |screen| {
        !screen.has("takes it back")
    });
    let (rows, cols) = before;
    eventually("the size is the front end's", || {
        let facts = remote.terminal(&id);
        facts["cols"] == cols && facts["rows"] == rows
    });
}

#[test]
fn a_pane_that_is_resized_while_it_is_taken_gets_the_new_size_back() {
    let home = home();
    let mut terminal = shell(&home);
    let remote = Remote::beside(&home);
    let id = first_id(&home);
    let _viewer = take(&remote, &id, 40, 10);
    terminal.wait_text("a viewer types here (40x10)");
    terminal.resize(24, 90);
    terminal.wait_for("the window's new size is drawn", |screen| {
        screen.lines()[22].contains("any key takes it back")
    });
    assert_eq!(remote.terminal(&id)["cols"], 40);
    let (_, cols) = pane_size(&home, &mut terminal);
    assert_eq!(cols, 90);
}

#[test]
fn a_terminal_made_over_http_is_a_tab_behind_until_its_grace_is_over() {
    let home = Home::with_config(
        "[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\nreconnect_grace = \"1s\"\n",
    );
    let mut terminal = shell(&home);
    let before = pane_size(&home, &mut terminal);
    let remote = Remote::beside(&home);
    let id = remote.open(&json!({"name": "far-job", "command": "cat"}));
    terminal.wait_text("2 far-job");
    terminal.say("unmoved");
    assert_eq!(pane_size(&home, &mut terminal), before);
    let viewer = attach(&remote, &id);
    terminal.wait_text("far-job ◉1");
    drop(viewer);
    terminal.wait_for("its tab is gone", |screen| {
        !screen.lines()[0].contains("far-job")
    });
    terminal.say("still-here");
}

#[test]
fn a_terminal_that_resists_its_end_goes_as_others_do() {
    let home = Home::with_config(
        "[pty]\nkill_grace = \"500ms\"\n[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\nreconnect_grace = \"2s\"\n",
    );
    let mut terminal = shell(&home);
    let remote = Remote::beside(&home);
    let script = "trap '' HUP TERM; echo ready; while :; do sleep 1; done";
    let id = remote.open(&json!({"name": "stubborn", "command": "sh", "args": ["-c", script]}));
    let mut viewer = remote.plain(&id);
    viewer.bytes_with("ready");
    terminal.wait_text("2 stubborn ◉1");
    drop(viewer);
    terminal.wait_for("its tab is gone", |screen| {
        !screen.lines()[0].contains("stubborn")
    });
    terminal.say("still-here");
}

#[test]
fn tundra_attach_is_a_viewer_as_well() {
    let home = home();
    let terminal = shell(&home);
    let id = first_id(&home);
    let mut command = home.program(TUNDRA);
    command.args(["attach", &id]);
    let mut viewer = Terminal::start(command, Options::default());
    terminal.wait_text("1 viewer ");
    viewer.command("d");
    assert_eq!(viewer.exit(), 0);
    terminal.wait_text("0 viewers");
}
