import { restored, step } from '@culvert/kernel';
import { hex } from '@culvert/wire';
import { parseRouterAdvertisement } from '@culvert/wire/ip';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { type AdvertiserContext, advertiser } from './machine.ts';

const HOST = hex('fe80000000000000 0200000000000009');
const ALL_NODES = hex('ff020000000000000000000000000001');
const DNS = hex('20010db8000000000000000000000053');

/** `all` and `one`: an advertisement to all nodes, or to the host that asked. A dot: nothing happens. */
const TABLE = `
                    idle              advertising
  Start             all>advertising   .
  Tick              .                 all>advertising
  Solicited         .                 one>advertising
  Solicited-unnamed .                 all>advertising
  Solicited-early   .                 .
  Dismiss           >dismissed        >dismissed
`;

const EVENTS: Readonly<Record<string, { type: string; at: number; from?: Uint8Array }>> = {
  Start: { type: 'Start', at: 10_000 },
  Tick: { type: 'Tick', at: 10_000 },
  Solicited: { type: 'Solicited', at: 7_001, from: HOST },
  'Solicited-unnamed': { type: 'Solicited', at: 10_000 },
  'Solicited-early': { type: 'Solicited', at: 9_999 },
  Dismiss: { type: 'Dismiss', at: 10_000 },
};

type Effect = { type: string; information: Uint8Array };

function at(state: string): AnyMachineSnapshot {
  const context: AdvertiserContext = {
    call: 1,
    source: hex('fe80000000000000 0000000000000001'),
    prefix: hex('20010db8000000010000000000000000'),
    prefixLength: 64,
    mtu: 1400,
    dns: [DNS],
    sent: 0,
    sentAt: 7_000,
  };
  return restored(advertiser, { value: state, context: { ...context } });
}

const play = (snapshot: AnyMachineSnapshot, event: { type: string; at: number; from?: Uint8Array }) =>
  step<typeof advertiser, Effect>(
    advertiser,
    snapshot as never,
    {
      ...event,
      entropy: new Uint8Array(32).fill(event.at & 0xff),
    } as never,
  );

const read = (effect: Effect | undefined) => {
  const ra = parseRouterAdvertisement(effect?.information ?? new Uint8Array(0));
  if (!ra.ok) throw new Error(ra.reason);
  return ra.value;
};

describe('RFC 4861 §6.2', () => {
  const [head = [], ...rows] = TABLE.split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
  for (const [name = '', ...row] of rows) {
    for (const [column, cell] of row.entries()) {
      test(`${name} in ${head[column]}: ${cell}`, () => {
        const before = at(head[column] ?? '');
        const after = play(before, EVENTS[name] ?? { type: '', at: 0 });
        if (cell === '.') {
          expect(after).toMatchObject({ effects: [], timers: [] });
          return;
        }
        const [emitted = '', target] = cell.split('>');
        expect(after.snapshot.value).toBe(target);
        expect(after.effects).toHaveLength(emitted === '' ? 0 : 1);
        if (emitted !== '')
          expect(read(after.effects[0]).destination).toEqual(emitted === 'one' ? HOST : ALL_NODES);
      });
    }
  }

  test('three in quick succession, then at random intervals within bounds', () => {
    let now = play(at('idle'), { type: 'Start', at: 0 });
    const intervals: number[] = [];
    for (let count = 1; count < 12; count += 1) {
      intervals.push(
        now.timers.flatMap((timer) => (timer.op === 'arm' ? [timer.afterMs] : [])).at(-1) ?? Number.NaN,
      );
      now = play(now.snapshot as AnyMachineSnapshot, { type: 'Tick', at: count });
    }
    expect(intervals.slice(0, 2)).toEqual([3_000, 3_000]);
    for (const interval of intervals.slice(2)) {
      expect(interval).toBeGreaterThanOrEqual(198_000);
      expect(interval).toBeLessThanOrEqual(600_000);
    }
    expect(new Set(intervals.slice(2)).size).toBeGreaterThan(3);
  });

  test('prefix, MTU and RFC 8106 name servers', () => {
    expect(read(play(at('idle'), { type: 'Start', at: 0 }).effects[0])).toMatchObject({
      mtu: 1400,
      routerLifetime: 1_800,
      prefix: { address: hex('20010db8000000010000000000000000'), length: 64 },
      dns: [DNS],
      dnsLifetime: 1_800,
    });
  });
});
