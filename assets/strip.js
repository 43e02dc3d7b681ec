// The providers: what the front end's panel shows, and its actions.

import { provider as act } from "./api.js";

const ACTIONS = ["failover", "restart", "reset", "pin"];

function describe({ state, breaker, cooldown_s: cooldown, held_s: held }) {
  const parts = [state.replace("_", "-")];
  if (breaker?.state === "open") parts.push(`open ${Math.ceil(breaker.retry_in_s ?? 0)}s`);
  if (cooldown) parts.push(`cooling ${Math.ceil(cooldown)}s`);
  if (held) parts.push(`held ${Math.ceil(held)}s`);
  return [...new Set(parts)].join(", ");
}

/** Shows the providers in `host`; `say` tells what became of an action. */
export function showProviders(host, providers, say) {
  host.hidden = providers.length === 0;
  // An open menu stays as it is until it closes.
  if (host.querySelector("details[open]")) return;
  host.replaceChildren(...providers.map((facts) => chip(facts, say)));
}

function chip(facts, say) {
  const details = document.createElement("details");
  details.className = `provider ${facts.state}`;
  details.dataset.provider = facts.name;
  const summary = document.createElement("summary");
  const name = document.createElement("b");
  name.textContent = `${facts.active ? "▸ " : ""}${facts.name}${facts.pinned ? " (pinned)" : ""}`;
  const state = document.createElement("span");
  state.textContent = describe(facts);
  summary.append(name, " ", state);
  const menu = document.createElement("div");
  menu.className = "menu";
  const line = document.createElement("p");
  const { requests = 0, errors = {}, first_byte_ms: latency } = facts;
  const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
  line.textContent = `${requests} requests, ${failures} errors, p50 ${latency?.p50 ?? "–"} ms`;
  menu.append(line);
  if (facts.reason) {
    const why = document.createElement("p");
    why.textContent = facts.reason;
    menu.append(why);
  }
  for (const action of [...ACTIONS, facts.enabled ? "disable" : "enable"]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action;
    button.addEventListener("click", async () => {
      details.open = false;
      try {
        await act(facts.name, action);
        say(`${action} ${facts.name}: done`);
      } catch (error) {
        say(`${action} ${facts.name}: ${error.message}`);
      }
    });
    menu.append(button);
  }
  details.append(summary, menu);
  return details;
}
