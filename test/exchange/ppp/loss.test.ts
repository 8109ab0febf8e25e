import { describe, expect, test } from 'vitest';
import { macos } from '../../peer/profile.ts';
import { inWorld } from '../../sim/index.ts';
import { CALL, pppWorld, YAML } from './world.ts';

/** Messages between edge and ppp get lost, as on the way to the client; every layer repeats itself until through. */
describe('one message in five is lost', () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`seed ${seed}: the link opens all the same, or ends and says why`, () =>
      inWorld({ seed }, async (world) => {
        const scene = await pppWorld(world, YAML);
        const dialled = scene.dial({ profile: macos.ppp });
        await world.promised(
          scene.request({ type: 'link.start', call: CALL, callingStation: '198.51.100.7' }),
        );
        world.broker.messages.loss = 0.2;
        dialled.client.start();
        await world.run(60_000);
        world.broker.messages.loss = 0;
        await world.run(60_000);
        const opened = scene.ppp.telemetry.lines.filter((line) => line.message === 'link opened').length;
        if (dialled.client.networkUp) expect(opened).toBeGreaterThan(0);
        else expect(dialled.ended ?? scene.disconnects[0]?.advice).toBeDefined();
      }));
  }
});
