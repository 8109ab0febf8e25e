import { execFileSync } from 'node:child_process';
import { BenchRefused } from './order.ts';
import { innerAddress } from './sessions.ts';

/** Two network namespaces with a cable between them: role 0 has the clients, role 1 the gateway. */
export interface Grounds {
  readonly names: readonly [string, string];
  readonly outer: readonly [string, string];
  /** Leads what goes to the other side into the tunnel. A device that went away took its route along. */
  wire(role: 0 | 1, tun: string, innerMtu: number): void;
  remove(): void;
}

const PREFIX = 'culvert-bench-';
/** Names of ours alone: other programs may begin theirs alike. */
const LEFTOVER = /^culvert-bench-(\d+)-(?:clients|gateway)$/;
const OUTER = ['10.88.0.1', '10.88.0.2'] as const;
/** The size of queue of a real interface; a tun device has half of it. */
const QUEUE_PACKETS = 1_000;

export function makeGrounds(sessions: number, outerMtu: number): Grounds {
  removeLeftovers();
  const names = [`${PREFIX}${process.pid}-clients`, `${PREFIX}${process.pid}-gateway`] as const;
  const grounds: Grounds = {
    names,
    outer: OUTER,
    wire(role, tun, innerMtu) {
      ip([
        '-n',
        names[role],
        'link',
        'set',
        tun,
        'up',
        'mtu',
        `${innerMtu}`,
        'txqueuelen',
        `${QUEUE_PACKETS}`,
      ]);
      const source = innerAddress(role, 0, 4);
      ip(['-n', names[role], 'route', 'replace', `10.${101 - role}.0.0/16`, 'dev', tun, 'src', source]);
    },
    remove() {
      for (const name of names) quietly(['netns', 'delete', name]);
    },
  };
  try {
    for (const name of names) ip(['netns', 'add', name]);
    ip(['-n', names[0], 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', names[1]]);
    for (const role of [0, 1] as const) prepare(names[role], role, sessions, outerMtu);
    return grounds;
  } catch (error) {
    grounds.remove();
    throw new BenchRefused({
      field: 'a network namespace',
      problem: `cannot be made: ${wordsOf(error)}`,
      remedy: 'in a container, give it CAP_SYS_ADMIN and CAP_NET_ADMIN, or measure on the machine itself',
    });
  }
}

/** Inner addresses stand on the loopback, so that they outlive the tun devices. */
function prepare(name: string, role: 0 | 1, sessions: number, outerMtu: number): void {
  const lines = [
    'link set lo up',
    `link set cable up mtu ${outerMtu}`,
    `addr add ${OUTER[role]}/24 dev cable`,
    ...Array.from(
      { length: sessions },
      (_, session) => `addr add ${innerAddress(role, session, 4)}/32 dev lo`,
    ),
  ];
  ip(['-n', name, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Of measurements that were killed: the process in the name is no more. */
function removeLeftovers(): void {
  for (const line of ip(['netns', 'list']).split('\n')) {
    const [name = ''] = line.split(' ');
    const pid = LEFTOVER.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) quietly(['netns', 'delete', name]);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** What the program itself said, where it said something. */
function wordsOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said === '' ? String(error) : said.replaceAll('\n', ', ');
}

function quietly(args: readonly string[]): void {
  try {
    ip(args);
  } catch {
    // It was never made, or is gone already.
  }
}

function ip(args: readonly string[], input = ''): string {
  return execFileSync('ip', args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
}
