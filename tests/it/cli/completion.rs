//! What the real shells offer behind `tundra`.

use std::time::Duration;

use crate::support::{Serve, command, present};

const SHELL: Duration = Duration::from_secs(30);

/// An instance with a terminal and a profile, and the command by its name in the search path.
fn instance() -> Serve {
    let serve = Serve::with_config("[[profile]]\nname = \"spare\"\nprovider = \"local\"\n");
    serve.open_with(&["--name", "build"], &["cat"]);
    let bin = serve.home.file("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tundra"), bin.join("tundra")).unwrap();
    serve
}

fn run(serve: &Serve, shell: &str, script: &str) -> String {
    let mut program = serve.home.program(shell);
    let path = format!(
        "{}:{}",
        serve.home.file("bin").display(),
        std::env::var("PATH").unwrap()
    );
    program.env("PATH", path).args(["-c", script]);
    command::run(program, b"", SHELL).ok()
}

/// Each line with what is offered at its end, and something that must not be.
const LINES: [(&str, &[&str], &str); 7] = [
    ("tundra ", &["ls", "capture", "config"], "user"),
    ("tundra kill ", &["build"], "spare"),
    ("tundra pin ", &["spare"], "build"),
    ("tundra failover --from ", &["spare"], "build"),
    ("tundra new --agent ", &["claude", "codex"], "build"),
    ("tundra wait build --state ", &["dead", "working"], "--json"),
    ("tundra ls --", &["--json", "--home"], "build"),
];

#[track_caller]
fn offers(line: &str, offered: &str, wanted: &[&str], unwanted: &str) {
    let words: Vec<&str> = offered.split_whitespace().collect();
    for word in wanted {
        assert!(
            words.contains(word),
            "{word} is not offered for {line:?}: {offered}"
        );
    }
    assert!(
        !words.contains(&unwanted),
        "{unwanted} is offered for {line:?}: {offered}"
    );
}

#[test]
fn bash_completes_commands_flags_values_and_live_names() {
    if !present("bash") {
        return;
    }
    let serve = instance();
    for (line, wanted, unwanted) in LINES {
        let script = format!(
            "source <(tundra completions bash); line='{line}'; COMP_WORDS=($line); \
             case $line in *' ') COMP_WORDS+=('');; esac; COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); COMP_TYPE=9; \
             _clap_complete_tundra tundra \"${{COMP_WORDS[COMP_CWORD]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        offers(line, &run(&serve, "bash", &script), wanted, unwanted);
    }
}

#[test]
fn fish_completes_commands_flags_values_and_live_names() {
    if !present("fish") {
        return;
    }
    let serve = instance();
    for (line, wanted, unwanted) in LINES {
        let script = format!("tundra completions fish | source; complete -C '{line}' | cut -f1");
        offers(line, &run(&serve, "fish", &script), wanted, unwanted);
    }
}

#[test]
fn zsh_completes_commands_flags_values_and_live_names() {
    if !present("zsh") {
        return;
    }
    let serve = instance();
    for (line, wanted, unwanted) in LINES {
        // What the script hands to zsh's own listing is printed instead.
        let script = format!(
            "compdef() {{ }}; source <(tundra completions zsh); _describe() {{ print -l -- ${{(P)argv[-1]}} }}; \
             words=(${{(z):-'{line}'}}); [[ '{line}' == *' ' ]] && words+=(''); CURRENT=$#words; \
             _clap_dynamic_completer_tundra"
        );
        let offered = run(&serve, "zsh", &script);
        let names: Vec<&str> = offered
            .lines()
            .map(|line| line.split(':').next().unwrap_or_default())
            .collect();
        offers(line, &names.join("\n"), wanted, unwanted);
    }
}
