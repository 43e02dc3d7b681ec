// What fingers need: a bar of the keys that soft keyboards lack, with a line to write in, and scrolling by swipe.

const KEYS = [
  ["Esc", "escape"], ["Tab", "tab"], ["Ctrl", null, "ctrl"], ["Alt", null, "alt"],
  ["←", "left", "Left"], ["↑", "up", "Up"], ["↓", "down", "Down"], ["→", "right", "Right"],
  ["^C", "\x03", "Ctrl+C"], ["^D", "\x04", "Ctrl+D"], ["Home", "home"], ["End", "end"], ["PgUp", "pageup"], ["PgDn", "pagedown"],
  ["|", "|"], ["/", "/"], ["-", "-"], ["~", "~"],
];

/** Fills `host`; `view()` is the terminal shown, if there is one. */
export function makeTouchBar(host, view) {
  const held = { ctrl: false, alt: false };
  const holders = {};
  const keys = document.createElement("div");
  keys.className = "keys";
  for (const [label, key, name] of KEYS) {
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
      else view()?.key(key, release());
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

  line.addEventListener("beforeinput", (event) => {
    if ((held.ctrl || held.alt) && event.data) {
      event.preventDefault();
      view()?.key(event.data.slice(-1), release());
    } else if (event.inputType === "deleteContentBackward" && line.value === "") {
      view()?.key("backspace", release());
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
    if (text.includes("\n")) {
      if (!(await shown?.paste(text))) {
        line.value = text;
        return;
      }
    } else if (text !== "") {
      shown?.key(text);
    }
    shown?.key("enter");
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
    if (last === null || touches.length !== 1) return;
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
