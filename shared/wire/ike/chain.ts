import { viewOf } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import { ISAKMP_LIMITS } from './limits.ts';
import { emitPayload, type Payload, type PayloadKind, type PayloadOf, parsePayload } from './payload.ts';
import { PAYLOAD } from './registry-isakmp.ts';

const GENERIC_HEADER_OCTETS = 4;

/** One payload where it stands: hashes of RFC 2409 run over bodies and over stretches of the message. */
export interface Link {
  readonly payload: Payload;
  /** Of the generic header, in the octets given to `parseChain`. */
  readonly offset: number;
  readonly body: Uint8Array;
}

export interface Chain {
  readonly links: readonly Link[];
  /** Where the last payload ends; what follows is padding (RFC 2409 appendix B) or a fault. */
  readonly end: number;
}

/** RFC 2408 §3.2: payloads from `offset`, the first of type `first`. Each link is at least four octets on. */
export function parseChain(octets: Uint8Array, offset: number, first: number): Parsed<Chain> {
  const view = viewOf(octets);
  const links: Link[] = [];
  let type = first;
  let at = offset;
  let certificates = 0;
  while (type !== PAYLOAD.NONE) {
    if (links.length >= ISAKMP_LIMITS.payloadsMax) return malformed('too-many', at);
    if (octets.length - at < GENERIC_HEADER_OCTETS) return malformed('truncated', at);
    // RFC 2408 §5.3 has RESERVED checked; a wrong decryption key rarely gets past it.
    if (view.getUint8(at + 1) !== 0) return malformed('bad-value', at + 1);
    const length = view.getUint16(at + 2);
    if (length < GENERIC_HEADER_OCTETS || length > octets.length - at) return malformed('bad-length', at + 2);
    const body = octets.subarray(at + GENERIC_HEADER_OCTETS, at + length);
    const payload = parsePayload(type, body, at + GENERIC_HEADER_OCTETS);
    if (!payload.ok) return payload;
    if (payload.value.kind === 'CERT' || payload.value.kind === 'CR') certificates += 1;
    if (certificates > ISAKMP_LIMITS.certificatesMax) return malformed('too-many', at);
    links.push({ payload: payload.value, offset: at, body });
    type = view.getUint8(at);
    at += length;
  }
  return parsed({ links, end: at });
}

/** The octets of a chain without header or padding, and the type its announcer has to name. */
export function emitChain(payloads: readonly Payload[]): {
  readonly first: number;
  readonly octets: Uint8Array;
} {
  const parts = payloads.map(emitPayload);
  const octets = new Uint8Array(
    parts.reduce((sum, part) => sum + GENERIC_HEADER_OCTETS + part.body.length, 0),
  );
  const view = viewOf(octets);
  let at = 0;
  for (const [index, part] of parts.entries()) {
    view.setUint8(at, parts[index + 1]?.type ?? PAYLOAD.NONE);
    view.setUint16(at + 2, GENERIC_HEADER_OCTETS + part.body.length);
    octets.set(part.body, at + GENERIC_HEADER_OCTETS);
    at += GENERIC_HEADER_OCTETS + part.body.length;
  }
  return { first: parts[0]?.type ?? PAYLOAD.NONE, octets };
}

/** All payloads of one kind, in order. */
export function payloadsOf<K extends PayloadKind>(chain: Chain, kind: K): readonly PayloadOf<K>[] {
  return chain.links.filter((link) => link.payload.kind === kind).map((link) => link.payload as PayloadOf<K>);
}

/** The first link of a kind: its payload and its body as it stood on the wire. */
export function linkOf<K extends PayloadKind>(
  chain: Chain,
  kind: K,
): { readonly payload: PayloadOf<K>; readonly offset: number; readonly body: Uint8Array } | undefined {
  const link = chain.links.find((candidate) => candidate.payload.kind === kind);
  return link === undefined ? undefined : { ...link, payload: link.payload as PayloadOf<K> };
}
