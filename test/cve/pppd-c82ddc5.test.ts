import type { PppEffect } from '@culvert/actors-ppp';
import {
  type CpOption,
  codes,
  controlPacketLength,
  controlPacketOctets,
  ipcpOptions,
  ipv4Option,
  lcpOptions,
  mruOption,
  optionsOctets,
  parseMru,
  parseOptions,
  protocols,
} from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import {
  CLIENT4,
  callEntry,
  linkEntry,
  packet4,
  SERVER4,
  saEntry,
  testBench,
  testClient,
} from '../../services/edge/pipeline/session-fixture.ts';
import {
  authenticated,
  CALL,
  frame,
  ipcp,
  lcp,
  lcpOpened,
  leased,
  link,
  MAGIC,
  sent,
  started,
} from '../exchange/ppp/by-hand.ts';

/**
 * pppd c82ddc5, out of bounds: a Configure-Nak outgrew its buffer, and so did a packet after an MRU above
 * 1500. accel-ppp #205: an Echo-Request larger than the peer's MRU was echoed whole. Nothing that leaves is
 * larger than what the peer said it takes.
 */
const MRU_DEFAULT = 1500;
const unknown = (count: number, length: number): CpOption[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 100 + (index % 100),
    data: new Uint8Array(length).fill(index),
  }));
const many = (option: CpOption, count: number) => new Array<CpOption>(count).fill(option);

const LISTS: readonly (readonly [string, readonly CpOption[]])[] = [
  ['64 unknown ones without data', unknown(64, 0)],
  ['64 unknown ones of 21 octets', unknown(64, 21)],
  ['the longest there can be', unknown(5, 253)],
  ['64 times one that is Nak’d', many(mruOption(64), 64)],
  ['64 times a Magic-Number of zero', many({ type: lcpOptions.magicNumber, data: new Uint8Array(4) }, 64)],
  ['64 times the same address', many(ipv4Option(ipcpOptions.ipAddress, new Uint8Array(4)), 64)],
  ['64 times a name server', many(ipv4Option(ipcpOptions.primaryDns, new Uint8Array(4)), 64)],
  ['all at once', [...many(mruOption(64), 20), ...unknown(24, 40), ...many(mruOption(1), 20)]],
];

const largest = (effects: readonly PppEffect[]) =>
  Math.max(0, ...effects.map((effect) => (effect.type === 'frame.send' ? effect.information.length : 0)));

describe('a Configure-Request with', () => {
  test.each(LISTS)('%s', (_, options) => {
    const request = { code: codes.configureRequest, identifier: 9, data: optionsOctets(options) };
    started();
    const negotiated = link.take(lcp(codes.configureRequest, 9, options));
    expect(largest(negotiated)).toBeLessThanOrEqual(Math.min(MRU_DEFAULT, controlPacketLength(request) + 32));
    started();
    lcpOpened([mruOption(576), MAGIC]);
    authenticated();
    leased();
    expect(largest(link.take(ipcp(codes.configureRequest, 9, options)))).toBeLessThanOrEqual(576);
  });

  test('65 options is refused whole', () => {
    expect(parseOptions(optionsOctets(unknown(65, 0))).ok).toBe(false);
  });
});

const MRUS = [
  0, 1, 2, 3, 4, 5, 7, 8, 64, 127, 128, 255, 256, 296, 575, 576, 577, 1279, 1280, 1281, 1400,
].concat(
  [1499, 1500, 1501, 2000, 4096, 9000, 16_384, 32_767, 32_768, 65_534, 65_535],
  Array.from({ length: 100 }, (_, index) => 13 * index + 11),
);

describe('the MRU of the peer', () => {
  test.each(MRUS)('%i', (mru) => {
    started();
    const [answer] = sent(link.take(lcp(codes.configureRequest, 1, [mruOption(mru), MAGIC])), protocols.lcp);
    if (mru < 576) {
      expect(answer?.code).toBe(codes.configureNak);
      const better = parseMru(answer?.options[0]?.data ?? new Uint8Array(0));
      expect(better.ok && better.value).toBe(1400);
      return;
    }
    expect(answer?.code).toBe(codes.configureAck);
    started();
    lcpOpened([mruOption(mru), MAGIC]);
    authenticated();
    leased();
    const long = new Uint8Array(2000).fill(0x41);
    const provoked = [
      frame(protocols.lcp, codes.echoRequest, 5, long),
      frame(protocols.lcp, 77, 6, long),
      { type: 'frame', call: CALL, protocol: 0x4021, information: long } as const,
      {
        type: 'frame',
        call: CALL,
        protocol: protocols.ccp,
        information: controlPacketOctets({ code: 1, identifier: 1, data: long }),
      } as const,
    ];
    for (const body of provoked) {
      const effects = link.take(body);
      expect(effects.length).toBeGreaterThan(0);
      expect(largest(effects)).toBeLessThanOrEqual(mru);
    }
  });

  test.each([576, 1280, 1400, 1500])('user packets to a link of %i octets', (mtuToPeer) => {
    const sa = saEntry();
    const bench = testBench([sa, callEntry(), linkEntry({ mtuToPeer })]);
    const client = testClient(sa);
    for (const length of [8, 500, 548, 549, 1252, 1253, 1372, 1373, 1472, 1473, 4000]) {
      bench.engine.inner(packet4(SERVER4, CLIENT4, new Uint8Array(length)), 2000);
    }
    expect(bench.got.outer.length).toBeGreaterThan(10);
    for (const { octets } of bench.got.outer) {
      expect(client.frameOf(octets).information.length).toBeLessThanOrEqual(mtuToPeer);
    }
  });
});
