//! `tundra doctor`, what it mends, and the bundle that it packs.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cli::has_keys;
use crate::support::{Home, Serve, Terminal, procs};

/// The names of every machine's checks.
const NAMES: &[&str] = &[
    "terminal.size",
    "terminal.colors",
    "terminal.keyboard",
    "terminal.unicode",
    "limits.files",
    "limits.processes",
    "limits.ptys",
    "limits.pool",
    "programs.shell",
    "programs.claude",
    "programs.codex",
    "config.file",
    "config.rights",
    "paths.rights",
    "paths.disk",
    "paths.lock",
    "paths.socket",
    "ports.gateway",
    "ports.remote",
    "clock",
    "store",
    "dolt",
    "children",
];

fn doctor(home: &Home, more: &[&str]) -> (i32, Value) {
    let args = [&["doctor", "--json"], more].concat();
    let done = home.cli(&args);
    let checks = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:#?}"));
    (done.code, checks)
}

#[track_caller]
fn check<'v>(answer: &'v Value, name: &str) -> &'v Value {
    let checks = answer["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is missing in {answer:#}"))
}

#[track_caller]
fn has_status(answer: &Value, name: &str, status: &str) {
    let check = check(answer, name);
    assert_eq!(check["status"], status, "{check:#}");
}

#[test]
fn a_fresh_machine_has_no_failure() {
    let home = Home::new();
    for more in [&["--offline"][..], &[]] {
        let (code, answer) = doctor(&home, more);
        assert_eq!(answer["summary"]["fail"], 0, "{answer:#}");
        assert_eq!(code, 0);
        for name in NAMES {
            let check = check(&answer, name);
            has_keys(check, &["name", "group", "status", "message", "cure"]);
            assert_eq!(check["group"], name.split('.').next().unwrap());
        }
        for layer in ["key", "dns", "tcp", "tls", "auth", "model"] {
            check(&answer, &format!("profile.local.{layer}"));
        }
        has_status(&answer, "terminal.size", "skip");
        let checks = answer["checks"].as_array().unwrap();
        let names: BTreeSet<&str> = checks.iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), checks.len());
        let counted: u64 = ["ok", "warn", "fail", "skip"]
            .iter()
            .map(|status| answer["summary"][status].as_u64().unwrap())
            .sum();
        assert_eq!(counted, checks.len() as u64);
    }
    let (_, answer) = doctor(&home, &[]);
    has_status(&answer, "profile.local.tcp", "warn");
    has_status(&answer, "profile.local.auth", "skip");
}

#[test]
fn a_faulty_configuration_is_a_failure_and_the_rest_is_checked_all_the_same() {
    let home = Home::with_config("[pty]\nmax_ptys = 0\n");
    let (code, answer) = doctor(&home, &["--offline"]);
    assert_eq!(code, 1);
    has_status(&answer, "config.file", "fail");
    let message = check(&answer, "config.file")["message"].as_str().unwrap();
    assert!(message.contains("config.toml:2: pty.max_ptys"), "{message}");
    has_status(&answer, "limits.ptys", "ok");
    let text = home.cli(&["doctor", "--offline"]);
    assert_eq!(text.code, 1);
    assert!(text.stdout.contains("fail  config.file"), "{}", text.stdout);
    assert!(
        text.stdout.contains("-> tundra config check"),
        "{}",
        text.stdout
    );
}

#[test]
fn a_running_instance_is_asked_and_its_ports_are_its_own() {
    let serve = Serve::start();
    let (_, answer) = doctor(&serve.home, &["--offline"]);
    let lock = check(&answer, "paths.lock")["message"].as_str().unwrap();
    assert!(lock.contains(&format!("pid {}", serve.pid())), "{lock}");
    for name in [
        "paths.socket",
        "ports.gateway",
        "ports.remote",
        "store",
        "children",
    ] {
        has_status(&answer, name, "ok");
    }
    let files = check(&answer, "limits.files")["message"].as_str().unwrap();
    assert!(files.contains("in use by the running tundra"), "{files}");
}

#[test]
fn a_port_that_is_taken_is_told_with_its_holder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let home = Home::with_config(&format!("[gateway]\nbind = \"{address}\"\n"));
    let (code, answer) = doctor(&home, &["--offline"]);
    assert_eq!(code, 1);
    let message = check(&answer, "ports.gateway")["message"].as_str().unwrap();
    let me = std::process::id();
    assert!(
        message.starts_with(&format!(
            "address already in use: {address} (held by pid {me} "
        )),
        "{message}"
    );
}

/// A provider that answers its list of models to one key alone.
fn provider(home: &Home) -> (std::process::Child, u16) {
    let script = home.script(
        "provider.py",
        r#"
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/portal"):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>sign in to this network</html>")
            return
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        good = self.headers.get("x-api-key") == "sk-good-key-0123"
        body = {"data": [{"id": "model-one"}, {"id": "model-two"}]} if good else {
            "type": "error", "error": {"message": "invalid x-api-key " + str(self.headers.get("x-api-key"))}}
        body = json.dumps(body).encode()
        self.send_response(200 if good else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"#,
    );
    let mut child = Command::new("python3")
        .arg(script)
        .env("HOME", home.user())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

#[test]
fn a_profile_is_checked_layer_by_layer() {
    if !crate::support::present("python3") {
        return;
    }
    let home = Home::new();
    let (mut child, port) = provider(&home);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    home.configure(&format!(
        r#"
[[profile]]
name = "good"
provider = "anthropic"
base_url = "http://127.0.0.1:{port}"
api_key_env = "GOOD_KEY"
default_model = "model-one"
[[profile]]
name = "bad"
provider = "anthropic"
base_url = "http://127.0.0.1:{port}"
api_key_env = "BAD_KEY"
[[profile]]
name = "unknown-model"
provider = "anthropic"
base_url = "http://127.0.0.1:{port}"
api_key_env = "GOOD_KEY"
default_model = "model-onne"
[[profile]]
name = "portal"
provider = "anthropic"
base_url = "http://127.0.0.1:{port}/portal"
api_key_env = "GOOD_KEY"
[[profile]]
name = "moved"
provider = "anthropic"
base_url = "http://127.0.0.1:{port}/moved"
api_key_env = "GOOD_KEY"
[[profile]]
name = "keyless"
provider = "openai"
api_key_env = "NO_SUCH_KEY"
[[profile]]
name = "closed"
provider = "local"
base_url = "http://127.0.0.1:{closed}"
[[profile]]
name = "off"
provider = "local"
enabled = false
"#
    ));
    let mut command = home.tundra(&["doctor", "--json"]);
    command
        .env("GOOD_KEY", "sk-good-key-0123")
        .env("BAD_KEY", "sk-bad-key-4567");
    let done = crate::support::command::run(command, b"", std::time::Duration::from_secs(30));
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(done.code, 1, "{done:#?}");
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    for (name, status) in [
        ("profile.good.key", "ok"),
        ("profile.good.dns", "ok"),
        ("profile.good.tcp", "ok"),
        ("profile.good.tls", "skip"),
        ("profile.good.auth", "ok"),
        ("profile.good.model", "ok"),
        ("profile.bad.auth", "fail"),
        ("profile.bad.model", "skip"),
        ("profile.unknown-model.model", "warn"),
        ("profile.portal.auth", "fail"),
        ("profile.portal.model", "skip"),
        ("profile.moved.auth", "fail"),
        ("profile.keyless.key", "fail"),
        ("profile.keyless.dns", "skip"),
        ("profile.closed.key", "ok"),
        ("profile.closed.tcp", "fail"),
        ("profile.closed.auth", "skip"),
        ("profile.off.key", "skip"),
        ("profile.off.model", "skip"),
        ("clock", "ok"),
    ] {
        has_status(&answer, name, status);
    }
    let cure = check(&answer, "profile.unknown-model.model")["cure"]
        .as_str()
        .unwrap();
    assert!(cure.contains("model-one"), "{cure}");
    assert!(!done.stdout.contains("sk-bad-key-4567"), "{}", done.stdout);
}

#[test]
fn what_can_be_mended_safely_is_mended_and_told() {
    let home = Home::with_config("");
    let state = home.path().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::create_dir_all(home.path().join("run")).unwrap();
    fs::write(state.join("gateway.key"), "tundra-x\n").unwrap();
    fs::set_permissions(state.join("gateway.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(home.config_file(), fs::Permissions::from_mode(0o666)).unwrap();
    let socket = home.path().join("run/control.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let (code, before) = doctor(&home, &["--offline"]);
    assert_eq!(code, 1);
    has_status(&before, "paths.rights", "fail");
    has_status(&before, "config.rights", "fail");
    has_status(&before, "paths.socket", "warn");
    let (code, after) = doctor(&home, &["--offline", "--fix"]);
    assert_eq!(code, 0, "{after:#}");
    for name in ["paths.rights", "config.rights", "paths.socket"] {
        has_status(&after, name, "ok");
    }
    let fixed = after["fixed"].as_array().unwrap();
    assert!(fixed.len() >= 3, "{fixed:#?}");
    assert!(!socket.exists());
    let mode = fs::metadata(state.join("gateway.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing is left to mend.
    let (_, again) = doctor(&home, &["--offline", "--fix"]);
    assert_eq!(again["fixed"], Value::Array(Vec::new()));
}

#[test]
fn every_file_of_tundras_is_closed_and_nothing_of_anybody_else_is_touched() {
    let home = Home::with_config(
        "[[agent]]\nname = \"own\"\ncommand = [\"cat\"]\nenv = { SECRET = \"x\" }\n",
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let open = |path: &Path, to: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(to)).unwrap();
    };
    let own = [
        "state/push.key",
        "state/session.json.broken-1",
        "logs/tundra.log.1",
        "data/tundra.db.broken-1",
    ]
    .map(|name| home.path().join(name));
    for path in &own {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
        open(path, 0o644);
    }
    open(&home.config_file(), 0o644);
    let (_, before) = doctor(&home, &["--offline"]);
    has_status(&before, "paths.rights", "fail");
    has_status(&before, "config.rights", "warn");
    // What is somebody's own, and what only a link leads to.
    let target = home.file("target");
    fs::write(&target, "x").unwrap();
    open(&target, 0o666);
    std::os::unix::fs::symlink(&target, home.path().join("state/link")).unwrap();
    let (_, after) = doctor(&home, &["--offline", "--fix"]);
    has_status(&after, "paths.rights", "ok");
    has_status(&after, "config.rights", "ok");
    for path in own {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&target), 0o666);
    // A home that others use too, and one that is no folder at all.
    let shared = home.file("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("anybody's"), "x").unwrap();
    open(&shared, 0o1777);
    for (given, before) in [(&shared, 0o1777), (&target, 0o666)] {
        let given_home = ["--home", given.to_str().unwrap()];
        let (code, answer) = doctor(&home, &[&["--offline", "--fix"][..], &given_home].concat());
        assert_eq!(code, 1);
        has_status(&answer, "paths.rights", "fail");
        let fixed = answer["fixed"].to_string();
        assert!(fixed.contains("not mended: "), "{fixed}");
        assert_eq!(mode(given), before, "{}", given.display());
    }
}

#[test]
fn what_a_listener_could_not_start_with_is_a_failure() {
    for (config, told) in [
        (
            // An address that is nobody's here (RFC 5737).
            "bind = \"192.0.2.1:3999\"",
            "cannot listen on 192.0.2.1:3999: ",
        ),
        (
            "bind = \"0.0.0.0:0\"\ntls_cert = \"/nowhere/cert.pem\"\ntls_key = \"/nowhere/key.pem\"",
            "TLS cannot be served: /nowhere/cert.pem: ",
        ),
    ] {
        let home = Home::with_config(&format!("[remote]\n{config}\n"));
        let (code, answer) = doctor(&home, &["--offline"]);
        assert_eq!(code, 1);
        has_status(&answer, "ports.remote", "fail");
        let message = check(&answer, "ports.remote")["message"].as_str().unwrap();
        assert!(message.starts_with(told), "{message}");
    }
}

#[test]
fn an_instance_that_is_stopped_is_told_with_what_wakes_it() {
    let serve = Serve::start();
    let pid = serve.pid();
    let signal = |signal| {
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    };
    signal(rustix::process::Signal::STOP);
    let (code, answer) = doctor(&serve.home, &["--offline"]);
    signal(rustix::process::Signal::CONT);
    assert_eq!(code, 1);
    let lock = check(&answer, "paths.lock");
    assert_eq!(lock["status"], "fail");
    let cure = lock["cure"].as_str().unwrap();
    assert_eq!(cure, format!("kill -CONT {pid}: it goes on where it was"));
}

#[test]
fn what_outlived_its_terminal_is_told_while_the_instance_runs() {
    if !crate::support::present("setsid") {
        return;
    }
    let serve = Serve::start();
    let id = serve.sh("setsid -f sleep 300; echo begun; exec cat");
    serve.wait_text(&id, "begun");
    let (_, answer) = doctor(&serve.home, &["--offline"]);
    has_status(&answer, "children", "ok");
    serve.cli(&["kill", &id]).ok();
    let (_, answer) = doctor(&serve.home, &["--offline"]);
    has_status(&answer, "children", "warn");
    let message = check(&answer, "children")["message"].as_str().unwrap();
    assert!(message.contains(" sleep"), "{message}");
    let left = serve.home.processes().into_iter();
    for process in left.filter(|process| process.name == "sleep") {
        procs::signal(process.pid, rustix::process::Signal::KILL);
    }
}

#[test]
fn a_socket_that_somebody_answers_at_is_never_removed() {
    let serve = Serve::start();
    let (_, answer) = doctor(&serve.home, &["--offline", "--fix"]);
    has_status(&answer, "paths.socket", "ok");
    serve.cli(&["status", "--json"]).json();
}

#[test]
fn a_terminal_is_asked_what_it_can_do() {
    let home = Home::new();
    let mut terminal = Terminal::tundra(&home, &["doctor", "--offline"]);
    terminal.wait_text(" skip");
    assert!(terminal.exit() < 2);
    let said = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(said.contains("\x1b[?u"), "it was not asked: {said}");
    let size = said.split("terminal.size").nth(1).unwrap();
    assert!(size.lines().next().unwrap().contains('x'), "{said}");
}

/// Every text of an archive, by name.
fn unpacked(archive: &Path, into: &Path) -> Vec<(String, String)> {
    fs::create_dir_all(into).unwrap();
    let done = Command::new("tar")
        .args([
            "xzf".as_ref(),
            archive.as_os_str(),
            "-C".as_ref(),
            into.as_os_str(),
        ])
        .status()
        .unwrap();
    assert!(done.success());
    let mut found = Vec::new();
    let mut folders = vec![into.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(into).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

// Secrets are planted in every place in one home, so that one archive is searched for all of them.
#[allow(clippy::too_many_lines)]
#[test]
fn a_bundle_holds_what_helps_and_no_secret() {
    if !crate::support::present("tar") {
        return;
    }
    let secrets = [
        "s3cret-header-value",
        "tiny1",
        "s3cret-pane-env",
        "s3cret-agent-env",
        "sk-ant-api03-from-the-environment",
        "hunter2-is-the-password",
        "sk-proj-in-a-providers-words",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsb2dpbiJ9.c2lnbmF0dXJl",
        "session-cookie-of-a-page",
        "bearer-in-a-log-line",
        "proxy-user:proxy-pass",
        "second-user:second-pass",
        "T0/B0/of-a-chat",
    ];
    let config = format!(
        r#"
[gateway]
bind = "127.0.0.1:0"
[remote]
bind = "127.0.0.1:0"
[dolt]
password_env = "DOLT_PASSWORD"
[notify]
command = ["curl", "https://hooks.slack.com/services/T0/B0/of-a-chat"]
[[profile]]
name = "p"
provider = "local"
base_url = "http://127.0.0.1:9"
headers = {{ x-tenant = "{}", x-short = "{}" }}
[[pane]]
name = "pane"
command = ["sh", "-c", "exec cat"]
env = {{ PANE_SECRET = "{}" }}
"#,
        secrets[0], secrets[1], secrets[2]
    );
    let serve = Serve::at(Home::with_config(&config));
    serve.cli(&["ask", "--profile", "p", "hello"]);
    let home = &serve.home;
    // A bundle is most needed where the configuration is refused: it is searched all the same.
    home.configure(&format!(
        "{config}[[agent]]\nname = \"own\"\ncommand = [\"cat\"]\nenv = {{ AGENT_SECRET = \"{}\" }}\n[nonsense]\n",
        secrets[3]
    ));
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(home.path().join("logs/tundra.log"))
        .unwrap();
    writeln!(log, "key {} refused, token {}", secrets[6], secrets[7]).unwrap();
    writeln!(log, "cookie: tundra_0a1b2c3d={}", secrets[8]).unwrap();
    writeln!(log, "authorization: Bearer {}", secrets[9]).unwrap();
    writeln!(log, "pane said {} and {}", secrets[0], secrets[2]).unwrap();
    fs::write(
        home.path().join("logs/server-p.log"),
        format!("--api-key {}\n", secrets[6]),
    )
    .unwrap();
    let archive = home.file("b.tar.gz");
    let mut command = home.tundra(&[
        "doctor",
        "--offline",
        "--redact-names",
        "--bundle",
        archive.to_str().unwrap(),
    ]);
    command
        .env("ANTHROPIC_API_KEY", secrets[4])
        .env("DOLT_PASSWORD", secrets[5])
        .env("HTTPS_PROXY", format!("http://{}@127.0.0.1:9", secrets[10]))
        .env("HTTP_PROXY", format!("{}@127.0.0.1:9", secrets[11]))
        .env("USER", "adalovelace");
    let done = crate::support::command::run(command, b"", std::time::Duration::from_secs(60));
    assert!(done.code < 2, "{done:#?}");
    assert_eq!(
        fs::metadata(&archive).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let files = unpacked(&archive, &home.file("unpacked"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "manifest.json",
        "doctor.json",
        "status.json",
        "history.json",
        "config.toml",
        "environment.txt",
        "versions.txt",
        "logs/tundra.log",
        "logs/server-p.log",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let own: Vec<String> = ["state/gateway.key", "state/remote.token"]
        .iter()
        .map(|name| {
            fs::read_to_string(home.path().join(name))
                .unwrap()
                .trim()
                .to_owned()
        })
        .collect();
    let home_of_user = home.user().display().to_string();
    for (name, text) in &files {
        for secret in secrets
            .iter()
            .copied()
            .chain(own.iter().map(String::as_str))
        {
            assert!(!text.contains(secret), "{secret} is in {name}:\n{text}");
        }
        assert!(
            !text.contains(&home_of_user),
            "{name} names the home:\n{text}"
        );
    }
    let text_of = |wanted: &str| {
        let found = files.iter().find(|(name, _)| name == wanted);
        found.unwrap().1.as_str()
    };
    let manifest: Value = serde_json::from_str(text_of("manifest.json")).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len());
    for file in listed {
        has_keys(file, &["name", "size", "redacted"]);
        let text = text_of(file["name"].as_str().unwrap());
        assert_eq!(file["size"], text.len());
    }
    let log = listed
        .iter()
        .find(|file| file["name"] == "logs/tundra.log")
        .unwrap();
    assert!(log["redacted"]["header"].as_u64().unwrap() >= 1, "{log}");
    for name in ["doctor.json", "status.json", "history.json"] {
        let value: Value = serde_json::from_str(text_of(name)).unwrap();
        assert!(!value.is_null(), "{name}");
    }
    assert!(text_of("config.toml").contains("x-tenant = \"[redacted header]\""));
    assert!(text_of("environment.txt").contains("ANTHROPIC_API_KEY=[set]"));
    assert!(text_of("versions.txt").contains("tundra "));
    // It is never written over another file.
    home.cli(&["doctor", "--offline", "--bundle", archive.to_str().unwrap()])
        .refused(1, "is there already: name another file");
}
