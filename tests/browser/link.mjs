// Runs the vectors of tests/fixtures/link through assets/link.js, with a socket that does nothing. Exit 1 where it does
// something else than they say; src/remote/client/machine/tests.rs runs them through the other machine.

import { readFileSync } from "node:fs";
import { Link } from "../../assets/link.js";

/** The longest input that a vector writes out. */
const SHORT = 1000;
const KINDS = { 0x10: "input", 0x11: "paste", 0x12: "ack", 0x13: "key" };

class Socket {
  readyState = 1;
  constructor() {
    Socket.last = this;
  }
  send(data) {
    Socket.sent.push(data);
  }
  close() {}
}

const text = (bytes) => new TextDecoder().decode(bytes);

function sent(data) {
  if (typeof data === "string") {
    const { type, client, attempt, epoch = null, next_seq = null, read_only } = JSON.parse(data);
    if (type !== "attach") return { request: JSON.parse(data) };
    if (client.length !== 32) throw new Error(`client ${client}`);
    return { attach: { attempt, epoch, next_seq, read_only } };
  }
  const kind = KINDS[data[0]];
  const number = Number(new DataView(data.buffer).getBigUint64(1));
  const bytes = data.subarray(9);
  if (kind === "ack") return { ack: number };
  if (bytes.length > SHORT) return { [`${kind}_fill`]: [number, bytes.length] };
  return { [kind]: [number, text(bytes)] };
}

function frame(kind, { seq, cols, rows, text: content, fill }) {
  const payload = fill === undefined ? new TextEncoder().encode(content) : new Uint8Array(fill).fill(120);
  const size = kind === 2 ? 4 : 0;
  const bytes = new Uint8Array(9 + size + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setBigUint64(1, BigInt(seq));
  if (kind === 2) {
    view.setUint16(9, cols);
    view.setUint16(11, rows);
  }
  bytes.set(payload, 9 + size);
  return bytes.buffer;
}

class Run {
  constructor({ read_only: readOnly = false }) {
    this.told = [];
    this.cutting = false;
    Socket.sent = [];
    const content = (bytes) => (bytes.length > SHORT ? ["output_fill", bytes.length] : ["output", text(bytes)]);
    this.link = new Link({
      url: "ws://nowhere/",
      readOnly,
      WebSocketClass: Socket,
      events: {
        output: (bytes, seq) => {
          const [key, value] = content(bytes);
          this.told.push({ [key]: value });
          this.link.parsed(seq);
        },
        snapshot: ({ bytes, seq }) => {
          this.told.push({ snapshot: text(bytes) });
          this.link.parsed(seq);
        },
        state: (name) => {
          if (name === "connected") this.told.push({ connected: true });
          if (name === "waiting" && !this.cutting) this.told.push({ drop: true });
        },
        role: ({ role, writer }) => this.told.push({ role: role === "writer" ? "you" : writer }),
        dropped: (reason) => this.told.push({ [reason === "long" ? "too_long" : "dropped"]: true }),
        notTyped: (bytes) => this.told.push({ not_typed: bytes }),
        told: ({ code }) => code === "input_full" && this.told.push({ unread: true }),
        exit: ({ code, signal }) => this.told.push({ exit: [code, signal] }),
      },
    });
  }

  act(step) {
    const [[kind, given]] = Object.entries(step);
    const receive = (data) => Socket.last.onmessage?.({ data });
    const acts = {
      do: () => ({
        open: () => this.link.open(),
        cut: () => {
          this.cutting = true;
          if (this.link.socket) Socket.last.onclose?.({ code: 1006 });
          this.cutting = false;
        },
        acknowledge: () => this.link.acknowledge(),
      })[given](),
      receive: () => receive(JSON.stringify(given)),
      receive_text: () => receive(given),
      output: () => receive(frame(1, given)),
      snapshot: () => receive(frame(2, given)),
      type: () => this.link.typeText(given),
      type_fill: () => this.link.typeText("x".repeat(given)),
      key: () => this.link.key(given),
      paste: () => this.link.paste(given),
    };
    acts[kind]();
  }
}

/** As text, whatever the order of the keys. */
const canonical = (value) => JSON.stringify(value, (_, part) =>
  (part && typeof part === "object" && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part));

let failed = 0;
for (const vector of JSON.parse(readFileSync(new URL("../fixtures/link/vectors.json", import.meta.url), "utf8"))) {
  const run = new Run(vector);
  vector.steps.forEach((step, at) => {
    const expect = (found) => {
      const [left, right] = [canonical(found), canonical(step.sent ?? step.told)];
      if (left === right) return;
      failed += 1;
      console.log(`FAILED: ${vector.name}, step ${at}: ${left}, not ${right}`);
    };
    if (step.sent) expect(Socket.sent.splice(0).map(sent));
    else if (step.told) expect(run.told.splice(0));
    else if (step.skip) {
      Socket.sent = [];
      run.told = [];
    } else run.act(step);
  });
  run.link.close();
}
console.log(failed === 0 ? "ok" : `${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
