use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::{Emulator, Feedback};
use crate::domain::screen::{
    Attrs, Cell, Color, ColorKind, MouseMode, Row, ScreenSnapshot, Underline,
};
use crate::domain::size::Size;

/// Rows of history that the emulators here keep and hand on.
const HISTORY: usize = 50;

fn fed(size: Size, parts: &[Vec<u8>]) -> Emulator {
    let mut emulator = Emulator::new(size, HISTORY);
    for part in parts {
        emulator.feed(part, &mut Feedback::default());
    }
    emulator
}

fn restored(emulator: &Emulator, size: Size) -> Emulator {
    let mut bytes = Vec::new();
    emulator.write_state(HISTORY, &mut bytes);
    fed(size, &[bytes])
}

/// All that can be seen, in a form whose difference can be read.
fn seen(emulator: &Emulator) -> Vec<String> {
    let snapshot: ScreenSnapshot = emulator.snapshot(None);
    let (start, top, _) = emulator.extent();
    let mut seen = vec![
        format!("{:?}", snapshot.cursor),
        format!("{:?} {:?}", snapshot.title, snapshot.modes),
        format!("{} {}", snapshot.alternate_screen, snapshot.reverse),
    ];
    let history = emulator.rows(start..top);
    for row in history.iter().chain(&snapshot.rows) {
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| {
                let extra = row.extra(cell);
                format!(
                    "{:?}{:?}{:?}{:?}{extra:?}",
                    cell.ch, cell.fg, cell.bg, cell.attrs
                )
            })
            .collect();
        seen.push(cells.join(" "));
    }
    seen
}

fn state(emulator: &Emulator) -> String {
    let mut bytes = Vec::new();
    emulator.write_state(HISTORY, &mut bytes);
    String::from_utf8_lossy(&bytes).replace('\x1b', "␛")
}

/// Whether a line goes on in the next row; where that row has scrolled away this cannot be seen and is not restored.
fn wraps(emulator: &Emulator) -> Vec<bool> {
    let (start, _, end) = emulator.extent();
    let mut rows = emulator.rows(start..end);
    let mut guarded = emulator.guarded.borrow_mut();
    rows.extend(guarded.terminal.screen_mut().other_rows());
    rows.iter().map(|row| row.wrapped).collect()
}

fn pends_on_a_blank(emulator: &Emulator) -> bool {
    let cursor = emulator.snapshot(None).cursor;
    let rows = emulator.snapshot(None).rows;
    let blank = rows[usize::from(cursor.row)].cells[usize::from(cursor.col)].ch == '\0';
    blank && emulator.guarded.borrow().terminal.screen().pending()
}

fn text(emulator: &Emulator) -> Vec<String> {
    let (start, _, end) = emulator.extent();
    let rows = emulator.rows(start..end);
    rows.iter().map(|row| row.text()).collect()
}

fn check(size: Size, before: &[Vec<u8>], after: &[u8]) {
    let mut original = fed(size, before);
    let mut copy = restored(&original, size);
    if pends_on_a_blank(&original) {
        // It can only come back with a space there, which looks the same.
        assert_eq!(text(&copy), text(&original));
        original.feed(after, &mut Feedback::default());
        copy.feed(after, &mut Feedback::default());
        assert_eq!(text(&copy), text(&original));
        return;
    }
    assert_eq!(seen(&copy), seen(&original));
    if wraps(&copy) != wraps(&original) {
        return;
    }
    assert_eq!(state(&copy), state(&original));
    original.feed(after, &mut Feedback::default());
    copy.feed(after, &mut Feedback::default());
    assert_eq!(seen(&copy), seen(&original));
    assert_eq!(state(&copy), state(&original));
}

#[test]
fn everything_a_program_can_set_comes_back() {
    let size = Size::clamped(20, 6);
    for (before, after) in [
        ("plain", "more"),
        ("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8", "\x1b[Hx"),
        ("a line that is longer than twenty columns", "\r\nnext"),
        ("\x1b[44mblue\x1b[K\r\nnext\x1b[0m", "x"),
        (
            "\x1b[31;1;3;4:3;58:2::1:2:3mstyled\x1b]8;;https://example.org\x1b\\link",
            "on\x1b]8;;\x1b\\off",
        ),
        ("\x1b[?1049h\x1b[2;3Halternate", "\x1b[?1049lback"),
        ("main\x1b[5;5H\x1b[33m\x1b7\x1b[m\x1b[H", "\x1b8restored"),
        ("\x1b[2;4r\x1b[?6h\x1b[2;1Hregion", "\n\n\nbelow"),
        ("\x1b[3g\x1b[5G\x1bH\x1b[12G\x1bH\r", "\ta\tb\tc"),
        ("\x1b(0\x1b)A\x0elqk", "#\x0flqk"),
        ("exactly twenty wide!", "wraps"),
        ("exactly twenty wide!\x1b[44m\x1b[2K", "x"),
        ("\x1bN\x1b7\x1b[5G", "x"),
        ("main\x1b[?47h\x1b[41mother\x1b[K\x1b[?47l", "\x1b[?47h"),
        (
            "main\x1b[?47h\x1b[Hexactly twenty wide!\x1b[H\x1b[?47l",
            "x",
        ),
        ("exactly twenty wide!\x1b7\x1b[2K", "\x1b8x"),
        ("exactly twenty wide!\x1b7\x1b[44m\x1b[2K\x1b[41m", "\x1b8x"),
        ("\x1b[?7lno wrap at the end of the line", "y"),
        ("\x1b[4hinsert\x1b[1G", "ed "),
        ("\x1b[20h", "a\nb"),
        (
            "\x1b[?1h\x1b=\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?25l\x1b[4 q",
            "x",
        ),
        ("\x1b[>1u\x1b[>5u\x1b[>4;2m", "\x1b[<1u"),
        (
            "\x1b]2;a title\x07\x1b[22;2t\x1b]2;another\x07",
            "\x1b[23;2t",
        ),
        ("wide 漢字 and e\u{301} and 👩‍💻", "x"),
        ("0123456789012345678漢", "x"),
        ("cut \x1b[3", "1mred"),
        ("cut \x1b]2;tit", "le\x07x"),
        ("cut \x1b", "[31mx"),
        ("\x1b[?1;2", "hx"),
        ("\x1b[4:", "3mx"),
        ("\x1b[?69h\x1b[5;15s\x1b[1;5H", "between the margins"),
        ("\x1b[?5h\x1b[?1049h\x1b[?5;7s\x1b[?5l", "\x1b[?5rx"),
    ] {
        check(size, &[before.as_bytes().to_vec()], after.as_bytes());
    }
    check(size, &[b"half \xe6\xbc".to_vec()], b"\xa2");
    check(
        Size::clamped(11, 2),
        &[b"aa     aaaa      aaaa a\x1b8\r\n\x1b[0P".to_vec()],
        b" ",
    );
    check(
        Size::clamped(2, 2),
        &["\x1b[?7l \x1b[38;5;1;48;5;2m🎉 a".as_bytes().to_vec()],
        "e\u{301}a".as_bytes(),
    );
}

fn piece() -> impl Strategy<Value = String> {
    let sequence = prop_oneof![
        (0u16..8, 0u16..30).prop_map(|(row, col)| format!("\x1b[{row};{col}H")),
        (0u16..8, 0u16..8).prop_map(|(top, bottom)| format!("\x1b[{top};{bottom}r")),
        (0u8..110).prop_map(|code| format!("\x1b[{code}m")),
        (0u8..=255).prop_map(|index| format!("\x1b[38;5;{index};48;2;{index};0;9m")),
        (
            0u8..3,
            prop::sample::select(vec!['J', 'K', 'X', 'P', '@', 'L', 'M', 'S', 'T'])
        )
            .prop_map(|(count, last)| format!("\x1b[{count}{last}")),
        prop::sample::select(vec![1, 5, 6, 7, 25, 47, 1000, 1003, 1004, 1006, 1049, 2004])
            .prop_flat_map(|mode| prop::bool::ANY
                .prop_map(move |on| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }))),
        prop::sample::select(vec![
            "\x1b7",
            "\x1b8",
            "\x1bD",
            "\x1bM",
            "\x1bE",
            "\x1bH",
            "\x1b(0",
            "\x1b(B",
            "\x0e",
            "\x0f",
            "\x1b[4h",
            "\x1b[4l",
            "\x1b[3g",
            "\x1b[!p",
            "\x1b[2 q",
            "\x1b[>3u",
            "\x1b[<u",
            "\x1b]2;t\x07",
            "\x1bN",
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        3 => "[a-z ]{1,25}",
        1 => prop::sample::select(vec!["漢字", "é", "e\u{301}", "🎉", "\t", "\x08", "─", "❤\u{fe0f}"])
            .prop_map(str::to_owned),
        2 => Just("\r\n".to_owned()),
        5 => sequence,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_state_comes_back(
        cols in 2u16..30,
        rows in 2u16..8,
        before in prop::collection::vec(piece(), 0..40),
        after in prop::collection::vec(piece(), 0..10),
        cut in 0usize..6,
    ) {
        let size = Size::clamped(cols, rows);
        // The end of the stream may be anywhere in a sequence.
        let stream = before.concat().into_bytes();
        let (before, rest) = stream.split_at(stream.len().saturating_sub(cut));
        let after = [rest, after.concat().as_bytes()].concat();
        check(size, &[before.to_vec()], &after);
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// What a page must show after a snapshot, as `tests/browser/compare.mjs` reads it.
fn shown_case(emulator: &Emulator, size: Size, about: &str) -> serde_json::Value {
    let snapshot = emulator.snapshot(None);
    let mut bytes = Vec::new();
    emulator.write_state(HISTORY, &mut bytes);
    let color = |color: Color| match color.kind() {
        ColorKind::Default => "default".to_owned(),
        ColorKind::Indexed(index) => index.to_string(),
        ColorKind::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    };
    let cell = |row: &Row, cell: &Cell| {
        let mut text = String::new();
        if cell.ch != '\0' {
            row.push_cell_text(cell, &mut text);
        }
        let width = match cell.attrs {
            attrs if attrs.contains(Attrs::WIDE) => 2,
            attrs if attrs.contains(Attrs::WIDE_TAIL) => 0,
            _ => 1,
        };
        let blank = text.is_empty() && width == 1;
        let underlined = u16::from(cell.attrs.underline() != Underline::None) << 8;
        let attrs = (cell.attrs.bits() & 0xff) | underlined;
        serde_json::json!([
            text,
            width,
            if blank {
                "default".to_owned()
            } else {
                color(cell.fg)
            },
            color(cell.bg),
            if blank { 0 } else { attrs },
        ])
    };
    let lines: Vec<Vec<_>> = snapshot
        .rows
        .iter()
        .map(|row| row.cells.iter().map(|one| cell(row, one)).collect())
        .collect();
    let mouse = match snapshot.modes.mouse {
        MouseMode::None => "none",
        MouseMode::X10 => "x10",
        MouseMode::Normal => "vt200",
        MouseMode::Button => "drag",
        MouseMode::Any => "any",
    };
    let placing = emulator.guarded.borrow().terminal.screen().placing();
    serde_json::json!({
        "about": about,
        "snapshot": hex(&bytes),
        "cols": size.cols(),
        "rows": size.rows(),
        "title": *snapshot.title,
        "alternate": snapshot.alternate_screen,
        "cursor": [snapshot.cursor.row, snapshot.cursor.col],
        "modes": {
            "application_cursor": snapshot.modes.application_cursor,
            "application_keypad": snapshot.modes.application_keypad,
            "bracketed_paste": snapshot.modes.bracketed_paste,
            "insert": placing.insert,
            "mouse": mouse,
            "origin": placing.origin,
            "focus": snapshot.modes.focus,
            "autowrap": placing.autowrap,
        },
        "history": (!snapshot.alternate_screen)
            .then(|| (snapshot.top - snapshot.history_start).min(HISTORY as u64)),
        "lines": lines,
    })
}

/// The streams of real programs that the fixtures hold, at a size they were made for.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vt");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut recordings: Vec<_> = files
        .map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(file.path()).unwrap_or_default())
        })
        .collect();
    recordings.sort();
    recordings
}

/// Runs a script of `tests/browser` over cases; without node or xterm.js it says so and does nothing.
fn compare_with_xterm_js(script: &str, test: &str, cases: &[serde_json::Value]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let package = folder.join("node_modules/@xterm/headless");
    if !package.is_dir() || Command::new("node").arg("--version").output().is_err() {
        eprintln!("SKIPPED: node or @xterm/headless is missing (run `npm ci` in tests/browser)");
        return;
    }
    let file = format!("tundra-{test}-{}.json", std::process::id());
    let path = std::env::temp_dir().join(file);
    std::fs::write(&path, serde_json::to_vec(cases).unwrap()).unwrap();
    let output = Command::new("node")
        .arg(folder.join(script))
        .arg(&path)
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn xterm_js_shows_what_this_emulator_shows() {
    let mut runner = TestRunner::deterministic();
    let streams = (
        2u16..40,
        2u16..12,
        prop::collection::vec(piece(), 0..60),
        0usize..6,
    );
    let mut cases = Vec::new();
    for _ in 0..1500 {
        let (cols, rows, pieces, cut) = streams.new_tree(&mut runner).unwrap().current();
        let size = Size::clamped(cols, rows);
        let stream = pieces.concat().into_bytes();
        let (kept, _) = stream.split_at(stream.len().saturating_sub(cut));
        let about = format!("{:?}", String::from_utf8_lossy(kept));
        cases.push(shown_case(&fed(size, &[kept.to_vec()]), size, &about));
    }
    let size = Size::clamped(100, 30);
    for (name, stream) in recordings() {
        // In the middle too: that is where a viewer comes in.
        for part in 1..=4 {
            let (kept, _) = stream.split_at(stream.len() * part / 4);
            let about = format!("{name}, {part} of 4 parts");
            cases.push(shown_case(&fed(size, &[kept.to_vec()]), size, &about));
        }
    }
    compare_with_xterm_js("compare.mjs", "snapshots", &cases);
}

#[test]
fn xterm_js_shows_what_this_emulator_shows_after_any_sizes() {
    let mut runner = TestRunner::deterministic();
    let stories = prop::collection::vec(
        (2u16..40, 2u16..12, prop::collection::vec(piece(), 0..20)),
        2..6,
    );
    let mut cases = Vec::new();
    for _ in 0..700 {
        let parts = stories.new_tree(&mut runner).unwrap().current();
        let mut emulator = Emulator::new(Size::clamped(20, 6), HISTORY);
        let (mut about, mut last) = (String::new(), Size::clamped(20, 6));
        for (cols, rows, pieces) in parts {
            last = Size::clamped(cols, rows);
            emulator.resize(last);
            let text = pieces.concat();
            emulator.feed(text.as_bytes(), &mut Feedback::default());
            let _ = write!(about, "{cols}x{rows} {text:?} ");
        }
        cases.push(shown_case(&emulator, last, &about));
        // And at once after a change of size, which is when a viewer gets one.
        let narrow = Size::clamped(last.cols() / 2 + 1, last.rows());
        emulator.resize(narrow);
        cases.push(shown_case(&emulator, narrow, &about));
    }
    compare_with_xterm_js("compare.mjs", "sizes", &cases);
}

#[test]
fn lines_are_wrapped_as_xterm_js_wraps_them() {
    let mut runner = TestRunner::deterministic();
    let line = prop::collection::vec(
        prop_oneof![
            6 => "[a-z0-9 ]{1,30}",
            1 => prop::sample::select(vec!["漢字", "日本語テキスト", "é", "🎉", "─"]).prop_map(str::to_owned),
        ],
        0..6,
    );
    let stories = (
        6u16..60,
        3u16..12,
        prop::collection::vec(line, 1..30),
        prop::collection::vec((4u16..90, 3u16..16), 1..6),
    );
    let mut cases = Vec::new();
    for index in 0..500 {
        let (cols, rows, lines, sizes) = stories.new_tree(&mut runner).unwrap().current();
        let stream: String = lines.iter().map(|line| line.concat() + "\r\n").collect();
        let mut emulator = Emulator::new(Size::clamped(cols, rows), 5000);
        emulator.feed(stream.as_bytes(), &mut Feedback::default());
        let shown: Vec<Vec<String>> = sizes
            .iter()
            .map(|(cols, rows)| {
                emulator.resize(Size::clamped(*cols, *rows));
                let mut shown = text(&emulator);
                while shown.last().is_some_and(String::is_empty) {
                    shown.pop();
                }
                shown
            })
            .collect();
        cases.push(serde_json::json!({
            "about": format!("case {index}, {cols}x{rows}"),
            "stream": hex(stream.as_bytes()),
            "cols": cols,
            "rows": rows,
            "sizes": sizes,
            "shown": shown,
        }));
    }
    compare_with_xterm_js("reflow.mjs", "wraps", &cases);
}
