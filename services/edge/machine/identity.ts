import { createHash, randomInt } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GENERATION_MAX } from '../esp/index.ts';

/** What stands in front of every explicit IV that this start of the edge makes. */
export interface EngineIdentity {
  readonly nodeId: number;
  readonly generation: number;
}

interface Stored extends EngineIdentity {
  readonly version: 1;
  /** Digest of the machine-id: a copied disk must not send under the same node id. */
  readonly machine: string;
  /** Ids that this file has had on other machines. */
  readonly retired: readonly number[];
}

export class IdentityUnusable extends Error {
  override readonly name = 'IdentityUnusable';
}

const NODE_ID_MAX = 255;
const MINUTE_MS = 60_000;
/** Generations follow the clock from here: its minutes last for 31 years. */
const FIRST_MINUTE = Date.UTC(2025, 0, 1) / MINUTE_MS;
/** Kept from the clock, which may be far off, for counting. */
const GENERATIONS_TO_COUNT = 2 ** 22;

/**
 * Takes a new generation, durably, before anything is sealed under it: two starts of a node never share
 * one, whatever crashed in between. On another machine the file gets another node id. Where the clock is
 * ahead of the count it gives the number, so that a disk set back to a snapshot repeats none either.
 */
export async function takeIdentity(stateDir: string, machine: string, now: number): Promise<EngineIdentity> {
  const path = join(stateDir, 'edge-identity.json');
  const before = await read(path);
  const same = before !== undefined && before.machine === machine;
  if (same && before.generation >= GENERATION_MAX) {
    throw new IdentityUnusable(`${path}: all generations of this node id are used up; remove the file`);
  }
  const retired = before === undefined ? [] : same ? before.retired : [...before.retired, before.nodeId];
  const next: Stored = {
    version: 1,
    nodeId: same ? before.nodeId : newNodeId(path, retired),
    generation: Math.max(same ? before.generation + 1 : 1, minuteOf(now)),
    machine,
    retired,
  };
  await write(path, `${JSON.stringify(next)}\n`);
  return { nodeId: next.nodeId, generation: next.generation };
}

export async function machineDigest(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => 'no machine-id');
  // machine-id(5): it should not leave the machine as it is.
  return createHash('sha256').update(`culvert edge ${id.trim()}`).digest('hex').slice(0, 32);
}

function minuteOf(now: number): number {
  const minute = Math.floor(now / MINUTE_MS) - FIRST_MINUTE;
  return minute >= 1 && minute <= GENERATION_MAX - GENERATIONS_TO_COUNT ? minute : 1;
}

function newNodeId(path: string, retired: readonly number[]): number {
  const free = Array.from({ length: NODE_ID_MAX }, (_, index) => index + 1).filter(
    (id) => !retired.includes(id),
  );
  const chosen = free[free.length === 0 ? 0 : randomInt(free.length)];
  if (chosen === undefined) throw new IdentityUnusable(`${path}: no node id is left; remove the file`);
  return chosen;
}

async function read(path: string): Promise<Stored | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  // Starting over with a fresh file could repeat an IV: a broken one is for the operator to judge.
  const broken = () =>
    new IdentityUnusable(`${path}: not readable; remove it only after all sessions have ended`);
  let value: Partial<Stored> | null;
  try {
    value = JSON.parse(text) as Partial<Stored> | null;
  } catch {
    throw broken();
  }
  const whole =
    value?.version === 1 &&
    isWithin(value.nodeId, NODE_ID_MAX) &&
    isWithin(value.generation, GENERATION_MAX) &&
    typeof value.machine === 'string' &&
    Array.isArray(value.retired);
  if (!whole) throw broken();
  return value as Stored;
}

function isWithin(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

/** Complete or not at all, and on the disk when it returns. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
