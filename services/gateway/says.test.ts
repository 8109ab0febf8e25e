import { expect, test } from 'vitest';
import { jsonSays, plainSays, readable } from './says.ts';

function collect() {
  const written: string[] = [];
  return { written, write: (text: string) => void written.push(text) };
}

test('a line of a service as a person reads it', () => {
  const line = JSON.stringify({
    level: 40,
    time: Date.now(),
    pid: 7,
    msg: 'no proposal chosen',
    peer: '192.0.2.7',
    offers: [1],
  });
  expect(readable('ike', line)).toMatch(
    /^\d\d:\d\d:\d\d ike warn: no proposal chosen {2}peer=192\.0\.2\.7 offers=\[1\]$/,
  );
  expect(readable('ike', '{"level":30,"msg":"up"}')).toBe('ike: up');
  expect(readable('ike', 'Error: x')).toBe('ike: Error: x');
  expect(readable('ike', '{broken')).toBe('ike: {broken');
});

test('a log keeps the lines as they are', () => {
  const { written, write } = collect();
  plainSays(write, false).service('ike', '{"level":30}');
  expect(written).toEqual(['{"level":30}\n']);
});

test('for programs everything is one JSON object a line', () => {
  const { written, write } = collect();
  const says = jsonSays(write);
  says.line('a\nb');
  says.service('ike', '{"level":30}');
  says.service('ike', 'stack trace');
  says.text('how to connect');
  says.event({ event: 'stopped' });
  expect(written.map((line) => JSON.parse(line))).toEqual([
    { message: 'a\nb' },
    { level: 30 },
    { service: 'ike', message: 'stack trace' },
    { event: 'stopped' },
  ]);
});
