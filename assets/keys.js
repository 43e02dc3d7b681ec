// Keys by their names, as a terminal sends them. For the key bar; xterm.js does it for real keyboards.

const FINALS = { up: "A", down: "B", right: "C", left: "D", home: "H", end: "F" };
const NUMBERS = { pageup: 5, pagedown: 6 };
const PLAIN = { escape: "\x1b", tab: "\t", enter: "\r", backspace: "\x7f" };

/** A key with its modifiers; `application` is the mode of the cursor keys. */
export function encoded(name, { ctrl, alt }, application) {
  const modifier = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  if (name in FINALS) {
    if (modifier > 1) return `\x1b[1;${modifier}${FINALS[name]}`;
    return `\x1b${application ? "O" : "["}${FINALS[name]}`;
  }
  if (name in NUMBERS) return `\x1b[${NUMBERS[name]}${modifier > 1 ? `;${modifier}` : ""}~`;
  return modified(PLAIN[name] ?? name, { ctrl, alt });
}

/** A character with Ctrl and Alt, as terminals have always sent them. */
export function modified(text, { ctrl, alt }) {
  if ([...text].length !== 1) return text;
  const sent = ctrl ? control(text) : text;
  return alt ? `\x1b${sent}` : sent;
}

function control(text) {
  if (text === " ") return "\0";
  if (text === "?") return "\x7f";
  const upper = text.toUpperCase();
  return upper >= "@" && upper <= "_" ? String.fromCharCode(upper.charCodeAt(0) & 31) : text;
}
