// The last requests of a provider: why each went where it went, profile after profile.

const make = (name, text, className = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
};

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const cached = ({ cache_read: read, cache_write: written }) => read + written;
/** A wait that is shorter than this is none: the router itself takes as long. */
const WAIT_SHOWN = 5;

/** Why it was chosen or passed over, what it was sent as, wait, first byte, tokens, cost, and how it ended. */
function told(made, model) {
  const { choice, sent_model: sent, translated, without, waited_ms: waited, first_byte_ms: first, tokens, estimated, cost_usd: cost, end, message } = made;
  const ended = { ok: "ok", failed: message, left: "caller left", skipped: `skipped: ${message}` };
  return [
    choice,
    sent !== model && `as ${sent}`,
    translated && `translated to ${translated}`,
    without.length > 0 && `without ${without.join(", ")}`,
    waited >= WAIT_SHOWN && `waited ${waited} ms`,
    first != null && `${first} ms`,
    tokens && `${estimated ? "~" : ""}${tokens.input + cached(tokens)}+${tokens.output}`,
    tokens && (cost == null ? "$?" : `$${cost.toFixed(4)}`),
    ended[end] ?? end,
  ].filter(Boolean).join(" ");
}

/** An entry for each request, the newest first; `nameOf` knows terminals by their ids. */
export function entries(requests, nameOf) {
  return requests.map(({ at, caller, terminal, model, tries }) => {
    const entry = make("li", "");
    const who = terminal ? nameOf(terminal) ?? terminal.slice(0, 8) : caller;
    entry.append(make("b", `${clock(at)} ${who} ${model}`));
    const list = entry.appendChild(make("ul", ""));
    list.append(...tries.map((made) => make("li", `${made.profile}: ${told(made, model)}`, made.end)));
    return entry;
  });
}
