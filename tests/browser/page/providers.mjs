// The strip of providers and its actions.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Instance, openPage, phone, same, text, tundra, until } from "../harness.mjs";

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
    await says(page, "first", /^first failing open \d+s HTTP error: /);
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
    await says(page, "first", /^▸ first ready closed HTTP error: /);

    await act(page, "first", "failover");
    same(facts("second").active, true, "active");
    await says(page, "first", /^first held \d+s closed/);
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

  async "the panel says why each of the last requests went where it went"() {
    const vendor = await fake((_, answer) => answer.writeHead(200, { "content-type": "application/json" }).end(ANSWER));
    const at = await new Instance({
      more: `
[[profile]]
name = "broken"
provider = "anthropic"
base_url = "http://127.0.0.1:1"
api_key_env = "SOME_KEY"
priority = 1
[[profile]]
name = "whole"
provider = "anthropic"
base_url = "${vendor.url}"
api_key_env = "SOME_KEY"
priority = 2
models = { "claude-opus-4-5" = "renamed-<b>" }
`,
      env: { SOME_KEY: "key" },
    }).start();
    try {
      const page = await openPage({ at });
      const requests = page.locator("#provider section li li");
      const lines = async () => (await requests.allTextContents()).join("\n");
      await chip(page, "whole").click();
      same(await page.locator("#provider section").isVisible(), false, "nothing was asked yet");
      same(await messages(at, ""), 200, "status");
      // What happens while it is open is shown, too.
      await until("its tries", async () => /^broken: first HTTP error: connect: .*\nwhole: failover as renamed-<b> \d+ ms 1\+1 \S+ ok$/.test(await lines()));
      same(/^\d\d:\d\d:\d\d outside claude-opus-4-5$/.test(await page.locator("#provider section b").textContent()), true, "whose");
      same(await requests.evaluateAll((items) => items.map(({ className }) => className)), ["failed", "ok"], "looks");
      at.run("disable", "broken");
      same(await messages(at, ""), 200, "status");
      await until("who was passed over", async () => (await lines()).startsWith("broken: skipped: disabled\nwhole: next "));
      await page.keyboard.press("Escape");
      // The other one's panel shows its own.
      await chip(page, "broken").click();
      await until("its own", async () => (await lines()).startsWith("broken: skipped: disabled\n"));
    } finally {
      await at.remove();
      vendor.server.close();
    }
  },

  async "a plan has windows, and where it is used up one button goes on with who costs money"() {
    const reset = Math.floor(Date.now() / 1000) + 3600;
    const vendor = await fake((asked, answer) => {
      const used = asked.headers.authorization === "Bearer used-up";
      answer.writeHead(used ? 429 : 200, {
        "content-type": "application/json",
        "anthropic-ratelimit-unified-5h-utilization": used ? "1" : "0.73",
        "anthropic-ratelimit-unified-5h-reset": String(reset),
        "anthropic-ratelimit-unified-7d-utilization": "0.12",
        "anthropic-ratelimit-unified-7d-reset": String(reset + 5 * 24 * 3600),
        ...(used ? { "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": String(reset) } : {}),
      });
      answer.end(used ? LIMIT : ANSWER);
    });
    const at = await new Instance({
      more: `
[[profile]]
name = "claude-login"
provider = "anthropic"
auth = "caller"
base_url = "${vendor.url}"
[[profile]]
name = "openrouter"
provider = "anthropic"
base_url = "${vendor.url}"
api_key_env = "ROUTER_KEY"
priority = 2
`,
      env: { ROUTER_KEY: "key" },
    }).start();
    try {
      const page = await openPage({ at });
      const time = (seconds) => page.evaluate((ms) => {
        const date = new Date(ms);
        return [date.getHours(), date.getMinutes()].map((number) => String(number).padStart(2, "0")).join(":");
      }, seconds * 1000);
      await says(page, "claude-login", /^claude-login no login closed$/);
      same(await page.locator("#alerts").isVisible(), false, "alerts");

      same(await claude(at, "fresh"), 200, "status");
      const until_ = await time(reset);
      await says(page, "claude-login", new RegExp(`^[▸←] claude-login ready closed 5h 73 % ${until_} · 7d 12 %$`));

      same(await claude(at, "used-up"), 429, "status");
      const notice = page.locator("#alerts p.used-up");
      const wanted = `claude-login is used up until ${until_}: f goes on with openrouter`;
      await until("the notice", async () => (await notice.textContent().catch(() => "")) === wanted);
      await says(page, "claude-login", /claude-login used up closed/);

      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press("f");
      await until("it goes on", async () => (await notice.textContent()) === `claude-login is used up until ${until_}: goes on with openrouter, which costs money`);
      await says(page, "claude-login", /claude-login spilling closed/);
      same(await claude(at, "used-up"), 200, "status");
      await says(page, "openrouter", /^[▸←] openrouter ready closed/);

      at.run("unpin");
      await until("it asks again", async () => (await notice.textContent()) === wanted);
      await notice.locator("button").click();
      await says(page, "claude-login", /claude-login spilling closed/);
    } finally {
      await at.remove();
      vendor.server.close();
    }
  },

  async "where nobody can take a request a banner says so, on a phone too"() {
    const at = await new Instance({
      more: `
[[profile]]
name = "only"
provider = "anthropic"
base_url = "http://127.0.0.1:1"
api_key_env = "ONLY_KEY"
`,
      env: { ONLY_KEY: "1" },
    }).start();
    try {
      const page = await openPage({ at, ...phone });
      await says(page, "only", /^▸ only ready closed$/);
      for (let n = 0; n < 5; n++) {
        try {
          at.run("ask", "--profile", "only", "hello");
        } catch {
          // Nobody answers there.
        }
      }
      await until("the banner", async () => (await text(page, "#alerts")).startsWith("No provider can take requests. only: HTTP error: "));
      const { width } = await page.locator("#alerts p.down").boundingBox();
      same(width <= phone.viewport.width, true, "fits");
      at.run("reset", "only");
      await until("it goes", async () => !(await page.locator("#alerts").isVisible()));
    } finally {
      await at.remove();
    }
  },
};

const ANSWER = JSON.stringify({
  id: "m", type: "message", role: "assistant", model: "claude-opus-4-5", content: [{ type: "text", text: "Hi" }],
  stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 },
});
const LIMIT = JSON.stringify({ type: "error", error: { type: "rate_limit_error", message: "This request would exceed your account's rate limit." } });

/** A provider that answers as it is told to, once a request is whole. */
async function fake(answers) {
  const server = createServer((asked, answer) => asked.resume().on("end", () => answers(asked, answer)));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

/** A request of Claude Code's with a login; answers with its status. */
const claude = (at, login) => messages(at, `/t/${keyOf(at)}`, login);

/** The key of programs outside. */
const keyOf = (at) => readFileSync(join(at.home, "state", "gateway.key"), "utf8").trim();

/** A request below `path`, with the key of programs outside unless another one is given; answers with its status. */
async function messages(at, path, key = keyOf(at)) {
  const { gateway } = JSON.parse(at.run("status", "--json"));
  const response = await fetch(`${gateway.url}${path}/v1/messages?beta=true`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "claude-opus-4-5", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }),
  });
  await response.text();
  return response.status;
}
