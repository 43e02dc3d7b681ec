// The page in Chromium, against the instance that the environment names: TUNDRA_BIN, TUNDRA_HOME, TUNDRA_URL,
// TUNDRA_TOKEN. Prints one line for each thing tried; exit 1 where one fails.

import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const { TUNDRA_BIN: bin, TUNDRA_HOME: home, TUNDRA_URL: origin, TUNDRA_TOKEN: token } = process.env;
const PATIENCE = 15000;

const tundra = (...args) => execFileSync(bin, ["--home", home, ...args], { encoding: "utf8" }).trim();
const facts = (id) => JSON.parse(tundra("ls", "--json")).find((terminal) => terminal.id === id);
const sh = (script) => tundra("new", "--", "sh", "-c", script);

async function until(name, holds) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`never: ${name}`);
    await new Promise((done) => setTimeout(done, 30));
  }
}

const browser = await chromium.launch({
  executablePath: process.env.TUNDRA_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

/** What no page may do: script errors, violations of the policy, requests to anywhere else. */
let faults = [];

async function openPage(options = {}, url = tundra("url", ...(options.id ? [options.id] : []))) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`script error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|Refused to/.test(text)) faults.push(`policy: ${text}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith(origin.replace("http", "ws"))) {
      faults.push(`request to ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}

const connected = (page) => until("connected", () => page.locator("#link.connected").count());
const shown = (page) => page.evaluate(() => {
  const { active } = globalThis.tundra.view.term.buffer;
  const lines = [];
  for (let row = 0; row < active.length; row++) lines.push(active.getLine(row).translateToString(true));
  return lines.join("\n");
});
const shows = (page, text) => until(`the page shows ${text}`, async () => (await shown(page)).includes(text));

const tests = {
  async "typing reaches the program and its answer the page"() {
    const id = sh("echo ready; exec cat");
    const page = await openPage({ id });
    await connected(page);
    await shows(page, "ready");
    if (/token/.test(page.url())) throw new Error(`the token stays in ${page.url()}`);
    await page.keyboard.type("héllo 漢字");
    await page.keyboard.press("Enter");
    await until("typed twice", async () => (await shown(page)).split("héllo 漢字").length === 3);
    await page.context().close();
  },

  async "the pane takes the page's size and follows it"() {
    const id = sh("exec cat");
    const page = await openPage({ id });
    await connected(page);
    await until("another size", () => facts(id).cols !== 80);
    const before = facts(id).cols;
    await page.setViewportSize({ width: 700, height: 500 });
    await until("smaller", () => facts(id).cols < before);
    await until("the page agrees", async () => {
      const { cols, rows } = facts(id);
      return page.evaluate(([c, r]) => {
        const { term } = globalThis.tundra.view;
        return term.cols === c && term.rows === r;
      }, [cols, rows]);
    });
    await page.context().close();
  },

  async "a full-screen program looks as in the pane"() {
    const lines = Array.from({ length: 40 }, (_, n) => `printf '\\033[${n % 20 + 1};${n + 1}H\\033[3${n % 8}mx${n}'`);
    const id = sh(`sleep 1; printf '\\033[?1049h\\033[2J'; ${lines.join("; ")}; printf '\\033[5;10r\\033[?25l'; exec cat`);
    const page = await openPage({ id });
    await connected(page);
    await shows(page, "x39");
    const compare = async () => {
      const pane = JSON.parse(tundra("capture", id, "--json"));
      const page_ = (await shown(page)).split("\n").map((line) => line.trimEnd());
      return pane.alternate_screen && JSON.stringify(pane.lines) === JSON.stringify(page_);
    };
    await until("the same screen", compare);
    await page.reload();
    await connected(page);
    await until("the same screen after a reload", compare);
    await page.context().close();
  },

  async "a cut in mid-output loses and doubles nothing"() {
    const id = sh("read go; i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; [ $((i % 50)) = 0 ] && sleep 0.02; done; exec cat");
    const page = await openPage({ id });
    await connected(page);
    await until("its size", () => facts(id).cols !== 80);
    await page.keyboard.press("Enter");
    for (let cut = 0; cut < 5; cut++) {
      await shows(page, `line ${cut * 500 + 100}\n`);
      await page.evaluate(() => globalThis.tundra.view.link.socket?.close());
    }
    await shows(page, "line 3000");
    const numbers = (await shown(page)).match(/^line \d+$/gm).map((line) => Number(line.slice(5)));
    for (let n = 1; n < numbers.length; n++) {
      if (numbers[n] !== numbers[n - 1] + 1) throw new Error(`${numbers[n - 1]}, then ${numbers[n]}`);
    }
    if (numbers.at(-1) !== 3000) throw new Error(`ends at ${numbers.at(-1)}`);
    await page.context().close();
  },

  async "keys typed offline are typed once when the network is back"() {
    const id = sh("stty -echo; echo ready; exec cat");
    const page = await openPage({ id });
    await connected(page);
    await shows(page, "ready");
    await page.evaluate(() => {
      const { link } = globalThis.tundra.view;
      link.why = async () => "retry";
      link.url = link.url.replace("/ws/", "/nowhere/");
      link.socket.close();
    });
    await until("offline", () => page.locator("#link.waiting, #link.connecting").count());
    await page.keyboard.type("offline");
    await page.keyboard.press("Enter");
    await page.evaluate(() => {
      const { link } = globalThis.tundra.view;
      link.url = link.url.replace("/nowhere/", "/ws/");
    });
    await connected(page);
    await shows(page, "offline");
    await new Promise((done) => setTimeout(done, 300));
    if ((await shown(page)).split("offline").length !== 2) throw new Error("typed more than once");
    await page.context().close();
  },

  async "two viewers see the same, one writes, and taking over works"() {
    const id = sh("echo ready; exec cat");
    const first = await openPage({ id });
    await connected(first);
    await until("the first writes", async () => (await first.locator("#role").textContent()) === "you write");
    await until("its size", () => facts(id).cols !== 80);
    const { cols } = facts(id);
    const second = await openPage({ id, viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true });
    await connected(second);
    await shows(second, "ready");
    if (facts(id).cols !== cols) throw new Error("a passive viewer changed the size");
    if (!(await second.locator("#touchbar").isVisible())) throw new Error("no key bar on a phone");
    await first.keyboard.type("from the first");
    await shows(second, "from the first");
    await second.locator("#take").click();
    await until("the first looks", async () => (await first.locator("#role").textContent()) === "another viewer writes");
    if (facts(id).cols !== cols) throw new Error("a phone changed the size by taking over");
    await second.locator("#touchbar textarea").fill("from the phone");
    await second.locator("#touchbar textarea").press("Enter");
    await shows(first, "from the phone");
    await second.getByText("^C").click();
    await until("the program ended", () => facts(id).status === "dead");
    await first.context().close();
    await second.context().close();
  },

  async "a viewer that may only look types nothing"() {
    const id = sh("echo ready; exec cat");
    const page = await openPage({ id });
    await connected(page);
    await page.locator("#more").click();
    await page.locator("#read-only").check();
    await connected(page);
    await until("read only", async () => (await page.locator("#role").textContent()) === "read only");
    await page.locator("#screen").click();
    await page.keyboard.type("never");
    await new Promise((done) => setTimeout(done, 300));
    if (tundra("capture", id).includes("never")) throw new Error("it typed");
    await page.context().close();
  },

  async "only the server answers what a program asks"() {
    const id = sh("stty raw -echo; sleep 0.7; printf '\\033[c\\033[6n\\033[?2004$p\\033]11;?\\007\\033P$qm\\033\\\\'; exec cat -v");
    const page = await openPage({ id });
    await connected(page);
    await shows(page, "^[[?");
    await new Promise((done) => setTimeout(done, 500));
    const answers = (await shown(page)).match(/\^\[\[\?[\d;]*c/g) ?? [];
    if (answers.length !== 1) throw new Error(`${answers.length} answers: ${answers}`);
    await page.context().close();
  },

  async "a bad token is told and a good one lets in"() {
    const page = await openPage({}, `${origin}/#token=wrong`);
    await until("the form", () => page.locator("#login").isVisible());
    await page.locator("#token").fill("wrong again");
    await page.locator("#token").press("Enter");
    await until("told", async () => (await page.locator("#login-error").textContent()).includes("wrong"));
    await page.locator("#token").fill(token);
    await page.locator("#token").press("Enter");
    await until("in", async () => !(await page.locator("#login").isVisible()));
    await page.context().close();
  },

  async "a page of another origin gets nothing"() {
    const id = sh("exec cat");
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(tundra("url", id));
    await connected(page);
    const other = await context.newPage();
    await other.goto("data:text/html,<title>other</title>");
    const outcome = await other.evaluate(([base, terminal]) => new Promise((done) => {
      const socket = new WebSocket(`${base.replace("http", "ws")}/ws/terminal/${terminal}`);
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    }), [origin, id]);
    if (outcome !== "refused") throw new Error(outcome);
    await context.close();
  },

  async "a terminal that is gone is told"() {
    const page = await openPage();
    await until("in", () => page.locator("#list li").count());
    await page.locator("#new-command").fill("sh");
    await page.locator("#new button").click();
    await connected(page);
    await page.keyboard.type("exit 3");
    await page.keyboard.press("Enter");
    await until("told", async () => (await page.locator("#note").textContent()).includes("exit code 3"));
    await page.reload();
    await until("ended", () => page.locator("#link.dead").count());
    await page.context().close();
  },

  async "search finds, copy copies and colours follow the system"() {
    const id = sh("seq 1 500; exec cat");
    const page = await openPage({ id, permissions: ["clipboard-read", "clipboard-write"], colorScheme: "light" });
    await connected(page);
    await shows(page, "500");
    await until("its size", () => facts(id).cols !== 80);
    if ((await page.locator("html").getAttribute("data-theme")) !== "light") throw new Error("not light");
    await page.emulateMedia({ colorScheme: "dark" });
    await until("dark", async () => (await page.locator("html").getAttribute("data-theme")) === "dark");
    await page.keyboard.press("Control+Shift+F");
    await page.locator("#needle").fill("499");
    await until("found", async () => (await page.locator("#hits").textContent()).startsWith("1 of 1"));
    await page.locator("#copy").click();
    await until("copied", () => page.evaluate(async () => (await navigator.clipboard.readText()) === "499"));
    await page.context().close();
  },
};

let passed = 0;
let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (process.argv[2] && !name.includes(process.argv[2])) continue;
  faults = [];
  try {
    await test();
    if (faults.length > 0) throw new Error(faults.join("; "));
    passed += 1;
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}: ${error.message}`);
    for (const context of browser.contexts()) await context.close();
  }
  for (const terminal of JSON.parse(tundra("ls", "--json"))) {
    if (terminal.status !== "dead") tundra("kill", terminal.id);
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
