use super::*;
use crate::config::LogLevel;
use crate::tui::client::LogEntry;

fn entry(seconds: u32, level: LogLevel, target: &str, text: &str) -> LogEntry {
    LogEntry {
        at: Some(Timestamp::UNIX_EPOCH + Duration::from_secs(1) * seconds),
        level: Some(level),
        target: target.to_owned(),
        text: text.to_owned(),
    }
}

fn lines() -> Vec<LogEntry> {
    vec![
        entry(
            1,
            LogLevel::Info,
            "tundra::app::instance",
            "tundra started version=\"0.1.0\" pid=7",
        ),
        entry(
            2,
            LogLevel::Debug,
            "tundra::gateway::exchange",
            "asking profile=claude attempt=1",
        ),
        entry(
            3,
            LogLevel::Warn,
            "tundra::store::journal",
            "the store state=\"degraded\" why=\"database or disk is full, and a longer text that has to be wrapped to be read\"",
        ),
        entry(
            4,
            LogLevel::Error,
            "tundra::pane::thread",
            "a thread panicked",
        ),
        LogEntry {
            at: None,
            level: None,
            target: String::new(),
            text: "what nobody can read".to_owned(),
        },
    ]
}

pub(super) fn opened(cols: u16, rows: u16) -> Rig {
    let mut rig = Rig::with_shell(cols, rows);
    rig.command("L");
    assert!(matches!(rig.take()[..], [.., Effect::ReadLog]));
    rig.tell(Msg::LogRead(Ok(lines())));
    rig
}

#[test]
fn the_log_is_shown_with_the_newest_last() {
    for (cols, rows) in [(80, 24), (120, 40), (40, 10)] {
        insta::assert_snapshot!(format!("log_{cols}x{rows}"), opened(cols, rows).text());
    }
}

#[test]
fn it_is_filtered_by_level_target_and_text() {
    let mut rig = opened(80, 24);
    rig.keys("l l");
    assert!(rig.shows("level warn"));
    assert!(rig.shows("panicked") && rig.shows("degraded"));
    assert!(!rig.shows("tundra started") && !rig.shows("nobody can read"));
    rig.keys("l l t s t o r e enter");
    assert!(
        rig.shows("degraded") && !rig.shows("panicked"),
        "{}",
        rig.text()
    );
    rig.keys("t esc / P A N I C");
    assert!(
        rig.shows("panicked") && !rig.shows("degraded"),
        "{}",
        rig.text()
    );
    rig.keys("z");
    assert!(rig.shows("no such line"));
    rig.keys("esc q");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn it_is_read_again_every_second_while_it_is_looked_at() {
    let mut rig = opened(80, 24);
    rig.wait(999);
    assert!(rig.take().is_empty());
    rig.wait(1);
    assert!(matches!(rig.take()[..], [Effect::ReadLog]));
    rig.wait(5000);
    assert!(rig.take().is_empty(), "not before the answer");
    rig.tell(Msg::LogRead(Err("no rights".to_owned())));
    assert!(rig.shows("no rights"));
    rig.keys("esc");
    rig.wait(5000);
    assert!(rig.take().is_empty());
}

#[test]
fn what_is_looked_at_stays_while_more_is_logged() {
    let mut rig = opened(80, 10);
    let many = |count: u32| -> Vec<LogEntry> {
        let numbered = |number| entry(number, LogLevel::Info, "t", &format!("number {number}."));
        (0..count).map(numbered).collect()
    };
    rig.tell(Msg::LogRead(Ok(many(40))));
    rig.keys("k k");
    assert!(rig.shows("number 37.") && !rig.shows("number 38."));
    rig.tell(Msg::LogRead(Ok(many(50))));
    assert!(rig.shows("number 37.") && !rig.shows("number 38."));
    rig.keys("G");
    assert!(rig.shows("number 49."));
}
