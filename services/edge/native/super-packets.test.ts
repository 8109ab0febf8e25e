import { fragmentIpv4, parseIpv4 } from '@culvert/wire/ip';
import { describe, expect, test } from 'vitest';
import { type Dice, diceOf } from '../../../test/differential/dice.ts';
import { holds, type PacketOptions, segmented, tcpPacket, udpPacket } from './ip-packets.fixture.ts';
import {
  type Arrived,
  AT,
  type Client,
  type ClientOptions,
  clientOf,
  createRig,
  openedBy,
  type Rig,
  sealerOf,
  type TunPacket,
} from './rig.fixture.ts';

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');

function rigWith(client: Client): Rig {
  const rig = createRig();
  rig.declare(client);
  rig.grant(client);
  return rig;
}

/** What the client gets of a super-packet. */
function sent(rig: Rig, client: Client, packet: Uint8Array, segment: number): Arrived[] {
  return rig.inner(packet, segment).map(({ octets }) => openedBy(client, octets));
}

describe('super-packets from the tun', () => {
  const LINKS: readonly (readonly [string, ClientOptions])[] = [
    ['a plain link', {}],
    ['numbered data messages', { sequencing: true }],
    ['compressed PPP', { compressed: true }],
    ['numbered and compressed, CBC', { sequencing: true, compressed: true, encryption: 'aes-cbc-256' }],
    ['raw ESP', { encapsulation: 'none', encryption: 'aes-cbc-128' }],
    ['tunnel mode', { tunnel: true }],
    ['tunnel mode with extended numbers, CBC', { tunnel: true, esn: true, encryption: 'aes-cbc-128' }],
  ];

  test.each(LINKS)('are cut as the kernel cuts them: %s', (_, options) => {
    const client = clientOf(4, options);
    const rig = rigWith(client);
    const dice = diceOf(7);
    let sequence = 0;
    let ns = 0;
    for (let round = 0; round < 60; round += 1) {
      const { packet, segment } = superPacket(dice, client);
      const arrived = sent(rig, client, packet, segment);
      expect(arrived.map((one) => hex(one.packet))).toEqual(segmented(packet, segment).map(hex));
      for (const one of arrived) {
        expect(one.sequence).toBe(sequence + 1);
        sequence += 1;
        if (options.tunnel === true) continue;
        expect(one.ns).toBe(options.sequencing === true ? ns : undefined);
        expect(one.pppOctets).toBe(options.compressed === true ? 1 : 4);
        ns = (ns + 1) & 0xffff;
      }
    }
  });

  test('segments of a flow whose numbers pass zero', () => {
    const client = clientOf(4);
    const packet = tcpPacket(client, {
      ...{ toClient: true, id: 0xfffe, sequence: 0xffff_fc00, flags: 0x99, payload: filler(5001) },
    });
    const arrived = sent(rigWith(client), client, packet, 1000);
    expect(arrived.map((one) => hex(one.packet))).toEqual(segmented(packet, 1000).map(hex));
    const flags = arrived.map((one) => one.packet[33]);
    // CWR in the first alone, FIN and PSH in the last alone (RFC 3168 §6.1.2).
    expect(flags).toEqual([0x90, 0x10, 0x10, 0x10, 0x10, 0x19]);
    expect(arrived.every((one) => holds(one.packet))).toBe(true);
  });

  test('the rate takes what fits, packet by packet', () => {
    const policy = { rateToPeer: { octetsPerSecond: 1, burstOctets: 3000 } };
    const client = clientOf(4, { policy, sequencing: true });
    const rig = rigWith(client);
    const packet = tcpPacket(client, { toClient: true, payload: filler(5100) });
    const arrived = sent(rig, client, packet, 1000);
    const all = segmented(packet, 1000);
    // 3000 have room for two of 1040 octets, and then for the last one of 140.
    expect(arrived.map((one) => hex(one.packet))).toEqual(
      [all[0], all[1], all[5]].map((one) => hex(one ?? filler(0))),
    );
    // A packet that the rate refuses takes no number.
    expect(arrived.map(({ ns, sequence }) => [ns, sequence])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    rig.engine.publish(AT);
    expect(rig.account.counters().drops.rate).toBe(3);
    expect(rig.account.session(client.session)).toMatchObject({ packetsOut: 3, octetsOut: 2220 });
  });

  test.each([4, 6] as const)(
    'one whose segments are too big is answered with the first of them (IPv%i)',
    (family) => {
      const client = clientOf(4);
      const rig = rigWith(client);
      const packet = tcpPacket(client, { family, toClient: true, payload: filler(9000), flags: 0x98 });
      expect(rig.inner(packet, 1400)).toEqual([]);
      const [error] = rig.takeTun();
      const [first = filler(0)] = segmented(packet, 1400);
      const at = family === 4 ? 28 : 48;
      const quoted = (error?.packet ?? filler(0)).subarray(at);
      expect(quoted.length).toBeGreaterThan(500);
      expect(hex(quoted)).toBe(hex(first.subarray(0, quoted.length)));
      const view = new DataView(
        (error?.packet ?? filler(0)).buffer,
        (error?.packet.byteOffset ?? 0) + at - 8,
      );
      expect(view.getUint16(0)).toBe(family === 4 ? 0x0304 : 0x0200);
      expect(family === 4 ? view.getUint16(6) : view.getUint32(4)).toBeGreaterThan(1279);
      expect(rig.account.counters().drops['too-big']).toBe(1);
    },
  );

  test('what may be fragmented is, when the peer takes less than a segment', () => {
    const client = clientOf(4, { mtuToPeer: 600 });
    const rig = rigWith(client);
    const packet = udpPacket(client, { toClient: true, payload: filler(7777), dontFragment: false, id: 9 });
    const arrived = sent(rig, client, packet, 1200);
    const wanted = segmented(packet, 1200).flatMap((one) => {
      const read = parseIpv4(one);
      return read.ok ? fragmentIpv4(read.value, 600) : [];
    });
    expect(wanted.length).toBeGreaterThan(15);
    expect(arrived.map((one) => hex(one.packet))).toEqual(wanted.map(hex));
  });

  test('a super-packet that is not what it says is dropped', () => {
    const client = clientOf(4);
    const rig = rigWith(client);
    const packet = tcpPacket(client, { toClient: true, payload: filler(4000) });
    packet[32] = 0x40;
    expect(rig.inner(packet, 1000)).toEqual([]);
    expect(rig.account.counters().drops['tun-malformed']).toBe(1);
  });
});

function filler(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 13 + seed * 7 + (index >> 8)) & 0xff);
}

function superPacket(dice: Dice, client: Client): { packet: Uint8Array; segment: number } {
  const family = dice.happens(0.5) ? 4 : 6;
  const tcp = dice.happens(0.6);
  const segment = dice.pick([1, 7, 100, 536, 1000, 1200, 1201, 1300]);
  const most = Math.min(65_000, segment * 200);
  const payload = filler(
    dice.pick([1, segment, segment + 1, 2 * segment, dice.between(1, most), most]),
    dice.below(99),
  );
  const options: PacketOptions = {
    ...{ family, toClient: true, payload, id: dice.below(65_536), tos: dice.below(256) & 0xfc },
    ...{
      dontFragment: dice.happens(0.5),
      sequence: dice.below(2 ** 32),
      flags: dice.pick([0x10, 0x18, 0x19, 0x90, 0xd9]),
    },
    ...(dice.happens(0.5) && { options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] }),
  };
  return { packet: tcp ? tcpPacket(client, options) : udpPacket(client, options), segment };
}

describe('packets on their way to the tun', () => {
  test('40 segments of a flow are one super-packet', () => {
    const client = clientOf(2);
    const segments = segmented(tcpPacket(client, { payload: filler(40 * 1300), flags: 0x18, id: 3 }), 1300);
    const [only, ...more] = arrivedAt(client, segments);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ gsoType: 1, gsoSize: 1300, flags: 1 });
    expect(unjoined(only as TunPacket).map(hex)).toEqual(segments.map(hex));
  });

  test('what has priority goes first', () => {
    const client = clientOf(2);
    const data = [1, 2, 3].map((index) => tcpPacket(client, { ports: [index, 9], payload: filler(900) }));
    const voice = udpPacket(client, { tos: 46 << 2, payload: filler(160) });
    const out = arrivedAt(
      client,
      [data[0], voice, data[1], data[2]].map((one) => one ?? filler(0)),
    );
    expect(out.map(({ packet }) => hex(packet))).toEqual([voice, ...data].map(hex));
  });

  test.each([1, 2, 3, 4, 5, 6])('whatever is joined comes apart again as it was (%i)', (seed) => {
    const dice = diceOf(seed);
    const client = clientOf(2, seed % 2 === 0 ? { tunnel: true, encryption: 'aes-cbc-128' } : {});
    for (let round = 0; round < 6; round += 1) {
      const packets = interleaved(dice, client);
      const out = arrivedAt(client, packets);
      const apart = out.flatMap(unjoined);
      expect(byFlow(apart)).toEqual(byFlow(packets));
      expect(out.length).toBeLessThan(packets.length);
      for (const one of out) {
        if (one.gsoSize === 0 && one.flags !== 0) expect(holds(one.packet)).toBe(true);
      }
    }
  });
});

/** Packets of the same SA among those of a train, of which none is a user's: what was joined before is as it was. */
test.each([1, 2, 3, 4, 5, 6])('what comes between leaves a train as it was (%i)', (seed) => {
  const dice = diceOf(seed);
  const client = clientOf(2);
  const sealer = sealerOf(client);
  const rig = rigWith(client);
  for (let round = 0; round < 6; round += 1) {
    const packets = interleaved(dice, client);
    const all = packets.flatMap((packet) => {
      const sealed = sealer.user(packet);
      return dice.happens(0.3) ? [sealed, between(dice, sealer, sealed)] : [sealed];
    });
    const out = rig.outer(client, all);
    expect(byFlow(out.flatMap(unjoined))).toEqual(byFlow(packets));
    expect(out.length).toBeLessThan(packets.length);
  }
});

function between(dice: Dice, { seal }: ReturnType<typeof sealerOf>, before: Uint8Array): Uint8Array {
  const datagram = (...words: number[]) => {
    const octets = new Uint8Array(dice.between(20, 1_300));
    octets.set(dice.filler(octets.length));
    const view = new DataView(octets.buffer);
    [1701, 1701, octets.length, 0, ...words].forEach((word, index) => {
      view.setUint16(index * 2, word);
    });
    return octets;
  };
  const forged = (): Uint8Array => {
    const octets = seal(datagram(), 17);
    const at = dice.between(8, octets.length - 1);
    octets[at] = (octets[at] ?? 0) ^ dice.between(1, 255);
    return octets;
  };
  return dice.pick([
    () => before,
    forged,
    // RFC 4303 §2.6: a dummy, of any length.
    () => seal(dice.filler(dice.between(0, 1_300)), 59),
    () => seal(dice.filler(dice.between(0, 1_300)), dice.pick([0, 4, 6, 50])),
    () => seal(datagram(), 17),
    // Another port; a control message; a Length that lies; an unknown call.
    () => seal(datagram(0x4002).fill(7, 0, 2), 17),
    () => seal(datagram(0xc802), 17),
    () => seal(datagram(0x4002, 2_000), 17),
    () => seal(datagram(0x0002, 5, 1), 17),
  ])();
}

/** All of them in one batch. */
function arrivedAt(client: Client, packets: readonly Uint8Array[]): readonly TunPacket[] {
  const rig = rigWith(client);
  const sealer = sealerOf(client);
  return rig.outer(
    client,
    packets.map((packet) => sealer.user(packet)),
  );
}

function unjoined({ packet, gsoSize }: TunPacket): Uint8Array[] {
  return gsoSize === 0 ? [packet] : segmented(packet, gsoSize);
}

/** Order counts within a flow. */
function byFlow(packets: readonly Uint8Array[]): Record<string, string[]> {
  const flows: Record<string, string[]> = {};
  for (const packet of packets) {
    const ipv4 = packet[0] === 0x45;
    const name = ipv4
      ? `${packet[9]} ${hex(packet.subarray(12, 24))}`
      : `${packet[6]} ${hex(packet.subarray(8, 44))}`;
    const known = packet.slice();
    // RFC 6864 §4.1: the Identification of what may not be fragmented means nothing.
    if (ipv4 && ((packet[6] ?? 0) & 0x40) !== 0) {
      known.fill(0, 4, 6);
      known.fill(0, 10, 12);
    }
    flows[name] = [...(flows[name] ?? []), hex(known)];
  }
  return flows;
}

interface Stream {
  readonly make: (options: PacketOptions) => Uint8Array;
  readonly fixed: PacketOptions;
  readonly tcp: boolean;
  readonly size: number;
  sequence: number;
  id: number;
}

/** Flows of all kinds at once, most of them well-behaved. */
function interleaved(dice: Dice, client: Client): Uint8Array[] {
  const flows = dice.pick([1, 3, 20, 90]);
  const streams = Array.from({ length: flows }, (_, index): Stream => {
    const tcp = dice.happens(0.7);
    const fixed: PacketOptions = {
      ...{ family: dice.happens(0.5) ? 4 : 6, ports: [1000 + index, 443], dontFragment: dice.happens(0.6) },
      ...(dice.happens(0.5) && { options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] }),
    };
    const make = (options: PacketOptions) => (tcp ? tcpPacket(client, options) : udpPacket(client, options));
    return {
      make,
      fixed,
      tcp,
      size: dice.pick([1, 64, 700, 1200]),
      sequence: dice.below(2 ** 32),
      id: dice.below(65_536),
    };
  });
  const packets: Uint8Array[] = [];
  while (packets.length < 300) {
    const stream = dice.pick(streams);
    for (let burst = dice.between(1, 12); burst > 0; burst -= 1) packets.push(nextOf(dice, stream));
    if (dice.happens(0.05)) packets.push((packets.at(-1) ?? filler(0)).slice());
    if (dice.happens(0.05)) packets.splice(-2, 2, ...packets.slice(-2).toReversed());
  }
  return packets;
}

function nextOf(dice: Dice, stream: Stream): Uint8Array {
  const payload = filler(dice.happens(0.9) ? stream.size : dice.between(1, 1250), dice.below(50));
  const odd: PacketOptions = dice.happens(0.9)
    ? {}
    : dice.pick([
        { ttl: 63 },
        { tos: 8 },
        { tos: 3 },
        { flags: 0x18 },
        { flags: 0x11 },
        { flags: 0x04 },
        { flags: 0x50 },
        { window: 501 },
        { acknowledgement: 78 },
        { options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 3] },
        { payload: filler(0) },
        { dontFragment: false },
      ]);
  const made = { ...stream.fixed, payload, id: stream.id, sequence: stream.sequence, ...odd };
  const packet = stream.make(made);
  stream.id = (stream.id + (dice.happens(0.97) ? 1 : 5)) & 0xffff;
  stream.sequence = (stream.sequence + (made.payload.length + (dice.happens(0.98) ? 0 : 10))) >>> 0;
  const upper = packet[0] === 0x45 ? 20 : 40;
  const checksumAt = upper + (stream.tcp ? 16 : 6);
  // A wrong checksum must not be made right; none at all is UDP's own right.
  if (dice.happens(0.03)) packet[checksumAt] = (packet[checksumAt] ?? 0) ^ 1;
  if (!stream.tcp && dice.happens(0.05)) packet.fill(0, checksumAt, checksumAt + 2);
  return packet;
}
