/** A service that does nothing, started as a process of its own by the tests of `boot`. */
import { boot } from '@culvert/runtime';

const runtime = await boot('aaa');
runtime.serveAdmin({
  status: () => ({ sessions: 3, details: { probe: true } }),
  session: (session) =>
    session === 'known'
      ? { session, service: 'aaa', since: 1, states: {}, facts: {}, traceId: '' }
      : undefined,
});
runtime.onStop(() => runtime.telemetry.log.info({}, 'first hook'));
runtime.onStop(() => runtime.telemetry.log.info({}, 'second hook'));
runtime.bus.subscribe('culvert.test.die', () => {
  setImmediate(() => {
    throw new Error('planned fault');
  });
});
runtime.telemetry.log.info({}, 'probe is up');
