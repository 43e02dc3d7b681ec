// The providers: a chip for each, as the front end's panel has them, and for the one chosen its figures and actions.

import { provider as act, providerRequests } from "./api.js";
import { entries } from "./requests.js";

const seconds = (count) => `${Math.ceil(count)}s`;

/** closed, open 12s, half-open. */
function breakerText({ state, retry_in_s: retry } = {}) {
  if (state === "open") return `open ${seconds(retry ?? 0)}`;
  return (state ?? "closed").replace("_", "-");
}

/** As the front end says it. */
function stateText({ state, cooldown_s: cooldown, held_s: held, used_up_until: usedUp, spills_until: spills }) {
  if (state === "cooling") return `cooling ${seconds(cooldown ?? 0)}`;
  if (state === "held") return `held ${seconds(held ?? 0)}`;
  if (state === "open") return "failing";
  if (state === "rejected") return "key rejected";
  if (state === "exhausted" && usedUp) return spills ? "spilling" : "used up";
  return state === "half_open" ? "half-open" : state.replace("_", " ");
}

const DAY = 24 * 3600 * 1000;

/** A time to come, as the user's clock has it: `14:20`, and with its day where that is not within a day. */
function coming(at) {
  const date = new Date(at);
  const two = (number) => String(number).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const day = date.getTime() - Date.now() < DAY ? "" : `${date.toLocaleDateString("en", { weekday: "short" })} `;
  return day + time;
}

/** What a plan has left, `5h 73 % 14:20 · 7d 12 %`; the end of the first window is what its user waits for. */
function windowsText(windows = []) {
  // That nothing is used beyond the plan goes without saying.
  return windows.filter(({ name, used }) => name !== "overage" || used > 0).map(({ name, used, resets_at: resets }, at) =>
    `${name} ${Math.round(used * 100)} %${at === 0 && resets ? ` ${coming(resets)}` : ""}`).join(" · ");
}

/** Until when a plan is used up, and who goes on; null where it is not. */
function usedUpText({ name, used_up_until: until, used_up_family: family, spills_until: spills, substitute }) {
  if (!until) return null;
  const text = `${name} is used up ${family ? `for ${family} ` : ""}until ${coming(until)}`;
  if (!substitute) return text;
  // The key is the button's that follows.
  return substitute.asks ? `${text}: ` : `${text}: goes on with ${substitute.name}${spills ? ", which costs money" : ""}`;
}

/** The states of a profile that requests may go to. */
const OPEN_TO_REQUESTS = new Set(["ready", "half_open", "no_login"]);

/** What is said where nobody can take a request; null where somebody can. */
function allDownText(providers) {
  if (providers.length === 0 || providers.some(({ state }) => OPEN_TO_REQUESTS.has(state))) return null;
  const reasons = providers.filter(({ enabled }) => enabled).map(({ name, reason, state }) => `${name}: ${reason ?? state}`);
  return `No provider can take requests. ${reasons.join("; ")}`;
}

const FRESH = 60000;

/** What went wrong within the last minute. */
const freshError = ({ last_error: last }) => (last && Date.now() - Date.parse(last.at) < FRESH ? last.message : null);

const sum = (counts) => Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
const bucket = (facts) => (facts ? `${Math.floor(facts.available)} of ${facts.capacity} left` : null);

/** What is known of one, as names and values; null is not shown. */
function figures(facts) {
  const { breaker, buckets, errors, tokens, translated, first_byte_ms: latency, last_error: last, process: server } = facts;
  const kinds = Object.entries(errors ?? {}).filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind.replace("_", " ")}`);
  return [
    ["State", stateText(facts) + (facts.reason ? ` (${facts.reason})` : "")],
    ["Plan", windowsText(facts.windows) || null],
    ["Used up", usedUpText(facts)?.replace(/: $/, "")],
    ["Breaker", breakerText(breaker) + (breaker?.failures ? ` (${breaker.failures} failures in a row)` : "")],
    ["Model", facts.model],
    ["Server", server ? `${server.state}${server.restarts ? `, ${server.restarts} restarts` : ""}` : null],
    ["Requests a minute", bucket(buckets?.requests)],
    ["Tokens a minute", bucket(buckets?.tokens)],
    ["Requests", `${facts.requests ?? 0}${facts.in_flight ? `, ${facts.in_flight} under way` : ""}`],
    ["Errors", kinds.length > 0 ? kinds.join(", ") : String(sum(errors))],
    ["First byte", latency?.p50 == null ? null : `${Math.round(latency.p50)} ms, p95 ${Math.round(latency.p95)} ms`],
    ["Translated", translated?.requests ? `${translated.requests} to ${translated.dialect}${translated.without?.length ? `, without ${translated.without.join(", ")}` : ""}` : null],
    ["Tokens", tokens ? `${tokens.input} in, ${tokens.output} out` : null],
    ["Cost", facts.cost_usd == null ? null : `$${facts.cost_usd.toFixed(2)}`],
    ["Last error", last?.message],
  ].filter(([, value]) => value != null);
}

/** Whether anything of it counts down. */
export const countsDown = ({ breaker, cooldown_s: cooldown, held_s: held }) => breaker?.state === "open" || Boolean(cooldown || held);

/**
 * Keeps `host` filled with chips, and `alerts` with what needs somebody; `panel` is the popover for one of them, `say` tells
 * what became of an action.
 */
export class Providers {
  constructor(host, alerts, panel, say) {
    this.host = host;
    this.alerts = alerts;
    this.panel = panel;
    this.say = say;
    this.chips = new Map();
    this.chosen = null;
    /** Whose requests the panel shows, and which. */
    this.shown = "";
    /** A terminal's name by its id. */
    this.nameOf = () => undefined;
    panel.addEventListener("toggle", ({ newState }) => {
      if (newState === "closed") this.chosen = null;
    });
  }

  show(providers) {
    this.host.hidden = providers.length === 0;
    for (const [name, chip] of this.chips) {
      if (providers.some((facts) => facts.name === name)) continue;
      chip.remove();
      this.chips.delete(name);
    }
    for (const facts of providers) {
      if (!this.chips.has(facts.name)) this.chips.set(facts.name, this.makeChip());
      this.fillChip(this.chips.get(facts.name), facts);
    }
    const order = providers.map(({ name }) => this.chips.get(name));
    // Moving a chip would take its focus away.
    if (order.some((chip, at) => this.host.children[at] !== chip)) this.host.append(...order);
    this.alert(providers);
    if (this.chosen) {
      const facts = providers.find(({ name }) => name === this.chosen);
      if (facts) this.fillPanel(facts);
      else this.panel.hidePopover();
    }
  }

  /** Says where nobody can take requests, and which plans are used up, with a button where somebody has to agree to pay. */
  alert(providers) {
    const down = allDownText(providers);
    const wanted = down === null ? [] : [{ className: "down", text: down }];
    for (const facts of providers) {
      const text = usedUpText(facts);
      if (text !== null) wanted.push({ className: "used-up", text, facts });
    }
    wanted.forEach(({ className, text, facts }, at) => {
      const line = this.alerts.children[at] ?? this.alerts.appendChild(this.makeAlert());
      const [words, button] = line.children;
      line.className = className;
      // A reader tells what changes; what is the same is left alone, and a button keeps the focus.
      if (words.textContent !== text) words.textContent = text;
      button.hidden = !facts?.substitute?.asks;
      button.onclick = () => this.act(facts.name, "failover");
      const label = button.hidden ? "" : `f goes on with ${facts.substitute.name}`;
      if (button.textContent !== label) button.textContent = label;
    });
    while (this.alerts.children.length > wanted.length) this.alerts.lastChild.remove();
    this.alerts.hidden = wanted.length === 0;
  }

  /** Agrees to what the first button asks for; false where none is there. */
  goOn() {
    const button = this.alerts.querySelector("button:not([hidden])");
    button?.click();
    return Boolean(button);
  }

  makeAlert() {
    const line = document.createElement("p");
    const button = document.createElement("button");
    button.type = "button";
    line.append(document.createElement("span"), button);
    return line;
  }

  makeChip() {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.setAttribute("aria-haspopup", "dialog");
    chip.append(document.createElement("b"), " ", document.createElement("span"), " ", document.createElement("small"), " ", document.createElement("em"));
    chip.addEventListener("click", () => this.choose(chip));
    return chip;
  }

  fillChip(chip, facts) {
    const [name, state, breaker, more] = chip.children;
    chip.facts = facts;
    chip.dataset.provider = facts.name;
    chip.className = `provider ${facts.state}`;
    const route = facts.active ? "▸ " : facts.answered_last ? "← " : "";
    name.textContent = `${route}${facts.name}${facts.pinned ? " (pinned)" : ""}`;
    const [its, circuit] = [stateText(facts), breakerText(facts.breaker)];
    // A half-open breaker is the state, too; it is told once.
    state.textContent = its;
    breaker.textContent = its === circuit ? "" : circuit;
    // Of a plan that is used up its windows say when it is back.
    const error = facts.used_up_until ? null : freshError(facts);
    more.className = error ? "error" : "";
    more.textContent = error ?? windowsText(facts.windows);
    const went = facts.answered_last ? "The last answer came from here" : "";
    chip.title = [facts.active ? "Requests go here now" : facts.reason, went].filter(Boolean).join(". ");
  }

  choose(chip) {
    this.chosen = chip.facts.name;
    this.fillPanel(chip.facts);
    this.panel.showPopover();
    const { left, bottom } = chip.getBoundingClientRect();
    const { width } = this.panel.getBoundingClientRect();
    this.panel.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    this.panel.style.top = `${bottom + 6}px`;
    this.panel.querySelector("button").focus();
  }

  fillPanel(facts) {
    this.panel.querySelector("h2").textContent = facts.name;
    this.panel.querySelector("dl").replaceChildren(...figures(facts).flatMap(([name, value]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }));
    this.fillRequests(facts.name);
    const actions = ["failover", "restart", "reset", facts.pinned ? "unpin" : "pin", facts.enabled ? "disable" : "enable"];
    const host = this.panel.querySelector(".actions");
    actions.forEach((action, at) => {
      const button = host.children[at] ?? host.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = action;
      button.onclick = () => this.act(facts.name, action);
    });
  }

  /** Why its last requests went where they went. What is the same stays, with whatever is marked in it. */
  async fillRequests(name) {
    const section = this.panel.querySelector("section");
    const show = (shown, items) => {
      if (this.shown === shown) return;
      this.shown = shown;
      section.querySelector("ol").replaceChildren(...items);
      section.hidden = items.length === 0;
    };
    // Those of another one are not shown in the meantime.
    if (!this.shown.startsWith(`${name} `)) show(`${name} `, []);
    try {
      const requests = await providerRequests(name);
      if (this.chosen === name) show(`${name} ${JSON.stringify(requests)}`, entries(requests, this.nameOf));
    } catch {
      // The next look at the list tells what is wrong.
    }
  }

  async act(name, action) {
    this.panel.hidePopover();
    try {
      const { active } = await act(name, action);
      this.say(`${action} ${name}: done. Requests go to ${active ?? "nobody"}.`);
    } catch (error) {
      this.say(`${action} ${name}: ${error.message}`);
    }
    this.onAct?.();
  }
}
