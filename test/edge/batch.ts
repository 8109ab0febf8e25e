import type { AddressOctets } from '@culvert/wire/ip';
import { BATCH_MAX, type Native, ROW_WORDS, Row } from '../../services/edge/native/index.ts';
import type { OuterFlow } from '../../services/edge/pipeline/index.ts';

/** Large enough for every packet a path of 1500 octets carries, and for IKE with certificates. */
export const SLOT_OCTETS = 4_096;

/** Memory for one batch, reused for the life of a worker. */
export interface Batch {
  readonly buffer: Uint8Array;
  readonly rows: Int32Array;
  octets(row: number): Uint8Array;
  word(row: number, field: number): number;
  address(row: number, field: number): AddressOctets;
}

export function newBatch(): Batch {
  const buffer = new Uint8Array(SLOT_OCTETS * BATCH_MAX);
  const rows = new Int32Array(ROW_WORDS * BATCH_MAX);
  const bytes = new Uint8Array(rows.buffer);
  return {
    buffer,
    rows,
    octets(row) {
      const at = rows[row * ROW_WORDS + Row.offset] ?? 0;
      return buffer.subarray(at, at + (rows[row * ROW_WORDS + Row.length] ?? 0));
    },
    word: (row, field) => rows[row * ROW_WORDS + field] ?? 0,
    address(row, field) {
      const at = (row * ROW_WORDS + field) * 4;
      return bytes.subarray(at, at + 16);
    },
  };
}

/** Collects packets for one descriptor and sends them together, in order. */
export interface Outbox {
  add(octets: Uint8Array, flow?: OuterFlow): void;
  flush(): void;
}

export function createOutbox(
  send: (buffer: Uint8Array, rows: Int32Array, count: number) => number,
  done: (sent: number, failed: number) => void,
): Outbox {
  const batch = newBatch();
  let count = 0;
  const put = (row: number, offset: number, length: number, flow: OuterFlow | undefined) => {
    batch.rows.set([offset, length, flow?.remotePort ?? 0, 0], row * ROW_WORDS);
    if (flow === undefined) return;
    batch.address(row, Row.remote).set(flow.remote);
    batch.address(row, Row.local).set(flow.local);
  };
  const flush = () => {
    if (count === 0) return;
    const failed = send(batch.buffer, batch.rows, count);
    done(count - failed, failed);
    count = 0;
  };
  return {
    add(octets, flow) {
      if (octets.length > SLOT_OCTETS) {
        flush();
        put(0, 0, octets.length, flow);
        const failed = send(octets, batch.rows, 1);
        done(1 - failed, failed);
        return;
      }
      batch.buffer.set(octets, count * SLOT_OCTETS);
      put(count, count * SLOT_OCTETS, octets.length, flow);
      count += 1;
      if (count === BATCH_MAX) flush();
    },
    flush,
  };
}

export function socketOutbox(io: Native, fd: number, done: (sent: number, failed: number) => void): Outbox {
  return createOutbox((buffer, rows, count) => io.sendBatch(fd, buffer, rows, count), done);
}
