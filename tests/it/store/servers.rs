//! What else may be on the port: each gets its own words, and none is written to.

use std::net::TcpListener;

use serde_json::Value;

use super::dolt::{Dolt, binary, free};
use super::mariadb::MariaDb;
use crate::support::upstream::{self, Upstream};
use crate::support::{Home, Serve, eventually};

fn serve(port: u16, more: &str) -> Serve {
    let home = Home::with_config(&format!(
        "[gateway]\nenabled = false\n[remote]\nenabled = false\n[dolt]\nenabled = true\nport = {port}\n{more}"
    ));
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command
        .env("WRONG_PASSWORD", "wrong")
        .env("RIGHT_PASSWORD", super::mariadb::PASSWORD);
    Serve::from(home, command)
}

/// Waits for a state and answers its message; the instance goes on all the while.
fn told(tundra: &Serve, state: &str) -> String {
    let dolt = |tundra: &Serve| -> Value {
        tundra.cli(&["status", "--json"]).json()["store"]["dolt"].clone()
    };
    let message = eventually(state, || {
        let dolt = dolt(tundra);
        let message = dolt["message"].as_str()?.to_owned();
        (dolt["state"] == state).then_some(message)
    });
    assert!(dolt(tundra)["retry_in_s"].is_u64());
    let id = tundra.open(&["true"]);
    tundra.wait_exit(&id);
    assert_eq!(tundra.cli(&["store", "ship"]).code, 1);
    message
}

#[test]
fn nobody_on_the_port_is_a_refused_connection() {
    let address = free();
    let tundra = serve(address.port(), "");
    let message = told(&tundra, "backoff");
    assert!(
        message.starts_with(&format!("connection refused: {address}")),
        "{message}"
    );
}

#[test]
fn without_an_instance_the_copys_server_is_asked_all_the_same() {
    let at_rest = |port: u16, more: &str| -> Value {
        let home = Home::with_config(&format!("[dolt]\nenabled = true\nport = {port}\n{more}"));
        home.cli(&["store", "status", "--json"]).json()["dolt"].clone()
    };
    let address = free();
    let refused = at_rest(address.port(), "");
    assert_eq!(refused["state"], "backoff");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("connection refused: {address}")),
        "{message}"
    );
    assert_eq!(refused["database"], "tundra");
    let upstream = Upstream::start(upstream::json(200, "{}"));
    let port = upstream.url().rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(at_rest(port, "")["state"], "not_dolt");
    let managed = at_rest(address.port(), "managed = true\n");
    assert_eq!(managed["state"], "connecting");
    assert_eq!(managed["managed"], true);
    let home = Home::with_config("[dolt]\nenabled = \"maybe\"\n");
    let faulty = home.cli(&["store", "status", "--json"]).json()["dolt"].clone();
    let message = faulty["message"].as_str().unwrap();
    assert!(message.starts_with("config error: "), "{message}");
}

#[test]
fn a_port_that_says_nothing_is_given_up_after_two_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tundra = serve(address.port(), "");
    assert_eq!(
        told(&tundra, "backoff"),
        format!("no answer from {address} in 2s")
    );
}

#[test]
fn a_web_server_does_not_speak_mysql() {
    let upstream = Upstream::start(upstream::json(200, "{}"));
    let port = upstream.url().rsplit(':').next().unwrap().parse().unwrap();
    let tundra = serve(port, "");
    let message = told(&tundra, "not_dolt");
    assert!(
        message.starts_with(&format!("port {port} does not speak MySQL")),
        "{message}"
    );
}

#[test]
fn mariadb_is_named_and_never_written_to() {
    let Some(mariadb) = MariaDb::start() else {
        return;
    };
    let port = mariadb.port();
    for more in ["", "password_env = \"RIGHT_PASSWORD\"\n"] {
        let tundra = serve(port, more);
        let message = told(&tundra, "not_dolt");
        assert!(
            message.starts_with(&format!("port {port} is MariaDB 1")),
            "{message}"
        );
        assert!(message.contains(", not Dolt"), "{message}");
    }
    let tundra = serve(port, "password_env = \"WRONG_PASSWORD\"\n");
    let message = told(&tundra, "auth_failed");
    assert!(
        message.starts_with("access denied for user 'root'"),
        "{message}"
    );
    assert!(!mariadb.databases().contains("tundra"));
}

#[test]
fn a_wrong_password_is_told_as_one() {
    let Some(binary) = binary() else { return };
    let home = Home::new();
    let dolt = Dolt::start(&binary, home.file("dolt"));
    let tundra = serve(dolt.address().port(), "password_env = \"WRONG_PASSWORD\"\n");
    let message = told(&tundra, "auth_failed");
    assert!(
        message.starts_with("access denied for user 'root'"),
        "{message}"
    );
}

#[test]
fn a_user_without_rights_is_told_as_one() {
    let Some(binary) = binary() else { return };
    let home = Home::new();
    let dolt = Dolt::start(&binary, home.file("dolt"));
    dolt.csv(
        "information_schema",
        "CREATE USER reader@'%' IDENTIFIED BY 'wrong'; CREATE DATABASE tundra; GRANT SELECT ON tundra.* TO reader@'%'",
    );
    let more = "user = \"reader\"\npassword_env = \"WRONG_PASSWORD\"\n";
    let tundra = serve(dolt.address().port(), more);
    let message = told(&tundra, "auth_failed");
    assert!(
        message.starts_with("access denied for user 'reader' (command denied"),
        "{message}"
    );
    assert!(
        tundra
            .cli(&["store", "status"])
            .ok()
            .contains("what helps  correct dolt.user"),
        "{message}"
    );
}
