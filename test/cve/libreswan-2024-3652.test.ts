import { selectPhase2 } from '@culvert/actors-ike';
import {
  type Attribute,
  ESP_AUTHENTICATION,
  ESP_TRANSFORM,
  nameOf,
  PHASE_2_ATTRIBUTE,
  type Proposal,
} from '@culvert/wire/ike';
import { expect, test } from 'vitest';
import { policyOf } from '../../services/ike/policy.ts';
import { labConfig } from '../exchange/ike/lab.ts';

/**
 * CVE-2024-3652, assert: a Quick Mode chose AES-GMAC, which has no key material of its own. All ESP
 * transforms with all integrity algorithms and telling key lengths: what is chosen always has a key for
 * secrecy and something for integrity.
 */
const policy = policyOf(labConfig('ike: { legacy: { 3des: true } }\n'));
const setting = { natTraversal: true, natted: false, keyExchange: false };
const tv = (type: number, value: number): Attribute => ({ type, form: 'TV', value });
const LENGTHS = [undefined, 0, 64, 127, 128, 160, 192, 256, 288, 65_535];
const KNOWN: readonly number[] = Object.values(ESP_TRANSFORM);

function chosen(id: number, authentication: number | undefined, keyLength: number | undefined) {
  const attributes = [
    tv(PHASE_2_ATTRIBUTE.encapsulation, 2),
    ...(authentication === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.authentication, authentication)]),
    ...(keyLength === undefined ? [] : [tv(PHASE_2_ATTRIBUTE.keyLength, keyLength)]),
  ];
  const proposal: Proposal = {
    number: 1,
    protocol: 3,
    spi: Uint8Array.of(0x90, 0, 0, 1),
    transforms: [{ number: 1, id, attributes }],
  };
  const outcome = selectPhase2({ kind: 'SA', proposals: [proposal] }, policy, setting, '');
  return outcome.ok ? outcome.selection : undefined;
}

test('every transform, integrity algorithm and key length', () => {
  const suites = new Set<string>();
  for (let id = 0; id <= 255; id += 1) {
    for (const authentication of [undefined, ...Array.from({ length: 256 }, (_, number) => number)]) {
      for (const keyLength of KNOWN.includes(id) ? LENGTHS : [undefined, 128]) {
        const selection = chosen(id, authentication, keyLength);
        if (selection === undefined) continue;
        suites.add(`${selection.encryption}/${selection.integrity}`);
        expect(selection.integrity === 'none').toBe(selection.encryption.startsWith('aes-gcm-16'));
        // The name of what was chosen is that of what was offered: nothing is taken for something else.
        expect([ESP_TRANSFORM['AES-CBC'], ESP_TRANSFORM['3DES'], ESP_TRANSFORM['AES-GCM-16']]).toContain(id);
        if (id !== ESP_TRANSFORM['3DES']) expect(selection.encryption).toContain(`-${keyLength}`);
      }
    }
  }
  const cbc = ['3des-cbc', 'aes-cbc-128', 'aes-cbc-192', 'aes-cbc-256'];
  const hashes = ['hmac-sha1-96', 'hmac-sha2-256-128', 'hmac-sha2-384-192', 'hmac-sha2-512-256'];
  const expected = cbc.flatMap((cipher) => hashes.map((hash) => `${cipher}/${hash}`));
  expect([...suites].sort()).toEqual([...expected, 'aes-gcm-16-128/none', 'aes-gcm-16-256/none'].sort());
});

test.each(['NULL', 'NULL-AUTH-AES-GMAC'] as const)(
  '%s is refused with every 16-bit integrity algorithm',
  (name) => {
    for (let authentication = 0; authentication <= 0xffff; authentication += 1) {
      if (chosen(ESP_TRANSFORM[name], authentication, 128) !== undefined)
        expect.fail(`${name} with ${nameOf(ESP_AUTHENTICATION, authentication)}`);
    }
  },
);
