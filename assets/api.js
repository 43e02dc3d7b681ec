// The HTTP routes.

/** A network that swallows everything must not hold up what waits for an answer; `restart` of a local server takes long. */
const PATIENCE = 8000;
const LONG_PATIENCE = 150000;

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function ask(method, path, body, patience = PATIENCE) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(patience),
  });
  const text = await response.text();
  let answer = null;
  try {
    answer = text === "" ? null : JSON.parse(text);
  } catch {
    // Told below, where it is a refusal.
  }
  if (!response.ok) {
    const { code = "internal", message = `HTTP ${response.status}` } = answer?.error ?? {};
    throw new Refused(response.status, code, message);
  }
  return answer;
}

const segment = encodeURIComponent;

export const login = (token) => ask("POST", "/api/login", { token });
export const logout = () => ask("POST", "/api/logout");
export const terminals = () => ask("GET", "/api/terminals");
export const terminal = (id) => ask("GET", `/api/terminals/${segment(id)}`);
export const open = (options) => ask("POST", "/api/terminals", options);
export const end = (id) => ask("DELETE", `/api/terminals/${segment(id)}`);
export const status = () => ask("GET", "/api/status");
export const provider = (name, action) => ask("POST", `/api/providers/${segment(name)}/${action}`, undefined, LONG_PATIENCE);

export function socketUrl(id, readOnly) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const query = readOnly ? "?read_only=1" : "";
  return `${scheme}://${location.host}/ws/terminal/${segment(id)}${query}`;
}
