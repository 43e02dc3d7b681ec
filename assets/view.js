// One terminal on the page: xterm.js, fed by a Link.

import { FitAddon } from "./vendor/addon-fit.mjs";
import { SearchAddon } from "./vendor/addon-search.mjs";
import { WebLinksAddon } from "./vendor/addon-web-links.mjs";
import { socketKey, socketUrl, terminal as ask } from "./api.js";
import { isNamed, modified, named, nameOf } from "./keys.js";
import { Link } from "./link.js";
import { clean, makeTerminal, openLink, swallowQueries, theme } from "./terminal.js";

const MIN_FONT = 6;
const MAX_FONT = 32;
/** A viewer's font is not made smaller than this to fit a wide pane, a phone's not at all; the pane can be moved about instead. */
const READABLE = 9;
const READABLE_ON_A_PHONE = 14;
const DROPPED = {
  offline: "No room to keep more keys until the connection is back.",
  long: "That is too long: 1 MiB at once is the most.",
};
/** Reports of focus and of the mouse: nobody's wish to type. */
const REPORT = /^\x1b\[(?:[IO]$|<|M)/;

/**
 * `events`: state(name, detail), role(notice), exit(notice), title(text), say(text), lost() when what
 * was typed offline is given up, search(results), bell(),
 * modifiers() of the key bar, and confirmPaste(text), which answers a promise.
 */
export class View {
  constructor(host, { id, readOnly, dark, fontSize, screenReader, passive, events }) {
    this.host = host;
    this.events = events;
    this.readOnly = readOnly;
    this.passive = passive;
    this.wantedFont = fontSize;
    /** Of a viewer who chose another size than the one that fits. */
    this.ownFont = null;
    this.writer = false;
    this.othersWrite = false;
    this.queue = [];
    this.held = false;
    /** What a program wanted in the clipboard and the browser did not let in. */
    this.offered = null;
    this.term = makeTerminal({ readOnly, dark, fontSize, screenReader, hover: (text) => { host.title = text; } });
    this.fit = new FitAddon();
    this.search = new SearchAddon();
    this.term.loadAddon(this.fit);
    this.term.loadAddon(this.search);
    this.term.loadAddon(new WebLinksAddon((_event, target) => openLink(target)));
    this.search.onDidChangeResults((results) => events.search(results));
    swallowQueries(this.term, (text) => this.copied(text));
    this.term.open(host);
    this.term.textarea.setAttribute("aria-label", "Terminal. Control Shift L leaves it for the list of terminals.");
    this.link = new Link({
      url: socketUrl(id, readOnly),
      credential: socketKey,
      readOnly,
      events: {
        output: (bytes, seq) => this.feed({ kind: "output", bytes, seq }),
        snapshot: (frame) => this.feed(frame),
        state: (name, detail) => this.changed(name, detail),
        role: (notice) => this.roleChanged(notice),
        exit: (notice) => events.exit(notice),
        dropped: (reason) => events.say(DROPPED[reason]),
        notTyped: () => events.lost(),
        told: (notice) => events.say(notice.message),
      },
      why: () => reason(id),
    });
    this.term.onData((data) => this.typed(REPORT.test(data) ? data : modified(data, events.modifiers())));
    this.term.onBinary((data) => this.mayType() && this.link.type(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.term.attachCustomKeyEventHandler((event) => this.pressed(event));
    this.term.onTitleChange((title) => events.title(clean(title)));
    this.term.onBell(() => events.bell());
    this.term.onCursorMove(() => this.reveal());
    this.onPaste = (event) => this.pasted(event);
    host.addEventListener("paste", this.onPaste, true);
    this.observer = new ResizeObserver(() => this.layOut());
    this.observer.observe(host);
    this.link.open();
  }

  dispose() {
    this.observer.disconnect();
    this.host.removeEventListener("paste", this.onPaste, true);
    this.link.close();
    this.term.dispose();
  }

  wake(renew) {
    this.link.wake(renew);
  }

  focus() {
    this.term.focus();
  }

  // Output.

  /** Puts output on the screen in order. A snapshot waits until all before it has been parsed, for it changes the size. */
  feed(frame) {
    if (this.held) {
      this.queue.push(frame);
    } else if (frame.kind === "output") {
      this.term.write(frame.bytes, () => this.link.parsed(frame.seq));
    } else {
      this.held = true;
      this.term.write("", () => queueMicrotask(() => this.restore(frame)));
    }
  }

  restore({ cols, rows, bytes, seq }) {
    this.term.reset();
    this.term.resize(cols, rows);
    this.layOut();
    this.term.write(bytes, () => this.link.parsed(seq));
    this.held = false;
    const waiting = this.queue;
    this.queue = [];
    for (const frame of waiting) this.feed(frame);
  }

  // Input.

  typed(data) {
    if (this.mayType(REPORT.test(data))) this.link.typeText(data);
  }

  /** Whether what is typed now would be taken; says why not, unless it is `quiet`. */
  mayType(quiet = false) {
    if (!this.readOnly && !this.othersWrite) return true;
    if (!quiet) this.events.say(this.readOnly ? "This view is read only." : "Another one has the keyboard. Take over to type.");
    return false;
  }

  /** A key of the key bar, or some text. */
  key(key, held = {}) {
    if (!isNamed(key)) this.typed(modified(key, held));
    else if (this.mayType()) this.link.key(named(key, held));
    this.term.scrollToBottom();
    this.reveal();
  }

  /** A key of a keyboard; answers whether xterm.js is to look at it. */
  pressed(event) {
    if (event.type !== "keydown") return true;
    const bar = this.events.modifiers;
    const name = nameOf(event);
    if (name === null) return true;
    event.preventDefault();
    if (!this.mayType()) return false;
    const held = bar();
    const missing = (modifier, on) => (on && !name.includes(`${modifier}-`) ? `${modifier}-` : "");
    this.link.key(missing("ctrl", held.ctrl) + missing("alt", held.alt) + name);
    this.term.clearSelection();
    this.term.scrollToBottom();
    return false;
  }

  pasted(event) {
    const text = event.clipboardData?.getData("text/plain");
    event.preventDefault();
    event.stopPropagation();
    if (text) this.paste(text);
  }

  /** Pastes, after asking where each line would be a command; true where it did. */
  async paste(text) {
    if (!this.mayType()) return false;
    const asks = /[\r\n]/.test(text) && !this.term.modes.bracketedPasteMode;
    if (asks && !(await this.events.confirmPaste(text))) return false;
    this.term.scrollToBottom();
    return this.link.paste(text);
  }

  /** Copies the selection, else what a program offered. */
  copy() {
    const text = this.term.getSelection() || this.offered;
    if (!text) return this.events.say("Nothing is selected.");
    this.offered = null;
    write(text).then(() => this.events.say("Copied."), () => this.events.say("The browser does not let this page copy."));
  }

  /** A program set the clipboard. */
  copied(text) {
    const offer = () => {
      this.offered = text;
      this.events.say("The program offers text to copy. Press Copy to take it.");
    };
    // A page that nobody looks at changes nobody's clipboard.
    if (!document.hasFocus()) return offer();
    write(text).then(() => this.events.say("The program copied to the clipboard."), offer);
  }

  // Scrolling by swipes.

  cellHeight() {
    return this.term.element.querySelector(".xterm-screen").clientHeight / this.term.rows;
  }

  /** Scrolls as a wheel would that turned at this place. */
  scroll(lines, { clientX, clientY }) {
    const { buffer, modes } = this.term;
    if (buffer.active.type === "normal" && modes.mouseTrackingMode === "none") return this.term.scrollLines(lines);
    const wheel = { deltaY: Math.sign(lines), deltaMode: WheelEvent.DOM_DELTA_LINE, clientX, clientY, bubbles: true, cancelable: true };
    for (let n = Math.abs(lines); n > 0; n--) {
      this.term.element.querySelector(".xterm-screen").dispatchEvent(new WheelEvent("wheel", wheel));
    }
  }

  // Size.

  /** The one who writes decides the pane's size; everybody else sees it letterboxed. */
  layOut() {
    if (this.writer && !this.passive) {
      this.setFont(this.wantedFont);
      this.host.classList.remove("letterbox");
      const size = this.fit.proposeDimensions();
      if (size && this.asked !== `${size.cols}x${size.rows}` && size.cols > 1 && size.rows > 1) {
        this.asked = `${size.cols}x${size.rows}`;
        this.link.resize(size.cols, size.rows);
      }
    } else {
      this.asked = undefined;
      this.host.classList.add("letterbox");
      this.shrink();
    }
  }

  /** Makes the font as small as the pane's width needs, but not unreadable. */
  shrink() {
    this.setFont(this.wantedFont);
    const size = this.fit.proposeDimensions();
    if (!size) return;
    const ratio = Math.min(1, size.cols / this.term.cols, Math.max(size.rows / this.term.rows, 0.6));
    const least = this.passive ? READABLE_ON_A_PHONE : Math.min(READABLE, this.wantedFont);
    const fitting = Math.max(Math.floor(this.wantedFont * ratio * 2) / 2, least);
    this.setFont(this.ownFont ?? fitting);
    this.reveal();
  }

  /** Keeps the cursor in sight of somebody who types, where the pane is larger than this screen. */
  reveal() {
    const { host, term } = this;
    if (!host.classList.contains("letterbox") || !/^(TEXTAREA|INPUT)$/.test(document.activeElement?.tagName)) return;
    const screen = term.element.querySelector(".xterm-screen");
    const { cursorX, cursorY } = term.buffer.active;
    const [width, height] = [screen.clientWidth / term.cols, screen.clientHeight / term.rows];
    const into = (at, size, from, shown) => Math.min(at, Math.max(from, at + size - shown));
    host.scrollTop = into(cursorY * height, height + 12, host.scrollTop, host.clientHeight);
    host.scrollLeft = into(Math.max(0, (cursorX - 1) * width), width * 3, host.scrollLeft, host.clientWidth);
  }

  /** Gives the pane the size of this screen, once. */
  fitPane() {
    this.setFont(this.ownFont ?? this.wantedFont);
    const size = this.fit.proposeDimensions();
    if (size) this.link.resize(size.cols, size.rows);
    this.layOut();
  }

  setFont(size) {
    if (this.term.options.fontSize !== size) this.term.options.fontSize = size;
  }

  /** Makes the text larger or smaller; answers the size to remember. */
  zoom(step) {
    const within = (size) => Math.min(MAX_FONT, Math.max(MIN_FONT, size));
    if (this.host.classList.contains("letterbox")) this.ownFont = within(this.term.options.fontSize + step);
    else this.wantedFont = within(this.wantedFont + step);
    this.layOut();
    return this.wantedFont;
  }

  setDark(dark) {
    this.term.options.theme = theme(dark);
  }

  setScreenReader(on) {
    this.term.options.screenReaderMode = on;
  }

  // Connection.

  changed(name, detail) {
    if (name === "connected") this.asked = undefined;
    this.events.state(name, detail);
  }

  roleChanged(notice) {
    this.writer = notice.role === "writer";
    this.othersWrite = !this.writer && notice.writer !== null;
    this.asked = undefined;
    if (this.writer) this.ownFont = null;
    this.layOut();
    this.events.role(notice);
  }

  // Selecting by touch.

  /** The cell under a point, as column and row of the buffer. */
  cellAt({ clientX, clientY }) {
    const { term } = this;
    const { left, top, width, height } = term.element.querySelector(".xterm-screen").getBoundingClientRect();
    const within = (at, most) => Math.min(most - 1, Math.max(0, Math.floor(at)));
    return {
      col: within((clientX - left) / width * term.cols, term.cols),
      row: within((clientY - top) / height * term.rows, term.rows) + term.buffer.active.viewportY,
    };
  }

  /** The word at a cell, as its first and last cell; of a blank, the cell alone. */
  wordAt({ col, row }) {
    const text = this.term.buffer.active.getLine(row)?.translateToString(false) ?? "";
    const isWord = (at) => /[^\s"'`()[\]{}<>|,;]/.test(text[at] ?? " ");
    let [from, to] = [col, col];
    while (isWord(col) && from > 0 && isWord(from - 1)) from -= 1;
    while (isWord(col) && to + 1 < text.length && isWord(to + 1)) to += 1;
    return [{ col: from, row }, { col: to, row }];
  }

  /** Selects from the first of these cells to the last, whatever their order. */
  select(...cells) {
    const { cols } = this.term;
    const places = cells.map(({ col, row }) => row * cols + col);
    const [from, to] = [Math.min(...places), Math.max(...places)];
    this.term.select(from % cols, Math.floor(from / cols), to - from + 1);
  }

  /** Widens the selection to whole lines. */
  selectLines() {
    const range = this.term.getSelectionPosition();
    // Its end is the column after the last one, which may be the first of the next row.
    if (range) this.term.selectLines(range.start.y, range.end.x === 0 ? Math.max(range.start.y, range.end.y - 1) : range.end.y);
  }

  /** Looks from the end for what was printed last. */
  findNewest(text) {
    this.term.clearSelection();
    this.find(text, true);
  }

  find(text, backwards) {
    const options = { decorations: { matchOverviewRuler: "#dcb55f", activeMatchColorOverviewRuler: "#e5616d",
      matchBackground: "#5b4a1e", activeMatchBackground: "#a0620a" } };
    if (text === "") return this.search.clearDecorations();
    return backwards ? this.search.findPrevious(text, options) : this.search.findNext(text, options);
  }
}

/** Why a socket could not be opened: browsers do not tell. */
async function reason(id) {
  try {
    const facts = await ask(id);
    return facts.status === "dead" ? "dead" : "retry";
  } catch (error) {
    if (error.status === 401) return "login";
    if (error.status === 404) return "missing";
    if (error.status === 410) return "dead";
    return "retry";
  }
}

/** Puts a text into the clipboard; where the page is no secure context, as over plain HTTP to a phone, in the old way. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("not copied");
}
