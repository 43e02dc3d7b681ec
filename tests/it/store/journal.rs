//! The journal: written by the instance, read by anybody.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{SECRET, answer, history, kinds, serve, stop, two};
use crate::support::upstream::{self, Upstream};
use crate::support::{Home, Serve, eventually, present, procs};

fn sqlite(home: &Home, statement: &str) -> String {
    let output = Command::new("sqlite3")
        .arg(home.path().join("data/tundra.db"))
        .arg(statement)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_happened_is_told_while_an_instance_runs_and_after_it_ended() {
    let tundra = Serve::with_config("[gateway]\nenabled = false\n[remote]\nenabled = false\n");
    let id = tundra.open_with(&["--name", "build"], &["sh", "-c", "exit 3"]);
    tundra.wait_exit(&id);
    let told = |home: &Home| {
        let events = history(home, &["--kind", "terminal"]);
        assert_eq!(kinds(&events), ["terminal.opened", "terminal.exited"]);
        assert_eq!(events[0]["terminal"], json!({"id": id, "name": "build"}));
        assert_eq!(events[1]["data"], json!({"code": 3, "signal": null}));
        assert_eq!(events[1]["profile"], Value::Null);
        assert!(events[0]["id"].as_str().unwrap() < events[1]["id"].as_str().unwrap());
    };
    eventually("the end is in the history", || {
        history(&tundra.home, &["--kind", "terminal.exited"]).len() == 1
    });
    told(&tundra.home);
    let home = stop(tundra);
    told(&home);
    let instance = history(&home, &["--kind", "instance"]);
    assert_eq!(kinds(&instance), ["instance.started", "instance.stopped"]);
    assert_eq!(instance[1]["data"]["end"], "SIGTERM");
}

#[test]
fn usage_is_added_up_by_everything_and_goes_on_over_a_restart() {
    let upstream = Upstream::start(answer());
    let home = Home::with_config(&two(&upstream, &upstream, ""));
    let tundra = serve(home);
    for _ in 0..3 {
        tundra
            .cli(&["ask", "--model", "claude-sonnet-4-20250514", "hi"])
            .ok();
    }
    let usage = |home: &Home, by: &str| home.cli(&["usage", "--json", "--by", by]).json();
    let told = eventually("three requests are counted", || {
        let told = usage(&tundra.home, "profile");
        (told["total"]["requests"] == 3).then_some(told)
    });
    assert_eq!(
        told["rows"],
        json!([{
            "key": "first", "requests": 3, "errors": 0, "rate_limited": 0,
            "tokens": {"input": 3000, "output": 600, "cache_read": 0, "cache_write": 0},
            "cost_usd": 0.018, "estimated": 0,
        }])
    );
    assert!(
        told["since"].as_str().unwrap().ends_with(":00:00Z"),
        "{told}"
    );
    assert_eq!(
        usage(&tundra.home, "model")["rows"][0]["key"],
        "claude-sonnet-4-20250514"
    );
    let pane = usage(&tundra.home, "pane");
    assert_eq!(
        (&pane["rows"][0]["key"], &pane["rows"][0]["name"]),
        (&json!(""), &Value::Null)
    );
    let hour = usage(&tundra.home, "hour")["rows"][0]["key"].clone();
    assert!(hour.as_str().unwrap().ends_with(":00:00Z"), "{hour}");
    let day = usage(&tundra.home, "day")["rows"][0]["key"].clone();
    assert_eq!(day.as_str().unwrap().len(), "2026-11-29".len());
    let home = stop(tundra);
    assert_eq!(usage(&home, "profile")["total"]["requests"], 3);

    let tundra = serve(home);
    let provider = |tundra: &Serve| tundra.cli(&["providers", "--json"]).json()[0].clone();
    eventually("the counters go on", || provider(&tundra)["requests"] == 3);
    assert_eq!(provider(&tundra)["tokens"]["output"], 600);
    assert_eq!(provider(&tundra)["cost_usd"], 0.018);
    tundra.cli(&["ask", "hi"]).ok();
    eventually("and count on", || provider(&tundra)["requests"] == 4);
}

#[test]
fn failures_and_failovers_are_told_with_who_and_why() {
    let broken = Upstream::start(upstream::json(500, r#"{"error":{"message":"no"}}"#));
    let good = Upstream::start(answer());
    let tundra = serve(Home::with_config(&two(&broken, &good, "")));
    tundra.cli(&["ask", "hi"]).ok();
    tundra.cli(&["failover"]).ok();
    eventually("all of it is told", || {
        history(&tundra.home, &["--kind", "provider"]).len() >= 3
    });
    let failed = &history(&tundra.home, &["--kind", "provider.failed"])[0];
    assert_eq!(failed["profile"], "first");
    assert_eq!(failed["data"]["kind"], "api");
    let moved = &history(&tundra.home, &["--kind", "provider.failover"])[0];
    assert_eq!(moved["by"], "cli");
    assert_eq!(moved["data"], json!({"from": "first", "to": "second"}));
    let command = &history(&tundra.home, &["--kind", "provider.command"])[0];
    assert_eq!(
        (&command["by"], &command["data"]["command"]),
        (&json!("cli"), &json!("failover"))
    );
    let all = history(&tundra.home, &["--kind", "provider"]);
    assert_eq!(all.len(), 3, "{all:#?}");
    let usage = tundra.cli(&["usage", "--json"]).json();
    let first = usage["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["key"] == "first");
    assert_eq!(first.unwrap()["errors"], 1);
}

#[test]
fn a_history_that_is_followed_tells_one_event_a_line() {
    let tundra = Serve::start();
    let mut follow = tundra
        .home
        .tundra(&["history", "--follow", "--json", "--kind", "terminal"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let id = tundra.open(&["true"]);
    for kind in ["terminal.opened", "terminal.exited"] {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            (&line["kind"], &line["terminal"]["id"]),
            (&json!(kind), &json!(id))
        );
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[test]
fn an_instance_that_is_ready_knows_how_its_journal_stands() {
    for broken in [false, true] {
        let home = Home::new();
        if broken {
            fs::create_dir_all(home.path().join("data")).unwrap();
            fs::write(
                home.path().join("data/tundra.db"),
                "no database ".repeat(500),
            )
            .unwrap();
        }
        let tundra = Serve::at(home);
        let store = tundra.cli(&["store", "status", "--json"]).json();
        assert_eq!(store["state"], "ready", "{store}");
        assert!(store["schema"].is_u64(), "{store}");
    }
}

#[test]
fn an_unused_home_answers_empty() {
    let home = Home::new();
    assert_eq!(home.cli(&["history", "--json"]).json(), json!([]));
    let usage = home.cli(&["usage", "--json"]).json();
    assert_eq!(
        (&usage["rows"], &usage["total"]["cost_usd"]),
        (&json!([]), &Value::Null)
    );
    let store = home.cli(&["store", "status", "--json"]).json();
    assert_eq!(
        (&store["state"], &store["schema"]),
        (&json!("off"), &Value::Null)
    );
    assert_eq!(home.cli(&["store", "export"]).ok(), "");
}

#[test]
fn a_wrong_kind_or_time_is_a_mistake_of_the_caller() {
    let home = Home::new();
    for args in [
        ["history", "--kind", "provider.nothing"],
        ["history", "--since", "yesterday"],
        ["usage", "--by", "weather"],
    ] {
        assert_eq!(home.cli(&args).code, 2, "{args:?}");
    }
    for args in [["store", "ship"], ["store", "log"], ["store", "diff"]] {
        assert_eq!(home.cli(&args).code, 3, "{args:?}");
    }
}

#[test]
fn the_journal_is_its_owners_alone_and_holds_no_key_and_no_prompt() {
    let upstream = Upstream::start(upstream::json(
        401,
        format!(r#"{{"error":{{"message":"invalid key {SECRET}"}}}}"#),
    ));
    let tundra = serve(Home::with_config(&two(&upstream, &upstream, "")));
    tundra.cli(&["ask", "a-very-private-prompt"]);
    eventually("the failure is told", || {
        !history(&tundra.home, &["--kind", "provider.failed"]).is_empty()
    });
    let data = tundra.home.path().join("data");
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(SECRET) && !text.contains("very-private-prompt"));
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn any_sqlite3_reads_the_journal_while_it_is_written() {
    if !present("sqlite3") {
        return;
    }
    let tundra = Serve::start();
    let id = tundra.open(&["sleep", "100"]);
    eventually("the journal is there", || {
        tundra.cli(&["store", "status", "--json"]).json()["state"] == "ready"
    });
    eventually("the terminal is in the table", || {
        sqlite(
            &tundra.home,
            &format!("SELECT name FROM terminal WHERE id = '{id}'"),
        ) == "sleep"
    });
    assert_eq!(
        sqlite(&tundra.home, "SELECT schema_version FROM tundra_meta"),
        "1"
    );
    assert_eq!(sqlite(&tundra.home, "PRAGMA integrity_check"), "ok");
    let at = sqlite(&tundra.home, "SELECT at FROM event_view LIMIT 1");
    assert!(at.starts_with("20") && at.ends_with('Z'), "{at}");
    let exported = tundra.cli(&["store", "export", "--table", "terminal"]).ok();
    let row: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&row["table"], &row["id"]),
        (&json!("terminal"), &json!(id))
    );
}

#[test]
fn beside_a_newer_journal_the_instance_runs_and_keeps_nothing() {
    if !present("sqlite3") {
        return;
    }
    let home = stop(Serve::start());
    sqlite(&home, "UPDATE tundra_meta SET schema_version = 99");
    let text = "Schema version mismatch: expected v1, found v99";
    for args in [["history"], ["usage"]] {
        home.cli(&args).refused(1, text);
        let told = home.cli(&[args[0], "--json"]).stderr;
        let told: Value = serde_json::from_str(told.trim()).unwrap();
        assert_eq!(
            told["error"],
            json!({"code": "schema_newer", "message": text})
        );
    }
    let before = fs::read(home.path().join("data/tundra.db")).unwrap();
    home.configure(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n[dolt]\nenabled = true\n",
    );
    let tundra = Serve::at(home);
    let store = tundra.cli(&["status", "--json"]).json()["store"].clone();
    assert_eq!(
        (&store["state"], &store["message"]),
        (&json!("schema_newer"), &json!(text))
    );
    // There is nothing to copy, and who asks for it is told so.
    let unshipped = "nothing is shipped: no journal is kept";
    assert_eq!(store["dolt"]["message"], unshipped);
    tundra.cli(&["store", "ship"]).refused(1, unshipped);
    let id = tundra.open(&["true"]);
    tundra.wait_exit(&id);
    let home = stop(tundra);
    assert_eq!(
        fs::read(home.path().join("data/tundra.db")).unwrap(),
        before
    );
}

#[test]
fn a_shorter_retention_takes_what_is_too_old_at_once() {
    let tundra = Serve::start();
    let id = tundra.open(&["true"]);
    tundra.wait_exit(&id);
    eventually("the terminal's end is told", || {
        kinds(&history(&tundra.home, &[])).contains(&"terminal.exited")
    });
    tundra.home.configure(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n[store]\nretention = \"1ms\"\n",
    );
    eventually("what is older is gone", || {
        !kinds(&history(&tundra.home, &[])).contains(&"terminal.exited")
    });
}

#[test]
fn what_is_no_database_is_moved_aside() {
    let home = Home::new();
    let data = home.path().join("data");
    fs::create_dir_all(&data).unwrap();
    let text = "somebody's diary\n".repeat(500);
    fs::write(data.join("tundra.db"), &text).unwrap();
    let tundra = Serve::at(home);
    eventually("it is ready", || {
        tundra.cli(&["store", "status", "--json"]).json()["state"] == "ready"
    });
    let aside = fs::read_dir(&data).unwrap().flatten().find(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("tundra.db.broken-")
    });
    assert_eq!(fs::read_to_string(aside.unwrap().path()).unwrap(), text);
}

#[test]
fn a_database_that_another_holds_makes_it_degraded_and_nothing_is_lost() {
    if !present("sqlite3") {
        return;
    }
    let tundra = Serve::start();
    let state = || tundra.cli(&["store", "status", "--json"]).json();
    eventually("it is ready", || state()["state"] == "ready");
    let mut holder = Command::new("sqlite3")
        .arg(tundra.home.path().join("data/tundra.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = holder.stdin.take().unwrap();
    writeln!(input, ".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';").unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line.trim(), "held");
    let id = tundra.open(&["true"]);
    tundra.wait_exit(&id);
    eventually("it is degraded", || state()["state"] == "degraded");
    assert!(state()["waiting"].as_u64().unwrap() > 0);
    writeln!(input, "ROLLBACK;").unwrap();
    drop(input);
    holder.wait().unwrap();
    eventually("it is ready again", || state()["state"] == "ready");
    eventually("both changes are told", || {
        history(&tundra.home, &["--kind", "store.state"]).len() >= 2
    });
    assert_eq!(
        kinds(&history(&tundra.home, &["--kind", "terminal"])).len(),
        2
    );
    let told = history(&tundra.home, &["--kind", "store.state"]);
    let states: Vec<&Value> = told.iter().map(|event| &event["data"]["to"]).collect();
    assert_eq!(states, ["degraded", "ready"]);
}

#[test]
fn a_kill_in_the_middle_of_writing_loses_nothing_that_was_read_and_breaks_nothing() {
    if !present("sqlite3") {
        return;
    }
    let times = std::env::var("TUNDRA_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut home = Home::with_config("[gateway]\nenabled = false\n[remote]\nenabled = false\n");
    let mut seen = 0;
    for round in 0..times.unwrap_or(4) {
        let mut tundra = Serve::at(home);
        let pid = tundra.pid();
        // Facts keep coming while it is killed.
        for _ in 0..6 {
            tundra.open(&["true"]);
        }
        eventually("something new is kept", || {
            let count = history(&tundra.home, &["--kind", "terminal.opened"]).len();
            (count > seen).then(|| seen = count)
        });
        procs::signal(pid, Signal::KILL);
        tundra.end(Signal::KILL);
        home = Home::taken_from(&mut tundra.home);
        drop(tundra);
        assert_eq!(
            sqlite(&home, "PRAGMA integrity_check"),
            "ok",
            "round {round}"
        );
        let kept = history(&home, &["--kind", "terminal.opened"]).len();
        assert!(kept >= seen, "round {round}: {kept} of {seen}");
        seen = kept;
    }
    let tundra = Serve::at(home);
    eventually("the killed ones are told so", || {
        sqlite(
            &tundra.home,
            "SELECT count(*) FROM instance WHERE ended_ms IS NULL",
        ) == "1"
    });
}
