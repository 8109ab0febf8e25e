import { Packr } from 'msgpackr';

/** What came in, or was to go out, is not plain data. */
export class NotPlainData extends Error {
  override readonly name = 'NotPlainData';
}

/** Nesting of a payload; our own records stay below ten. */
const DEPTH_MAX = 32;

// Records would make a message unreadable to a process that has not seen their structure; copied octets
// do not keep a whole receive buffer alive.
const packr = new Packr({ useRecords: false, copyBuffers: true, int64AsType: 'number' });

/**
 * MessagePack of plain data: null, undefined, booleans, safe numbers, strings, Uint8Array, arrays and
 * records. Anything else (a Secret, a Map, a function) throws: a class instance has no meaning elsewhere,
 * and a secret must be taken out of its wrapper on purpose.
 */
export function encode(value: unknown): Uint8Array {
  requirePlain(value, 0);
  const packed = packr.pack(value);
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
}

/** Throws on octets that are not MessagePack of plain data. Octet strings come back as own Uint8Arrays. */
export function decode(octets: Uint8Array): unknown {
  // A Buffer as source would make every octet string in it a Buffer.
  const source = new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
  const value: unknown = packr.unpack(source);
  requirePlain(value, 0);
  return value;
}

function requirePlain(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return;
    case 'number':
      // A float beyond 2^53 that holds a whole number has lost digits already.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new NotPlainData('unsafe integer');
      return;
    case 'object':
      break;
    default:
      throw new NotPlainData(`a ${typeof value} is not plain data`);
  }
  if (value === null || isOctets(value)) return;
  if (depth >= DEPTH_MAX) throw new NotPlainData(`nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) {
    for (const item of value) requirePlain(item, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new NotPlainData('a class instance is not plain data');
  for (const key in value) requirePlain((value as Record<string, unknown>)[key], depth + 1);
}

/** Subclasses other than Node's own Buffer may carry meaning (a secret, for one). */
function isOctets(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Uint8Array.prototype || prototype === Buffer.prototype;
}
