//! Holds the page's table of widths to this emulator's: `assets/wcwidth.js` is written from here.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::cells::{char_width, cluster_is_wide};

/// The ranges of characters for which something holds, ends included.
fn ranges(holds: impl Fn(char) -> bool) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for code in 0xa0..=u32::from(char::MAX) {
        if !char::from_u32(code).is_some_and(&holds) {
            continue;
        }
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == code => *end = code,
            _ => ranges.push((code, code)),
        }
    }
    ranges
}

fn table(name: &str, about: &str, ranges: &[(u32, u32)]) -> String {
    let mut text = format!("/** {about} */\nconst {name} = [\n");
    for line in ranges.chunks(8) {
        let numbers: Vec<String> = line
            .iter()
            .map(|(start, end)| format!("0x{start:x}, 0x{end:x}"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {},", numbers.join(", "));
    }
    text.push_str("];\n\n");
    text
}

fn expected() -> String {
    let mut text = String::from(
        "// How many columns a character takes: the table of tundra's own emulator, so that page and pane agree.\n\
         // Written by the tests of src/pane/emulator/widths.rs.\n\n",
    );
    let zero = ranges(|c| char_width(c) == Some(0));
    let wide = ranges(|c| char_width(c) == Some(2));
    let emoji = ranges(|c| char_width(c) == Some(1) && cluster_is_wide(&format!("{c}\u{fe0f}")));
    text.push_str(&table(
        "ZERO",
        "Starts and ends of the ranges without width.",
        &zero,
    ));
    text.push_str(&table(
        "WIDE",
        "Starts and ends of the ranges two columns wide.",
        &wide,
    ));
    text.push_str(&table(
        "EMOJI",
        "Starts and ends of the ranges that U+FE0F makes two columns wide.",
        &emoji,
    ));
    text.push_str(
        r#"function within(table, code) {
  let low = 0;
  let high = table.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < table[2 * middle]) high = middle - 1;
    else if (code > table[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** Marks a character that U+FE0F may make wide, in what xterm.js carries from one character to the next. */
const MAY_WIDEN = 1;

function width(code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code < 0x300) return 1;
  if (within(ZERO, code)) return 0;
  return within(WIDE, code) ? 2 : 1;
}

/** A provider for xterm.js's unicode service. */
export const wcwidth = {
  version: "tundra",
  wcwidth: width,
  charProperties(code, preceding) {
    let columns = width(code);
    let joins = columns === 0 && preceding !== 0;
    let state = 0;
    if (joins) {
      const before = (preceding >> 1) & 3;
      if (before === 0) joins = false;
      else columns = code === 0xfe0f && preceding >> 3 === MAY_WIDEN ? 2 : before;
    } else if (columns === 1 && within(EMOJI, code)) {
      state = MAY_WIDEN;
    }
    return (state << 3) | (columns << 1) | (joins ? 1 : 0);
  },
};
"#,
    );
    text
}

#[test]
fn the_page_measures_as_the_emulator_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/wcwidth.js");
    let expected = expected();
    if std::env::var_os("TUNDRA_WRITE_WIDTHS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "assets/wcwidth.js is not what this emulator measures: run this test with TUNDRA_WRITE_WIDTHS=1"
    );
}
