//! Viewers: the address for a browser, who is attached, and what they take over.

use super::*;
use crate::tui::client::Overlay;

/// What the box over the panes shows, its lines joined as they were before they were wrapped.
fn boxed(rig: &Rig) -> String {
    let text = rig.text();
    let edge = |line: &str| line.trim().trim_matches(['│', '|']).trim().to_owned();
    text.lines()
        .filter(|line| line.trim().starts_with(['│', '|']))
        .map(edge)
        .collect()
}

#[test]
fn the_address_is_shown_whole_and_copied_but_kept_nowhere() {
    for (cols, rows) in [(80, 24), (120, 40), (50, 24), (40, 24)] {
        let mut rig = Rig::with_shell(cols, rows);
        rig.toast(Severity::Error, "something that would lie over it");
        rig.command("u");
        assert_eq!(rig.answer_address(Some(Rig::FINGERPRINT)), Some(id(1)));
        let Some(Overlay::Address(address)) = &rig.model.client.overlay else {
            panic!("no address is shown");
        };
        let url = address.result.as_ref().unwrap().url.clone();
        assert!(url.ends_with(&format!("&terminal={}", id(1))), "{url}");
        let shown = boxed(&rig);
        assert!(shown.contains(&url), "{cols}x{rows}: {}", rig.text());
        assert!(shown.contains(Rig::FINGERPRINT), "{}", rig.text());
        for part in ["bash", "one login", "10 minutes", "OSC 52"] {
            let words = part.replace(' ', "");
            assert!(shown.replace(' ', "").contains(&words), "{part}: {shown}");
        }
        let copied = rig.take().into_iter().any(|effect| match effect {
            Effect::Clipboard(text) => text == url,
            _ => false,
        });
        assert!(copied);
        rig.keys("enter");
        assert!(rig.model.client.overlay.is_none());
        assert!(!rig.shows("token"), "{}", rig.text());
        let kept = format!(
            "{:?} {}",
            rig.model.session.messages, rig.model.session.paste_buffer
        );
        assert!(!kept.contains("token"), "{kept}");
    }
}

#[test]
fn on_a_low_screen_the_address_is_scrolled_to_its_end() {
    let mut rig = Rig::with_shell(24, 7);
    rig.command("u");
    rig.answer_address(Some(Rig::FINGERPRINT));
    assert!(rig.shows("https://"), "{}", rig.text());
    let mut seen = boxed(&rig);
    for _ in 0..40 {
        rig.keys("down");
        seen.push_str(&boxed(&rig));
    }
    assert!(rig.shows("CD:EF"), "{}", rig.text());
    assert!(seen.contains("finger"), "{seen}");
    rig.keys("esc");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn without_remote_attach_the_key_says_what_to_set() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("u");
    rig.take();
    let why = "remote attach is disabled: set remote.enabled = true and start tundra again";
    rig.tell(Msg::Address(Some(id(1)), Err(why.to_owned())));
    assert!(rig.shows("set remote.enabled = true"), "{}", rig.text());
    assert!(
        !rig.take()
            .iter()
            .any(|effect| matches!(effect, Effect::Clipboard(_)))
    );
    rig.keys("esc");
    assert!(rig.model.client.overlay.is_none());
}

#[test]
fn viewers_are_counted_on_the_screen() {
    for (theme, mark) in [(true_colour(), "◉2"), (plain_ascii(), "@2")] {
        let mut rig = Rig::with_theme(160, 40, theme);
        rig.start(1);
        rig.command("|");
        rig.answer_opens();
        assert!(rig.shows("0 viewers"), "{}", rig.text());
        rig.change(id(1), |info| info.viewers = 2);
        assert_eq!(rig.redraw, Redraw::All);
        let text = rig.text();
        assert!(text.contains("2 viewers"), "{text}");
        // In the line of tabs, in the list, and over the pane.
        assert_eq!(text.matches(mark).count(), 3, "{text}");
        assert!(text.contains("bash: viewer attached (2)"), "{text}");
        rig.change(id(1), |info| info.viewers = 0);
        assert!(rig.shows("0 viewers"));
        assert!(rig.shows("bash: viewer left (0)"), "{}", rig.text());
    }
    let mut narrow = Rig::with_shell(50, 10);
    assert!(narrow.shows("◉0"), "{}", narrow.text());
    narrow.change(id(1), |info| info.viewers = 3);
    assert!(narrow.shows("◉3"), "{}", narrow.text());
}

#[test]
fn a_pane_that_a_viewer_took_says_so_and_keeps_the_viewers_size() {
    let mut rig = Rig::with_shell(80, 24);
    let whole = rig.model.session.panes[&id(1)].size;
    rig.taken(id(1), 40, 5);
    rig.screen_of_size(id(1), Size::clamped(40, 5), &["small", "", "", "", "end"]);
    assert_eq!(rig.redraw, Redraw::All, "what is around it is drawn too");
    let text = rig.text();
    assert!(
        text.contains("a viewer types here (40x5); any key takes it back"),
        "{text}"
    );
    let row = |number: usize| text.lines().nth(number).unwrap().to_owned();
    assert!(
        row(1).starts_with("small") && row(1).ends_with("···"),
        "{text}"
    );
    assert!(row(5).starts_with("end"), "{text}");
    assert!(row(6).starts_with("···"), "{text}");
    assert!(text.contains("any key take it back"), "the hints: {text}");
    rig.take();
    rig.keys("k");
    assert_eq!(rig.inputs().len(), 1, "the key goes to the program as well");
    rig.change(id(1), |info| {
        info.taken = false;
        info.size = whole;
    });
    rig.screen(id(1), &["whole"], InputModes::default());
    assert!(
        !rig.shows("takes it back") && !rig.shows("···"),
        "{}",
        rig.text()
    );
}

#[test]
fn of_a_viewers_screen_that_is_too_big_the_part_with_the_cursor_is_shown() {
    let mut rig = Rig::with_shell(40, 10);
    rig.taken(id(1), 100, 50);
    let lines: Vec<String> = (0..50).map(|n| format!("row {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut screen = ScreenSnapshot::clone(&screen_of(Size::clamped(100, 50), &lines));
    screen.cursor.row = 29;
    rig.tell(Msg::Screen(id(1), Arc::new(screen)));
    assert!(
        rig.shows("row 29") && !rig.shows("row 30"),
        "{}",
        rig.text()
    );
    assert!(rig.shows("any key takes it back"), "{}", rig.text());
    let cursor = view::modes(&rig.model).cursor.unwrap();
    let row = usize::from(cursor.y);
    assert!(rig.text().lines().nth(row).unwrap().starts_with("row 29"));
}

#[test]
fn a_terminal_that_is_shown_is_told_so_even_where_its_size_fits() {
    let mut rig = Rig::with_shell(80, 24);
    let size = rig.model.session.panes[&id(1)].size;
    let outside = rig.opened_outside("cat");
    rig.change(outside, |info| info.size = size);
    rig.take();
    let told = |rig: &mut Rig| {
        let effects = rig.take();
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Resize(id, _) if *id == outside))
    };
    assert!(!told(&mut rig));
    rig.command("n");
    assert!(told(&mut rig));
}

#[test]
fn a_terminal_made_over_http_that_lost_its_viewer_says_so() {
    let mut rig = Rig::with_shell(160, 40);
    rig.command("|");
    rig.answer_opens();
    let remote = rig.opened_outside("job");
    rig.change(remote, |info| {
        info.owner = Owner::Remote;
        info.settle(Timestamp::UNIX_EPOCH);
    });
    assert!(rig.shows("disconnected"), "{}", rig.text());
    rig.change(remote, |info| {
        info.viewers = 1;
        info.settle(Timestamp::UNIX_EPOCH);
    });
    assert!(!rig.shows("disconnected"), "{}", rig.text());
    // The grace ends it as `tundra kill` would.
    rig.exit(remote, Exit::Signal(1));
    assert!(!rig.model.session.panes.contains_key(&remote));
}
