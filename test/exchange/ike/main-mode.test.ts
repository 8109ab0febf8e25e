import { expect, test } from 'vitest';
import { modern } from '../../peer/profile.ts';
import { inWorld } from '../../sim/index.ts';
import { openLab } from './lab.ts';

const SECOND = 1000;

test('Main Mode and Quick Mode without NAT', () =>
  inWorld({ seed: 1 }, async (world) => {
    const lab = await openLab(world);
    const station = lab.station(modern.ike);
    // HDR, SA  -->  ...  HDR*, HASH(3)  -->
    station.initiator.connect();
    await world.until(() => station.sas.length === 1, 10 * SECOND);
    await world.run(SECOND);
    expect(station.initiator.stage).toBe('up');
    expect(world.broker.faults).toEqual([]);
    const [entry] = lab.entries();
    const [sa] = station.sas;
    expect(entry?.outboundSpi).toBe(sa?.inboundSpi);
  }));
