import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectNats } from '@culvert/bus';
import { newPsk } from '@culvert/config';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { launch } from './launch.ts';
import { serverVersion } from './nats-choice.ts';
import { findNatsServer } from './nats-server.ts';
import { readRunState } from './run-state.ts';
import type { LaunchEvent, Says } from './says.ts';

const BUS = fileURLToPath(new URL('../../shared/bus/index.ts', import.meta.url));
const NAMES = ['edge', 'ike', 'l2tp', 'ppp', 'aaa'];

/** A service as the launcher sees one: it answers its status, logs, and notes when it stops. */
const SERVICE = (name: string) => `
import { appendFileSync } from 'node:fs';
import { connectNats } from ${JSON.stringify(BUS)};
const bus = await connectNats({ url: process.env.CULVERT_NATS_URL, name: '${name}' });
bus.respond('culvert.admin.${name}.status', () => ({ service: '${name}', state: 'serving', pid: process.pid }));
bus.respond('test.crash.${name}', () => { setTimeout(() => process.exit(9), 10); return {}; });
console.log(JSON.stringify({ level: 30, msg: '${name} up with ' + process.env.CULVERT_CONFIG }));
process.on('SIGTERM', async () => {
  appendFileSync(process.env.CULVERT_STATE + '/stops', '${name}\\n');
  await bus.close();
  process.exit(0);
});
`;

let folder: string;
let said: string[];
let events: LaunchEvent[];
let says: Says;
let stop: AbortController;
let ready: PromiseWithResolvers<void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-launch-'));
  said = [];
  events = [];
  stop = new AbortController();
  ready = Promise.withResolvers();
  says = {
    line: (text) => said.push(text),
    text: (text) => said.push(text),
    service: (name, line) => said.push(`${name}: ${line}`),
    event(event) {
      events.push(event);
      if (event.event === 'ready') ready.resolve();
    },
  };
  for (const name of NAMES) service(name, SERVICE(name));
  writeFileSync(join(folder, 'culvert.yaml'), `stateDir: state\npsks: [{ name: a, secret: ${newPsk()} }]\n`);
});

afterEach(() => {
  delete process.env.CULVERT_STATE;
  rmSync(folder, { recursive: true, force: true });
});

function service(name: string, text: string): void {
  mkdirSync(join(folder, 'services', name), { recursive: true });
  writeFileSync(join(folder, 'services', name, 'main.ts'), text);
}

function run(configFile: string | undefined, stateDir?: string): Promise<void> {
  return launch({ configFile, stateDir, says, stop: stop.signal, serviceFolder: join(folder, 'services') });
}

const file = () => join(folder, 'culvert.yaml');
const state = () => join(folder, 'state');

describe.runIf(findNatsServer(process.env) !== undefined)('the launcher', () => {
  test('starts everything, says so, leaves a trail for the command line, and stops in order', async () => {
    const done = run(file());
    await ready.promise;
    expect(said.at(-1)).toMatch(
      /^culvert is ready on 0\.0\.0\.0 \(UDP 500, 4500\), :: .* pool 10\.98\.0\.0\/22; NATS 2\./,
    );
    expect(said).toContain(`ike: {"level":30,"msg":"ike up with ${join(folder, 'culvert.yaml')}"}`);

    const trail = readRunState(state());
    expect(trail).toMatchObject({
      pid: process.pid,
      configFile: join(folder, 'culvert.yaml'),
      nats: { embedded: true },
    });
    await expect(run(file())).rejects.toThrow(/already runs on .*--state/);

    expect(await serverVersion(trail?.nats.url ?? '')).toBe(trail?.nats.version);

    stop.abort();
    await done;
    expect(readFileSync(join(state(), 'stops'), 'utf8').trim().split('\n')).toEqual([
      'ike',
      'l2tp',
      'ppp',
      'aaa',
      'edge',
    ]);
    expect(readRunState(state())).toBeUndefined();
    await expect(serverVersion(trail?.nats.url ?? '')).rejects.toThrow();
  });

  test('without a configuration it makes one and tells how to connect', async () => {
    const home = join(folder, 'home');
    const done = run(undefined, home);
    await ready.promise;
    const created = events.find((event) => event.event === 'created');
    expect(created).toMatchObject({ configFile: join(home, 'culvert.yaml'), user: 'culvert' });
    expect(said.join('\n')).toContain('Shared key');
    stop.abort();
    await done;
  });

  test('the embedded server is closed to strangers', async () => {
    const done = run(file());
    await ready.promise;
    const url = readRunState(state())?.nats.url ?? '';
    const giveUp = AbortSignal.timeout(500);
    await expect(connectNats({ url, name: 'stranger', signal: giveUp })).rejects.toThrow();
    stop.abort();
    await done;
  });

  test('a service that dies is started again; the server too, where it was', async () => {
    const done = run(file());
    await ready.promise;
    const access = readRunState(state())?.nats;
    const bus = await connectNats({
      url: access?.url ?? '',
      user: access?.user,
      password: access?.password,
      name: 'test',
    });
    const ask = () => bus.request<{ pid: number }>('culvert.admin.l2tp.status', {}, { timeoutMs: 500 });
    const first = await ask();
    await bus.request('test.crash.l2tp', {}, { timeoutMs: 500 });
    await expect
      .poll(
        () =>
          ask().then(
            ({ pid }) => pid,
            () => first.pid,
          ),
        { timeout: 10_000 },
      )
      .not.toBe(first.pid);
    expect(said).toContain('l2tp ended with code 9, starting again in 0.25 s');

    const server = events.find((event) => event.event === 'started' && event.service === 'nats-server');
    process.kill(server?.event === 'started' ? (server.pid ?? 0) : 0, 'SIGKILL');
    await expect
      .poll(() => said.join('\n'), { timeout: 10_000 })
      .toContain('nats-server was ended by SIGKILL');
    await expect
      .poll(
        () =>
          ask().then(
            () => true,
            () => false,
          ),
        { timeout: 15_000 },
      )
      .toBe(true);
    await bus.close();
    stop.abort();
    await done;
  }, 40_000);

  test('a service that cannot start ends the launch with its last words', async () => {
    service('edge', "console.error('no permission for /dev/net/tun'); process.exit(1);");
    await expect(run(file())).rejects.toThrow(
      /edge keeps ending[\s\S]*no permission for \/dev\/net\/tun[\s\S]*doctor/,
    );
    expect(readRunState(state())).toBeUndefined();
  });

  test('being told to stop while starting is no failure', async () => {
    service('edge', 'setInterval(() => {}, 1000);');
    const done = run(file());
    await expect.poll(() => said.join('\n'), { timeout: 10_000 }).toContain('aaa up');
    stop.abort();
    await done;
    expect(events.at(-1)).toEqual({ event: 'stopped' });
  });
});

test('faults of the configuration are all told', async () => {
  writeFileSync(join(folder, 'culvert.yaml'), 'psks: [{ name: a, secret: vpn }]\npool: { ipv4: x }');
  await expect(run(file())).rejects.toThrow(/2 faults[\s\S]*psks\[0\]\.secret[\s\S]*pool\.ipv4/);
  await expect(run(join(folder, 'none.yaml'))).rejects.toThrow(/cannot be read: ENOENT/);
});

/** Enough of an old nats-server to connect to. */
function oldServer(socket: Socket): void {
  socket.on('data', (octets) => octets.toString().includes('PING') && socket.write('PONG\r\n'));
  socket.write('INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"headers":true} \r\n');
}

describe('an external server', () => {
  test('below the floor is refused', async () => {
    const server = createServer(
      (socket) => void socket.write('INFO {"server_id":"x","version":"2.9.10"} \r\n'),
    );
    await new Promise<void>((settle) => void server.listen(0, '127.0.0.1', settle));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const text = readFileSync(join(folder, 'culvert.yaml'), 'utf8');
    writeFileSync(join(folder, 'culvert.yaml'), `${text}nats: { url: "nats://127.0.0.1:${port}" }`);
    await expect(run(file())).rejects.toThrow(/2\.9\.10 .* can lose acknowledged writes: upgrade it/);
    server.close();
  });

  test('an external server that comes later is judged as one that was there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise<void>((settle) => void free.once('listening', settle));
    const address = free.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((settle) => void free.close(settle));
    const text = readFileSync(join(folder, 'culvert.yaml'), 'utf8');
    writeFileSync(join(folder, 'culvert.yaml'), `${text}nats: { url: "nats://127.0.0.1:${port}" }`);
    const done = run(file());
    done.catch(() => undefined);
    await expect
      .poll(() => said.join('\n'), { timeout: 10_000 })
      .toMatch(new RegExp(`waiting for NATS: 127.0.0.1:${port} does not answer: ECONNREFUSED`));
    const server = createServer((socket) => oldServer(socket)).listen(port, '127.0.0.1');
    await expect(done).rejects.toThrow(/2\.9\.10 .* can lose acknowledged writes: upgrade it/);
    server.close();
  }, 40_000);

  test('what is no nats-server has no version', async () => {
    const server = createServer((socket) => void socket.end('220 mail\r\n'));
    await new Promise<void>((settle) => void server.listen(0, '127.0.0.1', settle));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(serverVersion(`nats://127.0.0.1:${port}`)).rejects.toThrow(
      /does not answer like a nats-server/,
    );
    server.close();
    await sleep(0);
  });
});
