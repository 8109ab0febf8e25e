import { connect } from 'node:net';

const OCTETS_MAX = 65_536;
const NATS_PORT = 4222;

/**
 * A nats-server greets every connection with a line `INFO {...}`, before TLS and log-in. Answers its
 * version; rejects when nothing, or something else, answers in time. The connection is closed in any case.
 */
export function natsVersion(url: string, withinMs: number): Promise<string> {
  const { host, hostname, port } = new URL(url);
  return new Promise((settle, refuse) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || NATS_PORT });
    let greeting = '';
    const end = (version: string | undefined, why = 'does not answer like a nats-server') => {
      clearTimeout(timer);
      socket.destroy();
      // Not the whole URL: it may hold a password.
      if (version === undefined) refuse(new Error(`${host} ${why}`));
      else settle(version);
    };
    const timer = setTimeout(() => end(undefined, 'does not answer'), withinMs);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(undefined, `does not answer: ${error.code ?? error.name}`),
    );
    socket.once('close', () => end(undefined));
    socket.on('data', (octets) => {
      greeting += octets.toString('utf8');
      const line = /^INFO (\{.*\})\s*\n/.exec(greeting)?.[1];
      if (line !== undefined) end(/"version":"([^"]+)"/.exec(line)?.[1]);
      else if (greeting.length > OCTETS_MAX) end(undefined);
    });
  });
}
