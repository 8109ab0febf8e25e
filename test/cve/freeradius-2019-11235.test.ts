import { describe, expect, test } from 'vitest';
import { inWorld } from '../sim/index.ts';
import { answersIn, dropped, established, expectUnharmed, HOST, SECOND } from './ike-stage.ts';

/**
 * CVE-2019-11234 and CVE-2019-11235, authentication bypass by reflection: what we said comes back to us as
 * if the peer had said it. HASH(1) of IKEv1 says nothing of direction, so a probe of ours would be a
 * probe of the peer, or even, answered, its sign of life.
 */
const ELSEWHERE = { address: '203.0.113.66', port: 4500 };

describe('IKE', () => {
  test('our own messages, sent back from anywhere, are replays', () =>
    inWorld({ seed: 640 }, async (world) => {
      const { lab, station } = await established(world);
      const answers = answersIn(world);
      for (const octets of station.received) {
        lab.inject(octets, HOST);
        lab.inject(octets, ELSEWHERE);
      }
      await world.run(SECOND);
      expect(answers).toEqual([]);
      // Nobody there any more: the gateway asks whether the peer lives.
      station.filter = () => false;
      await world.until(() => answers.length === 1, 120 * SECOND);
      const [probe] = answers;
      const before = dropped(lab, 'message-id-reused');
      lab.inject(probe ?? new Uint8Array(0), ELSEWHERE);
      await world.run(10);
      expect(dropped(lab, 'message-id-reused')).toBe(before + 1);
      expect(answers).toHaveLength(1);
      expectUnharmed(lab);
    }));

  test('reflection does not keep a dead peer alive', () =>
    inWorld({ seed: 641 }, async (world) => {
      const { lab, station } = await established(world);
      station.filter = () => false;
      world.broker.tap(({ subject, payload }) => {
        if (subject.startsWith('culvert.edge.ike'))
          lab.inject((payload as { octets: Uint8Array }).octets, HOST);
      });
      await world.run(600 * SECOND);
      expect(lab.logged('peer silent')).toHaveLength(1);
      expect(lab.entries()).toEqual([]);
      expectUnharmed(lab);
    }));
});
