import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseAddress } from '@culvert/wire/ip';
import type { SocketSpec } from '../machine/listeners.ts';
import { openTun } from '../machine/tun.ts';
import { native } from '../native/index.ts';
import type { EnginePolicy } from '../pipeline/index.ts';
import type { PlaneReport } from '../service/plane.ts';
import { type Crew, countersOf, createCrew } from '../worker/crew.ts';
import { createDispatch } from '../worker/dispatch.ts';
import { type BenchEnd, declarationOf, inboundSpi, sessionName } from './sessions.ts';

/**
 * One end of a measured tunnel: `node end.ts CONFIG.json`. The packet workers of the edge with sessions that
 * were written by hand; no NATS, no negotiation. Says when packets flow, and its counters at SIGTERM.
 */
interface EndConfig extends BenchEnd {
  readonly workers: number;
  readonly tun: string;
  readonly backend: string;
  readonly coalesce: boolean;
  readonly gso: boolean;
  readonly gro: boolean;
}

const NAT_TRAVERSAL_PORT = 4500;
const SEQUENCE_END = 2 ** 32;
const OUTER_MTU = 1_500;

const policy: EnginePolicy = {
  localAddresses: new Set(),
  pools: [],
  corporate: [],
  clientToClient: true,
  outerMtu: OUTER_MTU,
};

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as EndConfig;
const tun = openTun(config.tun, config.workers);
const local = parseAddress(config.local);
if (!local.ok) throw new Error(`local: ${config.local} is not an address`);
const sockets: SocketSpec[][] = Array.from({ length: config.workers }, () => {
  const fd = native().openUdp(config.local, NAT_TRAVERSAL_PORT, config.workers, config.gro);
  const ipv6 = config.family === 6;
  return [
    {
      fd,
      via: 'nat-traversal',
      listener: 'bench',
      ipv6,
      local: local.value,
      port: NAT_TRAVERSAL_PORT,
    } satisfies SocketSpec,
  ];
});
let backend = '';
const heard = (reports: readonly PlaneReport[]) => {
  for (const report of reports) {
    if (report.type === 'started') backend = report.backend;
    else if (report.type === 'refused' || report.type === 'lost') throw new Error(JSON.stringify(report));
    else if (report.type === 'event' && report.event.type === 'entry-refused')
      throw new Error(report.event.why);
  }
};
const crew = createCrew({
  ivs: { nodeId: config.role + 1, generation: 1, cbcKey: new Uint8Array(randomBytes(32)) },
  policy,
  replayWindow: 1_024,
  past: new Map(),
  tuning: {
    backend: config.backend,
    coalesce: config.coalesce,
    coalesceUdp: config.coalesce && tun.udp,
    segment: config.gso,
  },
  sessionsMax: Math.max(16, config.sessions),
  tuns: tun.queues,
  sockets,
  now: () => Date.now(),
  report: heard,
  replaced: () => undefined,
});
await crew.ready;
const { dispatch } = createDispatch(config.workers, (worker, command) => crew.post(worker, command));
for (let index = 0; index < config.sessions; index += 1) {
  dispatch({ type: 'declare', declaration: declarationOf(config, index) });
  const sa = { session: sessionName(index), inboundSpi: inboundSpi(config.role, index) };
  dispatch({ type: 'grant', ...sa, first: 1, end: SEQUENCE_END });
}
const settled = async () => {
  const known = () => crew.accounts.reduce((sum, account) => sum + account.counter('sessionRows') - 1, 0);
  while (known() < config.sessions) await new Promise((resolve) => setTimeout(resolve, 5));
};
await settled();
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, tun: tun.name, backend })}\n`);
process.once('SIGTERM', () => void end(crew));

async function end(running: Crew): Promise<void> {
  const counters = running.accounts.map((account, index) => countersOf(index, account));
  await running.stop();
  process.stdout.write(`${JSON.stringify({ counters })}\n`);
  process.exit(0);
}
