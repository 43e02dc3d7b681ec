//! The copy in a real Dolt: every row arrives, once, whatever happens on the way.

use std::time::Duration;

use serde_json::{Value, json};

use super::dolt::{Dolt, PASSWORD, binary};
use super::proxy::Proxy;
use super::{history, stop};
use crate::support::command::run;
use crate::support::{Home, Serve, eventually, procs};

const DEADLINE: Duration = Duration::from_secs(60);

fn config(port: u16) -> String {
    format!(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n\
         [dolt]\nenabled = true\nport = {port}\npassword_env = \"DOLT_PASSWORD\"\n"
    )
}

fn serve(home: Home) -> Serve {
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("DOLT_PASSWORD", PASSWORD);
    Serve::from(home, command)
}

fn store(tundra: &Serve) -> Value {
    tundra.cli(&["store", "status", "--json"]).json()
}

fn is_ready(tundra: &Serve) {
    eventually("the copy is ready", || {
        store(tundra)["dolt"]["state"] == "ready"
    });
}

/// A Dolt server, and an instance that copies to it; none where there is no Dolt.
fn copying() -> Option<(Dolt, Serve)> {
    let home = Home::new();
    let dolt = Dolt::start(&binary()?, home.file("dolt"));
    let tundra = copying_to(home, dolt.address().port());
    Some((dolt, tundra))
}

/// As [`copying`], with somebody between the two who cuts and refuses.
fn copying_through_a_proxy() -> Option<(Dolt, Proxy, Serve)> {
    let home = Home::new();
    let dolt = Dolt::start(&binary()?, home.file("dolt"));
    let proxy = Proxy::before(dolt.address());
    let tundra = copying_to(home, proxy.port());
    Some((dolt, proxy, tundra))
}

fn copying_to(home: Home, port: u16) -> Serve {
    home.configure(&config(port));
    let tundra = serve(home);
    is_ready(&tundra);
    tundra
}

/// A terminal whose program has ended.
fn ended(tundra: &Serve) {
    let id = tundra.open(&["true"]);
    tundra.wait_exit(&id);
}

/// Every event of the journal is in the copy, and none twice.
fn is_whole(tundra: &Serve, dolt: &Dolt) {
    tundra.cli(&["store", "ship"]).ok();
    let mut kept: Vec<String> = history(&tundra.home, &[])
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    kept.sort();
    let copied = dolt.csv("tundra", "SELECT id FROM event ORDER BY id");
    assert_eq!(copied, kept);
}

#[test]
fn what_waits_is_shipped_and_committed_and_its_commits_are_shown() {
    let Some((dolt, tundra)) = copying() else {
        return;
    };
    let id = tundra.open_with(
        &["--name", "build"],
        &["sh", "-c", "echo $DOLT_PASSWORD.; exit 3"],
    );
    tundra.wait_exit(&id);
    assert!(
        !tundra.capture(&id).contains(PASSWORD),
        "the password reaches no child"
    );
    let shipped = tundra.cli(&["store", "ship", "--json"]).json();
    let hash = shipped["hash"].as_str().unwrap().to_owned();
    assert!(shipped["rows"].as_u64().unwrap() >= 3, "{shipped}");
    assert_eq!(
        dolt.csv(
            "tundra",
            &format!("SELECT name, exit_code FROM terminal WHERE id = '{id}'")
        ),
        ["build,3"]
    );
    let log = tundra.cli(&["store", "log", "--json"]).json();
    assert_eq!(log[0]["hash"], hash);
    assert!(
        log[0]["message"]
            .as_str()
            .unwrap()
            .contains("terminal.exited"),
        "{log}"
    );
    let diff = tundra.cli(&["store", "diff", "--json"]).json();
    let row = diff
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["table"] == "terminal");
    let row = row.unwrap();
    assert_eq!(
        (&row["change"], &row["from"]),
        (&json!("added"), &Value::Null)
    );
    assert_eq!(
        (&row["key"], &row["to"]["exit_code"]),
        (&json!({"id": id}), &json!(3))
    );
    let again = tundra.cli(&["store", "ship", "--json"]).json();
    assert!(
        again["hash"].is_string(),
        "nothing to commit is no error: {again}"
    );
    assert_eq!(tundra.cli(&["store", "diff", "nowhere"]).code, 1);
    let status = store(&tundra);
    assert_eq!(status["outbox"], 0);
    assert_eq!(status["dolt"]["last_commit"]["hash"], again["hash"]);
    is_whole(&tundra, &dolt);
    // Holds the server's folder, too.
    let _home = stop(tundra);
    let ends = dolt.csv("tundra", "SELECT `end` FROM instance");
    assert_eq!(ends, ["SIGTERM"], "the end itself is shipped");
    assert!(
        dolt.csv("tundra", "SELECT * FROM dolt_status").is_empty(),
        "and committed"
    );
}

#[test]
fn a_change_of_the_configuration_begins_moves_and_ends_the_copy_at_once() {
    let Some(binary) = binary() else { return };
    let home = Home::new();
    let dolt = Dolt::start(&binary, home.file("dolt"));
    let quiet = "[gateway]\nenabled = false\n[remote]\nenabled = false\n";
    home.configure(quiet);
    let tundra = serve(home);
    let pid = tundra.pid();
    let id = tundra.open_with(&["--name", "before"], &["sh", "-c", "exit 3"]);
    tundra.wait_exit(&id);
    assert_eq!(store(&tundra)["dolt"]["state"], "disabled");
    tundra
        .cli(&["store", "ship"])
        .refused(1, "dolt is disabled: set dolt.enabled = true");

    let wanted = config(dolt.address().port());
    tundra.home.configure(&wanted);
    is_ready(&tundra);
    // What happened before there was a copy is in it, too.
    is_whole(&tundra, &dolt);
    let named = format!("SELECT name FROM terminal WHERE id = '{id}'");
    assert_eq!(dolt.csv("tundra", &named), ["before"]);
    let told = tundra.sh("echo $DOLT_PASSWORD.");
    tundra.wait_text(&told, r"^\.");

    // Elsewhere: what the old copy still gets is committed there, and the new one gets everything.
    tundra
        .home
        .configure(&format!("{wanted}database = \"second\"\n"));
    eventually("the copy is the second one", || {
        let store = store(&tundra);
        store["dolt"]["database"] == "second" && store["dolt"]["state"] == "ready"
    });
    tundra.cli(&["store", "ship"]).ok();
    assert_eq!(dolt.csv("second", &named), ["before"]);
    let reloads = "SELECT count(*) FROM event WHERE kind = 'config.reloaded'";
    assert_eq!(dolt.csv("second", reloads), ["2"]);
    assert!(dolt.csv("tundra", "SELECT count(*) FROM dolt_status") == ["0"]);

    tundra.home.configure(quiet);
    eventually("there is no copy any more", || {
        store(&tundra)["dolt"]["state"] == "disabled"
    });
    assert_eq!(store(&tundra)["outbox"], 0);
    assert_eq!(tundra.pid(), pid);
}

#[test]
fn a_server_that_ends_and_comes_back_gets_every_row_once() {
    let Some((mut dolt, tundra)) = copying() else {
        return;
    };
    for round in 0..2 {
        for _ in 0..5 {
            tundra.open(&["true"]);
        }
        dolt.end();
        for _ in 0..5 {
            ended(&tundra);
        }
        eventually("it is told", || {
            store(&tundra)["dolt"]["state"] == "backoff"
        });
        assert!(
            store(&tundra)["outbox"].as_u64().unwrap() > 0,
            "round {round}"
        );
        dolt.run();
        // Whoever asks does not wait for the next try.
        is_whole(&tundra, &dolt);
    }
}

#[test]
fn a_cut_between_a_commit_and_its_acknowledgement_loses_and_doubles_nothing() {
    let Some((dolt, proxy, tundra)) = copying_through_a_proxy() else {
        return;
    };
    proxy.cut_after_commits(2);
    ended(&tundra);
    eventually("both cuts were made", || proxy.cuts_left() == 0);
    is_whole(&tundra, &dolt);
    proxy.go_down();
    ended(&tundra);
    eventually("it is told", || {
        store(&tundra)["dolt"]["state"] == "backoff"
    });
    proxy.come_back();
    is_whole(&tundra, &dolt);
}

#[test]
fn a_transaction_that_a_lock_or_a_conflict_kept_out_is_tried_again_at_once() {
    let Some((dolt, proxy, tundra)) = copying_through_a_proxy() else {
        return;
    };
    proxy.answer_commits_with(&[1213, 1205, 1213]);
    ended(&tundra);
    eventually("all were met", || proxy.errors_left() == 0);
    is_whole(&tundra, &dolt);
    assert_eq!(
        store(&tundra)["dolt"]["state"],
        "ready",
        "the connection is the same"
    );
}

#[test]
fn the_database_of_another_store_and_a_strangers_are_never_written_to() {
    let Some(binary) = binary() else { return };
    let first = Home::new();
    let dolt = Dolt::start(&binary, first.file("dolt"));
    first.configure(&config(dolt.address().port()));
    let first = serve(first);
    is_ready(&first);
    first.cli(&["store", "ship"]).ok();
    let before = dolt.csv("tundra", "SELECT commit_hash FROM dolt_log");
    let second = serve(Home::with_config(&config(dolt.address().port())));
    let refused = |tundra: &Serve, words: &str| {
        eventually("it is refused", || {
            let told = store(tundra)["dolt"].clone();
            (told["state"] == "wrong_database" && told["message"].as_str()?.contains(words))
                .then_some(())
        });
    };
    refused(&second, "another store");
    assert_eq!(second.cli(&["store", "ship"]).code, 1);
    assert_eq!(
        dolt.csv("tundra", "SELECT commit_hash FROM dolt_log"),
        before
    );
    dolt.csv("tundra", "CREATE DATABASE strangers");
    dolt.csv("strangers", "CREATE TABLE t (x INT PRIMARY KEY)");
    let text = config(dolt.address().port()) + "database = \"strangers\"\n";
    let third = serve(Home::with_config(&text));
    refused(&third, "not tundra's");
    assert_eq!(dolt.csv("strangers", "SHOW TABLES"), ["t"]);
}

#[test]
fn two_stores_have_their_databases_on_one_server() {
    let Some((dolt, first)) = copying() else {
        return;
    };
    let text = config(dolt.address().port()) + "database = \"other\"\n";
    let second = serve(Home::with_config(&text));
    is_ready(&second);
    for (tundra, database) in [(&first, "tundra"), (&second, "other")] {
        tundra.cli(&["store", "ship"]).ok();
        assert_eq!(
            dolt.csv(database, "SELECT pid FROM instance"),
            [tundra.pid().to_string()]
        );
    }
    assert_eq!(
        dolt.csv("tundra", "SELECT is_free_lock('tundra_migration')"),
        ["1"]
    );
}

#[test]
fn a_newer_schema_of_the_copy_is_left_alone() {
    let Some((dolt, tundra)) = copying() else {
        return;
    };
    let home = stop(tundra);
    // With no instance it is asked how it stands, by the same rules.
    let at_rest = || {
        let mut command = home.tundra(&["store", "status", "--json"]);
        command.env("DOLT_PASSWORD", PASSWORD);
        run(command, b"", DEADLINE).json()
    };
    let whole = at_rest();
    let told = (&whole["dolt"]["state"], &whole["outbox"]);
    assert_eq!(told, (&json!("ready"), &json!(0)));
    assert!(whole["dolt"]["last_commit"]["hash"].is_string(), "{whole}");
    dolt.csv("tundra", "UPDATE tundra_meta SET schema_version = 9");
    assert_eq!(at_rest()["dolt"]["state"], "schema_newer");
    let tundra = serve(home);
    let told = eventually("it is refused", || {
        let told = store(&tundra)["dolt"].clone();
        (told["state"] == "schema_newer").then_some(told)
    });
    assert_eq!(
        told["message"],
        "Schema version mismatch: expected v1, found v9"
    );
}

#[test]
fn a_managed_server_is_started_asked_to_end_and_found_again_after_a_kill() {
    let Some(binary) = binary() else { return };
    let text = "[gateway]\nenabled = false\n[remote]\nenabled = false\n[dolt]\nenabled = true\nmanaged = true\n";
    let mut home = Home::with_config(text);
    let start = |home: Home| {
        let mut path = binary.parent().unwrap().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let mut command = home.tundra(&["serve", "--print-ready"]);
        command.env("PATH", path);
        Serve::from(home, command)
    };
    let pid = |tundra: &Serve| {
        is_ready(tundra);
        let told = store(tundra)["dolt"].clone();
        assert_eq!(told["managed"], true);
        u32::try_from(told["pid"].as_u64().unwrap()).unwrap()
    };
    let mut tundra = start(home);
    let first = pid(&tundra);
    let rights = std::fs::metadata(tundra.home.path().join("state/dolt.password")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&rights.permissions()) & 0o777,
        0o600
    );
    ended(&tundra);
    assert!(!tundra.cli(&["store", "ship"]).ok().trim().is_empty());
    tundra.end(rustix::process::Signal::KILL);
    assert!(procs::alive(first), "a kill of tundra is none of dolt");
    home = Home::taken_from(&mut tundra.home);
    drop(tundra);
    let tundra = start(home);
    let second = pid(&tundra);
    assert_ne!(first, second);
    assert!(!procs::alive(first), "what was left behind has ended");
    let log = tundra.cli(&["store", "log", "--json"]).json();
    assert!(log.as_array().unwrap().len() >= 3, "{log}");
    stop(tundra);
    assert!(!procs::alive(second));
}
