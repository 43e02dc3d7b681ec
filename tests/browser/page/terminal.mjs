// What is on the screen, and what is typed, pasted, clicked and copied.

import { connected, openPage, same, settled, shown, shows, text, tundra, until, writing } from "../harness.mjs";

const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };
const reads = (page, wanted) => until(`the clipboard holds ${wanted}`, async () => {
  // Only a page in front may look.
  await page.bringToFront();
  return (await page.evaluate(() => navigator.clipboard.readText())) === wanted;
});
const raw = (before = "") => tundra.sh(`stty raw -echo; printf '${before}ready\\r\\n'; exec cat -v`);
const paste = (page, what) => page.evaluate((data) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", data);
  document.querySelector(".xterm-helper-textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}, what);
/** The middle of a cell, counted from 0. */
const cell = (page, col, row) => page.evaluate(([c, r]) => {
  const { cols, rows } = globalThis.tundra.view.term;
  const { left, top, width, height } = document.querySelector(".xterm-screen").getBoundingClientRect();
  return [left + (c + 0.5) * width / cols, top + (r + 0.5) * height / rows];
}, [col, row]);
const click = async (page, col, row) => page.mouse.click(...(await cell(page, col, row)));

export default {
  async "typing reaches the program and its answer the page"() {
    const id = tundra.sh("echo ready; exec cat");
    const page = await writing(id);
    await shows(page, "ready");
    if (/token/.test(page.url())) throw new Error(`the token stays in ${page.url()}`);
    await page.keyboard.type("héllo 漢字");
    await page.keyboard.press("Enter");
    await until("typed and answered", async () => (await shown(page)).split("héllo 漢字").length === 3);
  },

  async "the pane takes the page's size and follows it"() {
    const id = tundra.sh("exec cat");
    const page = await writing(id);
    const before = tundra.facts(id).cols;
    await page.setViewportSize({ width: 820, height: 500 });
    await until("smaller", () => tundra.facts(id).cols < before);
    await settled(page, id);
    const below = await page.evaluate(() => document.querySelector(".xterm-screen").getBoundingClientRect().bottom - innerHeight);
    if (below > 0) throw new Error(`the last row is cut by ${below} px`);
  },

  async "a full-screen program looks as in the pane"() {
    const lines = Array.from({ length: 40 }, (_, n) => `printf '\\033[${n % 20 + 1};${n + 1}H\\033[3${n % 8}mx${n}'`);
    const id = tundra.sh(`read go; printf '\\033[?1049h\\033[2J'; ${lines.join("; ")}; printf '\\033[5;10r\\033[?25l'; exec cat`);
    const page = await writing(id);
    await page.keyboard.press("Enter");
    await shows(page, "x39");
    const compare = async () => {
      const pane = JSON.parse(tundra.run("capture", id, "--json"));
      const page_ = (await shown(page)).split("\n").map((line) => line.trimEnd());
      return pane.alternate_screen && JSON.stringify(pane.lines) === JSON.stringify(page_);
    };
    await until("the same screen", compare);
    await page.reload();
    await connected(page);
    await until("the same screen after a reload", compare);
  },

  async "no letter is cut off at the edge of its row"() {
    // Fonts whose lines are not a whole number of pixels high draw them below their cell.
    const id = tundra.sh("printf '____\\r\\n\\r\\n'; exec cat");
    const page = await writing(id);
    await shows(page, "____");
    const [left, middle] = await cell(page, 0, 0);
    const [right, below] = await cell(page, 3, 1);
    const clip = { x: left, y: middle, width: right - left, height: (below - middle) * 0.75 };
    const png = (await page.screenshot({ clip })).toString("base64");
    const looked = await (await page.context().newPage()).evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data: dots } = context.getImageData(0, 0, image.width, image.height);
      return dots.some((dot, at) => Math.abs(dot - dots[at % 4]) > 60);
    }, png);
    if (!looked) throw new Error("nothing of four underscores is seen");
  },

  async "only the server answers what a program asks"() {
    const id = tundra.sh("stty raw -echo; head -c1 >/dev/null; printf '\\033[c\\033[6n\\033[?2004$p\\033]11;?\\007\\033P$qm\\033\\\\\\033]52;c;?\\007'; exec cat -v");
    const page = await writing(id);
    await page.keyboard.type("x");
    await shows(page, "^[[?");
    // What the page itself would say comes before what is typed after it has shown an answer.
    await page.keyboard.type("end");
    await shows(page, "end");
    const screen = await shown(page);
    same((screen.match(/\^\[\[\?[\d;]*c/g) ?? []).length, 1, "answers");
    if (screen.includes("]52")) throw new Error("the clipboard was read");
  },

  async "the mouse reaches a program that asks for it, and the wheel"() {
    const id = raw("\\033[?1000h\\033[?1006h\\033[5;1H");
    const page = await writing(id);
    await shows(page, "ready");
    await click(page, 9, 7);
    await shows(page, "^[[<0;10;8M^[[<0;10;8m");
    await page.mouse.wheel(0, -120);
    await shows(page, "^[[<64;10;8M");
  },

  async "the wheel scrolls through the history"() {
    const id = tundra.sh("seq 1 500; exec cat");
    const page = await writing(id);
    await shows(page, "500");
    const { ydisp, base } = await page.evaluate(() => ({ ydisp: tundra.view.term.buffer.active.viewportY, base: tundra.view.term.buffer.active.baseY }));
    same(ydisp, base, "scrolled");
    await page.mouse.move(...(await cell(page, 5, 5)));
    await page.mouse.wheel(0, -240);
    await until("scrolled", () => page.evaluate((at) => tundra.view.term.buffer.active.viewportY < at, base));
    await page.keyboard.type("x");
    await until("typing goes back down", () => page.evaluate((at) => tundra.view.term.buffer.active.viewportY === at, base));
  },

  async "a paste comes whole, and lines are asked about where each is a command"() {
    const id = raw();
    const page = await writing(id);
    await shows(page, "ready");
    await paste(page, '{"type":"resize","cols":20,"rows":5}');
    await shows(page, '{"type":"resize","cols":20,"rows":5}');
    await settled(page, id);
    await paste(page, "first\nnever");
    await until("asked", () => page.locator("#ask").isVisible());
    if (!(await text(page, "#ask")).includes("first\nnever")) throw new Error("the question does not show the text");
    await page.keyboard.press("Escape");
    await paste(page, "one\ntwo\x1b[201~");
    await until("asked again", () => page.locator("#ask").isVisible());
    await page.locator("#ask [value=yes]").click();
    await shows(page, "one^Mtwo");
    const screen = await shown(page);
    if (screen.includes("never")) throw new Error("a refused paste was typed");
    if (screen.includes("^[[201~")) throw new Error("a paste brought an escape sequence");
    await page.keyboard.type("x");
    await shows(page, "x");
  },

  async "a program that takes pastes gets them in brackets, unasked"() {
    const id = raw("\\033[?2004h");
    const page = await writing(id);
    await shows(page, "ready");
    await paste(page, "one\ntwo");
    await shows(page, "^[[200~one^Mtwo^[[201~");
    await paste(page, "x".repeat(1100000));
    await until("too long is told", async () => (await text(page, "#toast")).includes("1 MiB"));
    await connected(page);
  },

  async "Enter with Shift or Ctrl is what the program asked for"() {
    for (const [asked, shift, ctrl] of [
      ["", "^M", "^M"],
      ["\\033[>1u", "^[[13;2u", "^[[13;5u"],
      ["\\033[>4;2m", "^[[27;2;13~", "^[[27;5;13~"],
    ]) {
      const id = raw(asked);
      const page = await writing(id);
      await shows(page, "ready");
      for (const [key, sent] of [["Shift+Enter", shift], ["Control+Enter", ctrl]]) {
        await page.keyboard.type("<");
        await page.keyboard.press(key);
        await page.keyboard.type(">");
        await shows(page, `<${sent}>`);
      }
      await page.context().close();
    }
  },

  async "a shortcut is that of a US keyboard on every layout, and AltGr types"() {
    const id = raw("");
    const page = await writing(id);
    await shows(page, "ready");
    const press = (options) => page.evaluate((init) => {
      const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
      document.querySelector(".xterm-helper-textarea").dispatchEvent(event);
    }, options);
    await press({ key: "с", code: "KeyC", keyCode: 67, ctrlKey: true });
    await press({ key: "и", code: "KeyB", keyCode: 66, altKey: true });
    await press({ key: "∫", code: "KeyB", keyCode: 66, altKey: true });
    await shows(page, "^C^[b^[b");
  },

  async "an input method opens at a cursor that the program hides"() {
    const id = tundra.sh("printf '\\033[?25l\\033[5;10Hprompt\\033[20;1Hstatus\\033[5;16H'; exec cat");
    const page = await writing(id);
    await shows(page, "status");
    const place = () => page.evaluate(() => {
      const { term } = globalThis.tundra.view;
      const { width, height } = document.querySelector(".xterm-screen").getBoundingClientRect();
      const { left, top } = term.textarea.style;
      return [Math.round(parseFloat(left) / width * term.cols), Math.round(parseFloat(top) / height * term.rows)];
    });
    await until("the input method's place", async () => JSON.stringify(await place()) === "[15,4]");
  },

  async "search finds, copy copies and colours follow the system"() {
    const id = tundra.sh("seq 1 500; exec cat");
    const page = await writing(id, { ...clipboard, colorScheme: "light" });
    await shows(page, "500");
    same(await page.locator("html").getAttribute("data-theme"), "light", "theme");
    await page.emulateMedia({ colorScheme: "dark" });
    await until("dark", async () => (await page.locator("html").getAttribute("data-theme")) === "dark");
    const size = () => [tundra.facts(id).cols, tundra.facts(id).rows];
    const before = size();
    await page.keyboard.press("Control+Shift+F");
    // The newest of many first, further up next, and nothing of it is covered.
    await page.locator("#needle").fill("9");
    await until("found", async () => (await text(page, "#hits")).startsWith("100 of 100"));
    await page.locator("#needle").press("Enter");
    await until("further up", async () => (await text(page, "#hits")).startsWith("99 of 100"));
    await page.locator("#needle").press("Shift+Enter");
    await until("down again", async () => (await text(page, "#hits")).startsWith("100 of 100"));
    const covered = await page.evaluate(() => {
      const [bar, screen] = ["search", "screen"].map((id) => document.getElementById(id).getBoundingClientRect());
      return bar.bottom > screen.top;
    });
    same(covered, false, "covered");
    await page.locator("#needle").fill("499");
    await until("found", async () => (await text(page, "#hits")) === "1 of 1");
    same(size(), before, "size while searching");
    await page.locator("#copy").click();
    await reads(page, "499");
    await page.locator("#needle").fill("no such text");
    await until("not found", async () => (await text(page, "#hits")) === "nothing");
    await page.keyboard.press("Escape");
    await until("closed", async () => !(await page.locator("#search").isVisible()));
    await page.keyboard.type("typed");
    await shows(page, "typed");
  },

  async "a program sets the clipboard, within limits, and reads it never"() {
    const id = tundra.sh("stty -echo; while read -r go; do eval \"$go\"; done");
    const page = await writing(id, clipboard);
    const run = async (command) => {
      await page.keyboard.type(command);
      await page.keyboard.press("Enter");
    };
    await page.bringToFront();
    await run("printf '\\033]52;c;%s\\007' $(printf 'from the program' | base64); echo done 1");
    await shows(page, "done 1");
    await reads(page, "from the program");
    await run("printf '\\033]52;c;%s\\007' $(head -c 110000 /dev/zero | tr '\\0' x | base64 -w0); echo done 2");
    await shows(page, "done 2");
    await reads(page, "from the program");
  },

  async "links lead to the web alone, and in a tab that knows nothing of this one"() {
    const target = `${tundra.origin}/health`;
    const link = (uri, label) => `\\033]8;;${uri}\\033\\\\${label}\\033]8;;\\033\\\\`;
    const id = tundra.sh(`printf '${link(target, "good-one")}\\n${link("javascript:alert(1)", "bad-one")}\\n${link("file:///etc/passwd", "worse")}\\n${target}?plain\\n'; exec cat`);
    const page = await writing(id);
    await shows(page, "plain");
    const opened = [];
    page.context().on("page", (tab) => opened.push(tab));
    const openedAt = (url) => opened.find((tab) => tab.url() === url);
    const follow = async (row) => {
      const [x, y] = await cell(page, 2, row);
      await page.mouse.move(x - 20, y + 100);
      await page.mouse.move(x, y);
      await page.mouse.click(x, y);
    };
    await follow(1);
    await follow(2);
    for (const [row, end] of [[0, "/health"], [3, "/health?plain"]]) {
      // The link under the pointer is looked up in steps; a click before it is known is none.
      await until(`row ${row} opens`, async () => {
        if (!openedAt(tundra.origin + end)) await follow(row);
        return openedAt(tundra.origin + end);
      });
      same(await openedAt(tundra.origin + end).evaluate(() => globalThis.opener), null, "opener");
    }
    const others = opened.map((tab) => tab.url()).filter((url) => !url.startsWith(target) && url !== "about:blank");
    same(others, [], "opened by bad links");
  },

  async "titles and the bell are shown"() {
    const id = tundra.sh("printf '\\033]0;my \\342\\200\\256title\\007'; read go; printf '\\007'; exec cat", "--name", "named");
    const page = await writing(id);
    await until("the title", async () => (await page.title()) === "my title – tundra");
    same(await text(page, "#title"), "my title", "heading");
    await page.evaluate(() => {
      new MutationObserver(() => { if (document.querySelector("#screen.bell")) globalThis.rang = true; }).observe(document.getElementById("screen"), { attributes: true });
    });
    await page.keyboard.press("Enter");
    await until("the bell", () => page.evaluate(() => globalThis.rang));
  },

  async "text can be larger and smaller, and is next time"() {
    const id = tundra.sh("exec cat");
    const page = await writing(id);
    const size = () => page.evaluate(() => tundra.view.term.options.fontSize);
    const { cols } = tundra.facts(id);
    await page.locator("#larger").click();
    await page.locator("#larger").click();
    await until("fewer columns", () => tundra.facts(id).cols < cols);
    same(await size(), 16, "font size");
    await page.reload();
    await connected(page);
    same(await size(), 16, "font size after a reload");
    await page.locator("#smaller").click();
    same(await size(), 15, "font size");
  },

  async "a screen reader finds the text"() {
    const id = tundra.sh("echo spoken words; exec cat");
    const page = await writing(id);
    await page.locator("#more").click();
    await page.locator("#screen-reader").check();
    await page.keyboard.press("Escape");
    await until("the tree", async () => (await text(page, ".xterm-accessibility-tree")).includes("spoken words"));
    const label = await page.locator(".xterm-helper-textarea").getAttribute("aria-label");
    if (!label.includes("Shift L leaves")) throw new Error(`the way out is not told: ${label}`);
  },

  async "a terminal that ends is told with its screen, and one that is gone with what there is"() {
    const id = tundra.sh("exec cat", "--name", "other");
    const page = await openPage();
    await until("in", () => page.locator("#list li").count());
    await page.locator("#new-command").fill("echo 'last words'; read go; exit 3");
    await page.locator("#new button").click();
    await until("another one", async () => !page.url().includes(id));
    await shows(page, "last words");
    await page.keyboard.press("Enter");
    await until("told", async () => (await text(page, "#note h2")).includes("exit code 3"));
    if (!(await shown(page)).includes("last words")) throw new Error("the last screen is gone");
    await page.reload();
    await until("ended", () => page.locator("#link.dead").count());
    await page.locator("#note button", { hasText: "other" }).click();
    await connected(page);
    if (!page.url().includes(id)) throw new Error(`at ${page.url()}`);
    await page.goto(`${tundra.origin}/#terminal=00000000-0000-4000-8000-000000000000`);
    await until("missing", () => page.locator("#link.missing").count());
    await page.locator("#note button", { hasText: "New terminal" }).click();
    await connected(page);
  },
};
