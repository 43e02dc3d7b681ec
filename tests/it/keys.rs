//! Which bytes a program gets for a key, typed at the outer terminal or sent by a command.

use crate::support::condition::eventually;
use crate::support::terminal::Options;
use crate::support::{Home, Serve, Terminal};

/// Outer terminals with room for what is printed on one line.
const PLAIN: Options = Options {
    rows: 40,
    cols: 200,
    kitty: false,
};
const KITTY: Options = Options {
    kitty: true,
    ..PLAIN
};

/// Prints every byte that arrives as two hex digits and a dot, after setting some modes.
fn echo_hex(modes: &str) -> Vec<String> {
    let script = format!(
        "$|=1; system('stty raw -echo'); print qq({modes}READY\\r\\n); \
         while (sysread(STDIN, $b, 4096)) {{ print join('', map {{ sprintf '%02x.', ord }} split //, $b) }}"
    );
    ["perl", "-e", &script].map(str::to_owned).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}.")).collect()
}

fn open_echo(serve: &Serve, modes: &str) -> String {
    let command = echo_hex(modes);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let id = serve.open_with(&["--cols", "300", "--rows", "40"], &command);
    serve.wait_text(&id, "READY");
    id
}

/// What is typed after each key to know where its bytes end; no sequence of a key holds it.
const END: &str = "@";

/// Sends each chord, an [`END`] between them, and compares all that arrived.
fn compare(serve: &Serve, modes: &str, table: &[(&str, &str)]) {
    let id = open_echo(serve, modes);
    let mut wrong = Vec::new();
    let mut seen = String::new();
    for (chord, expected) in table {
        serve.key(&id, chord);
        serve.send(&id, END);
        let all = eventually(&format!("the end of {chord}"), || {
            let all = serve.joined(&id).split_once("READY").unwrap().1.to_owned();
            (all.len() > seen.len() && all.ends_with("40.")).then_some(all)
        });
        let got = all[seen.len()..].strip_suffix("40.").unwrap();
        if got != hex(expected.as_bytes()) {
            wrong.push(format!(
                "{chord}: got {got}, not {}",
                hex(expected.as_bytes())
            ));
        }
        seen = all;
    }
    assert!(wrong.is_empty(), "with {modes:?}:\n{}", wrong.join("\n"));
}

#[test]
fn named_keys_arrive_as_xterm_sends_them() {
    let serve = Serve::start();
    compare(
        &serve,
        "",
        &[
            ("a", "a"),
            ("A", "A"),
            ("C-c", "\x03"),
            ("ctrl-c", "\x03"),
            ("C-a", "\x01"),
            ("C-Space", "\0"),
            ("C-[", "\x1b"),
            ("C-\\", "\x1c"),
            ("C-]", "\x1d"),
            ("M-x", "\x1bx"),
            ("alt-x", "\x1bx"),
            ("C-M-x", "\x1b\x18"),
            ("Enter", "\r"),
            ("Tab", "\t"),
            ("S-Tab", "\x1b[Z"),
            ("BTab", "\x1b[Z"),
            ("Escape", "\x1b"),
            ("Space", " "),
            ("BSpace", "\x7f"),
            ("M-BSpace", "\x1b\x7f"),
            ("Up", "\x1b[A"),
            ("Down", "\x1b[B"),
            ("Right", "\x1b[C"),
            ("Left", "\x1b[D"),
            ("C-Left", "\x1b[1;5D"),
            ("S-Up", "\x1b[1;2A"),
            ("M-Right", "\x1b[1;3C"),
            ("C-S-Down", "\x1b[1;6B"),
            ("Home", "\x1b[H"),
            ("End", "\x1b[F"),
            ("C-Home", "\x1b[1;5H"),
            ("PageUp", "\x1b[5~"),
            ("PPage", "\x1b[5~"),
            ("PageDown", "\x1b[6~"),
            ("Insert", "\x1b[2~"),
            ("Delete", "\x1b[3~"),
            ("DC", "\x1b[3~"),
            ("C-Delete", "\x1b[3;5~"),
            ("F1", "\x1bOP"),
            ("F4", "\x1bOS"),
            ("F5", "\x1b[15~"),
            ("F12", "\x1b[24~"),
            ("S-F1", "\x1b[1;2P"),
            ("C-F5", "\x1b[15;5~"),
        ],
    );
}

#[test]
fn application_cursor_mode_is_honoured() {
    let serve = Serve::start();
    compare(
        &serve,
        "\\e[?1h",
        &[
            ("Up", "\x1bOA"),
            ("Left", "\x1bOD"),
            ("Home", "\x1bOH"),
            ("End", "\x1bOF"),
            ("C-Left", "\x1b[1;5D"),
            ("PageUp", "\x1b[5~"),
            ("F1", "\x1bOP"),
        ],
    );
}

#[test]
fn kitty_disambiguation_is_honoured() {
    let serve = Serve::start();
    compare(
        &serve,
        "\\e[>1u",
        &[
            ("a", "a"),
            ("Enter", "\r"),
            ("Tab", "\t"),
            ("BSpace", "\x7f"),
            ("Escape", "\x1b[27u"),
            ("C-c", "\x1b[99;5u"),
            ("C-i", "\x1b[105;5u"),
            ("M-x", "\x1b[120;3u"),
            ("S-Enter", "\x1b[13;2u"),
            ("C-Enter", "\x1b[13;5u"),
            ("Up", "\x1b[A"),
            ("C-Left", "\x1b[1;5D"),
            ("F1", "\x1b[P"),
            ("F5", "\x1b[15~"),
        ],
    );
}

#[test]
fn kitty_flags_are_answered_pushed_and_popped() {
    let serve = Serve::start();
    let id = open_echo(&serve, "\\e[?u\\e[>1u\\e[?u\\e[<u\\e[?u");
    serve.send(&id, "Z");
    serve.wait_text(&id, "5a");
    let got = serve.joined(&id).split_once("READY").unwrap().1.to_owned();
    assert_eq!(got, hex(b"\x1b[?0u\x1b[?1u\x1b[?0uZ"));
}

#[test]
fn text_of_any_script_arrives_as_utf_8() {
    let serve = Serve::start();
    let id = open_echo(&serve, "");
    let text = "é日本😀e\u{301}\t|";
    serve.send(&id, text);
    serve.send(&id, "Z");
    serve.wait_text(&id, "5a");
    let got = serve.joined(&id).split_once("READY").unwrap().1.to_owned();
    assert_eq!(got, hex(format!("{text}Z").as_bytes()));
}

/// A front end at such an outer terminal, whose only pane prints what arrives after setting some modes.
fn echoing(options: Options, modes: &str) -> (Home, Terminal) {
    let home = Home::new();
    let command = echo_hex(modes);
    let mut args = vec!["--"];
    args.extend(command.iter().map(String::as_str));
    let terminal = Terminal::start(home.tundra(&args), options);
    terminal.wait_text("READY");
    (home, terminal)
}

/// Types at the outer terminal and compares what the program got.
fn typed(options: Options, modes: &str, table: &[(&[u8], &[u8])]) {
    let (home, mut terminal) = echoing(options, modes);
    let id = home.cli(&["ls", "--json"]).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let arrived = || {
        let screen = home.cli(&["capture", &id, "--json", "--scrollback"]).json();
        let lines = screen["scrollback"]
            .as_array()
            .unwrap()
            .iter()
            .chain(screen["lines"].as_array().unwrap());
        let text: String = lines.map(|line| line.as_str().unwrap()).collect();
        text.split_once("READY").unwrap().1.to_owned()
    };
    // Whatever came by itself before the first key, such as a focus event.
    let mut seen = {
        terminal.type_(END);
        eventually("the first key", || {
            Some(arrived()).filter(|all| all.ends_with("40."))
        })
    };
    let mut wrong = Vec::new();
    for (keys, expected) in table {
        terminal.write(keys);
        if keys.last() == Some(&0x1b) {
            // A lone escape is one only once nothing follows it.
            eventually("the escape has been taken as a key", || {
                arrived().len() > seen.len()
            });
        }
        let end = if options.kitty && terminal.look(|screen| screen.kitty_flags()) & 8 != 0 {
            "\x1b[64u"
        } else {
            END
        };
        terminal.type_(end);
        let all = eventually(&format!("the end of {}", keys.escape_ascii()), || {
            Some(arrived()).filter(|all| all.len() > seen.len() && all.ends_with("40."))
        });
        let got = all[seen.len()..].strip_suffix("40.").unwrap();
        if got != hex(expected) {
            wrong.push(format!(
                "{}: got {got}, not {}",
                keys.escape_ascii(),
                hex(expected)
            ));
        }
        seen = all;
    }
    assert!(wrong.is_empty(), "with {modes:?}:\n{}", wrong.join("\n"));
}

#[test]
fn keys_typed_at_a_plain_terminal_pass_through() {
    let same: Vec<&[u8]> = vec![
        b"a",
        b"A",
        b"\x01",
        b"\x03",
        b"\x1a",
        b"\x1c",
        b"\0",
        b"\r",
        b"\t",
        b"\x7f",
        b"\x08",
        b"\x1b",
        b"\x1bx",
        b"\x1b\x7f",
        b"\x1b[A",
        b"\x1b[D",
        b"\x1b[1;5D",
        b"\x1b[1;2A",
        b"\x1b[1;3C",
        b"\x1b[1;6B",
        b"\x1b[H",
        b"\x1b[F",
        b"\x1b[5~",
        b"\x1b[6~",
        b"\x1b[2~",
        b"\x1b[3~",
        b"\x1b[3;5~",
        b"\x1b[Z",
        b"\x1bOP",
        b"\x1bOS",
        b"\x1b[15~",
        b"\x1b[24~",
        b"\x1b[1;2P",
        "é".as_bytes(),
        "日".as_bytes(),
        "😀".as_bytes(),
        b"\x1b\x18",
    ];
    let table: Vec<(&[u8], &[u8])> = same.into_iter().map(|key| (key, key)).collect();
    typed(PLAIN, "", &table);
}

#[test]
fn keys_typed_at_a_plain_terminal_are_told_as_the_program_asked() {
    typed(
        PLAIN,
        "\\e[?1h",
        &[
            (b"\x1b[A", b"\x1bOA"),
            (b"\x1b[H", b"\x1bOH"),
            (b"\x1b[1;5D", b"\x1b[1;5D"),
            (b"\x1bOA", b"\x1bOA"),
        ],
    );
    typed(
        PLAIN,
        "\\e[>1u",
        &[
            (b"\x1b", b"\x1b[27u"),
            (b"\x03", b"\x1b[99;5u"),
            (b"\x1bx", b"\x1b[120;3u"),
            (b"a", b"a"),
        ],
    );
}

#[test]
fn keys_typed_at_a_kitty_terminal_are_told_as_the_program_asked() {
    typed(
        KITTY,
        "",
        &[
            (b"\x1b[99;5u", b"\x03"),
            (b"\x1b[27u", b"\x1b"),
            (b"\x1b[120;3u", b"\x1bx"),
            (b"\x1b[105;5u", b"\t"),
            (b"\x1b[13;2u", b"\r"),
            (b"\x1b[97;1:1u", b"a"),
            (b"\x1b[97;1:3u", b""),
            (b"\x1b[A", b"\x1b[A"),
            (b"\x1b[1;5D", b"\x1b[1;5D"),
            (b"\x1b[233u", "é".as_bytes()),
        ],
    );
    typed(
        KITTY,
        "\\e[>1u",
        &[
            (b"\x1b[99;5u", b"\x1b[99;5u"),
            (b"\x1b[27u", b"\x1b[27u"),
            (b"\x1b[13;2u", b"\x1b[13;2u"),
            (b"\x1b[97;1:3u", b""),
        ],
    );
}

#[test]
fn a_paste_is_told_as_the_program_asked() {
    let paste = b"\x1b[200~one two\x1b[201~";
    typed(PLAIN, "", &[(paste, b"one two")]);
    typed(PLAIN, "\\e[?2004h", &[(paste, paste)]);
}

#[test]
fn the_mouse_is_told_as_the_program_asked_relative_to_its_pane() {
    let (_home, mut terminal) = echoing(PLAIN, "\\e[?1000h\\e[?1006h");
    let (row, col) = terminal.look(|screen| screen.find("READY")).unwrap();
    terminal.click(row + 3, col + 7);
    let expected = hex(b"\x1b[<0;8;4M\x1b[<0;8;4m");
    terminal.wait_text(&expected);
    terminal.type_(&format!("\x1b[<64;{};{}M", col + 1, row + 1));
    terminal.wait_text(&hex(b"\x1b[<64;1;1M"));
    terminal.type_(&format!("\x1b[<16;{};{}M", col + 1, row + 1));
    terminal.wait_text(&hex(b"\x1b[<16;1;1M"));
}

#[test]
fn older_mouse_encodings_and_moves_are_told_too() {
    let (_home, mut terminal) = echoing(PLAIN, "\\e[?1003h");
    let (row, col) = terminal.look(|screen| screen.find("READY")).unwrap();
    terminal.type_(&format!("\x1b[<35;{};{}M", col + 3, row + 2));
    terminal.wait_text(&hex(b"\x1b[MC#\""));
}

#[test]
fn focus_is_told_to_programs_that_asked() {
    let (_home, mut terminal) = echoing(PLAIN, "\\e[?1004h");
    terminal.command("|");
    terminal.wait_text(&hex(b"\x1b[O"));
    terminal.command("h");
    terminal.wait_text(&hex(b"\x1b[O\x1b[I"));
    terminal.write(b"\x1b[O");
    terminal.wait_text(&hex(b"\x1b[O\x1b[I\x1b[O"));
    terminal.write(b"\x1b[I");
    terminal.wait_text(&hex(b"\x1b[O\x1b[I\x1b[O\x1b[I"));
}

#[test]
fn the_wheel_becomes_arrows_on_an_alternate_screen_that_asked() {
    let (_home, mut terminal) = echoing(PLAIN, "\\e[?1049h\\e[?1007h");
    terminal.type_("\x1b[<64;5;10M");
    terminal.wait_text(&hex(b"\x1b[A"));
    terminal.type_("\x1b[<65;5;10M");
    terminal.wait_text(&hex(b"\x1b[B"));
}

#[test]
fn drags_are_told_to_programs_that_asked_for_them() {
    let (_home, mut terminal) = echoing(PLAIN, "\\e[?1002h\\e[?1006h");
    let (row, col) = terminal.look(|screen| screen.find("READY")).unwrap();
    let (row, col) = (row + 2, col + 1);
    terminal.type_(&format!(
        "\x1b[<0;{col};{row}M\x1b[<32;{};{row}M\x1b[<0;{};{row}m",
        col + 4,
        col + 4
    ));
    terminal.wait_text(&hex(b"\x1b[<0;1;2M\x1b[<32;5;2M\x1b[<0;5;2m"));
    // Moves without a button were not asked for.
    terminal.type_(&format!("\x1b[<35;{col};{row}M"));
    terminal.type_("Z");
    terminal.wait_text(&hex(b"\x1b[<0;5;2mZ"));
}
