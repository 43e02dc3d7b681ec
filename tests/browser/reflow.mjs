// Prints a stream into xterm.js, changes its size again and again, and compares each row of history and screen with the
// server's emulator.
//
// node reflow.mjs CASES.json, an array of {about, stream: hex, cols, rows, sizes: [[cols, rows], ...], shown: [[row text,
// ...] after each size]}. Prints the first differences; exit 1.

import { readFileSync } from "node:fs";
import headless from "@xterm/headless";
import { wcwidth } from "../../assets/wcwidth.js";

/** Every row of history and screen, without the blank ones at the end. */
function rowsOf(buffer) {
  const rows = [];
  for (let row = 0; row < buffer.length; row++) rows.push(buffer.getLine(row).translateToString(true).trimEnd());
  while (rows.length > 0 && rows.at(-1) === "") rows.pop();
  return rows;
}

const cases = JSON.parse(readFileSync(process.argv[2], "utf8"));
let failed = 0;
for (const given of cases) {
  const term = new headless.Terminal({ cols: given.cols, rows: given.rows, scrollback: 5000, allowProposedApi: true });
  term.unicode.register(wcwidth);
  term.unicode.activeVersion = wcwidth.version;
  await new Promise((done) => term.write(Buffer.from(given.stream, "hex"), done));
  for (const [index, [cols, rows]] of given.sizes.entries()) {
    term.resize(cols, rows);
    const [left, right] = [rowsOf(term.buffer.active), given.shown[index]];
    if (JSON.stringify(left) === JSON.stringify(right)) continue;
    failed += 1;
    if (failed <= 5) {
      const at = left.findIndex((row, number) => row !== right[number]);
      console.log(`${given.about}, at ${cols}x${rows}: row ${at}: xterm.js ${JSON.stringify(left[at])}, tundra ${JSON.stringify(right[at])}`);
      console.log(`  ${left.length} and ${right.length} rows; stream ${JSON.stringify(Buffer.from(given.stream, "hex").toString())}`);
    }
    break;
  }
  term.dispose();
}
console.log(`${cases.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
