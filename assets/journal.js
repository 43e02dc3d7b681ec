// Usage and history, as the journal of the store has them.

import * as api from "./api.js";

/** What happens while one looks is shown after this time. */
const READ_AGAIN = 5000;
const HOUR = 3600 * 1000;
/** Bars that are wide enough to be looked at. */
const MOST_BARS = 62;

const make = (name, text = "", className = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
};

/** A count in few characters: 7, 1.2k, 45k, 3.4M. */
function short(count) {
  const unit = [[1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([size]) => count >= size);
  if (!unit) return String(count);
  const [size, name] = unit;
  return count < size * 10 ? `${Math.floor(count / size * 10) / 10}${name}` : `${Math.floor(count / size)}${name}`;
}

const weight = ({ requests, tokens }) => tokens.input + tokens.output + tokens.cache_read + tokens.cache_write || requests;
// Something is never told as nothing.
const cost = (dollars) => (dollars == null ? "?" : `$${(Math.ceil(dollars * 100 - 1e-9) / 100).toFixed(2)}`);
const clock = (at, options) => new Date(at).toLocaleString([], options);

/** The name of a row: a pane's own, an hour in the time of whoever looks, a day as it is. */
function nameOf(row, by) {
  if (by === "hour") return clock(row.key, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  return row.name ?? (row.key || (by === "pane" ? "(outside)" : "(none)"));
}

function usageTable({ rows, total }, by) {
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const name of [by, "requests", "errors", "429", "input", "output", "cached", "cost"]) {
    const cell = make("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const line = (section, name, sum) => {
    const row = section.insertRow();
    const first = make("th", name);
    first.scope = "row";
    const about = sum.estimated > 0 ? "~" : "";
    const { input, output, cache_read: read, cache_write: written } = sum.tokens;
    const cells = [sum.requests, sum.errors, sum.rate_limited, about + short(input), about + short(output), short(read + written), cost(sum.cost_usd)];
    row.append(first, ...cells.map((text) => make("td", String(text))));
  };
  const body = table.createTBody();
  for (const row of rows) line(body, nameOf(row, by), row);
  line(table.createTFoot(), "total", total);
  return table;
}

/** A bar for each hour or day, those without usage too: a gap is to be seen as one. */
function chart({ since, until, rows }, by) {
  const step = by === "hour" ? HOUR : 24 * HOUR;
  const known = new Map(rows.map((row) => [Date.parse(row.key), row]));
  const last = Math.floor(Date.parse(until) / step) * step;
  const begin = Math.floor(Math.max(Date.parse(since), Math.min(...known.keys())) / step) * step;
  const first = Math.max(since.startsWith("1970") ? begin : Math.floor(Date.parse(since) / step) * step, last - (MOST_BARS - 1) * step);
  const most = Math.max(...rows.map(weight));
  const figure = make("figure", "", "bars");
  for (let at = first; at <= last; at += step) {
    const row = known.get(at);
    const bar = make("i");
    bar.style.height = row ? `${Math.max(2, Math.round(weight(row) / most * 100))}%` : "0";
    const when = by === "hour" ? clock(at, { weekday: "short", hour: "2-digit", minute: "2-digit" }) : new Date(at).toISOString().slice(0, 10);
    bar.title = `${when}: ${row ? `${row.requests} requests, ${short(weight(row))} tokens` : "nothing"}`;
    figure.append(bar);
  }
  figure.append(make("figcaption", `tokens per ${by}, ${short(most)} at most`));
  return figure;
}

function historyList(events) {
  const list = make("ol");
  for (const { at, kind, terminal, text, by } of events) {
    const time = make("time", clock(at, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }));
    time.dateTime = at;
    const who = terminal?.name && !text.startsWith(terminal.name) ? `${terminal.name}: ` : "";
    const item = make("li");
    item.append(time, " ", make("b", kind), " ", make("span", `${who}${text}${by ? ` (by ${by})` : ""}`));
    list.append(item);
  }
  return list;
}

/** Shows `dialog` with what is chosen in it; `failed` hears of what cannot be told there. */
export class Journal {
  constructor(dialog, failed) {
    this.dialog = dialog;
    this.failed = failed;
    this.page = "usage";
    this.asked = 0;
    this.timer = null;
    for (const select of dialog.querySelectorAll("select")) select.addEventListener("change", () => this.read());
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => clearTimeout(this.timer));
  }

  open(page) {
    this.page = page;
    this.dialog.querySelector("h2").textContent = page === "usage" ? "Usage" : "History";
    this.dialog.querySelector(".by").hidden = page !== "usage";
    this.dialog.querySelector(".kind").hidden = page !== "history";
    this.dialog.querySelector(".contents").replaceChildren();
    if (!this.dialog.open) this.dialog.showModal();
    this.read();
  }

  /** What is wrong with the store, where anything is. */
  tell(trouble) {
    this.dialog.querySelector(".trouble").textContent = trouble;
  }

  async read() {
    clearTimeout(this.timer);
    this.asked += 1;
    const number = this.asked;
    const host = this.dialog.querySelector(".contents");
    const at = { top: host.scrollTop, end: host.scrollHeight - host.scrollTop - host.clientHeight < 4 };
    try {
      const parts = await (this.page === "usage" ? this.usage() : this.history());
      if (number !== this.asked) return;
      host.replaceChildren(...parts);
      host.scrollTop = this.page === "history" && at.end ? host.scrollHeight : at.top;
    } catch (error) {
      if (number !== this.asked) return;
      if (error.status === 401) {
        this.dialog.close();
        return this.failed(error);
      }
      const alert = make("p", error.message);
      alert.setAttribute("role", "alert");
      host.replaceChildren(alert);
    }
    if (this.dialog.open) this.timer = setTimeout(() => (document.hidden ? this.later() : this.read()), READ_AGAIN);
  }

  later() {
    this.timer = setTimeout(() => (document.hidden ? this.later() : this.read()), READ_AGAIN);
  }

  async usage() {
    const [since, by] = [this.chosen("since"), this.chosen("by")];
    const slot = ["1h", "24h"].includes(since) ? "hour" : "day";
    const [report, bars] = await Promise.all([api.usage(since, by), api.usage(since, slot)]);
    if (report.rows.length === 0) return [make("p", "No requests.")];
    return [chart(bars, slot), usageTable(report, by)];
  }

  async history() {
    const events = await api.history(this.chosen("since"), this.chosen("kind"));
    return [events.length === 0 ? make("p", "Nothing happened.") : historyList(events)];
  }

  chosen(name) {
    return this.dialog.querySelector(`[name=${name}]`).value;
  }
}
