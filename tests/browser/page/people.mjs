// Who comes in, who writes, and the ways through the page without a mouse.

import { Instance, belowPath, browser, connected, openPage, openTab, phone, same, shown, shows, text, tundra, until, writing } from "../harness.mjs";

const role = (page, wanted) => until(wanted, async () => (await text(page, "#role")) === wanted);
const focused = (page) => page.evaluate(() => {
  const { activeElement: at } = document;
  return at?.id || at?.getAttribute("aria-label") || (at?.textContent || at?.tagName)?.slice(0, 80);
});

export default {
  async "two viewers see the same, one writes, and taking over works"() {
    const id = tundra.sh("echo ready; exec cat");
    const first = await writing(id);
    await role(first, "you write");
    const { cols } = tundra.facts(id);
    const second = await openPage({ id, ...phone });
    await connected(second);
    await shows(second, "ready");
    same(tundra.facts(id).cols, cols, "columns");
    await first.keyboard.type("from the first");
    await shows(second, "from the first");
    await second.locator("#touchbar textarea").fill("not yet");
    await second.locator("#touchbar textarea").press("Enter");
    await until("told", async () => (await text(second, "#toast")).includes("Take over to type"));
    await second.locator("#take").click();
    await role(first, "another viewer writes");
    await until("told", async () => (await text(first, "#toast")).includes("took the keyboard"));
    same(tundra.facts(id).cols, cols, "columns after a phone took over");
    await second.locator("#touchbar textarea").fill("from the phone");
    await second.locator("#touchbar textarea").press("Enter");
    await shows(first, "from the phone");
    if ((await shown(first)).includes("not yet")) throw new Error("a viewer typed");
    await second.getByText("^C").click();
    await until("the program ended", () => tundra.facts(id).status === "dead");
  },

  async "a viewer that may only look types nothing"() {
    const id = tundra.sh("echo ready; exec cat");
    const page = await writing(id);
    await page.locator("#more").click();
    await page.locator("#read-only").check();
    await page.keyboard.press("Escape");
    await role(page, "read only");
    await connected(page);
    await page.locator("#screen").click();
    await page.keyboard.type("never");
    same(await page.locator("#take").isVisible(), false, "take over");
    tundra.run("send", id, "--enter", "from outside");
    await shows(page, "from outside");
    if ((await shown(page)).includes("never")) throw new Error("it typed");
  },

  async "a bad token is told and a good one lets in"() {
    const page = await openPage({ url: `${tundra.origin}/#token=wrong` });
    await until("the form", () => page.locator("#login").isVisible());
    await until("told", async () => (await text(page, "#login-error")).includes("wrong"));
    await page.locator("#token").fill("wrong again");
    await page.locator("#token").press("Enter");
    await until("told", async () => (await text(page, "#login-error")).includes("wrong"));
    await page.locator("#token").fill(tundra.token);
    await page.locator("#token").press("Enter");
    await until("in", async () => !(await page.locator("#login").isVisible()));
    await page.locator("#more").click();
    await page.locator("#logout").click();
    await until("out", () => page.locator("#login").isVisible());
    await page.reload();
    await until("still out", () => page.locator("#login").isVisible());
  },

  async "the page works below a path of a reverse proxy"() {
    let instance = null;
    const proxy = await belowPath("/box/tundra", () => Number(new URL(instance.origin).port));
    instance = await new Instance({ remote: `allowed_origins = ["${proxy.origin}"]` }).start();
    try {
      const id = instance.sh("stty -echo; echo ready; exec cat");
      const url = instance.run("url", id).replace(`${instance.origin}/`, `${proxy.origin}/box/tundra/`);
      const page = await openPage({ url, at: proxy });
      await connected(page);
      await shows(page, "ready");
      await page.keyboard.type("through the proxy\n");
      await shows(page, "through the proxy");
      await page.reload();
      await connected(page);
      await page.locator("#new-command").fill("cat");
      await page.locator("#new-command").press("Enter");
      await until("another one", async () => (await page.locator("#list li").count()) === 2);
      await page.context().close();
    } finally {
      proxy.stop();
      await instance.remove();
    }
  },

  async "under a host that is not known the page says what to do"() {
    const page = await browser.newPage();
    await page.goto(tundra.origin.replace("127.0.0.1", "[::1]").replace("http://[::1]", "http://box.localhost")).catch(() => {});
    const told = await page.locator("body").innerText();
    if (!told.includes("remote.allowed_origins") || !told.includes(tundra.origin)) throw new Error(told);
    await page.context().close();
  },

  async "whoever gets the cookie by another port of this host gets nothing by it"() {
    const id = tundra.sh("echo ready; exec cat");
    const page = await openPage({ id });
    await connected(page);
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    if (!cookie.includes("tundra_")) throw new Error(cookie);
    const answer = await fetch(`${tundra.origin}/api/terminals`, { headers: { cookie, origin: tundra.origin } });
    same(answer.status, 401, "status");
    // A cookie of the same name that another port set locks nobody out.
    const { name } = cookies.find((one) => one.name.startsWith("tundra_"));
    await page.context().addCookies([{ name, value: "planted", url: `${tundra.origin}/api/` }]);
    await page.reload();
    await connected(page);
    await shows(page, "ready");
  },

  async "a used token does no harm to whoever is in, in any tab"() {
    const id = tundra.sh("echo ready; exec cat");
    const url = tundra.run("url", id);
    const context = await browser.newContext();
    const first = await openTab(context, url);
    await connected(first);
    const second = await openTab(context, url);
    await connected(second);
    await shows(second, "ready");
    same(await second.locator("#login").isVisible(), false, "login");
    await role(first, "you write");
    await role(second, "another viewer writes");
    await first.close();
    await role(second, "nobody writes");
    await second.keyboard.type("typed");
    await role(second, "you write");
    await shows(second, "typed");
  },

  async "a session that ends while one types loses nothing"() {
    const id = tundra.sh("stty -echo; echo ready; exec cat");
    const page = await writing(id);
    await shows(page, "ready");
    await page.context().clearCookies();
    await until("the form", () => page.locator("#login").isVisible());
    await page.evaluate(() => globalThis.tundra.view.link.socket?.close());
    await page.evaluate(() => globalThis.tundra.view.typed("kept\r"));
    await page.locator("#token").fill(tundra.token);
    await page.locator("#token").press("Enter");
    await connected(page);
    await shows(page, "kept");
    same((await shown(page)).split("kept").length, 2, "typed");
  },

  async "a page of another origin gets nothing"() {
    const id = tundra.sh("exec cat");
    const context = await browser.newContext();
    const page = await openTab(context, tundra.run("url", id));
    await connected(page);
    const other = await context.newPage();
    await other.goto("data:text/html,<title>other</title>");
    const outcome = await other.evaluate(([base, terminal]) => new Promise((done) => {
      const socket = new WebSocket(`${base.replace("http", "ws")}/ws/terminal/${terminal}`);
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    }), [tundra.origin, id]);
    same(outcome, "refused", "a foreign socket");
  },

  async "the list shows what agents do, and a full pool is told"() {
    const id = tundra.run("new", "--name", "reviewer", "--agent", "claude", "--", "cat");
    for (let n = 0; n < 5; n++) tundra.sh("exec cat");
    const page = await openPage({ id });
    await connected(page);
    const { agent } = tundra.facts(id);
    await until("the agent", async () => (await text(page, "#list a[aria-current] .agent")).includes(`claude: ${agent.state}`));
    same(await text(page, "#pool"), "6 of 6 terminals", "pool");
    await page.locator("#new button").click();
    await until("told", async () => (await text(page, "#toast")).startsWith("pty pool is at capacity (6)"));
  },

  async "everything can be reached and left without a mouse"() {
    const id = tundra.sh("stty raw -echo; echo ready; exec cat -vt", "--name", "one");
    const other = tundra.sh("echo the other one; exec cat", "--name", "two");
    const page = await writing(id);
    await shows(page, "ready");
    // In the terminal Tab and Esc are the program's.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    await shows(page, "^I^[");
    await page.keyboard.press("Control+Shift+L");
    same(await focused(page), await text(page, "#list a[aria-current]"), "focus");
    // The list is asked for again and again; that must not take the focus away.
    for (let n = 0; n < 2; n++) await page.waitForResponse((answer) => answer.url().endsWith("/api/terminals"));
    same(await focused(page), await text(page, "#list a[aria-current]"), "focus after the list was renewed");
    await page.keyboard.press("Escape");
    same(await focused(page), await page.locator(".xterm-helper-textarea").getAttribute("aria-label"), "focus");
    await page.keyboard.press("Control+Shift+L");
    await page.keyboard.press("Tab");
    same(await focused(page), "End one", "focus");
    await page.keyboard.press("Enter");
    await until("asked", () => page.locator("#ask").isVisible());
    same(await focused(page), "Cancel", "focus");
    await page.keyboard.press("Enter");
    same(tundra.facts(id).status, "active", "status");
    same(await focused(page), "End one", "focus");
    const around = [];
    for (let n = 0; n < 200; n++) {
      await page.keyboard.press("Tab");
      around.push(await focused(page));
      const outlined = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return document.activeElement.matches(".xterm-helper-textarea, body") || (outlineStyle !== "none" && outlineWidth !== "0px");
      });
      if (!outlined) throw new Error(`no outline at ${around.at(-1)}`);
      if (around.at(-1).startsWith?.("Terminal.")) break;
    }
    for (const name of ["End two", "new-command", "New", "new-persistent"]) {
      if (!around.includes(name)) throw new Error(`${name} is not among ${around}`);
    }
    await page.keyboard.press("Control+Shift+L");
    await page.keyboard.press("Shift+Tab");
    const back = [];
    for (let n = 0; n < 14; n++) {
      back.push(await focused(page));
      await page.keyboard.press("Shift+Tab");
    }
    for (const name of ["more", "Larger text", "copy", "find", "skip"]) {
      if (!back.some((at) => at === name || at === { "Larger text": "larger" }[name])) throw new Error(`${name} is not among ${back}`);
    }
    await page.locator("#more").focus();
    await page.keyboard.press("Enter");
    await until("the menu", () => page.locator("#settings").isVisible());
    await page.keyboard.press("Escape");
    await until("no menu", async () => !(await page.locator("#settings").isVisible()));
    same(await focused(page), "more", "focus");
    await page.keyboard.press("Control+Shift+L");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows(page, "the other one");
    await connected(page);
    if (!page.url().includes(other)) throw new Error(page.url());
    await page.keyboard.type("typed");
    await shows(page, "typed");
  },
};
