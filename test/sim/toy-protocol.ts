/**
 * A protocol of two machines for tests of the host: `tally` counts what it is told and asks for one effect
 * of each class, `mirror` hears of every count. Half-open until `establish`.
 */
import type { Durability, Performing, Protocol, SessionView } from '@culvert/host';
import { type Delivery, exposed, type Happening, type SessionState } from '@culvert/kernel';
import { assign, cancel, emit, enqueueActions, setup } from 'xstate';

export type ToyInput = ToyAction & {
  readonly session: string;
  /** Speaks to `tally/<as>` instead; founding it begets no mirror. */
  readonly as?: string;
};

type ToyAction =
  | { readonly do: 'found' | 'establish' | 'close' | 'break' | 'ignored' | 'disarm' | 'loop' | 'bad' }
  | { readonly do: 'add' | 'addLazily' | 'addQuietly' | 'compute' | 'computed'; readonly n: number }
  | { readonly do: 'order' | 'ordered'; readonly item: string }
  | { readonly do: 'arm'; readonly ms: number };

export type ToyEffect =
  | { readonly type: 'reply'; readonly text: string }
  | { readonly type: 'order'; readonly item: string }
  | { readonly type: 'compute'; readonly n: number };

export interface ToyVault extends Record<string, unknown> {
  sealed: number;
  key: Uint8Array;
}

interface TallyContext extends Record<string, unknown> {
  readonly count: number;
  readonly lazy: number;
  readonly quiet: number;
  readonly firings: number;
  readonly ordered: readonly string[];
  readonly magic: Uint8Array;
}

type TallyEvent =
  | { type: 'Add' | 'AddLazily' | 'AddQuietly' | 'Compute' | 'Computed'; n: number; entropy: Uint8Array }
  | { type: 'Order' | 'Ordered'; item: string }
  | { type: 'Arm'; ms: number }
  | { type: 'Establish' | 'Close' | 'Break' | 'Disarm' | 'TO' | 'Loop' };

const toy = setup({
  types: {} as {
    context: TallyContext;
    events: TallyEvent;
    emitted: ToyEffect | Delivery;
    input: { entropy: Uint8Array };
  },
});

const tell = (event: Happening) => ({ type: 'tell' as const, to: 'mirror', event });

const add = toy.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'Add') return;
  const count = context.count + event.n;
  enqueue.assign({ count, magic: exposed(event.entropy, 1, 4) });
  enqueue.emit(tell({ type: 'Counted' }));
  enqueue.emit({ type: 'reply', text: `count ${count}` });
});
const order = toy.enqueueActions(({ event, enqueue }) => {
  if (event.type === 'Order') enqueue.emit({ type: 'order', item: event.item });
});
const ordered = toy.assign(({ context, event }) =>
  event.type === 'Ordered' ? { ordered: [...context.ordered, event.item] } : {},
);
const arm = toy.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'Arm') return;
  enqueue.cancel('alarm');
  enqueue.raise({ type: 'TO' }, { id: 'alarm', delay: event.ms });
});
const fire = toy.enqueueActions(({ context, enqueue }) => {
  enqueue.assign({ firings: context.firings + 1 });
  enqueue.emit({ type: 'reply', text: `fired ${context.firings + 1}` });
});

const tally = toy
  .extend({
    actions: {
      add,
      order,
      ordered,
      arm,
      fire,
      disarm: cancel('alarm'),
      addLazily: assign(({ context, event }) => ('n' in event ? { lazy: context.lazy + event.n } : {})),
      addQuietly: assign(({ context, event }) => ('n' in event ? { quiet: context.quiet + event.n } : {})),
      compute: enqueueActions(({ event, enqueue }) => {
        if ('n' in event) enqueue.emit({ type: 'compute', n: event.n });
      }),
      computed: assign(({ context, event }) => ('n' in event ? { count: context.count + event.n } : {})),
      loop: emit(tell({ type: 'Loop' })),
      farewell: emit({ type: 'order', item: 'farewell' }),
      bye: emit({ type: 'reply', text: 'bye' }),
    },
  })
  .createMachine({
    id: 'tally',
    context: ({ input }) => ({
      count: 0,
      lazy: 0,
      quiet: 0,
      firings: 0,
      ordered: [],
      magic: input?.entropy?.slice(0, 4) ?? new Uint8Array(4),
    }),
    initial: 'halfOpen',
    on: {
      Add: { actions: 'add' },
      AddLazily: { actions: 'addLazily' },
      AddQuietly: { actions: 'addQuietly' },
      Order: { actions: 'order' },
      Ordered: { actions: 'ordered' },
      Compute: { actions: 'compute' },
      Computed: { actions: 'computed' },
      Arm: { actions: 'arm' },
      TO: { actions: 'fire' },
      Disarm: { actions: 'disarm' },
      // An unreadable guard is the one place where machine code of ours can throw inside a step.
      Break: {
        guard: () => {
          throw new Error('planned fault');
        },
        target: '.closed',
      },
      Loop: { actions: 'loop' },
      Close: { target: '.closed', actions: ['farewell', 'bye'] },
    },
    states: { halfOpen: { on: { Establish: 'established' } }, established: {}, closed: { type: 'final' } },
  });

const mirror = setup({
  types: {} as { context: { heard: number }; events: { type: 'Counted' | 'Loop' }; emitted: Delivery },
})
  .extend({
    actions: {
      heard: assign(({ context }) => ({ heard: (context as { heard: number }).heard + 1 })),
      loop: emit({ type: 'tell' as const, to: 'tally', event: { type: 'Loop' } }),
    },
  })
  .createMachine({
    id: 'mirror',
    context: () => ({ heard: 0 }),
    initial: 'listening',
    states: { listening: { on: { Counted: { actions: 'heard' }, Loop: { actions: 'loop' } } } },
  });

const ACTORS = { tally, mirror };

/** What the outside world of the toy saw, and how it behaves. */
export interface ToyWorld {
  readonly replies: {
    readonly text: string;
    readonly sealed: number;
    readonly revision: number | undefined;
  }[];
  /** Answers a service effect; rejecting makes the host repeat it. */
  order(item: string, id: string): Promise<boolean>;
  compute(n: number): Promise<number>;
  readonly closed: string[];
  readonly restored: string[];
}

const EVENTS: Readonly<Record<ToyInput['do'], string>> = {
  found: '',
  bad: '',
  ignored: 'Ignored',
  establish: 'Establish',
  close: 'Close',
  break: 'Break',
  disarm: 'Disarm',
  loop: 'Loop',
  add: 'Add',
  addLazily: 'AddLazily',
  addQuietly: 'AddQuietly',
  order: 'Order',
  ordered: 'Ordered',
  compute: 'Compute',
  computed: 'Computed',
  arm: 'Arm',
};

export function toyProtocol(
  outside: ToyWorld,
  limits = { sessionsMax: 100, mailboxMax: 8 },
): Protocol<ToyInput, ToyInput, ToyEffect, ToyVault> {
  return {
    name: 'ppp',
    version: 1,
    migrations: {},
    bucket: 'culvert_toy',
    actors: ACTORS,
    limits,
    locate: (input) => ({ session: input.session, create: input.do === 'found' }),
    newVault: () => ({ sealed: 0, key: Uint8Array.of(1, 2, 3, 4) }),
    open: (input) => (input.do === 'bad' ? { drop: 'bad-checksum' } : input),
    classify: ({ body }) =>
      body.do === 'found' ? founded(body.as) : [{ type: 'tell', to: nameOf(body.as), event: eventOf(body) }],
    effects: {
      reply: {
        class: 'peer',
        seal(effect, view) {
          view.vault.sealed += 1;
          return { text: effect.text, sealed: view.vault.sealed };
        },
        perform(sealed: { text: string; sealed: number }, context: Performing<ToyVault>) {
          outside.replies.push({ ...sealed, revision: context.record?.revision });
        },
      },
      order: {
        class: 'service',
        async perform(effect, context) {
          const answer = await outside.order(effect.item, context.id);
          return answer ? { do: 'ordered', session: context.session, item: effect.item } : undefined;
        },
      },
      compute: {
        class: 'local',
        perform: async (effect, context) => ({
          do: 'computed',
          session: context.session,
          n: await outside.compute(effect.n),
        }),
      },
    },
    durability,
    forward: (view) => (tallyOf(view.state) === undefined ? undefined : { entries: [], key: view.vault.key }),
    ended: (state) => Object.keys(state).every((id) => id === 'mirror'),
    absorb: (into, from) => ({ ...into, sealed: into.sealed + from.sealed }),
    restored: (view) => void outside.restored.push(view.session),
    closed: (view) => void outside.closed.push(view.session),
    summary: (view) => ({ count: tallyOf(view.state)?.count ?? -1 }),
  };
}

/** What the first tally of the session, or else the one that is to join another, has at stake. */
function durability(before: SessionState, after: SessionState): Durability {
  const [was, is] = [leading(before), leading(after)];
  if (is?.value !== 'established') return 'none';
  const [old, now] = [was?.context as TallyContext | undefined, is.context as TallyContext];
  if (was?.value !== 'established' || old?.count !== now.count) return 'now';
  if (old.ordered !== now.ordered || old.firings !== now.firings) return 'now';
  return old.quiet === now.quiet ? 'lazy' : 'none';
}

function leading(state: SessionState): SessionState[string] | undefined {
  return state.tally ?? Object.entries(state).find(([id]) => id.startsWith('tally/'))?.[1];
}

function nameOf(as: string | undefined): string {
  return as === undefined ? 'tally' : `tally/${as}`;
}

function founded(as: string | undefined): readonly Delivery[] {
  if (as !== undefined) return [{ type: 'beget', id: nameOf(as), input: {} }];
  return [
    { type: 'beget', id: 'tally', input: {} },
    { type: 'beget', id: 'mirror', input: {} },
  ];
}

function eventOf(input: ToyInput): Happening {
  const { do: what, session: _session, as: _as, ...rest } = input;
  return { type: EVENTS[what], ...rest };
}

export function tallyOf(state: SessionState): TallyContext | undefined {
  return state.tally?.context as TallyContext | undefined;
}

export function heardBy(view: SessionView<ToyVault>): number {
  return (view.state.mirror?.context as { heard: number } | undefined)?.heard ?? 0;
}
