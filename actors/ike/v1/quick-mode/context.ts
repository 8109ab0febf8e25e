import type { Path } from '../path.ts';
import type { EspEncryption, EspIntegrity } from '../proposal/phase-2-offer.ts';
import type { QuickModeHappening } from './events.ts';

export interface QuickModeInput {
  /** The machine's own id. */
  readonly id: string;
  /** Cookie of the ISAKMP SA it was negotiated under; the IPsec SAs outlive that. */
  readonly isakmpSa: string;
  readonly messageId: number;
}

export interface QuickModeContext extends QuickModeInput {
  readonly path?: Path | undefined;
  /** The first message, until the answer is out. */
  readonly first?: Extract<QuickModeHappening, { type: 'QM1' }> | undefined;
  readonly encryption: EspEncryption;
  readonly integrity: EspIntegrity;
  readonly encapsulation: 'none' | 'udp';
  readonly pfsGroup: number;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  /** UDP ports of the selectors; 0 is any. */
  readonly localPort: number;
  readonly remotePort: number;
  readonly lifeSeconds: number;
  /** 0: none was offered. */
  readonly lifeKilobytes: number;
  readonly createdAt: number;
  readonly confirmed: boolean;
}

export function newContext(input: QuickModeInput | undefined): QuickModeContext {
  return {
    id: input?.id ?? '',
    isakmpSa: input?.isakmpSa ?? '',
    messageId: input?.messageId ?? 0,
    encryption: 'aes-cbc-128',
    integrity: 'hmac-sha1-96',
    encapsulation: 'none',
    pfsGroup: 0,
    inboundSpi: 0,
    outboundSpi: 0,
    localPort: 0,
    remotePort: 0,
    lifeSeconds: 0,
    lifeKilobytes: 0,
    createdAt: 0,
    confirmed: false,
  };
}
