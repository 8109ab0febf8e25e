import { concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { ISAKMP_LIMITS } from '../limits.ts';
import { PAYLOAD } from '../registry-isakmp.ts';
import { emitTransform, parseTransforms, type Transform } from './transform.ts';

const HEADER_OCTETS = 8;

/** RFC 2408 §3.5. Proposals with equal numbers are to be taken together, with different ones in preference order. */
export interface Proposal {
  readonly number: number;
  readonly protocol: number;
  readonly spi: Uint8Array;
  readonly transforms: readonly Transform[];
}

/** Proposal payloads that fill `body` exactly. */
export function parseProposals(body: Uint8Array, at: number): Parsed<readonly Proposal[]> {
  const proposals: Proposal[] = [];
  const view = viewOf(body);
  let transformsLeft: number = ISAKMP_LIMITS.transformsMax;
  let offset = 0;
  for (let more = true; more; ) {
    if (proposals.length >= ISAKMP_LIMITS.proposalsMax) return malformed('too-many', at + offset);
    if (body.length - offset < HEADER_OCTETS) return malformed('truncated', at + offset);
    const next = view.getUint8(offset);
    if (next !== PAYLOAD.NONE && next !== PAYLOAD.PROPOSAL) return malformed('bad-value', at + offset);
    const length = view.getUint16(offset + 2);
    const spiOctets = view.getUint8(offset + 6);
    if (length < HEADER_OCTETS + spiOctets || length > body.length - offset)
      return malformed('bad-length', at + offset + 2);
    const count = view.getUint8(offset + 7);
    transformsLeft -= count;
    if (transformsLeft < 0) return malformed('too-many', at + offset + 7);
    const from = offset + HEADER_OCTETS + spiOctets;
    const transforms = parseTransforms(body.subarray(from, offset + length), count, at + from);
    if (!transforms.ok) return transforms;
    proposals.push({
      number: view.getUint8(offset + 4),
      protocol: view.getUint8(offset + 5),
      spi: body.subarray(offset + HEADER_OCTETS, from),
      transforms: transforms.value,
    });
    offset += length;
    more = next === PAYLOAD.PROPOSAL;
  }
  return offset === body.length ? parsed(proposals) : malformed('trailing-octets', at + offset);
}

export function emitProposal(proposal: Proposal, last: boolean): Uint8Array {
  const count = proposal.transforms.length;
  const transforms = proposal.transforms.map((transform, index) =>
    emitTransform(transform, index === count - 1),
  );
  const rest = concat(proposal.spi, ...transforms);
  const octets = new Uint8Array(HEADER_OCTETS + rest.length);
  const view = viewOf(octets);
  view.setUint8(0, last ? PAYLOAD.NONE : PAYLOAD.PROPOSAL);
  view.setUint16(2, octets.length);
  view.setUint8(4, proposal.number);
  view.setUint8(5, proposal.protocol);
  view.setUint8(6, proposal.spi.length);
  view.setUint8(7, count);
  octets.set(rest, HEADER_OCTETS);
  return octets;
}
