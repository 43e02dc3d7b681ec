use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::domain::action::Context;
use crate::domain::chord::Chord;
use crate::domain::keymap::Keymap;
use crate::domain::screen::{Attrs, Cell, Cursor, InputModes, Row};
use crate::pane::{Match, Search};

/// A pane of plain rows and the copy mode on it: keys go through the keymap, and what the mode asks for is answered.
struct Stage {
    rows: VecDeque<Arc<Row>>,
    first: u64,
    size: Size,
    mode: CopyMode,
    keymap: Keymap,
    /// Everything the mode asked for that is not answered here.
    told: Vec<String>,
    asked: usize,
}

fn row(text: &str) -> Arc<Row> {
    let (text, wrapped) = match text.strip_suffix('↩') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut cells = Vec::new();
    for ch in text.chars() {
        let wide = unicode_width::UnicodeWidthChar::width(ch) == Some(2);
        let attrs = if wide { Attrs::WIDE } else { Attrs::NONE };
        cells.push(Cell {
            ch,
            attrs,
            ..Cell::default()
        });
        if wide {
            let attrs = Attrs::WIDE_TAIL;
            cells.push(Cell {
                attrs,
                ..Cell::default()
            });
        }
    }
    Arc::new(Row {
        cells,
        wrapped,
        ..Row::default()
    })
}

impl Stage {
    /// Rows of a pane of 20 columns, of which the last five are its screen.
    fn new(rows: &[&str]) -> Self {
        let size = Size::clamped(20, 5);
        let mut all: VecDeque<Arc<Row>> = rows.iter().map(|text| row(text)).collect();
        while all.len() < 5 {
            all.push_back(row(""));
        }
        let screen = snapshot(&all, 0, size);
        let (mode, effects) = CopyMode::enter(&screen, size);
        let mut stage = Self {
            rows: all,
            first: 0,
            size,
            mode,
            keymap: Keymap::new(
                "ctrl-b".parse().unwrap(),
                &std::collections::BTreeMap::new(),
            )
            .unwrap(),
            told: Vec::new(),
            asked: 0,
        };
        stage.answer(effects);
        stage
    }

    fn numbered(count: usize) -> Self {
        let texts: Vec<String> = (0..count).map(|n| format!("line {n}")).collect();
        Self::new(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// New rows arrive; `trimmed` of the oldest go.
    fn output(&mut self, rows: &[&str], trimmed: usize) {
        self.rows.extend(rows.iter().map(|text| row(text)));
        self.rows.drain(..trimmed);
        self.first += trimmed as u64;
        let screen = snapshot(&self.rows, self.first, self.size);
        self.tell(CopyEvent::Screen(screen));
    }

    fn tell(&mut self, event: CopyEvent) {
        let effects = self.mode.handle(event);
        self.answer(effects);
    }

    /// Keys by their names, separated by spaces.
    fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let chord: Chord = key.parse().unwrap();
            let action = self.keymap.lookup(Context::Copy, chord);
            let event = match action.filter(|_| !self.mode.wants_text()) {
                Some(action) => CopyEvent::Action(action),
                None => CopyEvent::Key(chord.event()),
            };
            self.tell(event);
        }
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let chord = Chord::new(KeyCode::Char(c), crate::domain::input::Mods::NONE);
            self.tell(CopyEvent::Key(chord.event()));
        }
    }

    fn answer(&mut self, effects: Vec<CopyEffect>) {
        for effect in effects {
            match effect {
                CopyEffect::NeedRows(range) => {
                    self.asked += 1;
                    assert!(self.asked < 1000, "asks without end");
                    let end = self.first + self.rows.len() as u64;
                    let start = range.start.clamp(self.first, end);
                    let rows = (start..range.end.clamp(start, end))
                        .map(|number| self.row(number).unwrap());
                    let window = RowWindow {
                        start,
                        rows: rows.collect(),
                        history_start: self.first,
                        top: end - 5,
                        end,
                        rewraps: 0,
                    };
                    self.tell(CopyEvent::Rows(window));
                }
                CopyEffect::NeedPlaces { .. } => self.told.push("places".to_owned()),
                CopyEffect::Search { number, search } => {
                    let hit = self.search(&search);
                    self.tell(CopyEvent::Found { number, hit });
                }
                CopyEffect::Copy(text) => self.told.push(format!("copy {text:?}")),
                CopyEffect::Message(text) => self.told.push(format!("message {text}")),
                CopyEffect::Leave => self.told.push("leave".to_owned()),
            }
        }
    }

    fn row(&self, number: u64) -> Option<Arc<Row>> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.rows.get(index).cloned()
    }

    fn search(&self, search: &Search) -> Option<Match> {
        let mut hits: Vec<Match> = (self.first..)
            .zip(&self.rows)
            .flat_map(|(row, cells)| {
                let found = text::find_all(cells, &search.pattern);
                found.into_iter().map(move |cols| Match { row, cols })
            })
            .collect();
        match search.direction {
            Direction::Down => hits.retain(|hit| (hit.row, hit.cols.0) > search.from),
            Direction::Up => {
                hits.retain(|hit| (hit.row, hit.cols.0) < search.from);
                hits.reverse();
            }
        }
        hits.first().copied()
    }

    /// The view as text.
    fn shown(&self) -> Vec<String> {
        let view = self.mode.view();
        let text = |row: &Option<Arc<Row>>| row.as_ref().map_or("…".to_owned(), |row| row.text());
        view.rows.iter().map(text).collect()
    }

    /// The cursor as absolute row and column.
    fn cursor(&self) -> (u64, u16) {
        let cursor = self.mode.viewport.cursor();
        (cursor.row, cursor.col)
    }

    fn indicator(&self) -> String {
        self.mode.view().indicator
    }

    fn selected(&self) -> Vec<(u16, u16, u16)> {
        let view = self.mode.view();
        let flat = |span: &Span| (span.row, span.cols.0, span.cols.1);
        view.selection.iter().map(flat).collect()
    }

    fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

fn snapshot(rows: &VecDeque<Arc<Row>>, first: u64, size: Size) -> Arc<ScreenSnapshot> {
    let top = rows.len() - usize::from(size.rows());
    Arc::new(ScreenSnapshot {
        size,
        rows: rows.iter().skip(top).cloned().collect(),
        cursor: Cursor {
            row: size.rows() - 1,
            ..Cursor::default()
        },
        title: Arc::from(""),
        alternate_screen: false,
        reverse: false,
        modes: InputModes::default(),
        history_start: first,
        top: first + top as u64,
        rewraps: 0,
    })
}

#[test]
fn it_enters_at_the_bottom_with_the_programs_cursor() {
    let stage = Stage::numbered(30);
    assert_eq!(stage.shown()[0], "line 25");
    assert_eq!(stage.cursor(), (29, 0));
    assert_eq!(stage.mode.view().cursor, (4, 0));
    assert_eq!(stage.indicator(), "[0/25]");
}

#[test]
fn the_cursor_pulls_the_view_along() {
    let mut stage = Stage::numbered(30);
    stage.keys("k k k k k k");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((23, 0), "[2/25]")
    );
    assert_eq!(stage.shown()[0], "line 23");
    stage.keys("1 0 k");
    assert_eq!(stage.cursor(), (13, 0));
    stage.keys("g");
    assert_eq!(
        stage.shown(),
        ["line 0", "line 1", "line 2", "line 3", "line 4"]
    );
    assert_eq!(stage.indicator(), "[25/25]");
    stage.keys("k");
    assert_eq!(stage.cursor(), (0, 0));
    stage.keys("G");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((29, 0), "[0/25]")
    );
    stage.keys("1 2 G");
    assert_eq!(stage.cursor(), (11, 0));
}

#[test]
fn pages_move_view_and_cursor_together() {
    let mut stage = Stage::numbered(30);
    stage.keys("ctrl-u");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((27, 0), "[2/25]")
    );
    stage.keys("pageup");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((24, 0), "[5/25]")
    );
    stage.keys("2 0 pageup");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((0, 0), "[25/25]")
    );
    stage.keys("ctrl-d pagedown");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((5, 0), "[20/25]")
    );
    stage.keys("H");
    assert_eq!(stage.cursor(), (5, 0));
    stage.keys("M");
    assert_eq!(stage.cursor(), (7, 0));
    stage.keys("L");
    assert_eq!(stage.cursor(), (9, 0));
    stage.keys("ctrl-y ctrl-y");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((7, 0), "[22/25]")
    );
}

#[test]
fn columns_follow_the_text() {
    let mut stage = Stage::new(&["  long line here", "ab", "", "日本語 x", "end"]);
    stage.keys("g $");
    assert_eq!(stage.cursor(), (0, 15));
    stage.keys("j");
    assert_eq!(stage.cursor(), (1, 1), "the end of a shorter line");
    stage.keys("j");
    assert_eq!(stage.cursor(), (2, 0));
    stage.keys("k k");
    assert_eq!(stage.cursor(), (0, 15), "the end again");
    stage.keys("^");
    assert_eq!(stage.cursor(), (0, 2));
    stage.keys("0");
    assert_eq!(stage.cursor(), (0, 0));
    stage.keys("3 j l");
    assert_eq!(stage.cursor(), (3, 2), "a wide character is one step");
    stage.keys("l l l l");
    assert_eq!(stage.cursor(), (3, 7));
    stage.keys("h h");
    assert_eq!(stage.cursor(), (3, 4));
}

#[test]
fn words_are_walked_across_rows() {
    let mut stage = Stage::new(&["one two.three", "", "  four_4 wra↩", "pped end", "."]);
    stage.keys("g");
    let mut steps = |key: &str, wanted: &[(u64, u16)]| {
        for place in wanted {
            stage.keys(key);
            assert_eq!(stage.cursor(), *place, "{key}");
        }
    };
    steps(
        "w",
        &[
            (0, 4),
            (0, 7),
            (0, 8),
            (2, 2),
            (2, 9),
            (3, 5),
            (4, 0),
            (4, 0),
        ],
    );
    steps(
        "b",
        &[
            (3, 5),
            (2, 9),
            (2, 2),
            (0, 8),
            (0, 7),
            (0, 4),
            (0, 0),
            (0, 0),
        ],
    );
    steps(
        "e",
        &[
            (0, 2),
            (0, 6),
            (0, 7),
            (0, 12),
            (2, 7),
            (3, 3),
            (3, 7),
            (4, 0),
        ],
    );
}

#[test]
fn a_selection_of_characters_is_copied_with_joined_wraps() {
    let mut stage = Stage::new(&["first  ", "the quick brown fox ↩", "jumps  ", "", "last"]);
    stage.keys("g w v");
    assert_eq!(stage.cursor(), (1, 0));
    stage.keys("2 j l l");
    assert_eq!(stage.selected(), [(1, 0, 20), (2, 0, 20), (3, 0, 1)]);
    stage.keys("y");
    let copied = "copy \"the quick brown fox jumps\\n\"";
    assert_eq!(stage.take_told(), [copied, "leave"]);
}

#[test]
fn a_selection_grows_backwards_and_changes_ends() {
    let mut stage = Stage::new(&["abc def", "ghi", "", "", ""]);
    stage.keys("g j l v");
    stage.keys("k");
    assert_eq!(stage.selected(), [(0, 1, 20), (1, 0, 2)]);
    stage.keys("o");
    assert_eq!(stage.cursor(), (1, 1));
    stage.keys("l enter");
    assert_eq!(stage.take_told(), ["copy \"bc def\\nghi\"", "leave"]);
}

#[test]
fn lines_and_blocks_are_selected_whole() {
    let mut stage = Stage::new(&["abcdef", "gh", "日本語", "", ""]);
    stage.keys("g l V j y");
    assert_eq!(stage.take_told(), ["copy \"abcdef\\ngh\"", "leave"]);
    stage.keys("esc g 0 l ctrl-v j j l l");
    assert_eq!(stage.selected(), [(0, 1, 5), (1, 1, 5), (2, 0, 6)]);
    stage.keys("y");
    assert_eq!(stage.take_told(), ["copy \"bcde\\nh\\n日本語\"", "leave"]);
}

#[test]
fn escape_drops_the_selection_first_and_then_leaves() {
    let mut stage = Stage::numbered(9);
    stage.keys("space k esc");
    assert_eq!((stage.selected(), stage.take_told()), (vec![], vec![]));
    stage.keys("v v");
    assert_eq!(stage.selected(), []);
    stage.keys("y");
    assert_eq!(stage.take_told(), ["message nothing is selected yet"]);
    stage.keys("esc");
    assert_eq!(stage.take_told(), ["leave"]);
    stage.keys("q");
    assert_eq!(stage.take_told(), ["leave"]);
}

#[test]
fn a_selection_longer_than_what_is_kept_is_copied_whole() {
    let mut stage = Stage::numbered(500);
    stage.keys("v g y");
    let told = stage.take_told();
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("copy \"line 0\\nline 1\\n"), "{told:?}");
    assert!(told[0].ends_with("line 498\\nl\""), "{told:?}");
    assert_eq!(told[0].matches("\\n").count(), 499);
}

#[test]
fn what_is_shown_stays_while_output_arrives() {
    let mut stage = Stage::numbered(30);
    stage.keys("k");
    let (shown, cursor) = (stage.shown(), stage.cursor());
    stage.output(&["new 1", "new 2"], 0);
    assert_eq!((stage.shown(), stage.cursor()), (shown.clone(), cursor));
    assert_eq!(stage.indicator(), "[2/27]");
    stage.output(&["new 3"], 10);
    assert_eq!((stage.shown(), stage.cursor()), (shown, cursor));
    assert_eq!(stage.indicator(), "[3/18]");
}

#[test]
fn rows_that_changed_before_they_scrolled_off_are_read_again() {
    let mut stage = Stage::numbered(30);
    stage.rows[29] = row("line 29 done");
    stage.output(&["x"; 6], 0);
    assert_eq!(stage.shown()[4], "line 29 done");
}

#[test]
fn rows_keep_their_looks_while_something_is_selected() {
    let mut stage = Stage::numbered(30);
    stage.keys("V");
    stage.rows[29] = row("changed");
    stage.output(&[], 0);
    assert_eq!(stage.shown()[4], "line 29");
    stage.keys("y");
    assert_eq!(stage.take_told(), ["copy \"line 29\"", "leave"]);
    stage.keys("esc");
    assert_eq!(stage.shown()[4], "changed");
}

#[test]
fn history_that_is_trimmed_under_it_moves_it_along() {
    let mut stage = Stage::numbered(30);
    stage.keys("g j l l v j");
    stage.output(&["new"; 12], 12);
    assert_eq!(stage.cursor(), (12, 2));
    assert_eq!(stage.shown()[0], "line 12");
    assert_eq!(stage.selected(), [(0, 0, 3)]);
    assert_eq!(stage.indicator(), "[25/25]");
}

#[test]
fn the_wheel_alone_leaves_at_the_bottom() {
    let mut stage = Stage::numbered(30);
    stage.tell(CopyEvent::Wheel(-3));
    stage.tell(CopyEvent::Wheel(-3));
    assert_eq!(
        (stage.indicator().as_str(), stage.cursor()),
        ("[6/25]", (23, 0))
    );
    stage.tell(CopyEvent::Wheel(3));
    assert_eq!(stage.take_told(), [""; 0]);
    stage.tell(CopyEvent::Wheel(3));
    assert_eq!(stage.take_told(), ["leave"]);
    stage.keys("k");
    stage.tell(CopyEvent::Wheel(-3));
    stage.tell(CopyEvent::Wheel(9));
    assert_eq!(stage.take_told(), [""; 0], "a key was used");
}

#[test]
fn dragging_copies_and_leaves_at_the_bottom_only() {
    let mut stage = Stage::numbered(30);
    stage.tell(CopyEvent::Press { row: 1, col: 2 });
    stage.tell(CopyEvent::Drag { row: 1, col: 2 });
    assert_eq!(stage.selected(), []);
    stage.tell(CopyEvent::Drag { row: 2, col: 3 });
    assert_eq!(stage.selected(), [(1, 2, 20), (2, 0, 4)]);
    stage.tell(CopyEvent::Release);
    assert_eq!(stage.take_told(), ["copy \"ne 26\\nline\"", "leave"]);
    stage.tell(CopyEvent::Press { row: 0, col: 0 });
    assert_eq!(stage.selected(), []);
    stage.tell(CopyEvent::Drag { row: -4, col: 0 });
    assert_eq!(
        (stage.indicator().as_str(), stage.cursor()),
        ("[4/25]", (21, 0))
    );
    stage.tell(CopyEvent::Release);
    let told = stage.take_told();
    assert_eq!(told, ["copy \"line 21\\nline 22\\nline 23\\nline 24\\nl\""]);
    stage.tell(CopyEvent::Press { row: 0, col: 0 });
    stage.tell(CopyEvent::Release);
    assert_eq!(stage.take_told(), [""; 0]);
}

#[test]
fn two_clicks_take_a_word_and_three_a_line() {
    let mut stage = Stage::new(&["see ./src/a.rs:7 (ok)", "", "", "", ""]);
    stage.tell(CopyEvent::SelectWord { row: 0, col: 6 });
    assert_eq!(stage.take_told(), ["copy \"./src/a.rs:7\"", "leave"]);
    stage.tell(CopyEvent::SelectWord { row: 0, col: 17 });
    assert_eq!(stage.take_told(), ["copy \"(\"", "leave"]);
    stage.tell(CopyEvent::SelectWord { row: 0, col: 3 });
    assert_eq!(stage.take_told(), [""; 0]);
    stage.tell(CopyEvent::SelectLine { row: 0 });
    assert_eq!(stage.take_told()[1], "leave");
}

#[test]
fn typing_a_pattern_searches_at_once_and_escape_goes_back() {
    let mut stage = Stage::numbered(300);
    stage.keys("?");
    assert!(stage.mode.wants_text());
    stage.type_text("line 4");
    assert_eq!(stage.cursor(), (49, 0));
    stage.type_text("2");
    assert_eq!(stage.cursor(), (42, 0), "from where the prompt was opened");
    let view = stage.mode.view();
    assert_eq!(view.current_match.map(|span| span.cols), Some((0, 7)));
    assert_eq!(view.matches.len(), 1);
    assert_eq!(
        view.rows[usize::from(view.cursor.0)]
            .as_ref()
            .unwrap()
            .text(),
        "line 42"
    );
    stage.keys("esc");
    assert_eq!(
        (stage.cursor(), stage.indicator().as_str()),
        ((299, 0), "[0/295]")
    );
    assert_eq!(stage.mode.view().matches, []);
    assert_eq!(stage.take_told(), [""; 0]);
}

#[test]
fn matches_are_walked_and_around_the_end() {
    let mut stage = Stage::new(&["foo", "x foo foo", "bar", "foo", "", "", "", "", "end"]);
    stage.keys("?");
    stage.type_text("foo");
    stage.keys("enter");
    assert!(!stage.mode.wants_text());
    assert_eq!(stage.cursor(), (3, 0));
    for wanted in [(1, 6), (1, 2), (0, 0)] {
        stage.keys("n");
        assert_eq!(stage.cursor(), wanted);
    }
    assert_eq!(stage.take_told(), [""; 0]);
    stage.keys("n");
    assert_eq!(stage.cursor(), (3, 0));
    let around = ["message the search went on from the newest line"];
    assert_eq!(stage.take_told(), around);
    stage.keys("N");
    assert_eq!(stage.cursor(), (0, 0), "also at the very first place");
    let around = ["message the search went on from the oldest line"];
    assert_eq!(stage.take_told(), around);
    stage.keys("/ enter");
    assert_eq!(
        stage.cursor(),
        (1, 2),
        "the pattern from before, downwards now"
    );
}

#[test]
fn case_counts_where_the_pattern_has_a_capital() {
    let mut stage = Stage::new(&["Foo", "foo", "FOO bar", "", ""]);
    let mut found = |pattern: &str| {
        stage.keys("?");
        stage.type_text(pattern);
        let count = stage.mode.view().matches.len();
        stage.keys("esc");
        count
    };
    assert_eq!(found("foo"), 3);
    assert_eq!(found("Foo"), 1);
    assert_eq!(found("fo{2}\\S*"), 3, "that capital is none of the text");
    assert_eq!(found("\\bbar$"), 1);
}

#[test]
fn a_bad_pattern_is_told_and_the_prompt_stays() {
    let mut stage = Stage::numbered(30);
    stage.keys("/");
    stage.type_text("(li");
    let prompt = stage.mode.view().prompt.unwrap();
    assert_eq!((prompt.sign, prompt.text.as_str()), ('/', "(li"));
    assert_eq!(prompt.error.as_deref(), Some("unclosed group"));
    stage.keys("enter");
    assert!(stage.mode.wants_text());
    stage.type_text(")zzz");
    stage.keys("enter");
    let prompt = stage.mode.view().prompt.unwrap();
    assert_eq!(prompt.error.as_deref(), Some("no match"));
    stage.keys("ctrl-u");
    assert_eq!(stage.mode.view().prompt.unwrap().error, None);
    stage.tell(CopyEvent::Text("line 7\nrest".to_owned()));
    assert_eq!(stage.mode.view().prompt.unwrap().text, "line 7");
    assert_eq!(stage.cursor(), (7, 0));
    stage.keys("ctrl-w backspace");
    assert_eq!(stage.mode.view().prompt.unwrap().text, "line");
    stage.keys("ctrl-u backspace");
    assert!(!stage.mode.wants_text());
    stage.keys("n");
    assert_eq!(
        stage.take_told(),
        ["message there is nothing to search for yet"]
    );
}

#[test]
fn answers_to_old_searches_are_ignored() {
    let mut stage = Stage::numbered(30);
    stage.keys("?");
    stage.type_text("line 3");
    let hit = Some(Match {
        row: 9,
        cols: (0, 1),
    });
    stage.tell(CopyEvent::Found { number: 1, hit });
    assert_eq!(stage.cursor(), (3, 0));
}

#[test]
fn a_match_of_wide_characters_covers_their_cells() {
    let pattern = regex::Regex::new("本.").unwrap();
    assert_eq!(
        text::find_all(&row("日本語x本y"), &pattern),
        [(2, 6), (7, 10)]
    );
    let nothing = regex::Regex::new("x*").unwrap();
    assert_eq!(text::find_all(&row("ab"), &nothing), []);
}

#[test]
fn a_resize_keeps_the_bottom_or_the_place() {
    let mut stage = Stage::numbered(30);
    stage.tell(CopyEvent::Resize(Size::clamped(20, 3)));
    assert_eq!(stage.shown(), ["line 27", "line 28", "line 29"]);
    stage.keys("1 0 k");
    assert_eq!(stage.shown()[0], "line 19");
    stage.tell(CopyEvent::Resize(Size::clamped(10, 4)));
    assert_eq!(stage.shown()[0], "line 19");
}

#[derive(Clone, Debug)]
enum Step {
    Do(usize),
    Digit(char),
    Output(usize, usize),
    Wheel(i32),
    Press(u16, u16),
    Drag(i32, u16),
    Release,
    Resize(u16, u16),
    Type(char),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..60usize).prop_map(Step::Do),
        1 => prop::char::range('0', '9').prop_map(Step::Digit),
        3 => (0..9usize, 0..12usize).prop_map(|(rows, trimmed)| Step::Output(rows, trimmed)),
        1 => (-9..9i32).prop_map(Step::Wheel),
        1 => (0..9u16, 0..30u16).prop_map(|(row, col)| Step::Press(row, col)),
        1 => (-9..19i32, 0..30u16).prop_map(|(row, col)| Step::Drag(row, col)),
        1 => Just(Step::Release),
        1 => (2..30u16, 2..9u16).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
        1 => prop::char::range('a', 'n').prop_map(Step::Type),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_cursor_and_view_stay_within_what_exists(steps in prop::collection::vec(step(), 0..60)) {
        let texts = ["line one", "日本語 and more", "", "a wrapped line here ↩", "goes on"].repeat(6);
        let mut stage = Stage::new(&texts);
        let actions: Vec<Action> = Action::ALL
            .iter()
            .copied()
            .filter(|action| action.context() == Context::Copy)
            .collect();
        for step in steps {
            match step {
                Step::Do(n) => stage.tell(CopyEvent::Action(actions[n % actions.len()])),
                Step::Digit(c) | Step::Type(c) => stage.type_text(&c.to_string()),
                Step::Output(rows, trimmed) => {
                    let room = stage.rows.len() + rows - 5;
                    stage.output(&texts[..rows], trimmed.min(room));
                }
                Step::Wheel(lines) => stage.tell(CopyEvent::Wheel(lines)),
                Step::Press(row, col) => stage.tell(CopyEvent::Press { row, col }),
                Step::Drag(row, col) => stage.tell(CopyEvent::Drag { row, col }),
                Step::Release => stage.tell(CopyEvent::Release),
                Step::Resize(cols, rows) => stage.tell(CopyEvent::Resize(Size::clamped(cols, rows))),
            }
            stage.asked = 0;
            let end = stage.first + stage.rows.len() as u64;
            let (row, col) = stage.cursor();
            prop_assert!((stage.first..end).contains(&row));
            let viewport = &stage.mode.viewport;
            prop_assert!(viewport.top() >= stage.first && viewport.top() <= row && row < viewport.end());
            prop_assert!(col < viewport.size().cols());
            let view = stage.mode.view();
            prop_assert_eq!(view.rows.len(), usize::from(viewport.size().rows()));
            for (number, row) in (viewport.top()..).zip(&view.rows) {
                prop_assert_eq!(row.is_some(), number < end, "row {} of {}", number, end);
            }
            for span in view.selection.iter().chain(&view.matches).chain(&view.current_match) {
                prop_assert!(span.cols.0 < span.cols.1 && usize::from(span.row) < view.rows.len());
            }
        }
    }
}
