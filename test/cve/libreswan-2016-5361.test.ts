import { describe, expect, test } from 'vitest';
import { openLab } from '../exchange/ike/lab.ts';
import { android7, macos, modern, networkManager, windows10 } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, SECOND, stoppedAfter } from './ike-stage.ts';

/**
 * CVE-2016-5361, amplification: an IKEv1 responder repeated its answers to a source that it never saw. Here
 * it says nothing by itself before MM5, one answer per message, and no more octets than came.
 */
const octets = (messages: readonly Uint8Array[]) => messages.reduce((sum, one) => sum + one.length, 0);

describe.each([1, 2])('after %i messages of a Main Mode', (messages) => {
  test('silence is met with silence', () =>
    inWorld({ seed: 510 + messages }, async (world) => {
      const { lab } = await stoppedAfter(world, messages);
      const answers = answersIn(world);
      await world.run(600 * SECOND);
      expect(answers).toEqual([]);
      expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
    }));
});

test.each([android7, macos, modern, networkManager, windows10])(
  'the first answer to $name is not longer than its question, however often it asks',
  ({ ike }) =>
    inWorld({ seed: 520 }, async (world) => {
      const lab = await openLab(world);
      const answers = answersIn(world);
      const station = lab.station(ike);
      station.filter = (direction) => direction === 'out';
      station.initiator.connect();
      await world.run(60 * SECOND);
      // The client heard nothing, so all that left it are first messages.
      expect(station.sent.length).toBeGreaterThan(3);
      expect(answers).toHaveLength(station.sent.length);
      expect(octets(answers)).toBeLessThanOrEqual(octets(station.sent));
    }),
);
