// The page: who is logged in, which terminals there are, and which one is shown.

import * as api from "./api.js";
import { showProviders } from "./strip.js";
import { makeTouchBar } from "./touch.js";
import { View } from "./view.js";

const LIST_EVERY = 2000;
const TOAST_TIME = 4000;

const $ = (id) => document.getElementById(id);
const coarse = matchMedia("(pointer: coarse)").matches;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

const kept = {
  get: (key, fallback) => localStorage.getItem(`tundra.${key}`) ?? fallback,
  set: (key, value) => localStorage.setItem(`tundra.${key}`, value),
};

let view = null;
let shown = null;
let title = "";
let names = new Map();
let listTimer = null;
let toastTimer = null;
/** Whether the list is being asked for: not before a token in the address was used, nor while one is asked for. */
let listening = false;

const STATES = {
  connecting: "connecting…",
  connected: "connected",
  waiting: "connection lost, trying again…",
  idle: "closed after a long silence",
  dead: "ended",
  missing: "no such terminal",
  login: "logged out",
  replaced: "shown elsewhere",
  none: "not connected",
};

function say(text) {
  clearTimeout(toastTimer);
  $("toast").textContent = text;
  toastTimer = setTimeout(() => { $("toast").textContent = ""; }, TOAST_TIME);
}

function confirmed(question, yes) {
  const dialog = $("ask");
  dialog.querySelector("p").textContent = question;
  dialog.querySelector("[value=yes]").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function note(heading, text, button, act) {
  const host = $("note");
  host.hidden = heading === null;
  if (heading === null) return;
  host.querySelector("h2").textContent = heading;
  host.querySelector("p").textContent = text;
  const element = host.querySelector("button");
  element.hidden = button === undefined;
  element.textContent = button ?? "";
  element.onclick = act ?? null;
}

// Logging in.

function fragment() {
  return new URLSearchParams(location.hash.slice(1));
}

async function start() {
  const given = fragment();
  const token = given.get("token");
  if (token !== null) {
    // The token is used up now and must not stay in the address.
    given.delete("token");
    history.replaceState(null, "", given.size > 0 ? `#${given}` : location.pathname);
    try {
      await api.login(token);
    } catch (error) {
      // A session from before may still be good.
      $("login-error").textContent = error.message;
    }
  }
  listening = true;
  await refresh();
}

function askForToken() {
  listening = false;
  leave();
  state("login");
  note(null);
  $("login").hidden = false;
  $("token").focus();
}

async function login(event) {
  event.preventDefault();
  const text = $("token").value.trim();
  // Whoever pastes the whole address means the token in it.
  const token = new URLSearchParams(text.split("#")[1] ?? "").get("token") ?? text;
  try {
    await api.login(token);
    $("token").value = "";
    $("login-error").textContent = "";
    $("login").hidden = true;
    state("none");
    listening = true;
    await refresh();
  } catch (error) {
    $("login-error").textContent = error.message;
  }
}

// The list.

async function refresh() {
  clearTimeout(listTimer);
  if (!listening) return;
  try {
    const [terminals, status] = await Promise.all([api.terminals(), api.status()]);
    $("login").hidden = true;
    list(terminals);
    names = new Map(terminals.map(({ id, name }) => [id, name]));
    if (shown) entitle(title);
    showProviders($("providers"), status?.providers ?? [], say);
    $("pool").textContent = status ? `${status.pool.active}/${status.pool.max} terminals` : "";
    const wanted = fragment().get("terminal");
    if (wanted && wanted !== shown) show(wanted);
    if (!wanted && !view) welcome(terminals);
  } catch (error) {
    if (error.status === 401) return askForToken();
    // The connection's own state says what is wrong; the list is asked for again.
  }
  if (!document.hidden && listening) listTimer = setTimeout(refresh, LIST_EVERY);
}

function welcome(terminals) {
  const living = terminals.filter((facts) => facts.status !== "dead");
  if (living.length === 1) {
    location.hash = `terminal=${living[0].id}`;
    return;
  }
  const text = living.length === 0 ? "There is none yet." : "Choose one from the list.";
  note("No terminal is shown", text, "New terminal", () => make({}));
}

function list(terminals) {
  const items = terminals.map((facts) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#terminal=${facts.id}`;
    link.className = facts.status;
    if (facts.id === shown) link.setAttribute("aria-current", "true");
    const name = document.createElement("b");
    name.textContent = facts.name;
    link.append(name);
    if (facts.agent) {
      const agent = document.createElement("span");
      agent.className = `agent ${facts.agent.state}`;
      agent.textContent = `${facts.agent.kind}: ${facts.agent.state}${facts.agent.state === "waiting" ? " ●" : ""}`;
      link.append(agent);
    }
    const about = document.createElement("span");
    const viewers = facts.viewers > 0 ? ` · ${facts.viewers} attached` : "";
    about.textContent = `${facts.status} · ${facts.cols}×${facts.rows}${viewers}`;
    about.title = facts.command.join(" ");
    link.append(about);
    item.append(link);
    if (facts.status !== "dead") {
      const end = document.createElement("button");
      end.type = "button";
      end.textContent = "×";
      end.setAttribute("aria-label", `End ${facts.name}`);
      end.addEventListener("click", async () => {
        if (await confirmed(`End ${facts.name} and everything that runs in it?`, "End it")) {
          api.end(facts.id).then(refresh, (error) => say(error.message));
        }
      });
      item.append(end);
    }
    return item;
  });
  const focused = document.activeElement?.closest?.("#list a")?.getAttribute("href");
  $("list").replaceChildren(...items);
  if (focused) $("list").querySelector(`a[href="${focused}"]`)?.focus();
}

async function make(options) {
  try {
    const { id } = await api.open(options);
    location.hash = `terminal=${id}`;
    refresh();
  } catch (error) {
    say(error.message);
  }
}

// The terminal.

function show(id) {
  leave();
  shown = id;
  note(null);
  $("body").classList.remove("open");
  $("menu").setAttribute("aria-expanded", "false");
  view = new View($("screen"), {
    id,
    readOnly: $("read-only").checked,
    dark: isDark(),
    fontSize: Number(kept.get("font", coarse ? "13" : "14")),
    screenReader: $("screen-reader").checked,
    passive: coarse,
    events: {
      state: (name, detail) => state(name, detail, id),
      role,
      exit: ({ code, signal }) => {
        state("dead");
        note("The program has ended", signal === null ? `Exit code ${code}.` : `Signal ${signal}.`, undefined);
        refresh();
      },
      title: (text) => entitle(text),
      say,
      search: ({ resultIndex, resultCount }) => {
        $("hits").textContent = resultCount === 0 ? "nothing" : `${resultIndex + 1} of ${resultCount}`;
      },
      confirmPaste: (lines) => confirmed(`Paste ${lines} lines? This program takes each line as a command.`, "Paste"),
    },
  });
  if (!coarse) view.focus();
  globalThis.tundra = { view };
}

/** Shows what the program calls itself, else the terminal's name. */
function entitle(text) {
  title = text;
  const shownTitle = text || names.get(shown) || "tundra";
  $("title").textContent = shownTitle;
  document.title = shownTitle === "tundra" ? "tundra" : `${shownTitle} – tundra`;
}

function leave() {
  view?.dispose();
  view = null;
  shown = null;
  $("screen").replaceChildren();
  entitle("");
  $("role").textContent = "";
  $("take").hidden = true;
  $("fit").hidden = true;
}

function state(name, detail = {}, id = null) {
  const host = $("link");
  host.className = name;
  host.querySelector("span").textContent = STATES[name] ?? name;
  if (name === "connected" && !detail.resumed) note(null);
  if (name === "idle") note("Closed after a long silence", "The terminal goes on. Press a key to look at it again.", "Show", () => view?.wake());
  if (name === "connected") note(null);
  if (name === "dead" && id) note("This terminal has ended", "It is kept in the list for a minute.");
  if (name === "missing") note("There is no such terminal", "It may belong to an earlier run of tundra.");
  if (name === "login" && id) askForToken();
}

function role({ role: mine, writer }) {
  const readOnly = $("read-only").checked;
  const who = { you: "you write", front: "the terminal's user writes", viewer: "another viewer writes" };
  $("role").textContent = readOnly ? "read only" : who[writer] ?? "nobody writes";
  $("take").hidden = readOnly || mine === "writer";
  $("fit").hidden = !(coarse && mine === "writer");
}

// Looks.

function isDark() {
  const theme = kept.get("theme", "auto");
  return theme === "auto" ? systemDark.matches : theme === "dark";
}

function paint() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  view?.setDark(isDark());
}

function setUp() {
  $("theme").value = kept.get("theme", "auto");
  $("theme").addEventListener("change", () => {
    kept.set("theme", $("theme").value);
    paint();
  });
  systemDark.addEventListener("change", paint);
  paint();

  $("screen-reader").checked = kept.get("screen-reader", "false") === "true";
  $("screen-reader").addEventListener("change", (event) => {
    kept.set("screen-reader", event.target.checked);
    view?.setScreenReader(event.target.checked);
  });
  $("read-only").addEventListener("change", () => {
    const id = shown;
    if (id) show(id);
  });
  const touch = $("touch");
  touch.checked = kept.get("touch", String(coarse)) === "true";
  $("touchbar").hidden = !touch.checked;
  touch.addEventListener("change", () => {
    kept.set("touch", touch.checked);
    $("touchbar").hidden = !touch.checked;
  });
  makeTouchBar($("touchbar"), () => view);

  $("login").addEventListener("submit", login);
  $("logout").addEventListener("click", async () => {
    await api.logout();
    askForToken();
  });
  $("new").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = $("new-command").value.trim().split(/\s+/).filter(Boolean);
    const [command, ...args] = words;
    const options = { persistent: $("new-persistent").checked };
    if (command) Object.assign(options, { command, args });
    $("new-command").value = "";
    make(options);
  });
  $("menu").addEventListener("click", () => {
    const open = $("body").classList.toggle("open");
    $("menu").setAttribute("aria-expanded", String(open));
  });
  $("take").addEventListener("click", () => {
    view?.link.take();
    view?.focus();
  });
  $("fit").addEventListener("click", () => view?.fitPane());
  $("copy").addEventListener("click", () => {
    if (view && !view.copy()) say("Nothing is selected.");
  });
  for (const [id, step] of [["smaller", -1], ["larger", 1]]) {
    $(id).addEventListener("click", () => view && kept.set("font", view.zoom(step)));
  }
  setUpSearch();
}

function setUpSearch() {
  const search = $("search");
  const close = () => {
    search.hidden = true;
    view?.find("");
    view?.focus();
  };
  const open = () => {
    search.hidden = false;
    $("needle").select();
    $("needle").focus();
  };
  $("find").addEventListener("click", () => (search.hidden ? open() : close()));
  $("search-close").addEventListener("click", close);
  $("previous").addEventListener("click", () => view?.find($("needle").value, true));
  $("needle").addEventListener("input", () => view?.find($("needle").value));
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    view?.find($("needle").value);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  document.addEventListener("keydown", (event) => {
    if (!event.ctrlKey || !event.shiftKey) return;
    const act = { f: open, c: () => view?.copy(), l: () => $("list").querySelector("a")?.focus() }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  }, true);
}

addEventListener("hashchange", () => {
  const wanted = fragment().get("terminal");
  if (fragment().has("token")) start();
  else if (wanted && wanted !== shown) show(wanted);
  refresh();
});
for (const [target, event] of [[document, "visibilitychange"], [globalThis, "pageshow"], [globalThis, "online"], [globalThis, "focus"]]) {
  target.addEventListener(event, () => {
    if (document.hidden) return;
    view?.wake();
    refresh();
  });
}
document.addEventListener("keydown", () => {
  if ($("link").className === "idle") view?.wake();
});

setUp();
start();
