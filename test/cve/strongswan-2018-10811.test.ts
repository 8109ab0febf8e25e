import { expect, test } from 'vitest';
import { offer } from '../../services/aaa/offer.ts';
import { policyOf } from '../../services/ike/policy.ts';
import { type Algorithm, refuse } from '../../shared/crypto/usable.ts';
import { labConfig, openLab } from '../exchange/ike/lab.ts';
import { windows10 } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { expectUnharmed, SECOND } from './ike-stage.ts';

/**
 * CVE-2018-10811 and CVE-2016-3071, crash: what the build or the FIPS mode lacked was agreed on all the
 * same, and asked for only then. What may be negotiated is what passed its known answer at start; refused
 * algorithms stay refused in this process, so the tests build on each other.
 */
const ALL: readonly (readonly [Algorithm, string])[] = [
  ['aes-cbc-192', 'aes-cbc-192'],
  // Not aes-gcm-256: stored records are sealed with it, and a gateway without it does not start.
  ['aes-gcm-128', 'aes-gcm-16-128'],
  ['hmac-sha2-384', 'sha2-384'],
  ['hmac-sha2-384', 'hmac-sha2-384-192'],
  ['sha2-512', 'sha2-512'],
  ['group-21', '21'],
  ['aes-cbc-256', 'aes-cbc-256'],
];
const names = () => {
  const { phase1, phase2 } = policyOf(labConfig());
  const algorithms = [phase1.encryption, phase1.hash, phase2.encryption, phase2.integrity].flat();
  return [...algorithms, ...phase1.groups.map(String), ...phase2.groups.map(String)];
};

test('the methods of PPP go with their hashes and ciphers; a password in the clear needs none', () => {
  const methods = () => offer(['ms-chap-v2', 'chap-md5', 'pap'], { anyChap: true }).methods;
  expect(methods()).toEqual(['ms-chap-v2', 'chap-md5', 'pap']);
  refuse('md4');
  expect(methods()).toEqual(['chap-md5', 'pap']);
  refuse('md5');
  expect(methods()).toEqual(['pap']);
});

test.each(ALL)('without %s there is no %s to agree on', (algorithm, name) => {
  refuse(algorithm);
  expect(names()).not.toContain(name);
});

test('what is left is agreed on, and what is gone is explained', () =>
  inWorld({ seed: 630 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station({ ...windows10.ike, phase1: [['aes-cbc-256', 'sha2-256', 14]] });
    station.initiator.connect();
    await world.run(20 * SECOND);
    expect(station.sas).toHaveLength(0);
    expect(String(lab.logged('negotiation refused')[0]?.nearest)).toContain('AES-CBC-256/SHA2-256/MODP2048');
    const other = lab.station(
      { ...windows10.ike, phase1: [['aes-cbc-128', 'sha2-256', 19]] },
      { ours: '198.51.100.9' },
    );
    other.initiator.connect();
    await world.until(() => other.sas.length === 1, 20 * SECOND);
    expect(other.initiator.phase2?.[0]).toBe('aes-cbc-128');
    expectUnharmed(lab);
  }));
