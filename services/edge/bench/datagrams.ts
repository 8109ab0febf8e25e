import { parseAddress } from '@culvert/wire/ip';
import { BATCH_MAX, native, ROW_WORDS, Row } from '../native/index.ts';
import type { Counted } from './load.ts';

/** Small packets: UDP datagrams in batches, so that the load is no slower than what it measures. */
export interface Pair {
  readonly from: string;
  readonly to: string;
}

const SLOT_OCTETS = 64;
const HEADERS_OCTETS = 28;
/** Datagrams on their way; fewer than any queue between the two ends holds. */
const WINDOW = 512;
const ACKNOWLEDGE_EVERY = 128;
const SILENCE_MS = 5;
const POLLIN = 1;

export function openDatagrams(port: number): number {
  return native().openUdp('0.0.0.0', port, 0, false);
}

/**
 * Sends while no more than a window of them is unanswered. After a silence what is still missing is lost, and
 * sending goes on.
 */
export function sendDatagrams(
  fd: number,
  port: number,
  pairs: readonly Pair[],
  ms: number,
  ipOctets: number,
): void {
  const io = native();
  const length = ipOctets - HEADERS_OCTETS;
  const buffer = new Uint8Array(BATCH_MAX * SLOT_OCTETS);
  const rows = rowsFor(pairs, port, length);
  const answers = new Uint8Array(BATCH_MAX * SLOT_OCTETS);
  const answerRows = new Int32Array(BATCH_MAX * ROW_WORDS);
  const ready = new Int32Array(1);
  let sent = 0;
  let answered = 0;
  const listen = (): number => {
    const count = io.receiveBatch(fd, answers, SLOT_OCTETS, answerRows, BATCH_MAX);
    if (count > 0)
      answered = Math.max(answered, new DataView(answers.buffer).getUint32((count - 1) * SLOT_OCTETS));
    return count;
  };
  while (listen() > 0) answered = 0; // what an earlier run left behind
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (sent + BATCH_MAX - answered <= WINDOW) {
      sent += BATCH_MAX - io.sendBatch(fd, buffer, rows, BATCH_MAX);
      listen();
    } else if (io.pollReady(Int32Array.of(fd), ready, SILENCE_MS) === 0) {
      sent = answered;
    } else listen();
  }
}

/** A batch takes turns at the sessions. */
function rowsFor(pairs: readonly Pair[], port: number, length: number): Int32Array {
  const rows = new Int32Array(BATCH_MAX * ROW_WORDS);
  const octets = new Uint8Array(rows.buffer);
  for (let index = 0; index < BATCH_MAX; index += 1) {
    const { from, to } = pairs[index % pairs.length] ?? { from: '', to: '' };
    const word = index * ROW_WORDS;
    rows[word + Row.offset] = index * SLOT_OCTETS;
    rows[word + Row.length] = length;
    rows[word + Row.port] = port;
    octets.set(addressOf(to), (word + Row.remote) * 4);
    octets.set(addressOf(from), (word + Row.local) * 4);
  }
  return rows;
}

function addressOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address.ok) throw new Error(`${text} is not an address`);
  return address.value;
}

/** Counts, and tells the sender how many have come; answers the datagrams. */
export function receiveDatagrams(fd: number, warmMs: number, ms: number): Counted {
  const io = native();
  const buffer = new Uint8Array(BATCH_MAX * SLOT_OCTETS);
  const rows = new Int32Array(BATCH_MAX * ROW_WORDS);
  const answer = new Uint8Array(4);
  const ready = new Int32Array(1);
  let total = 0;
  let told = 0;
  const tell = () => {
    told = total;
    new DataView(answer.buffer).setUint32(0, total);
    // Back to where the first row came from, from the address that it was sent to.
    rows[Row.offset] = 0;
    rows[Row.length] = answer.length;
    io.sendBatch(fd, answer, rows, 1);
  };
  while (io.receiveBatch(fd, buffer, SLOT_OCTETS, rows, BATCH_MAX) > 0); // what an earlier run left behind
  const warm = performance.now() + warmMs;
  let begun = 0;
  let before = 0;
  for (;;) {
    const now = performance.now();
    if (begun === 0 && now >= warm) [begun, before] = [now, total];
    if (begun > 0 && now >= begun + ms) {
      return { rate: ((total - before) * 1_000) / (now - begun), all: total };
    }
    if (io.pollReady(Int32Array.of(fd), ready, 1) === 0) {
      if (told !== total) tell();
      continue;
    }
    if (((ready[0] ?? 0) & POLLIN) === 0) continue;
    total += io.receiveBatch(fd, buffer, SLOT_OCTETS, rows, BATCH_MAX);
    if (total - told >= ACKNOWLEDGE_EVERY) tell();
  }
}
