use proptest::prelude::*;

use super::*;
use crate::domain::input::MouseButton;

#[derive(Clone, Debug)]
enum Step {
    Resize(u16, u16),
    Keys(&'static str),
    Command(&'static str),
    Open,
    Answer,
    Exit(u32, Exit),
    Screen(u32, u16, u16, bool),
    Mouse(u8, u16, u16),
    Paste(&'static str),
    Agent(u32, usize),
    Wait(u64),
    Event(u8, u32),
    Viewers(u32, u32, bool),
    Address(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let exit = prop_oneof![
        Just(Exit::Code(0)),
        Just(Exit::Code(3)),
        Just(Exit::Signal(9))
    ];
    prop_oneof![
        2 => (0_u16..240, 0_u16..70).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
        1 => (0_u16..4, 0_u16..4).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
        2 => prop::sample::select(vec![
            "a", "enter", "esc", "y", "tab", "down", "up", "pagedown", "backspace", "left", "r",
            "ctrl-end", "j", "v", "G", "s", "b",
        ]).prop_map(Step::Keys),
        6 => prop::sample::select(vec![
            "c", "|", "-", "z", "left", "right", "up", "down", "x", ",", "n", "p", "1", "2", "[",
            "/", "w", ":", "?", "q", "m", "s", "a", "L", "J", "=", "{", "}", "!", "o", ";", "]",
            "M", "ctrl-l", "ctrl-b", "u", "U", "Y", "L",
        ]).prop_map(Step::Command),
        1 => Just(Step::Open),
        4 => Just(Step::Answer),
        1 => (1_u32..8, exit).prop_map(|(n, exit)| Step::Exit(n, exit)),
        2 => (1_u32..8, 2_u16..300, 2_u16..80, any::<bool>())
            .prop_map(|(n, cols, rows, wide)| Step::Screen(n, cols, rows, wide)),
        2 => (0_u8..8, 0_u16..250, 0_u16..80).prop_map(|(kind, x, y)| Step::Mouse(kind, x, y)),
        1 => prop::sample::select(vec!["x", "one\ntwo", "\u{4e16}\u{301}"]).prop_map(Step::Paste),
        1 => (1_u32..8, 0_usize..5).prop_map(|(n, state)| Step::Agent(n, state)),
        1 => (0_u64..1000).prop_map(Step::Wait),
        1 => (0_u8..4, 1_u32..8).prop_map(|(kind, n)| Step::Event(kind, n)),
        2 => (1_u32..8, 0_u32..3, any::<bool>())
            .prop_map(|(n, count, taken)| Step::Viewers(n, count, taken)),
        1 => any::<bool>().prop_map(Step::Address),
    ]
}

fn take_step(rig: &mut Rig, step: &Step) {
    match *step {
        Step::Resize(cols, rows) => {
            rig.tell(Msg::Resized(cols, rows));
        }
        Step::Keys(keys) => {
            rig.keys(keys);
        }
        Step::Command(keys) => {
            rig.command(keys);
        }
        Step::Open => {
            rig.opened_outside("outside \u{4e16}\u{754c} with a rather long name");
        }
        Step::Answer => {
            rig.answer_opens();
        }
        Step::Exit(number, exit) => {
            rig.exit(id(number), exit);
        }
        Step::Screen(number, cols, rows, wide) => {
            let text = if wide { "\u{4e16}\u{754c}" } else { "text" };
            let mut screen = ScreenSnapshot::clone(&screen_of(Size::clamped(cols, rows), &[text]));
            screen.alternate_screen = wide;
            screen.cursor.col = cols;
            screen.cursor.row = rows;
            rig.tell(Msg::Screen(id(number), Arc::new(screen)));
        }
        Step::Mouse(kind, x, y) => {
            let left = MouseButton::Left;
            let kinds = [
                MouseKind::Press(left),
                MouseKind::Drag(left),
                MouseKind::Release(left),
                MouseKind::Press(MouseButton::Right),
                MouseKind::Move,
                MouseKind::WheelUp,
                MouseKind::WheelDown,
                MouseKind::WheelLeft,
            ];
            rig.mouse(kinds[usize::from(kind)], x, y);
        }
        Step::Paste(text) => {
            rig.input(InputEvent::Paste(text.to_owned()));
        }
        Step::Agent(number, state) => {
            if rig.model.session.panes.contains_key(&id(number)) {
                rig.agent(id(number), AgentState::ALL[state]);
            }
        }
        Step::Viewers(number, count, taken) => {
            if rig.model.session.panes.contains_key(&id(number)) {
                rig.change(id(number), |info| {
                    info.viewers = count;
                    info.taken = taken && count > 0;
                });
            }
        }
        Step::Address(given) => {
            let result = if given {
                Ok(BrowserAddress {
                    url: "https://192.168.178.20:3000/#token=0123456789abcdef".to_owned(),
                    good_for: Duration::from_secs(600),
                    fingerprint: Some(Rig::FINGERPRINT.to_owned()),
                })
            } else {
                Err("remote attach is disabled".to_owned())
            };
            rig.tell(Msg::Address(rig.model.session.focus(), result));
        }
        Step::Wait(millis) => {
            rig.wait(millis);
        }
        Step::Event(kind, number) => {
            let id = id(number);
            let text = "text".to_owned();
            let event = match kind {
                0 => TerminalEvent::Bell { id },
                1 => TerminalEvent::Notification { id, text },
                2 => TerminalEvent::Clipboard { id, text },
                _ => TerminalEvent::EmulatorReset { id },
            };
            rig.tell(Msg::Terminal(event, None));
        }
    }
}

/// What always holds, whatever happened.
fn check(rig: &Rig) {
    let model = &rig.model;
    let order = model.session.in_order();
    let mut unique = order.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), order.len(), "a pane is in two places");
    assert_eq!(
        unique,
        model.session.panes.keys().copied().collect::<Vec<_>>()
    );
    assert!(model.session.tabs.is_empty() || model.session.active < model.session.tabs.len());
    for tab in &model.session.tabs {
        assert!(tab.layout.contains(tab.focus));
        assert!(tab.before.is_none_or(|before| tab.layout.contains(before)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_story_at_any_size_can_be_drawn(
        steps in prop::collection::vec(step(), 1..60),
        plain in any::<bool>(),
    ) {
        let theme = if plain { plain_ascii() } else { true_colour() };
        let mut rig = Rig::with_theme(80, 24, theme);
        rig.start(1);
        let mut frame = Frame::new();
        for step in steps {
            take_step(&mut rig, &step);
            check(&rig);
            let mut bytes = Vec::new();
            if std::mem::replace(&mut rig.pending, Redraw::Nothing) == Redraw::All {
                frame.set_chrome(&mut chrome(&rig.model));
            }
            let (contents, modes) = (view::contents(&rig.model), view::modes(&rig.model));
            frame.draw(&rig.model.client.theme, &contents, &modes, &mut bytes);
            // What was drawn step by step is what drawing it afresh would show.
            let mut fresh = Frame::new();
            fresh.set_chrome(&mut chrome(&rig.model));
            fresh.draw(&rig.model.client.theme, &contents, &modes, &mut Vec::new());
            prop_assert_eq!(frame.text(), fresh.text());
            if let Some(cursor) = modes.cursor {
                prop_assert!(cursor.x < rig.model.client.size.0 && cursor.y < rig.model.client.size.1);
            }
        }
    }
}
