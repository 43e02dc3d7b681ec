// What fingers need: a bar of the keys that soft keyboards lack, with a line to write in; scrolling by swipe; selecting by
// a long press.

/** How long a finger rests before it selects, and how far it may stray meanwhile. */
const LONG_PRESS = 450;
const STRAY = 8;
/** So close to an edge a selection scrolls. */
const EDGE = 28;
const EDGE_EVERY = 80;

const KEYS = [
  ["Esc", "Escape"], ["Tab", "Tab"], ["Ctrl", null, "ctrl"], ["⏎", "Enter", "Enter"],
  ["←", "ArrowLeft", "Left"], ["↑", "ArrowUp", "Up"], ["↓", "ArrowDown", "Down"], ["→", "ArrowRight", "Right"],
  ["Alt", null, "alt"], ["⇧⏎", "Enter", "Shift+Enter", { shift: true }], ["⌫", "Backspace", "Backspace"],
  ["^C", "\x03", "Ctrl+C"], ["^D", "\x04", "Ctrl+D"], ["Home", "Home"], ["End", "End"], ["PgUp", "PageUp"], ["PgDn", "PageDown"],
  ["|", "|"], ["/", "/"], ["-", "-"], ["~", "~"],
];

/** Fills `host`; `view()` is the terminal shown, if there is one. */
export function makeTouchBar(host, view) {
  const held = { ctrl: false, alt: false };
  const holders = {};
  const keys = document.createElement("div");
  keys.className = "keys";
  for (const [label, key, name, more] of KEYS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    if (key === null) {
      holders[name] = button;
      button.setAttribute("aria-pressed", "false");
    } else if (name) {
      button.setAttribute("aria-label", name);
    }
    // A tap must not take the focus, or the keyboard goes away.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      if (key === null) hold(name, !held[name]);
      else view()?.key(key, { ...release(), ...more });
    });
    keys.append(button);
  }
  const form = document.createElement("form");
  const line = document.createElement("textarea");
  line.rows = 1;
  line.placeholder = "Write here";
  line.setAttribute("aria-label", "Text for the terminal");
  for (const [name, value] of [["autocapitalize", "off"], ["autocomplete", "off"], ["autocorrect", "off"],
    ["spellcheck", "false"], ["enterkeyhint", "send"]]) line.setAttribute(name, value);
  const send = document.createElement("button");
  send.textContent = "Send";
  send.addEventListener("pointerdown", (event) => event.preventDefault());
  form.append(line, send);
  host.replaceChildren(keys, form);

  function hold(modifier, on) {
    held[modifier] = on;
    holders[modifier].setAttribute("aria-pressed", String(on));
  }

  /** The modifiers that are held, for one key. */
  function release() {
    const now = { ...held };
    hold("ctrl", false);
    hold("alt", false);
    return now;
  }

  /** Shows all that was written, as far as there is room. */
  function grow() {
    line.style.height = "auto";
    line.style.height = `${line.scrollHeight + line.offsetHeight - line.clientHeight}px`;
  }

  line.addEventListener("input", grow);
  line.addEventListener("beforeinput", (event) => {
    if ((held.ctrl || held.alt) && event.data) {
      event.preventDefault();
      view()?.key(event.data.slice(-1), release());
    } else if (event.inputType === "deleteContentBackward" && line.value === "") {
      view()?.key("Backspace", release());
    }
  });
  line.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  async function submit() {
    const shown = view();
    const text = line.value;
    line.value = "";
    grow();
    if (text.includes("\n")) {
      if (!(await shown?.paste(text))) {
        line.value = text;
        grow();
        return;
      }
    } else if (text !== "") {
      shown?.key(text);
    }
    shown?.key("Enter");
  }

  return { release };
}

/** Scrolls `view()` by swipes over `host`, where `host` itself has nothing left to scroll; xterm.js leaves them alone. */
export function scrollBySwipe(host, view) {
  let last = null;
  let rest = 0;
  host.addEventListener("touchstart", ({ touches }) => {
    last = touches.length === 1 ? touches[0].clientY : null;
    rest = 0;
  }, { passive: true });
  host.addEventListener("touchmove", ({ touches }) => {
    if (last === null || touches.length !== 1 || host.classList.contains("selecting")) return;
    const { clientX, clientY } = touches[0];
    const moved = last - clientY;
    last = clientY;
    const room = moved < 0 ? host.scrollTop : host.scrollHeight - host.clientHeight - host.scrollTop;
    if (room > 1) return;
    rest += moved;
    const lines = Math.trunc(rest / (view()?.cellHeight() || Infinity));
    if (lines === 0) return;
    rest -= lines * view().cellHeight();
    view().scroll(lines, { clientX, clientY });
  }, { passive: true });
}

/**
 * Selects by a long press over `host` and by moving on from there; a tap takes the selection away. `bar` has what can be
 * done with it.
 */
export function selectByTouch(host, bar, view) {
  let timer = null;
  let start = null;
  let anchor = null;
  let at = null;
  let edgeTimer = null;

  const point = ({ clientX, clientY }) => ({ clientX, clientY });
  const extend = () => view()?.select(...anchor, view().cellAt(at));

  function show() {
    bar.hidden = !view()?.term.hasSelection();
    if (bar.hidden) return;
    // Not over what is selected.
    const { top, height } = host.getBoundingClientRect();
    const isHigh = start.clientY < top + height / 2;
    bar.style.top = isHigh ? "auto" : "8px";
    bar.style.bottom = isHigh ? `${host.parentElement.clientHeight - host.offsetTop - host.clientHeight + 8}px` : "auto";
  }

  function clear() {
    view()?.term.clearSelection();
    bar.hidden = true;
  }

  function begin() {
    const shown = view();
    if (!shown) return;
    host.classList.add("selecting");
    anchor = shown.wordAt(shown.cellAt(start));
    at = start;
    navigator.vibrate?.(10);
    extend();
    edgeTimer = setInterval(() => {
      const { top, bottom } = host.getBoundingClientRect();
      const lines = at.clientY < top + EDGE ? -1 : at.clientY > bottom - EDGE ? 1 : 0;
      if (lines === 0) return;
      view()?.term.scrollLines(lines);
      extend();
    }, EDGE_EVERY);
  }

  function end() {
    clearTimeout(timer);
    clearInterval(edgeTimer);
    timer = null;
    if (!host.classList.contains("selecting")) return false;
    host.classList.remove("selecting");
    show();
    return true;
  }

  host.addEventListener("touchstart", ({ touches }) => {
    end();
    start = touches.length === 1 ? point(touches[0]) : null;
    if (start) timer = setTimeout(begin, LONG_PRESS);
  }, { passive: true });
  host.addEventListener("touchmove", (event) => {
    if (!start) return;
    const { clientX, clientY } = event.touches[0];
    if (host.classList.contains("selecting")) {
      event.preventDefault();
      at = { clientX, clientY };
      extend();
    } else if (Math.hypot(clientX - start.clientX, clientY - start.clientY) > STRAY) {
      clearTimeout(timer);
      start = null;
    }
  }, { passive: false });
  host.addEventListener("touchend", (event) => {
    const wasTap = start !== null;
    if (end()) return event.preventDefault();
    if (wasTap && view()?.term.hasSelection()) clear();
  });
  host.addEventListener("touchcancel", end);
  // A long press is this one's, not the browser's menu.
  host.addEventListener("contextmenu", (event) => {
    if (timer !== null || host.classList.contains("selecting") || event.pointerType === "touch") event.preventDefault();
  });

  const button = (name) => bar.querySelector(`#selection-${name}`);
  for (const { id } of bar.children) bar.querySelector(`#${id}`).addEventListener("pointerdown", (event) => event.preventDefault());
  button("copy").addEventListener("click", () => {
    view()?.copy();
    clear();
  });
  button("lines").addEventListener("click", () => view()?.selectLines());
  button("all").addEventListener("click", () => view()?.term.selectAll());
  button("close").addEventListener("click", clear);
}
