import { expect, test } from 'vitest';
import { labConfig, openLab, PSK } from '../exchange/ike/lab.ts';
import { modern } from '../peer/profile.ts';
import { inWorld } from '../sim/index.ts';
import { answersIn, dropped, expectUnharmed, SECOND } from './ike-stage.ts';

/**
 * CVE-2024-2357, assert: there was no pre-shared key for the peer when it was to prove itself, and half a
 * state stayed behind. CVE-2015-4171, leak: nothing derived from a secret is said before the peer proved it.
 */
const elsewhere = `psks: [{ name: branch, secret: '${PSK}', remotes: ['203.0.113.0/24'] }]\n`;

test.each([
  ['no key for this address', elsewhere, PSK],
  ['another key', undefined, `${PSK}x`],
])('%s: Main Mode ends in silence, an alarm, and nothing', (_, psks, psk) =>
  inWorld({ seed: 620 }, async (world) => {
    const lab = await openLab(world, labConfig('', psks));
    const answers = answersIn(world);
    const station = lab.station(modern.ike, { psk });
    station.initiator.connect();
    await world.run(20 * SECOND);
    // MM2 and MM4: what the gateway says depends on no secret before MM6.
    expect(answers).toHaveLength(2);
    expect(station.initiator.stage).toBe('failed');
    expect(lab.logged('PSK mismatch likely')).toHaveLength(1);
    expectUnharmed(lab);
    await world.run(60 * SECOND);
    expect(lab.runtime.telemetry.gauges()['culvert.host.sessions{protocol=ike}']).toBe(0);
    expect(dropped(lab, 'proof-attempts')).toBe(0);
  }),
);
