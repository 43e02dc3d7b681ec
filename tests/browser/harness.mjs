// What the tests of the page share: instances of tundra, pages that report what no page may do, and waiting for
// conditions.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const bin = process.env.TUNDRA_BIN ?? new URL("../../target/debug/tundra", import.meta.url).pathname;
const PATIENCE = 30000;

/** What no page may do: script errors, violations of the policy, requests to anywhere else. */
export const faults = [];

export const browser = await chromium.launch({
  executablePath: process.env.TUNDRA_TEST_CHROMIUM ?? "/usr/bin/chromium",
  // Everything is tried without WebGL.
  args: ["--no-sandbox", "--disable-3d-apis"],
});

export async function until(name, holds) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const held = await holds();
    if (held) return held;
    if (Date.now() > end) throw new Error(`never: ${name}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

export function same(got, wanted, name = "got") {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${name} ${left}, not ${right}`);
}

const running = new Set();

/** One instance with a home of its own. `remote` are lines of its `[remote]`, `more` whole tables. */
export class Instance {
  constructor({ remote = "", more = "", env = {} } = {}) {
    this.home = mkdtempSync(join(tmpdir(), "tundra-page-"));
    this.env = { ...process.env, ...env };
    this.remote = remote;
    this.more = more;
    this.bind = "127.0.0.1:0";
    running.add(this);
  }

  async start() {
    mkdirSync(join(this.home, "config"), { recursive: true });
    writeFileSync(
      join(this.home, "config", "config.toml"),
      `[pty]\nmax_ptys = 6\n[gateway]\nbind = "127.0.0.1:0"\n[remote]\nbind = "${this.bind}"\n${this.remote}\n${this.more}`,
    );
    this.child = spawn(bin, ["--home", this.home, "serve", "--print-ready"], {
      env: this.env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.ended = new Promise((done) => this.child.on("exit", done));
    const line = await new Promise((done, failed) => {
      createInterface({ input: this.child.stdout }).once("line", done);
      this.ended.then((code) => failed(new Error(`tundra serve ended with ${code}`)));
    });
    this.origin = JSON.parse(line).remote_url;
    this.token = readFileSync(join(this.home, "state", "remote.token"), "utf8").trim();
    return this;
  }

  /** Ends the process, and starts another one at the same address. */
  async restart() {
    await this.stop();
    this.bind = new URL(this.origin).host;
    await this.start();
  }

  async stop() {
    this.child?.kill();
    await this.ended;
    this.child = null;
  }

  async remove() {
    running.delete(this);
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  run(...args) {
    return execFileSync(bin, ["--home", this.home, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  facts(id) {
    return JSON.parse(this.run("ls", "--json")).find((terminal) => terminal.id === id);
  }

  /** A terminal in which a shell script runs. */
  sh(script, ...options) {
    return this.run("new", ...options, "--", "sh", "-c", script);
  }

  endAll() {
    for (const terminal of JSON.parse(this.run("ls", "--json"))) {
      if (terminal.status !== "dead") this.run("kill", terminal.id);
    }
  }
}

process.on("exit", () => {
  for (const instance of running) {
    instance.child?.kill("SIGKILL");
    rmSync(instance.home, { recursive: true, force: true });
  }
});

/** The instance that most tests share. Nobody answers its first provider; `nokey` has none. */
export const tundra = await new Instance({
  remote: 'reconnect_grace = "1s"',
  more: `
[circuit_breaker]
open_for = "60s"
[[profile]]
name = "first"
provider = "anthropic"
base_url = "http://127.0.0.1:1"
api_key_env = "FIRST_KEY"
priority = 1
rate_limit_rpm = 100
[[profile]]
name = "second"
provider = "anthropic"
base_url = "http://127.0.0.1:1"
api_key_env = "SECOND_KEY"
priority = 2
[[profile]]
name = "nokey"
provider = "openai"
api_key_env = "NO_SUCH_KEY"
priority = 3
`,
  env: { FIRST_KEY: "1", SECOND_KEY: "2" },
}).start();

/** A way to an instance that can be cut: at once, or without a word, as a network is that is left. */
export class Network {
  constructor(instance) {
    this.instance = instance;
    this.pairs = new Set();
    this.server = createServer((near) => {
      near.on("error", () => {});
      const far = createConnection(Number(new URL(this.instance.origin).port), "127.0.0.1");
      far.on("error", () => near.destroy());
      const pair = { near, far };
      this.pairs.add(pair);
      near.pipe(far).pipe(near);
      near.on("close", () => {
        far.destroy();
        this.pairs.delete(pair);
      });
    });
  }

  async start(port = 0) {
    await new Promise((done) => this.server.listen(port, "127.0.0.1", done));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  /** Connections stay open and nothing passes any more; new ones work. */
  swallow() {
    for (const { near, far } of this.pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.resume();
      far.resume();
    }
  }

  /** Connections are reset. */
  cut() {
    for (const { near } of this.pairs) near.destroy();
  }

  async stop() {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }
}

/** A reverse proxy with the instance below a path, which it takes away; everything else there is somebody else's. */
export async function belowPath(path, port) {
  const inside = (url) => (url.startsWith(`${path}/`) ? url.slice(path.length) : null);
  const server = createHttpServer((asked, answer) => {
    const url = inside(asked.url);
    if (url === null) {
      answer.writeHead(404).end("somebody else's");
      return;
    }
    const passed = request({ port: port(), method: asked.method, path: url, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    asked.pipe(passed);
  });
  server.on("upgrade", (asked, near) => {
    const url = inside(asked.url);
    if (url === null) return near.destroy();
    const far = createConnection(port(), "127.0.0.1");
    for (const socket of [near, far]) socket.on("error", () => {});
    const headers = asked.rawHeaders.reduce((text, part, at) => text + part + (at % 2 === 0 ? ": " : "\r\n"), "");
    far.write(`GET ${url} HTTP/1.1\r\n${headers}\r\n`);
    near.pipe(far).pipe(near);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.closeAllConnections() ?? server.close() };
}

export async function openPage({ id, url, at = tundra, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });
  return openTab(context, url ?? at.run("url", ...(id ? [id] : [])), at.origin);
}

export async function openTab(context, url, origin = tundra.origin) {
  const page = await context.newPage();
  watch(page, origin);
  await page.goto(url);
  return page;
}

function watch(page, origin) {
  const known = [origin, new URL(page.url() === "about:blank" ? origin : page.url()).origin];
  page.on("pageerror", (error) => faults.push(`script error: ${error.stack}`));
  page.on("console", (message) => {
    const text = message.text();
    // A refused request is an answer, not a fault of the page's.
    const refused = /^Failed to load resource|^WebSocket connection to/.test(text);
    if (/Content Security Policy|Refused to/.test(text)) faults.push(`policy: ${text}`);
    else if (message.type() === "error" && !refused) faults.push(`error: ${text}`);
  });
  page.on("request", (request) => {
    const { host } = new URL(request.url());
    if (!known.some((one) => new URL(one).host === host)) faults.push(`request to ${request.url()}`);
  });
}

export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

export const connected = (page) => until("connected", () => page.locator("#link.connected").count());

/** All lines of the page's terminal, history included. */
export const shown = (page) => page.evaluate(() => {
  const { active } = globalThis.tundra.view.term.buffer;
  const lines = [];
  for (let row = 0; row < active.length; row++) lines.push(active.getLine(row).translateToString(true));
  return lines.join("\n");
});

export const shows = (page, text) => until(`the page shows ${text}`, async () => (await shown(page)).includes(text));

/** Waits until page and pane have agreed on a size, so that no snapshot is on its way. */
export const settled = (page, id, at = tundra) => until("page and pane agree on a size", async () => {
  const { cols, rows } = at.facts(id);
  return page.evaluate(([c, r]) => {
    const { term, held, fit, writer } = globalThis.tundra.view;
    const wanted = fit.proposeDimensions();
    return writer && !held && term.cols === c && term.rows === r && wanted.cols === c && wanted.rows === r;
  }, [cols, rows]);
});

/** Opens a page at a terminal and waits until it types into it with a size of its own. */
export async function writing(id, options = {}) {
  const page = await openPage({ id, ...options });
  await connected(page);
  await settled(page, id, options.at);
  return page;
}

export const text = (page, selector) => page.locator(selector).textContent();
