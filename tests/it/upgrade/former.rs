//! The program that goes on after another has failed goes on with what it had, whatever stands in the home by now.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::{Home, Serve};

const CONFIG: &str = "[gateway]\nbind = \"127.0.0.1:0\"\n[remote]\nbind = \"127.0.0.1:0\"\n";

/// Spoils something that every program reads which begins, and upgrades: the instance goes on as it was.
#[track_caller]
fn goes_on_though(config: &str, spoil: impl FnOnce(&Home), why: &str) -> Serve {
    let serve = Serve::at(Home::with_config(config));
    let id = serve.open(&["sh"]);
    let before = (serve.pid(), serve.child_pid(&id));
    spoil(&serve.home);
    let done = serve.cli(&["upgrade"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains(why), "{done:?}");
    assert!(done.stderr.contains("goes on"), "{done:?}");
    serve.enter(&id, "echo ali\"\"ve");
    serve.wait_text(&id, "alive");
    assert_eq!((serve.pid(), serve.child_pid(&id)), before);
    serve
}

#[test]
fn a_certificate_that_is_not_there() {
    let tls = CONFIG.replace(
        "[remote]\n",
        "[remote]\ntls_cert = \"no.pem\"\ntls_key = \"no.key\"\n",
    );
    let serve = goes_on_though(CONFIG, |home| home.configure(&tls), "TLS cannot be served");
    let status = serve.cli(&["status", "--json"]).json();
    assert_eq!(status["remote"]["url"], serve.ready()["remote_url"]);
}

#[test]
fn a_port_that_somebody_else_has() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = format!("[gateway]\nbind = \"{}\"\n", holder.local_addr().unwrap());
    goes_on_though(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n",
        |home| home.configure(&busy),
        "address already in use",
    );
}

#[test]
fn folders_that_others_may_write_to() {
    let spoil = |home: &Home| {
        let rights = fs::Permissions::from_mode(0o777);
        fs::set_permissions(home.path().join("state"), rights).unwrap();
    };
    goes_on_though(CONFIG, spoil, "can be written to by others");
}

#[test]
fn a_token_and_a_key_that_cannot_be_read() {
    for name in ["remote.token", "gateway.key"] {
        let spoil = |home: &Home| {
            let file = home.path().join("state").join(name);
            fs::remove_file(&file).unwrap();
            fs::create_dir(file).unwrap();
        };
        goes_on_though(CONFIG, spoil, name);
    }
}

#[test]
fn a_configuration_that_is_broken_while_the_next_program_begins() {
    let serve = Serve::at(Home::with_config(CONFIG));
    let id = serve.open(&["sh"]);
    let script = format!(
        "#!/bin/bash\nif [[ $* != *--can-resume* ]]; then echo '[pty]\nmax_ptys = 0' >> {}; fi\nexec {TUNDRA} \"$@\"\n",
        serve.home.config_file().display()
    );
    let binary = serve.home.script("spoiling", &script);
    let done = serve.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains("pty.max_ptys"), "{done:?}");
    serve.enter(&id, "echo ali\"\"ve");
    serve.wait_text(&id, "alive");
    // What stands in the file by now is told as if it had been written just then, and applied once it is right.
    let told = |kind: &str| {
        let history = serve.cli(&["history", "--kind", kind, "--json"]).json();
        history.as_array().unwrap().len()
    };
    eventually("it is told", || told("config.refused") == 1);
    serve
        .home
        .configure(&format!("{CONFIG}[pty]\nmax_ptys = 3\n"));
    eventually("it is applied", || {
        serve.cli(&["status", "--json"]).json()["pool"]["max"] == 3
    });
}
