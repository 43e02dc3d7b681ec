// The list of terminals. Its entries stay the same elements, so that they keep the focus while their facts change.

import { costOf, isNearEnd, showState } from "./agents.js";

/** Keeps `host` filled; `end(facts)` is called for the button of one, `again()` for a link to what is shown already. */
export class List {
  constructor(host, { end, again }) {
    this.host = host;
    this.end = end;
    this.again = again;
    this.items = new Map();
    this.shown = null;
  }

  show(terminals) {
    const alive = (facts) => facts.status !== "dead";
    const ordered = [...terminals.filter(alive), ...terminals.filter((facts) => !alive(facts))];
    for (const [id, item] of this.items) {
      if (terminals.some((facts) => facts.id === id)) continue;
      item.remove();
      this.items.delete(id);
    }
    for (const facts of ordered) {
      if (!this.items.has(facts.id)) this.items.set(facts.id, this.make(facts.id));
      this.fill(this.items.get(facts.id), facts);
    }
    const order = ordered.map(({ id }) => this.items.get(id));
    if (order.some((item, at) => this.host.children[at] !== item)) this.host.append(...order);
    this.mark(this.shown);
  }

  /** Marks the one that is looked at. */
  mark(id) {
    this.shown = id;
    for (const [of, item] of this.items) {
      if (of === id) item.firstChild.setAttribute("aria-current", "true");
      else item.firstChild.removeAttribute("aria-current");
    }
  }

  focus() {
    (this.items.get(this.shown) ?? this.host).querySelector("a")?.focus();
  }

  make(id) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#terminal=${id}`;
    link.addEventListener("click", () => {
      if (id === this.shown) this.again();
    });
    const agent = document.createElement("span");
    link.append(document.createElement("b"), agent, document.createElement("span"));
    const end = document.createElement("button");
    end.type = "button";
    end.textContent = "×";
    end.title = "End it";
    item.append(link, end);
    return item;
  }

  fill(item, facts) {
    const [link, end] = item.children;
    const [name, agent, about] = link.children;
    const dead = facts.status === "dead";
    link.className = facts.status;
    link.title = facts.command.join(" ");
    name.textContent = facts.name;
    agent.hidden = !facts.agent || dead;
    if (!agent.hidden) showState(agent, facts.agent);
    about.textContent = dead ? ended(facts.exit) : living(facts);
    about.classList.toggle("near-end", !dead && isNearEnd(facts));
    end.hidden = dead;
    end.setAttribute("aria-label", `End ${facts.name}`);
    end.onclick = () => this.end(facts);
  }
}

export function ended(exit) {
  if (exit?.signal != null) return `ended by signal ${exit.signal}`;
  return exit?.code == null ? "ended" : `ended with exit code ${exit.code}`;
}

function living(facts) {
  const { status, cols, rows, viewers, owner, persistent } = facts;
  const parts = [status, `${cols}×${rows}`];
  const cost = costOf(facts);
  if (cost) parts.push(cost);
  if (viewers > 0) parts.push(`${viewers} attached`);
  if (owner === "remote" && !persistent) parts.push("ends when left");
  return parts.join(" · ");
}

/** What is typed as a command: plain words are a program and its arguments, anything else is for the shell. */
export function commandOf(text) {
  if (text === "") return {};
  if (!/^[\w@%+=:,./ -]+$/.test(text)) return { command: "sh", args: ["-c", text] };
  const [command, ...args] = text.split(/ +/);
  return { command, args };
}
