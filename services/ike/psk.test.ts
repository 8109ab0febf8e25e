import { Secret } from '@culvert/crypto';
import { expect, test } from 'vitest';
import { pskChoice } from './psk.ts';

const psk = (name: string, listeners: string[] = [], remotes: string[] = []) => ({
  name,
  secret: Secret.fromText(name),
  listeners,
  remotes,
});
const names = (choice: ReturnType<typeof pskChoice>, listener: string, remote: string) =>
  choice(listener, remote).map(({ name }) => name);

test('listener and remote prefix choose, the longest prefix first', () => {
  const choice = pskChoice([
    psk('all'),
    psk('wide', [], ['198.51.100.0/24', '2001:db8::/32']),
    psk('narrow', [], ['198.51.100.7/32']),
    psk('branch', ['branch']),
  ]);
  expect(names(choice, 'main', '198.51.100.7')).toEqual(['narrow', 'wide', 'all']);
  expect(names(choice, 'main', '2001:db8::1')).toEqual(['wide', 'all']);
  expect(names(choice, 'branch', '192.0.2.1')).toEqual(['all', 'branch']);
  expect(names(choice, 'main', 'nonsense')).toEqual([]);
});

test('every IPv4 address is not every address', () => {
  const choice = pskChoice([psk('four', [], ['0.0.0.0/0']), psk('six', [], ['::/0'])]);
  expect(names(choice, 'main', '192.0.2.1')).toContain('four');
  expect(names(choice, 'main', '2001:db8::1')).toEqual(['six']);
});

test('never more than four candidates', () => {
  const choice = pskChoice(Array.from({ length: 9 }, (_, n) => psk(`key${n}`)));
  expect(names(choice, 'main', '192.0.2.1')).toEqual(['key0', 'key1', 'key2', 'key3']);
});
