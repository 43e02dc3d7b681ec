// What the page tells of agents: which of them need their user, in its first screen and its title, and while it is closed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { browser, connected, faults, openPage, openTab, same, tundra, until } from "../harness.mjs";

/** An agent that asks its user something. */
async function asking(name) {
  const script = "printf '\\033]9;may I?\\007'; exec cat";
  const id = tundra.run("new", "--name", name, "--agent", "shell", "--", "sh", "-c", script);
  await until(`${name} waits`, () => tundra.facts(id).agent.state === "waiting");
  return id;
}

/** The worker of a page's context. */
const worker = (context) => until("the worker", () => context.serviceWorkers()[0]);

export default {
  async "the first screen and the title tell who needs you, and the one that waits stands first"() {
    tundra.sh("exec cat", "--name", "plain");
    const calm = tundra.run("new", "--name", "calm", "--agent", "shell", "--", "cat");
    const id = await asking("reviewer");
    const page = await openPage();
    const cards = page.locator("#agents li");
    await until("both are shown", async () => (await cards.count()) === 2);
    same(await cards.locator("b").allTextContents(), ["reviewer", "calm"], "cards");
    same(await cards.first().locator(".agent").textContent(), "▲ shell: waiting – may I?", "its state");
    if (!tundra.facts(calm).agent) throw new Error("calm is no agent");
    same(await page.locator("#note .actions button").allTextContents(), ["New terminal", "plain"], "choices");
    await until("the title counts it", async () => (await page.title()).startsWith("(1) "));
    // Who looks at it needs no word of it, and who answers is worked for.
    await cards.first().getByRole("link").click();
    await connected(page);
    await until("the title is still", async () => !(await page.title()).startsWith("("));
    await until("the list tells it", async () => (await page.locator("#list a[aria-current]").textContent()).includes("▲"));
    await page.keyboard.type("yes\r");
    await until("it goes on", () => tundra.facts(id).agent.state !== "waiting");
    await until("the list tells that", async () => !(await page.locator("#list a[aria-current]").textContent()).includes("▲"));
  },

  async "the first screen shows what an agent asks and where it is, and a line is answered from there"() {
    const folder = join(tundra.home, "repository");
    mkdirSync(join(folder, ".git"), { recursive: true });
    writeFileSync(join(folder, ".git", "HEAD"), "ref: refs/heads/topic\n");
    const script = "echo; echo 'Delete it all?'; printf '\\033]9;may I?\\007'; read answer; echo \"so $answer\"; exec cat";
    const id = tundra.run("new", "--name", "asker", "--agent", "shell", "--cwd", folder, "--", "sh", "-c", script);
    tundra.run("new", "--name", "calm", "--agent", "shell", "--", "cat");
    await until("it asks", () => tundra.facts(id).agent.state === "waiting");
    const page = await openPage();
    const card = page.locator("#agents li", { hasText: "asker" });
    await until("what it asks is shown", async () => (await card.locator("pre").textContent()).includes("Delete it all?"));
    await until("its branch is shown", async () => (await card.locator("a").textContent()).includes("topic"));
    const line = card.getByRole("textbox", { name: "Answer asker" });
    await line.click();
    await page.keyboard.type("no, thanks");
    // It is asked for the list meanwhile, which takes nothing away.
    await until("the list was asked for", async () => {
      await page.waitForResponse((response) => response.url().endsWith("/api/terminals"));
      return true;
    });
    same(await line.inputValue(), "no, thanks", "what is typed stays");
    await page.keyboard.press("Enter");
    await until("it was typed", () => tundra.run("capture", id).includes("so no, thanks"));
    await until("the line is empty", async () => (await line.inputValue()) === "");
    await until("that is shown", async () => (await card.locator("pre").textContent()).includes("so no, thanks"));
    // A terminal that is looked at can be left for all of them.
    await card.getByRole("link").click();
    await connected(page);
    await until("the overview is gone", async () => !(await page.locator("#agents").isVisible()));
    await page.getByRole("link", { name: "All agents" }).click();
    await until("it is there again", async () => page.locator("#agents").isVisible());
  },

  async "a page that is out of sight tells once of an agent that comes to wait, and a click on that leads there"() {
    const id = tundra.run("new", "--name", "reviewer", "--agent", "shell", "--", "sh", "-c", "read x; printf '\\033]9;may I?\\007'; exec cat");
    const other = tundra.sh("exec cat", "--name", "plain");
    const context = await browser.newContext();
    await context.grantPermissions(["notifications"], { origin: tundra.origin });
    await context.addInitScript(() => {
      // Out of sight, and what is shown can be clicked on.
      Object.defineProperty(Document.prototype, "hidden", { get: () => true });
      globalThis.shown = [];
      globalThis.Notification = class extends Notification {
        constructor(...what) {
          super(...what);
          globalThis.shown.push(this);
        }
      };
    });
    const page = await openTab(context, tundra.run("url", other));
    await connected(page);
    await until("it is listed", async () => (await page.locator("#list").textContent()).includes("reviewer"));
    const shown = () => page.evaluate(() => globalThis.shown.map(({ title, body, tag }) => ({ title, body, tag })));
    same(await shown(), [], "before it waits");
    tundra.run("send", id, "--key", "enter");
    await until("it is told", async () => (await shown()).length > 0);
    same(await shown(), [{ title: "tundra", body: "reviewer waits for you", tag: id }], "shown");
    await page.evaluate(() => globalThis.shown[0].dispatchEvent(new Event("click")));
    await until("it is shown", async () => (await page.evaluate(() => location.hash)).includes(id));
    await until("the list marks it", async () => (await page.locator("#list a[aria-current]").textContent()).includes("reviewer"));
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("Push API")));
  },

  async "a browser without a page shows what is pushed, and a click leads there"() {
    const id = await asking("reviewer");
    tundra.sh("exec cat");
    const context = await browser.newContext();
    await context.grantPermissions(["notifications"], { origin: tundra.origin });
    const page = await openTab(context, tundra.run("url"));
    // No push service is to be had here, so that only this part of it fails, and says so.
    const running = await worker(context);
    const told = "You are told while the page is open, and not when it is closed";
    await until("that is told", async () => (await page.locator("#toast").textContent()).startsWith(told));

    const other = await context.newPage();
    const devtools = await context.newCDPSession(other);
    const registered = new Promise((done) => {
      devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        const ours = registrations.find(({ scopeURL }) => scopeURL === `${tundra.origin}/`);
        if (ours) done(ours.registrationId);
      });
    });
    await devtools.send("ServiceWorker.enable");
    const registrationId = await registered;
    const push = (text) => devtools.send("ServiceWorker.deliverPushMessage", {
      origin: tundra.origin, registrationId, data: JSON.stringify({ id, text }),
    });
    const shown = () => running.evaluate(async () => {
      const notices = await self.registration.getNotifications();
      return notices.map(({ body, tag, data }) => ({ body, tag, id: data.id }));
    });
    await page.close();
    // The worker may know of it a moment longer, and whoever looks is not told.
    const pages = () => running.evaluate(async () => (await self.clients.matchAll({ type: "window", includeUncontrolled: true })).length);
    await until("nobody looks", async () => (await pages()) === 0);
    // A push service delivers again what did not arrive; the inspector, which stands for it, loses one now and then.
    await until("it is shown", async () => {
      await push("reviewer waits for you");
      return (await shown()).length === 1;
    });
    same(await shown(), [{ body: "reviewer waits for you", tag: id, id }], "shown");
    // A later one about the same agent takes its place.
    await until("it is replaced", async () => {
      await push("reviewer is done");
      const notices = await shown();
      return notices.length === 1 && notices[0].body === "reviewer is done";
    });
    // Chromium explains so why a context of the test's has no push service.
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes("Push API")));
  },
};
