import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** The packet workers with real sockets and devices, through what goes wrong around them. */
const root = process.getuid?.() === 0;
const FAR = '10.101.0.1';
const PROBES = 300;

async function within<T>(use: (tunnel: Tunnel) => Promise<T>): Promise<T> {
  const tunnel = await openTunnel();
  try {
    return await use(tunnel);
  } finally {
    await tunnel.close();
  }
}

function receivedOf(ping: string): number {
  return Number(/(\d+) received/.exec(ping)?.[1] ?? 0);
}

test.runIf(root)(
  'a worker thread that dies is replaced, and packets pass again by themselves',
  () =>
    within(async (tunnel) => {
      const ping = tunnel.start(0, 'ping', '-i', '0.01', '-c', String(PROBES), '-q', FAR);
      let out = '';
      ping.stdout?.on('data', (text: Buffer) => {
        out += text.toString();
      });
      const ended = once(ping, 'exit');
      for (const end of [1, 0] as const) {
        await pause(500);
        tunnel.ends[end].kill('SIGUSR2');
      }
      await ended;
      const lost = PROBES - receivedOf(out);
      // Two threads died: what it costs is the start of a thread each, some 300 ms, not the session.
      expect(lost).toBeGreaterThan(0);
      expect(lost).toBeLessThan(200);
      for (const end of [0, 1] as const) expect(tunnel.said(end)).toContain('"lost"');
      expect(receivedOf(tunnel.in(0, 'ping', '-c', '5', '-i', '0.05', FAR))).toBe(5);
    }),
  60_000,
);

test.runIf(root)(
  'on a path that takes less than the device says, packets are made to fit',
  () =>
    within(async (tunnel) => {
      tunnel.in(0, 'ip', 'route', 'replace', '10.88.0.2/32', 'dev', 'outer', 'mtu', '1200');
      // In super-packets larger than the path: the first ones leave one by one, in outer fragments.
      const server = tunnel.start(1, 'iperf3', '-s', '-1', '-B', FAR);
      await pause(300);
      const report = JSON.parse(tunnel.in(0, 'iperf3', '-c', FAR, '-t', '2', '-J')) as {
        end: { sum_received: { bits_per_second: number } };
      };
      server.kill();
      expect(report.end.sum_received.bits_per_second).toBeGreaterThan(1e8);
      // From then on the inner path says what it takes.
      const refused = tunnel.start(0, 'ping', '-c', '2', '-i', '0.2', '-M', 'do', '-s', '1300', FAR);
      let out = '';
      refused.stdout?.on('data', (text: Buffer) => {
        out += text.toString();
      });
      await once(refused, 'exit');
      expect(out).toContain('+2 errors');
    }),
  60_000,
);

test.runIf(root)(
  'a device that is taken down and comes back goes on',
  () =>
    within(async (tunnel) => {
      tunnel.in(1, 'ip', 'link', 'set', 'cvb0', 'down');
      tunnel.start(0, 'ping', '-c', '20', '-i', '0.01', '-W', '1', FAR);
      await pause(500);
      tunnel.in(1, 'ip', 'link', 'set', 'cvb0', 'up');
      tunnel.in(1, 'ip', 'route', 'replace', '10.100.0.0/16', 'dev', 'cvb0', 'src', FAR);
      expect(receivedOf(tunnel.in(0, 'ping', '-c', '5', '-i', '0.05', FAR))).toBe(5);
    }),
  60_000,
);
