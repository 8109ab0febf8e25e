import type { DhResponse } from '@culvert/crypto';
import { expect, test } from 'vitest';
import { newAgreements } from './agreements.ts';
import { openMm3 } from './open-phase-1.ts';

test('full at the limit, and free again with every job that ends, well or not', async () => {
  const ends: ((failed: boolean) => void)[] = [];
  const agreements = newAgreements(2, () => {
    const { promise, resolve, reject } = Promise.withResolvers<DhResponse>();
    ends.push((failed) => (failed ? reject(new Error('no')) : resolve({ ok: false, reason: 'bad-length' })));
    return promise;
  });
  const first = agreements.respond(14, new Uint8Array(0));
  expect(agreements.full).toBe(false);
  const second = agreements.respond(14, new Uint8Array(0));
  expect(agreements.full).toBe(true);
  ends[0]?.(true);
  await expect(first).rejects.toThrow('no');
  expect(agreements.full).toBe(false);
  ends[1]?.(false);
  expect(await second).toEqual({ ok: false, reason: 'bad-length' });
});

test('while it is full, a third message changes nothing and may come again', () => {
  // Refused before anything else of the message is looked at.
  const opening = { keeping: { agreements: { full: true } }, header: { messageId: 0 } } as never;
  expect(openMm3(opening, {} as never)).toEqual({ drop: 'dh-limit' });
});
