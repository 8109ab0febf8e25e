import { createSocket, type Socket } from 'node:dgram';
import { systemEntropy } from '@culvert/crypto';
import { systemClock } from '@culvert/host';
import { Client, type ClientOptions } from './client.ts';

export interface DialledClient {
  readonly client: Client;
  readonly packets: Uint8Array[];
  close(): void;
}

/**
 * The scripted client over one real UDP socket. Its ports look translated to the gateway, so it always
 * speaks NAT traversal; `source` is where the socket binds.
 */
export async function overUdp(
  options: ClientOptions,
  gateway: string,
  source = '127.0.0.1',
): Promise<DialledClient> {
  const socket = createSocket({ type: gateway.includes(':') ? 'udp6' : 'udp4' });
  await bound(socket, source);
  const packets: Uint8Array[] = [];
  const client = new Client(options, {
    clock: systemClock,
    entropy: systemEntropy,
    send: ({ port, octets }) => {
      if (port !== 0) socket.send(octets, port, gateway);
    },
    packet: (octets) => packets.push(octets.slice()),
  });
  socket.on('message', (octets, from) => {
    client.receive({ port: from.port === 4500 ? 4500 : 500, octets }).catch((error: unknown) => {
      client.ended ??= String(error);
    });
  });
  return {
    client,
    packets,
    close() {
      client.vanish();
      socket.close();
    },
  };
}

/** Waits on the real clock, asking often. */
export async function until(done: () => boolean, what: string, limitMs: number): Promise<void> {
  const deadline = systemClock.now() + limitMs;
  while (!done()) {
    if (systemClock.now() > deadline) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise<void>((resolve) => {
      systemClock.after(10, resolve);
    });
  }
}

function bound(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
