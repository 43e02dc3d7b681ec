// The page: who is logged in, which terminals there are, and which one is shown.

import { AgentNotices, byUrgency, stateOf, wanting } from "./agents.js";
import * as api from "./api.js";
import { List, commandOf, ended } from "./list.js";
import { Journal } from "./journal.js";
import { Overview } from "./overview.js";
import { setUpPreferences } from "./preferences.js";
import { Providers, countsDown } from "./providers.js";
import * as push from "./push.js";
import { confirmPaste, confirmed, note, hush, say } from "./dialogs.js";
import { makeTouchBar, scrollBySwipe, selectByTouch } from "./touch.js";
import { View } from "./view.js";

const LIST_EVERY = 2000;
/** While a provider's breaker or cooldown counts down. */
const COUNT_EVERY = 1000;
/** While the page is out of sight. */
const HIDDEN_EVERY = 5000;
const BELL_TIME = 200;

const $ = (id) => document.getElementById(id);
const coarse = matchMedia("(pointer: coarse)").matches;

let view = null;
let shown = null;
let title = "";
let rung = false;
let role = null;
let terminals = [];
let listTimer = null;
/** Whether the list is being asked for: not before a token in the address was used, nor while one is asked for. */
let listening = false;
/** Whether the server knew this page before. */
let wasIn = false;
/** The terminals that this page has been attached to. */
const met = new Set();

const list = new List($("list"), { end, again: () => { drawer(false); view?.focus(); } });
const overview = new Overview($("agents"), fail);
const providerStrip = new Providers($("providers"), $("alerts"), $("provider"), say);
providerStrip.onAct = refresh;
providerStrip.nameOf = (id) => terminals.find((facts) => facts.id === id)?.name;
const journal = new Journal($("journal"), refresh);
const bar = makeTouchBar($("touchbar"), () => view);
scrollBySwipe($("screen"), () => view);
selectByTouch($("screen"), $("selection"), () => view);
const preferences = setUpPreferences({ coarse, view: () => view, onNotify: reachWhenClosed });
/** Whether the listener reaches this browser by its push service, with the page or without it. */
let pushed = false;
const goTo = (id) => { location.hash = `terminal=${id}`; };
const agentNotices = new AgentNotices({ go: goTo, wanted: () => !pushed && preferences.notifies() });
push.onClick(goTo);

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
  away: "tundra does not answer, trying again…",
};

/** What can be done where there is nothing to look at: a new terminal, or another one. */
function choices(among = terminals) {
  const others = byUrgency(among).filter(({ id }) => id !== shown).slice(0, 12);
  const label = ({ name, agent }) => (agent ? `${name} ${stateOf(agent)}` : name);
  const links = others.map((facts) => [label(facts), () => { location.hash = `terminal=${facts.id}`; }]);
  return [["New terminal", () => make({ persistent: true })], ...links];
}

/** An error, and what helps first where that is known. */
async function fail(error) {
  say(error.message);
  const of = (words) => api.explain(words).catch(() => null);
  const told = await of(error.message) ?? await of(error.code ?? "");
  if (told) say(`${error.message}\n${told.cures[0]}`);
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
      // A session from before may still be good; else the form is shown, and this in it.
      $("login-error").textContent = error.message;
    }
  }
  listening = true;
  await refresh();
}

/** Asks for a token. What is shown stays, and goes on where it was, so that what was typed offline is not lost. */
function askForToken() {
  listening = false;
  $("login-why").textContent = wasIn ? "You were logged out: tundra was restarted, or twelve hours are over." : "";
  $("login").hidden = false;
  state("login");
  note(null);
  $("screen").inert = true;
  $("token").focus();
}

/** The server answers, and knows this page. */
/** Has the listener tell this browser of agents while no page is open, or no longer. */
async function reachWhenClosed(wanted) {
  if (!push.isPossible()) return;
  try {
    await (wanted ? push.subscribe() : push.unsubscribe());
    pushed = wanted;
  } catch (error) {
    pushed = false;
    if (wanted) say(`You are told while the page is open, and not when it is closed: ${error.message}`);
  }
}

function isIn() {
  // A subscription may have changed since the last time, or its keeper forgotten it.
  if (!wasIn && preferences.mayNotify()) reachWhenClosed(true);
  wasIn = true;
  const wasOut = !$("login").hidden;
  if (!wasOut && $("link").className !== "away") return;
  $("login").hidden = true;
  $("login-error").textContent = "";
  $("screen").inert = false;
  if (view?.link.over) return show(shown);
  state("none");
  if (!view) return;
  view.wake(true);
  if (!coarse) view.focus();
}

async function login(event) {
  event.preventDefault();
  const text = $("token").value.trim();
  // Whoever pastes the whole address means the token in it, and the terminal.
  const address = new URLSearchParams(text.split("#")[1] ?? "");
  try {
    await api.login(address.get("token") ?? text);
    $("token").value = "";
    listening = true;
    if (address.has("terminal")) location.hash = `terminal=${address.get("terminal")}`;
    await refresh();
  } catch (error) {
    $("login-error").textContent = error.message;
  }
}

// The list.

async function refresh() {
  clearTimeout(listTimer);
  if (!listening) return;
  let every = LIST_EVERY;
  try {
    const [answer, status] = await Promise.all([api.terminals(), api.status()]);
    if (!listening) return;
    terminals = answer;
    isIn();
    list.show(terminals);
    $("all-agents").hidden = !view || !terminals.some(({ agent, status }) => agent && status !== "dead");
    agentNotices.see(terminals);
    entitle();
    const providers = status?.providers ?? [];
    providerStrip.show(providers);
    if (providers.some(countsDown)) every = COUNT_EVERY;
    $("pool").textContent = status ? `${status.pool.active} of ${status.pool.max} terminals` : "";
    $("store").textContent = storeLine(status?.store);
    journal.tell(status?.store.state === "ready" ? "" : storeLine(status?.store));
    const wanted = fragment().get("terminal");
    if (wanted && wanted !== shown) show(wanted);
    if (!wanted && !view) welcome();
  } catch (error) {
    if (error.status === 401) return askForToken();
    const noAnswer = error instanceof TypeError || error.name === "TimeoutError";
    if (!noAnswer && !(error instanceof api.Refused)) throw error;
    // A connection that is trying tells that itself. Either way the list is asked for again.
    if (noAnswer && (!view || view.link.over)) state("away");
  }
  clearTimeout(listTimer);
  // Out of sight the page goes on looking while there are agents, of which its title tells.
  if (!document.hidden) listTimer = setTimeout(refresh, every);
  else if (terminals.some(({ agent }) => agent)) listTimer = setTimeout(refresh, HIDDEN_EVERY);
}

// What is wrong with the journal, and how its copy in Dolt stands where one is kept.
function storeLine(store) {
  if (!store) return "";
  const told = (name, { state, message }) => `${name} ${state}${message ? `: ${message}` : ""}`;
  const parts = store.state === "ready" ? [] : [told("store", store)];
  if (store.dolt.state !== "disabled") parts.push(told("dolt", store.dolt));
  return parts.join(" · ");
}

function welcome() {
  const living = terminals.filter(({ status }) => status !== "dead");
  if (living.length === 1) {
    location.hash = `terminal=${living[0].id}`;
    return;
  }
  if (overview.show(terminals)) {
    const others = living.filter(({ agent }) => !agent);
    note("", others.length === 0 ? "" : "Other terminals", { actions: choices(others), below: true });
    return;
  }
  const text = living.length === 0 ? "There is none yet." : "Choose one.";
  note("No terminal is shown", text, { actions: choices() });
}

async function make(options) {
  try {
    const { id } = await api.open(options);
    location.hash = `terminal=${id}`;
    refresh();
  } catch (error) {
    fail(error);
  }
}

async function end({ id, name }) {
  if (!(await confirmed(`End ${name} and everything that runs in it?`, "End it"))) return;
  api.end(id).then(refresh, fail);
}

/** Opens or closes the list, where it is a drawer. */
function drawer(open) {
  $("body").classList.toggle("open", open);
  $("menu").setAttribute("aria-expanded", String(open));
}

// The terminal.

function show(id) {
  leave();
  shown = id;
  list.mark(id);
  overview.hide();
  note(null);
  drawer(false);
  view = new View($("screen"), {
    id,
    readOnly: $("read-only").checked,
    passive: coarse,
    ...preferences.now(),
    events: {
      state: (name) => state(name),
      role: roleChanged,
      exit: (exit) => {
        state("dead");
        note(`This terminal has ${ended(exit)}`, "", { actions: choices(), below: true });
        refresh();
      },
      title: (text) => {
        title = text;
        entitle();
      },
      say,
      lost: () => say("Another one has the keyboard by now: what you typed meanwhile was not sent.", true),
      search: ({ resultIndex, resultCount }) => {
        $("hits").textContent = resultCount === 0 ? "nothing" : `${resultIndex + 1} of ${resultCount}`;
      },
      bell: ring,
      modifiers: bar.release,
      confirmPaste,
    },
  });
  if (!coarse && $("login").hidden) view.focus();
  globalThis.tundra = { view };
}

/** Shows what the program calls itself, else the terminal's name. */
function entitle() {
  const text = title || terminals.find(({ id }) => id === shown)?.name || "tundra";
  $("title").textContent = text;
  $("title").title = text;
  const wants = wanting(terminals, document.hidden ? null : shown);
  document.title = `${wants > 0 ? `(${wants}) ` : ""}${rung ? "🔔 " : ""}${text === "tundra" ? text : `${text} – tundra`}`;
}

function ring() {
  rung = document.hidden;
  entitle();
  $("screen").classList.add("bell");
  setTimeout(() => $("screen").classList.remove("bell"), BELL_TIME);
}

function leave() {
  view?.dispose();
  view = null;
  shown = null;
  role = null;
  title = "";
  $("screen").replaceChildren();
  $("screen").classList.remove("letterbox");
  $("role").textContent = "";
  $("take").hidden = true;
  $("fit").hidden = true;
  closeSearch();
  list.mark(null);
  entitle();
}

function state(name) {
  const host = $("link");
  host.className = name;
  host.querySelector("span").textContent = STATES[name] ?? name;
  if (name === "connected") note(null);
  // Nobody knows meanwhile who writes; what is typed waits until that is known.
  if (name === "waiting" && role && !$("read-only").checked) {
    $("role").textContent = role.role === "writer" ? "keys are kept" : "";
    $("take").hidden = true;
  }
  if (name === "idle") {
    const again = ["Show", () => view?.wake()];
    note("Closed after a long silence", "The terminal goes on. Press a key to look at it again.", { actions: [again], below: true });
  }
  if (name === "dead") {
    const facts = terminals.find(({ id }) => id === shown);
    note(`This terminal has ${ended(facts?.exit)}`, "", { actions: choices() });
  }
  if (name === "missing") {
    const why = met.has(shown) ? "tundra was restarted, and its terminals ended with it." : "It may belong to an earlier run of tundra.";
    note("There is no such terminal", why, { actions: choices() });
  }
  if (name === "login" && view && $("login").hidden) askForToken();
}

function roleChanged(notice) {
  const mine = notice.role === "writer";
  if (role?.role === "writer" && !mine && notice.writer) {
    say(notice.writer === "front" ? "Somebody types at the machine itself now." : "Another viewer took the keyboard.");
  }
  if (mine && role?.role !== "writer") hush();
  role = notice;
  met.add(shown);
  const readOnly = $("read-only").checked;
  const who = { you: "you write", front: "the front end writes", viewer: "another viewer writes" };
  $("role").textContent = readOnly ? "read only" : who[notice.writer] ?? "nobody writes";
  $("take").hidden = readOnly || mine;
  $("fit").hidden = !(coarse && mine);
}

// Searching.

function openSearch() {
  $("search").hidden = false;
  $("needle").focus();
  $("needle").select();
}

function closeSearch() {
  if ($("search").hidden) return;
  $("search").hidden = true;
  $("hits").textContent = "";
  view?.find("");
  view?.focus();
}

function setUpSearch() {
  const find = (backwards) => view?.find($("needle").value, backwards);
  $("find").addEventListener("click", () => ($("search").hidden ? openSearch() : closeSearch()));
  $("search-close").addEventListener("click", closeSearch);
  $("next").addEventListener("click", () => find(false));
  // What is looked for is what was printed last, as a rule.
  $("needle").addEventListener("input", () => view?.findNewest($("needle").value));
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    find(true);
  });
  $("needle").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.shiftKey) return;
    event.preventDefault();
    find(false);
  });
}

// Keys and buttons of the page.

/** The ways out of the terminal for the keyboard, and back. */
function onKey(event) {
  if ($("link").className === "idle") view?.wake();
  if (event.ctrlKey && event.shiftKey) {
    const leaveForList = () => {
      drawer(true);
      list.focus();
    };
    const act = { f: openSearch, c: () => view?.copy(), l: leaveForList }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  } else if (event.key === "f" && !event.ctrlKey && !event.altKey && !event.metaKey) {
    // Wherever it is typed as text it is text.
    const typed = document.activeElement?.closest(".xterm, input, select, textarea, dialog, #login");
    if (!typed && providerStrip.goOn()) event.preventDefault();
  } else if (event.key === "Escape" && !event.defaultPrevented) {
    const { activeElement } = document;
    const above = activeElement?.closest(".xterm, dialog, [popover], #login, #touchbar");
    if (above || document.querySelector(":popover-open")) return;
    drawer(false);
    if ($("search").contains(activeElement)) closeSearch();
    else view?.focus();
  }
}

function setUp() {
  document.addEventListener("keydown", onKey, true);
  $("login").addEventListener("submit", login);
  $("logout").addEventListener("click", async () => {
    $("settings").hidePopover();
    if (push.isPossible()) await push.unsubscribe().catch(() => {});
    pushed = false;
    await api.logout().catch(fail);
    leave();
    wasIn = false;
    askForToken();
  });
  $("new").addEventListener("submit", (event) => {
    event.preventDefault();
    make({ ...commandOf($("new-command").value.trim()), persistent: $("new-persistent").checked });
    $("new-command").value = "";
  });
  for (const page of ["usage", "history"]) {
    $(`show-${page}`).addEventListener("click", () => {
      drawer(false);
      journal.open(page);
    });
  }
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    view?.focus();
  });
  $("menu").addEventListener("click", () => drawer(!$("body").classList.contains("open")));
  $("screen").addEventListener("pointerdown", () => drawer(false));
  $("read-only").addEventListener("change", () => shown && show(shown));
  $("take").addEventListener("click", () => {
    view?.link.take();
    if (!coarse) view?.focus();
  });
  $("fit").addEventListener("click", () => view?.fitPane());
  $("copy").addEventListener("click", () => view?.copy());
  setUpSearch();
}

addEventListener("hashchange", () => {
  if (fragment().has("token")) return start();
  const wanted = fragment().get("terminal");
  if (wanted && wanted !== shown) show(wanted);
  if (!wanted && view) {
    leave();
    state("none");
    drawer(false);
  }
  refresh();
});
for (const [target, event] of [[document, "visibilitychange"], [globalThis, "pageshow"], [globalThis, "online"], [globalThis, "focus"]]) {
  target.addEventListener(event, () => {
    if (document.hidden) return;
    rung = false;
    entitle();
    // Another network has another address: the old socket is of no use.
    if ($("login").hidden) view?.wake(event === "online");
    refresh();
  });
}

setUp();
start();
