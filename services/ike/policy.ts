import type { IkePolicy } from '@culvert/actors-ike';
import type { Config } from '@culvert/config';
import { SAS_PER_SESSION_MAX } from './limits.ts';

const GROUPS = [14, 15, 16, 19, 20, 21] as const;

/** What the settings allow; the order is for display, the initiator's order decides. */
export function policyOf({ ike, esp }: Config): IkePolicy {
  const { legacy } = ike;
  const groups = [
    ...GROUPS,
    ...(legacy.modp1536 ? ([5] as const) : []),
    ...(legacy.modp1024 ? ([2] as const) : []),
  ];
  const cbc = [
    'aes-cbc-256',
    'aes-cbc-192',
    'aes-cbc-128',
    ...(legacy['3des'] ? (['3des-cbc'] as const) : []),
  ] as const;
  return {
    phase1: {
      encryption: cbc,
      hash: ['sha2-512', 'sha2-384', 'sha2-256', 'sha1'],
      groups,
      lifetimeSeconds: ike.lifetimeSeconds,
    },
    phase2: {
      encryption: ['aes-gcm-16-256', 'aes-gcm-16-128', ...cbc],
      integrity: ['hmac-sha2-512-256', 'hmac-sha2-384-192', 'hmac-sha2-256-128', 'hmac-sha1-96'],
      groups,
      lifetimeSeconds: esp.lifetimeSeconds,
    },
    halfOpenMs: ike.halfOpenTimeoutSeconds * 1000,
    dpd: { intervalMs: ike.dpd.intervalSeconds * 1000, timeoutMs: ike.dpd.timeoutSeconds * 1000 },
    sasPerSessionMax: Math.min(ike.sasPerSessionMax, SAS_PER_SESSION_MAX),
    fragmentation: ike.fragmentation,
  };
}
