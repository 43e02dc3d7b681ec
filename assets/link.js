// One terminal's connection: it survives any number of sockets. Output is taken once and in order; input is numbered and
// kept until the server has dealt with it. What was typed without a connection waits after a return until it is known
// who writes: where another one does, it is given up and told. src/remote/client/machine.rs is the same machine, and
// tests/fixtures/link holds both to one behaviour. Knows nothing of the page.

import * as protocol from "./protocol.js";

const CONNECT_PATIENCE = 5000;
const FIRST_BACKOFF = 250;
const LAST_BACKOFF = 10000;
const PING_EVERY = 15000;
const PONG_PATIENCE = 2500;
/** A socket that was silent for so long, because the tab or the machine slept, is replaced without being asked. */
const STALE = 60000;
/** Input kept while there is no connection. */
export const MAX_PENDING = 64 * 1024;
/** Input in one message; the server takes 1 MiB, head included. */
export const MAX_INPUT = 1024 * 1024 - 64;
/** What is acknowledged at once, and after how long the rest is. */
const ACK_BYTES = 32 * 1024;
const ACK_DELAY = 20;

/** WebSocket.readyState. */
const OPEN = 1;
const IDLE = 4000;
const REPLACED = 4001;
/** Tells the server that another socket comes, so that a writer keeps its place. */
const RETURNING = 4010;

const encoder = new TextEncoder();

function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Events, all optional: `output(bytes, seq)` and `snapshot({cols, rows, bytes, seq})` must call `parsed(seq)` once
 * their bytes are on the screen; `state(name, detail)`; `role(notice)`; `exit(notice)`; `dropped(reason)` when input
 * found no room, `"offline"` or `"long"`; `notTyped(bytes)` when what was typed offline is given up, since another one
 * writes by now; `told(notice)` for errors.
 */
export class Link {
  constructor({ url, credential = () => null, readOnly = false, events, WebSocketClass = globalThis.WebSocket, why }) {
    this.url = url;
    /** Gives the subprotocol that lets this page in, or null. It may be another one after a new login. */
    this.credential = credential;
    this.readOnly = readOnly;
    this.events = events;
    this.WebSocketClass = WebSocketClass;
    /** Asks, after a socket could not be opened, whether trying on makes sense: `"retry"`, `"login"`, or why not. */
    this.why = why ?? (async () => "retry");
    this.client = randomName();
    this.attempt = 0;
    this.epoch = null;
    this.nextSeq = null;
    this.acked = 0;
    this.seen = 0;
    this.pending = [];
    this.pendingBytes = 0;
    this.nextId = 1;
    this.socket = null;
    /** The socket goes on from where the last one ended. */
    this.attached = false;
    /** It is known who writes, and input goes out. */
    this.live = false;
    this.backoff = FIRST_BACKOFF;
    this.retryTimer = null;
    this.over = false;
    this.lastHeard = 0;
  }

  open() {
    clearTimeout(this.retryTimer);
    if (this.over || this.socket) return;
    this.tell("connecting");
    this.attempt += 1;
    const socket = new this.WebSocketClass(this.url, [protocol.PROTOCOL, this.credential()].filter(Boolean));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.attached = false;
    this.live = false;
    let opened = false;
    const patience = setTimeout(() => this.drop(socket), CONNECT_PATIENCE);
    socket.onopen = () => {
      opened = true;
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.lastHeard = Date.now();
      if (typeof data === "string") {
        const notice = parsed(data);
        if (notice?.type === "attached") clearTimeout(patience);
        if (notice) this.notice(notice);
      } else {
        this.frame(data);
      }
    };
    socket.onclose = ({ code }) => {
      clearTimeout(patience);
      if (socket === this.socket) this.closed(code, opened);
    };
  }

  /**
   * Tries at once, whatever the backoff. A socket that looks open is asked whether it still lives; after a change of
   * network (`renew`) or a long sleep it is replaced unasked, since going on costs little.
   */
  wake(renew = false) {
    if (this.over) return;
    const stale = this.attached && Date.now() - this.lastHeard > STALE;
    if (renew || stale) this.detach();
    if (this.socket) {
      this.probe();
    } else {
      this.backoff = FIRST_BACKOFF;
      this.open();
    }
  }

  /** Ends for good. */
  close() {
    this.over = true;
    clearTimeout(this.retryTimer);
    this.detach();
  }

  type(bytes) {
    return this.enqueue(bytes.length, (id) => protocol.input(id, bytes));
  }

  typeText(text) {
    return this.type(encoder.encode(text));
  }

  paste(text) {
    return this.enqueue(encoder.encode(text).length, (id) => protocol.paste(id, text));
  }

  /** A key by its name: the server knows how the program in the terminal wants it. */
  key(name) {
    return this.enqueue(encoder.encode(name).length, (id) => protocol.key(id, name));
  }

  resize(cols, rows) {
    this.say({ type: "resize", cols, rows });
  }

  take() {
    this.say({ type: "take" });
  }

  /** Everything up to `seq` is on the screen. */
  parsed(seq) {
    this.seen = Math.max(this.seen, seq);
    if (this.seen - this.acked >= ACK_BYTES) {
      this.acknowledge();
    } else if (this.ackTimer === undefined) {
      this.ackTimer = setTimeout(() => this.acknowledge(), ACK_DELAY);
    }
  }

  acknowledge() {
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (!this.attached || this.seen <= this.acked) return;
    this.acked = this.seen;
    this.send(protocol.ack(this.seen));
  }

  enqueue(size, make) {
    if (this.readOnly || this.over) return false;
    // A connection under way takes anything; without one there is an end to what is kept.
    const refused = size > MAX_INPUT ? "long" : !this.live && this.pendingBytes + size > MAX_PENDING ? "offline" : null;
    if (refused) {
      this.events.dropped?.(refused);
      return false;
    }
    const id = this.nextId++;
    const frame = make(id);
    this.pending.push({ id, size, frame });
    this.pendingBytes += size;
    if (this.live) this.send(frame);
    return true;
  }

  say(message) {
    if (this.live) this.send(JSON.stringify(message));
  }

  /** A socket that is closing takes nothing more; what matters is sent again on the next one. */
  send(data) {
    if (this.socket.readyState === OPEN) this.socket.send(data);
  }

  notice(notice) {
    switch (notice.type) {
      case "hello":
        this.greet(notice);
        break;
      case "attached":
        this.begin(notice);
        break;
      case "input_ack":
        this.forget(notice.id);
        break;
      case "role":
        this.role(notice);
        break;
      case "exit":
        this.over = true;
        this.events.exit?.(notice);
        break;
      case "error":
        this.events.told?.(notice);
        break;
    }
  }

  greet({ epoch }) {
    const attach = { type: "attach", client: this.client, attempt: this.attempt, read_only: this.readOnly };
    if (epoch === this.epoch && this.nextSeq !== null) {
      attach.epoch = epoch;
      attach.next_seq = this.nextSeq;
    }
    this.epoch = epoch;
    this.send(JSON.stringify(attach));
  }

  begin({ resumed, next_seq, input_id }) {
    this.attached = true;
    this.backoff = FIRST_BACKOFF;
    if (!resumed) {
      this.nextSeq = next_seq;
      this.acked = next_seq;
      this.seen = next_seq;
    }
    this.forget(input_id);
    this.nextId = Math.max(this.nextId, input_id + 1);
    clearInterval(this.pingTimer);
    this.pingTimer = setInterval(() => this.probe(), PING_EVERY);
    this.tell("connected", { resumed });
    // What came in just before the cut may not have been acknowledged.
    this.parsed(this.seen);
  }

  /** Who writes. The first time after a return it decides what becomes of what was typed meanwhile. */
  role(notice) {
    const first = this.attached && !this.live;
    if (first) this.live = true;
    this.events.role?.(notice);
    if (!first) return;
    const othersWrite = notice.role !== "writer" && notice.writer !== null;
    if (othersWrite && this.pending.length > 0) {
      const bytes = this.pendingBytes;
      this.nextId = this.pending[0].id;
      this.pending = [];
      this.pendingBytes = 0;
      this.events.notTyped?.(bytes);
    }
    for (const { frame } of this.pending) this.send(frame);
  }

  forget(id) {
    while (this.pending.length > 0 && this.pending[0].id <= id) {
      this.pendingBytes -= this.pending.shift().size;
    }
  }

  frame(buffer) {
    const frame = this.attached ? protocol.decode(buffer) : null;
    if (frame?.kind === "snapshot") {
      this.nextSeq = frame.seq;
      this.events.snapshot?.(frame);
    } else if (frame !== null && frame.seq === this.nextSeq) {
      this.nextSeq += frame.bytes.length;
      this.events.output?.(frame.bytes, this.nextSeq);
    } else {
      // Never seen; a fresh screen is better than a garbled one.
      this.nextSeq = null;
      this.drop(this.socket);
    }
  }

  /** Finds out at once whether a socket that looks open is dead, as it is after a change of network. */
  probe() {
    if (!this.live || globalThis.document?.hidden) return;
    const socket = this.socket;
    const asked = Date.now();
    this.say({ type: "ping" });
    setTimeout(() => {
      if (socket === this.socket && this.lastHeard < asked) this.drop(socket);
    }, PONG_PATIENCE);
  }

  drop(socket) {
    if (!socket || socket !== this.socket) return;
    this.closed(1006, true);
  }

  /** Lets the socket go, whatever becomes of it. */
  detach() {
    clearInterval(this.pingTimer);
    const socket = this.socket;
    this.socket = null;
    this.attached = false;
    this.live = false;
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    if (this.over) socket.close();
    else socket.close(RETURNING);
  }

  async closed(code, opened) {
    this.detach();
    if (this.over) return;
    if (code === REPLACED) return this.end("replaced");
    if (code === IDLE) return this.tell("idle");
    this.tell("waiting");
    if (!opened || code === 1000) {
      const why = await this.why();
      // Meanwhile somebody may have had it wake up, or close.
      if (this.socket || this.over) return;
      // What was typed is kept until the login is renewed, and sent when it wakes.
      if (why === "login") return this.tell("login");
      if (why !== "retry") return this.end(why);
    }
    const delay = Math.random() * this.backoff;
    this.backoff = Math.min(this.backoff * 2, LAST_BACKOFF);
    this.retryTimer = setTimeout(() => this.open(), delay);
  }

  end(name) {
    this.over = true;
    this.tell(name);
  }

  tell(name, detail = {}) {
    this.events.state?.(name, detail);
  }
}
