// The frames of tundra.v1; src/remote/protocol.rs documents them.

const OUTPUT = 0x01;
const SNAPSHOT = 0x02;
const INPUT = 0x10;
const PASTE = 0x11;
const ACK = 0x12;
const KEY = 0x13;

export const PROTOCOL = "tundra.v1";

const encoder = new TextEncoder();

function numbered(kind, number, payload) {
  const frame = new Uint8Array(9 + payload.length);
  frame[0] = kind;
  new DataView(frame.buffer).setBigUint64(1, BigInt(number));
  frame.set(payload, 9);
  return frame;
}

export const input = (id, bytes) => numbered(INPUT, id, bytes);
export const paste = (id, text) => numbered(PASTE, id, encoder.encode(text));
export const key = (id, name) => numbered(KEY, id, encoder.encode(name));
export const ack = (seq) => numbered(ACK, seq, new Uint8Array(0));

/** Reads a binary frame; numbers stay exact up to 2^53 bytes of output. */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 9) return null;
  const seq = Number(view.getBigUint64(1));
  switch (view.getUint8(0)) {
    case OUTPUT:
      return { kind: "output", seq, bytes: new Uint8Array(buffer, 9) };
    case SNAPSHOT:
      if (buffer.byteLength < 13) return null;
      return {
        kind: "snapshot",
        seq,
        cols: view.getUint16(9),
        rows: view.getUint16(11),
        bytes: new Uint8Array(buffer, 13),
      };
    default:
      return null;
  }
}
