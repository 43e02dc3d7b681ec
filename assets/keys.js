// Keys by their names. The server encodes them, since it alone knows what the program in the terminal has asked for
// (kitty flags, modifyOtherKeys, application modes) and what its agent takes; text goes as it is.

const NAMED = {
  Enter: "enter", Escape: "esc", Tab: "tab", Backspace: "backspace", Insert: "insert", Delete: "delete", ArrowUp: "up",
  ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", Home: "home", End: "end", PageUp: "pageup", PageDown: "pagedown",
  " ": "space", "-": "minus", "+": "plus",
};
/** These scroll the page's terminal with Shift, as in other terminals. */
const SCROLLS = ["PageUp", "PageDown"];
const NUMPAD = 3;

/** The name of a key with modifiers; `key` is one of `KeyboardEvent.key`. */
export function named(key, { ctrl = false, alt = false, shift = false } = {}) {
  const name = NAMED[key] ?? (/^F\d{1,2}$/.test(key) ? key.toLowerCase() : key);
  return `${ctrl ? "ctrl-" : ""}${alt ? "alt-" : ""}${shift ? "shift-" : ""}${name}`;
}

/** Whether a key is known by its name rather than by its text. */
export const isNamed = (key) => (key in NAMED && key.length > 1) || /^F\d{1,2}$/.test(key);

/**
 * The name of what a keyboard did, or null where it is text, the browser's, or for xterm.js. With Ctrl or Alt a letter is
 * known by its place on a US layout, whatever the layout makes of it.
 */
export function nameOf(event) {
  const { key, code, location } = event;
  if (event.isComposing || event.keyCode === 229 || event.metaKey || location === NUMPAD) return null;
  if (event.getModifierState?.("AltGraph")) return null;
  const held = { ctrl: event.ctrlKey, alt: event.altKey, shift: event.shiftKey };
  if (held.shift && !held.ctrl && !held.alt && SCROLLS.includes(key)) return null;
  // The browser copies and pastes with these.
  if (key === "Insert" && (held.shift || held.ctrl)) return null;
  if (isNamed(key)) return named(key, held);
  if (!held.ctrl && !held.alt) return null;
  if ([...key].length !== 1) return null;
  const place = code.match(/^(?:Key|Digit)([A-Z0-9])$/)?.[1].toLowerCase();
  const character = key >= " " && key <= "~" ? key : place;
  if (character === undefined) return null;
  // Shift is part of a character; with Ctrl it stands beside the letter.
  const shift = held.ctrl && held.shift && /[a-z]/i.test(character);
  return named(shift ? character.toLowerCase() : character, { ...held, shift });
}

/** A character with Ctrl and Alt of the key bar, as terminals have always sent them. */
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
