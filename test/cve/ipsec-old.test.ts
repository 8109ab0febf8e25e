import { createCipheriv, createHmac } from 'node:crypto';
import type { EspEncryption, EspIntegrity, SaEntry } from '@culvert/contracts';
import { be32, concat, equal } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import { newWindow, openEsp, prepareEsp } from '../../services/edge/esp/index.ts';
import { saEntry, testBench, testClient } from '../../services/edge/pipeline/session-fixture.ts';

/**
 * A flaw that many IPsec implementations had, crash: ESP shorter than its header and ICV. Every length for
 * every suite, and again with an ICV that is right for it. CVE-2026-43284, in-place decryption: what was
 * received stays as it was.
 */
const CIPHERS = {
  '3des-cbc': 'des-ede3-cbc',
  'aes-cbc-128': 'aes-128-cbc',
  'aes-cbc-192': 'aes-192-cbc',
  'aes-cbc-256': 'aes-256-cbc',
} as const;
const HASHES = {
  'hmac-sha1-96': ['sha1', 12],
  'hmac-sha2-256-128': ['sha256', 16],
  'hmac-sha2-384-192': ['sha384', 24],
  'hmac-sha2-512-256': ['sha512', 32],
} as const;
const cbc = (Object.keys(CIPHERS) as (keyof typeof CIPHERS)[]).flatMap((encryption) =>
  (Object.keys(HASHES) as (keyof typeof HASHES)[]).map((integrity) => [encryption, integrity] as const),
);
const SUITES: readonly (readonly [EspEncryption, EspIntegrity])[] = [
  ...cbc,
  ['aes-gcm-16-128', 'none'],
  ['aes-gcm-16-256', 'none'],
];

describe.each(SUITES)('%s with %s', (encryption, integrity) => {
  const sa = saEntry({ encryption, integrity });

  test('lengths 0 to 96 from a stranger', () => {
    const bench = testBench([sa]);
    const client = testClient(sa);
    for (let length = 0; length <= 96; length += 1) {
      const octets = new Uint8Array(length).fill(0x41);
      octets.set(be32(sa.inboundSpi).subarray(0, length));
      const before = octets.slice();
      bench.engine.outer(client.from(octets), 2000);
      expect(equal(octets, before)).toBe(true);
    }
    expect(Object.values(bench.drops()).reduce((sum, one) => sum + one, 0)).toBe(97);
    expect([...bench.got.inner, ...bench.got.l2tp, ...bench.got.ppp]).toEqual([]);
  });

  test('bodies of 0 to 64 octets under a right ICV', () => {
    const transform = prepareEsp(encryption, integrity, sa.inbound);
    for (let length = 0; length <= 64; length += 1) {
      const packet = authentic(sa, length);
      const before = packet.slice();
      const opened = openEsp(transform, newWindow(), packet);
      expect(equal(packet, before)).toBe(true);
      const whole = length > 0 && length % transform.blockOctets === 0;
      if (!whole) expect(opened).toMatchObject({ ok: false, fault: 'esp-length' });
      else if (opened.ok) expect(opened.payload.length).toBe(length - 2);
      else expect(opened.fault).toBe('esp-trailer');
    }
  });
});

/** A packet with `length` octets between IV and ICV, authentic whether they are whole blocks or not. */
function authentic(sa: SaEntry, length: number): Uint8Array {
  const head = concat(be32(sa.inboundSpi), be32(1));
  const { encryption, integrity, inbound } = sa;
  if (integrity === 'none') {
    const iv = new Uint8Array(8).fill(9);
    const name = encryption === 'aes-gcm-16-128' ? 'aes-128-gcm' : 'aes-256-gcm';
    const cipher = createCipheriv(name, inbound.encryption, concat(inbound.salt, iv));
    cipher.setAAD(head, { plaintextLength: length });
    return concat(head, iv, cipher.update(new Uint8Array(length)), cipher.final(), cipher.getAuthTag());
  }
  const name = CIPHERS[encryption as keyof typeof CIPHERS];
  const iv = new Uint8Array(encryption === '3des-cbc' ? 8 : 16).fill(9);
  const blocks = length - (length % iv.length);
  const cipher = createCipheriv(name, inbound.encryption, iv).setAutoPadding(false);
  const sealed = concat(cipher.update(new Uint8Array(blocks)), cipher.final());
  const body = concat(head, iv, sealed, new Uint8Array(length - blocks));
  const [hash, octets] = HASHES[integrity];
  return concat(body, createHmac(hash, inbound.integrity).update(body).digest().subarray(0, octets));
}
