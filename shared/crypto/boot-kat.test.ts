import { expect, test } from 'vitest';
import { bootKat } from './boot-kat.ts';
import { respondDh } from './diffie-hellman.ts';
import { prf } from './prf.ts';
import { type Algorithm, AlgorithmRefused, isUsable } from './usable.ts';

test('every algorithm gives its known answer', async () => {
  const { passed, refused } = await bootKat();
  expect(refused).toEqual([]);
  expect(passed.length).toBe(26);
});

// Last: what is refused stays refused in this process.
test('an algorithm that fails or throws is refused, the others go on', async () => {
  const report = await bootKat(
    new Map<Algorithm, () => boolean>([
      ['hmac-sha1', () => false],
      [
        'group-14',
        () => {
          throw new Error('broken library');
        },
      ],
      ['hmac-sha2-256', () => true],
    ]),
  );
  expect(report).toEqual({ passed: ['hmac-sha2-256'], refused: ['hmac-sha1', 'group-14'] });
  expect(isUsable('hmac-sha1')).toBe(false);
  expect(() => prf('sha1', new Uint8Array(1), new Uint8Array(1))).toThrow(AlgorithmRefused);
  expect(prf('sha2-256', new Uint8Array(1), new Uint8Array(1)).length).toBe(32);
  const two = new Uint8Array(256);
  two[255] = 2;
  await expect(respondDh(14, two)).rejects.toThrow(AlgorithmRefused);
});
