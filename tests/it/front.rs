//! The front end as a person meets it: the real binary in a terminal.

use std::time::Duration;

use crate::support::command::run;
use crate::support::condition::eventually;
use crate::support::terminal::{Options, Screen};
use crate::support::{Home, Terminal, procs};

/// A front end with one shell, at its prompt.
fn shell(home: &Home) -> Terminal {
    let terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal
}

/// Types a line that prints `word`; the command line itself does not hold it.
fn say(terminal: &mut Terminal, word: &str) {
    let (head, tail) = word.split_at(1);
    terminal.type_(&format!("echo {head}\"\"{tail}\r"));
    terminal.wait_text(word);
}

/// The terminals by name, as the command line lists them.
fn list(home: &Home) -> Vec<serde_json::Value> {
    let list = home.cli(&["ls", "--json"]).json();
    list.as_array().unwrap().clone()
}

fn alive(home: &Home) -> usize {
    list(home)
        .iter()
        .filter(|t| t["status"] == "active")
        .count()
}

/// Types a command that writes the pane's size, and answers rows and columns.
fn pane_size(home: &Home, terminal: &mut Terminal) -> (u16, u16) {
    let file = home.file("size");
    let _ = std::fs::remove_file(&file);
    terminal.type_(&format!(
        "stty size > {0}.new; mv {0}.new {0}\r",
        file.display()
    ));
    let text = eventually("the pane's size is written", || {
        std::fs::read_to_string(&file).ok()
    });
    let (rows, cols) = text.trim().split_once(' ').unwrap();
    (rows.parse().unwrap(), cols.parse().unwrap())
}

/// Waits for a question, and answers it with a key.
fn answer(terminal: &mut Terminal, key: &str) {
    let asked = |screen: &Screen<'_>| screen.has("Yes") && screen.has("No");
    terminal.wait_for("it asks", asked);
    terminal.type_(key);
    terminal.wait_for("the question is gone", |screen| !asked(screen));
}

/// Strikes Escape and waits until it has closed what showed `text`: what follows at once would be an Alt chord.
fn escape(terminal: &mut Terminal, text: &str) {
    terminal.write(b"\x1b");
    terminal.wait_for(&format!("{text:?} is closed"), |screen| !screen.has(text));
}

#[test]
fn without_any_configuration_there_is_a_shell_at_once() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("$");
    say(&mut terminal, "hello");
    let (rows, cols) = pane_size(&home, &mut terminal);
    assert!(
        rows >= 26 && cols >= 96,
        "most of 30x100 is the pane's: {rows}x{cols}"
    );
    assert_eq!(list(&home)[0]["owner"], "front");
}

#[test]
fn leaving_asks_while_children_run_and_restores_the_terminal() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("q");
    answer(&mut terminal, "n");
    say(&mut terminal, "stayed");
    terminal.command("d");
    terminal.wait_text("Yes");
    terminal.type_("y");
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
    assert!(home.processes().is_empty());
}

#[test]
fn when_the_last_program_ends_by_itself_nothing_hangs() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("exit\r");
    eventually("the shell is gone", || {
        let list = home.cli(&["ls", "--json"]);
        !terminal.running() || !list.stdout.contains("\"active\"")
    });
    if terminal.running() {
        terminal.command("q");
    }
    assert_eq!(terminal.exit(), 0);
    terminal.assert_restored();
}

#[test]
fn a_split_halves_the_pane_and_takes_the_focus() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let whole = pane_size(&home, &mut terminal);
    say(&mut terminal, "left-one");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let right = pane_size(&home, &mut terminal);
    assert!(
        right.1 * 2 <= whole.1 && right.1 * 2 + 6 >= whole.1,
        "{whole:?} {right:?}"
    );
    terminal.command("-");
    eventually("three panes", || alive(&home) == 3);
    let below = pane_size(&home, &mut terminal);
    assert!(
        below.0 * 2 <= right.0 + 1 && below.1 == right.1,
        "{right:?} {below:?}"
    );
    terminal.wait_text("left-one");
}

#[test]
fn focus_follows_arrows_and_letters() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    say(&mut terminal, "right-side");
    for (go_left, go_right) in [("\x1b[D", "\x1b[C"), ("h", "l")] {
        terminal.command(go_left);
        say(&mut terminal, "now-left");
        let (_, col) = terminal.look(|screen| screen.find("now-left")).unwrap();
        assert!(col < 10, "{col}");
        terminal.command(go_right);
        say(&mut terminal, "now-right");
        let (_, col) = terminal.look(|screen| screen.find("now-right")).unwrap();
        assert!(col > 45, "{col}");
        terminal.type_("clear\r");
        terminal.wait_for("the right pane is clear", |screen| !screen.has("now-right"));
        terminal.command("h");
        terminal.type_("clear\r");
        terminal.wait_for("the left pane is clear", |screen| !screen.has("now-left"));
        terminal.command("l");
    }
}

#[test]
fn zoom_shows_one_pane_alone_and_all_again() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let whole = pane_size(&home, &mut terminal);
    say(&mut terminal, "other");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let half = pane_size(&home, &mut terminal);
    terminal.command("z");
    terminal.wait_for("the other pane is hidden", |screen| !screen.has("other"));
    let zoomed = pane_size(&home, &mut terminal);
    assert_eq!(zoomed.1, whole.1);
    terminal.command("z");
    terminal.wait_text("other");
    assert_eq!(pane_size(&home, &mut terminal), half);
}

#[test]
fn tabs_are_opened_and_switched() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "tab-the-first");
    terminal.command("c");
    terminal.wait_for("the first tab is hidden", |screen| {
        !screen.has("tab-the-first")
    });
    terminal.wait_text("$");
    say(&mut terminal, "tab-the-second");
    terminal.command("p");
    terminal.wait_for("the first tab", |s| {
        s.has("tab-the-first") && !s.has("tab-the-second")
    });
    terminal.command("n");
    terminal.wait_for("the second tab", |s| {
        s.has("tab-the-second") && !s.has("tab-the-first")
    });
    terminal.command("1");
    terminal.wait_for("the first tab by number", |s| s.has("tab-the-first"));
    terminal.command("2");
    terminal.wait_for("the second tab by number", |s| s.has("tab-the-second"));
    // There is no ninth.
    terminal.command("9");
    say(&mut terminal, "still-second");
}

#[test]
fn killing_a_pane_asks_first() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("x");
    answer(&mut terminal, "\x1b");
    say(&mut terminal, "spared");
    assert_eq!(alive(&home), 2);
    terminal.command("x");
    answer(&mut terminal, "\r");
    say(&mut terminal, "spared-again");
    assert_eq!(alive(&home), 2, "no is what Enter means");
    terminal.command("x");
    answer(&mut terminal, "y");
    eventually("one pane is left", || alive(&home) == 1);
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "the other one has the room: {cols}");
}

#[test]
fn a_pane_is_renamed_and_the_command_line_sees_it() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command(",");
    let old = list(&home)[0]["name"].as_str().unwrap().to_owned();
    for _ in 0..old.chars().count() {
        terminal.write(b"\x7f");
    }
    terminal.type_("kettle\r");
    terminal.wait_text("kettle");
    eventually("the name is known outside", || {
        list(&home)[0]["name"] == "kettle"
    });
    home.cli(&["rename", "kettle", "teapot"]).ok();
    terminal.wait_text("teapot");
}

#[test]
fn a_new_terminal_beside_the_front_end_leaves_focus_and_layout() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let before = pane_size(&home, &mut terminal);
    let id = home
        .cli(&[
            "new",
            "--name",
            "beside",
            "--",
            "sh",
            "-c",
            "echo BESIDE; exec cat",
        ])
        .ok();
    terminal.wait_text("beside");
    assert!(
        !terminal.look(|screen| screen.has("BESIDE")),
        "its tab lies behind"
    );
    assert_eq!(pane_size(&home, &mut terminal), before);
    say(&mut terminal, "unmoved");
    let id = id.trim();
    home.cli(&["wait", id, "--text", "BESIDE"]).ok();
    terminal.command("n");
    terminal.wait_text("BESIDE");
}

#[test]
fn the_command_line_types_into_what_the_front_end_shows() {
    let home = Home::new();
    let terminal = shell(&home);
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    home.cli(&["send", &id, "--enter", "--", "echo from-\"\"outside"])
        .ok();
    terminal.wait_text("from-outside");
    let screen = home.cli(&["capture", &id]).ok();
    assert!(screen.contains("from-outside"));
}

#[test]
fn killing_from_the_command_line_is_seen_in_the_front_end() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "survivor");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let id = list(&home)[1]["id"].as_str().unwrap().to_owned();
    home.cli(&["kill", &id]).ok();
    eventually("one pane is left", || alive(&home) == 1);
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "{cols}");
}

#[test]
fn scroll_mode_goes_back_searches_and_copies() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 300; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    assert!(!terminal.look(|screen| screen.has("151")));
    terminal.command("[");
    terminal.type_("g");
    terminal.wait_for("the oldest line", |s| {
        s.lines().iter().any(|l| l.contains("seq 1 300"))
    });
    terminal.type_("G");
    terminal.wait_text("300");
    terminal.type_("?");
    terminal.type_("151\r");
    terminal.wait_text("151");
    // The match is under the cursor: select to the end of the line and copy.
    terminal.type_("0v$y");
    terminal.wait_for("it is in the clipboard", |screen| {
        screen
            .clipboard()
            .iter()
            .any(|data| data.starts_with(b"MTUx"))
    });
    say(&mut terminal, "back-at-the-shell");
}

#[test]
fn output_does_not_move_what_is_being_read() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 200; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    terminal.command("[");
    terminal.type_("g");
    terminal.wait_text("seq 1 200");
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    home.cli(&["send", &id, "--enter", "--", "seq 500 600; echo mo\"\"re"])
        .ok();
    home.cli(&["wait", &id, "--text", "(?m)^more"]).ok();
    assert!(terminal.look(|screen| screen.has("seq 1 200") && !screen.has("600")));
    terminal.type_("q");
    terminal.wait_text("more");
}

#[test]
fn search_from_the_prefix_finds_in_the_history() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("echo nee\"\"dle; seq 1 300; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    terminal.command("/");
    terminal.type_("needle\r");
    terminal.wait_for("the needle", |s| {
        s.lines()
            .iter()
            .any(|line| line.contains("needle") && !line.contains("echo"))
    });
    terminal.type_("q");
    terminal.wait_text("finished");
}

#[test]
fn help_shows_the_keys_as_they_are_configured() {
    let home = Home::with_config("[general]\nprefix = \"ctrl-a\"\n\n[keys]\nzoom-pane = \"Z\"\n");
    let mut terminal = shell(&home);
    terminal.write(b"\x01");
    terminal.type_("?");
    terminal.wait_for("help", |screen| screen.has("split") && screen.has("zoom"));
    escape(&mut terminal, "split the pane");
    say(&mut terminal, "closed");
    // The old prefix belongs to the program now.
    terminal.type_("printf '%d\\n' \"'$(dd bs=1 count=1 2>/dev/null)\"\r");
    terminal.type_("\x02\r");
    terminal.wait_for("byte 2 has arrived", |screen| {
        screen.lines().iter().any(|line| line.contains('2'))
    });
}

#[test]
fn the_palette_finds_an_action_by_typing() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command(":");
    terminal.type_("split-d");
    terminal.wait_text("split-down");
    terminal.type_("\r");
    eventually("the pane is split", || alive(&home) == 2);
    terminal.command(":");
    terminal.wait_text("palette");
    escape(&mut terminal, "palette");
    say(&mut terminal, "closed");
}

#[test]
fn the_pane_list_goes_to_a_pane() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "number-one");
    terminal.command("c");
    terminal.wait_for("the first tab is hidden", |screen| {
        !screen.has("number-one")
    });
    home.cli(&[
        "rename",
        list(&home)[0]["id"].as_str().unwrap(),
        "firstpane",
    ])
    .ok();
    terminal.command("s");
    terminal.wait_text("firstpane");
    terminal.write(b"\x1b[A");
    terminal.type_("\r");
    terminal.wait_text("number-one");
}

#[test]
fn the_hint_line_shows_what_follows_the_prefix() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let before = terminal.look(|screen| screen.text());
    terminal.write(b"\x02");
    terminal.wait_for("hints for the keys after the prefix", |screen| {
        screen.text() != before && (screen.has("zoom") || screen.has("split"))
    });
    terminal.type_("|");
    eventually("the key after it still counts", || alive(&home) == 2);
}

#[test]
fn the_pool_gauge_is_on_the_screen() {
    let home = Home::with_config("[pty]\nmax_ptys = 4\n");
    let mut terminal = shell(&home);
    terminal.wait_text("1/4");
    for panes in 2..=4 {
        terminal.command("|");
        terminal.wait_text(&format!("{panes}/4"));
    }
    terminal.command("c");
    terminal.wait_text("pty pool is at capacity (4)");
    say(&mut terminal, "alive");
}

#[test]
fn the_prefix_twice_goes_to_the_program() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(
        &home,
        &[
            "--",
            "sh",
            "-c",
            "stty raw -echo; echo READY; exec od -An -tx1 -v -w1",
        ],
    );
    terminal.wait_text("READY");
    terminal.write(b"\x02\x02");
    terminal.type_("z");
    terminal.wait_for("02 and 7a", |screen| screen.has("02") && screen.has("7a"));
    let text = terminal.look(|screen| screen.text());
    assert_eq!(text.matches("02").count(), 1, "{text}");
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
    let mut terminal = Terminal::tundra(
        &home,
        &[
            "--",
            "sh",
            "-c",
            "stty raw -echo; echo READY; head -c 1048576 | sha256sum; exec cat",
        ],
    );
    terminal.wait_text("READY");
    terminal.paste(&whole);
    terminal.wait_text(&sum);
}

#[test]
fn a_mebibyte_pasted_into_a_deaf_program_is_told_and_hangs_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(
        &home,
        &[
            "--",
            "sh",
            "-c",
            "stty raw -echo; echo READY; exec sleep 1000",
        ],
    );
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
    say(&mut terminal, "meanwhile");
}

#[test]
fn a_flood_in_a_visible_pane_leaves_the_other_usable() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("yes flood\r");
    terminal.wait_text("flood");
    let before = procs::resident_kib(terminal.pid());
    terminal.command("|");
    terminal.wait_for("the prompt on the right", |screen| {
        screen.find("$").is_some_and(|(_, col)| col > 45)
    });
    for round in 0..5 {
        say(&mut terminal, &format!("typed{round}"));
    }
    let growth = procs::peak_resident_kib(terminal.pid()).saturating_sub(before);
    assert!(growth < 64 * 1024, "grew by {growth} KiB");
    // Into the flood itself one can type as well.
    terminal.command("h");
    terminal.write(b"\x03");
    say(&mut terminal, "dammed");
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
        say(&mut terminal, &format!("typed{round}"));
    }
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let home = Home::new();
    let terminal = Terminal::tundra(&home, &["--", "sh", "-c", "echo READY; exec cat"]);
    terminal.wait_text("READY");
    // Settled: two looks a while apart see the same number of bytes.
    let mut seen = terminal.raw_len();
    let mut quiet = std::time::Instant::now();
    eventually("a second passes without a byte", || {
        let now = terminal.raw_len();
        if now != seen {
            seen = now;
            quiet = std::time::Instant::now();
        }
        quiet.elapsed() > Duration::from_secs(1)
    });
}

#[test]
fn frames_come_in_synchronized_updates() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "framed");
    let raw = terminal.raw();
    let count = |needle: &[u8]| {
        raw.windows(needle.len())
            .filter(|window| *window == needle)
            .count()
    };
    let (begun, ended) = (count(b"\x1b[?2026h"), count(b"\x1b[?2026l"));
    assert!(begun > 0, "the outer terminal said that it knows mode 2026");
    assert!(begun.abs_diff(ended) <= 1, "{begun} begun, {ended} ended");
}

#[test]
fn a_storm_of_resizes_down_to_one_cell_is_survived() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("-");
    eventually("three panes", || alive(&home) == 3);
    for (rows, cols) in [
        (1, 1),
        (2, 2),
        (1, 200),
        (100, 1),
        (5, 5),
        (24, 80),
        (3, 10),
        (200, 500),
    ]
    .into_iter()
    .cycle()
    .take(80)
    {
        terminal.resize(rows, cols);
    }
    terminal.resize(4, 9);
    eventually("it still answers", || alive(&home) == 3);
    terminal.resize(30, 100);
    terminal.wait_for("the screen is back", |screen| {
        screen.has("$") && screen.lines().len() == 30
    });
    say(&mut terminal, "survived");
    assert!(!home.logs().contains("panicked"));
}

#[test]
fn a_window_too_small_says_so() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.resize(4, 16);
    terminal.wait_for("it says so", |screen| {
        screen.text().to_lowercase().contains("small")
    });
    terminal.resize(30, 100);
    terminal.wait_text("$");
    say(&mut terminal, "large-again");
}

#[test]
fn a_click_moves_the_focus() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    say(&mut terminal, "right-side");
    terminal.click(10, 5);
    say(&mut terminal, "clicked-left");
    let (_, col) = terminal.look(|screen| screen.find("clicked-left")).unwrap();
    assert!(col < 10, "{col}");
}

#[test]
fn the_wheel_scrolls_back() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("seq 1 200; echo fi\"\"nished\r");
    terminal.wait_text("finished");
    assert!(!terminal.look(|screen| screen.has("150")));
    for _ in 0..20 {
        terminal.type_("\x1b[<64;5;10M");
    }
    terminal.wait_for("older rows", |screen| {
        !screen.has("finished") && screen.has("130")
    });
}

#[test]
fn titles_bells_and_names_reach_the_screen() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033]2;my%stitle\\007' -; echo se\"\"t\r");
    terminal.wait_text("set");
    terminal.wait_for("the title is shown", |screen| {
        screen.has("my-title") || screen.title().contains("my-title")
    });
    let bells = terminal.look(|screen| screen.bells());
    terminal.type_("printf '\\007'; echo ru\"\"ng\r");
    terminal.wait_text("rung");
    terminal.wait_for("the bell rings outside", |screen| screen.bells() > bells);
}

#[test]
fn wide_and_combining_characters_stand_where_they_should() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\346\\227\\245\\346\\234\\254|e\\314\\201|\\360\\237\\230\\200|x\\n'; echo sh\"\"own\r");
    terminal.wait_text("shown");
    let (row, col) = terminal.look(|screen| screen.find("日本|")).unwrap();
    terminal.look(|screen| {
        let cell = |offset| {
            screen
                .vt()
                .cell(row, col + offset)
                .unwrap()
                .contents()
                .to_owned()
        };
        assert_eq!(cell(4), "|");
        assert_eq!(cell(5), "e\u{301}");
        assert_eq!(cell(6), "|");
        assert_eq!(cell(7), "😀");
        assert_eq!(cell(9), "|");
        assert_eq!(cell(10), "x");
    });
}

#[test]
fn colours_pass_to_the_outer_terminal() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033[38;2;1;2;3;48;5;20mC%sR\\033[m\\n' OLOU\r");
    terminal.wait_text("COLOUR");
    let (row, col) = terminal.look(|screen| screen.find("COLOUR")).unwrap();
    terminal.look(|screen| {
        let cell = screen.vt().cell(row, col).unwrap();
        assert_eq!(cell.fgcolor(), vt100::Color::Rgb(1, 2, 3));
        assert_eq!(cell.bgcolor(), vt100::Color::Idx(20));
    });
}

#[test]
fn no_color_draws_without_colours() {
    let home = Home::new();
    let mut command = home.tundra(&["--", "sh"]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_text("$");
    say(&mut terminal, "plain");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let colour = regex::Regex::new(
        "\x1b\\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m",
    )
    .unwrap();
    let found: Vec<&str> = colour
        .find_iter(&raw)
        .map(|found| found.as_str())
        .take(5)
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn without_utf_8_the_frame_is_ascii() {
    let home = Home::new();
    let mut command = home.tundra(&["--", "sh"]);
    command.env("LC_ALL", "C").env_remove("LANG");
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_text("$");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    say(&mut terminal, "ascii");
    let raw = terminal.raw();
    assert!(
        raw.is_ascii(),
        "{:?}",
        raw.iter().find(|byte| !byte.is_ascii())
    );
}

#[test]
fn term_dumb_is_refused_and_serve_is_named() {
    let home = Home::new();
    for term in [Some("dumb"), None] {
        let mut command = home.tundra(&[]);
        match term {
            Some(term) => command.env("TERM", term),
            None => command.env_remove("TERM"),
        };
        let mut terminal = Terminal::start(command, Options::default());
        if term.is_none() && terminal.running() {
            // Without TERM either answer is sound: refuse as for dumb, or go on as xterm does.
            let refused = eventually("it refuses or shows a prompt", || {
                if !terminal.running() {
                    return Some(true);
                }
                terminal.look(|screen| screen.has("$")).then_some(false)
            });
            if !refused {
                continue;
            }
        }
        assert_eq!(terminal.exit(), 2);
        terminal.wait_after("serve is named", |screen| {
            screen.lines().concat().contains("tundra serve")
        });
        terminal.assert_restored();
        assert_eq!(
            crate::support::terminal::last(&terminal.raw(), b"\x1b[?1049h"),
            None
        );
    }
}

#[test]
fn without_shell_and_home_the_front_end_starts() {
    let home = Home::new();
    let mut command = home.tundra(&[]);
    command
        .env_remove("SHELL")
        .env_remove("HOME")
        .env("TUNDRA_TEST_HOME", home.user());
    let mut terminal = Terminal::start(command, Options::default());
    terminal.wait_for("a prompt", |screen| screen.has("$") || screen.has("#"));
    say(&mut terminal, "hello");
}

#[test]
fn a_command_that_cannot_start_is_told() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["--", "no-such-program"]);
    eventually("it says why", || {
        terminal.look(|screen| {
            screen.text().contains("pty spawn failed: ")
                && screen.text().contains("no-such-program")
        })
    });
    if terminal.running() {
        terminal.command("q");
        eventually("it ends", || {
            if terminal.running() {
                terminal.look(|screen| screen.has("?")).then_some(())?;
                terminal.type_("y");
            }
            Some(())
        });
    }
    terminal.exit();
    terminal.assert_restored();
}

#[test]
fn a_second_front_end_names_the_first() {
    let home = Home::new();
    let first = shell(&home);
    let mut second = Terminal::tundra(&home, &[]);
    assert_eq!(second.exit(), 1);
    let pid = first.pid().to_string();
    second.wait_after("the pid is named", |screen| screen.has(&pid));
    second.assert_restored();
}

#[test]
fn the_clipboard_of_a_program_is_passed_on() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.type_("printf '\\033]52;c;aGVsbG8=\\007'; echo cop\"\"ied\r");
    terminal.wait_text("copied");
    terminal.wait_for("it is in the clipboard", |screen| {
        screen.clipboard().iter().any(|data| data == b"aGVsbG8=")
    });
}

#[test]
fn messages_are_kept_in_a_log() {
    let home = Home::with_config("[pty]\nmax_ptys = 1\n");
    let mut terminal = shell(&home);
    terminal.command("|");
    terminal.wait_text("pty pool is at capacity (1)");
    terminal.command("m");
    terminal.wait_text("messages");
    terminal.wait_text("pty pool is at capacity (1)");
}

#[test]
fn keys_of_the_configuration_change_live() {
    let home = Home::with_config("");
    let mut terminal = shell(&home);
    home.configure("[general]\nprefix = \"ctrl-a\"\n");
    eventually("the new prefix splits", || {
        terminal.write(b"\x01");
        terminal.type_("|");
        alive(&home) >= 2
    });
}

#[test]
fn a_terminal_that_stops_reading_costs_no_memory_and_is_soon_current() {
    let home = Home::new();
    let terminal = Terminal::tundra(
        &home,
        &[
            "--",
            "sh",
            "-c",
            "yes flood & read x; kill $!; wait; echo CURRENT; exec cat",
        ],
    );
    terminal.wait_text("flood");
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    terminal.freeze(true);
    let before = procs::resident_kib(terminal.pid());
    for _ in 0..50 {
        assert!(home.cli(&["capture", &id]).ok().contains("flood"));
    }
    let growth = procs::resident_kib(terminal.pid()).saturating_sub(before);
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
fn a_border_is_dragged() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.wait_text("│");
    let before = pane_size(&home, &mut terminal);
    let (_, border) = terminal.look(|screen| screen.find("│")).unwrap();
    let (from, to) = (border + 1, border - 19);
    terminal.type_(&format!(
        "\x1b[<0;{from};10M\x1b[<32;{to};10M\x1b[<0;{to};10m"
    ));
    eventually("the right pane is wider by what was dragged", || {
        pane_size(&home, &mut terminal).1 == before.1 + 20
    });
}

#[test]
fn what_the_mouse_selects_is_copied() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "selectable");
    let (row, col) = terminal
        .look(|screen| {
            let (row, line) = screen
                .lines()
                .into_iter()
                .enumerate()
                .find(|(_, line)| line.starts_with("selectable"))?;
            Some((row + 1, line.find("selectable")? + 1))
        })
        .unwrap();
    let end = col + 9;
    terminal.type_(&format!(
        "\x1b[<0;{col};{row}M\x1b[<32;{end};{row}M\x1b[<0;{end};{row}m"
    ));
    terminal.wait_for("it is in the clipboard", |screen| {
        screen
            .clipboard()
            .iter()
            .any(|data| data == b"c2VsZWN0YWJsZQ==")
    });
}

#[test]
fn what_was_copied_is_pasted() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "copy-me");
    terminal.command("[");
    terminal.type_("?copy-me\r");
    terminal.wait_for("the cursor is on the match", |screen| {
        let (row, col) = screen.vt().cursor_position();
        col == 0 && screen.lines()[usize::from(row)].starts_with("copy-me")
    });
    terminal.type_("v$y");
    terminal.wait_for("it is in the clipboard", |screen| {
        !screen.clipboard().is_empty()
    });
    terminal.type_("echo \"");
    terminal.command("]");
    terminal.wait_text("echo \"copy-me");
}

#[test]
fn a_pane_is_moved_to_a_tab_of_its_own() {
    let home = Home::new();
    let mut terminal = shell(&home);
    say(&mut terminal, "stays");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    terminal.command("!");
    terminal.wait_for("the other pane is elsewhere", |screen| !screen.has("stays"));
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "{cols}");
    terminal.command("p");
    terminal.wait_text("stays");
}

#[test]
fn borders_move_by_keys_and_are_evened_out() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let even = pane_size(&home, &mut terminal);
    terminal.command("H");
    terminal.command("H");
    eventually("the right pane has grown", || {
        pane_size(&home, &mut terminal).1 > even.1
    });
    terminal.command("=");
    eventually("both are the same again", || {
        pane_size(&home, &mut terminal).1 == even.1
    });
}

#[test]
fn a_program_that_ends_badly_keeps_its_last_screen() {
    let home = Home::new();
    let mut terminal = shell(&home);
    home.cli(&[
        "new",
        "--name",
        "failing",
        "--",
        "sh",
        "-c",
        "echo went wrong; exit 3",
    ])
    .ok();
    terminal.wait_text("failing");
    terminal.command("n");
    terminal.wait_for("its last words and how it ended", |screen| {
        screen.has("went wrong") && screen.has("3")
    });
    say_back(&mut terminal);
}

/// Goes to the first tab and speaks there.
fn say_back(terminal: &mut Terminal) {
    terminal.command("1");
    terminal.wait_text("$");
    say(terminal, "back");
}

#[test]
fn the_mouse_is_given_back_where_it_is_turned_off() {
    let home = Home::with_config("[general]\nmouse = false\n");
    let mut terminal = shell(&home);
    say(&mut terminal, "mouseless");
    for mode in [&b"\x1b[?1000h"[..], b"\x1b[?1002h", b"\x1b[?1003h"] {
        assert_eq!(crate::support::terminal::last(&terminal.raw(), mode), None);
    }
}

#[test]
fn commands_typed_in_a_pane_reach_this_instance() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let binary = crate::support::home::TUNDRA;
    terminal.type_(&format!(
        "{binary} rename $TUNDRA_TERMINAL_ID from-within\r"
    ));
    eventually("it has the name", || {
        list(&home)[0]["name"] == "from-within"
    });
}

#[test]
fn the_next_pane_that_waits_is_found() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let claude = home.file("claude");
    std::fs::write(
        &claude,
        "#!/bin/sh\necho pretending; read x; printf '\\033]9;may I?\\007'; exec cat\n",
    )
    .unwrap();
    std::fs::set_permissions(&claude, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut terminal = shell(&home);
    let id = home
        .cli(&["new", "--agent", "claude", "--", claude.to_str().unwrap()])
        .ok();
    let id = id.trim();
    home.cli(&["wait", id, "--text", "pretending"]).ok();
    home.cli(&["send", id, "--enter", "go"]).ok();
    home.cli(&["wait", id, "--state", "waiting", "--timeout", "20s"])
        .ok();
    assert!(!terminal.look(|screen| screen.has("pretending")));
    terminal.command("w");
    terminal.wait_text("pretending");
}
