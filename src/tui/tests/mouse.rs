use super::*;
use crate::domain::input::{KeyCode, MouseButton};
use crate::domain::screen::MouseMode;
use crate::tui::frame::Mouse;

const LEFT: MouseButton = MouseButton::Left;

fn split() -> Rig {
    let mut rig = Rig::with_shell(81, 24);
    rig.command("|");
    rig.answer_opens();
    rig.take();
    rig
}

#[test]
fn a_click_gives_the_focus() {
    let mut rig = split();
    rig.mouse(MouseKind::Press(LEFT), 5, 5)
        .mouse(MouseKind::Release(LEFT), 5, 5);
    assert_eq!(rig.focus(), id(1));
    assert!(rig.model.session.panes[&id(1)].copy.is_none());
}

#[test]
fn a_click_on_a_tab_goes_there() {
    let mut rig = Rig::with_shell(80, 24);
    rig.command("c");
    rig.answer_opens();
    rig.mouse(MouseKind::Press(LEFT), 2, 0);
    assert_eq!(rig.model.session.active, 0);
    rig.mouse(MouseKind::Press(LEFT), 10, 0);
    assert_eq!(rig.model.session.active, 1);
    rig.mouse(MouseKind::Press(LEFT), 60, 0);
    assert_eq!(rig.model.session.active, 1);
}

#[test]
fn a_divider_is_dragged() {
    let mut rig = split();
    rig.mouse(MouseKind::Press(LEFT), 40, 10)
        .mouse(MouseKind::Drag(LEFT), 50, 11)
        .mouse(MouseKind::Drag(LEFT), 55, 3)
        .mouse(MouseKind::Release(LEFT), 55, 3)
        .mouse(MouseKind::Drag(LEFT), 20, 3);
    assert_eq!(rig.model.visible()[0].1.width, 55);
}

#[test]
fn a_program_that_asked_gets_the_mouse_in_its_own_coordinates() {
    let mut rig = split();
    let modes = InputModes {
        mouse: MouseMode::Button,
        ..InputModes::default()
    };
    rig.screen(id(2), &[""], modes);
    rig.mouse(MouseKind::Press(LEFT), 42, 3)
        .mouse(MouseKind::Drag(LEFT), 0, 0)
        .mouse(MouseKind::Release(LEFT), 80, 23);
    let places: Vec<(u16, u16)> = rig
        .inputs()
        .into_iter()
        .map(|(to, input)| match input {
            Input::Mouse(event) if to == id(2) => (event.col, event.row),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [(1, 1), (0, 0), (39, 20)]);
}

#[test]
fn shift_keeps_the_mouse_from_the_program() {
    let mut rig = split();
    let modes = InputModes {
        mouse: MouseMode::Any,
        ..InputModes::default()
    };
    rig.screen(id(2), &["word"], modes);
    rig.input(InputEvent::Mouse(MouseEvent {
        kind: MouseKind::Press(LEFT),
        row: 3,
        col: 42,
        mods: Mods::SHIFT,
    }));
    assert!(rig.inputs().is_empty());
}

#[test]
fn movements_are_asked_for_only_while_a_program_wants_them() {
    let mut rig = split();
    assert_eq!(view::modes(&rig.model).mouse, Mouse::Buttons);
    let modes = InputModes {
        mouse: MouseMode::Any,
        ..InputModes::default()
    };
    rig.screen(id(1), &[""], modes);
    assert_eq!(view::modes(&rig.model).mouse, Mouse::Any);
    rig.command("M");
    assert_eq!(view::modes(&rig.model).mouse, Mouse::Off);
}

#[test]
fn the_wheel_is_keys_for_a_full_screen_program_without_a_mouse() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    let size = rig.model.session.panes[&id(1)].size;
    let mut screen = ScreenSnapshot::clone(&screen_of(size, &["less"]));
    screen.alternate_screen = true;
    screen.modes.alternate_scroll = true;
    rig.tell(Msg::Screen(id(1), Arc::new(screen)));
    rig.mouse(MouseKind::WheelDown, 5, 5);
    let down = Input::Key(KeyEvent::press(KeyCode::Down, Mods::NONE));
    assert_eq!(rig.inputs(), vec![(id(1), down); 3]);
}

#[test]
fn a_click_beside_a_question_closes_it_and_one_on_yes_answers_it() {
    let mut rig = Rig::with_shell(80, 24);
    rig.take();
    rig.command("q").mouse(MouseKind::Press(LEFT), 0, 20);
    assert!(rig.model.client.overlay.is_none() && rig.take().is_empty());
    rig.command("q");
    let text = rig.text();
    let (row, line) = text
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains("Yes"))
        .unwrap();
    let col = line.chars().collect::<String>().find("Yes").unwrap();
    let col = line[..col].chars().count();
    rig.mouse(
        MouseKind::Press(LEFT),
        u16::try_from(col).unwrap(),
        u16::try_from(row).unwrap(),
    );
    assert!(matches!(rig.take()[..], [Effect::Quit]));
}
