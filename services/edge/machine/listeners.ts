import type { Config } from '@culvert/config';
import type { Log } from '@culvert/telemetry';
import { parseAddress } from '@culvert/wire/ip';
import { type Native, native } from '../native/index.ts';

/** One socket as a worker gets it: the descriptor, and what is bound to it. */
export interface SocketSpec {
  readonly fd: number;
  readonly via: 'ike' | 'nat-traversal' | 'esp';
  readonly listener: string;
  readonly ipv6: boolean;
  /** 16 octets; all zero, or ::ffff:0.0.0.0, for every address. */
  readonly local: Uint8Array;
  readonly port: number;
}

export interface Sockets {
  /** By worker: what it reads. IKE's own port is the first worker's alone. */
  readonly read: readonly (readonly SocketSpec[])[];
  close(): void;
}

/**
 * Opens every socket, in the order that makes worker i member i of each reuse-port group. Nothing is
 * ever bound to UDP 1701: L2TP is reached only through an SA.
 */
export function openSockets(config: Config, workers: number, log: Log): Sockets {
  const io = native();
  const read: SocketSpec[][] = Array.from({ length: workers }, () => []);
  const close = () => {
    for (const spec of read.flat()) io.closeDescriptor(spec.fd);
  };
  try {
    for (const listener of config.listen) {
      for (const address of listener.addresses) {
        const optional = address === '::' && listener.addresses.length > 1;
        openAddress(io, listener, address, optional, read, log);
      }
    }
    if (config.edge.rawEsp) openRaw(io, config, read, log);
  } catch (error) {
    close();
    throw error;
  }
  return { read, close };
}

function openAddress(
  io: Native,
  listener: Config['listen'][number],
  address: string,
  optional: boolean,
  read: SocketSpec[][],
  log: Log,
): void {
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new Error(`listen: ${address} is not an address`);
  const about = { listener: listener.name, ipv6: address.includes(':'), local: parsed.value };
  const { ikePort, natTraversalPort } = listener;
  try {
    const fd = io.openUdp(address, ikePort, 0, true);
    read[0]?.push({ ...about, fd, via: 'ike', port: ikePort });
  } catch (error) {
    if (!optional || !isAbsent(error)) throw explained(error, address, ikePort);
    log.warn({ address }, 'this machine has no IPv6: not listening there');
    return;
  }
  for (const own of read) {
    try {
      const fd = io.openUdp(address, natTraversalPort, read.length, true);
      own.push({ ...about, fd, via: 'nat-traversal', port: natTraversalPort });
    } catch (error) {
      throw explained(error, address, natTraversalPort);
    }
  }
}

function openRaw(io: Native, config: Config, read: SocketSpec[][], log: Log): void {
  const addresses = config.listen.flatMap((listener) => listener.addresses);
  for (const ipv6 of [false, true]) {
    if (!addresses.some((address) => address.includes(':') === ipv6)) continue;
    for (const [index, own] of read.entries()) {
      try {
        const fd = io.openRawEsp(ipv6, read.length, index);
        own.push({ fd, via: 'esp', listener: '', ipv6, local: new Uint8Array(16), port: 0 });
      } catch (error) {
        if (!isAbsent(error)) throw error;
        log.warn({ ipv6 }, 'this kernel has no such address family: no raw ESP there');
        break;
      }
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function isAbsent(error: unknown): boolean {
  return ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error) ?? '');
}

function explained(error: unknown, address: string, port: number): Error {
  const remedy: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program (an IKE daemon?) has this port',
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine has no such address',
  };
  const hint = remedy[codeOf(error) ?? ''];
  const why = error instanceof Error ? error.message : String(error);
  return new Error(
    `cannot listen on ${address} port ${port}: ${why}${hint === undefined ? '' : `; ${hint}`}`,
    { cause: error },
  );
}
