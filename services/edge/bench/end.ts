import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseAddress } from '@culvert/wire/ip';
import type { SocketSpec } from '../machine/listeners.ts';
import { openTun } from '../machine/tun.ts';
import { native } from '../native/index.ts';
import { type EnginePolicy, SEQUENCE_BLOCK } from '../pipeline/index.ts';
import type { PlaneReport } from '../service/plane.ts';
import { type Crew, countersOf, createCrew } from '../worker/crew.ts';
import { createDispatch } from '../worker/dispatch.ts';
import { declarationOf, type EndConfig } from './sessions.ts';

/**
 * One end of a measured tunnel: `node end.ts CONFIG.json`. The packet workers of the edge with sessions that
 * were written by hand; no NATS, no negotiation. Says when packets flow, and its counters at SIGTERM.
 */
const NAT_TRAVERSAL_PORT = 4500;
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
const threads: number[] = [];
/** Sequence numbers are granted as they are wanted, as the service does; by inbound SPI. */
const granted = new Map<number, number>();
const heard = (reports: readonly PlaneReport[]) => {
  for (const report of reports) {
    if (report.type === 'started') {
      backend = report.backend;
      threads[report.engine] = report.thread;
    } else if (report.type === 'lost') process.stderr.write(`${JSON.stringify(report)}\n`);
    else if (report.type === 'refused') throw new Error(JSON.stringify(report));
    else if (report.type === 'event' && report.event.type === 'entry-refused') {
      throw new Error(report.event.why);
    } else if (report.type === 'event' && report.event.type === 'sequence-wanted') grant(report.event);
  }
};

function grant({ session, inboundSpi }: { readonly session: string; readonly inboundSpi: number }): void {
  const first = granted.get(inboundSpi) ?? 1;
  const end = first + SEQUENCE_BLOCK;
  granted.set(inboundSpi, end);
  dispatching.dispatch({ type: 'grant', session, inboundSpi, first, end });
}

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
  replaced: (worker) => dispatching.repeat(worker),
});
const dispatching = createDispatch(config.workers, (worker, command) => crew.post(worker, command));
await crew.ready;
for (let index = 0; index < config.sessions; index += 1) {
  dispatching.dispatch({ type: 'declare', declaration: declarationOf(config, index) });
}
const settled = async () => {
  const known = () => crew.accounts.reduce((sum, account) => sum + account.counter('sessionRows') - 1, 0);
  while (known() < config.sessions) await new Promise((resolve) => setTimeout(resolve, 5));
};
await settled();
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, tun: tun.name, backend })}\n`);
process.once('SIGTERM', () => void end(crew));
/** What a dying thread costs is measured this way. */
process.on('SIGUSR2', () => void crew.kill(threads[0] ?? -1));

async function end(running: Crew): Promise<void> {
  const counters = running.accounts.map((account, index) => countersOf(index, account));
  await running.stop();
  process.stdout.write(`${JSON.stringify({ counters })}\n`);
  process.exit(0);
}
