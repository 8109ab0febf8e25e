import type { ActorId, Stamped } from '@culvert/kernel';
import { codes, controlPacketOctets, emitMagicData, protocols } from '@culvert/wire/ppp';
import { cancel, setup } from 'xstate';
import type { Emitted } from '../effects.ts';
import type { Failed } from '../link/events.ts';

const TICK = 'echo';

export interface EchoContext {
  readonly owner: ActorId;
  readonly call: number;
  /** Ours, as agreed; zero when none was. */
  readonly magic: number;
  readonly intervalMs: number;
  /** Unanswered requests in a row that end the link. */
  readonly failuresMax: number;
  readonly identifier: number;
  readonly unanswered: number;
  /** Something but an Echo-Reply came from the peer since the last tick. */
  readonly heard: boolean;
}

export type EchoInput = Pick<EchoContext, 'owner' | 'call' | 'magic' | 'intervalMs' | 'failuresMax'>;

type EchoEvent = { readonly type: 'Start' | 'Answered' | 'Heard' | 'Tick' | 'Dismiss' } & Partial<Stamped>;

const echoing = setup({
  types: {
    context: {} as EchoContext,
    events: {} as EchoEvent,
    input: {} as EchoInput & Partial<Stamped>,
    emitted: {} as Emitted,
  },
});

const arm = echoing.enqueueActions(({ context, enqueue }) => {
  enqueue.cancel(TICK);
  enqueue.raise({ type: 'Tick' }, { id: TICK, delay: context.intervalMs });
});

/**
 * RFC 1661 §5.8: asks a silent peer whether it lives. User data never passes here, so its only sign of
 * life is the Echo-Reply; other control packets of any layer count as well and save the next question.
 */
export const echo = echoing
  .extend({
    guards: {
      heard: ({ context }) => context.heard,
      silent: ({ context }) => !context.heard,
      waiting: ({ context }) => context.unanswered > 0,
      patient: ({ context }) => context.unanswered < context.failuresMax,
    },
    actions: {
      arm,
      rest: echoing.assign({ heard: false, unanswered: 0 }),
      hear: echoing.assign({ heard: true }),
      answered: echoing.assign({ unanswered: 0 }),
      ask: echoing.enqueueActions(({ context, enqueue }) => {
        const identifier = (context.identifier + 1) & 0xff;
        enqueue.assign({ identifier, unanswered: context.unanswered + 1 });
        const data = emitMagicData({ magic: context.magic, rest: new Uint8Array(0) });
        const information = controlPacketOctets({ code: codes.echoRequest, identifier, data });
        enqueue.emit({ type: 'frame.send', call: context.call, protocol: protocols.lcp, information });
      }),
      mourn: echoing.emit(({ context }) => {
        const message = `the client answered none of ${context.failuresMax} LCP Echo-Requests`;
        const event: Failed = { type: 'Failed', reason: 'peer-silent', message };
        return { type: 'tell', to: context.owner, event };
      }),
    },
  })
  .createMachine({
    id: 'echo',
    context: ({ input }): EchoContext => ({
      owner: input?.owner ?? '',
      call: input?.call ?? 0,
      magic: input?.magic ?? 0,
      intervalMs: input?.intervalMs ?? 30_000,
      failuresMax: input?.failuresMax ?? 4,
      identifier: 0,
      unanswered: 0,
      heard: false,
    }),
    initial: 'idle',
    on: { Dismiss: '.dismissed' },
    states: {
      idle: { on: { Start: { target: 'watching', actions: 'arm' } } },
      watching: {
        exit: cancel(TICK),
        on: {
          Answered: { guard: 'waiting', actions: 'answered' },
          Heard: { guard: 'silent', actions: 'hear' },
          Tick: [
            { guard: 'heard', actions: ['rest', 'arm'] },
            { guard: 'patient', actions: ['ask', 'arm'] },
            { target: 'mourning', actions: 'mourn' },
          ],
        },
      },
      mourning: {},
      dismissed: { type: 'final' },
    },
  });
