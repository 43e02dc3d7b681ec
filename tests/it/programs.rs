//! Programs that people run, on the emulator and the keys that tundra gives them.

use std::fs;

use crate::support::condition::eventually;
use crate::support::{Home, Serve, Terminal, present};

/// Ends what runs in the terminal by its own key and waits for it.
fn leave(serve: &Serve, id: &str, keys: &[&str]) {
    for key in keys {
        serve.key(id, key);
    }
    serve.wait_exit(id);
    assert_eq!(serve.terminal(id)["exit"]["code"], 0);
}

#[test]
fn vim_edits_a_file() {
    if !present("vim") {
        return;
    }
    let serve = Serve::start();
    let file = serve.home.file("poem.txt");
    fs::write(&file, "first\nsecond\nthird\n").unwrap();
    let id = serve.open(&["vim", "-u", "NONE", "-N", file.to_str().unwrap()]);
    serve.wait_text(&id, "third");
    assert_eq!(serve.screen(&id)["alternate_screen"], true);
    serve.key(&id, "Down");
    serve.send(&id, "oinserted");
    serve.key(&id, "Escape");
    serve.wait_text(&id, "inserted");
    serve.cli(&["resize", &id, "60x12"]).ok();
    // Vim takes what was typed before it hears of the size; then one asks again.
    eventually("vim knows the new size", || {
        serve.enter(&id, ":set columns?");
        serve.capture(&id).contains("columns=60")
    });
    serve.enter(&id, ":wq");
    serve.wait_exit(&id);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "first\nsecond\ninserted\nthird\n"
    );
}

#[test]
fn vim_works_in_the_front_end() {
    if !present("vim") {
        return;
    }
    let home = Home::new();
    let file = home.file("poem.txt");
    let mut terminal = Terminal::tundra(
        &home,
        &["--", "vim", "-u", "NONE", "-N", file.to_str().unwrap()],
    );
    terminal.wait_text("poem.txt");
    terminal.type_("isome text");
    terminal.wait_text("some text");
    terminal.write(b"\x1b");
    eventually("vim has left insert mode", || {
        home.cli(&["ls", "--json"]).json();
        terminal.look(|screen| !screen.has("INSERT"))
    });
    terminal.type_(":wq\r");
    eventually("the file is written", || {
        fs::read_to_string(&file).is_ok_and(|text| text == "some text\n")
    });
}

#[test]
fn neovim_starts_asks_and_edits() {
    if !present("nvim") {
        return;
    }
    let serve = Serve::start();
    let file = serve.home.file("note.txt");
    let id = serve.open(&["nvim", "-u", "NONE", file.to_str().unwrap()]);
    serve.wait_text(&id, "note.txt");
    serve.send(&id, "ihello from nvim");
    serve.key(&id, "Escape");
    serve.wait_text(&id, "hello from nvim");
    serve.enter(&id, ":wq");
    serve.wait_exit(&id);
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello from nvim\n");
}

#[test]
fn htop_draws_and_quits() {
    if !present("htop") {
        return;
    }
    let serve = Serve::start();
    let id = serve.open_with(&["--cols", "120", "--rows", "40"], &["htop"]);
    serve.wait_text(&id, "F10");
    serve.wait_text(&id, "PID");
    serve.cli(&["resize", &id, "90x25"]).ok();
    serve.key(&id, "F1");
    serve.wait_text(&id, "(?i)press any key|htop [0-9]");
    serve.send(&id, " ");
    serve.key(&id, "F10");
    serve.wait_exit(&id);
}

#[test]
fn less_pages_and_searches() {
    if !present("less") {
        return;
    }
    let serve = Serve::start();
    let file = serve.home.file("long.txt");
    let text: String = (1..=500)
        .map(|line| format!("line number {line}\n"))
        .collect();
    fs::write(&file, text).unwrap();
    let id = serve.open(&["less", file.to_str().unwrap()]);
    serve.wait_text(&id, "line number 1\n");
    serve.key(&id, "PageDown");
    serve.wait_text(&id, "line number 40\n");
    serve.enter(&id, "/number 321$");
    eventually("the match is on the first line", || {
        serve.screen(&id)["lines"][0] == "line number 321"
    });
    serve.send(&id, "G");
    serve.wait_text(&id, "line number 500");
    serve.key(&id, "q");
    serve.wait_exit(&id);
    assert_eq!(serve.screen(&id)["alternate_screen"], false);
}

#[test]
fn fish_prompts_completes_and_runs() {
    if !present("fish") {
        return;
    }
    let serve = Serve::start();
    fs::create_dir(serve.home.file("folder-with-a-name")).unwrap();
    let id = serve.open(&["fish", "--no-config", "--interactive"]);
    serve.wait_text(&id, "[>#]");
    serve.enter(&id, "echo (math 6 x 7):(tty)");
    serve.wait_text(&id, "42:/dev/pts");
    serve.send(&id, "cd folder-w");
    serve.key(&id, "Tab");
    serve.wait_text(&id, "folder-with-a-name/");
    serve.key(&id, "Enter");
    serve.enter(&id, "pwd");
    serve.wait_text(&id, "user/folder-with-a-name");
    serve.enter(&id, "exit");
    serve.wait_exit(&id);
}

#[test]
fn bash_edits_its_line() {
    let serve = Serve::start();
    let id = serve.open_with(
        &["--env", "PS1=ready> ", "--cols", "80", "--rows", "24"],
        &["bash", "--norc", "--noprofile"],
    );
    serve.wait_text(&id, "ready>");
    serve.send(&id, "echo wrld");
    serve.key(&id, "Left");
    serve.key(&id, "Left");
    serve.key(&id, "Left");
    serve.send(&id, "o");
    serve.key(&id, "C-a");
    serve.send(&id, "X=1 ");
    serve.key(&id, "End");
    serve.send(&id, "!");
    serve.key(&id, "BSpace");
    serve.key(&id, "Enter");
    serve.wait_text(&id, "(?m)^world$");
    serve.key(&id, "Up");
    serve.wait_text(&id, r"(?s)X=1 echo world.*X=1 echo world");
    serve.key(&id, "C-c");
    serve.key(&id, "C-d");
    serve.wait_exit(&id);
}

#[test]
fn nano_writes_a_file() {
    if !present("nano") {
        return;
    }
    let serve = Serve::start();
    let file = serve.home.file("note.txt");
    let id = serve.open(&["nano", "--ignorercfiles", file.to_str().unwrap()]);
    serve.wait_text(&id, "GNU nano");
    serve.send(&id, "typed in nano");
    serve.key(&id, "C-o");
    serve.wait_text(&id, "File Name to Write");
    serve.key(&id, "Enter");
    serve.wait_text(&id, "Wrote 1 line");
    leave(&serve, &id, &["C-x"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "typed in nano\n");
}

#[test]
fn tmux_runs_inside() {
    if !present("tmux") {
        return;
    }
    let serve = Serve::start();
    let socket = serve.home.file("tmux.sock");
    let id = serve.open(&[
        "tmux",
        "-S",
        socket.to_str().unwrap(),
        "-f",
        "/dev/null",
        "new-session",
        "sh",
    ]);
    serve.wait_text(&id, r"\[0\] 0:sh");
    serve.enter(&id, "echo in-\"\"side");
    serve.wait_text(&id, "in-side");
    serve.key(&id, "C-b");
    serve.key(&id, "%");
    serve.wait_text(&id, "│");
    serve.enter(&id, "exit");
    serve.wait_text(&id, r"\[0\] 0:sh");
    serve.enter(&id, "exit");
    serve.wait_exit(&id);
}

#[test]
fn tundra_runs_inside_tundra() {
    let serve = Serve::start();
    let inner = serve.home.file("inner");
    let id = serve.open(&[
        crate::support::home::TUNDRA,
        "--home",
        inner.to_str().unwrap(),
        "--",
        "sh",
        "-c",
        "echo IN''NER; exec cat",
    ]);
    serve.wait_text(&id, "INNER");
    serve.enter(&id, "typed through both");
    serve.wait_text(&id, "typed through both");
    serve.key(&id, "C-b");
    serve.key(&id, "q");
    serve.wait_text(&id, r"\?");
    serve.key(&id, "y");
    serve.wait_exit(&id);
    assert_eq!(serve.screen(&id)["alternate_screen"], false);
}

#[test]
fn top_refreshes_in_place() {
    if !present("top") {
        return;
    }
    let serve = Serve::start();
    let id = serve.open(&["top", "-d", "0.3"]);
    serve.wait_text(&id, "load average");
    serve.wait_text(&id, "PID");
    serve.key(&id, "q");
    serve.wait_exit(&id);
}
