import { toHex } from '@culvert/wire';
import { DOI, EXCHANGE, emitClearMessage, NOTIFY, PROTOCOL } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { macos, modern, windows10 } from '../../peer/profile.ts';
import { inWorld, type World } from '../../sim/index.ts';
import { flipped, type Lab, labConfig, openLab, type Station } from './lab.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

async function up(world: World, station: Station): Promise<string> {
  const before = station.sas.length;
  station.initiator.connect();
  await world.until(() => station.sas.length === before + 1, 20 * SECOND);
  await world.run(SECOND);
  return toHex(station.initiator.cookies.responder);
}

/** With the tunnel reported open, as l2tp does. */
async function working(world: World, lab: Lab, station: Station): Promise<string> {
  const session = await up(world, station);
  expect(await world.promised(lab.request(session, { type: 'tunnel.opened' }))).toEqual({ taken: true });
  return session;
}

describe('sessions and their SAs (charter 6)', () => {
  test('cookie and SPI carry the shard, the SPIs of a session one steering octet', () =>
    inWorld({ seed: 1 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      const session = await working(world, lab, station);
      await world.promised(station.initiator.quickMode());
      await world.run(SECOND);
      const [first, second] = lab.entries();
      expect(first?.session).toBe(session);
      const shard = Number.parseInt(session.slice(0, 4), 16) >>> 6;
      for (const entry of [first, second]) {
        expect((entry?.inboundSpi ?? 0) >>> 22).toBe(shard);
        expect((entry?.inboundSpi ?? 0) & 0xff).toBe(Number.parseInt(session.slice(-2), 16));
      }
      expect(lab.records()).toEqual([`${shard}.${session}`]);
    }));

  test('without a tunnel the IPsec SAs go after a minute, and the peer is told', () =>
    inWorld({ seed: 2 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await up(world, station);
      expect(lab.entries()).toHaveLength(1);
      await world.run(61 * SECOND);
      expect(lab.entries()).toEqual([]);
      expect(lab.records()).toEqual([]);
      expect(station.deleted).toEqual([station.sas[0]?.outboundSpi, 'isakmp']);
      expect(lab.l2tp).toEqual([{ type: 'session.ended', reason: 'negotiation-failed' }]);
    }));

  test('a Quick Mode rekey overlaps: both SAs stand until the peer deletes the old one', () =>
    inWorld({ seed: 3 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(macos.ike, { outside: '203.0.113.9' });
      await working(world, lab, station);
      await world.promised(station.initiator.quickMode());
      await world.until(() => station.sas.length === 2, 10 * SECOND);
      await world.run(SECOND);
      expect(lab.entries()).toHaveLength(2);
      station.initiator.deleteEsp([station.sas[0]?.inboundSpi ?? 0]);
      await world.run(SECOND);
      expect(lab.entries().map((entry) => entry.outboundSpi)).toEqual([station.sas[1]?.inboundSpi]);
      expect(lab.l2tp).toEqual([]);
    }));

  test('a peer whose Deletes are lost can rekey for ever: the oldest SA gives way, and the peer is told', () =>
    inWorld({ seed: 3 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      for (let rekey = 0; rekey < 12; rekey += 1) {
        await world.promised(station.initiator.quickMode());
        await world.until(() => station.sas.length === rekey + 2, 10 * SECOND);
        await world.run(SECOND);
      }
      const present = lab.entries().map((entry) => entry.outboundSpi);
      expect(present.toSorted()).toEqual(
        station.sas
          .slice(-8)
          .map((sa) => sa.inboundSpi)
          .toSorted(),
      );
      expect(station.deleted).toEqual(station.sas.slice(0, -8).map((sa) => sa.outboundSpi));
      expect(lab.l2tp).toEqual([]);
    }));

  test('with PFS the rekey has a Diffie-Hellman of its own', () =>
    inWorld({ seed: 4 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station({ ...windows10.ike, pfs: 19 });
      await working(world, lab, station);
      const [entry] = lab.entries();
      expect([entry?.inbound, entry?.outbound]).toEqual([station.sas[0]?.outbound, station.sas[0]?.inbound]);
      expect(lab.logged('ipsec sa established')[0]?.suite).toBe('aes-cbc-256/hmac-sha1-96/PFS group 19');
    }));

  test('a new ISAKMP SA joins the live session of the same identity, key, address and port', () =>
    inWorld({ seed: 5 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(windows10.ike, { outside: '203.0.113.9' });
      const session = await working(world, lab, station);
      const cookie = await up(world, station);
      expect(cookie).not.toBe(session);
      expect(lab.records()).toHaveLength(1);
      expect(lab.entries().map((entry) => entry.session)).toEqual([session, session]);
      // Deleting the old ISAKMP SA keeps its ESP SAs.
      expect(lab.logged('isakmp sa deleted')).toEqual([]);
      await world.run(10 * MINUTE);
      expect(lab.entries()).toHaveLength(2);
    }));

  test('so does one that begins on port 500 and floats, as Libreswan and racoon renew theirs', () =>
    inWorld({ seed: 5 }, async (world) => {
      const lab = await openLab(world);
      const client = { outside: '203.0.113.9' };
      const session = await working(world, lab, lab.station(windows10.ike, client));
      for (let renewed = 1; renewed <= 3; renewed += 1) {
        const cookie = await up(world, lab.station(windows10.ike, client));
        expect(cookie).not.toBe(session);
        expect(lab.records()).toHaveLength(1);
        expect(lab.entries().map((entry) => entry.session)).toEqual(Array(renewed + 1).fill(session));
      }
    }));

  test('and one that comes when the last ISAKMP SA is gone', () =>
    inWorld({ seed: 5 }, async (world) => {
      const lab = await openLab(world);
      const client = { outside: '203.0.113.9' };
      const station = lab.station(windows10.ike, client);
      const session = await working(world, lab, station);
      station.initiator.deleteIsakmp();
      await world.run(MINUTE);
      await up(world, lab.station(windows10.ike, client));
      expect(lab.entries().map((entry) => entry.session)).toEqual([session, session]);
    }));

  test('deleting the ISAKMP SA keeps the ESP SAs; the session ends with the last of those', () =>
    inWorld({ seed: 6 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(windows10.ike);
      await working(world, lab, station);
      const { initiator } = station;
      await world.promised(initiator.quickMode());
      await world.until(() => station.sas.length === 2, 10 * SECOND);
      initiator.deleteEsp([station.sas[0]?.inboundSpi ?? 0]);
      await world.run(SECOND);
      initiator.deleteEsp([station.sas[1]?.inboundSpi ?? 0]);
      await world.run(SECOND);
      expect(lab.l2tp).toEqual([{ type: 'session.ended', reason: 'peer-closed' }]);
      expect(lab.records()).toEqual([]);
      expect(station.deleted).toEqual(['isakmp']);
    }));

  test('the ISAKMP SA alone deleted: traffic goes on', () =>
    inWorld({ seed: 7 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(windows10.ike);
      await working(world, lab, station);
      station.initiator.deleteIsakmp();
      await world.run(10 * MINUTE);
      expect(lab.entries()).toHaveLength(1);
      expect(lab.logged('isakmp sa deleted')).toHaveLength(1);
      // And when that has expired, nothing is left.
      await world.run(60 * MINUTE);
      expect(lab.records()).toEqual([]);
      expect(lab.l2tp).toEqual([{ type: 'session.ended', reason: 'lifetime' }]);
    }));

  test('INITIAL-CONTACT replaces the session at the same address and port only', () =>
    inWorld({ seed: 8 }, async (world) => {
      const lab = await openLab(world);
      const first = lab.station(macos.ike, { outside: '203.0.113.9' });
      const old = await working(world, lab, first);
      // Same inner address, same outer address, another port: a second client behind the NAT.
      const second = lab.station(macos.ike, { outside: '203.0.113.9', node: 'second client' });
      second.outsidePorts = { ike: 21_500, floated: 25_500 };
      const other = await working(world, lab, second);
      expect(lab.records()).toHaveLength(2);
      expect(first.initiator.notified).toContain(NOTIFY['R-U-THERE']);
      // The first one restarts: same port as before.
      const again = lab.station(macos.ike, { outside: '203.0.113.9', node: 'first client again' });
      const anew = await up(world, again);
      const sessions = lab.entries().map((entry) => entry.session);
      expect(sessions).toContain(other);
      expect(sessions).toContain(anew);
      expect(sessions).not.toContain(old);
    }));

  test('three clients with one inner address behind one NAT are three sessions', () =>
    inWorld({ seed: 9 }, async (world) => {
      const lab = await openLab(world);
      for (let n = 0; n < 3; n += 1) {
        const station = lab.station(windows10.ike, {
          ours: '192.168.1.2',
          outside: '203.0.113.9',
          node: `client ${n}`,
        });
        station.outsidePorts = { ike: 21_000 + n, floated: 25_000 + n };
        await working(world, lab, station);
      }
      await world.run(5 * MINUTE);
      expect(new Set(lab.entries().map((entry) => entry.session)).size).toBe(3);
    }));

  test('the operator ends a session in order: L2TP first, then the SAs', () =>
    inWorld({ seed: 10 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      const session = await working(world, lab, station);
      await world.promised(lab.request(session, { type: 'close', reason: 'operator' }));
      await world.run(SECOND);
      expect(lab.l2tp).toEqual([{ type: 'close', reason: 'operator' }]);
      expect(lab.entries()).toHaveLength(1);
      await world.promised(lab.request(session, { type: 'tunnel.closed', reason: 'operator' }));
      await world.run(SECOND);
      expect(lab.records()).toEqual([]);
      expect(station.deleted).toEqual([station.sas[0]?.outboundSpi, 'isakmp']);
    }));

  test('an IPsec SA that we end is announced; ISAKMP SAs too', () =>
    inWorld({ seed: 11 }, async (world) => {
      const lab = await openLab(
        world,
        labConfig(
          'esp: { lifetimeSeconds: 600 }\nike: { lifetimeSeconds: 300, dpd: { intervalSeconds: 3600, timeoutSeconds: 7200 } }\n',
        ),
      );
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      // RFC 2407 §4.6.3.1: ours is shorter than the hour that was offered.
      await world.run(301 * SECOND);
      expect(station.deleted).toEqual(['isakmp']);
      await world.run(330 * SECOND);
      expect(lab.entries()).toEqual([]);
    }));
});

describe('Informational (RFC 2409 §5.7, RFC 3706)', () => {
  test('R-U-THERE is answered, replays of it are not', () =>
    inWorld({ seed: 20 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(windows10.ike);
      await working(world, lab, station);
      station.initiator.areYouThere(7);
      await world.run(SECOND);
      expect(station.initiator.notified).toEqual([NOTIFY['R-U-THERE-ACK']]);
      const query = station.sent.at(-1) as Uint8Array;
      lab.inject(query, { address: '198.51.100.7', port: 500 });
      await world.run(SECOND);
      expect(station.initiator.notified).toHaveLength(1);
    }));

  test('an idle peer is asked, and the session ends when it stays silent', () =>
    inWorld({ seed: 21 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      await world.run(5 * MINUTE);
      expect(
        station.initiator.notified.filter((type) => type === NOTIFY['R-U-THERE']).length,
      ).toBeGreaterThan(3);
      expect(lab.entries()).toHaveLength(1);
      station.filter = () => false;
      await world.run(4 * MINUTE);
      expect(lab.records()).toEqual([]);
      expect(lab.l2tp).toEqual([{ type: 'session.ended', reason: 'peer-silent' }]);
    }));

  test('traffic is proof of life', () =>
    inWorld({ seed: 22 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      lab.idleMs = 100;
      station.filter = () => false;
      await world.run(10 * MINUTE);
      expect(station.received.length).toBeLessThan(6);
      expect(lab.entries()).toHaveLength(1);
    }));

  test('what is not protected is not believed', () =>
    inWorld({ seed: 23 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      const { initiator, responder } = station.initiator.cookies;
      const fields = {
        initiatorCookie: initiator,
        responderCookie: responder,
        exchange: EXCHANGE.informational,
        messageId: 99,
      };
      const spis = [new Uint8Array([...initiator, ...responder])];
      lab.inject(emitClearMessage(fields, [{ kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, spis }]), {
        address: '198.51.100.7',
        port: 500,
      });
      await world.run(SECOND);
      expect(lab.logged('isakmp sa deleted')).toEqual([]);
      expect(lab.drops()['culvert.host.drops{protocol=ike,reason=unprotected-informational}']).toBe(1);
    }));

  test('CVE-2019-10155: any octet of a protected message changed and nothing happens', () =>
    inWorld({ seed: 24 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      await working(world, lab, station);
      station.filter = (direction) => direction === 'in';
      station.initiator.deleteIsakmp();
      const message = station.sent.at(-1) as Uint8Array;
      for (let at = 20; at < message.length; at += 1)
        lab.inject(flipped(message, at), { address: '198.51.100.7', port: 500 });
      await world.run(SECOND);
      expect(lab.logged('isakmp sa deleted')).toEqual([]);
      lab.inject(message, { address: '198.51.100.7', port: 500 });
      await world.run(SECOND);
      expect(lab.logged('isakmp sa deleted')).toHaveLength(1);
    }));
});

describe('after a crash', () => {
  test('established sessions go on: rekey, delete and the answer to a duplicate', () =>
    inWorld({ seed: 30 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(windows10.ike);
      const session = await working(world, lab, station);
      await world.run(SECOND);
      await lab.restart();
      // HDR*, HASH(3) is lost.
      station.filter = (direction) => direction === 'in' || station.received.length < before + 1;
      const before = station.received.length;
      await world.promised(station.initiator.quickMode());
      await world.until(() => station.sas.length === 2, 10 * SECOND);
      await world.run(SECOND);
      station.filter = () => true;
      expect(lab.entries().map((entry) => entry.session)).toEqual([session, session]);
      const qm1 = station.sent.filter((octets) => octets[18] === EXCHANGE.quickMode).at(-2) as Uint8Array;
      const answer = station.received.at(-1) as Uint8Array;
      await lab.restart();
      lab.inject(qm1, { address: '198.51.100.7', port: 500 });
      await world.run(SECOND);
      expect(toHex(station.received.at(-1) as Uint8Array)).toBe(toHex(answer));
      expect(lab.entries()).toHaveLength(2);
      station.initiator.deleteEsp(station.sas.map((sa) => sa.inboundSpi));
      await world.run(SECOND);
      expect(lab.records()).toEqual([]);
    }));

  test('a half-open handshake is gone, and the client begins anew', () =>
    inWorld({ seed: 31 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      station.filter = (direction, octets) => direction === 'out' || octets[19] === 0;
      station.initiator.connect();
      await world.run(SECOND);
      await lab.restart();
      station.filter = () => true;
      expect(lab.records()).toEqual([]);
      await up(world, station);
      expect(lab.entries()).toHaveLength(1);
    }));
});
