// The HTTP routes. Addresses are relative to the page, which may stand below a path of a reverse proxy.

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

/**
 * The session's page key. The cookie goes to every port of this host, and so to whoever listens there; this storage knows
 * the port, and the server asks for both.
 */
const PAGE_KEY = `tundra.page-key ${location.pathname}`;
const pageKey = () => localStorage.getItem(PAGE_KEY) ?? "";

async function ask(method, path, body, patience = PATIENCE) {
  const headers = {};
  if (pageKey() !== "") headers["x-tundra-page"] = pageKey();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers,
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

export async function login(token) {
  const { page_key: key } = await ask("POST", "api/login", { token });
  localStorage.setItem(PAGE_KEY, key);
}

export async function logout() {
  await ask("POST", "api/logout");
  localStorage.removeItem(PAGE_KEY);
}

export const pushKey = () => ask("GET", "api/push");
export const subscribe = (subscription) => ask("POST", "api/push", subscription);
export const unsubscribe = (endpoint) => ask("DELETE", "api/push", { endpoint });
export const terminals = () => ask("GET", "api/terminals");
export const terminal = (id) => ask("GET", `api/terminals/${segment(id)}`);
/** The end of its screen, and the branch it is on. */
export const glimpse = (id) => ask("GET", `api/terminals/${segment(id)}/glimpse`);
/** Types a line and Enter. Where the program reads slowly, Enter waits until it has read the line. */
export const typeLine = (id, text) => ask("POST", `api/terminals/${segment(id)}/line`, { text }, LONG_PATIENCE);
export const open = (options) => ask("POST", "api/terminals", options);
export const end = (id) => ask("DELETE", `api/terminals/${segment(id)}`);
export const status = () => ask("GET", "api/status");
const query = (parameters) => new URLSearchParams(parameters).toString();
export const usage = (since, by) => ask("GET", `api/usage?${query({ since, by })}`);
export const history = (since, kind) => ask("GET", `api/history?${query({ since, kind })}`);
/** What an error means, by its text or its code. */
export const explain = (of) => ask("GET", `api/explain?${query({ of })}`);
/** The last requests of a provider, each with its tries. */
export const providerRequests = (name) => ask("GET", `api/providers/${segment(name)}/requests`);
export const provider = (name, action) => ask("POST", `api/providers/${segment(name)}/${action}`, undefined, LONG_PATIENCE);

export function socketUrl(id, readOnly) {
  const url = new URL(`ws/terminal/${segment(id)}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  url.search = readOnly ? "read_only=1" : "";
  return url.href;
}

/** What a socket offers besides its own subprotocol: the page key, since a page can give a socket no header. */
export const socketKey = () => `tundra.page.${pageKey()}`;
