import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** What a first configuration has to fit into. */
export interface Surroundings {
  /** IPv4 prefixes that this machine has a route for. */
  readonly routes: readonly string[];
  /** Addresses a client may dial, the likeliest first. */
  readonly addresses: readonly string[];
  /** IPv4 name servers that this machine uses itself. */
  readonly nameServers: readonly string[];
  /** Of the way to clients, octets; undefined without a default route. */
  readonly mtu: number | undefined;
}

const RESOLV_CONF = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

export function surroundings(): Surroundings {
  return {
    routes: routes(),
    addresses: serverAddresses(),
    mtu: defaultMtu(),
    nameServers: RESOLV_CONF.flatMap(nameServersIn).filter(
      (address, place, all) => all.indexOf(address) === place,
    ),
  };
}

function ip<T>(...args: readonly string[]): readonly T[] {
  const { stdout } = spawnSync('ip', ['-j', ...args], {
    encoding: 'utf8',
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  return (stdout ?? '').trim() === '' ? [] : (JSON.parse(stdout) as readonly T[]);
}

function defaultMtu(): number | undefined {
  const [route] = ip<{ dev?: string; metric?: number }>('-4', 'route', 'show', 'default');
  return route?.dev === undefined
    ? undefined
    : ip<{ mtu?: number }>('link', 'show', 'dev', route.dev)[0]?.mtu;
}

function routes(): string[] {
  const listed = ip<{ dst?: string }>('-4', 'route', 'show', 'table', 'all');
  return listed.map(({ dst }) => dst ?? 'default').filter((dst) => /^(default|[0-9./]+)$/.test(dst));
}

/** Global IPv4 addresses first, then private ones, then IPv6. */
export function serverAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = all.filter(({ internal, address }) => !internal && !/^(169\.254\.|fe80:)/i.test(address));
  return usable.map(({ address }) => address).toSorted((a, b) => rank(a) - rank(b));
}

function rank(address: string): number {
  return address.includes(':') ? 2 : isPrivate(address) ? 1 : 0;
}

/** RFC 1918 and RFC 6598: not reachable from the Internet as they are. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(address);
}

function nameServersIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const found = [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].map(
    (match) => match[1] ?? '',
  );
  // A resolver on the loopback answers this machine only.
  return found.filter((address) => !address.startsWith('127.'));
}
