import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counted } from './load.ts';

/** One TCP connection of a measurement. */
export interface Stream {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

const CHUNK = new Uint8Array(2 ** 19);
const QUEUE_OCTETS = 2 ** 20;
const READ_OCTETS = 2 ** 18;

/** Who connects is sent octets without end. */
export async function serveStreams(port: number): Promise<Server> {
  const server = createServer({ highWaterMark: QUEUE_OCTETS }, (socket) => {
    const pump = () => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on('drain', pump);
    // The other side hangs up when it has counted enough.
    socket.on('error', () => socket.destroy());
    pump();
  });
  await new Promise<void>((settle, refuse) => {
    server.once('error', refuse);
    server.listen(port, '0.0.0.0', settle);
  });
  return server;
}

/** Takes from all of them at once; answers the bits. */
export async function receiveStreams(
  streams: readonly Stream[],
  warmMs: number,
  ms: number,
): Promise<Counted> {
  let octets = 0;
  let failure: Error | undefined;
  const buffer = new Uint8Array(READ_OCTETS);
  const open = (stream: Stream) =>
    new Promise<Socket>((settle, refuse) => {
      const socket = connect({
        host: stream.to,
        port: stream.port,
        localAddress: stream.from,
        onread: {
          buffer,
          callback(count) {
            octets += count;
            return true;
          },
        },
      });
      socket.once('connect', () => settle(socket));
      socket.on('error', (error) => {
        failure ??= error;
        refuse(error);
      });
    });
  const sockets = await Promise.all(streams.map(open));
  await sleep(warmMs);
  const begun = performance.now();
  const before = octets;
  await sleep(ms);
  const rate = ((octets - before) * 8_000) / (performance.now() - begun);
  for (const socket of sockets) socket.destroy();
  if (failure !== undefined) throw failure;
  return { rate, all: octets * 8 };
}
