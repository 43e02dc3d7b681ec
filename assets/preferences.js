// How the page looks: what the user chose, kept in this browser, and what fits the screen.

const $ = (id) => document.getElementById(id);
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const small = matchMedia("(max-width: 760px), (max-height: 480px)");

const kept = {
  get: (key, fallback) => localStorage.getItem(`tundra.${key}`) ?? fallback,
  set: (key, value) => localStorage.setItem(`tundra.${key}`, value),
};

function isDark() {
  const theme = kept.get("theme", "auto");
  return theme === "auto" ? systemDark.matches : theme === "dark";
}

/** `view()` is the terminal shown; answers `now()`, what a new one should look like. */
export function setUpPreferences({ coarse, view, onNotify }) {
  const paint = () => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    view()?.setDark(isDark());
  };
  $("theme").value = kept.get("theme", "auto");
  $("theme").addEventListener("change", () => {
    kept.set("theme", $("theme").value);
    paint();
  });
  systemDark.addEventListener("change", paint);

  const reader = $("screen-reader");
  reader.checked = kept.get("screen-reader", "false") === "true";
  reader.addEventListener("change", () => {
    kept.set("screen-reader", reader.checked);
    view()?.setScreenReader(reader.checked);
  });

  const touch = $("touch");
  touch.checked = kept.get("touch", String(coarse)) === "true";
  $("touchbar").hidden = !touch.checked;
  touch.addEventListener("change", () => {
    kept.set("touch", touch.checked);
    $("touchbar").hidden = !touch.checked;
  });

  // The browser asks its user, who can take it back in the browser alone.
  if (globalThis.Notification && isSecureContext) {
    const notify = $("notify");
    const allowed = () => Notification.permission === "granted" && kept.get("notify", "true") === "true";
    $("notify-label").hidden = false;
    notify.checked = allowed();
    notify.addEventListener("change", async () => {
      kept.set("notify", notify.checked);
      if (notify.checked && Notification.permission === "default") await Notification.requestPermission();
      notify.checked = allowed();
      await onNotify(notify.checked);
    });
  }

  for (const [id, step] of [["smaller", -1], ["larger", 1]]) {
    $(id).addEventListener("click", () => view() && kept.set("font", view().zoom(step)));
  }

  // Where there is no room in the header its tools stand in the menu.
  const place = () => (small.matches ? $("settings").prepend($("tools")) : $("more").before($("tools")));
  small.addEventListener("change", place);

  // A soft keyboard covers the page in some browsers instead of shrinking it.
  const keyboard = () => {
    const { height, scale } = globalThis.visualViewport;
    if (scale === 1) document.body.style.height = `${height}px`;
  };
  globalThis.visualViewport?.addEventListener("resize", keyboard);

  paint();
  place();
  return {
    now: () => ({
      dark: isDark(),
      fontSize: Number(kept.get("font", "14")),
      screenReader: reader.checked,
    }),
    /** Whether the user wants to be told by notifications. */
    notifies: () => kept.get("notify", "true") === "true",
    /** Whether the user wants it and the browser lets it be. */
    mayNotify: () => globalThis.Notification?.permission === "granted" && kept.get("notify", "true") === "true",
  };
}
