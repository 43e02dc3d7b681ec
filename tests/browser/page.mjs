// The page in Chromium, against instances of the binary TUNDRA_BIN, else the debug build. Prints one line for each thing
// tried; exit 1 where one fails. An argument picks the tests whose names hold it.

import { browser, faults, tundra } from "./harness.mjs";
import agents from "./page/agents.mjs";
import journal from "./page/journal.mjs";
import network from "./page/network.mjs";
import people from "./page/people.mjs";
import providers from "./page/providers.mjs";
import terminal from "./page/terminal.mjs";
import touch from "./page/touch.mjs";

let passed = 0;
let failed = 0;
for (const [name, test] of Object.entries({ ...terminal, ...network, ...people, ...touch, ...providers, ...journal, ...agents })) {
  if (process.argv[2] && !name.includes(process.argv[2])) continue;
  faults.length = 0;
  try {
    await test();
    if (faults.length > 0) throw new Error(faults.join("; "));
    passed += 1;
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}: ${error.stack}`);
  }
  for (const context of browser.contexts()) await context.close();
  tundra.endAll();
}
await browser.close();
await tundra.remove();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
