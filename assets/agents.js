// Agents: which of them need their user, in words, in the page's title, and by the browser's notifications.

/** What an agent's state is shown by beside its word, so that colour is never all. */
const GLYPHS = { waiting: "▲", failed: "◆", quota: "◔", done: "✓", working: "●", idle: "○", unknown: "·" };
/** Those that need their user, the most urgent first. */
const WANTING = ["waiting", "failed", "quota", "done"];
const ORDER = [...WANTING, "working", "idle", "unknown"];
/** At most one notification of a terminal in this time. */
const AGAIN = 60_000;

const words = {
  waiting: () => "waits for you",
  failed: ({ message }) => `failed${message ? `: ${message}` : ""}`,
  quota: ({ until }) => `is out of quota${until ? ` until ${clock(until)}` : ""}`,
  done: () => "is done",
};

function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** The state in a few words: what, until when, and by which sign. */
export function stateOf({ kind, state, until, message, observed }) {
  const more = state === "quota" && until ? ` until ${clock(until)}` : "";
  const why = message && (state === "failed" || state === "waiting") ? ` – ${message}` : "";
  return `${GLYPHS[state] ?? ""} ${kind}: ${state}${more}${why}${observed ? "" : " (not observed)"}`;
}

/** Since when it is in its state. */
export const sinceOf = ({ since }) => clock(since);

/** Which sign told the state, and since when. */
function evidenceOf({ by, since, message }) {
  return `told by ${by} since ${clock(since)}${message ? `: ${message}` : ""}`;
}

/** Tells an agent's state in an element, and by which sign it is known. */
export function showState(host, agent) {
  host.className = `agent ${agent.state}`;
  host.textContent = stateOf(agent);
  host.title = evidenceOf(agent);
}

/** What a terminal's requests cost, with its budget where it has one; nothing where there is nothing to tell. */
export function costOf({ usage, budget }) {
  if (budget?.usd != null) return `$${budget.used_usd.toFixed(2)} of $${budget.usd.toFixed(2)}`;
  if (budget?.tokens != null) return `${budget.used_tokens} of ${budget.tokens} tokens`;
  if (!usage || usage.requests === 0) return "";
  if (usage.cost_usd > 0) return `$${usage.cost_usd.toFixed(2)}`;
  return `${usage.tokens.input + usage.tokens.output} tokens`;
}

/** Whether so much of a budget is used that its user should know. */
export function isNearEnd({ budget }) {
  if (!budget) return false;
  const money = budget.usd ? budget.used_usd / budget.usd : 0;
  const tokens = budget.tokens ? budget.used_tokens / budget.tokens : 0;
  return Math.max(money, tokens) >= 0.8;
}

/** The living, agents that need their user first. */
export function byUrgency(terminals) {
  const rank = ({ agent }) => (agent ? ORDER.indexOf(agent.state) : ORDER.length);
  return terminals.filter(({ status }) => status !== "dead").sort((one, other) => rank(one) - rank(other));
}

/** How many need their user, but for the one that is looked at. */
export function wanting(terminals, shown) {
  const wants = ({ id, agent, status }) => id !== shown && status !== "dead" && WANTING.includes(agent?.state);
  return terminals.filter(wants).length;
}

/** Shows notifications of agents that come to need their user while the page is out of sight, where that is allowed. */
export class AgentNotices {
  /** `go(id)` shows a terminal; `wanted()` says whether the user wants to be told. */
  constructor({ go, wanted }) {
    this.go = go;
    this.wanted = wanted;
    this.states = new Map();
    this.told = new Map();
  }

  /** What was listed; the first time nothing is news. */
  see(terminals, now = Date.now()) {
    for (const { id, name, agent, status } of terminals) {
      const state = status === "dead" ? undefined : agent?.state;
      const before = this.states.get(id);
      this.states.set(id, state);
      const isNews = before !== undefined && before !== state && WANTING.includes(state);
      if (isNews && now - (this.told.get(id) ?? -AGAIN) >= AGAIN && document.hidden) {
        this.told.set(id, now);
        this.tell(id, `${name} ${words[state](agent)}`);
      }
    }
  }

  tell(id, text) {
    if (!this.wanted() || globalThis.Notification?.permission !== "granted") return;
    try {
      const notice = new Notification("tundra", { body: text, tag: id });
      notice.onclick = () => {
        window.focus();
        this.go(id);
      };
    } catch {
      // Some browsers want a service worker for it; the title tells all the same.
    }
  }
}
