import { invariant } from '@culvert/kernel';
import { ENCAPSULATION, GROUP, nameOf, PROTOCOL, type Proposal, type SaPayload } from '@culvert/wire/ike';
import type { IkePolicy } from '../policy.ts';
import {
  type EspEncryption,
  type EspIntegrity,
  espEncryptionOf,
  espIntegrityOf,
  type Phase2Offer,
  phase2Offer,
  phase2Text,
} from './phase-2-offer.ts';
import { type Difference, nearestOf, type Refusal, shown } from './refusal.ts';

export interface Phase2Selection {
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
  readonly encapsulation: 'none' | 'udp';
  /** Set when the offer asks for PFS. */
  readonly group?: number | undefined;
  readonly lifeSeconds: number;
  readonly lifeKilobytes?: number | undefined;
  /** Our policy is shorter than the offer: RESPONDER-LIFETIME is due (RFC 2407 §4.6.3.1). */
  readonly shortened: boolean;
  /** The peer's inbound SPI. */
  readonly peerSpi: number;
  /** The chosen proposal with its one transform as offered; our SPI goes into it. */
  readonly chosen: Proposal;
}

export type Phase2Outcome =
  | { readonly ok: true; readonly selection: Phase2Selection }
  | { readonly ok: false; readonly refusal: Refusal };

/** What is known from phase 1 and this message about encapsulation and PFS. */
export interface Phase2Setting {
  /** RFC 3947 was agreed in phase 1. */
  readonly natTraversal: boolean;
  /** A NAT was found, or we claim one. */
  readonly natted: boolean;
  /** A KE payload is in the message. */
  readonly keyExchange: boolean;
}

const DEFAULT_LIFE_SECONDS = 28_800;
const LIFE_SECONDS_MIN = 60;
/** RFC 2408 §2.1 and RFC 4303 §2.1: 1 to 255 are reserved. */
const SPI_MIN = 256;

export function selectPhase2(
  sa: SaPayload,
  policy: IkePolicy,
  setting: Phase2Setting,
  looksLike: string,
): Phase2Outcome {
  const judged: { text: string; differences: readonly Difference[] }[] = [];
  const bundled = bundledNumbers(sa.proposals);
  for (const proposal of sa.proposals) {
    for (const transform of proposal.transforms) {
      const offer = phase2Offer(transform);
      const problems = [
        ...proposalDifferences(proposal, bundled),
        ...offerDifferences(offer, policy, setting),
      ];
      if (problems.length === 0) return { ok: true, selection: selected(proposal, offer, policy) };
      judged.push({
        text: proposal.protocol === PROTOCOL.ESP ? phase2Text(offer) : nameOf(PROTOCOL, proposal.protocol),
        differences: problems,
      });
    }
  }
  return {
    ok: false,
    refusal: {
      phase: 'phase 2',
      reason: judged.length === 0 ? 'no transform was offered' : 'no offered transform is allowed',
      offered: shown(judged.map((candidate) => candidate.text)),
      allowed: phase2Allowed(policy, setting),
      nearest: nearestOf(judged),
      looksLike,
    },
  };
}

/** Proposal numbers used more than once: bundles such as ESP with IPCOMP, which L2TP does not need. */
function bundledNumbers(proposals: readonly Proposal[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const bundled = new Set<number>();
  for (const { number } of proposals) {
    if (seen.has(number)) bundled.add(number);
    seen.add(number);
  }
  return bundled;
}

function proposalDifferences(proposal: Proposal, bundled: ReadonlySet<number>): readonly Difference[] {
  if (proposal.protocol !== PROTOCOL.ESP) return [{ text: 'only ESP is offered here', cost: 30 }];
  if (bundled.has(proposal.number)) return [{ text: 'a bundle of protocols is not offered here', cost: 30 }];
  if (proposal.spi.length !== 4 || spiOf(proposal.spi) < SPI_MIN)
    return [{ text: 'its SPI is reserved or has a wrong length', cost: 50 }];
  return [];
}

function offerDifferences(
  offer: Phase2Offer,
  policy: IkePolicy,
  setting: Phase2Setting,
): readonly Difference[] {
  const found: Difference[] = [];
  const encryption = espEncryptionOf(offer);
  const integrity = espIntegrityOf(offer);
  if (encryption === undefined || !policy.phase2.encryption.includes(encryption)) {
    const text = encryption === '3des-cbc' ? '3DES needs ike.legacy.3des' : 'encryption is not supported';
    found.push({ text, cost: encryption === '3des-cbc' ? 1 : 10 });
  }
  if (integrity === undefined || (integrity !== 'none' && !policy.phase2.integrity.includes(integrity))) {
    found.push({ text: 'integrity is not supported', cost: 10 });
  }
  const mode = modeProblem(offer.encapsulation, setting);
  if (mode !== undefined) found.push({ text: mode, cost: 5 });
  if (offer.group !== undefined && !policy.phase2.groups.includes(offer.group)) {
    found.push({ text: `PFS with ${nameOf(GROUP, offer.group)} is not allowed`, cost: 2 });
  }
  // RFC 2409 §5.5: KE and the Group Description attribute come together.
  if ((offer.group !== undefined) !== setting.keyExchange)
    found.push({ text: 'KE and the group attribute contradict each other', cost: 5 });
  if (offer.odd) found.push({ text: 'it carries attributes we do not know', cost: 15 });
  return found;
}

/** RFC 3947 §5.1: UDP encapsulation where there is a NAT, and only if it was agreed; never tunnel mode (RFC 3193 §2.1). */
function modeProblem(mode: number | undefined, setting: Phase2Setting): string | undefined {
  switch (mode) {
    case ENCAPSULATION.Transport:
      return setting.natted ? 'plain transport mode does not pass the NAT that was found' : undefined;
    case ENCAPSULATION['UDP-Encapsulated-Transport']:
    case ENCAPSULATION['UDP-Encapsulated-Transport (draft)']:
      return setting.natTraversal ? undefined : 'NAT traversal was not agreed in phase 1';
    default:
      return 'L2TP needs transport mode';
  }
}

function selected(proposal: Proposal, offer: Phase2Offer, policy: IkePolicy): Phase2Selection {
  const encryption = espEncryptionOf(offer);
  const integrity = espIntegrityOf(offer);
  invariant(encryption !== undefined && integrity !== undefined, 'a selected transform has algorithms');
  const offered = offer.lifeSeconds ?? DEFAULT_LIFE_SECONDS;
  return {
    encryption,
    integrity,
    encapsulation: offer.encapsulation === ENCAPSULATION.Transport ? 'none' : 'udp',
    group: offer.group,
    lifeSeconds: Math.max(Math.min(offered, policy.phase2.lifetimeSeconds), LIFE_SECONDS_MIN),
    lifeKilobytes: offer.lifeKilobytes,
    shortened: offered > policy.phase2.lifetimeSeconds,
    peerSpi: spiOf(proposal.spi),
    chosen: { ...proposal, transforms: [offer.transform] },
  };
}

function spiOf(spi: Uint8Array): number {
  return spi.reduce((value, octet) => value * 256 + octet, 0);
}

function phase2Allowed(policy: IkePolicy, setting: Phase2Setting): string {
  const mode = setting.natted ? 'UDP-Encapsulated-Transport' : 'Transport';
  return `ESP ${mode}: ${policy.phase2.encryption.join(' ')} x ${policy.phase2.integrity.join(' ')} (none with GCM)`;
}
