// The first screen: all agents, who needs the user first, with what each asks and a line to answer it by.

import { byUrgency, costOf, isNearEnd, showState, sinceOf } from "./agents.js";
import * as api from "./api.js";

/** Its cards stay the same elements, so that they keep the focus and what is typed into them while their facts change. */
export class Overview {
  /** `fail(error)` tells why an answer was not typed. */
  constructor(host, fail) {
    this.host = host;
    this.list = host.querySelector("ul");
    this.fail = fail;
    this.cards = new Map();
  }

  /** Shows the living agents of these terminals; whether there are any. */
  show(terminals) {
    const agents = byUrgency(terminals).filter(({ agent }) => agent);
    for (const [id, card] of this.cards) {
      if (agents.some((facts) => facts.id === id)) continue;
      card.remove();
      this.cards.delete(id);
    }
    for (const facts of agents) {
      if (!this.cards.has(facts.id)) this.cards.set(facts.id, this.make(facts.id));
      const card = this.cards.get(facts.id);
      fill(card, facts);
      look(card, facts.id);
    }
    const order = agents.map(({ id }) => this.cards.get(id));
    // What is moved loses the focus: while somebody types, nothing but a new card changes the order.
    const isUsed = this.list.contains(document.activeElement);
    const isOther = order.some((card, at) => this.list.children[at] !== card);
    if (isOther && !isUsed) this.list.append(...order);
    else this.list.append(...order.filter((card) => !card.isConnected));
    this.host.hidden = agents.length === 0;
    return agents.length > 0;
  }

  hide() {
    this.host.hidden = true;
  }

  make(id) {
    const card = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#terminal=${id}`;
    const [name, agent, about] = ["b", "span", "span"].map((kind) => document.createElement(kind));
    link.append(name, agent, about);
    const screen = document.createElement("pre");
    const answer = document.createElement("form");
    const line = document.createElement("input");
    line.autocomplete = "off";
    line.placeholder = "Answer";
    line.enterKeyHint = "send";
    const send = document.createElement("button");
    send.textContent = "Send";
    answer.append(line, send);
    answer.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      try {
        await api.typeLine(id, line.value);
        line.value = "";
        look(card, id);
      } catch (error) {
        this.fail(error);
      }
      send.disabled = false;
    });
    card.append(link, screen, answer);
    return card;
  }
}

function fill(card, facts) {
  const [link, , answer] = card.children;
  const [name, agent, about] = link.children;
  name.textContent = facts.name;
  showState(agent, facts.agent);
  const parts = [`since ${sinceOf(facts.agent)}`, costOf(facts), card.dataset.branch];
  about.textContent = parts.filter(Boolean).join(" · ");
  about.classList.toggle("near-end", isNearEnd(facts));
  answer.firstChild.setAttribute("aria-label", `Answer ${facts.name}`);
}

/** Looks at the end of a terminal's screen, one look at a time. */
async function look(card, id) {
  if (card.dataset.looks) return;
  card.dataset.looks = "yes";
  try {
    const { lines, branch } = await api.glimpse(id);
    card.dataset.branch = branch ?? "";
    const text = lines.join("\n");
    const screen = card.children[1];
    if (screen.textContent !== text) screen.textContent = text;
    screen.hidden = text === "";
  } catch {
    // It has ended, or nobody answers: the list tells that.
  }
  delete card.dataset.looks;
}
