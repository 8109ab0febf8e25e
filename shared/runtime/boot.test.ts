import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bus, connectNats } from '@culvert/bus';
import { newPsk } from '@culvert/config';
import { type ServiceStatus, subjects } from '@culvert/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsServers, type TestServer, testServer } from '../../test/nats/server.ts';
import { metricsAddress } from './boot.ts';

const PROBE = new URL('../../test/nats/probe.ts', import.meta.url).pathname;
const PSK = newPsk();

interface Probe {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  said: string;
  says(text: string): Promise<void>;
}

let folder: string;
let server: TestServer;
let probes: Probe[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-boot-'));
  server = await testServer(natsServers()[0]?.path ?? '');
  probes = [];
});
afterEach(async () => {
  for (const probe of probes) probe.child.kill('SIGKILL');
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('waits for NATS, serves, and stops in order', async () => {
  const probe = start(`psks: [{ name: lab, secret: ${PSK} }]\nnode: n1\nstateDir: ${folder}\n`);
  await probe.says('waiting for NATS');
  await server.start();
  await probe.says('probe is up');
  expect(statSync(join(folder, 'cluster.key')).mode & 0o777).toBe(0o600);
  const bus = await connectNats({ url: server.url, name: 'asker' });
  const status = await ask<ServiceStatus>(bus, subjects.admin.status('aaa'), {});
  expect(status).toMatchObject({
    service: 'aaa',
    node: 'n1',
    pid: probe.child.pid,
    state: 'serving',
    sessions: 3,
  });
  expect(status.memoryBytes).toBeGreaterThan(1e6);
  expect(await ask(bus, subjects.admin.session('aaa'), { session: 'known' })).toMatchObject({
    session: 'known',
  });
  expect(await ask(bus, subjects.admin.session('aaa'), { session: 'unknown' })).toBeNull();
  expect(await ask(bus, subjects.admin.session('aaa'), null)).toBeNull();
  await bus.close();
  probe.child.kill('SIGTERM');
  expect(await probe.exited).toBe(0);
  expect(probe.said.indexOf('second hook')).toBeLessThan(probe.said.indexOf('first hook'));
  expect(probe.said).not.toContain(PSK);
});

test('can be stopped while it waits', async () => {
  const probe = start(`psks: [{ name: lab, secret: ${PSK} }]\nstateDir: ${folder}\n`);
  await probe.says('waiting for NATS');
  probe.child.kill('SIGTERM');
  expect(await probe.exited).toBe(0);
});

test('says everything that is wrong with the configuration, and does not start', async () => {
  const probe = start(`psks: []\nnosuch: 1\n`);
  expect(await probe.exited).toBe(78);
  expect(probe.said).toContain('psks');
  expect(probe.said).toContain('nosuch');
});

test('an exception that nobody caught ends the process with a line', async () => {
  await server.start();
  const probe = start(`psks: [{ name: lab, secret: ${PSK} }]\nstateDir: ${folder}\n`);
  await probe.says('probe is up');
  const bus = await connectNats({ url: server.url, name: 'killer' });
  bus.publish('culvert.test.die', {});
  expect(await probe.exited).toBe(1);
  expect(probe.said).toContain('uncaught exception');
  expect(probe.said).toContain('planned fault');
  await bus.close();
});

test('each service has a metrics port of its own', () => {
  expect(metricsAddress('127.0.0.1:9464', 2)).toEqual({ address: '127.0.0.1', port: 9466 });
  expect(metricsAddress('[::1]:9464', 0)).toEqual({ address: '::1', port: 9464 });
  expect(metricsAddress(undefined, 1)).toBeUndefined();
});

function ask<T>(bus: Bus, subject: string, question: unknown): Promise<T> {
  return bus.request<T>(subject, question, { timeoutMs: 2000 });
}

function start(config: string): Probe {
  const file = join(folder, 'culvert.yaml');
  writeFileSync(file, config);
  const child = spawn(process.execPath, [PROBE], {
    env: { ...process.env, CULVERT_CONFIG: file, CULVERT_NATS_URL: server.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const probe: Probe = {
    child,
    exited: new Promise((resolve) => child.once('exit', (code) => resolve(code))),
    said: '',
    async says(text) {
      const until = performance.now() + 15_000;
      while (!probe.said.includes(text)) {
        if (performance.now() > until || child.exitCode !== null)
          throw new Error(`never said "${text}":\n${probe.said}`);
        await delay(10);
      }
    },
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      probe.said += chunk.toString();
    });
  }
  probes.push(probe);
  return probe;
}
