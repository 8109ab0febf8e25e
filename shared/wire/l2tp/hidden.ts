/**
 * RFC 2661 §4.3. The keystream and the subformat under it (length of the original value, value, padding)
 * are computed where the tunnel secret is; these two types are what that looks like from here.
 */

/** The original value of a hidden one, or undefined when what comes out cannot be one. */
export type Reveal = (
  attributeType: number,
  randomVector: Uint8Array,
  hidden: Uint8Array,
) => Uint8Array | undefined;

/** The hidden form of an original value. */
export type Hide = (attributeType: number, randomVector: Uint8Array, value: Uint8Array) => Uint8Array;
