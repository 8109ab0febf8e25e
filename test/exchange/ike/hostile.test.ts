import { type Reassembly, reassemble } from '@culvert/actors-ike';
import { be32, concat, toHex } from '@culvert/wire';
import {
  AUTHENTICATION,
  EXCHANGE,
  emitClearMessage,
  emitWithHeader,
  FLAG,
  ID_TYPE,
  NOTIFY,
  numberAttribute,
  PAYLOAD,
  type Payload,
  PHASE_1_ATTRIBUTE,
  parseClearMessage,
  payloadsOf,
} from '@culvert/wire/ike';
import { describe, expect, test } from 'vitest';
import { phase1Offer } from '../../peer/isakmp-offer.ts';
import { modern, windows10 } from '../../peer/profile.ts';
import { inWorld } from '../../sim/index.ts';
import { labConfig, openLab } from './lab.ts';

const SECOND = 1000;
const COOKIE = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const NO_COOKIE = new Uint8Array(8);
const first = (exchange: number) => ({
  initiatorCookie: COOKIE,
  responderCookie: NO_COOKIE,
  exchange,
  messageId: 0,
});

test('Aggressive Mode is refused with one line and a small notification', () =>
  inWorld({ seed: 1 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    station.filter = (direction) => direction === 'in';
    station.initiator.connect();
    const payloads: Payload[] = [
      phase1Offer(windows10.ike),
      { kind: 'KE', data: new Uint8Array(256).fill(7) },
      { kind: 'NONCE', data: new Uint8Array(20) },
      {
        kind: 'ID',
        idType: ID_TYPE.ID_KEY_ID,
        ipProtocol: 0,
        port: 0,
        data: new TextEncoder().encode('group'),
      },
    ];
    const answers: Uint8Array[] = [];
    world.broker.tap(({ subject, payload }) => {
      if (subject.startsWith('culvert.edge.ike')) answers.push((payload as { octets: Uint8Array }).octets);
    });
    const message = emitClearMessage(first(EXCHANGE.aggressive), payloads);
    for (let n = 0; n < 3; n += 1) lab.inject(message);
    await world.run(SECOND);
    expect(lab.logged('negotiation refused')).toHaveLength(1);
    expect(lab.logged('negotiation refused')[0]?.reason).toContain('Aggressive Mode is not allowed');
    expect(answers).toHaveLength(3);
    const parsed = parseClearMessage(answers[0] as Uint8Array);
    expect(parsed.ok && payloadsOf(parsed.value.chain, 'N')[0]?.notifyType).toBe(
      NOTIFY['UNSUPPORTED-EXCHANGE-TYPE'],
    );
    expect(answers[0]?.length).toBeLessThan(message.length);
  }));

test('an offer with XAUTH is explained', () =>
  inWorld({ seed: 2 }, async (world) => {
    const lab = await openLab(world);
    const sa = phase1Offer(modern.ike);
    const [proposal] = sa.proposals;
    const transforms = proposal?.transforms.map((transform) => ({
      ...transform,
      attributes: transform.attributes.map((attribute) =>
        attribute.type === PHASE_1_ATTRIBUTE.authentication
          ? numberAttribute(PHASE_1_ATTRIBUTE.authentication, AUTHENTICATION.XAUTHInitPreShared)
          : attribute,
      ),
    }));
    if (proposal === undefined || transforms === undefined) throw new Error('the profile offers something');
    const offer: Payload = { kind: 'SA', proposals: [{ ...proposal, transforms }] };
    lab.inject(emitClearMessage(first(EXCHANGE.identityProtection), [offer]));
    await world.run(SECOND);
    expect(lab.logged('negotiation refused')[0]).toMatchObject({
      looksLike: 'an IKEv1 XAUTH client (Cisco style)',
    });
    expect(String(lab.logged('negotiation refused')[0]?.nearest)).toContain(
      'XAUTHInitPreShared is not offered here',
    );
  }));

describe('silence, and a count', () => {
  const header = (fields: object, flags = 0) =>
    emitWithHeader({ ...first(EXCHANGE.identityProtection), ...fields }, 1, flags, new Uint8Array(40));
  const versioned = (major: number) => {
    const octets = header({});
    octets[17] = major << 4;
    return octets;
  };
  const rows: readonly [string, Uint8Array, string][] = [
    ['IKEv2', versioned(2), 'ike-v2'],
    ['another version', versioned(3), 'malformed-bad-version'],
    ['an unknown cookie', header({ responderCookie: COOKIE }), 'unknown-cookie'],
    ['no initiator cookie', header({ initiatorCookie: NO_COOKIE }), 'zero-cookie'],
    ['Quick Mode without an ISAKMP SA', header({ exchange: EXCHANGE.quickMode }), 'unexpected-exchange'],
    ['Transaction exchange', header({ exchange: EXCHANGE.transaction }), 'unexpected-exchange'],
    ['an encrypted first message', header({}, FLAG.encryption), 'unexpected-message'],
    ['a truncated header', COOKIE, 'malformed-truncated'],
    ['nothing at all', new Uint8Array(0), 'malformed-truncated'],
  ];
  for (const [name, octets, reason] of rows) {
    test(name, () =>
      inWorld({ seed: 3 }, async (world) => {
        const lab = await openLab(world);
        const sent: string[] = [];
        world.broker.tap(({ subject }) => sent.push(subject));
        lab.inject(octets);
        await world.run(SECOND);
        expect(lab.drops()[`culvert.host.drops{protocol=ike,reason=${reason}}`]).toBe(1);
        expect(sent.filter((subject) => subject.startsWith('culvert.edge'))).toEqual([]);
        expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
      }),
    );
  }
});

test('every prefix and every flipped octet of a whole exchange, replayed: no fault, no session', () =>
  inWorld({ seed: 4 }, async (world) => {
    const lab = await openLab(
      world,
      labConfig('ike: { halfOpenMax: 100000, halfOpenPerSourceMax: 10000 }\n'),
    );
    const station = lab.station(windows10.ike);
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 10 * SECOND);
    await world.run(SECOND);
    const entries = lab.entries().length;
    for (const octets of station.sent) {
      for (let length = 0; length < octets.length; length += 7) lab.inject(octets.subarray(0, length));
      for (let at = 0; at < octets.length; at += 5) {
        const changed = concat(octets);
        changed[at] = (changed[at] ?? 0) ^ 0xff;
        lab.inject(changed, { address: '198.51.100.7', port: 500 });
      }
    }
    await world.run(SECOND);
    expect(lab.entries()).toHaveLength(entries);
    expect(world.broker.faults).toEqual([]);
    expect(lab.drops()['culvert.host.quarantined{protocol=ike}']).toBeUndefined();
  }));

describe('fragments', () => {
  /** HDR, FRAGMENT parts of a message, `size` octets each. */
  function fragments(message: Uint8Array, size: number, id = 1): Uint8Array[] {
    const fields = {
      initiatorCookie: message.subarray(0, 8),
      responderCookie: message.subarray(8, 16),
      exchange: message[18] ?? 0,
      messageId: 0,
    };
    const count = Math.ceil(message.length / size);
    return Array.from({ length: count }, (_, index) =>
      emitClearMessage(fields, [
        {
          kind: 'FRAGMENT',
          id,
          number: index + 1,
          last: index === count - 1,
          data: message.subarray(index * size, (index + 1) * size),
        },
      ]),
    );
  }

  for (const [order, arrange] of [
    ['in order', (parts: Uint8Array[]) => parts],
    ['backwards', (parts: Uint8Array[]) => parts.toReversed()],
    ['each twice', (parts: Uint8Array[]) => parts.flatMap((part) => [part, part])],
  ] as const) {
    test(`MM5 in fragments, ${order}`, () =>
      inWorld({ seed: 5 }, async (world) => {
        const lab = await openLab(world);
        const station = lab.station(modern.ike);
        station.filter = (direction, octets) => {
          const mm5 = direction === 'out' && octets[18] === EXCHANGE.identityProtection && octets[19] === 1;
          if (mm5)
            for (const part of arrange(fragments(octets, 30)))
              lab.inject(part, { address: '198.51.100.7', port: 500 });
          return !mm5;
        };
        station.initiator.connect();
        await world.until(() => station.sas.length === 1, 10 * SECOND);
        expect(world.broker.faults).toEqual([]);
      }));
  }

  test('our own long messages, where the peer takes them in fragments', () =>
    inWorld({ seed: 10 }, async (world) => {
      const lab = await openLab(world, labConfig('ike: { fragmentOctets: 512 }\n'));
      const station = lab.station({ ...windows10.ike, phase1: [['aes-cbc-256', 'sha2-256', 16]] });
      let reassembly: Reassembly | undefined;
      let parts = 0;
      station.filter = (direction, octets) => {
        expect(direction === 'in' ? octets.length : 0).toBeLessThanOrEqual(512);
        if (direction === 'out' || octets[16] !== PAYLOAD.FRAGMENT) return true;
        const parsed = parseClearMessage(octets);
        if (!parsed.ok) throw new Error(parsed.reason);
        const [fragment] = payloadsOf(parsed.value.chain, 'FRAGMENT');
        if (fragment === undefined) throw new Error('no fragment');
        parts += 1;
        const outcome = reassemble(reassembly, fragment, 0);
        reassembly = outcome.state === 'waiting' ? outcome.reassembly : undefined;
        if (outcome.state === 'whole') void station.initiator.receive(outcome.message);
        return false;
      };
      station.initiator.connect();
      await world.until(() => station.sas.length === 1, 10 * SECOND);
      expect(parts).toBe(2);
    }));

  test('a fragment of a fragment, and one before there is an SA', () =>
    inWorld({ seed: 6 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      station.filter = (direction) => direction === 'in' || station.sent.length < 3;
      station.initiator.connect();
      await world.run(SECOND);
      const mm5 = station.sent[2] as Uint8Array;
      const inner = fragments(mm5, 4000)[0] as Uint8Array;
      lab.inject(fragments(inner, 4000, 2)[0] as Uint8Array, { address: '198.51.100.7', port: 500 });
      const orphan = fragments(mm5, 40)[0] as Uint8Array;
      orphan.fill(0, 8, 16);
      lab.inject(orphan);
      await world.run(SECOND);
      const drops = lab.drops();
      expect(drops['culvert.host.drops{protocol=ike,reason=fragment-of-fragment}']).toBe(1);
      expect(drops['culvert.host.drops{protocol=ike,reason=fragment-before-cookies}']).toBe(1);
      expect(toHex(station.initiator.cookies.responder)).not.toBe('');
    }));
});

describe('what an authenticated peer may not do to us', () => {
  test('a message that says everything many times is one step', () =>
    inWorld({ seed: 7 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station(modern.ike);
      station.initiator.connect();
      await world.until(() => station.sas.length === 1, 10 * SECOND);
      const { initiator, responder } = station.initiator.cookies;
      const cookies = concat(initiator, responder);
      const spi = be32(station.sas[0]?.inboundSpi ?? 0);
      const notify = (notifyType: number): Payload => ({
        kind: 'N',
        doi: 1,
        protocol: 1,
        notifyType,
        spi: cookies,
        data: be32(notifyType),
      });
      const many = <T>(value: T): T[] => new Array<T>(16).fill(value);
      station.initiator.inform([
        ...many(notify(NOTIFY['R-U-THERE'])).slice(0, 8),
        ...many(notify(NOTIFY['INITIAL-CONTACT'])).slice(0, 8),
        ...many<Payload>({ kind: 'D', doi: 1, protocol: 3, spis: many(spi) }).slice(0, 8),
        ...many<Payload>({ kind: 'D', doi: 1, protocol: 1, spis: many(cookies) }).slice(0, 8),
      ]);
      await world.run(SECOND);
      expect(lab.records()).toEqual([]);
      expect(lab.drops()['culvert.host.quarantined{protocol=ike}']).toBeUndefined();
    }));

  test('Quick Modes with PFS by the dozen, the ISAKMP SA deleted under them', () =>
    inWorld({ seed: 8 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station({ ...modern.ike, pfs: 19 });
      station.initiator.connect();
      await world.until(() => station.sas.length === 1, 10 * SECOND);
      for (let n = 0; n < 20; n += 1) await world.promised(station.initiator.quickMode());
      station.initiator.deleteIsakmp();
      await world.run(5 * SECOND);
      expect(lab.entries().length).toBeLessThanOrEqual(8);
      expect(lab.drops()['culvert.host.quarantined{protocol=ike}']).toBeUndefined();
      expect(world.broker.faults).toEqual([]);
      // Nobody opens a tunnel: all of it goes.
      await world.run(90 * SECOND);
      expect(lab.records()).toEqual([]);
      expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
    }));

  test('a crash in the middle of a Quick Mode with PFS leaves nothing behind', () =>
    inWorld({ seed: 9 }, async (world) => {
      const lab = await openLab(world);
      const station = lab.station({ ...modern.ike, pfs: 19 });
      station.initiator.connect();
      await world.until(() => station.sas.length === 1, 10 * SECOND);
      await world.run(SECOND);
      const session = lab.entries()[0]?.session ?? '';
      await world.promised(lab.request(session, { type: 'tunnel.opened' }));
      await world.run(SECOND);
      await world.promised(station.initiator.quickMode());
      await lab.restart();
      await world.run(40 * SECOND);
      station.initiator.deleteEsp(station.sas.map((sa) => sa.inboundSpi));
      await world.run(60 * SECOND);
      expect(lab.records()).toEqual([]);
    }));
});
