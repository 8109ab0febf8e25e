import { malformed, type Parsed, parsed } from '../parsed.ts';

export const ESP_TRAILER_OCTETS = 2;
/** RFC 4303 §2.4: Pad Length and Next Header end on a four-octet boundary, whatever the cipher. */
const ALIGNMENT = 4;

/** RFC 4303 §2.3 to §2.6, the decrypted part without IV. `payload` is a view. */
export interface EspPlain {
  readonly payload: Uint8Array;
  readonly nextHeader: number;
}

/** RFC 4303 §2.4: the default padding 1, 2, 3, … is checked, as a receiver SHOULD. */
export function parseEspPlain(plain: Uint8Array): Parsed<EspPlain> {
  if (plain.length < ESP_TRAILER_OCTETS) return malformed('truncated', plain.length);
  const end = plain.length - ESP_TRAILER_OCTETS;
  const padLength = plain[end] ?? 0;
  if (padLength > end) return malformed('bad-length', end);
  const payloadEnd = end - padLength;
  for (let index = 0; index < padLength; index += 1) {
    if (plain[payloadEnd + index] !== index + 1) return malformed('bad-padding', payloadEnd + index);
  }
  return parsed({ payload: plain.subarray(0, payloadEnd), nextHeader: plain[end + 1] ?? 0 });
}

/** How many octets `payloadLength` grows to with padding and trailer, for a cipher of this block size. */
export function espPlainLength(payloadLength: number, blockOctets: number): number {
  const unit = Math.max(ALIGNMENT, blockOctets);
  return Math.ceil((payloadLength + ESP_TRAILER_OCTETS) / unit) * unit;
}

/** Writes padding and trailer behind a payload that ends at `payloadEnd`, so that all ends at `end`. */
export function emitEspTrailer(into: Uint8Array, payloadEnd: number, end: number, nextHeader: number): void {
  const padLength = end - ESP_TRAILER_OCTETS - payloadEnd;
  for (let index = 0; index < padLength; index += 1) into[payloadEnd + index] = index + 1;
  into[end - 2] = padLength;
  into[end - 1] = nextHeader;
}
