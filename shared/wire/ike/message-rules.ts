import { malformed, type Parsed, parsed } from '../parsed.ts';
import type { Chain } from './chain.ts';
import type { PayloadKind } from './payload.ts';

/**
 * Which payloads a message must, may and must not carry, with how many: `[least, most]`. A kind that is
 * not in the row must not appear. RFC 2409 §5.1, §5.2 (Aggressive, to explain its refusal), §5.5, §5.7;
 * RFC 3947 §3.2 and §5.2 for NAT-D and NAT-OA; RFC 2408 §3.16 for Vendor IDs anywhere in phase 1.
 */
export type MessageName =
  | 'MM1'
  | 'MM2'
  | 'MM3'
  | 'MM4'
  | 'MM5'
  | 'MM6'
  | 'QM1'
  | 'QM2'
  | 'QM3'
  | 'INFO'
  | 'INFO (clear)'
  | 'AM1'
  | 'FRAGMENT';

type Count = readonly [least: number, most: number];

export interface MessageRule {
  readonly payloads: Readonly<Partial<Record<PayloadKind, Count>>>;
  /** RFC 2409 §5.1 has SA, and §5.5 and §5.7 have HASH, lead the message. */
  readonly leads?: PayloadKind;
}

const VENDORS: Count = [0, 64];
const SOME: Count = [0, 16];
const ALONG = { N: SOME, VID: VENDORS, private: SOME } as const;
const KEYS = { KE: [1, 1], NONCE: [1, 1], CR: SOME, CERT: SOME, 'NAT-D': [0, 8], ...ALONG } as const;
const IDENTITY = { ID: [1, 1], HASH: [0, 1], SIG: [0, 1], CERT: SOME, CR: SOME, ...ALONG } as const;
const QUICK = {
  HASH: [1, 1],
  SA: [1, 1],
  NONCE: [1, 1],
  KE: [0, 1],
  ID: [0, 2],
  'NAT-OA': [0, 2],
  ...ALONG,
} as const;

export const MESSAGE_RULES: Readonly<Record<MessageName, MessageRule>> = {
  MM1: { leads: 'SA', payloads: { SA: [1, 1], CR: SOME, ...ALONG } },
  MM2: { leads: 'SA', payloads: { SA: [1, 1], CR: SOME, ...ALONG } },
  MM3: { payloads: KEYS },
  MM4: { payloads: KEYS },
  // With a pre-shared key HASH stands where SIG stands with signatures: the classifier tells which is due.
  MM5: { leads: 'ID', payloads: IDENTITY },
  MM6: { leads: 'ID', payloads: IDENTITY },
  QM1: { leads: 'HASH', payloads: QUICK },
  QM2: { leads: 'HASH', payloads: QUICK },
  QM3: { leads: 'HASH', payloads: { HASH: [1, 1], ...ALONG } },
  INFO: { leads: 'HASH', payloads: { HASH: [1, 1], D: SOME, ...ALONG } },
  'INFO (clear)': { payloads: { D: SOME, ...ALONG } },
  AM1: {
    leads: 'SA',
    payloads: { SA: [1, 1], KE: [1, 1], NONCE: [1, 1], ID: [1, 1], CR: SOME, CERT: SOME, ...ALONG },
  },
  FRAGMENT: { leads: 'FRAGMENT', payloads: { FRAGMENT: [1, 1] } },
};

/** The one loop that checks a message against its row. */
export function checkMessage(name: MessageName, chain: Chain): Parsed<Chain> {
  const rule = MESSAGE_RULES[name];
  const seen = new Map<PayloadKind, number>();
  for (const [index, link] of chain.links.entries()) {
    const kind = link.payload.kind;
    const allowed = rule.payloads[kind];
    if (allowed === undefined) return malformed('unexpected', link.offset);
    if (index === 0 && rule.leads !== undefined && kind !== rule.leads)
      return malformed('unexpected', link.offset);
    const count = (seen.get(kind) ?? 0) + 1;
    if (count > allowed[1]) return malformed(allowed[1] === 1 ? 'duplicate' : 'too-many', link.offset);
    seen.set(kind, count);
  }
  for (const [kind, allowed] of Object.entries(rule.payloads)) {
    if ((seen.get(kind as PayloadKind) ?? 0) < allowed[0]) return malformed('missing', chain.end);
  }
  return parsed(chain);
}
