import { exposed } from '@culvert/kernel';
import { be32, hex } from '@culvert/wire';
import { DOI, NOTIFY, type Payload, PROTOCOL } from '@culvert/wire/ike';
import { assertEvent, setup } from 'xstate';
import type { IsakmpSaHappening } from '../isakmp-sa/events.ts';
import { tell } from '../tell.ts';
import type { InformationalEffect } from './effects.ts';
import type { InformationalEvent, InformationalHappening } from './events.ts';
import { PROBE_MS_MIN, PROBES, PURPOSE } from './limits.ts';

export interface InformationalInput {
  /** Actor id of the ISAKMP SA that carries the messages. */
  readonly isakmpSa: string;
  /** CKY-I and CKY-R in hexadecimal: the SPI of RFC 3706 §5.3. */
  readonly cookies: string;
  /** The peer sent the DPD Vendor ID: only then do we ask (RFC 3706 §5.1). */
  readonly probes: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface InformationalContext extends InformationalInput {
  readonly sequence: number;
  /** The peer's last; -1 before the first. */
  readonly peerSequence: number;
  /** When the first unanswered probe went out; 0: none is out. */
  readonly probingSince: number;
}

const informationalSetup = setup({
  types: {} as {
    context: InformationalContext;
    events: InformationalEvent;
    emitted: InformationalEffect;
    input: InformationalInput;
  },
});
const act = informationalSetup.enqueueActions;
const unstamped = (event: InformationalHappening) => event as InformationalEvent;

function notify(context: InformationalContext, notifyType: number, sequence: number) {
  const spi = hex(context.cookies);
  const payload: Payload = {
    kind: 'N',
    doi: DOI.IPSEC,
    protocol: PROTOCOL.ISAKMP,
    notifyType,
    spi,
    data: be32(sequence),
  };
  return tell<IsakmpSaHappening>(context.isakmpSa, { type: 'SEND', payloads: [payload] });
}

const armIdle = act(({ context, enqueue }) => {
  enqueue.cancel('dpd');
  if (context.probes) enqueue.raise(unstamped({ type: 'IDLE' }), { id: 'dpd', delay: context.intervalMs });
});

const ask = act(({ context, enqueue }) => {
  enqueue.emit({ type: 'activity.ask', isakmpSa: context.isakmpSa });
});

const probe = act(({ context, event, enqueue }) => {
  // RFC 3706 §6.2: the first sequence number is random, each query then takes the next one.
  const fresh =
    exposed(event.entropy, PURPOSE.sequence, 4).reduce((value, octet) => value * 256 + octet, 0) >>> 1;
  const sequence = context.sequence === 0 ? fresh : (context.sequence + 1) >>> 0;
  enqueue.assign({ sequence, probingSince: context.probingSince === 0 ? event.at : context.probingSince });
  enqueue.emit(notify(context, NOTIFY['R-U-THERE'], sequence));
  enqueue.cancel('dpd');
  const delay = Math.max(context.timeoutMs / PROBES, PROBE_MS_MIN);
  enqueue.raise(unstamped({ type: 'RETRY' }), { id: 'dpd', delay });
});

const acknowledge = act(({ context, event, enqueue }) => {
  assertEvent(event, 'R-U-THERE');
  enqueue.assign({ peerSequence: event.sequence });
  enqueue.emit(notify(context, NOTIFY['R-U-THERE-ACK'], event.sequence));
});

const heard = informationalSetup.assign({ probingSince: 0 });

const dead = act(({ context, enqueue }) =>
  enqueue.emit(tell<IsakmpSaHappening>(context.isakmpSa, { type: 'DEAD' })),
);

/**
 * Dead peer detection over one ISAKMP SA (RFC 3706). Traffic is proof of life (§5.4), so the edge is asked
 * before the peer is, and again before each repetition.
 */
export const informational = informationalSetup
  .extend({
    actions: { armIdle, ask, probe, acknowledge, heard, dead },
    guards: {
      alive: ({ context, event }) =>
        event.type === 'ACTIVITY' && event.idleMs !== undefined && event.idleMs < context.intervalMs,
      timedOut: ({ context, event }) =>
        context.probingSince !== 0 && event.at - context.probingSince >= context.timeoutMs,
      // A peer without DPD would never answer, and its silence would say nothing.
      canProbe: ({ context }) => context.probes,
      // RFC 3706 §6.2: a replayed query has an old number.
      inOrder: ({ context, event }) => event.type === 'R-U-THERE' && event.sequence >= context.peerSequence,
      answersProbe: ({ context, event }) =>
        event.type === 'R-U-THERE-ACK' && event.sequence === context.sequence,
    },
  })
  .createMachine({
    id: 'informational',
    context: ({ input }) => ({
      isakmpSa: input?.isakmpSa ?? '',
      cookies: input?.cookies ?? '',
      probes: input?.probes ?? false,
      intervalMs: input?.intervalMs ?? 0,
      timeoutMs: input?.timeoutMs ?? 0,
      sequence: 0,
      peerSequence: -1,
      probingSince: 0,
    }),
    on: {
      'R-U-THERE': { guard: 'inOrder', actions: 'acknowledge' },
      STOP: '.gone',
    },
    initial: 'quiet',
    states: {
      quiet: {
        entry: ['heard', 'armIdle'],
        on: {
          IDLE: { target: 'asking', actions: 'ask' },
          PROBE: { guard: 'canProbe', target: 'probing', actions: 'probe' },
        },
      },
      asking: {
        on: {
          ACTIVITY: [
            { guard: 'alive', target: 'quiet' },
            { guard: 'timedOut', target: 'gone', actions: 'dead' },
            { target: 'probing', actions: 'probe' },
          ],
          'R-U-THERE-ACK': { guard: 'answersProbe', target: 'quiet' },
          PROBE: { guard: 'canProbe', target: 'probing', actions: 'probe' },
        },
      },
      probing: {
        on: {
          RETRY: { target: 'asking', actions: 'ask' },
          'R-U-THERE-ACK': { guard: 'answersProbe', target: 'quiet' },
        },
      },
      gone: { type: 'final', entry: informationalSetup.cancel('dpd') },
    },
  });
