import { type IkeDatagram, subjects } from '@culvert/contracts';
import { concat, toHex } from '@culvert/wire';
import { DOI, EXCHANGE, emitClearMessage, FLAG, NOTIFY, type Payload, PROTOCOL } from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { macos, modern, windows10 } from '../../peer/profile.ts';
import { inWorld, type World } from '../../sim/index.ts';
import { type Lab, labConfig, openLab, type Station } from './lab.ts';

/**
 * A group key lets its holder claim any identity (reliability S-33), and a source address can be forged. What
 * joins or replaces a session must therefore have shown that it receives where it says it is.
 */
const SECOND = 1000;
const VICTIM = { ours: '192.168.1.2', outside: '203.0.113.9', node: 'victim' };
const ATTACKER = { ours: '192.168.1.2', outside: '198.51.100.99', node: 'attacker' };
const VICTIMS_PLACE = { address: '203.0.113.9', port: 24_500 };

async function working(world: World, lab: Lab, station: Station): Promise<string> {
  station.initiator.connect();
  await world.until(() => station.sas.length > 0, 20 * SECOND);
  await world.run(SECOND);
  const session = toHex(station.initiator.cookies.responder);
  await world.promised(lab.request(session, { type: 'tunnel.opened' }));
  return session;
}

const isMm5 = (octets: Uint8Array) =>
  octets[18] === EXCHANGE.identityProtection && ((octets[19] ?? 0) & FLAG.encryption) !== 0;

/** Sends what `forged` picks from the victim's place; the answer is known without being received. */
function forging(lab: Lab, attacker: Station, forged: (octets: Uint8Array) => boolean, from = VICTIMS_PLACE) {
  attacker.filter = (direction, octets) => {
    if (direction === 'in' || !forged(octets)) return true;
    lab.inject(octets.slice(), from);
    return false;
  };
  lab.bus.subscribe<IkeDatagram>(subjects.edge.ike('sim'), ({ payload: { flow, octets } }) => {
    const ours = toHex(octets.subarray(8, 16)) === toHex(attacker.initiator.cookies.responder);
    // MM6 is a function of what its initiator knows; QM2 is not.
    const computable = octets[18] === EXCHANGE.identityProtection;
    if (ours && computable && flow.remote.address === from.address && flow.remote.port === from.port)
      void attacker.initiator.receive(octets).catch((error: unknown) => lab.world.broker.faults.push(error));
  });
}

describe('who claims to be where another client is', () => {
  for (const [where, from, options] of [
    ['from another address', VICTIMS_PLACE, ATTACKER],
    ['from behind the same NAT', VICTIMS_PLACE, { ...ATTACKER, outside: VICTIM.outside }],
  ] as const) {
    test(`gets no SA in the other's session, ${where}`, () =>
      inWorld({ seed: 1 }, async (world) => {
        const lab = await openLab(world);
        const session = await working(world, lab, lab.station(windows10.ike, VICTIM));
        const attacker = lab.station(windows10.ike, options);
        attacker.outsidePorts = { ike: 31_500, floated: 34_500 };
        forging(lab, attacker, isMm5, from);
        attacker.initiator.connect();
        await world.run(20 * SECOND);
        expect(lab.entries().filter((entry) => entry.session === session)).toHaveLength(1);
        expect(lab.logged('isakmp sa established')).toHaveLength(2);
      }));

    test(`is not joined by the other, ${where}`, () =>
      inWorld({ seed: 2 }, async (world) => {
        const lab = await openLab(world);
        const attacker = lab.station(windows10.ike, options);
        attacker.outsidePorts = { ike: 31_500, floated: 34_500 };
        forging(lab, attacker, isMm5, from);
        await working(world, lab, attacker);
        const theirs = toHex(attacker.initiator.cookies.responder);
        const session = await working(world, lab, lab.station(windows10.ike, VICTIM));
        expect(lab.entries().map((entry) => entry.session)).toEqual(
          expect.arrayContaining([theirs, session]),
        );
        expect(session).not.toBe(theirs);
        expect(lab.entries().filter((entry) => entry.session === theirs)).toHaveLength(1);
      }));

    test(`ends nothing with INITIAL-CONTACT, ${where}`, () =>
      inWorld({ seed: 3 }, async (world) => {
        const lab = await openLab(world);
        const session = await working(world, lab, lab.station(macos.ike, VICTIM));
        const attacker = lab.station(macos.ike, options);
        attacker.outsidePorts = { ike: 31_500, floated: 34_500 };
        forging(lab, attacker, isMm5, from);
        attacker.initiator.connect();
        await world.run(20 * SECOND);
        expect(attacker.sas.length).toBe(1);
        expect(lab.entries().map((entry) => entry.session)).toContain(session);
      }));
  }

  test('INITIAL-CONTACT in a message of its own counts for the place of Main Mode alone', () =>
    inWorld({ seed: 4 }, async (world) => {
      const lab = await openLab(world);
      const session = await working(world, lab, lab.station(windows10.ike, VICTIM));
      const attacker = lab.station(windows10.ike, ATTACKER);
      await working(world, lab, attacker);
      forging(lab, attacker, () => true);
      const { initiator, responder } = attacker.initiator.cookies;
      const notifyType = NOTIFY['INITIAL-CONTACT'];
      const spi = concat(initiator, responder);
      const contact: Payload = {
        kind: 'N',
        doi: DOI.IPSEC,
        protocol: PROTOCOL.ISAKMP,
        notifyType,
        spi,
        data: new Uint8Array(0),
      };
      attacker.initiator.inform([contact]);
      await world.run(5 * SECOND);
      expect(lab.entries().map((entry) => entry.session)).toContain(session);
    }));

  test('a Quick Mode cannot be started there and its answer fetched from here', () =>
    inWorld({ seed: 5 }, async (world) => {
      const lab = await openLab(world);
      const session = await working(world, lab, lab.station(windows10.ike, VICTIM));
      const attacker = lab.station(windows10.ike, { ...ATTACKER, outside: VICTIM.outside });
      attacker.outsidePorts = { ike: 31_500, floated: 34_500 };
      const seen = new Set<string>();
      forging(lab, attacker, (octets) => {
        const again = seen.has(toHex(octets));
        seen.add(toHex(octets));
        return isMm5(octets) || (octets[18] === EXCHANGE.quickMode && !again);
      });
      attacker.initiator.connect();
      await world.run(20 * SECOND);
      // The first QM1 came from the victim's place; its repetitions from elsewhere are not answered.
      expect(attacker.received.some((octets) => octets[18] === EXCHANGE.quickMode)).toBe(false);
      expect(lab.logged('ipsec sa established').length).toBeLessThanOrEqual(2);
      expect(lab.entries().filter((entry) => entry.session === session).length).toBeLessThanOrEqual(2);
    }));
});

describe('a first message never enters a session that is there', () => {
  for (const [how, wrap] of [
    ['from the same address and port', (mm1: Uint8Array) => mm1],
    [
      'inside a fragment with the cookie of the session',
      (mm1: Uint8Array, cookies: Uint8Array) =>
        emitClearMessage(
          {
            initiatorCookie: cookies.subarray(0, 8),
            responderCookie: cookies.subarray(8),
            exchange: EXCHANGE.identityProtection,
            messageId: 0,
          },
          [{ kind: 'FRAGMENT', id: 1, number: 1, last: true, data: mm1 }],
        ),
    ],
  ] as const) {
    test(how, () =>
      inWorld({ seed: 6 }, async (world) => {
        const lab = await openLab(world);
        const station = lab.station(windows10.ike);
        const session = await working(world, lab, station);
        const { initiator, responder } = station.initiator.cookies;
        station.initiator.deleteIsakmp();
        await world.run(SECOND);
        expect(lab.entries().map((entry) => entry.session)).toEqual([session]);
        const answers: string[] = [];
        world.broker.tap(
          ({ subject }) => void (subject.startsWith('culvert.edge.ike') && answers.push(subject)),
        );
        const mm1 = station.sent[0] as Uint8Array;
        lab.inject(wrap(mm1, concat(initiator, responder)), { address: '198.51.100.7', port: 500 });
        await world.run(SECOND);
        expect(answers).toEqual([]);
        expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
      }),
    );
  }
});

test('a repeated question is answered where it first came from, and nowhere else', () =>
  inWorld({ seed: 7 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    // MM4 never arrives, so that MM3 stays the question that was answered last.
    station.filter = (direction, octets) => direction === 'out' || octets.length < 200 || isMm2(octets);
    station.initiator.connect();
    await world.run(SECOND);
    const mm3 = station.sent[1] as Uint8Array;
    const to: string[] = [];
    world.broker.tap(({ subject, payload }) => {
      if (subject.startsWith('culvert.edge.ike')) to.push((payload as IkeDatagram).flow.remote.address);
    });
    lab.inject(mm3, { address: '203.0.113.200', port: 500 });
    lab.inject(mm3, { address: '198.51.100.7', port: 501 });
    await world.run(0);
    expect(to).toEqual([]);
    lab.inject(mm3, { address: '198.51.100.7', port: 500 });
    await world.run(0);
    expect(to).toEqual(['198.51.100.7']);
  }));

const isMm2 = (octets: Uint8Array) => octets[16] === 1;

test('a Quick Mode that was recorded is not run again, however much was said since', () =>
  inWorld({ seed: 8 }, async (world) => {
    const lab = await openLab(world, labConfig());
    const station = lab.station(windows10.ike, VICTIM);
    await working(world, lab, station);
    const qm1 = station.sent.find((octets) => octets[18] === EXCHANGE.quickMode) as Uint8Array;
    await world.promised(station.initiator.quickMode());
    await world.until(() => station.sas.length === 2, 10 * SECOND);
    station.initiator.deleteEsp([station.sas[0]?.inboundSpi ?? 0]);
    await world.run(SECOND);
    for (let n = 0; n < 400; n += 1) {
      station.initiator.areYouThere(1000 + n);
      if (n % 50 === 0) await world.run(SECOND);
    }
    await world.run(SECOND);
    lab.inject(qm1, VICTIMS_PLACE);
    await world.run(SECOND);
    expect(lab.entries()).toHaveLength(1);
  }));
