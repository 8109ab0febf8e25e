import { expect, test } from 'vitest';
import { jsonSays, lastWords, plainSays, readable } from './says.ts';

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

test('an error is shown without its stack', () => {
  const line = JSON.stringify({
    level: 'warn',
    error: { name: 'Error', message: 'gone', stack: 'at x' },
    msg: 'lost',
  });
  expect(readable('ike', line)).toBe('ike warn: lost  error=gone');
});

test('last words: what went wrong, once, and no machinery', () => {
  const info = '{"level":"info","msg":"edge starts"}';
  const error = JSON.stringify({
    level: 'error',
    error: { name: 'Error', message: 'cannot listen on 0.0.0.0 port 500: EADDRINUSE', stack: 'at open' },
    msg: 'edge cannot start',
  });
  const text = 'edge cannot start: cannot listen on 0.0.0.0 port 500: EADDRINUSE';
  expect(lastWords([info, error, info, error])).toEqual([text]);
  expect(lastWords([info, 'no permission'])).toEqual(['no permission']);
  expect(lastWords([info])).toEqual(['edge starts']);
  expect(lastWords([])).toEqual([]);
});
