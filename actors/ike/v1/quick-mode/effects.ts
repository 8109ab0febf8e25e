import type { Delivery } from '@culvert/kernel';
import type { Payload } from '@culvert/wire/ike';
import type { AgreeDh, RepeatAnswer } from '../isakmp-sa/effects.ts';
import type { RequestDigest } from '../isakmp-sa/events.ts';
import type { Path } from '../path.ts';
import type { EspEncryption, EspIntegrity } from '../proposal/phase-2-offer.ts';
import type { Report } from '../report.ts';

/**
 * RFC 2409 §5.5 `<-- HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]`. The service derives KEYMAT for both
 * directions as it seals, and the packet waits at the edge for the SA's forwarding entry.
 */
export interface SendQm2 {
  readonly type: 'qm2.send';
  readonly isakmpSa: string;
  /** Names the keys: the machine's own id. */
  readonly quickMode: string;
  readonly path: Path;
  readonly request: RequestDigest;
  readonly messageId: number;
  readonly payloads: readonly Payload[];
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  /** KEYMAT includes g(qm)^xy of the Diffie-Hellman job of this machine. */
  readonly pfs: boolean;
}

export type QuickModeEffect = SendQm2 | AgreeDh | RepeatAnswer | Report | Delivery;
