import { busContract } from './contract.ts';
import { createWorld } from './world.ts';

busContract('in memory', () => {
  const world = createWorld({ seed: 11 });
  const [a, b] = [world.broker.connect('a'), world.broker.connect('b')];
  world.broker.messages.latencyMs = 1;
  world.broker.storage.latencyMs = 1;
  return Promise.resolve({
    a,
    b,
    pass: () => world.run(100),
    settled: (work) => world.promised(work),
    stopServer() {
      for (const bus of [a, b]) bus.cut();
      return Promise.resolve();
    },
    startServer() {
      for (const bus of [a, b]) bus.heal();
      return world.run(100);
    },
    close: () => Promise.resolve(),
  });
});
