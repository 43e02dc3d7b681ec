// The strip of providers and its actions.

import { openPage, same, text, tundra, until } from "../harness.mjs";

const facts = (name) => JSON.parse(tundra.run("providers", "--json")).find((provider) => provider.name === name);
const chip = (page, name) => page.locator(`#providers [data-provider="${name}"]`);
const says = (page, name, wanted) => until(`${name}: ${wanted}`, async () => wanted.test((await chip(page, name).textContent()).trim()));

async function act(page, name, action) {
  await chip(page, name).click();
  await page.locator("#provider .actions button", { hasText: new RegExp(`^${action}$`) }).click();
  await until(`${action} is told`, async () => (await text(page, "#toast")).startsWith(`${action} ${name}: `));
}

export default {
  async "the strip shows each provider, and its actions do what the commands do"() {
    const page = await openPage();
    await says(page, "first", /^▸ first ready closed$/);
    await says(page, "second", /^second ready closed$/);
    await says(page, "nokey", /^nokey no key closed$/);

    for (let n = 0; n < 5; n++) {
      try {
        tundra.run("ask", "--profile", "first", "hello");
      } catch {
        // Nobody answers there.
      }
    }
    same(facts("first").breaker.state, "open", "breaker");
    await says(page, "first", /^first open \d+s$/);
    const left = async () => Number((await chip(page, "first").textContent()).match(/open (\d+)s/)[1]);
    const before = await left();
    await until("it counts down", async () => (await left()) < before);

    await chip(page, "first").click();
    await until("the reason", async () => (await text(page, "#provider dl")).includes("HTTP error"));
    // The panel follows what happens while it is open, and keeps the focus.
    const button = page.locator("#provider .actions button").nth(2);
    await button.focus();
    await until("it counts down in the panel", async () => (await text(page, "#provider dl")).includes(`open ${await left()}s`) && (await left()) < before - 1);
    same(await button.evaluate((element) => element === document.activeElement), true, "focus");
    await page.keyboard.press("Escape");
    await until("closed", async () => !(await page.locator("#provider").isVisible()));
    same(await chip(page, "first").evaluate((element) => element === document.activeElement), true, "focus");

    await act(page, "first", "reset");
    same(facts("first").breaker.state, "closed", "breaker");
    await says(page, "first", /^▸ first ready closed$/);

    await act(page, "first", "failover");
    same(facts("second").active, true, "active");
    await says(page, "first", /^first held \d+s closed$/);
    await says(page, "second", /^▸ second/);
    await act(page, "first", "restart");
    await says(page, "first", /^▸ first ready/);

    await act(page, "second", "pin");
    same(facts("second").pinned, true, "pinned");
    await says(page, "second", /^▸ second \(pinned\)/);
    await act(page, "second", "unpin");
    await says(page, "first", /^▸ first/);

    await act(page, "first", "disable");
    same(facts("first").enabled, false, "enabled");
    await says(page, "first", /^first disabled/);
    await act(page, "second", "failover");
    same(await text(page, "#toast"), "failover second: no other profile can take over", "told");
    await act(page, "first", "enable");
    await says(page, "first", /^▸ first ready/);
  },
};
