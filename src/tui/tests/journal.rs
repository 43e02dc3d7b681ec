use super::*;
use crate::store::{
    Commit, DoltState, DoltStatus, Grouping, StoreState, StoreStatus, UsageKey, UsageRow, UsageSum,
};
use crate::tui::client::{
    HistoryEntry, JournalContents, JournalPage, JournalQuery, JournalSpan, Overlay, UsageContents,
};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn status() -> StoreStatus {
    StoreStatus {
        path: "/home/tundra.db".into(),
        size: 4096,
        schema: Some(1),
        pending: Vec::new(),
        state: StoreState::Ready,
        message: None,
        waiting: 0,
        events: Some(12_345),
        usage_hours: Some(7),
        outbox: 3,
        dolt: DoltStatus {
            state: DoltState::Ready,
            server: Some("127.0.0.1:3306".to_owned()),
            last_commit: Some(Commit {
                hash: "abc".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                author: "tundra".to_owned(),
                message: "a commit".to_owned(),
            }),
            ..DoltStatus::default()
        },
    }
}

fn sum(requests: u64) -> UsageSum {
    UsageSum {
        requests,
        errors: requests / 10,
        rate_limited: requests / 20,
        tokens_in: requests * 1000,
        tokens_out: requests * 170,
        cache_read: requests * 9000,
        cache_write: 0,
        cost_micros: Some(requests * 31_000),
        estimated: 0,
    }
}

pub(super) fn usage() -> JournalContents {
    let row = |name: &str, sum| UsageRow {
        key: UsageKey::Name(name.to_owned()),
        name: None,
        sum,
    };
    let estimated = UsageSum {
        cost_micros: None,
        estimated: 4,
        ..sum(4)
    };
    let mut total = sum(42);
    total.add(&estimated);
    let slots = (0..25).map(|hour| {
        let requests = if hour % 7 == 3 { 0 } else { u64::from(hour) };
        (Timestamp::UNIX_EPOCH + HOUR * hour, sum(requests))
    });
    JournalContents::Usage(UsageContents {
        rows: vec![
            row("claude", sum(42)),
            row("qwen-on-this-machine", estimated),
        ],
        total,
        slots: slots.collect(),
    })
}

pub(super) fn history() -> JournalContents {
    let entry = |minutes: u32, kind: &str, text: &str| HistoryEntry {
        at: Timestamp::UNIX_EPOCH + Duration::from_secs(60) * minutes,
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    JournalContents::History(vec![
        entry(0, "instance.started", "tundra 0.1.0 started, pid 7"),
        entry(1, "terminal.opened", "build opened: cargo test --workspace"),
        entry(
            2,
            "provider.failed",
            "claude: API error (status 529): overloaded, and a long text that says why it could not be served now",
        ),
        entry(
            59,
            "provider.failover",
            "requests now go to router, no more to claude (by breaker)",
        ),
        entry(60, "terminal.exited", "build: ended with exit code 1"),
    ])
}

impl Rig {
    /// The question that was asked last.
    fn asked(&mut self) -> JournalQuery {
        let queries = self.take().into_iter().filter_map(|effect| match effect {
            Effect::ReadJournal(query) => Some(query),
            _ => None,
        });
        queries.last().expect("something was asked")
    }

    pub(super) fn answer(&mut self, contents: Result<JournalContents, String>) -> &mut Self {
        let number = self.asked().number;
        self.tell(Msg::Journal {
            number,
            status: Box::new(status()),
            contents,
        })
    }

    fn asks(&mut self) -> bool {
        let effects = self.take();
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::ReadJournal(_)))
    }
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

fn every_size(name: &str, prepare: impl Fn(&mut Rig)) {
    for (theme_name, theme) in [("colour", true_colour()), ("ascii", plain_ascii())] {
        for (cols, rows) in SIZES {
            let mut rig = Rig::with_theme(cols, rows, theme);
            rig.start(1);
            prepare(&mut rig);
            let snapshot = format!("{name}_{theme_name}_{cols}x{rows}");
            insta::assert_snapshot!(snapshot, rig.text());
        }
    }
}

#[test]
fn usage_is_a_table_with_a_bar_for_each_hour() {
    every_size("usage", |rig| {
        rig.command("U").answer(Ok(usage()));
    });
}

#[test]
fn history_is_told_with_the_newest_last() {
    every_size("history", |rig| {
        rig.command("Y").answer(Ok(history()));
    });
}

#[test]
fn a_store_that_keeps_nothing_says_so() {
    let mut rig = Rig::with_shell(80, 24);
    let degraded = StoreStatus {
        state: StoreState::Degraded,
        message: Some("database or disk is full".to_owned()),
        waiting: 12,
        ..status()
    };
    rig.command("Y");
    let number = rig.asked().number;
    rig.tell(Msg::Journal {
        number,
        status: Box::new(degraded),
        contents: Err("Schema version mismatch: expected v1, found v7".to_owned()),
    });
    let text = rig.text();
    assert!(
        text.contains("store degraded, 12 in memory: database or disk is full"),
        "{text}"
    );
    assert!(
        text.contains("Schema version mismatch: expected v1, found v7"),
        "{text}"
    );
}

#[test]
fn keys_choose_time_group_kind_and_page() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("U");
    let query = rig.asked();
    assert_eq!(
        (query.page, query.span, query.by),
        (JournalPage::Usage, JournalSpan::Day, Grouping::Profile)
    );
    rig.keys("s b e");
    let query = rig.asked();
    assert_eq!(
        (query.span, query.by, query.family),
        (JournalSpan::Week, Grouping::Model, None),
        "a kind is nothing of usage's"
    );
    rig.keys("tab e b");
    let query = rig.asked();
    assert_eq!(
        (query.page, query.span, query.by, query.family),
        (
            JournalPage::History,
            JournalSpan::Week,
            Grouping::Model,
            Some("provider")
        )
    );
    rig.keys("esc");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn only_the_answer_to_the_last_question_is_shown() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("U");
    let first = rig.asked().number;
    rig.keys("tab").answer(Ok(history()));
    rig.tell(Msg::Journal {
        number: first,
        status: Box::new(status()),
        contents: Ok(usage()),
    });
    let Some(Overlay::Journal(view)) = &rig.model.client.overlay else {
        panic!("the view is closed");
    };
    assert_eq!(view.contents, Some(Ok(history())));
}

#[test]
fn what_is_written_meanwhile_is_read_twice_a_second_at_most() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("Y");
    rig.tell(Msg::JournalWritten);
    rig.answer(Ok(history()));
    assert!(!rig.asks(), "written while it was read: read again later");
    rig.wait(499);
    assert!(!rig.asks());
    rig.wait(1);
    rig.answer(Ok(history()));
    rig.tell(Msg::JournalWritten).tell(Msg::JournalWritten);
    assert!(!rig.asks());
    rig.wait(500);
    rig.answer(Ok(history()));
    rig.wait(10_000);
    assert!(!rig.asks(), "nothing was written");
    rig.tell(Msg::JournalWritten);
    assert!(rig.asks(), "after a pause it is read at once");
    rig.keys("esc").tell(Msg::JournalWritten);
    assert!(!rig.asks(), "nobody looks");
}

#[test]
fn a_long_history_is_scrolled_from_its_end() {
    let mut rig = Rig::with_shell(80, 10);
    let entry = |number: u32| HistoryEntry {
        at: Timestamp::UNIX_EPOCH,
        kind: "config.reloaded".to_owned(),
        text: format!("number {number}."),
    };
    let entries = (0..40).map(entry).collect();
    rig.command("Y")
        .answer(Ok(JournalContents::History(entries)));
    assert!(rig.text().contains("number 39."));
    rig.keys("k");
    assert!(!rig.text().contains("number 39."), "a line up");
    rig.keys("g");
    assert!(rig.text().contains("number 0."));
    rig.keys("G");
    assert!(rig.text().contains("number 39."));
}
