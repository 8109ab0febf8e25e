import type { OuterFlow } from '../../pipeline/index.ts';

/** Big-endian fields one after the other, in memory that grows. */
export interface Writer {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  f64(value: number): void;
  octets(value: Uint8Array): void;
  /** At most 255 octets; what is longer is cut. */
  text(value: string): void;
  flow(flow: OuterFlow): void;
  /** What was written. */
  taken(): Uint8Array;
}

export function createWriter(): Writer {
  let memory = new Uint8Array(512);
  let view = new DataView(memory.buffer);
  let at = 0;
  const room = (octets: number): number => {
    if (at + octets > memory.length) {
      const grown = new Uint8Array(Math.max(memory.length * 2, at + octets));
      grown.set(memory);
      memory = grown;
      view = new DataView(memory.buffer);
    }
    at += octets;
    return at - octets;
  };
  const writer: Writer = {
    // The room first: it may move the memory.
    u8(value) {
      const start = room(1);
      view.setUint8(start, value);
    },
    u16(value) {
      const start = room(2);
      view.setUint16(start, value);
    },
    u32(value) {
      const start = room(4);
      view.setUint32(start, value);
    },
    f64(value) {
      const start = room(8);
      view.setFloat64(start, value);
    },
    octets(value) {
      const start = room(value.length);
      memory.set(value, start);
    },
    text(value) {
      const octets = new TextEncoder().encode(value).subarray(0, 255);
      writer.u8(octets.length);
      writer.octets(octets);
    },
    flow(flow) {
      writer.octets(flow.local);
      writer.u16(flow.localPort);
      writer.octets(flow.remote);
      writer.u16(flow.remotePort);
    },
    taken: () => memory.subarray(0, at),
  };
  return writer;
}
