import { restored, step } from '@culvert/kernel';
import { parseControlPacket, parseMagicData } from '@culvert/wire/ppp';
import { describe, expect, test } from 'vitest';
import type { AnyMachineSnapshot } from 'xstate';
import { type EchoContext, echo } from './machine.ts';

/** `ask`: an Echo-Request; `failed`: the link is told that nobody answers. A dot: nothing happens. */
const TABLE = `
                  idle          watching          mourning
  Start           >watching     .                 .
  Heard           .             >watching         .
  Heard-again     .             .                 .
  Answered        .             >watching         .
  Answered-again  .             .                 .
  Tick            .             ask>watching      .
  Tick-heard      .             >watching         .
  Tick-silent     .             failed>mourning   .
  Dismiss         >dismissed    >dismissed        >dismissed
`;

const EVENTS: Readonly<Record<string, [type: string, unanswered: number, heard: boolean]>> = {
  Start: ['Start', 0, false],
  Heard: ['Heard', 2, false],
  'Heard-again': ['Heard', 0, true],
  Answered: ['Answered', 2, false],
  'Answered-again': ['Answered', 0, false],
  Tick: ['Tick', 3, false],
  'Tick-heard': ['Tick', 4, true],
  'Tick-silent': ['Tick', 4, false],
  Dismiss: ['Dismiss', 0, false],
};

type Effect = { type: string; information?: Uint8Array };

function at(state: string, unanswered: number, heard: boolean): AnyMachineSnapshot {
  const context: EchoContext = {
    owner: 'link/1',
    call: 1,
    magic: 0xabcdef01,
    intervalMs: 30_000,
    failuresMax: 4,
    identifier: 254,
    unanswered,
    heard,
  };
  return restored(echo, { value: state, context: { ...context } });
}

const play = (snapshot: AnyMachineSnapshot, type: string) =>
  step<typeof echo, Effect>(echo, snapshot as never, { type });

describe('RFC 1661 §5.8: Echo', () => {
  const [head = [], ...rows] = TABLE.split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
  for (const [name = '', ...row] of rows) {
    for (const [column, cell] of row.entries()) {
      test(`${name} in ${head[column]}: ${cell}`, () => {
        const [type, unanswered, heard] = EVENTS[name] ?? ['', 0, false];
        const before = at(head[column] ?? '', unanswered, heard);
        const after = play(before, type);
        if (cell === '.') {
          expect(after).toMatchObject({ effects: [], timers: [] });
          expect(after.snapshot).toBe(before);
          return;
        }
        const [emitted = '', target] = cell.split('>');
        const names = after.effects.map((effect) => (effect.type === 'frame.send' ? 'ask' : 'failed'));
        expect(names.join(',')).toBe(emitted);
        expect(after.snapshot.value).toBe(target);
      });
    }
  }

  test('the request bears our Magic-Number and a new Identifier', () => {
    const { effects } = play(at('watching', 0, false), 'Tick');
    const packet = parseControlPacket(effects[0]?.information ?? new Uint8Array(0));
    if (!packet.ok) throw new Error(packet.reason);
    expect(packet.value).toMatchObject({ code: 9, identifier: 255 });
    expect(parseMagicData(packet.value.data)).toMatchObject({ ok: true, value: { magic: 0xabcdef01 } });
  });

  test('a silent peer is given up after five intervals', () => {
    let now = play(at('idle', 0, false), 'Start');
    let elapsed = 0;
    while (now.snapshot.value !== 'mourning') {
      elapsed +=
        now.timers.flatMap((timer) => (timer.op === 'arm' ? [timer.afterMs] : [])).at(-1) ?? Number.NaN;
      now = play(now.snapshot as AnyMachineSnapshot, 'Tick');
    }
    expect(elapsed).toBe(150_000);
  });
});
