import { AUTHENTICATION, GROUP, nameOf, PROTOCOL, type SaPayload } from '@culvert/wire/ike';
import type { IkePolicy } from '../policy.ts';
import {
  encryptionOf,
  hashOf,
  type Phase1Encryption,
  type Phase1Hash,
  type Phase1Offer,
  phase1Offer,
  phase1Text,
} from './phase-1-offer.ts';
import { type Difference, nearestOf, type Refusal, shown } from './refusal.ts';

export interface Phase1Suite {
  readonly encryption: Phase1Encryption;
  readonly hash: Phase1Hash;
  readonly group: number;
}

export interface Phase1Selection {
  readonly suite: Phase1Suite;
  /** The shorter of what was offered and what we allow. */
  readonly lifeSeconds: number;
  /** The answer's SA payload: the chosen transform exactly as offered (RFC 2408 §4.2). */
  readonly answer: SaPayload;
}

export type Phase1Outcome =
  | { readonly ok: true; readonly selection: Phase1Selection }
  | { readonly ok: false; readonly refusal: Refusal };

/** RFC 2407 §4.5: eight hours when the offer names no lifetime. */
const DEFAULT_LIFE_SECONDS = 28_800;
/** Below this a peer would rekey faster than it can be served. */
const LIFE_SECONDS_MIN = 60;

/** Policy against offer, the initiator's order deciding (RFC 2408 §4.2: preference order). */
export function selectPhase1(sa: SaPayload, policy: IkePolicy, looksLike: string): Phase1Outcome {
  const offers: Phase1Offer[] = [];
  for (const proposal of sa.proposals) {
    if (proposal.protocol !== PROTOCOL.ISAKMP) continue;
    for (const transform of proposal.transforms) {
      const offer = phase1Offer(transform);
      const suite = suiteOf(offer, policy);
      if (suite !== undefined) {
        const lifeSeconds = Math.min(
          offer.lifeSeconds ?? DEFAULT_LIFE_SECONDS,
          policy.phase1.lifetimeSeconds,
        );
        const answer: SaPayload = {
          kind: 'SA',
          proposals: [{ ...proposal, spi: new Uint8Array(0), transforms: [transform] }],
        };
        return {
          ok: true,
          selection: { suite, lifeSeconds: Math.max(lifeSeconds, LIFE_SECONDS_MIN), answer },
        };
      }
      offers.push(offer);
    }
  }
  return { ok: false, refusal: explain(offers, policy, looksLike) };
}

function suiteOf(offer: Phase1Offer, policy: IkePolicy): Phase1Suite | undefined {
  const encryption = encryptionOf(offer);
  const hash = hashOf(offer);
  const { group } = offer;
  if (encryption === undefined || hash === undefined || group === undefined) return undefined;
  return differences(offer, policy).length === 0 ? { encryption, hash, group } : undefined;
}

function differences(offer: Phase1Offer, policy: IkePolicy): readonly Difference[] {
  const found: Difference[] = [];
  const encryption = encryptionOf(offer);
  const hash = hashOf(offer);
  const group = offer.group ?? 0;
  if (encryption === undefined || !policy.phase1.encryption.includes(encryption)) {
    found.push(
      encryption === '3des-cbc' ? legacy('3DES', '3des') : { text: 'encryption is not supported', cost: 10 },
    );
  }
  if (hash === undefined || !policy.phase1.hash.includes(hash))
    found.push({ text: 'hash is not supported', cost: 10 });
  if (!policy.phase1.groups.includes(group)) {
    const name = LEGACY_GROUPS[group];
    found.push(
      name === undefined
        ? { text: `${nameOf(GROUP, group)} is not supported`, cost: 10 }
        : legacy(nameOf(GROUP, group), name),
    );
  }
  if (offer.authentication !== AUTHENTICATION['pre-shared key']) {
    found.push({
      text: `authentication by ${nameOf(AUTHENTICATION, offer.authentication ?? 0)} is not offered here`,
      cost: 20,
    });
  }
  if (offer.odd) found.push({ text: 'it carries attributes we do not know', cost: 15 });
  return found;
}

const LEGACY_GROUPS: Readonly<Record<number, string>> = {
  [GROUP.MODP1024]: 'modp1024',
  [GROUP.MODP1536]: 'modp1536',
};

function legacy(what: string, option: string): Difference {
  return { text: `${what} needs ike.legacy.${option}`, cost: 1 };
}

function explain(offers: readonly Phase1Offer[], policy: IkePolicy, looksLike: string): Refusal {
  const nearest = nearestOf(
    offers.map((offer) => ({ text: phase1Text(offer), differences: differences(offer, policy) })),
  );
  return {
    phase: 'phase 1',
    reason: offers.length === 0 ? 'no ISAKMP transform was offered' : 'no offered transform is allowed',
    offered: shown(offers.map(phase1Text)),
    allowed: phase1Allowed(policy),
    nearest,
    looksLike,
  };
}

export function phase1Allowed(policy: IkePolicy): string {
  const groups = policy.phase1.groups.map((group) => nameOf(GROUP, group));
  return `${policy.phase1.encryption.join(' ')} x ${policy.phase1.hash.join(' ')} x ${groups.join(' ')}, pre-shared key`;
}
