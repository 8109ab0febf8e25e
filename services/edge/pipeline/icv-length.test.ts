import { createCipheriv, createHmac } from 'node:crypto';
import type { EspEncryption, SaEntry } from '@culvert/contracts';
import { be32, concat } from '@culvert/wire';
import { describe, expect, test } from 'vitest';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  packet4,
  SERVER4,
  SESSION,
  saEntry,
  TRACE,
  testBench,
  testClient,
} from './session-fixture.ts';

const at = 2000;
const truncatedSa = (encryption: EspEncryption = 'aes-cbc-128') =>
  saEntry({ encryption, integrity: 'hmac-sha2-256-128' });

/** A packet as RFC 4868 or as the draft before it makes them, by hand. */
function esp(sa: SaEntry, sequence: number, icvOctets: number, plain: Uint8Array, mark = 0): Uint8Array {
  const [cipher, block] =
    sa.encryption === '3des-cbc' ? (['des-ede3-cbc', 8] as const) : (['aes-128-cbc', 16] as const);
  const iv = new Uint8Array(block).fill(sequence);
  const encryption = createCipheriv(cipher, sa.inbound.encryption, iv).setAutoPadding(false);
  const body = encryption.update(plain);
  const covered = concat(be32(sa.inboundSpi), be32(sequence), iv, body);
  const icv = createHmac('sha256', sa.inbound.integrity).update(covered).digest().subarray(0, icvOctets);
  icv[0] = (icv[0] ?? 0) ^ mark;
  return concat(covered, icv);
}

/** A user packet in PPP, L2TP and UDP, padded to a whole number of blocks. */
function plainOf(sa: SaEntry): Uint8Array {
  const client = testClient(sa);
  const datagram = client.datagram(client.data(0x21, packet4(CLIENT4, SERVER4)));
  const padding = 15 - ((datagram.length + 1) % 16);
  const pad = Uint8Array.from({ length: padding }, (_, index) => index + 1);
  return concat(datagram, pad, Uint8Array.of(padding, 17));
}

type Sent = readonly [icvOctets: 12 | 16, forged?: 'forged' | 'trailer'];

function after(encryption: EspEncryption, sent: readonly Sent[]) {
  const sa = truncatedSa(encryption);
  const bench = testBench([sa, callEntry(), linkEntry()]);
  const client = testClient(sa);
  for (const [index, [icvOctets, how]] of sent.entries()) {
    const plain = plainOf(sa);
    if (how === 'trailer') plain[plain.length - 2] = 255;
    const packet = esp(sa, index + 1, icvOctets, plain, how === 'forged' ? 1 : 0);
    bench.engine.outer(client.from(packet), at);
  }
  bench.engine.inner(packet4(SERVER4, CLIENT4), at);
  const out = bench.got.outer[0]?.octets.length ?? 0;
  // From SPI to the end of the body all is blocks, but for the eight octets of the header.
  const icvOut = (out - 8) % 8 === 0 ? 16 : 12;
  const truncations = bench.got.events.filter(({ type }) => type === 'icv-truncated');
  return { ...bench, icvOut, truncations, drops: bench.drops(), forwarded: bench.got.inner.length };
}

const table: readonly (readonly [
  string,
  readonly Sent[],
  { out: 12 | 16; forwarded: number; drops: Record<string, number> },
])[] = [
  ['nothing came: 16', [], { out: 16, forwarded: 0, drops: {} }],
  ['RFC 4868', [[16], [16]], { out: 16, forwarded: 2, drops: {} }],
  ['the draft', [[12], [12]], { out: 12, forwarded: 2, drops: {} }],
  ['16, then 12', [[16], [12]], { out: 16, forwarded: 1, drops: { 'esp-length': 1 } }],
  ['12, then 16', [[12], [16]], { out: 12, forwarded: 1, drops: { 'esp-length': 1 } }],
  ['a forged 12 decides nothing', [[12, 'forged'], [16]], { out: 16, forwarded: 1, drops: { 'esp-icv': 1 } }],
  ['a forged 16 decides nothing', [[16, 'forged'], [12]], { out: 12, forwarded: 1, drops: { 'esp-icv': 1 } }],
  [
    'only forged ones',
    [
      [12, 'forged'],
      [16, 'forged'],
    ],
    { out: 16, forwarded: 0, drops: { 'esp-icv': 2 } },
  ],
  [
    'what the ICV vouched for decides, whatever is inside',
    [[12, 'trailer'], [16], [12]],
    { out: 12, forwarded: 1, drops: { 'esp-trailer': 1, 'esp-length': 1 } },
  ],
];

describe.each(['aes-cbc-128', '3des-cbc'] as const)('HMAC-SHA-256 of 96 or 128 bits, %s', (encryption) => {
  test.each(table)('%s', (_, sent, { out, forwarded, drops }) => {
    const result = after(encryption, sent);
    expect(result).toMatchObject({ icvOut: out, forwarded });
    expect(result.drops).toEqual(drops);
    const told = { type: 'icv-truncated', session: SESSION, trace: TRACE, inboundSpi: 0x0140_0100 };
    expect(result.truncations).toEqual(out === 12 ? [told] : []);
    expect(result.engine.counters().icvTruncated).toBe(out === 12 ? 1 : 0);
  });
});

test('what was found out stays when the entry is declared again, and goes with the SA', () => {
  const sa = truncatedSa();
  const bench = testBench([sa, callEntry(), linkEntry()]);
  const client = testClient(sa);
  const send = (sequence: number, icvOctets: number) =>
    bench.engine.outer(client.from(esp(sa, sequence, icvOctets, plainOf(sa))), at);
  send(1, 12);
  bench.declare([{ ...sa, expiresAt: 900_000 }]);
  send(2, 16);
  expect(bench.drops()).toEqual({ 'esp-length': 1 });
  bench.engine.declare({ session: SESSION, bucket: 'ike', entries: [] }, at);
  bench.declare([sa]);
  send(3, 16);
  expect(bench.got.inner).toHaveLength(2);
});

test('no other integrity is ever shorter', () => {
  for (const integrity of ['hmac-sha1-96', 'hmac-sha2-384-192', 'hmac-sha2-512-256'] as const) {
    const sa = saEntry({ encryption: 'aes-cbc-128', integrity });
    const bench = testBench([sa, callEntry(), linkEntry()]);
    const client = testClient(sa);
    const packet = client.user(packet4(CLIENT4, SERVER4));
    bench.engine.outer(client.from(packet.subarray(0, packet.length - 4)), at);
    expect(bench.drops()).toEqual({ 'esp-length': 1 });
  }
});
