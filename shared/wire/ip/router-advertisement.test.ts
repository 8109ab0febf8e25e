import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '../octets.ts';
import {
  parseRouterAdvertisement,
  parseRouterSolicitation,
  type RouterAdvertisement,
  routerAdvertisementPacket,
  routerSolicitationPacket,
} from './router-advertisement.ts';

const OURS = hex('fe80000000000000 0200000000000001');
const ALL_NODES = hex('ff020000000000000000000000000001');
const ALL_ROUTERS = hex('ff020000000000000000000000000002');

const RA: RouterAdvertisement = {
  source: OURS,
  destination: ALL_NODES,
  curHopLimit: 64,
  routerLifetime: 1800,
  mtu: 1400,
  prefix: {
    address: hex('20010db8000000010000000000000000'),
    length: 64,
    validLifetime: 86_400,
    preferredLifetime: 14_400,
  },
  dns: [hex('20010db8000000000000000000000053')],
  dnsLifetime: 1800,
};

describe('RFC 4861 §4.2', () => {
  test('round trip, with and without name servers', () => {
    expect(parseRouterAdvertisement(routerAdvertisementPacket(RA))).toEqual({ ok: true, value: RA });
    const without = { ...RA, dns: [], dnsLifetime: 0 };
    expect(parseRouterAdvertisement(routerAdvertisementPacket(without))).toEqual({
      ok: true,
      value: without,
    });
  });

  test('the options as octets', () => {
    const packet = routerAdvertisementPacket(RA);
    expect(packet.subarray(56, 64)).toEqual(hex('0501 0000 00000578'));
    expect(packet.subarray(64, 96)).toEqual(
      hex('0304 40c0 00015180 00003840 00000000 20010db8000000010000000000000000'),
    );
    expect(packet.subarray(96)).toEqual(hex('1903 0000 00000708 20010db8000000000000000000000053'));
  });

  test('no prefix of it, and no flipped octet, is believed', () => {
    const packet = routerAdvertisementPacket(RA);
    for (let length = 0; length < packet.length; length += 1) {
      expect(parseRouterAdvertisement(packet.subarray(0, length)).ok).toBe(false);
    }
    fc.assert(
      fc.property(fc.nat(packet.length - 41), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = packet.slice();
        bad[40 + at] = (bad[40 + at] ?? 0) ^ flip;
        expect(parseRouterAdvertisement(bad).ok).toBe(false);
      }),
    );
  });
});

describe('RFC 4861 §4.1', () => {
  test('round trip', () => {
    const source = hex('fe80000000000000 1122334455667788');
    const packet = routerSolicitationPacket(source, ALL_ROUTERS);
    expect(parseRouterSolicitation(packet)).toEqual({ ok: true, value: { source } });
    expect(parseRouterSolicitation(routerAdvertisementPacket(RA))).toMatchObject({ reason: 'unexpected' });
  });

  test('§6.1.1: a forwarded one is refused', () => {
    const packet = routerSolicitationPacket(OURS, ALL_ROUTERS);
    packet[7] = 254;
    expect(parseRouterSolicitation(packet)).toMatchObject({ reason: 'bad-value' });
  });

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        (octets) => void [parseRouterSolicitation(octets), parseRouterAdvertisement(octets)],
      ),
    );
  });
});
