import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Supervised, supervise } from './supervisor.ts';

const env = { PATH: process.env.PATH ?? '' };

/** A program that runs the given JavaScript. */
function program(source: string, onLine: (line: string) => void = () => {}) {
  return { name: 'probe', file: process.execPath, args: ['-e', source], env, onLine };
}

const quiet = { ended: () => {}, looping: () => {} };
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('starts again what has ended, later each time, and says so', async () => {
  const ends: { text: string; restartInMs: number }[] = [];
  const again = Promise.withResolvers<void>();
  const supervised = supervise(program('process.exit(3)'), {
    ended: (_name, text, restartInMs) => {
      if (ends.push({ text, restartInMs }) === 3) again.resolve();
    },
    looping: () => {},
  });
  await again.promise;
  await supervised.stop(1000);
  expect(ends.slice(0, 3)).toEqual([
    { text: 'ended with code 3', restartInMs: 250 },
    { text: 'ended with code 3', restartInMs: 500 },
    { text: 'ended with code 3', restartInMs: 1000 },
  ]);
});

test('keeps the last words of a program that keeps ending', async () => {
  const looping = Promise.withResolvers<Supervised>();
  const supervised = supervise(program('console.error("no such device"); process.exit(1)'), {
    ended: () => {},
    looping: looping.resolve,
  });
  expect((await looping.promise).lastWords).toContain('no such device');
  await supervised.stop(1000);
});

test('stops with SIGTERM, by force when that is ignored', async () => {
  const said: string[] = [];
  const polite = Promise.withResolvers<void>();
  const first = supervise(
    program(
      `process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); setInterval(() => {}, 1000); console.log('up')`,
      (line) => {
        said.push(line);
        polite.resolve();
      },
    ),
    quiet,
  );
  await polite.promise;
  await first.stop(5000);
  expect(said).toEqual(['up', 'bye']);

  const deaf = Promise.withResolvers<void>();
  const second = supervise(
    program(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')`, () =>
      deaf.resolve(),
    ),
    quiet,
  );
  await deaf.promise;
  const pid = second.pid ?? 0;
  await second.stop(200);
  expect(alive(pid)).toBe(false);
});

test('a program that does not exist is an end like any other', async () => {
  const ended = Promise.withResolvers<string>();
  const supervised = supervise(
    { ...program(''), file: '/none/such' },
    { ended: (_name, text) => ended.resolve(text), looping: () => {} },
  );
  expect(await ended.promise).toMatch(/could not be started|ended with code 127/);
  await supervised.stop(100);
});

test('children die with a launcher that is killed', async () => {
  const supervisor = JSON.stringify(fileURLToPath(new URL('supervisor.ts', import.meta.url)));
  const source = `
    const { supervise } = await import(${supervisor});
    supervise(
      { name: 'probe', file: process.execPath, args: ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)'],
        env: {}, onLine: (line) => console.log(line) },
      { ended: () => {}, looping: () => {} },
    );`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(launcher.stdout, 'data')) as [Buffer];
  const child = Number(said.toString());
  expect(alive(child)).toBe(true);
  launcher.kill('SIGKILL');
  await expect.poll(() => alive(child), { timeout: 5_000 }).toBe(false);
});
