//! The configuration: where it lies, what is refused and how it is told, what is applied live.

use std::fs;
use std::time::Duration;

use crate::support::{Home, Serve, Terminal, command, eventually};

#[test]
fn the_paths_follow_home() {
    let home = Home::new();
    let path = home.cli(&["config", "path"]).ok();
    assert_eq!(path.trim(), home.config_file().to_str().unwrap());
    let other = home.file("other");
    let path = home
        .cli(&["--home", other.to_str().unwrap(), "config", "path"])
        .ok();
    assert_eq!(
        path.trim(),
        other.join("config/config.toml").to_str().unwrap()
    );
    let file = home.file("mine.toml");
    let path = home
        .cli(&["--config", file.to_str().unwrap(), "config", "path"])
        .ok();
    assert_eq!(path.trim(), file.to_str().unwrap());
    let mut by_variable = home.tundra(&["config", "path"]);
    by_variable.env("TUNDRA_CONFIG", &file);
    let path = command::run(by_variable, b"", Duration::from_secs(20)).ok();
    assert_eq!(path.trim(), file.to_str().unwrap());
}

#[test]
fn without_a_home_folder_variable_the_xdg_paths_hold() {
    let home = Home::new();
    let mut command = home.tundra(&["config", "path"]);
    command.env_remove("TUNDRA_HOME");
    let path = command::run(command, b"", Duration::from_secs(20)).ok();
    assert_eq!(
        path.trim(),
        home.file(".config/tundra/config.toml").to_str().unwrap()
    );
    let mut command = home.tundra(&["config", "path"]);
    command
        .env_remove("TUNDRA_HOME")
        .env("XDG_CONFIG_HOME", home.file("xdg"));
    let path = command::run(command, b"", Duration::from_secs(20)).ok();
    assert_eq!(
        path.trim(),
        home.file("xdg/tundra/config.toml").to_str().unwrap()
    );
}

#[test]
fn serve_keeps_everything_under_its_home() {
    let home = Home::new();
    let serve = Serve::at(home);
    serve.sh("exec cat");
    let mut made: Vec<String> = fs::read_dir(serve.home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    made.sort();
    let allowed = ["config", "data", "logs", "run", "state", "user"];
    assert!(
        made.iter().all(|name| allowed.contains(&name.as_str())),
        "{made:?}"
    );
    assert_eq!(
        fs::read_dir(serve.home.user()).unwrap().count(),
        0,
        "nothing in $HOME"
    );
    assert!(serve.home.logs().contains("tundra"), "logs are written");
}

#[test]
fn terminal_bytes_never_reach_the_logs() {
    let home = Home::new();
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("RUST_LOG", "trace");
    let serve = Serve::from(home, command);
    let id = serve.sh("echo out-of-the-pty-5309; exec cat");
    serve.enter(&id, "typed-secret-8675");
    serve.wait_text(&id, "typed-secret-8675");
    serve
        .cli(&["send", &id, "--paste", "pasted-secret-4242"])
        .ok();
    serve.wait_text(&id, "pasted-secret-4242");
    let logs = serve.home.logs();
    for secret in ["typed-secret-8675", "pasted-secret-4242"] {
        assert!(!logs.contains(secret), "{secret} is in the logs");
    }
}

#[test]
fn the_default_configuration_is_printed_and_valid() {
    let home = Home::new();
    let printed = home.cli(&["config", "print-default"]).ok();
    let example =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml")).unwrap();
    assert_eq!(printed, example);
    for key in [
        "max_ptys",
        "scrollback_lines",
        "kill_grace",
        "prefix",
        "theme",
        "mouse",
        "unicode",
        "warn_at",
    ] {
        assert!(printed.contains(key), "{key} is not in it");
    }
    home.configure(&printed);
    home.cli(&["config", "check"]).ok();
    let serve = Serve::at(home);
    assert_eq!(serve.cli(&["status", "--json"]).json()["pool"]["max"], 10);
}

#[test]
fn every_fault_is_told_at_once_with_its_line_and_remedy() {
    let toml = "\
[general]
theme = \"purple\"
prefix = \"ctrl-\"

[pty]
max_ptys = 0
scrollback_lines = \"many\"
kill_grace = \"two seconds\"
warn_at = 1.5
max_pty = 3

[[pane]]
command = 7

[keys]
frobnicate = \"x\"
";
    let home = Home::with_config(toml);
    let faults = [
        ("2", "general.theme"),
        ("3", "general.prefix"),
        ("6", "pty.max_ptys"),
        ("7", "pty.scrollback_lines"),
        ("8", "pty.kill_grace"),
        ("9", "pty.warn_at"),
        ("10", "pty.max_pty"),
        ("13", "pane[0].command"),
        ("16", "keys.frobnicate"),
    ];
    for args in [&["config", "check"][..], &["serve"]] {
        let done = command::run(home.tundra(args), b"", Duration::from_secs(20));
        assert_eq!(done.code, 2, "{done:#?}");
        for (line, key) in faults {
            let start = format!("config error: config.toml:{line}: {key}: ");
            assert!(
                done.stderr.lines().any(|told| told.contains(&start)),
                "{start:?} is not told by {args:?}:\n{}",
                done.stderr
            );
        }
        let told = done
            .stderr
            .lines()
            .filter(|line| line.contains("config error: "))
            .count();
        assert_eq!(told, faults.len(), "{}", done.stderr);
    }
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let home = Home::with_config("[general]\n\n[pty\nmax_ptys = 3\n");
    let done = home.cli(&["config", "check"]);
    assert_eq!(done.code, 2, "{done:#?}");
    assert!(
        done.stderr.contains("config error: config.toml:3"),
        "{done:#?}"
    );
}

#[test]
fn a_key_taken_from_its_default_is_no_fault_but_told() {
    let home = Home::with_config("[keys]\nzoom-pane = \"c\"\n");
    let done = home.cli(&["config", "check"]);
    assert_eq!(done.code, 0, "{done:#?}");
    assert_eq!(
        done.stderr,
        "keys: c is now zoom-pane, no longer new-pane, which has no key left\n"
    );
    home.configure("[keys]\nzoom-pane = \"c\"\nnew-pane = \"c\"\n");
    let done = home.cli(&["config", "check"]);
    assert_eq!(
        done.code, 2,
        "two that the user chose are a fault: {done:#?}"
    );
}

#[test]
fn limits_are_named() {
    for (toml, wanted) in [
        ("[pty]\nmax_ptys = 1001\n", "1000"),
        ("[pty]\nmax_ptys = -1\n", "1"),
        ("[pty]\nmax_ptys = 2.5\n", "max_ptys"),
        ("[pty]\nwarn_at = -0.1\n", "0"),
    ] {
        let home = Home::with_config(toml);
        let done = home.cli(&["config", "check"]);
        assert_eq!(done.code, 2, "{toml}: {done:#?}");
        assert!(
            done.stderr.contains("config error: config.toml:2: pty."),
            "{done:#?}"
        );
        assert!(done.stderr.contains(wanted), "{done:#?}");
    }
}

#[test]
fn a_file_that_was_named_must_exist() {
    let home = Home::new();
    let done = home.cli(&["--config", "/no/such/file.toml", "config", "check"]);
    assert_eq!(done.code, 2, "{done:#?}");
    assert!(done.stderr.contains("/no/such/file.toml"), "{done:#?}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_told() {
    let home = Home::new();
    fs::create_dir_all(home.config_file()).unwrap();
    let done = home.cli(&["config", "check"]);
    assert_eq!(done.code, 2, "{done:#?}");
    assert!(done.stderr.contains("config error: "), "{done:#?}");
    fs::remove_dir(home.config_file()).unwrap();
    fs::write(home.config_file(), b"[general]\nshell = \"\xff\xfe\"\n").unwrap();
    let done = home.cli(&["config", "check"]);
    assert_eq!(done.code, 2, "{done:#?}");
}

#[test]
fn a_change_is_applied_live_and_a_bad_one_keeps_the_last_good() {
    let serve = Serve::with_config("[pty]\nmax_ptys = 3\n");
    let max = || serve.cli(&["status", "--json"]).json()["pool"]["max"].clone();
    assert_eq!(max(), 3);
    serve.home.configure("[pty]\nmax_ptys = 5\n");
    eventually("the new limit holds", || max() == 5);
    serve.home.configure("[pty]\nmax_ptys = 0\n");
    eventually("the bad edit is told in the log", || {
        serve.home.logs().contains("pty.max_ptys")
    });
    assert_eq!(max(), 5);
    // An editor may also write the file in place.
    fs::write(serve.home.config_file(), "[pty]\nmax_ptys = 6\n").unwrap();
    eventually("the limit written in place holds", || max() == 6);
    fs::remove_file(serve.home.config_file()).unwrap();
    serve.home.configure("[pty]\nmax_ptys = 7\n");
    eventually("the limit of the new file holds", || max() == 7);
}

#[test]
fn a_bad_edit_is_shown_on_the_screen() {
    let home = Home::with_config("");
    let terminal = Terminal::script(&home, "echo READY; exec cat");
    terminal.wait_text("READY");
    home.configure("[pty]\nmax_ptys = 0\n");
    terminal.wait_text("max_ptys");
    terminal.wait_text("READY");
}

#[test]
fn the_configured_shell_is_used() {
    let serve = Serve::with_config("[general]\nshell = \"/bin/bash\"\n");
    let id = serve.cli(&["new"]).ok();
    assert_eq!(serve.terminal(id.trim())["command"][0], "/bin/bash");
}

#[test]
fn configured_panes_are_opened() {
    let home = Home::new();
    let folder = home.file("project");
    fs::create_dir(&folder).unwrap();
    home.configure(&format!(
        "[[pane]]\nname = \"left\"\ncommand = [\"sh\", \"-c\", \"echo $WHICH in $PWD; exec cat\"]\n\
         cwd = {folder:?}\nenv = {{ WHICH = \"first\" }}\n\n\
         [[pane]]\nname = \"second\"\ncommand = [\"cat\"]\n"
    ));
    let terminal = Terminal::tundra(&home, &[]);
    terminal.wait_text("left");
    eventually("both are open", || {
        home.cli(&["ls", "--json"]).json().as_array().unwrap().len() == 2
    });
    let list = home.cli(&["ls", "--json"]).json();
    let mut names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["left", "second"]);
    home.cli(&["wait", "left", "--text", "first in .*/project"])
        .ok();
}
