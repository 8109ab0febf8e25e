import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { deadlineHeap } from './deadlines.ts';

interface Item {
  readonly name: number;
  wakeAt: number;
}

test('behaves as a sorted list of each item’s latest deadline', () => {
  const operation = fc.oneof(
    fc.record({ item: fc.nat(9), at: fc.nat(50) }),
    fc.record({ item: fc.nat(9), at: fc.constant(Number.POSITIVE_INFINITY) }),
    fc.record({ now: fc.nat(50) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const heap = deadlineHeap<Item>();
      const items: Item[] = Array.from({ length: 10 }, (_, name) => ({
        name,
        wakeAt: Number.POSITIVE_INFINITY,
      }));
      const model = new Map<number, number>();
      for (const operation of operations) {
        if ('now' in operation) {
          const taken = heap.take(operation.now);
          const earliest = Math.min(...model.values());
          if (earliest > operation.now) expect(taken).toBeUndefined();
          else {
            expect(taken && model.get(taken.name)).toBe(earliest);
            expect(taken?.wakeAt).toBe(Number.POSITIVE_INFINITY);
            if (taken !== undefined) model.delete(taken.name);
          }
        } else {
          heap.set(items[operation.item] as Item, operation.at);
          if (operation.at === Number.POSITIVE_INFINITY) model.delete(operation.item);
          else model.set(operation.item, operation.at);
        }
        expect(heap.size).toBe(model.size);
        expect(heap.earliest()).toBe(Math.min(...model.values()));
      }
    }),
  );
});

test('equal deadlines come in the order they were set', () => {
  const heap = deadlineHeap<Item>();
  for (let name = 0; name < 20; name += 1) heap.set({ name, wakeAt: Number.POSITIVE_INFINITY }, 5);
  const names = Array.from({ length: 20 }, () => heap.take(5)?.name);
  expect(names).toEqual(Array.from({ length: 20 }, (_, name) => name));
});

test('stays small when deadlines move again and again', () => {
  const heap = deadlineHeap<Item>();
  const items: Item[] = Array.from({ length: 10 }, (_, name) => ({ name, wakeAt: Number.POSITIVE_INFINITY }));
  for (let at = 0; at < 100_000; at += 1) heap.set(items[at % 10] as Item, at);
  expect(heap.size).toBe(10);
  const order = Array.from({ length: 10 }, () => heap.take(Number.MAX_SAFE_INTEGER)?.name);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(heap.take(Number.MAX_SAFE_INTEGER)).toBeUndefined();
});

test('the real clock: whole milliseconds near the wall clock, and cancellable', async () => {
  expect(Number.isInteger(systemClock.now())).toBe(true);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(5000);
  const fired: string[] = [];
  const cancel = systemClock.after(5, () => fired.push('cancelled'));
  systemClock.after(10, () => fired.push('kept'));
  const far = systemClock.after(2 ** 33, () => fired.push('far'));
  cancel();
  await new Promise((resolve) => setTimeout(resolve, 40));
  far();
  expect(fired).toEqual(['kept']);
});
