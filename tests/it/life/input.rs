//! Input is exact over a detach.

use std::fs;
use std::time::Duration;

use super::{is_left, showing};
use crate::support::condition::eventually;
use crate::support::{Home, Terminal};

/// A program that writes every byte it is given to a file, and asks for brackets around a paste.
fn recorder(home: &Home, modes: &str) -> (Terminal, std::path::PathBuf) {
    let file = home.file("typed");
    let script = format!(
        "stty raw -echo; printf '{modes}READY'; exec cat > {}",
        file.display()
    );
    let terminal = Terminal::script(home, &script);
    terminal.wait_text("READY");
    (terminal, file)
}

#[test]
fn what_was_read_before_and_after_the_key_reaches_the_pane_whole() {
    let home = Home::new();
    let (mut terminal, file) = recorder(&home, "");
    let long: String = ('!'..='~').cycle().take(8000).collect();
    terminal.type_(&format!("{long}\x02dafter"));
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    eventually("everything that was read is there", || {
        fs::read_to_string(&file).is_ok_and(|text| text.starts_with(&long))
    });
}

#[test]
fn a_paste_under_way_is_closed_and_its_rest_does_not_reach_the_shell() {
    let home = Home::new();
    let mut outer = Terminal::outer_shell(&home);
    let file = home.file("typed");
    let binary = crate::support::home::TUNDRA;
    let inner = format!(
        "stty raw -echo; printf \"\\033[?2004hRE\"; echo ADY; exec cat > {}",
        file.display()
    );
    outer.type_(&format!("clear; {binary} -- sh -c '{inner}'\r"));
    outer.wait_text("READY");
    outer.write(b"\x1b[200~first half,");
    outer.type_("echo OOPS\r");
    let detaching = std::thread::spawn({
        let mut command = home.tundra(&["detach"]);
        move || command.status().unwrap()
    });
    outer.write(b"echo OOPS\r\x1b[201~");
    assert!(detaching.join().unwrap().success());
    outer.wait_text("[detached from pid");
    eventually("the paste has both its brackets", || {
        let text = fs::read(&file).unwrap_or_default();
        text.starts_with(b"\x1b[200~first half,") && text.ends_with(b"\x1b[201~")
    });
    outer.type_("echo sh\"\"ell\r");
    outer.wait_text("shell");
    assert!(!outer.look(|screen| screen.lines().iter().any(|line| line.trim() == "OOPS")));
}

#[test]
fn a_paste_whose_end_never_comes_holds_nobody_up_for_long() {
    let home = Home::new();
    let mut terminal = showing(&home, "written");
    terminal.write(b"\x1b[200~without an end");
    let begun = std::time::Instant::now();
    home.cli(&["detach"]).ok();
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    is_left(&home);
}
