//! What a program in a pane, another user of the machine, and a file of somebody else can and cannot do.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use crate::support::{Home, Serve, command};

const SECRET: &str = "sk-ant-of-the-border-test";

#[test]
fn a_program_in_a_pane_finds_no_key_in_the_instances_environment_and_gets_core_files_itself() {
    let home = Home::new();
    let mut tundra = home.tundra(&["serve", "--print-ready"]);
    tundra.env("ANTHROPIC_API_KEY", SECRET);
    let serve = Serve::from(home, tundra);
    assert_eq!(
        serve.cli(&["providers", "--json"]).json()[0]["state"],
        "ready"
    );
    let id = serve.sh(
        "tr '\\0' '\\n' < /proc/$PPID/environ | grep -a ANTHROPIC; env | grep ANTHROPIC_API_KEY; \
                       echo core $(ulimit -c); echo DONE",
    );
    serve.wait_text(&id, "DONE");
    let shown = serve.joined(&id);
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.contains("ANTHROPIC_API_KEY=s"), "{shown}");
    let environ = fs::read(format!("/proc/{}/environ", serve.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&environ).contains(SECRET));
    let limits = |pid: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let soft = line.unwrap()["Max core file size".len()..]
            .split_whitespace()
            .next();
        soft.unwrap().to_owned()
    };
    assert_eq!(limits(&serve.pid().to_string()), "0");
    let pid = serve.open(&["cat"]);
    let child = serve.terminal(&pid)["pid"].to_string();
    assert_eq!(limits(&child), limits("self"));
}

#[test]
fn a_key_that_a_reload_names_first_is_taken_out_of_the_environment_too() {
    let home = Home::new();
    let mut tundra = home.tundra(&["serve", "--print-ready"]);
    tundra.env("LATER_KEY", SECRET);
    let serve = Serve::from(home, tundra);
    let environ = || {
        let bytes = fs::read(format!("/proc/{}/environ", serve.pid())).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(
        environ().contains(SECRET),
        "nobody knows yet that it is one"
    );
    let profile =
        "[[profile]]\nname = \"later\"\nprovider = \"anthropic\"\napi_key_env = \"LATER_KEY\"\n";
    let config = serve.home.path().join("config/config.toml");
    let before = fs::read_to_string(&config).unwrap_or_default();
    fs::write(&config, before + profile).unwrap();
    crate::support::eventually("the key is known", || {
        let providers = serve.cli(&["providers", "--json"]).json();
        providers[0]["name"] == "later" && providers[0]["state"] == "ready"
    });
    assert!(!environ().contains(SECRET));
    let id = serve.sh("env | grep LATER; echo DONE");
    serve.wait_text(&id, "DONE");
    assert!(!serve.joined(&id).contains(SECRET));
}

/// Whether this test runs as root, who alone can make what belongs to others.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn folders_of_others_or_open_to_others_are_refused_with_path_and_owner() {
    let home = Home::new();
    for name in ["", "config", "data", "state", "logs", "run"] {
        let folder = home.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        let refused = home.cli(&["serve"]);
        assert_eq!(refused.code, 1, "{name:?}: {refused:#?}");
        assert!(
            refused.stderr.contains("can be written to by others"),
            "{refused:#?}"
        );
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        if !is_root() {
            continue;
        }
        std::os::unix::fs::chown(&folder, Some(12_345), None).unwrap();
        let refused = home.cli(&["serve"]);
        std::os::unix::fs::chown(&folder, Some(0), None).unwrap();
        assert_eq!(refused.code, 1, "{name:?}: {refused:#?}");
        let path = folder.display().to_string();
        let told = format!(
            "the folder {} belongs to user 12345",
            path.trim_end_matches('/')
        );
        assert!(
            refused
                .stderr
                .replace("/ belongs", " belongs")
                .contains(&told),
            "{refused:#?}"
        );
    }
}

#[test]
fn nothing_is_written_through_a_link_in_the_place_of_a_private_file() {
    let home = Home::new();
    let victim = home.file("victim");
    fs::write(&victim, "mine").unwrap();
    fs::set_permissions(&victim, Permissions::from_mode(0o644)).unwrap();
    let links = [
        "logs/tundra.log",
        "state/remote.token.new",
        "state/gateway.key.new",
    ];
    for link in links {
        let link = home.path().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        fs::set_permissions(link.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
        symlink(&victim, &link).unwrap();
    }
    let serve = Serve::at(home);
    serve.sh("true");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(fs::metadata(&victim).unwrap().mode() & 0o777, 0o644);
    let secret = |name: &str| fs::metadata(serve.home.path().join("state").join(name)).unwrap();
    for name in ["remote.token", "gateway.key"] {
        assert_eq!(secret(name).mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_lock_that_was_removed_lets_no_second_instance_in() {
    let serve = Serve::start();
    fs::remove_file(serve.home.path().join("state/tundra.lock")).unwrap();
    let second = serve.cli(&["serve"]);
    assert_eq!(second.code, 1, "{second:#?}");
    let told = format!("already running here with pid {}", serve.pid());
    assert!(second.stderr.contains(&told), "{second:#?}");
    serve.cli(&["ls"]).ok();
}

#[test]
fn what_others_wrote_reaches_no_terminal_as_a_command_or_a_line_of_its_own() {
    let serve = Serve::start();
    let hostile = "x\x1b]0;owned\x07\nforged: \u{9b}2J";
    for args in [&["kill", hostile][..], &["ask", "--profile", hostile, "hi"]] {
        let refused = serve.cli(args);
        assert_eq!(refused.code, 1, "{refused:#?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:#?}");
        assert!(
            !refused.stderr.contains(['\x1b', '\x07', '\u{9b}']),
            "{refused:#?}"
        );
    }
    let id = serve.open(&["printf", "\\033]0;\\302\\2332Jtitle\\007"]);
    serve.wait_exit(&id);
    for args in [&["ls"][..], &["ls", "--json"], &["capture", &id, "--json"]] {
        let shown = serve.cli(args).ok();
        assert!(!shown.contains(['\x1b', '\x07', '\u{9b}']), "{shown:?}");
    }
}

fn import(home: &Home, folder: &Path, options: &[&str], answer: &[u8]) -> command::Finished {
    let mut args = vec!["config", "import", folder.to_str().unwrap()];
    args.extend(options);
    command::run(home.tundra(&args), answer, Duration::from_secs(20))
}

#[test]
fn an_import_reads_files_alone_and_sends_no_secret_anywhere_unasked() {
    let home = Home::new();
    let folder = home.file("old");
    fs::create_dir(&folder).unwrap();
    let profiles = folder.join("api_profiles.json");
    symlink("/dev/zero", &profiles).unwrap();
    let refused = import(&home, &folder, &[], b"");
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains("it is no file"), "{refused:#?}");
    fs::remove_file(&profiles).unwrap();
    let text = r#"[{"name": "x", "provider": "openai", "base_url": "http://evil.example", "api_key_env": "AWS_SECRET_ACCESS_KEY"}]"#;
    fs::write(&profiles, text).unwrap();
    // The answer of a pipe is nobody's.
    let refused = import(&home, &folder, &[], b"y\n");
    assert_eq!(refused.code, 1, "{refused:#?}");
    for told in [
        "AWS_SECRET_ACCESS_KEY",
        "http://evil.example is in the clear",
    ] {
        assert!(refused.stderr.contains(told), "{refused:#?}");
    }
    assert!(!home.config_file().exists());
    import(&home, &folder, &["--yes"], b"").ok();
    let written = fs::read_to_string(home.config_file()).unwrap();
    assert!(written.contains("AWS_SECRET_ACCESS_KEY"), "{written}");
}
