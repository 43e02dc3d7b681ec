// The bar for fingers: keys that soft keyboards lack, and a line to write in.

const KEYS = [
  ["Esc", "escape"], ["Tab", "tab"], ["Ctrl", null, "ctrl"], ["Alt", null, "alt"],
  ["←", "left", "Left"], ["↑", "up", "Up"], ["↓", "down", "Down"], ["→", "right", "Right"],
  ["^C", "\x03"], ["^D", "\x04"], ["PgUp", "pageup"], ["PgDn", "pagedown"], ["|", "|"], ["/", "/"], ["~", "~"],
];

/** Fills `host`; `view()` is the terminal shown, if there is one. */
export function makeTouchBar(host, view) {
  const held = { ctrl: false, alt: false };
  const keys = document.createElement("div");
  keys.className = "keys";
  const holders = [];
  for (const [label, key, modifier] of KEYS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    if (key === null) {
      button.setAttribute("aria-pressed", "false");
      holders.push([button, modifier]);
    } else if (modifier) {
      button.setAttribute("aria-label", modifier);
    }
    // A tap must not take the focus, or the keyboard goes away.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      if (key === null) hold(modifier, !held[modifier]);
      else view()?.key(applied(key));
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
  form.append(line, send);
  host.append(keys, form);

  function hold(modifier, on) {
    held[modifier] = on;
    for (const [button, name] of holders) button.setAttribute("aria-pressed", String(held[name]));
  }

  /** A key with the modifiers that are held, which it releases. */
  function applied(key) {
    let text = key;
    if (held.ctrl && text.length === 1 && text >= "@") text = String.fromCharCode(text.toUpperCase().charCodeAt(0) & 31);
    if (held.alt && text.length === 1) text = `\x1b${text}`;
    hold("ctrl", false);
    hold("alt", false);
    return text;
  }

  line.addEventListener("beforeinput", (event) => {
    if ((held.ctrl || held.alt) && event.data) {
      event.preventDefault();
      view()?.key(applied(event.data.slice(-1)));
    } else if (event.inputType === "deleteContentBackward" && line.value === "") {
      view()?.key("backspace");
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

  function submit() {
    const text = line.value;
    line.value = "";
    if (text.includes("\n")) view()?.paste(text);
    else if (text !== "") view()?.key(text);
    view()?.key("enter");
  }
}
