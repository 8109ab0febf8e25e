import { createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

const SHOWN = '[secret]';

/**
 * Octets that must never be printed. They live in a private field, which JSON, `util.inspect`, template
 * literals, `structuredClone`, object spread and msgpackr cannot see; `expose` is the only way out and is
 * easy to find in a review.
 */
export class Secret {
  readonly #octets: Uint8Array;

  constructor(octets: Uint8Array) {
    this.#octets = Uint8Array.from(octets);
  }

  static fromText(text: string): Secret {
    return new Secret(new TextEncoder().encode(text));
  }

  static random(length: number): Secret {
    return new Secret(randomBytes(length));
  }

  /** A copy: the caller may wipe it with `fill(0)` when done. */
  expose(): Uint8Array {
    return Uint8Array.from(this.#octets);
  }

  get length(): number {
    return this.#octets.length;
  }

  equals(other: Secret | Uint8Array): boolean {
    return constantTimeEqual(this.#octets, other instanceof Secret ? other.#octets : other);
  }

  /** Afterwards the secret is all zeros. JavaScript may have made copies; this shortens their number. */
  wipe(): void {
    this.#octets.fill(0);
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  get [Symbol.toStringTag](): string {
    return 'Secret';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}

/** Key octets as callers hold them: opaque, or plain out of a sealed vault. */
export type KeyOctets = Secret | Uint8Array;

export function octetsOf(key: KeyOctets): Uint8Array {
  return key instanceof Secret ? key.expose() : key;
}

/**
 * What every cipher and HMAC of ours is given: node:crypto takes plain octets too, but in Node 24 looks at
 * them through a thrown and caught exception, which costs four times the HMAC itself.
 */
export function keyObjectOf(key: KeyOctets): KeyObject {
  return createSecretKey(octetsOf(key));
}

/** The time taken depends on the lengths only, which are public for all that is compared here. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
