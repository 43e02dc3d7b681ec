use super::*;
use crate::domain::screen::{Attrs, CellExtra, Color, Underline};

/// A frame and what was written for its last drawing.
struct Screen {
    rig: Rig,
    frame: Frame,
}

impl Screen {
    fn new() -> Self {
        let mut screen = Self {
            rig: Rig::with_shell(80, 24),
            frame: Frame::new(),
        };
        screen.frame.set_chrome(&mut chrome(&screen.rig.model));
        screen.draw();
        screen
    }

    fn draw(&mut self) -> String {
        let mut bytes = Vec::new();
        self.frame.draw(
            &self.rig.model.client.theme,
            &view::contents(&self.rig.model),
            &view::modes(&self.rig.model),
            &mut bytes,
        );
        String::from_utf8(bytes).unwrap()
    }

    fn rows(&mut self, change: impl FnOnce(&mut ScreenSnapshot)) -> String {
        let mut screen = ScreenSnapshot::clone(
            self.rig.model.session.panes[&id(1)]
                .screen
                .as_ref()
                .unwrap(),
        );
        change(&mut screen);
        self.rig.tell(Msg::Screen(id(1), Arc::new(screen)));
        self.draw()
    }

    /// Draws with one row's cells changed.
    fn row(&mut self, index: usize, change: impl FnOnce(&mut Row)) -> String {
        self.rows(|screen| {
            let mut row = Row::clone(&screen.rows[index]);
            change(&mut row);
            screen.rows[index] = Arc::new(row);
        })
    }
}

#[test]
fn nothing_new_writes_nothing() {
    let mut screen = Screen::new();
    assert_eq!(screen.draw(), "");
    // A row that is another one with the same cells too.
    let written = screen.row(0, |_| {});
    assert_eq!(written, "");
}

#[test]
fn one_struck_key_costs_one_cell_and_the_cursor() {
    let mut screen = Screen::new();
    let written = screen.rows(|screen| {
        let mut row = Row::clone(&screen.rows[0]);
        row.cells[2].ch = 'x';
        screen.rows[0] = Arc::new(row);
        screen.cursor.col = 3;
    });
    assert_eq!(written, "\x1b[?2026h\x1b[2;3Hx\x1b[2;4H\x1b[?2026l");
}

#[test]
fn looks_are_set_and_taken_back() {
    let mut screen = Screen::new();
    let written = screen.row(3, |row| {
        row.cells[0].ch = 'a';
        row.cells[0].fg = Color::indexed(1);
        row.cells[0].attrs = Attrs::BOLD.with_underline(Underline::Curly);
        row.cells[1].ch = 'b';
        row.cells[1].fg = Color::rgb(1, 2, 3);
        row.cells[1].bg = Color::indexed(200);
        row.cells[1].attrs = Attrs::STRIKE.with(Attrs::INVERSE).with(Attrs::OVERLINE);
        row.cells[2].ch = 'c';
        row.extras.push(CellExtra {
            underline_color: Color::rgb(9, 8, 7),
            link: Some("https://example.org".into()),
            ..CellExtra::default()
        });
        row.cells[2].extra = 1;
    });
    assert!(
        written.contains(
            "\x1b[1;4:3;31ma\x1b[0;7;9;53;38;2;1;2;3;48;5;200mb\
             \x1b]8;;https://example.org\x1b\\\x1b[0;58:2::9:8:7mc\
             \x1b]8;;\x1b\\\x1b[59m"
        ),
        "{written:?}"
    );
}

#[test]
fn the_rest_of_a_blank_row_is_erased_at_once() {
    let mut screen = Screen::new();
    screen.row(5, |row| {
        for cell in &mut row.cells {
            cell.ch = 'x';
        }
    });
    let written = screen.row(5, |row| {
        for cell in &mut row.cells[3..] {
            *cell = Cell::default();
        }
    });
    assert!(written.contains("\x1b[7;4H\x1b[K"), "{written:?}");
}

#[test]
fn half_a_wide_character_is_never_shown() {
    let mut screen = Screen::new();
    screen.row(2, |row| {
        row.cells[0].ch = '\u{4e16}';
        row.cells[0].attrs = Attrs::WIDE;
        row.cells[1].attrs = Attrs::WIDE_TAIL;
        // Without its second half, and a second half alone.
        row.cells[79].ch = '\u{4e16}';
        row.cells[79].attrs = Attrs::WIDE;
        row.cells[10].attrs = Attrs::WIDE_TAIL;
    });
    assert_eq!(screen.frame.text()[3], "\u{4e16}");
}

#[test]
fn control_characters_in_cells_do_not_reach_the_terminal() {
    let mut screen = Screen::new();
    let written = screen.row(2, |row| {
        row.cells[0].ch = '\x07';
        row.cells[1].ch = '\u{9b}';
        row.cells[2].ch = 'z';
    });
    assert!(written.contains('z') && !written.contains('\x07') && !written.contains('\u{9b}'));
}

#[test]
fn the_cursor_follows_its_shape_and_hides() {
    use crate::domain::screen::CursorShape;
    let mut screen = Screen::new();
    let written = screen.rows(|screen| {
        screen.cursor.shape = CursorShape::Bar;
        screen.cursor.blinking = true;
    });
    assert_eq!(written, "\x1b[?2026h\x1b[5 q\x1b[?2026l");
    let written = screen.rows(|screen| screen.cursor.visible = false);
    assert_eq!(written, "\x1b[?2026h\x1b[?25l\x1b[?2026l");
    // Hidden it follows too, so that an input method opens where the program has it.
    let written = screen.rows(|screen| (screen.cursor.row, screen.cursor.col) = (4, 7));
    assert_eq!(written, "\x1b[?2026h\x1b[6;8H\x1b[?2026l");
}

#[test]
fn an_overlay_covers_the_pane_and_uncovers_it() {
    let mut screen = Screen::new();
    screen.rows(|snapshot| {
        for row in &mut snapshot.rows {
            *row = row_of(80, &"x".repeat(80));
        }
    });
    let before = screen.frame.text();
    screen.rig.command("q");
    screen.frame.set_chrome(&mut chrome(&screen.rig.model));
    screen.draw();
    assert!(screen.frame.text().join("\n").contains("Quit tundra"));
    screen.rig.keys("n");
    screen.frame.set_chrome(&mut chrome(&screen.rig.model));
    screen.draw();
    assert_eq!(screen.frame.text(), before);
}

#[test]
fn keyboard_flags_follow_the_focused_program() {
    let mut screen = Screen::new();
    screen
        .rig
        .input(InputEvent::Reply(crate::tui::input::Reply::Keyboard(0)));
    assert!(screen.draw().contains("\x1b[>5u"));
    let written = screen.rows(|screen| screen.modes.kitty_flags = 0b1011);
    assert!(written.contains("\x1b[=31;1u"), "{written:?}");
    let written = screen.rows(|screen| screen.modes.kitty_flags = 0);
    assert!(written.contains("\x1b[=5;1u"), "{written:?}");
    // After the prefix a letter is a command, which is wanted with its place.
    screen.rig.keys("ctrl-b");
    assert!(screen.draw().contains("\x1b[=29;1u"));
    screen.rig.keys("?");
    assert!(screen.draw().contains("\x1b[=5;1u"));
}

#[test]
fn without_utf8_lines_stay_lines() {
    let mut rig = Rig::with_theme(40, 10, plain_ascii());
    rig.start(1);
    rig.screen(id(1), &["\u{2500}\u{2502}\u{fc}"], InputModes::default());
    let mut frame = Frame::new();
    frame.set_chrome(&mut chrome(&rig.model));
    let mut bytes = Vec::new();
    frame.draw(
        &rig.model.client.theme,
        &view::contents(&rig.model),
        &view::modes(&rig.model),
        &mut bytes,
    );
    let written = String::from_utf8(bytes).unwrap();
    assert!(written.is_ascii() && written.contains("-|?"), "{written:?}");
}
