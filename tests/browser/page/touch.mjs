// A phone: its screen, its keyboard and its fingers.

import { connected, openPage, phone, same, shown, shows, text, tundra, until, writing } from "../harness.mjs";

async function swipe(page, from, to) {
  const cdp = await page.context().newCDPSession(page);
  const touch = (type, points) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points });
  await touch("touchStart", [{ x: from[0], y: from[1] }]);
  for (let n = 1; n <= 10; n++) {
    const at = (axis) => from[axis] + (to[axis] - from[axis]) * n / 10;
    await touch("touchMove", [{ x: at(0), y: at(1) }]);
  }
  await touch("touchEnd", []);
  await cdp.detach();
}

export default {
  async "the key bar has what a soft keyboard lacks"() {
    const id = tundra.sh("stty raw -echo; printf 'ready\\r\\n'; exec cat -vt");
    const page = await openPage({ id, ...phone });
    await connected(page);
    await shows(page, "ready");
    const tap = (label) => page.locator("#touchbar button", { hasText: label }).first().tap();
    const pressed = (label) => page.locator("#touchbar button", { hasText: label }).first().getAttribute("aria-pressed");
    for (const [label, sent] of [["Esc", "^["], ["Tab", "^I"], ["←", "^[[D"], ["↑", "^[[A"], ["↓", "^[[B"], ["→", "^[[C"], ["⏎", "^M"]]) {
      await tap(label);
      await shows(page, sent);
    }
    await tap("Ctrl");
    same(await pressed("Ctrl"), "true", "Ctrl is held");
    await page.locator("#touchbar textarea").focus();
    await page.keyboard.type("r");
    await shows(page, "^R");
    same(await pressed("Ctrl"), "false", "Ctrl is held");
    await tap("Ctrl");
    await tap("→");
    await shows(page, "^[[1;5C");
    await tap("Alt");
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.type("b");
    await shows(page, "^[b");
    await tap("Ctrl");
    await page.keyboard.type("a");
    await shows(page, "^A");
    await page.keyboard.type("plain");
    await shows(page, "^Aplain");
    await page.locator("#touchbar textarea").fill("a line");
    await page.locator("#touchbar textarea").press("Enter");
    await shows(page, "a line^M");
  },

  async "a pane wider than the phone is readable and stays as it is"() {
    const id = tundra.sh("seq -f 'line %03g' 1 200; printf '%150s' end; exec cat", "--cols", "160", "--rows", "50");
    const page = await openPage({ id, ...phone });
    await connected(page);
    await shows(page, "end");
    same([tundra.facts(id).cols, tundra.facts(id).rows], [160, 50], "size");
    const look = () => page.evaluate(() => {
      const screen = document.getElementById("screen");
      const { fontSize } = globalThis.tundra.view.term.options;
      const page_ = document.documentElement;
      return { fontSize, wider: screen.scrollWidth > screen.clientWidth, left: screen.scrollLeft, overflow: page_.scrollWidth > page_.clientWidth, y: tundra.view.term.buffer.active.viewportY };
    });
    const before = await look();
    if (before.fontSize < 14) throw new Error(`${before.fontSize} px are not readable`);
    if (!before.wider || before.overflow) throw new Error("the pane, and it alone, should be wider than the screen");
    await swipe(page, [300, 300], [100, 300]);
    await until("moved sideways", async () => (await look()).left > 0);
    const box = await page.locator("#screen").boundingBox();
    await swipe(page, [200, box.y + 40], [200, box.y + box.height - 40]);
    await until("scrolled back", async () => (await look()).y < before.y);
    await page.locator("#more").tap();
    await page.locator("#larger").tap();
    same((await look()).fontSize, before.fontSize + 1, "larger");
    same([tundra.facts(id).cols, tundra.facts(id).rows], [160, 50], "size");
    await page.keyboard.press("Escape");
    await page.locator("#touchbar textarea").fill("typed");
    await page.locator("#touchbar textarea").press("Enter");
    await shows(page, "typed");
    same([tundra.facts(id).cols, tundra.facts(id).rows], [160, 50], "size after typing");
    await page.locator("#more").tap();
    await page.locator("#fit").tap();
    await until("the pane fits", async () => tundra.facts(id).cols < 100 && !(await look()).wider);
  },

  async "a finger finds what it taps, and sees all that it wrote"() {
    const id = tundra.sh("exec cat");
    const page = await openPage({ id, ...phone });
    await connected(page);
    const small = () => page.evaluate(() => [...document.querySelectorAll("button, select, textarea, #list a, #new input:not([type=checkbox]), .popover label")]
      .filter((one) => one.offsetParent && !one.closest(".xterm"))
      .map((one) => [one.id || one.textContent, one.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 44 || height < 44)
      .map(([name, { width, height }]) => `${name} ${width}x${height}`));
    same(await small(), [], "too small");
    await page.locator("#menu").tap();
    await page.locator("#list a").first().waitFor();
    same(await small(), [], "too small in the list");
    await page.locator("#list a").first().tap();
    await page.locator("#more").tap();
    await page.locator("#settings").waitFor();
    same(await small(), [], "too small in the menu");
    await page.keyboard.press("Escape");
    const line = page.locator("#touchbar textarea");
    await line.fill("a line that is longer than the screen of a phone is wide, and then some more of it");
    const hidden = await line.evaluate((field) => field.scrollHeight - field.clientHeight);
    if (hidden > 1) throw new Error(`${hidden} px of the input are not seen`);
  },

  async "a long press selects a word, moving on selects more, and it can be copied"() {
    const id = tundra.sh("printf 'first line\r\nsecond_word/here: and more\r\nthird\r\n'; exec cat");
    const page = await openPage({ id, ...phone, permissions: ["clipboard-read", "clipboard-write"] });
    await connected(page);
    await shows(page, "third");
    const cell = (col, row) => page.evaluate(([c, r]) => {
      const { term } = globalThis.tundra.view;
      const { left, top, width, height } = document.querySelector(".xterm-screen").getBoundingClientRect();
      return { x: left + (c + 0.5) * width / term.cols, y: top + (r + 0.5) * height / term.rows };
    }, [col, row]);
    const selected = () => page.evaluate(() => globalThis.tundra.view.term.getSelection());
    const cdp = await page.context().newCDPSession(page);
    const touch = (type, ...touchPoints) => cdp.send("Input.dispatchTouchEvent", { type, touchPoints });
    await touch("touchStart", await cell(4, 1));
    await until("a word", async () => (await selected()) === "second_word/here:");
    await touch("touchMove", await cell(2, 2));
    same(await selected(), "second_word/here: and more\nthi", "selection");
    await touch("touchEnd");
    await page.locator("#selection-copy").tap();
    await until("copied", async () => (await page.evaluate(() => navigator.clipboard.readText())).startsWith("second_word/here: and more"));
    same(await selected(), "", "selection");
    // A tap takes a selection away, a swipe selects nothing.
    await touch("touchStart", await cell(1, 0));
    await until("a word", async () => (await selected()) === "first");
    await touch("touchEnd");
    await page.locator("#selection-lines").tap();
    same((await selected()).trim(), "first line", "selection");
    await page.touchscreen.tap(...Object.values(await cell(20, 10)));
    await until("nothing is selected", async () => (await selected()) === "");
    same(await page.locator("#selection").isVisible(), false, "bar");
    await swipe(page, [200, 300], [200, 500]);
    same(await selected(), "", "selection");
    await cdp.detach();
  },

  async "everything important fits above a soft keyboard, upright and lying"() {
    const id = tundra.sh("seq 1 100; exec cat");
    const page = await openPage({ id, ...phone });
    await connected(page);
    for (const [width, height] of [[390, 844], [390, 430], [844, 390], [844, 220], [320, 568]]) {
      await page.setViewportSize({ width, height });
      await until("laid out", () => page.evaluate(([w, h]) => innerWidth === w && innerHeight === h, [width, height]));
      for (const selector of ["#menu", "#link", "#more", "#screen", "#touchbar textarea", "#touchbar button >> nth=0"]) {
        const box = await page.locator(selector).boundingBox();
        const inside = box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1;
        if (!inside || box.height < 18) throw new Error(`${selector} is at ${JSON.stringify(box)} on ${width}x${height}`);
      }
    }
    await page.setViewportSize({ width: 390, height: 430 });
    await page.locator("#touchbar textarea").focus();
    await page.keyboard.type("x");
    await page.keyboard.press("Enter");
    await until("the cursor is in sight", () => page.evaluate(() => {
      const { top, height } = document.querySelector(".xterm-screen").getBoundingClientRect();
      const { term } = globalThis.tundra.view;
      const y = top + (term.buffer.active.cursorY + 1) * height / term.rows;
      return y <= document.getElementById("screen").getBoundingClientRect().bottom + 1;
    }));
  },

  async "the list is a drawer on a phone"() {
    const id = tundra.sh("exec cat", "--name", "one");
    tundra.sh("echo the other one; exec cat", "--name", "two");
    const page = await openPage({ id, ...phone });
    await connected(page);
    same(await page.locator("#side").isVisible(), false, "list");
    await page.locator("#menu").tap();
    await page.locator("#list a.active", { hasText: "two" }).tap();
    await shows(page, "the other one");
    await until("closed", async () => !(await page.locator("#side").isVisible()));
  },
};
