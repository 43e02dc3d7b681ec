// Replays snapshots into xterm.js and compares what it shows with what the server's emulator shows.
//
// node compare.mjs CASES.json, an array of {snapshot: hex, cols, rows, title, alternate, cursor: [row, col, visible],
// modes: {...}, lines: [[[text, width, fg, bg, attributes], ...], ...], history}. Prints the first differences; exit 1.

import { readFileSync } from "node:fs";
import headless from "@xterm/headless";
import { wcwidth } from "../../assets/wcwidth.js";

const ATTRIBUTES = [
  ["isBold", 1], ["isDim", 2], ["isItalic", 4], ["isInverse", 8], ["isStrikethrough", 16], ["isInvisible", 32],
  ["isBlink", 64], ["isOverline", 128],
];

/** A cell for comparing: a space is a blank, since a pending wrap comes back by one written over it. */
const plain = ([text, ...rest]) => JSON.stringify([text === " " ? "" : text, ...rest]);

function color(cell, which) {
  if (cell[`is${which}Default`]()) return "default";
  const value = cell[`get${which}Color`]();
  return cell[`is${which}RGB`]() ? `#${value.toString(16).padStart(6, "0")}` : `${value}`;
}

function cellsOf(line, cols) {
  const cells = [];
  for (let col = 0; col < cols; col++) {
    const cell = line.getCell(col);
    let attributes = 0;
    for (const [name, bit] of ATTRIBUTES) if (cell[name]()) attributes |= bit;
    if (cell.isUnderline()) attributes |= 256;
    const text = cell.getChars();
    // A blank has a background and nothing else.
    const blank = text === "" && cell.getWidth() === 1;
    cells.push([text, cell.getWidth(), blank ? "default" : color(cell, "Fg"), color(cell, "Bg"), blank ? 0 : attributes]);
  }
  return cells;
}

async function replay(given) {
  const term = new headless.Terminal({ cols: given.cols, rows: given.rows, scrollback: 1000, allowProposedApi: true });
  term.unicode.register(wcwidth);
  term.unicode.activeVersion = wcwidth.version;
  let title = "";
  term.onTitleChange((text) => { title = text; });
  const answers = [];
  term.onData((data) => answers.push(data));
  await new Promise((done) => term.write(Buffer.from(given.snapshot, "hex"), done));
  const buffer = term.buffer.active;
  const shown = {
    title,
    answers,
    alternate: buffer.type === "alternate",
    cursor: [buffer.cursorY, Math.min(buffer.cursorX, given.cols - 1)],
    // In the order of their names, as the cases have them.
    modes: {
      application_cursor: term.modes.applicationCursorKeysMode,
      application_keypad: term.modes.applicationKeypadMode,
      autowrap: term.modes.wraparoundMode,
      bracketed_paste: term.modes.bracketedPasteMode,
      focus: term.modes.sendFocusMode,
      insert: term.modes.insertMode,
      mouse: term.modes.mouseTrackingMode,
      origin: term.modes.originMode,
    },
    history: buffer.type === "alternate" ? null : buffer.baseY,
    lines: [],
  };
  for (let row = 0; row < given.rows; row++) {
    shown.lines.push(cellsOf(buffer.getLine(buffer.baseY + row), given.cols));
  }
  term.dispose();
  return shown;
}

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
let failed = 0;
for (const [index, given] of cases.entries()) {
  const shown = await replay(given);
  const differences = [];
  for (const key of ["title", "alternate", "cursor", "modes", "history"]) {
    const [left, right] = [JSON.stringify(shown[key]), JSON.stringify(given[key])];
    if (left !== right) differences.push(`${key}: xterm.js ${left}, tundra ${right}`);
  }
  if (shown.answers.length > 0) differences.push(`answers: ${JSON.stringify(shown.answers)}`);
  for (const [row, cells] of given.lines.entries()) {
    for (const [col, cell] of cells.entries()) {
      const [left, right] = [plain(shown.lines[row][col]), plain(cell)];
      if (left !== right) differences.push(`row ${row} column ${col}: xterm.js ${left}, tundra ${right}`);
    }
  }
  if (differences.length > 0) {
    failed += 1;
    if (failed <= 5) {
      console.log(`case ${index} (${given.cols}x${given.rows}): ${given.about}`);
      console.log(`  snapshot ${JSON.stringify(Buffer.from(given.snapshot, "hex").toString())}`);
      for (const difference of differences.slice(0, 6)) console.log(`  ${difference}`);
    }
  }
}
console.log(`${cases.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
