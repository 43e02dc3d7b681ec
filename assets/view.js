// One terminal on the page: xterm.js, fed by a Link.

import { Terminal } from "./vendor/xterm.mjs";
import { FitAddon } from "./vendor/addon-fit.mjs";
import { SearchAddon } from "./vendor/addon-search.mjs";
import { socketUrl, terminal as ask } from "./api.js";
import { Link } from "./link.js";
import { widths } from "./widths.js";

const SCROLLBACK = 5000;
const MIN_FONT = 6;
const MAX_FONT = 32;
/** A viewer's font is not made smaller than this to fit a wide pane; the pane can be moved about instead. */
const READABLE = 9;
const CLIPBOARD_LIMIT = 100 * 1024;

const DARK = {
  background: "#11131a",
  foreground: "#d8dce6",
  cursor: "#e7b968",
  cursorAccent: "#11131a",
  selectionBackground: "#3d4a66",
  black: "#1b1e28", red: "#e5616d", green: "#84bf70", yellow: "#dcb55f",
  blue: "#6c9fe8", magenta: "#bd85d8", cyan: "#56b8bf", white: "#c3c8d4",
  brightBlack: "#6b7385", brightRed: "#f27d87", brightGreen: "#9cd588", brightYellow: "#f0cb7d",
  brightBlue: "#8bb6f4", brightMagenta: "#d2a0ea", brightCyan: "#72d0d6", brightWhite: "#f2f4f8",
};
const LIGHT = {
  background: "#fbfbfa",
  foreground: "#23262e",
  cursor: "#a0620a",
  cursorAccent: "#fbfbfa",
  selectionBackground: "#c9d8f0",
  black: "#23262e", red: "#b3262f", green: "#2f7a1d", yellow: "#8a6200",
  blue: "#1f5fbf", magenta: "#8a3fae", cyan: "#0f7580", white: "#5b6170",
  brightBlack: "#7a8090", brightRed: "#cf3b45", brightGreen: "#3d9428", brightYellow: "#a67a0c",
  brightBlue: "#3477dc", brightMagenta: "#a257c6", brightCyan: "#178f9b", brightWhite: "#3a3f4a",
};

/** `events`: state(name, detail), role(notice), exit(notice), title(text), say(text), search(results). */
export class View {
  constructor(host, { id, readOnly, dark, fontSize, screenReader, passive, events }) {
    this.host = host;
    this.events = events;
    this.readOnly = readOnly;
    this.passive = passive;
    this.wantedFont = fontSize;
    this.writer = false;
    this.othersWrite = false;
    this.queue = [];
    this.held = false;
    this.term = new Terminal({
      allowProposedApi: true,
      cursorBlink: false,
      disableStdin: readOnly,
      fontFamily: '"JetBrains Mono", "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
      fontSize,
      linkHandler: { activate: (_event, target) => openLink(target), allowNonHttpProtocols: false },
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5,
      screenReaderMode: screenReader,
      scrollback: SCROLLBACK,
      theme: dark ? DARK : LIGHT,
    });
    this.fit = new FitAddon();
    this.search = new SearchAddon();
    this.term.loadAddon(this.fit);
    this.term.loadAddon(this.search);
    this.term.unicode.register(widths);
    this.term.unicode.activeVersion = widths.version;
    this.search.onDidChangeResults((results) => events.search(results));
    swallowQueries(this.term, (text) => this.copied(text));
    this.term.open(host);
    this.link = new Link({
      url: socketUrl(id, readOnly),
      readOnly,
      events: {
        output: (bytes, seq) => this.feed({ kind: "output", bytes, seq }),
        snapshot: (frame) => this.feed(frame),
        state: (name, detail) => this.changed(name, detail),
        role: (notice) => this.roleChanged(notice),
        exit: (notice) => events.exit(notice),
        dropped: () => events.say("No room to keep more keys until the connection is back."),
        told: (notice) => events.say(notice.message),
      },
      why: () => reason(id),
    });
    this.term.onData((data) => this.typed(data));
    this.term.onBinary((data) => this.link.type(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.term.onTitleChange((title) => events.title(clean(title)));
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

  wake() {
    this.link.wake();
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
    if (this.othersWrite) {
      // Reports of focus and mouse are nobody's wish to type.
      if (!/^\x1b\[(?:[IO]|<|M)/.test(data)) this.events.say("Another one has the keyboard. Take it over to type.");
      return;
    }
    this.link.typeText(data);
  }

  /** Keys of the touch bar, encoded as the program wants them. */
  key(name) {
    const application = this.term.modes.applicationCursorKeysMode;
    const arrow = (letter) => `\x1b${application ? "O" : "["}${letter}`;
    const keys = {
      escape: "\x1b", tab: "\t", enter: "\r", up: arrow("A"), down: arrow("B"), right: arrow("C"), left: arrow("D"),
      home: arrow("H"), end: arrow("F"), pageup: "\x1b[5~", pagedown: "\x1b[6~", backspace: "\x7f",
    };
    this.typed(keys[name] ?? name);
  }

  pasted(event) {
    const text = event.clipboardData?.getData("text/plain");
    event.preventDefault();
    event.stopPropagation();
    if (text) this.paste(text);
  }

  async paste(text) {
    const lines = text.split(/\r\n|\r|\n/).length;
    if (lines > 1 && !this.term.modes.bracketedPasteMode && !(await this.events.confirmPaste(lines))) return;
    this.link.paste(text);
    this.term.scrollToBottom();
  }

  copy() {
    const text = this.term.getSelection();
    if (text) navigator.clipboard?.writeText(text).then(() => this.events.say("Copied."), () => {});
    return text !== "";
  }

  /** A program set the clipboard. */
  copied(text) {
    if (text.length > CLIPBOARD_LIMIT || !document.hasFocus()) return;
    navigator.clipboard?.writeText(text).then(() => this.events.say("The program copied to the clipboard."), () => {});
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
    this.setFont(Math.max(Math.floor(this.wantedFont * ratio * 2) / 2, Math.min(READABLE, this.wantedFont)));
  }

  /** Gives the pane the size of this screen, once. */
  fitPane() {
    const size = this.fit.proposeDimensions();
    if (size) this.link.resize(size.cols, size.rows);
  }

  setFont(size) {
    if (this.term.options.fontSize !== size) this.term.options.fontSize = size;
  }

  zoom(step) {
    this.wantedFont = Math.min(MAX_FONT, Math.max(MIN_FONT, step === 0 ? 14 : this.wantedFont + step));
    this.layOut();
    return this.wantedFont;
  }

  setDark(dark) {
    this.term.options.theme = dark ? DARK : LIGHT;
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
    this.layOut();
    this.events.role(notice);
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
    return "retry";
  }
}

function openLink(target) {
  if (/^https?:\/\//i.test(target)) window.open(target, "_blank", "noopener,noreferrer");
}

/** Control characters and those that turn the direction of text have no place in a title. */
function clean(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").slice(0, 200);
}

/** Only the server answers what programs ask; an answer from here would be typed into them. */
function swallowQueries(term, copied) {
  const nothing = () => true;
  const csi = (id, handler = nothing) => term.parser.registerCsiHandler(id, handler);
  for (const prefix of [undefined, ">", "="]) csi({ prefix, final: "c" });
  for (const prefix of [undefined, "?"]) {
    csi({ prefix, final: "n" });
    csi({ prefix, intermediates: "$", final: "p" });
  }
  csi({ final: "x" });
  csi({ prefix: ">", final: "q" });
  csi({ prefix: "?", final: "u" });
  csi({ prefix: "?", final: "m" });
  // Titles may be saved and brought back; sizes and positions are not told.
  csi({ final: "t" }, (params) => params[0] !== 22 && params[0] !== 23);
  term.parser.registerDcsHandler({ intermediates: "$", final: "q" }, nothing);
  term.parser.registerDcsHandler({ intermediates: "+", final: "q" }, nothing);
  // The pane's colours are this page's, as in the front end.
  for (const code of [4, 5, 10, 11, 12, 17, 19, 104, 110, 111, 112]) term.parser.registerOscHandler(code, nothing);
  term.parser.registerOscHandler(52, (data) => {
    const payload = data.slice(data.indexOf(";") + 1);
    if (payload !== "?") {
      try {
        copied(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
      } catch {
        // Not base64: nothing to copy.
      }
    }
    return true;
  });
}
