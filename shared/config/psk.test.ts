import { createHash } from 'node:crypto';
import { Secret } from '@culvert/crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newPsk, pskWeakness } from './psk.ts';

const weakness = (text: string) => pskWeakness(Secret.fromText(text));

describe('refused', () => {
  test.each([
    'vpn',
    'password',
    'changeme123',
    '12345678901234567890',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'vpnvpnvpnvpnvpnvpnvpnvpnvpnvpn',
    'xK9#mQ2$vL7!xK9#mQ2$vL7!xK9#mQ2$vL7!',
    'companyvpnsharedsecret2026!!companykey',
    'P@ssw0rd-P@ssw0rd-VPN-l2tp-shared-secret',
    'this is our very long company vpn shared key',
    'correct horse battery staple purple monkey',
    '0123456789abcdef0123456789abcdef',
    'deadbeefdeadbeefdeadbeefdeadbeefdeadbeef',
    'Zq8#vT1!mK5@xW3$pL9&',
  ])('%s', (text) => {
    expect(weakness(text)).toBeDefined();
  });

  test('less than 20 octets, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 19 }), (short) => pskWeakness(new Secret(short)) !== undefined),
    );
  });
});

describe('accepted', () => {
  test('what `culvert psk new` makes', () => {
    for (let round = 0; round < 200; round += 1) {
      const key = newPsk();
      expect(key).toMatch(/^([a-z0-9]{4}-){7}[a-z0-9]{4}$/);
      expect(key).not.toMatch(/[il1o]/);
      expect(weakness(key)).toBeUndefined();
    }
  });

  test('random octets in the usual spellings', () => {
    for (let round = 0; round < 200; round += 1) {
      // The sample is fixed: by chance one spelling in thousands reads like words.
      const random = createHash('sha256').update(`sample ${round}`).digest();
      expect(weakness(random.toString('hex'))).toBeUndefined();
      expect(weakness(random.toString('base64'))).toBeUndefined();
      expect(pskWeakness(new Secret(random))).toBeUndefined();
    }
  });
});

test.each(['base64', 'base64url', 'hex'] as const)('random keys in %s are taken', (encoding) => {
  let refused = 0;
  for (let count = 0; count < 3_000; count += 1) {
    const key = Buffer.from(Secret.random(24).expose()).toString(encoding);
    if (pskWeakness(Secret.fromText(key)) !== undefined) refused += 1;
  }
  expect(refused).toBeLessThanOrEqual(3);
});
