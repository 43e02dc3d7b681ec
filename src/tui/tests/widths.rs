//! Outer terminals that give characters other widths than tundra does.

use proptest::prelude::*;

use super::*;
use crate::domain::screen::{Attrs, CellExtra};

/// How many columns a terminal gives to a character, by its own tables.
type Widths = fn(char) -> usize;

/// A terminal of old: emoji are one column, and nothing is joined.
fn narrow(ch: char) -> usize {
    match ch {
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe0f}' | '\u{20e3}' => 0,
        _ => 1,
    }
}

/// One that gives two columns to every symbol, one more for a variation selector, and joins nothing.
fn wide(ch: char) -> usize {
    match ch {
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{20e3}' => 0,
        '\u{fe0f}' => 1,
        ch if ch.is_ascii() || ('\u{2500}'..'\u{2600}').contains(&ch) => 1,
        _ => 2,
    }
}

/// What such a terminal shows; the second column of a wide character is empty.
struct Outer {
    cols: usize,
    cells: Vec<Vec<String>>,
    at: (usize, usize),
    widths: Widths,
}

impl Outer {
    fn new(cols: u16, rows: u16, widths: Widths) -> Self {
        let cols = usize::from(cols);
        Self {
            cols,
            cells: vec![vec![" ".to_owned(); cols]; usize::from(rows)],
            at: (0, 0),
            widths,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut chars = text.chars();
        while let Some(ch) = chars.next() {
            if ch != '\u{1b}' {
                self.put(ch);
                continue;
            }
            match chars.next().unwrap() {
                '[' => {
                    let mut body = String::new();
                    let last = loop {
                        match chars.next().unwrap() {
                            last @ '@'..='~' => break last,
                            other => body.push(other),
                        }
                    };
                    self.control(&body, last);
                }
                ']' => while chars.next().is_some_and(|ch| ch != '\\') {},
                other => panic!("ESC {other}"),
            }
        }
    }

    fn control(&mut self, body: &str, last: char) {
        let numbers: Vec<usize> = body.split(';').map(|n| n.parse().unwrap_or(1)).collect();
        match last {
            'H' => self.at = (numbers[0] - 1, numbers.get(1).map_or(0, |col| col - 1)),
            'C' => self.at.1 = (self.at.1 + numbers[0]).min(self.cols - 1),
            'K' => {
                let (row, col) = self.at;
                for cell in &mut self.cells[row][col..] {
                    " ".clone_into(cell);
                }
            }
            'J' => self
                .cells
                .iter_mut()
                .flatten()
                .for_each(|cell| " ".clone_into(cell)),
            'm' | 'h' | 'l' | 'u' | 'q' => {}
            other => panic!("CSI {body}{other}"),
        }
    }

    fn put(&mut self, ch: char) {
        let width = (self.widths)(ch);
        let (row, col) = self.at;
        if width == 0 {
            let before = col.saturating_sub(1);
            self.cells[row][before].push(ch);
            return;
        }
        let col = col.min(self.cols - width);
        // Half of what stood there is nothing.
        for at in col..col + width {
            self.cells[row][at] = String::new();
        }
        self.cells[row][col] = ch.to_string();
        self.at.1 = col + width;
    }
}

/// A row of a pane with clusters in it, each with the columns that tundra gives it.
fn row_with(cols: u16, parts: &[(&str, usize)]) -> Arc<Row> {
    let mut row = Row::default();
    for (text, width) in parts {
        let mut chars = text.chars();
        let mut cell = Cell {
            ch: chars.next().unwrap(),
            ..Cell::default()
        };
        if chars.next().is_some() {
            row.extras.push(CellExtra {
                cluster: Some((*text).into()),
                ..CellExtra::default()
            });
            cell.extra = u16::try_from(row.extras.len()).unwrap();
        }
        if *width == 2 {
            cell.attrs = Attrs::WIDE;
        }
        row.cells.push(cell);
        if *width == 2 {
            row.cells.push(Cell {
                attrs: Attrs::WIDE_TAIL,
                ..Cell::default()
            });
        }
    }
    row.cells.resize(usize::from(cols), Cell::default());
    // What was cut off at the edge is blank, as the emulator has it.
    if row
        .cells
        .last()
        .is_some_and(|cell| cell.attrs.contains(Attrs::WIDE))
    {
        *row.cells.last_mut().unwrap() = Cell::default();
    }
    Arc::new(row)
}

const PARTS: [(&str, usize); 12] = [
    ("a", 1),
    ("b", 1),
    (" ", 1),
    ("\u{2764}\u{fe0f}", 2),
    ("1\u{fe0f}\u{20e3}", 2),
    ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", 2),
    ("\u{1f1e9}\u{1f1ea}", 2),
    ("\u{1f600}", 2),
    ("\u{1f44d}\u{1f3fd}", 2),
    ("\u{2714}", 1),
    ("\u{270f}", 1),
    ("e\u{301}", 1),
];

/// Draws screens one after the other and compares each cell of plain text with what the terminal shows there.
fn draw_all(screens: &[Vec<Vec<usize>>], widths: Widths) {
    let mut rig = Rig::with_shell(40, 12);
    rig.command("|");
    rig.answer_opens();
    let mut frame = Frame::new();
    let mut outer = Outer::new(40, 12, widths);
    for (number, rows) in screens.iter().enumerate() {
        let pane = id(u32::try_from(number % 2).unwrap() + 1);
        let size = rig.model.session.panes.get(&pane).unwrap().size;
        let mut screen = ScreenSnapshot::clone(&screen_of(size, &[]));
        for (row, parts) in screen.rows.iter_mut().zip(rows) {
            let parts: Vec<(&str, usize)> = parts.iter().map(|part| PARTS[*part]).collect();
            *row = row_with(size.cols(), &parts);
        }
        rig.tell(Msg::Screen(pane, Arc::new(screen)));
        // Now and then something lies over it, and goes again.
        match number % 4 {
            1 => drop(rig.command("?")),
            2 => drop(rig.keys("esc")),
            _ => {}
        }
        let mut bytes = Vec::new();
        frame.set_chrome(&mut chrome(&rig.model));
        let model = &rig.model;
        frame.draw(
            &model.client.theme,
            &view::contents(model),
            &view::modes(model),
            &mut bytes,
        );
        outer.feed(&bytes);
        for (y, (wanted, shown)) in frame.rows().iter().zip(&outer.cells).enumerate() {
            for (x, (cell, shown)) in wanted.cells.iter().zip(shown).enumerate() {
                let plain = cell.ch.is_ascii() && cell.extra == 0;
                if plain && !cell.attrs.contains(Attrs::WIDE_TAIL) {
                    let ch = if cell.ch == '\0' { ' ' } else { cell.ch };
                    assert_eq!(
                        *shown,
                        ch.to_string(),
                        "row {y}, column {x}: {:?}",
                        wanted.text()
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_disagreement_about_width_stays_in_its_cell(
        screens in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(0..PARTS.len(), 0..24), 0..10),
            1..6,
        ),
    ) {
        draw_all(&screens, narrow);
        draw_all(&screens, wide);
    }
}
