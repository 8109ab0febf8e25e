import { concat } from '@culvert/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labConfig, openLab } from '../exchange/ike/lab.ts';
import { inWorld } from '../sim/index.ts';
import { firstMessage } from './ike-samples.ts';
import { answersIn, expectUnharmed, SECOND } from './ike-stage.ts';

/**
 * CVE-2022-23094 and CVE-2020-1763, NULL in the logging: a packet was refused before there was a state, and
 * the line about it wanted one. Every datagram here is refused with no session, or founds one; each is
 * counted, and every line is written.
 */
test('whatever comes first is counted once, answered at most once, and written about without a session', () =>
  inWorld({ seed: 580 }, async (world) => {
    const lab = await openLab(
      world,
      labConfig('ike: { halfOpenMax: 100000, halfOpenPerSourceMax: 10000 }\n'),
    );
    const answers = answersIn(world);
    const counted = () =>
      Object.entries(lab.drops())
        .filter(([name]) => name.startsWith('culvert.host.drops'))
        .reduce((sum, [, count]) => sum + count, 0);
    const datagram = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc
        .record({
          cookie: fc.uint8Array({ minLength: 8, maxLength: 8 }),
          type: fc.nat(255),
          version: fc.constantFrom(0x10, 0x10, 0x10, 0x11, 0x20, 0),
          exchange: fc.nat(255),
          flags: fc.constantFrom(0, 0, 1, 2, 4, 255),
          messageId: fc.constantFrom(0, 0, 1),
          at: fc.nat(firstMessage.length),
        })
        .map(({ cookie, type, version, exchange, flags, messageId, at }) => {
          const head = Uint8Array.of(type, version, exchange, flags, 0, 0, 0, messageId);
          const octets = concat(cookie, new Uint8Array(8), head, firstMessage.subarray(24));
          if (at >= 28) octets[at - 1] = (octets[at - 1] ?? 0) ^ 0xff;
          return octets;
        }),
    );
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(datagram, { maxLength: 20 }), async (datagrams) => {
        for (const octets of datagrams) lab.inject(octets);
        sent += datagrams.length;
        await world.run(5);
        expect(counted() + answers.length).toBe(sent);
      }),
      { numRuns: 60 },
    );
    expectUnharmed(lab);
    // Reliability S-7: nothing of this stays.
    await world.run(120 * SECOND);
    expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
    expect(lab.runtime.telemetry.gauges()['culvert.ike.half_open']).toBe(0);
  }));
