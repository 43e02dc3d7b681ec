// The providers: a chip for each, as the front end's panel has them, and for the one chosen its figures and actions.

import { provider as act } from "./api.js";

const seconds = (count) => `${Math.ceil(count)}s`;

/** closed, open 12s, half-open. */
function breakerText({ state, retry_in_s: retry } = {}) {
  if (state === "open") return `open ${seconds(retry ?? 0)}`;
  return (state ?? "closed").replace("_", "-");
}

function stateText({ state, cooldown_s: cooldown, held_s: held }) {
  if (state === "cooling") return `cooling ${seconds(cooldown ?? 0)}`;
  if (state === "held") return `held ${seconds(held ?? 0)}`;
  return state === "half_open" ? "half-open" : state.replace("_", " ");
}

const sum = (counts) => Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
const bucket = (facts) => (facts ? `${Math.floor(facts.available)} of ${facts.capacity} left` : null);

/** What is known of one, as names and values; null is not shown. */
function figures(facts) {
  const { breaker, buckets, errors, tokens, translated, first_byte_ms: latency, last_error: last, process: server } = facts;
  const kinds = Object.entries(errors ?? {}).filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind.replace("_", " ")}`);
  return [
    ["State", stateText(facts) + (facts.reason ? ` (${facts.reason})` : "")],
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

/** Keeps `host` filled with chips; `panel` is the popover for one of them, `say` tells what became of an action. */
export class Providers {
  constructor(host, panel, say) {
    this.host = host;
    this.panel = panel;
    this.say = say;
    this.chips = new Map();
    this.chosen = null;
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
    if (this.chosen) {
      const facts = providers.find(({ name }) => name === this.chosen);
      if (facts) this.fillPanel(facts);
      else this.panel.hidePopover();
    }
  }

  makeChip() {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.setAttribute("aria-haspopup", "dialog");
    chip.append(document.createElement("b"), " ", document.createElement("span"), " ", document.createElement("small"));
    chip.addEventListener("click", () => this.choose(chip));
    return chip;
  }

  fillChip(chip, facts) {
    const [name, state, breaker] = chip.children;
    chip.facts = facts;
    chip.dataset.provider = facts.name;
    chip.className = `provider ${facts.state}`;
    name.textContent = `${facts.active ? "▸ " : ""}${facts.name}${facts.pinned ? " (pinned)" : ""}`;
    const [its, circuit] = [stateText(facts), breakerText(facts.breaker)];
    // An open breaker is the state, too; it is told once.
    state.textContent = ["open", "half_open"].includes(facts.state) ? circuit : its;
    breaker.textContent = state.textContent === circuit ? "" : circuit;
    chip.title = facts.active ? "Requests go here now" : facts.reason ?? "";
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
    const actions = ["failover", "restart", "reset", facts.pinned ? "unpin" : "pin", facts.enabled ? "disable" : "enable"];
    const host = this.panel.querySelector(".actions");
    actions.forEach((action, at) => {
      const button = host.children[at] ?? host.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = action;
      button.onclick = () => this.act(facts.name, action);
    });
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
