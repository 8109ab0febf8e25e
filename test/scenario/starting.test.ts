import { parseConfig } from '@culvert/config';
import { type ServiceName, type ServiceStatus, subjects } from '@culvert/contracts';
import { createAaaService } from '@culvert/service-aaa';
import { createIkeService } from '@culvert/service-ike';
import { createL2tpService } from '@culvert/service-l2tp';
import { createPppService } from '@culvert/service-ppp';
import { expect, test } from 'vitest';
import { inWorld, type SimRuntime, simProcess, simRuntime } from '../sim/index.ts';
import { DEFAULTS } from './gateway.ts';

const SERVICES: Readonly<Partial<Record<ServiceName, (of: SimRuntime) => { start(): Promise<void> }>>> = {
  ike: createIkeService,
  l2tp: createL2tpService,
  ppp: createPppService,
  aaa: createAaaService,
};

for (const [name, create] of Object.entries(SERVICES)) {
  test(`${name} says that it serves only once it has its storage`, () =>
    inWorld({ seed: 3 }, async (world) => {
      world.broker.storage.away = true;
      const asker = simProcess('operator', world);
      const state = async () => {
        const subject = subjects.admin.status(name as ServiceName);
        const asked = asker.bus.request<ServiceStatus>(subject, {}, { timeoutMs: 1_000 });
        return (await world.promised(asked)).state;
      };
      const service = create(simRuntime(name as ServiceName, world, parseConfig(DEFAULTS, '/nonexistent')));
      const started = service.start();
      await world.run(3_000);
      expect(await state()).toBe('starting');
      world.broker.storage.away = false;
      await world.promised(started);
      expect(await state()).toBe('serving');
    }));
}
