import { createCipheriv } from 'node:crypto';
import { be32, concat } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import {
  PREFIX6,
  packet6,
  SERVER6,
  saEntry,
  testBench,
  testClient,
} from '../../services/edge/pipeline/session-fixture.ts';

/**
 * CVE-2022-34718, out of bounds: what stands behind an authenticated ESP payload was believed. Padding longer
 * than the payload, next headers that are not UDP, extension headers and fragments inside. CVE-2021-24086,
 * NULL: nested fragment headers in IPv6.
 */
const at = 2000;
const dropsOf = ({ drops }: ReturnType<typeof testBench>) => drops();

/** An authentic packet with any plaintext: what `plain` says of itself is not checked by the sealer. */
function sealed(plain: Uint8Array, sequence: number): Uint8Array {
  const sa = saEntry();
  const head = concat(be32(sa.inboundSpi), be32(sequence));
  const iv = concat(be32(7), be32(sequence));
  const cipher = createCipheriv('aes-256-gcm', sa.inbound.encryption, concat(sa.inbound.salt, iv));
  cipher.setAAD(head, { plaintextLength: plain.length });
  return concat(head, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

describe('an authentic trailer', () => {
  test('every Pad Length over payloads of every size is taken whole or refused', () => {
    const bench = testBench();
    const client = testClient();
    let sequence = 0;
    for (let length = 4; length <= 64; length += 4) {
      for (let pad = 0; pad <= 255; pad += 1) {
        sequence += 1;
        const plain = new Uint8Array(length);
        for (let index = 0; index < pad && index < length - 2; index += 1)
          plain[length - 3 - index] = (pad - index) & 0xff;
        plain[length - 2] = pad;
        plain[length - 1] = 17;
        bench.engine.outer(client.from(sealed(plain, sequence)), at);
      }
    }
    const { 'esp-trailer': trailer = 0, ...others } = dropsOf(bench);
    // Pad Length fits the 2, 6, 10, ... octets before it or it does not; what fits is no UDP of ours.
    expect(trailer).toBe(
      sequence - Array.from({ length: 16 }, (_, n) => 4 * n + 3).reduce((a, b) => a + b, 0),
    );
    expect(Object.values(others).reduce((sum, one) => sum + one, trailer)).toBe(sequence);
    expect([...bench.got.l2tp, ...bench.got.ppp, ...bench.got.inner]).toEqual([]);
  });

  test('only UDP is looked into; 59 is a dummy', () => {
    const bench = testBench();
    const client = testClient();
    const datagram = client.datagram(client.data(0x21, packet6(`${PREFIX6}1`, SERVER6)));
    for (let next = 0; next <= 255; next += 1) {
      if (next !== 17) bench.engine.outer(client.from(client.sealed(datagram, next)), at);
    }
    expect(dropsOf(bench)).toEqual({ 'esp-next-header': 254, 'esp-dummy': 1 });
  });
});

describe('inside the tunnel', () => {
  const extension = (next: number, octets = 8) => {
    const header = new Uint8Array(octets);
    header[0] = next;
    header[1] = octets / 8 - 1;
    return header;
  };
  const fragment = (next: number, offset: number, more: boolean) =>
    Uint8Array.of(next, 0, offset >>> 8, (offset & 0xf8) | (more ? 1 : 0), 0, 0, 0, 9);

  /** IPv6 with these headers behind the first, of which the first is `next`. */
  function outcome(next: number, ...headers: readonly Uint8Array[]) {
    const bench = testBench();
    const client = testClient();
    const payload = concat(...headers, new Uint8Array(16));
    const packet = packet6(`${PREFIX6}1`, SERVER6, payload);
    packet[6] = next;
    bench.engine.outer(client.from(client.user(packet)), at);
    return bench.got.inner.length > 0 ? 'forwarded' : (Object.keys(dropsOf(bench))[0] ?? 'lost');
  }

  test.each([
    ['a fragment in a fragment', 44, [fragment(44, 0, true), fragment(17, 0, false)], 'inner-malformed'],
    [
      'a fragment behind other headers in a fragment',
      44,
      [fragment(60, 0, true), extension(44), fragment(17, 8, true)],
      'inner-malformed',
    ],
    ['five headers', 60, [60, 60, 60, 60, 17].map((next) => extension(next)), 'inner-malformed'],
    [
      'a header that is longer than the packet',
      60,
      [Uint8Array.of(17, 255, 0, 0, 0, 0, 0, 0)],
      'inner-malformed',
    ],
    ['Hop-by-Hop Options that are not first', 60, [extension(0), extension(17)], 'inner-malformed'],
    ['a Routing header', 43, [extension(17)], 'inner-options'],
    ['one fragment, the first', 44, [fragment(17, 0, true)], 'forwarded'],
    ['one fragment, a later one', 44, [fragment(17, 1280, false)], 'forwarded'],
  ] as const)('%s', (_, next, headers, expected) => {
    expect(outcome(next, ...headers)).toBe(expected);
  });
});
