import { chart } from './chart.ts';
import { measureCrypto } from './crypto.ts';
import { INNER_MTU, measureForwarding, OUTER_MTU, RUNS, SMALL_PACKET_OCTETS } from './forwarding.ts';
import { machineReport, versionOf } from './machine.ts';
import { BenchRefused, checkMachine, orderOf, type Typed } from './order.ts';
import type { BenchResult } from './result.ts';
import { summary } from './summary.ts';

/**
 * Measures this machine: `node services/edge/bench/main.ts '{"seconds":"1","sessions":"2","suites":"…"}'`.
 * Says on standard output, a line of JSON each, what it has found so far, and at last all of it as an object,
 * a text and a chart; or what is wrong. SIGINT and SIGTERM end it when all is cleaned up.
 */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error('the measurement was stopped')));
}
const tell = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
try {
  const result = await measure(JSON.parse(process.argv[2] ?? '{}') as Typed);
  tell({ type: 'done', result, text: summary(result), chart: chart(result) });
} catch (error) {
  const problem = error instanceof Error ? error.message : String(error);
  const remedy = 'culvert doctor looks for what the machine lacks';
  const fault = error instanceof BenchRefused ? error.fault : { field: 'the measurement', problem, remedy };
  tell(stop.signal.aborted ? { type: 'stopped' } : { type: 'failed', fault });
  process.exitCode = 1;
}

async function measure(typed: Typed): Promise<BenchResult> {
  const order = orderOf(typed);
  checkMachine();
  const say = (text: string) => tell({ type: 'progress', text });
  const { seconds, sessions, suites } = order;
  say('encryption alone');
  // Two directions, three sizes, two libraries: a small part of a run each is enough.
  const crypto = measureCrypto(suites, RUNS, Math.round(seconds * 40));
  const { tunnel, packets } = await measureForwarding(order, say, stop.signal);
  return {
    version: versionOf(),
    machine: machineReport(),
    settings: {
      seconds,
      runs: RUNS,
      sessions,
      suites,
      outerMtu: OUTER_MTU,
      innerMtu: INNER_MTU,
      smallPacketOctets: SMALL_PACKET_OCTETS,
    },
    crypto,
    tunnel,
    packets,
  };
}
