use super::*;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 10), (200, 60)];

/// Two tabs, one of them split, with agents in every state.
pub(super) fn scene(cols: u16, rows: u16, theme: Theme) -> Rig {
    let mut rig = Rig::with_theme(cols, rows, theme);
    rig.start(1);
    let working = rig.opened_outside("claude");
    rig.agent(working, AgentState::Working);
    let waiting = rig.opened_outside("codex");
    rig.agent(waiting, AgentState::Waiting);
    rig.command("|");
    rig.answer_opens();
    rig.command("-");
    rig.answer_opens();
    let third = rig.focus();
    rig.screen(
        third,
        &["$ cargo test", "running 12 tests", "$"],
        InputModes::default(),
    );
    rig.exit(id(4), Exit::Code(3));
    rig.wait(60_000);
    rig
}

fn every_size(name: &str, prepare: impl Fn(&mut Rig)) {
    for (theme_name, theme) in [("colour", true_colour()), ("ascii", plain_ascii())] {
        for (cols, rows) in SIZES {
            let mut rig = scene(cols, rows, theme);
            prepare(&mut rig);
            let snapshot = format!("{name}_{theme_name}_{cols}x{rows}");
            insta::assert_snapshot!(snapshot, rig.text());
        }
    }
}

#[test]
fn panes_with_names_and_states() {
    every_size("panes", |_| {});
}

#[test]
fn keys_after_the_prefix() {
    every_size("prefix", |rig| {
        rig.keys("ctrl-b").wait(500);
    });
}

#[test]
fn a_question() {
    every_size("question", |rig| {
        rig.command("q");
    });
}

#[test]
fn the_palette() {
    every_size("palette", |rig| {
        rig.command(":").keys("p a n e");
    });
}

#[test]
fn help() {
    every_size("help", |rig| {
        rig.command("?");
    });
}

#[test]
fn toasts_and_last_event() {
    every_size("toasts", |rig| {
        rig.toast(
            Severity::Error,
            "config error: config.toml:12: pty.max_ptys: must be at least 1",
        );
        rig.toast(Severity::Info, "configuration applied");
    });
}

#[test]
fn no_toast_covers_a_question() {
    let mut rig = scene(80, 24, true_colour());
    rig.command("q");
    let asked = rig.text();
    for line in asked.lines().filter(|line| line.contains("Quit")) {
        for _ in 0..6 {
            rig.toast(
                Severity::Warning,
                "nobody answered: HTTP error: connection reset by peer",
            );
        }
        assert!(rig.shows(line.trim_matches([' ', '│'])), "{}", rig.text());
        assert!(rig.shows("warning: nobody answered"), "{}", rig.text());
    }
}

#[test]
fn an_address_for_a_browser() {
    every_size("address", |rig| {
        rig.command("u");
        rig.answer_address(Some(Rig::FINGERPRINT));
    });
}

#[test]
fn viewers_and_a_pane_that_one_of_them_took() {
    every_size("viewers", |rig| {
        let (first, third) = (id(1), rig.focus());
        rig.change(first, |info| info.viewers = 2);
        rig.taken(first, 30, 6);
        rig.screen_of_size(first, Size::clamped(30, 6), &["$ vim", "~"]);
        rig.change(third, |info| info.viewers = 1);
    });
}

#[test]
fn styles_of_the_chrome() {
    for (name, theme) in [("colour", true_colour()), ("ascii", plain_ascii())] {
        let rig = scene(80, 24, theme);
        insta::assert_debug_snapshot!(format!("styles_{name}"), chrome(&rig.model));
    }
}
