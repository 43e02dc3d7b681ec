// Usage and history, as the journal has them.

import { openPage, same, text, tundra, until } from "../harness.mjs";

const contents = (page) => text(page, "#journal .contents");

export default {
  async "usage is shown with a bar for each hour, and history with what happens"() {
    const page = await openPage();
    const usage = () => JSON.parse(tundra.run("usage", "--json"));
    const before = usage().total.requests;
    try {
      tundra.run("ask", "--profile", "first", "hello");
    } catch {
      // Nobody answers there; that it was tried is what counts.
    }
    await until("it is in the journal", () => usage().total.requests > before);
    const { rows, total } = usage();

    await page.locator("#show-usage").click();
    await until("the profile's row", async () => (await contents(page)).includes("first"));
    same(await page.locator("#journal thead th").allTextContents(), ["profile", "requests", "errors", "429", "input", "output", "cached", "cost"], "heads");
    same(await page.locator("#journal tbody tr").count(), rows.length, "rows");
    same((await page.locator("#journal tfoot td").allTextContents()).slice(0, 2), ["requests", "errors"].map((name) => `${total[name]}`), "total");
    const bars = await page.locator("#journal .bars i").count();
    same(bars === 25 || bars === 24, true, `a bar for each hour: ${bars}`);
    await page.locator("#journal [name=by]").selectOption("day");
    const today = new Date().toISOString().slice(0, 10);
    await until("by day", async () => (await contents(page)).includes(today));
    await page.locator("#journal .close").click();
    await until("closed", async () => !(await page.locator("#journal").isVisible()));

    await page.locator("#show-history").click();
    await until("what failed", async () => (await contents(page)).includes("provider.failed"));
    same((await contents(page)).includes("instance.started"), true, "all kinds");
    await page.locator("#journal [name=kind]").selectOption("terminal");
    await until("terminals alone", async () => !(await contents(page)).includes("provider.failed"));
    tundra.run("new", "--name", "later", "--", "sh", "-c", "exit 3");
    await until("what happens meanwhile", async () => (await contents(page)).includes("later: ended with exit code 3"));
    await page.keyboard.press("Escape");
    await until("closed", async () => !(await page.locator("#journal").isVisible()));
  },
};
