import { be32, concat, viewOf } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';
import { DOI, SIT_IDENTITY_ONLY } from '../registry-isakmp.ts';
import { emitProposal, type Proposal, parseProposals } from './proposal.ts';

/** RFC 2408 §3.4 with the IPsec DOI's situation (RFC 2407 §4.6.1); other DOIs and situations are refused. */
export interface SaPayload {
  readonly kind: 'SA';
  readonly proposals: readonly Proposal[];
}

export function parseSa(body: Uint8Array, at: number): Parsed<SaPayload> {
  if (body.length < 8) return malformed('truncated', at);
  const view = viewOf(body);
  if (view.getUint32(0) !== DOI.IPSEC) return malformed('bad-value', at);
  if (view.getUint32(4) !== SIT_IDENTITY_ONLY) return malformed('bad-value', at + 4);
  const proposals = parseProposals(body.subarray(8), at + 8);
  return proposals.ok ? parsed({ kind: 'SA', proposals: proposals.value }) : proposals;
}

export function emitSa(payload: SaPayload): Uint8Array {
  const last = payload.proposals.length - 1;
  const proposals = payload.proposals.map((proposal, index) => emitProposal(proposal, index === last));
  return concat(be32(DOI.IPSEC), be32(SIT_IDENTITY_ONLY), ...proposals);
}
