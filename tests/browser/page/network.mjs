// Connections that end, and what is lost by that: nothing.

import { Instance, Network, connected, openPage, same, shown, shows, text, tundra, until, writing } from "../harness.mjs";

/** Leads the page's sockets to where nobody answers, and back. */
const astray = (page) => page.evaluate(() => {
  const { link } = globalThis.tundra.view;
  link.url = link.url.replace("/ws/", "/nowhere/");
  link.socket?.close();
});
const back = (page) => page.evaluate(() => {
  const { link } = globalThis.tundra.view;
  link.url = link.url.replace("/nowhere/", "/ws/");
});
const offline = (page) => until("offline", () => page.locator("#link.waiting, #link.connecting").count());

function inOrder(screen, last) {
  const numbers = screen.match(/^line \d+$/gm).map((line) => Number(line.slice(5)));
  for (let n = 1; n < numbers.length; n++) {
    if (numbers[n] !== numbers[n - 1] + 1) throw new Error(`${numbers[n - 1]}, then ${numbers[n]}`);
  }
  same(numbers.at(-1), last, "ends at");
}

const COUNT = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; [ $((i % 50)) = 0 ] && sleep 0.02; done";

export default {
  async "a cut in mid-output loses and doubles nothing"() {
    const id = tundra.sh(`read go; ${COUNT}; exec cat`);
    const page = await writing(id);
    await page.keyboard.press("Enter");
    for (let cut = 0; cut < 5; cut++) {
      await shows(page, `line ${cut * 500 + 100}\n`);
      await page.evaluate(() => globalThis.tundra.view.link.socket?.close());
    }
    await shows(page, "line 3000");
    inOrder(await shown(page), 3000);
  },

  async "an upgrade in mid-output loses and doubles nothing, with the connection and without it"() {
    // What is encrypted cannot go over: such a page comes back by itself.
    for (const bind of ["127.0.0.1:0", "0.0.0.0:0"]) {
      const at = new Instance();
      at.bind = bind;
      await at.start();
      try {
        const id = at.sh(`read go; ${COUNT}; stty -echo; exec cat`);
        const page = await writing(id, { at, ignoreHTTPSErrors: true });
        await page.evaluate(() => { globalThis.socket = globalThis.tundra.view.link.socket; });
        await page.keyboard.press("Enter");
        for (let upgrade = 0; upgrade < 3; upgrade++) {
          await shows(page, `line ${upgrade * 500 + 100}\n`);
          at.run("upgrade");
        }
        await shows(page, "line 3000");
        inOrder(await shown(page), 3000);
        await connected(page);
        await page.keyboard.type("typed once");
        at.run("upgrade");
        await page.keyboard.press("Enter");
        await shows(page, "typed once");
        same((await shown(page)).split("typed once").length, 2, "typed");
        const stays = await page.evaluate(() => globalThis.tundra.view.link.socket === globalThis.socket);
        same(stays, bind === "127.0.0.1:0", `the socket stays at ${bind}`);
      } finally {
        await at.remove();
      }
    }
  },

  async "keys typed offline are typed once when the network is back"() {
    const id = tundra.sh("stty -echo; echo ready; exec cat");
    const page = await writing(id);
    await shows(page, "ready");
    await astray(page);
    await offline(page);
    await page.keyboard.type("offline");
    await page.keyboard.press("Enter");
    await back(page);
    await connected(page);
    await page.keyboard.type("and after");
    await page.keyboard.press("Enter");
    await shows(page, "and after");
    same((await shown(page)).split("\n").filter((line) => line !== ""), ["ready", "offline", "and after"], "screen");
  },

  async "a writer keeps its place over a cut, and says so where it is lost"() {
    const id = tundra.sh("stty -echo; echo ready; exec cat");
    const first = await writing(id);
    const second = await openPage({ id });
    await connected(second);
    await until("looks", async () => (await text(second, "#role")) === "another viewer writes");
    await first.evaluate(() => globalThis.tundra.view.link.drop(globalThis.tundra.view.link.socket));
    await first.keyboard.type("kept\n");
    await shows(first, "kept");
    await until("writes again", async () => (await text(first, "#role")) === "you write");
    same(await text(second, "#role"), "another viewer writes", "role");
    // Longer than the grace.
    await astray(first);
    await offline(first);
    await until("told that keys are kept", async () => (await text(first, "#role")) === "keys are kept");
    await until("nobody writes", async () => (await text(second, "#role")) === "nobody writes");
    await second.keyboard.type("the other\n");
    await shows(second, "the other");
    await first.keyboard.type("rm -r\n");
    await back(first);
    await until("told", async () => (await text(first, "#toast")).includes("what you typed meanwhile was not"));
    await until("looks", async () => (await text(first, "#role")) === "another viewer writes");
    await shows(first, "the other");
    if ((await shown(second)).includes("rm -r")) throw new Error("it was typed");
    await first.locator("#take").click();
    await until("writes", async () => (await text(first, "#role")) === "you write");
    await first.keyboard.type("mine again\n");
    await shows(second, "mine again");
  },

  async "what is typed offline is kept up to 64 KiB, and what is not is told"() {
    const id = tundra.sh("stty raw -echo; printf 'ready\\r\\n'; head -c 65536 | wc -c; exec cat");
    const page = await writing(id);
    await shows(page, "ready");
    await astray(page);
    await offline(page);
    await page.evaluate(() => {
      const { view } = globalThis.tundra;
      for (let n = 0; n < 64; n++) view.typed("x".repeat(1024));
      view.typed("too much");
    });
    await until("told", async () => (await text(page, "#toast")).includes("No room"));
    await back(page);
    await connected(page);
    await shows(page, "65536");
    await page.keyboard.type("end");
    await shows(page, "end");
    if ((await shown(page)).includes("too much")) throw new Error("more was kept");
  },

  async "the connection comes back at once when the tab does"() {
    const id = tundra.sh("exec cat");
    const page = await writing(id);
    for (const event of ["visibilitychange", "pageshow", "online", "focus"]) {
      await page.evaluate(() => {
        const { link } = globalThis.tundra.view;
        // A wait that no test outlasts.
        Math.random = () => 1;
        link.backoff = 1e9;
        link.socket.close();
      });
      await until("waiting", () => page.evaluate(() => document.getElementById("link").className === "waiting"));
      await page.evaluate((name) => (name === "visibilitychange" ? document : globalThis).dispatchEvent(new Event(name)), event);
      await connected(page);
    }
  },

  async "waits grow from a quarter of a second to ten seconds"() {
    const id = tundra.sh("exec cat");
    const page = await writing(id);
    const waits = await page.evaluate(async () => {
      const { link } = globalThis.tundra.view;
      const [random, timer] = [Math.random, globalThis.setTimeout];
      const seen = [];
      Math.random = () => 1;
      link.url = link.url.replace("/ws/", "/nowhere/");
      const over = new Promise((done) => {
        globalThis.setTimeout = (act, wait, ...rest) => {
          // What is waited for before the next socket, and nothing else of the page's.
          if (!String(act).includes("this.open()")) return timer(act, wait, ...rest);
          seen.push(wait);
          if (seen.length === 8) done();
          return timer(act, 0);
        };
      });
      link.socket.close();
      await over;
      [Math.random, globalThis.setTimeout] = [random, timer];
      return seen;
    });
    same(waits, [250, 500, 1000, 2000, 4000, 8000, 10000, 10000], "waits");
    await back(page);
    await connected(page);
  },

  async "a laptop that is closed and opened on another network goes on where it was"() {
    const network = new Network(tundra);
    await network.start();
    const instance = await new Instance({ remote: `allowed_origins = ["${network.origin}"]` }).start();
    network.instance = instance;
    try {
      const id = instance.sh(`stty -echo; read go; ${COUNT}; exec cat`);
      const url = instance.run("url", id).replace(instance.origin, network.origin);
      const page = await openPage({ url, at: { origin: network.origin } });
      await connected(page);
      await until("the pane has the page's size", () => instance.facts(id).cols !== 80);
      await page.evaluate(() => { globalThis.loaded = "once"; });
      await page.keyboard.press("Enter");
      await shows(page, "line 100\n");
      // Nobody says that the old network is gone.
      network.swallow();
      await page.keyboard.type("typed in between\n");
      await page.evaluate(() => globalThis.dispatchEvent(new Event("online")));
      await shows(page, "line 3000");
      await connected(page);
      await shows(page, "typed in between");
      network.cut();
      await page.keyboard.type("typed after\n");
      await shows(page, "typed after");
      const screen = await shown(page);
      inOrder(screen, 3000);
      same(screen.split("typed in between").length, 2, "typed in between");
      same(screen.split("typed after").length, 2, "typed after");
      same(await page.evaluate(() => globalThis.loaded), "once", "loaded");
      await page.context().close();
    } finally {
      await network.stop();
      await instance.remove();
    }
  },

  async "a silent end is noticed, too"() {
    const network = new Network(tundra);
    await network.start();
    const instance = await new Instance({ remote: `allowed_origins = ["${network.origin}"]` }).start();
    network.instance = instance;
    try {
      const id = instance.sh("stty -echo; echo ready; exec cat");
      const page = await openPage({ url: instance.run("url", id).replace(instance.origin, network.origin), at: { origin: network.origin } });
      await connected(page);
      await shows(page, "ready");
      network.swallow();
      await page.keyboard.type("kept\n");
      await page.evaluate(() => globalThis.dispatchEvent(new Event("focus")));
      await shows(page, "kept");
      same((await shown(page)).split("kept").length, 2, "typed");
      await page.context().close();
    } finally {
      await network.stop();
      await instance.remove();
    }
  },

  async "a long silence closes, is told, and a key opens again"() {
    const instance = await new Instance({ remote: 'idle_timeout = "1s"' }).start();
    try {
      const id = instance.sh("stty -echo; echo ready; exec cat");
      const page = await openPage({ id, at: instance });
      await until("idle", () => page.locator("#link.idle").count());
      await until("told", async () => (await text(page, "#note")).includes("Press a key"));
      await page.locator(".xterm-helper-textarea").focus();
      await page.keyboard.type("awake\n");
      await shows(page, "awake");
      same((await shown(page)).split("awake").length, 2, "typed");
      await page.context().close();
    } finally {
      await instance.remove();
    }
  },

  async "after a restart of tundra the page says so and shows what there is"() {
    const instance = await new Instance().start();
    try {
      const id = instance.sh("echo ready; exec cat", "--name", "before");
      const page = await openPage({ id, at: instance });
      await connected(page);
      await shows(page, "ready");
      await instance.stop();
      await until("no answer", () => page.locator("#link:is(.away, .waiting, .connecting)").count());
      await instance.restart();
      await until("the form", () => page.locator("#login").isVisible());
      if (!(await text(page, "#login-why")).includes("restarted")) throw new Error("not told why");
      instance.sh("echo the new one; exec cat", "--name", "after");
      await page.locator("#token").fill(instance.run("url"));
      await page.locator("#token").press("Enter");
      await until("told", () => page.locator("#link.missing").count());
      if (!(await text(page, "#note")).includes("restarted")) throw new Error(await text(page, "#note"));
      await page.locator("#note button", { hasText: "after" }).click();
      await connected(page);
      await shows(page, "the new one");
      await page.context().close();
    } finally {
      await instance.remove();
    }
  },
};
