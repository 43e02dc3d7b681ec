//! Servers that tundra keeps running run on.

use std::path::PathBuf;

use serde_json::Value;

use super::upgrade;
use super::way_back::succeeds;
use crate::support::condition::eventually;
use crate::support::home::TUNDRA;
use crate::support::local_server::LocalServer;
use crate::support::{Home, Serve, procs};

#[test]
fn the_server_of_a_local_profile_is_the_same_process_and_still_looked_after() {
    let home = Home::new();
    let Some(server) = LocalServer::in_home(&home) else {
        return;
    };
    home.configure(&format!(
        "[[profile]]\nname = \"here\"\n{}",
        server.profile()
    ));
    let mut serve = Serve::at(home);
    let process = |serve: &Serve| -> Value {
        let providers = serve.cli(&["providers", "--json"]).json();
        let mut all = providers.as_array().unwrap().iter();
        all.find(|one| one["name"] == "here").unwrap()["process"].clone()
    };
    eventually("it is ready", || process(&serve)["state"] == "ready");
    let before = process(&serve);
    for _ in 0..2 {
        upgrade(&serve);
        assert_eq!(process(&serve), before);
    }
    let log = || std::fs::read_to_string(serve.home.path().join("logs/server-here.log")).unwrap();
    assert_eq!(log(), "listening\n");
    // Its end is noticed by the next program, which starts it again.
    server.end();
    eventually("it is started again", || {
        let now = process(&serve);
        now["state"] == "ready" && now["restarts"] == 1
    });
    assert_eq!(log(), "listening\nending\nlistening\n");
    upgrade(&serve);
    let pid = u32::try_from(process(&serve)["pid"].as_u64().unwrap()).unwrap();
    assert!(procs::alive(pid));
    assert_eq!(serve.end(rustix::process::Signal::TERM).0, 143);
    assert!(!procs::alive(pid), "it ends with tundra");
}

#[test]
fn a_program_that_goes_back_has_started_and_ended_no_server() {
    let home = Home::new();
    let starts = home.file("starts");
    let server = |word: &str| {
        format!(
            "[[profile]]\nname = \"here\"\nprovider = \"local\"\nbase_url = \"http://127.0.0.1:9\"\n\
             command = [\"sh\", \"-c\", \"echo {word} >> {}; exec sleep 1000\"]\n",
            starts.display()
        )
    };
    home.configure(&server("one"));
    let other = home.file("other.toml");
    std::fs::write(&other, server("two")).unwrap();
    let serve = Serve::at(home);
    let started = || std::fs::read_to_string(&starts).unwrap_or_default();
    eventually("it is started", || started() == "one\n");
    let script = format!(
        "#!/bin/bash\nif [[ $* != *--can-resume* ]]; then cp {} {}; fi\nTUNDRA_FAULT=resume:rooms exec {TUNDRA} \"$@\"\n",
        other.display(),
        serve.home.config_file().display()
    );
    let binary = serve.home.script("failing", &script);
    let done = serve.cli(&["upgrade", "--binary", binary.to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:?}");
    // The one that goes on finds the file changed, and does it alone.
    eventually("the other is started", || started() == "one\ntwo\n");
    succeeds(&serve.home);
    assert_eq!(started(), "one\ntwo\n");
    eventually("there is no other", || {
        procs::children(serve.pid()).len() == 1
    });
}

#[test]
fn a_managed_dolt_is_the_same_process_and_the_copy_goes_on() {
    let Some(dolt) = std::env::var_os("TUNDRA_TEST_DOLT").map(PathBuf::from) else {
        return;
    };
    let home = Home::with_config(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n[dolt]\nenabled = true\nmanaged = true\n",
    );
    let mut path = dolt.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("PATH", path);
    let mut serve = Serve::from(home, command);
    let copy = |serve: &Serve| serve.cli(&["store", "status", "--json"]).json()["dolt"].clone();
    let ready = |serve: &Serve| eventually("the copy is ready", || copy(serve)["state"] == "ready");
    ready(&serve);
    let before = copy(&serve);
    for _ in 0..2 {
        upgrade(&serve);
        ready(&serve);
        let now = copy(&serve);
        assert_eq!(
            (&now["pid"], &now["server"]),
            (&before["pid"], &before["server"])
        );
    }
    let id = serve.sh("exit 7");
    serve.wait_exit(&id);
    let shipped = serve.cli(&["store", "ship", "--json"]).json();
    assert!(shipped["rows"].as_u64().unwrap() > 0, "{shipped}");
    let pid = u32::try_from(before["pid"].as_u64().unwrap()).unwrap();
    assert_eq!(serve.end(rustix::process::Signal::TERM).0, 143);
    assert!(!procs::alive(pid), "it ends with tundra");
}
