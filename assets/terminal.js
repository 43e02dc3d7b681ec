// The emulator as this page wants it: xterm.js with its colours, its columns and its manners.

import { Terminal } from "./vendor/xterm.mjs";
import { wcwidth } from "./wcwidth.js";

const SCROLLBACK = 5000;
/** Bytes that a program may put into the clipboard. */
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

export const theme = (dark) => (dark ? DARK : LIGHT);

/** `hover` is told where the link under the pointer leads, or nothing. */
export function makeTerminal({ readOnly, dark, fontSize, screenReader, hover }) {
  const term = new Terminal({
    allowProposedApi: true,
    cursorBlink: false,
    disableStdin: readOnly,
    fontFamily: '"JetBrains Mono", "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize,
    linkHandler: {
      activate: (_event, target) => openLink(target),
      // A link of a program's own may be called anything: where it leads is told.
      hover: (_event, target) => hover(target),
      leave: () => hover(""),
      allowNonHttpProtocols: false,
    },
    macOptionClickForcesSelection: true,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    screenReaderMode: screenReader,
    scrollback: SCROLLBACK,
    theme: theme(dark),
  });
  term.unicode.register(wcwidth);
  term.unicode.activeVersion = wcwidth.version;
  return term;
}

export function openLink(target) {
  if (/^https?:\/\//i.test(target)) window.open(target, "_blank", "noopener,noreferrer");
}

/** Control characters and those that turn the direction of text have no place in a title. */
export function clean(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "").slice(0, 200);
}

/**
 * Only the server answers what programs ask; an answer from here would be typed into them. `copied` takes what is to go
 * into the clipboard.
 */
export function swallowQueries(term, copied) {
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
    // Asking for it is never answered.
    if (payload === "?") return true;
    try {
      const bytes = atob(payload);
      if (bytes.length > 0 && bytes.length <= CLIPBOARD_LIMIT) {
        copied(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
      }
    } catch {
      // Not base64: nothing to copy.
    }
    return true;
  });
}
