use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn faults(text: &str) -> Vec<String> {
    match parse("config.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_example_file_says_the_defaults() {
    assert_eq!(parse("config.example.toml", DEFAULT_FILE), parse("", ""));
    assert!(parse("", "").is_ok());
}

#[test]
fn the_example_file_names_every_key() {
    let document: toml::Table = DEFAULT_FILE.parse().unwrap();
    let keys = |section: &str| {
        let table = document[section].as_table().unwrap();
        table.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("general"), "mouse prefix shell theme unicode");
    assert_eq!(
        keys("pty"),
        "idle_timeout kill_grace max_lifetime max_ptys scrollback_lines warn_at"
    );
    assert_eq!(keys("logging"), "format keep level max_size");
    let uncommented: Vec<&str> = DEFAULT_FILE
        .lines()
        .skip_while(|line| !line.starts_with("# [[pane]]"))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .collect();
    let uncommented = uncommented.join("\n");
    let settings = parse("", &uncommented).unwrap();
    let pane = settings.panes.first().unwrap();
    assert_eq!(pane.name.as_deref(), Some("agent"));
    assert_eq!(
        pane.env,
        BTreeMap::from([("LOG".to_owned(), "1".to_owned())])
    );
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_file() {
    let text = "\
[pty]
max_ptys = 0
max_pty = 5
warn_at = \"high\"

[genral]
mouse = 1

[[pane]]
command = []
[[pane]]
agent = \"clod\"
colour = \"red\"
";
    assert_eq!(
        faults(text),
        [
            "config error: config.toml:2: pty.max_ptys: must be at least 1",
            "config error: config.toml:3: pty.max_pty: unknown key, did you mean max_ptys?",
            "config error: config.toml:4: pty.warn_at: must be a number, not a string",
            "config error: config.toml:6: genral: unknown key, did you mean general?",
            "config error: config.toml:10: pane[0].command: must begin with a program",
            "config error: config.toml:12: pane[1].agent: must be \"claude\", \"codex\", \"aider\", \
             \"opencode\" or \"gemini\"",
            "config error: config.toml:13: pane[1].colour: unknown key, valid here: name, command, cwd, env, agent",
        ]
    );
}

#[test]
fn a_broken_line_hides_no_fault_of_another() {
    let found = faults("[pty]\nmax_ptys = \nkill_grace = 5\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("config error: config.toml:2: syntax: "));
    assert!(
        found[1].starts_with("config error: config.toml:3: pty.kill_grace: must be a duration")
    );
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(\\PC|[\\[\\]=.\"'\n#{},])*") {
        let _ = parse("config.toml", &text);
    }

    #[test]
    fn no_change_of_a_good_file_is_too_strange(at in 0..DEFAULT_FILE.len(), with in "[\\[\\]=.\"'\n#{},a0-]{0,3}") {
        let mut text = DEFAULT_FILE.to_owned();
        text.replace_range(at..=at, &with);
        let _ = parse("config.toml", &text);
    }
}

#[test]
fn a_command_line_is_split_or_given_to_the_shell() {
    let text = "\
[general]
shell = \"/bin/bash -l\"
[[pane]]
command = \"npm run dev\"
[[pane]]
command = \"cd x && make\"
[[pane]]
command = [\"a b\", \"c\"]
";
    let settings = parse("config.toml", text).unwrap();
    assert_eq!(settings.general.shell, ["/bin/bash", "-l"]);
    let commands: Vec<_> = settings
        .panes
        .iter()
        .map(|pane| pane.command.clone())
        .collect();
    assert_eq!(
        commands,
        [
            vec!["npm", "run", "dev"],
            vec!["/bin/bash", "-c", "cd x && make"],
            vec!["a b", "c"]
        ]
    );
}

/// Each invalid fixture begins with the faults it must give, one `#! ` line for each.
#[test]
fn every_fixture_gives_what_it_promises() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let files = |folder: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(fixtures.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    for path in files("valid") {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(faults(&text), Vec::<String>::new(), "{}", path.display());
    }
    let invalid = files("invalid");
    assert!(invalid.len() > 20);
    for path in invalid {
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#! "))
            .map(|line| format!("config error: {line}"))
            .collect();
        assert_eq!(faults(&text), expected, "{}", path.display());
    }
}
