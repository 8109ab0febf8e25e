/** What a run has reached: a comparison of engines is worth as much as the paths that it took. */
import { DROP_REASONS, type DropReason, type OuterPacket } from '../../services/edge/pipeline/index.ts';
import type { Outcome, Output, Watcher } from './compare.ts';
import type { Step } from './step.ts';

/** Ways on which something gets through; a full run takes every one of them. */
export const PATHS = [
  'client to tun, IPv4',
  'client to tun, IPv6',
  'client to service, link-local IPv6',
  'client to service, PPP',
  'client to service, L2TP',
  'IKE',
  'IKE with marker',
  'NAT keepalive',
  'echo answered',
  'tun to client, in UDP',
  'tun to client, bare',
  'tun to client, in fragments',
  'tun, ICMP back, IPv4',
  'tun, ICMP back, IPv6',
  'tun, not ours',
  'service to client',
  'grant lets out what waited',
  'event sequence-wanted',
  'event endpoint-moved',
  'event entry-refused',
  'event icv-truncated',
  'report',
] as const;

/** Reasons that no history reaches, and why. */
export const UNREACHABLE: Partial<Record<DropReason, string>> = {
  overload: 'packets are taken one call at a time here, so that there is no backlog to drop from',
};

type Path = (typeof PATHS)[number];

export interface Coverage extends Watcher {
  readonly packets: number;
  readonly labels: ReadonlyMap<string, { all: number; through: number }>;
  missing(): string[];
  /** For people. */
  table(): string;
}

export function createCoverage(): Coverage {
  const paths = new Map<string, number>(PATHS.map((path) => [path, 0]));
  const drops = new Map<string, number>(DROP_REASONS.map((reason) => [reason, 0]));
  const labels = new Map<string, { all: number; through: number }>();
  const accounting = new Array<number>(32).fill(0);
  let packets = 0;
  const reach = (path: Path) => paths.set(path, (paths.get(path) ?? 0) + 1);
  return {
    get packets() {
      return packets;
    },
    labels,
    step(step, outcome) {
      if (step.kind === 'outer' || step.kind === 'inner') {
        packets += 1;
        const name = `${step.kind} ${step.label}`;
        const row = labels.get(name) ?? { all: 0, through: 0 };
        row.all += 1;
        if (outcome.outputs.some(([kind]) => kind !== 'event')) row.through += 1;
        labels.set(name, row);
      }
      for (const path of pathsOf(step, outcome)) reach(path);
    },
    end(counters, reports) {
      for (const [reason, count] of Object.entries(counters.drops)) {
        drops.set(reason, (drops.get(reason) ?? 0) + count);
      }
      if (counters.keepalives > 0) reach('NAT keepalive');
      for (const report of reports) {
        reach('report');
        (report.accounting ?? []).forEach((count, index) => {
          accounting[index] = (accounting[index] ?? 0) + count;
        });
      }
    },
    missing() {
      const unreached = [...paths, ...drops].flatMap(([name, count]) =>
        count === 0 && !(name in UNREACHABLE) ? [name] : [],
      );
      const classes = accounting.flatMap((count, index) => (count === 0 ? [`accounting ${index}`] : []));
      return [...unreached, ...classes];
    },
    table() {
      const row = ([name, count]: readonly [string, number]) => `  ${String(count).padStart(10)}  ${name}`;
      const tried = [...labels].map(
        ([name, { all, through }]) => `  ${String(all).padStart(10)}  ${name}, of these through ${through}`,
      );
      return [
        `${packets} packets`,
        ...tried,
        'reached:',
        ...[...paths].map(row),
        'dropped:',
        ...[...drops].map(row),
        `accounting: ${accounting.join(' ')}`,
      ].join('\n');
    },
  };
}

function pathsOf(step: Step, outcome: Outcome): Path[] {
  const events = outcome.outputs.flatMap((output) => (output[0] === 'event' ? [eventPath(output)] : []));
  const rest = outcome.outputs.filter(([kind]) => kind !== 'event');
  switch (step.kind) {
    case 'outer':
      return [...events, ...rest.map((output) => clientPath(output, step.packet))];
    case 'inner':
      return [...events, ...tunPaths(rest, outcome.answer)];
    case 'l2tp':
    case 'ppp':
      return [...events, ...rest.map((): Path => 'service to client')];
    case 'grant':
      return [...events, ...rest.map((): Path => 'grant lets out what waited')];
    default:
      return events;
  }
}

function eventPath([, event]: Output): Path {
  const { type } = event as { readonly type: 'sequence-wanted' };
  return `event ${type}`;
}

const version = (packet: unknown) => ((packet as Uint8Array)[0] ?? 0) >>> 4;

function clientPath([kind, what]: Output, packet: OuterPacket): Path {
  switch (kind) {
    case 'inner':
      return version(what) === 4 ? 'client to tun, IPv4' : 'client to tun, IPv6';
    case 'ike':
      return packet.via === 'ike' ? 'IKE' : 'IKE with marker';
    case 'l2tp':
      return 'client to service, L2TP';
    case 'ppp': {
      const [high, low] = (what as { readonly octets: Uint8Array }).octets;
      return high === 0 && low === 0x57 ? 'client to service, link-local IPv6' : 'client to service, PPP';
    }
    default:
      return 'echo answered';
  }
}

function tunPaths(outputs: readonly Output[], answer: unknown): Path[] {
  if (answer === false) return ['tun, not ours'];
  const sealed = outputs.filter(([kind]) => kind === 'outer');
  if (sealed.length > 1) return ['tun to client, in fragments'];
  return outputs.map(([kind, what, encapsulation]) => {
    if (kind === 'inner') return version(what) === 4 ? 'tun, ICMP back, IPv4' : 'tun, ICMP back, IPv6';
    return encapsulation === 'udp' ? 'tun to client, in UDP' : 'tun to client, bare';
  });
}
