//! Tests of the journal as its rooms see it, on a real file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::domain::fact::{Fact, Recorder, What};

fn options(path: PathBuf) -> JournalOptions {
    JournalOptions {
        path,
        host: "here".to_owned(),
        version: "0".to_owned(),
        pid: 1,
        started_at: Timestamp::now(),
        retention: Duration::from_secs(86_400),
        outbox: false,
    }
}

fn fact(why: &str) -> Fact {
    let why = why.to_owned();
    Fact::at(Timestamp::now(), What::ConfigRefused { why })
}

/// Waits until the journal is in a state.
async fn is_in(journal: &Journal, state: StoreState) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while journal.status().state != state {
        assert!(Instant::now() < deadline, "{:?}", journal.status());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn texts(database: &Connection) -> Vec<String> {
    let mut query = database
        .prepare("SELECT data ->> 'why' FROM event WHERE kind = 'config.refused' ORDER BY id")
        .unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn kinds(database: &Connection) -> Vec<String> {
    let mut query = database
        .prepare("SELECT kind || ' ' || (data ->> 'to') FROM event WHERE kind = 'store.state' ORDER BY id")
        .unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_was_recorded_is_on_the_disk_within_50_ms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tundra.db");
    let (journal, thread) = Journal::start(options(path.clone())).unwrap();
    journal.opened().await.unwrap();
    let reader = Connection::open(&path).unwrap();
    let mut slowest = Duration::ZERO;
    for number in 0..20 {
        let began = Instant::now();
        journal.record(fact(&number.to_string()));
        while texts(&reader).len() <= number {
            assert!(began.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        slowest = slowest.max(began.elapsed());
    }
    // The machine may be busy; that it is not seconds is what can be said anywhere.
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(texts(&reader).len(), 20);
    thread.close().await;
}

#[tokio::test]
async fn ids_rise_in_the_order_in_which_facts_were_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tundra.db");
    let (journal, thread) = Journal::start(options(path.clone())).unwrap();
    for number in 0..3000 {
        journal.record(fact(&number.to_string()));
    }
    thread.close().await;
    let expected: Vec<String> = (0..3000).map(|number| number.to_string()).collect();
    assert_eq!(texts(&Connection::open(&path).unwrap()), expected);
}

/// A journal whose database another connection holds.
async fn locked(folder: &Path) -> (Journal, JournalThread, Connection) {
    let path = folder.join("tundra.db");
    let (journal, thread) = Journal::start(options(path.clone())).unwrap();
    journal.opened().await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    (journal, thread, other)
}

#[tokio::test]
async fn while_another_holds_the_database_it_is_degraded_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread, other) = locked(folder.path()).await;
    journal.record(fact("kept"));
    is_in(&journal, StoreState::Degraded).await;
    let status = journal.status();
    assert!(status.waiting > 0);
    assert!(status.message.is_some());
    other.execute_batch("COMMIT").unwrap();
    is_in(&journal, StoreState::Ready).await;
    thread.close().await;
    assert_eq!(texts(&other), ["kept"]);
    assert_eq!(kinds(&other), ["store.state degraded", "store.state ready"]);
}

#[tokio::test]
async fn past_the_most_facts_the_history_tells_how_many_were_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, thread, other) = locked(folder.path()).await;
    journal.record(fact("first"));
    is_in(&journal, StoreState::Degraded).await;
    for number in 0..MOST_FACTS + 20 {
        journal.record(fact(&number.to_string()));
    }
    assert_eq!(journal.status().waiting, MOST_FACTS);
    other.execute_batch("COMMIT").unwrap();
    is_in(&journal, StoreState::Ready).await;
    thread.close().await;
    let lost: i64 = other
        .query_row(
            "SELECT max(data ->> 'lost') FROM event WHERE kind = 'store.state'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    // The first fact, what said `degraded`, and the twenty over.
    assert_eq!(lost, 22);
}

#[tokio::test]
async fn a_file_that_vanishes_is_made_anew_and_what_came_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tundra.db");
    let (journal, thread) = Journal::start(options(path.clone())).unwrap();
    journal.opened().await.unwrap();
    fs::remove_file(&path).unwrap();
    journal.record(fact("after"));
    journal.flush().await;
    thread.close().await;
    assert_eq!(texts(&Connection::open(&path).unwrap()), ["after"]);
}

#[tokio::test]
async fn beside_a_newer_journal_nothing_is_kept_and_nothing_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tundra.db");
    drop(database::Database::open(&path).unwrap());
    let other = Connection::open(&path).unwrap();
    other
        .execute("UPDATE tundra_meta SET schema_version = 2", [])
        .unwrap();
    let (journal, thread) = Journal::start(options(path.clone())).unwrap();
    assert_eq!(journal.opened().await, None);
    journal.record(fact("nowhere"));
    let status = journal.status();
    assert_eq!(status.state, StoreState::SchemaNewer);
    assert_eq!(
        status.message.as_deref(),
        Some("Schema version mismatch: expected v1, found v2")
    );
    assert_eq!((status.schema, status.waiting), (Some(2), 0));
    thread.close().await;
    assert_eq!(texts(&other), [""; 0]);
}

#[tokio::test]
async fn an_instance_that_was_killed_is_told_to_be_so_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tundra.db");
    for _ in 0..2 {
        let (journal, thread) = Journal::start(options(path.clone())).unwrap();
        journal.record(fact("last"));
        // Nobody said that the instance stopped.
        thread.close().await;
    }
    let database = Connection::open(&path).unwrap();
    let ends: Vec<(String, bool)> = database
        .prepare(r#"SELECT "end", ended_ms IS NOT NULL FROM instance ORDER BY id"#)
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ends, [("killed".to_owned(), true), (String::new(), false)]);
}
