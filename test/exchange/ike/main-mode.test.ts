import { toHex } from '@culvert/wire';
import { NOTIFY } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import {
  android4,
  android7,
  macos,
  modern,
  networkManager,
  type PeerProfile,
  windows10,
} from '../../peer/profile.ts';
import { inWorld } from '../../sim/index.ts';
import { flipped, labConfig, openLab } from './lab.ts';

const SECOND = 1000;
const LEGACY = 'ike: { legacy: { 3des: true, modp1024: true, modp1536: true } }\n';

describe('stock offers, in their order (facts: clients)', () => {
  const selected: readonly [PeerProfile, string, readonly unknown[], readonly unknown[]][] = [
    [windows10, '', ['aes-cbc-256', 'sha1', 20], ['aes-cbc-256', 'sha1']],
    [macos, '', ['aes-cbc-256', 'sha2-256', 14], ['aes-cbc-256', 'sha2-256']],
    [networkManager, '', ['aes-cbc-256', 'sha2-256', 14], ['aes-cbc-256', 'sha1']],
    [modern, '', ['aes-cbc-256', 'sha2-256', 19], ['aes-gcm-16-256', 'none']],
    [android7, LEGACY, ['aes-cbc-256', 'sha2-384', 2], ['aes-cbc-256', 'sha2-512']],
    [android4, LEGACY, ['aes-cbc-256', 'sha1', 2], ['aes-cbc-256', 'sha2-512']],
  ];
  for (const [profile, settings, phase1, phase2] of selected) {
    for (const outside of [undefined, '203.0.113.9']) {
      test(`${profile.name}${outside === undefined ? '' : ' behind a NAT'}`, () =>
        inWorld({ seed: 2 }, async (world) => {
          const lab = await openLab(world, labConfig(settings));
          const station = lab.station(profile.ike, outside === undefined ? {} : { outside });
          station.initiator.connect();
          await world.until(() => station.sas.length === 1, 10 * SECOND);
          await world.run(SECOND);
          expect([station.initiator.phase1, station.initiator.phase2]).toEqual([phase1, phase2]);
          const [entry] = lab.entries();
          const [sa] = station.sas;
          expect(entry?.encapsulation).toBe(outside === undefined ? 'none' : 'udp');
          expect(entry?.selector).toEqual({ localPort: 1701, remotePort: profile.ike.quickModePort });
          // Each end's keys for what the other sends.
          expect([entry?.inbound, entry?.outbound]).toEqual([sa?.outbound, sa?.inbound]);
          expect(world.broker.faults).toEqual([]);
        }));
    }
  }

  for (const [profile, client] of [
    [android7, 'Android 7 to 11'],
    [android4, 'Android 4 to 6'],
  ] as const) {
    test(`${profile.name} is refused with one line that explains it`, () =>
      inWorld({ seed: 3 }, async (world) => {
        const lab = await openLab(world);
        const station = lab.station(profile.ike);
        // HDR, SA  -->   <--  HDR, N(NO-PROPOSAL-CHOSEN), the same for each duplicate
        station.initiator.connect();
        await world.run(12 * SECOND);
        const lines = lab.logged('negotiation refused');
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatchObject({ phase: 'phase 1', looksLike: client });
        expect(lines[0]?.nearest).toContain('MODP1024 needs ike.legacy.modp1024');
        expect(String(lines[0]?.allowed)).toContain('MODP2048');
        expect(lines[0]?.offered).toContain('AES-CBC-256/SHA1/MODP1024');
        expect(station.initiator.notified.every((type) => type === NOTIFY['NO-PROPOSAL-CHOSEN'])).toBe(true);
        expect(station.received).toHaveLength(station.sent.length);
        expect(new Set(station.received.map(toHex)).size).toBe(1);
      }));
  }
});

test('one trace and no more octets out than in until MM3 (S-4)', () =>
  inWorld({ seed: 4 }, async (world) => {
    const lab = await openLab(world);
    for (const profile of [windows10, macos, networkManager, modern]) {
      const station = lab.station(profile.ike, { ours: `198.51.100.${profile.ike.phase1.length}` });
      station.filter = (_, octets) => octets.length > 0 && station.sent.length === 1;
      station.initiator.connect();
      await world.run(100);
      expect(station.received).toHaveLength(1);
      expect(station.received[0]?.length).toBeLessThanOrEqual(station.sent[0]?.length ?? 0);
    }
  }));

test('duplicates of MM1, MM3 and MM5 get the very octets of the first answer', () =>
  inWorld({ seed: 5 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    let held: Uint8Array[] = [];
    station.filter = (direction, octets) => {
      if (direction === 'out') return true;
      held.push(octets);
      // Each answer is lost once.
      const copies = held.filter((other) => toHex(other) === toHex(octets)).length;
      return copies > 1;
    };
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 60 * SECOND);
    expect(held).toHaveLength(8);
    for (let index = 0; index < 8; index += 2)
      expect(toHex(held[index + 1] as Uint8Array)).toBe(toHex(held[index] as Uint8Array));
    held = [];
    expect(Object.keys(lab.entries())).toHaveLength(1);
  }));

test('set-up under loss, duplication of datagrams and reordering', () =>
  inWorld({}, async (world) => {
    const lab = await openLab(world);
    const stations = Array.from({ length: 20 }, (_, index) =>
      lab.station(modern.ike, { ours: `198.51.100.${index + 1}` }),
    );
    for (const station of stations) {
      station.filter = () => !world.chance.happens(0.1);
      station.initiator.connect();
    }
    await world.run(45 * SECOND);
    const up = stations.filter((station) => station.sas.length === 1);
    expect(up.length).toBeGreaterThan(14);
    expect(world.broker.faults).toEqual([]);
    // A lost HASH(3) does not cost the SA.
    for (const station of up) {
      const mine = lab.entries().some((entry) => entry.outboundSpi === station.sas[0]?.inboundSpi);
      expect(mine).toBe(true);
    }
  }));

test('a wrong pre-shared key meets silence and one line', () =>
  inWorld({ seed: 6 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(windows10.ike, { psk: 'not the key at all' });
    station.initiator.connect();
    await world.run(25 * SECOND);
    expect(station.received).toHaveLength(2);
    const lines = lab.logged('PSK mismatch likely');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ tried: ['office'], looksLike: 'Windows', listener: 'main' });
    await world.run(60 * SECOND);
    expect(lab.drops()['culvert.ike.reports{what=half-open-expired}']).toBe(1);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
  }));

test('of several keys the right one is found and pinned', () =>
  inWorld({ seed: 7 }, async (world) => {
    const psks = Array.from(
      { length: 4 },
      (_, n) => `  - { name: key${n}, secret: 'hX4mQ8rT2vW6yB1nD5fG9jL3pS7u${n}ZkA' }`,
    );
    const lab = await openLab(world, labConfig('', `psks:\n${psks.join('\n')}\n`));
    const station = lab.station(windows10.ike, { psk: 'hX4mQ8rT2vW6yB1nD5fG9jL3pS7u3ZkA' });
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 10 * SECOND);
    expect(lab.logged('isakmp sa established')[0]).toMatchObject({ psk: 'key3' });
    expect(lab.logged('PSK mismatch likely')).toEqual([]);
  }));

test('any octet of MM5 changed: no answer', () =>
  inWorld({ seed: 8 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    station.filter = (direction, octets) => direction === 'in' || octets.length < 28 || octets[19] === 0;
    station.initiator.connect();
    await world.run(SECOND);
    const mm5 = station.sent.find((octets) => octets[19] === 1) as Uint8Array;
    const before = station.received.length;
    for (const at of [28, 40, 60, mm5.length - 1])
      lab.inject(flipped(mm5, at), { address: '198.51.100.7', port: 500 });
    await world.run(SECOND);
    expect(station.received).toHaveLength(before);
    expect(lab.entries()).toEqual([]);
  }));

test('MM3 from another address is not worth a Diffie-Hellman', () =>
  inWorld({ seed: 9 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    station.filter = (direction) => direction === 'in' || station.sent.length === 1;
    station.initiator.connect();
    await world.run(SECOND);
    const mm3 = station.sent[1] as Uint8Array;
    lab.inject(mm3, { address: '203.0.113.66', port: 500 });
    await world.run(SECOND);
    expect(station.received).toHaveLength(1);
  }));

test('forced encapsulation makes the client believe in a NAT', () =>
  inWorld({ seed: 10 }, async (world) => {
    const lab = await openLab(
      world,
      labConfig('listen: [{ name: main, addresses: [192.0.2.1], forceEncapsulation: true }]\n'),
    );
    const station = lab.station(modern.ike);
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 10 * SECOND);
    await world.run(SECOND);
    expect(station.initiator.natDetected).toBe(true);
    expect(lab.entries()[0]).toMatchObject({ encapsulation: 'udp', flow: { remote: { port: 4500 } } });
  }));

test('NAT traversal by the drafts: payloads 130 and 131, mode 61444', () =>
  inWorld({ seed: 11 }, async (world) => {
    const lab = await openLab(world);
    const vendorIds = windows10.ike.vendorIds.filter((id) => !id.startsWith('4a131c81'));
    const station = lab.station({ ...windows10.ike, vendorIds }, { outside: '203.0.113.9' });
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 10 * SECOND);
    await world.run(SECOND);
    expect(lab.entries()[0]).toMatchObject({ encapsulation: 'udp' });
  }));

test('half-open SAs are bounded per source and in all', () =>
  inWorld({ seed: 12 }, async (world) => {
    const lab = await openLab(world, labConfig('ike: { halfOpenMax: 40, halfOpenPerSourceMax: 8 }\n'));
    const flood = (address: string) => {
      const station = lab.station(modern.ike, { ours: address });
      station.filter = (direction, octets) =>
        direction === 'in' || octets.length === 0 || station.sent.length === 1;
      station.initiator.connect();
    };
    for (let n = 0; n < 20; n += 1) flood('203.0.113.1');
    await world.run(10);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(8);
    for (let n = 0; n < 200; n += 1) flood(`198.51.100.${n + 1}`);
    await world.run(10);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBeLessThanOrEqual(40);
    // INV-9: when all have expired nothing is left.
    await world.run(90 * SECOND);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
    expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
  }));
