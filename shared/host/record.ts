import { decode, type Entry, encode } from '@culvert/bus';
import type { ForwardPart } from '@culvert/contracts';
import type { Instant, StoredSession, TimerTable } from '@culvert/kernel';
import type { Sealer } from './ports.ts';
import type { Vault } from './protocol.ts';

/**
 * A session's record in its bucket: MessagePack of `{ version, epoch, state, forward? }`. The two parts
 * are sealed apart, because the edge reads only `forward` and must not get to see the rest.
 */
interface SealedRecord {
  /** Of this envelope, not of the protocol's stored form. */
  readonly version: number;
  /** Of the owner that wrote it. */
  readonly epoch: number;
  readonly state: Uint8Array;
  readonly forward?: Uint8Array;
}

/** The plain content of `state`. */
export interface RecordState<E> {
  /** Of the protocol's stored form. */
  readonly version: number;
  readonly since: Instant;
  readonly trace: string;
  readonly seq: number;
  readonly state: StoredSession;
  readonly vault: Vault;
  readonly timers: TimerTable;
  readonly outbox: readonly {
    readonly id: string;
    readonly from: string;
    readonly effect: E;
    readonly trace: string;
  }[];
  readonly recent: readonly string[];
  readonly moving?: string;
}

const ENVELOPE_VERSION = 1;

/** `bucket/purpose/...`: the sealer keeps a subkey for each bucket and purpose and authenticates the whole. */
function place(bucket: string, key: string, epoch: number, part: 'state' | 'forward'): string {
  return `${bucket}/${part}/${key}/${epoch}`;
}

/** Where a record stands and who writes it: what its seals are bound to. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly epoch: number;
}

export function sealState<E>(sealer: Sealer, at: Place, state: RecordState<E>): Uint8Array {
  return sealer.seal(place(at.bucket, at.key, at.epoch, 'state'), encode(state));
}

/**
 * Seals a forward part anew only if its content changed, so that the edge sees from equal octets that it
 * has nothing to do. `before` was sealed for the same place.
 */
export function sealForward(
  sealer: Sealer,
  at: Place,
  forward: unknown,
  before: Uint8Array | undefined,
): Uint8Array | undefined {
  if (forward === undefined) return undefined;
  const where = place(at.bucket, at.key, at.epoch, 'forward');
  const plain = encode(forward);
  if (before !== undefined && Buffer.compare(sealer.open(where, before), plain) === 0) return before;
  return sealer.seal(where, plain);
}

export function encodeRecord(epoch: number, state: Uint8Array, forward: Uint8Array | undefined): Uint8Array {
  const record: SealedRecord = {
    version: ENVELOPE_VERSION,
    epoch,
    state,
    ...(forward === undefined ? {} : { forward }),
  };
  return encode(record);
}

/** Undefined for what is not a record of this version. */
export function epochOf(octets: Uint8Array): number | undefined {
  try {
    return envelope(octets).epoch;
  } catch {
    return undefined;
  }
}

/** Throws on anything that this key did not seal for this place. */
export function openRecord<E>(
  sealer: Sealer,
  bucket: string,
  key: string,
  octets: Uint8Array,
): RecordState<E> {
  const record = envelope(octets);
  return decode(sealer.open(place(bucket, key, record.epoch, 'state'), record.state)) as RecordState<E>;
}

/**
 * The forwarding entries in a record, for the edge that watches its bucket. Undefined when the key was
 * deleted or its session wants nothing forwarded. Throws when the record was not sealed under this
 * cluster's key for this bucket and key: the edge counts that and forwards nothing for it.
 */
export function readForwardPart(sealer: Sealer, bucket: string, entry: Entry): ForwardPart | undefined {
  if (entry.value === undefined) return undefined;
  const record = envelope(entry.value);
  if (record.forward === undefined) return undefined;
  return decode(
    sealer.open(place(bucket, entry.key, record.epoch, 'forward'), record.forward),
  ) as ForwardPart;
}

function envelope(octets: Uint8Array): SealedRecord {
  const record = decode(octets) as Partial<SealedRecord> | null;
  const wellFormed =
    typeof record === 'object' &&
    record?.version === ENVELOPE_VERSION &&
    typeof record.epoch === 'number' &&
    record.state instanceof Uint8Array &&
    (record.forward === undefined || record.forward instanceof Uint8Array);
  if (!wellFormed) throw new Error('not a record of this version');
  return record as SealedRecord;
}
