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
}

const RESOLV_CONF = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

export function surroundings(): Surroundings {
  return {
    routes: routes(),
    addresses: serverAddresses(),
    nameServers: RESOLV_CONF.flatMap(nameServersIn).filter(
      (address, place, all) => all.indexOf(address) === place,
    ),
  };
}

function routes(): string[] {
  const { stdout } = spawnSync('ip', ['-4', '-j', 'route', 'show', 'table', 'all'], {
    encoding: 'utf8',
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const listed = (stdout ?? '').trim() === '' ? [] : (JSON.parse(stdout) as { dst?: string }[]);
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
