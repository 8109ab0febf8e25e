import type { IkePolicy } from '@culvert/actors-ike';
import type { Config } from '@culvert/config';
import { type Algorithm, type DhGroup, isUsable } from '@culvert/crypto';
import { SAS_PER_SESSION_MAX } from './limits.ts';

const GROUPS = [14, 15, 16, 19, 20, 21] as const;

/** What each transform is computed with: phase 1 encryption and hash, ESP encryption and integrity. */
const NEEDS = {
  'aes-cbc-256': ['aes-cbc-256'],
  'aes-cbc-192': ['aes-cbc-192'],
  'aes-cbc-128': ['aes-cbc-128'],
  '3des-cbc': ['3des-cbc'],
  'aes-gcm-16-256': ['aes-gcm-256'],
  'aes-gcm-16-128': ['aes-gcm-128'],
  'sha2-512': ['sha2-512', 'hmac-sha2-512'],
  'sha2-384': ['sha2-384', 'hmac-sha2-384'],
  'sha2-256': ['sha2-256', 'hmac-sha2-256'],
  sha1: ['sha1', 'hmac-sha1'],
  'hmac-sha2-512-256': ['hmac-sha2-512'],
  'hmac-sha2-384-192': ['hmac-sha2-384'],
  'hmac-sha2-256-128': ['hmac-sha2-256'],
  'hmac-sha1-96': ['hmac-sha1'],
} as const satisfies Readonly<Record<string, readonly Algorithm[]>>;

/** What failed its known answer at start is never agreed on: refused here, it is explained to the operator. */
function usable<T extends keyof typeof NEEDS>(transforms: readonly T[]): readonly T[] {
  return transforms.filter((transform) => NEEDS[transform].every(isUsable));
}

function usableGroups(groups: readonly DhGroup[]): readonly DhGroup[] {
  return groups.filter((group) => isUsable(`group-${group}`));
}

/** What the settings allow; the order is for display, the initiator's order decides. */
export function policyOf({ ike, esp }: Config): IkePolicy {
  const { legacy } = ike;
  const groups = usableGroups([
    ...GROUPS,
    ...(legacy.modp1536 ? ([5] as const) : []),
    ...(legacy.modp1024 ? ([2] as const) : []),
  ]);
  const cbc = [
    'aes-cbc-256',
    'aes-cbc-192',
    'aes-cbc-128',
    ...(legacy['3des'] ? (['3des-cbc'] as const) : []),
  ] as const;
  return {
    phase1: {
      encryption: usable(cbc),
      hash: usable(['sha2-512', 'sha2-384', 'sha2-256', 'sha1']),
      groups,
      lifetimeSeconds: ike.lifetimeSeconds,
    },
    phase2: {
      encryption: usable(['aes-gcm-16-256', 'aes-gcm-16-128', ...cbc]),
      integrity: usable(['hmac-sha2-512-256', 'hmac-sha2-384-192', 'hmac-sha2-256-128', 'hmac-sha1-96']),
      groups,
      lifetimeSeconds: esp.lifetimeSeconds,
    },
    halfOpenMs: ike.halfOpenTimeoutSeconds * 1000,
    dpd: { intervalMs: ike.dpd.intervalSeconds * 1000, timeoutMs: ike.dpd.timeoutSeconds * 1000 },
    sasPerSessionMax: Math.min(ike.sasPerSessionMax, SAS_PER_SESSION_MAX),
    fragmentation: ike.fragmentation,
  };
}
