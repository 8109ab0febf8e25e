import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  type RunState,
  readRunState,
  removeRunState,
  runStatePath,
  startTicksOf,
  writeRunState,
} from './run-state.ts';

const folder = mkdtempSync(join(tmpdir(), 'culvert-run-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const state: RunState = {
  version: 1,
  pid: process.pid,
  startTicks: startTicksOf(process.pid) ?? '',
  startedAt: 1,
  configFile: '/etc/culvert/culvert.yaml',
  nats: { url: 'nats://127.0.0.1:4222', user: 'culvert', password: 'x', version: '2.14.9', embedded: true },
};

test('a living gateway is found, and only its owner can read how', () => {
  writeRunState(folder, state);
  expect(readRunState(folder)).toEqual(state);
  expect(statSync(runStatePath(folder)).mode & 0o777).toBe(0o600);
  removeRunState(folder);
  expect(readRunState(folder)).toBeUndefined();
});

test('what a dead gateway left is nothing', () => {
  writeRunState(folder, { ...state, startTicks: '1' });
  expect(readRunState(folder)).toBeUndefined();
  writeRunState(folder, { ...state, pid: 2 ** 22 + 1 });
  expect(readRunState(folder)).toBeUndefined();
});

test('neither is a torn file', () => {
  writeRunState(folder, state);
  writeFileSync(runStatePath(folder), '{"version":1,');
  expect(readRunState(folder)).toBeUndefined();
});
