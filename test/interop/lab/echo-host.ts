/**
 * Keeps TCP connections under load: sends a pattern and wants the same octets back, so that both ways carry
 * all of it and every octet is compared. Says a line of JSON a second about each connection.
 *
 *   node echo-host.ts PORT MEGABITS_PER_SECOND OCTETS
 *
 * OCTETS is how much one connection carries, 0 without end; 0 Mbit/s as fast as it goes.
 */
import { createServer, type Socket } from 'node:net';
import type { EchoReport } from './echo.ts';

const [port = 7000, megabits = 0, limit = 0] = process.argv.slice(2).map(Number);
const BLOCK = pattern(1_000_003);
/** What may be on the way at a time, both ways together. */
const WINDOW = 1 << 20;
const CHUNK = 1 << 16;
const PUMP_MS = 10;
const STALL_MS = 1_000;
const goal = limit === 0 ? Number.POSITIVE_INFINITY : limit;
let opened = 0;

createServer(serve).listen(port);

function serve(socket: Socket): void {
  const began = performance.now();
  const report = { id: ++opened, peer: socket.remoteAddress ?? '', octets: 0, longestGapMs: 0, stalls: 0 };
  let state: Pick<EchoReport, 'wrongAt' | 'ended'> = {};
  let sent = 0;
  let heardAt = began;

  const pump = (): void => {
    const allowed = megabits === 0 ? goal : ((performance.now() - began) / 1000) * megabits * 125_000;
    const until = Math.min(goal, Math.floor(allowed), report.octets + WINDOW);
    while (sent < until && !socket.writableNeedDrain) {
      const from = sent % BLOCK.length;
      const chunk = BLOCK.subarray(from, from + Math.min(CHUNK, until - sent));
      socket.write(chunk);
      sent += chunk.length;
    }
    if (sent >= goal) socket.end();
  };
  const gap = (): number => performance.now() - heardAt;
  const heard = (): void => {
    report.longestGapMs = Math.max(report.longestGapMs, Math.round(gap()));
    if (gap() > STALL_MS) report.stalls += 1;
    heardAt = performance.now();
  };
  const say = (): void => {
    const longestGapMs = Math.max(report.longestGapMs, Math.round(gap()));
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`${JSON.stringify({ ...report, ...state, longestGapMs, seconds })}\n`);
  };

  const pumping = setInterval(pump, PUMP_MS);
  const saying = setInterval(say, 1_000);
  socket.on('drain', pump);
  socket.on('data', (octets) => {
    heard();
    state = { ...state, ...compared(octets, report.octets, state.wrongAt) };
    report.octets += octets.length;
    pump();
  });
  socket.on('error', ({ message }) => {
    state = { ...state, ended: message };
  });
  socket.on('close', () => {
    clearInterval(pumping);
    clearInterval(saying);
    state = { ...state, ended: state.ended ?? (report.octets === goal ? 'complete' : 'closed by the guest') };
    say();
  });
}

/** Where in the connection the first octet is that differs, if one does. */
function compared(octets: Buffer, at: number, before: number | undefined): Pick<EchoReport, 'wrongAt'> {
  if (before !== undefined) return {};
  for (let done = 0; done < octets.length; ) {
    const from = (at + done) % BLOCK.length;
    const length = Math.min(octets.length - done, BLOCK.length - from);
    if (octets.compare(BLOCK, from, from + length, done, done + length) !== 0) return { wrongAt: at + done };
    done += length;
  }
  return {};
}

/** Octets without a period that any packet's length divides (xorshift, Marsaglia 2003). */
function pattern(length: number): Buffer {
  const block = Buffer.alloc(length);
  let x = 0x9e3779b9;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    block[i] = x;
  }
  return block;
}
