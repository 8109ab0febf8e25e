import type { Instant } from '@culvert/kernel';

/** One heap for the deadlines of all sessions: an idle session costs one small row, not a system timer. */
export interface Deadlines<T extends { wakeAt: Instant }> {
  /** Calls for `item` at `at`, in place of any earlier call. */
  set(item: T, at: Instant): void;
  earliest(): Instant;
  /** Takes the next item due at `now`; its `wakeAt` is Infinity after that. */
  take(now: Instant): T | undefined;
  readonly size: number;
}

interface Row<T> {
  readonly at: Instant;
  readonly order: number;
  readonly item: T;
}

/** Rows that were overtaken stay until they surface; beyond this many the heap is rebuilt. */
const STALE_SLACK = 1024;

export function deadlineHeap<T extends { wakeAt: Instant }>(): Deadlines<T> {
  let rows: Row<T>[] = [];
  let live = 0;
  let order = 0;
  const isLive = (row: Row<T>) => row.item.wakeAt === row.at;
  const skipStale = () => {
    while (rows[0] !== undefined && !isLive(rows[0])) pop(rows);
  };
  return {
    set(item, at) {
      if (item.wakeAt === at) return;
      if (item.wakeAt !== Number.POSITIVE_INFINITY) live -= 1;
      item.wakeAt = at;
      if (at === Number.POSITIVE_INFINITY) return;
      live += 1;
      push(rows, { at, order, item });
      order += 1;
      if (rows.length > 2 * live + STALE_SLACK) rows = unique(rows.filter(isLive)).sort(inOrder);
    },
    earliest() {
      skipStale();
      return rows[0]?.at ?? Number.POSITIVE_INFINITY;
    },
    take(now) {
      skipStale();
      if (rows[0] === undefined || rows[0].at > now) return undefined;
      const { item } = pop(rows);
      item.wakeAt = Number.POSITIVE_INFINITY;
      live -= 1;
      return item;
    },
    get size() {
      return live;
    },
  };
}

/** An item that went away from a deadline and came back to it has two rows that look live. */
function unique<T>(rows: Row<T>[]): Row<T>[] {
  const seen = new Set<T>();
  return rows.sort(inOrder).filter(({ item }) => !seen.has(item) && seen.add(item));
}

function inOrder<T>(a: Row<T>, b: Row<T>): number {
  return a.at - b.at || a.order - b.order;
}

function push<T>(rows: Row<T>[], row: Row<T>): void {
  let at = rows.push(row) - 1;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if (inOrder(rows[parent] as Row<T>, row) <= 0) break;
    rows[at] = rows[parent] as Row<T>;
    at = parent;
  }
  rows[at] = row;
}

function pop<T>(rows: Row<T>[]): Row<T> {
  const first = rows[0] as Row<T>;
  const last = rows.pop() as Row<T>;
  if (rows.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= rows.length) break;
    if (child + 1 < rows.length && inOrder(rows[child + 1] as Row<T>, rows[child] as Row<T>) < 0) child += 1;
    if (inOrder(last, rows[child] as Row<T>) <= 0) break;
    rows[at] = rows[child] as Row<T>;
    at = child;
  }
  rows[at] = last;
  return first;
}
