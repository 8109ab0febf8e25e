import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import type { Config } from '@culvert/config';
import { bad, doubtful, type Finding, good } from './finding.ts';

const ESP_HEX = '32'; // 50, RFC 4303 §2

/** A running gateway holds the ports itself. */
export async function portsFree(config: Config, running: boolean): Promise<Finding[]> {
  if (running) return [good('UDP ports', 'held by the running gateway')];
  const wanted = config.listen.flatMap(({ addresses, ikePort, natTraversalPort }) =>
    addresses.flatMap((address) => [ikePort, natTraversalPort].map((port) => ({ address, port }))),
  );
  const results = await Promise.all(wanted.map(({ address, port }) => tryPort(address, port)));
  const taken = wanted.filter((_, index) => results[index] !== undefined);
  if (taken.length === 0) return [good('UDP ports', [...new Set(wanted.map(({ port }) => port))].join(', '))];
  return wanted.flatMap(({ address, port }, index) => {
    const code = results[index];
    if (code === undefined) return [];
    const found = `${address} port ${port}: ${code}`;
    if (code === 'EAFNOSUPPORT' || (code === 'EADDRNOTAVAIL' && address === '::')) {
      return [doubtful('UDP ports', found, 'this machine has no IPv6: remove the address from listen')];
    }
    return [bad('UDP ports', found, REMEDIES[code] ?? 'see listen in the configuration')];
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another IKE daemon runs here: stop it (systemctl stop strongswan ipsec)',
  EACCES: 'run as root, or with CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have the address: correct listen',
};

/** The error's code, or undefined when the port is free. */
function tryPort(address: string, port: number): Promise<string | undefined> {
  const ipv6 = address.includes(':');
  const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
  return new Promise((settle) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      settle(error.code ?? error.message);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => settle(undefined)));
  });
}

/** Another program with a raw socket for ESP would see every packet too, and the kernel might answer. */
export function espFree(config: Config, running: boolean): Finding[] {
  if (!config.edge.rawEsp) return [good('ESP', 'not used: edge.rawEsp is off')];
  if (running) return [good('ESP', 'held by the running gateway')];
  const holders = ['/proc/net/raw', '/proc/net/raw6']
    .flatMap(rawProtocols)
    .filter((protocol) => protocol === ESP_HEX);
  return holders.length === 0
    ? [good('ESP', 'no other program takes IP protocol 50')]
    : [doubtful('ESP', 'another program takes IP protocol 50', 'stop the other IPsec program')];
}

/** The port column of a raw socket is its protocol, in hexadecimal. */
function rawProtocols(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(1);
    return lines.map((line) => (line.trim().split(/\s+/)[1]?.split(':')[1] ?? '').replace(/^0+/, ''));
  } catch {
    return [];
  }
}
