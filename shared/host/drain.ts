import type { Happening } from '@culvert/kernel';
import { flush } from './checkpoint.ts';
import type { Engine } from './engine.ts';
import type { Vault } from './protocol.ts';

/** What is not written by then is lost as in a crash; the peers' retransmissions repair it. */
const DRAIN_MAX_MS = 5000;
const LOOK_MS = 20;

/** Takes nothing new, lets the steps under way end, writes what is lazy, and lets go of every session. */
export async function drain<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
): Promise<void> {
  if (engine.phase === 'draining' || engine.phase === 'stopped') return;
  engine.phase = 'draining';
  const { clock, telemetry } = engine.ports;
  engine.cancelWake?.();
  engine.cancelWake = undefined;
  const until = clock.now() + DRAIN_MAX_MS;
  while (unquiet(engine) && clock.now() < until) {
    if (engine.flush !== 'running') await withLimit(engine, flush(engine));
    else await pause(engine);
  }
  const unwritten = [...engine.sessions.values()].filter(
    (session) => session.dirty || session.writing !== undefined,
  ).length;
  if (unwritten > 0) telemetry.log.warn({ unwritten }, 'drained without storage');
  engine.phase = 'stopped';
  engine.sessions.clear();
  engine.lazy.clear();
}

function unquiet<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): boolean {
  if (engine.lazy.size > 0) return true;
  for (const session of engine.sessions.values())
    if (session.busy || session.writing !== undefined) return true;
  return false;
}

function pause<I, B, E extends Happening, V extends Vault>(engine: Engine<I, B, E, V>): Promise<void> {
  return new Promise((resolve) => engine.ports.clock.after(LOOK_MS, resolve));
}

/** A flush that waits for storage must not hold up the end of the drain. */
async function withLimit<I, B, E extends Happening, V extends Vault>(
  engine: Engine<I, B, E, V>,
  work: Promise<void>,
): Promise<void> {
  await Promise.race([work, pause(engine)]);
  if (engine.flush !== 'running' && unquiet(engine)) await pause(engine);
}
