//! Much input, much output, and an outer terminal that does not keep up.

use std::time::Duration;

use super::{alive, answer, list, shell};
use crate::support::command::run;
use crate::support::condition::eventually;
use crate::support::{Home, Terminal, procs};

#[test]
fn the_prefix_twice_goes_to_the_program() {
    let home = Home::new();
    let mut terminal =
        Terminal::script(&home, "stty raw -echo; echo READY; exec od -An -tx1 -v -w1");
    terminal.wait_text("READY");
    terminal.write(b"\x02\x02");
    terminal.type_("z");
    terminal.wait_for("02 and 7a", |screen| screen.has("02") && screen.has("7a"));
    let text = terminal.look(|screen| screen.text());
    // By the row's beginning: a message beside it may name a port.
    let prefixes = text
        .lines()
        .filter(|line| line.trim_start().starts_with("02"));
    assert_eq!(prefixes.count(), 1, "{text}");
}

#[test]
fn a_page_of_text_is_pasted_whole() {
    let home = Home::new();
    let file = home.file("pasted");
    let mut terminal = shell(&home);
    terminal.type_(&format!(
        "stty -echo; echo REA\"\"DY; cat > {}\r",
        file.display()
    ));
    terminal.wait_text("READY");
    let page: String = (0..60)
        .map(|line| format!("line {line} of the page, with ünicode\n"))
        .collect();
    terminal.paste(&page);
    // A shell's `cat` cannot tell a paste from typing.
    answer(&mut terminal, "y");
    terminal.type_("\r\x04");
    eventually("the file holds the page", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.trim_end() == page.trim_end())
    });
}

#[test]
fn a_mebibyte_is_pasted_whole_into_a_program_that_reads() {
    let home = Home::new();
    let whole: String = ('!'..='~').cycle().take(1 << 20).collect();
    let file = home.file("whole");
    std::fs::write(&file, &whole).unwrap();
    let mut sum = home.program("sha256sum");
    sum.arg(&file);
    let sum = run(sum, b"", Duration::from_secs(30)).ok();
    let sum = sum.split(' ').next().unwrap().to_owned();
    let mut terminal = Terminal::script(
        &home,
        "stty raw -echo; echo READY; head -c 1048576 | sha256sum; exec cat",
    );
    terminal.wait_text("READY");
    terminal.paste(&whole);
    terminal.wait_text(&sum);
}

#[test]
fn a_mebibyte_pasted_into_a_deaf_program_is_told_and_hangs_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::script(&home, "stty raw -echo; echo READY; exec sleep 1000");
    terminal.wait_text("READY");
    let whole = "y".repeat(1 << 20);
    // The first may wait in the queue; sooner or later there is no room for another.
    for _ in 0..6 {
        terminal.paste(&whole);
    }
    terminal.wait_text("does not read");
    terminal.command("|");
    eventually("a second pane", || alive(&home) == 2);
    terminal.wait_text("$");
    terminal.say("meanwhile");
}

#[test]
fn a_flood_in_a_visible_pane_leaves_the_other_usable() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("yes flood\r");
    terminal.wait_text("flood");
    let before = procs::resident_kib(home.instance());
    terminal.command("|");
    terminal.wait_for("the prompt on the right", |screen| {
        screen.find("$").is_some_and(|(_, col)| col > 45)
    });
    for round in 0..5 {
        terminal.say(&format!("typed{round}"));
    }
    let growth = procs::peak_resident_kib(home.instance()).saturating_sub(before);
    assert!(growth < 64 * 1024, "grew by {growth} KiB");
    // Into the flood itself one can type as well.
    terminal.command("h");
    terminal.write(b"\x03");
    terminal.say("dammed");
}

#[test]
fn a_flood_in_a_hidden_tab_leaves_this_one_usable() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("yes flood\r");
    terminal.wait_text("flood");
    terminal.command("c");
    terminal.wait_for("a new tab", |screen| {
        !screen.has("flood") && screen.has("$")
    });
    for round in 0..5 {
        terminal.say(&format!("typed{round}"));
    }
}

#[test]
fn a_terminal_that_stops_reading_costs_no_memory_and_is_soon_current() {
    let home = Home::new();
    let terminal = Terminal::script(
        &home,
        "yes flood & read x; kill $!; wait; echo CURRENT; exec cat",
    );
    terminal.wait_text("flood");
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    terminal.freeze(true);
    let before = procs::resident_kib(home.instance());
    for _ in 0..50 {
        assert!(home.cli(&["capture", &id]).ok().contains("flood"));
    }
    let growth = procs::resident_kib(home.instance()).saturating_sub(before);
    assert!(growth < 8 * 1024, "grew by {growth} KiB");
    home.cli(&["send", &id, "--enter", ""]).ok();
    home.cli(&["wait", &id, "--text", "CURRENT"]).ok();
    let stale = terminal.raw_len();
    terminal.freeze(false);
    terminal.wait_text("CURRENT");
    let caught_up = terminal.raw_len() - stale;
    assert!(caught_up < 100_000, "{caught_up} bytes to be current");
}

#[test]
fn random_bytes_in_a_visible_pane_stay_in_it() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("-");
    eventually("two panes", || alive(&home) == 2);
    let noise = "srand 5; for (1..400) { print pack 'C*', map { rand 256 } 1..1000 } \
                 print qq(\\030\\e\\\\\\ecQUIET\\n)";
    let script = home.file("noise.pl");
    std::fs::write(&script, noise).unwrap();
    terminal.type_(&format!("perl {}\r", script.display()));
    terminal.wait_text("QUIET");
    terminal.command("k");
    terminal.say("unharmed");
    assert!(!home.logs().contains("panicked"));
    procs::signal(home.instance(), rustix::process::Signal::TERM);
    assert_eq!(terminal.exit(), 143);
    terminal.assert_restored();
}
