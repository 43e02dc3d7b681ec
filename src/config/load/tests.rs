use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::profile::{Profile, ProviderKind};

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
    // To write the address down is to insist on it.
    let named = DEFAULT_FILE.replace("# bind = ", "bind = ");
    let mut named = parse("config.example.toml", &named).unwrap();
    assert!(std::mem::take(&mut named.gateway.bind_named));
    assert!(std::mem::take(&mut named.remote.bind_named));
    assert_eq!(Ok(named), parse("", ""));
}

#[test]
fn the_example_file_names_every_key() {
    let document: toml::Table = DEFAULT_FILE.parse().unwrap();
    let keys = |section: &str| {
        let table = document[section].as_table().unwrap();
        table.keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        keys("general"),
        "drain mouse on_close prefix shell theme unicode"
    );
    assert_eq!(
        keys("pty"),
        "confine idle_timeout kill_grace max_lifetime max_ptys scrollback_lines warn_at"
    );
    assert_eq!(keys("store"), "retention");
    assert_eq!(
        keys("dolt"),
        "commit_every database enabled host managed port user"
    );
    assert_eq!(keys("logging"), "format journald keep level max_size");
    assert_eq!(
        keys("remote"),
        "allowed_origins enabled heartbeat_interval idle_timeout max_viewers pong_timeout reconnect_grace replay_bytes"
    );
    assert_eq!(
        keys("gateway"),
        "affinity enabled max_body max_wait spill translation"
    );
    assert_eq!(
        keys("circuit_breaker"),
        "early_probe failure_threshold half_open_requests open_for success_threshold timeout_threshold"
    );
    assert_eq!(keys("timeouts"), "connect first_byte stream_idle");
    assert_eq!(keys("notify"), "bell command dwell min_interval on osc");
    let uncommented: Vec<&str> = DEFAULT_FILE
        .lines()
        .skip_while(|line| !line.starts_with("# [[profile]]"))
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .collect();
    let uncommented = uncommented.join("\n");
    let settings = parse("", &uncommented).unwrap();
    let table: toml::Table = uncommented.parse().unwrap();
    let mut profile_keys: Vec<&String> = table["profile"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|profile| profile.as_table().unwrap().keys())
        .collect();
    profile_keys.sort();
    profile_keys.dedup();
    assert_eq!(profile_keys.len(), 18, "{profile_keys:?}");
    let [claude, here] = &settings.profiles[..] else {
        panic!("two profiles");
    };
    let mut default = Profile::new("claude", ProviderKind::Anthropic);
    default.priority = 100;
    default.limits = claude.limits;
    default.headers.clone_from(&claude.headers);
    default.models.clone_from(&claude.models);
    default.max_tokens = claude.max_tokens;
    assert_eq!(*claude, default);
    assert_eq!(here.command, ["ollama", "serve"]);
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
             \"opencode\", \"gemini\" or \"shell\"",
            "config error: config.toml:13: pane[1].colour: unknown key, valid here: name, command, cwd, env, agent, \
             budget_usd, budget_tokens, gateway, confine",
        ]
    );
}

#[test]
fn an_agent_of_the_file_is_added_or_goes_before_the_built_in_one() {
    let text = "\
[[agent]]
name = \"mine\"
command = \"mine --fast\"
args = [\"--url\", \"{gateway}/v1\", \"--model\", \"{model}\"]
resume_args = [\"--again\"]
env = { MINE_KEY = \"{key}\" }
budget_usd = 2
budget_tokens = 1_000
gateway = true
confine = true

[[agent]]
name = \"claude\"
command = [\"/opt/claude\"]

[[pane]]
agent = \"mine\"
budget_usd = 0.5
";
    let settings = parse("config.toml", text).unwrap();
    let names: Vec<&str> = settings
        .agents
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "claude", "codex", "aider", "opencode", "gemini", "shell", "mine"
        ]
    );
    let mine = settings.agents.get(&"mine".into()).unwrap();
    assert_eq!(mine.command, ["mine", "--fast"]);
    assert_eq!(mine.args, ["--url", "{gateway}/v1", "--model", "{model}"]);
    assert_eq!(mine.env, [("MINE_KEY".to_owned(), "{key}".to_owned())]);
    assert_eq!(mine.budget.nanodollars, Some(2_000_000_000));
    assert_eq!(
        (mine.budget.tokens, mine.confine),
        (Some(1_000), Some(true))
    );
    let claude = settings.agents.get(&"claude".into()).unwrap();
    let built_in = built_in_adapters();
    let built_in = built_in.get(&"claude".into()).unwrap();
    assert_eq!(claude.command, ["/opt/claude"]);
    assert_eq!(
        claude.wirings, built_in.wirings,
        "what it does not name stays"
    );
    let pane = settings.panes.first().unwrap();
    assert_eq!(pane.budget.nanodollars, Some(500_000_000));
}

#[test]
fn an_agents_faults_are_told_with_their_lines() {
    let text = "\
[[agent]]
command = \"x\"
[[agent]]
name = \"a\"
args = [\"{key}\"]
budget_usd = 0
budget_tokens = -1
colour = 1
[[agent]]
name = \"a\"
[notify]
osc = \"10\"
on = [\"sleepy\"]
command = [\"\"]
";
    let states =
        "\"unknown\", \"working\", \"waiting\", \"done\", \"idle\", \"quota\" or \"failed\"";
    assert_eq!(
        faults(text),
        [
            "config error: config.toml:1: agent[0].name: must be given".to_owned(),
            "config error: config.toml:5: agent[1].args: must not hold {key}, since everybody can read arguments: use env".to_owned(),
            "config error: config.toml:6: agent[1].budget_usd: must be above 0".to_owned(),
            "config error: config.toml:7: agent[1].budget_tokens: must be at least 1".to_owned(),
            "config error: config.toml:8: agent[1].colour: unknown key, valid here: name, command, args, resume_args, env, \
             budget_usd, budget_tokens, gateway, confine"
                .to_owned(),
            "config error: config.toml:10: agent[2].name: must differ from the name of agent[0]".to_owned(),
            "config error: config.toml:12: notify.osc: must be \"9\", \"99\", \"777\" or \"off\"".to_owned(),
            format!("config error: config.toml:13: notify.on[0]: must be {states}"),
            "config error: config.toml:14: notify.command: must begin with a program".to_owned(),
        ]
    );
}

#[test]
fn what_stands_for_a_notices_command_is_told_as_it_can_be_written() {
    assert_eq!(
        faults("[notify]\ncommand = \"notify-send hello\"\n"),
        ["config error: config.toml:2: notify.command: must be an array of strings, not a string"]
    );
    assert_eq!(
        faults("[general]\nshell = 1\n"),
        [
            "config error: config.toml:2: general.shell: must be a string or an array of strings, not a whole number"
        ]
    );
}

#[test]
fn two_listeners_have_two_addresses() {
    let both = |remote: &str, gateway: &str| {
        faults(&format!(
            "[gateway]\nbind = \"{gateway}\"\n[remote]\nbind = \"{remote}\"\n"
        ))
    };
    let fault = ["config error: config.toml:2: gateway.bind: must differ from remote.bind"];
    assert_eq!(both("127.0.0.1:5000", "127.0.0.1:5000"), fault);
    assert_eq!(both("0.0.0.0:5000", "localhost:5000"), fault);
    let none: [&str; 0] = [];
    assert_eq!(both("127.0.0.1:0", "127.0.0.1:0"), none);
    assert_eq!(both("127.0.0.2:5000", "127.0.0.1:5000"), none);
    let off = "[gateway]\nbind = \"127.0.0.1:5000\"\n[remote]\nenabled = false\nbind = \"127.0.0.1:5000\"\n";
    assert_eq!(faults(off), none);
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
    let mut wrong = Vec::new();
    for path in invalid {
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#! "))
            .map(|line| format!("config error: {line}"))
            .collect();
        let found = faults(&text);
        if found != expected {
            wrong.push(format!(
                "{}: found {found:#?}, not {expected:#?}",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn providers_whose_key_is_there_become_profiles_and_local_is_last() {
    let settings = parse("", "").unwrap();
    let found = |variables: &[&str]| {
        let profiles = settings.effective_profiles(|name| variables.contains(&name));
        let mut order: Vec<_> = profiles
            .iter()
            .map(|profile| (profile.priority, profile.name.to_string()))
            .collect();
        order.sort();
        order.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(
        found(&["OPENAI_API_KEY", "OPENROUTER_API_KEY", "ANTHROPIC_API_KEY"]),
        ["anthropic", "openrouter", "openai", "local"]
    );
    assert_eq!(
        found(&["GEMINI_API_KEY"]),
        ["gemini", "claude-login", "chatgpt-login", "local"]
    );
    assert_eq!(
        found(&["OPENAI_API_KEY"]),
        ["openai", "claude-login", "local"]
    );
    assert_eq!(found(&[]), ["claude-login", "chatgpt-login", "local"]);
    let configured = parse("", "[[profile]]\nname = \"x\"\nprovider = \"openai\"\n").unwrap();
    assert_eq!(configured.effective_profiles(|_| true).len(), 1);
}

#[test]
fn a_base_url_may_end_as_documentation_writes_it() {
    for given in [
        "https://openrouter.ai/api/v1/",
        "https://openrouter.ai/api/",
        "https://openrouter.ai/api",
    ] {
        let text = format!(
            "[[profile]]\nname = \"x\"\nprovider = \"openrouter\"\nbase_url = \"{given}\"\n"
        );
        let settings = parse("", &text).unwrap();
        assert_eq!(settings.profiles[0].base_url, "https://openrouter.ai/api");
    }
}

#[test]
fn what_is_named_relatively_lies_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(
        &path,
        "[dolt]\ndir = \"copy\"\n[remote]\ntls_cert = \"a.pem\"\ntls_key = \"/b.pem\"\n",
    )
    .unwrap();
    let settings = load(&ConfigSource { path, named: true }).unwrap();
    assert_eq!(settings.dolt.dir, Some(folder.path().join("copy")));
    let tls = settings.remote.tls.unwrap();
    assert_eq!(tls.cert, folder.path().join("a.pem"));
    assert_eq!(tls.key, PathBuf::from("/b.pem"));
}
