//! What went wrong last, explained, and the doctor's findings.

use super::*;
use crate::domain::check::Check;
use crate::tui::client::{About, Overlay};

#[test]
fn the_last_error_is_explained_whatever_lies_between() {
    let mut rig = Rig::with_shell(100, 40);
    rig.toast(Severity::Error, "pty pool is at capacity (10)");
    rig.toast(Severity::Warning, "something that nobody knows");
    rig.toast(Severity::Success, "configuration applied");
    rig.command("X");
    assert!(rig.shows("what it means"), "{}", rig.text());
    assert!(rig.shows("pty pool is at capacity (10)"), "{}", rig.text());
    assert!(rig.shows("What helps"), "{}", rig.text());
    assert!(rig.shows("tundra kill"), "{}", rig.text());
    rig.keys("q");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn where_nothing_went_wrong_there_is_nothing_to_explain() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("X");
    assert!(rig.model.client.overlay.is_none());
    assert!(rig.shows("nothing went wrong yet"), "{}", rig.text());
}

#[test]
fn the_findings_are_shown_the_worst_first_and_scroll_on_a_low_screen() {
    let mut rig = Rig::with_shell(60, 12);
    rig.command("D");
    let asked = rig.take().into_iter().find_map(|effect| match effect {
        Effect::Examine(outer) => Some((outer.cols, outer.rows)),
        _ => None,
    });
    assert_eq!(asked, Some((60, 12)));
    assert!(rig.shows("looking at everything"), "{}", rig.text());
    let mut checks: Vec<Check> = (0..20)
        .map(|number| Check::ok(format!("limits.{number}"), "fine"))
        .collect();
    checks.push(Check::fail("store", "degraded", "make room"));
    rig.tell(Msg::Examined(checks));
    assert!(rig.shows("20 ok, 0 warn, 1 fail, 0 skip"), "{}", rig.text());
    assert!(rig.shows("fail store: degraded"), "{}", rig.text());
    assert!(rig.shows("make room"), "{}", rig.text());
    assert!(!rig.shows("limits.19"), "{}", rig.text());
    for _ in 0..30 {
        rig.keys("j");
    }
    assert!(rig.shows("limits.19"), "{}", rig.text());
}

#[test]
fn findings_that_come_late_open_nothing() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("D").keys("esc");
    rig.tell(Msg::Examined(vec![Check::ok("clock", "fine")]));
    assert!(rig.model.client.overlay.is_none());
    rig.command("D").keys("esc");
    rig.toast(Severity::Error, "request timed out");
    rig.command("X");
    rig.tell(Msg::Examined(Vec::new()));
    let Some(Overlay::Report(report)) = &rig.model.client.overlay else {
        panic!("no explanation is shown");
    };
    assert!(matches!(report.about, About::Error { .. }));
}
