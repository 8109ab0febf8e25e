import { be32 } from '@culvert/wire';
import { DOI, PROTOCOL } from '@culvert/wire/ike';
import { setup } from 'xstate';
import type { IsakmpSaHappening } from '../isakmp-sa/events.ts';
import type { QuickModeHappening } from '../quick-mode/events.ts';
import { tell } from '../tell.ts';
import type { SessionContext } from './context.ts';
import type { SessionEffect } from './effects.ts';
import type { SessionEvent, SessionHappening } from './events.ts';
import { CLOSING_MS, QUICK_MODE_AWAITED_MS, TUNNEL_AWAITED_MS } from './limits.ts';
import type { EndReason } from './reasons.ts';

export const sessionSetup = setup({
  types: {} as { context: SessionContext; events: SessionEvent; emitted: SessionEffect; input: object },
});

const act = sessionSetup.enqueueActions;
/** A timer's event as it is armed: the host stamps it when it fires. */
const unstamped = (event: SessionHappening) => event as SessionEvent;

export const note = act(({ context, event, enqueue }) => {
  const { isakmpSas, ipsecSas } = context;
  if (event.type === 'ISAKMP-UP') enqueue.assign({ isakmpSas: [...isakmpSas, event.id] });
  if (event.type === 'ISAKMP-DOWN') enqueue.assign({ isakmpSas: isakmpSas.filter((id) => id !== event.id) });
  if (event.type === 'IPSEC-UP')
    enqueue.assign({ ipsecSas: [...ipsecSas, { id: event.id, spi: event.spi }] });
  if (event.type === 'IPSEC-DOWN') enqueue.assign({ ipsecSas: ipsecSas.filter((sa) => sa.id !== event.id) });
});

/** Through the newest ISAKMP SA; without one the peer finds out by itself. */
export const announce = act(({ context, event, enqueue }) => {
  const through = context.isakmpSas.at(-1);
  if (event.type !== 'ANNOUNCE-DELETE' || through === undefined) return;
  enqueue.emit(deleteMessage(through, event.spis));
});

function deleteMessage(through: string, spis: readonly number[]) {
  const payload = { kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ESP, spis: spis.map(be32) } as const;
  return tell<IsakmpSaHappening>(through, { type: 'SEND', payloads: [payload] });
}

export const because = act(({ event, enqueue }) => {
  enqueue.assign({ reason: reasonOf(event) });
});

function reasonOf(event: SessionEvent): EndReason {
  switch (event.type) {
    case 'CLOSE':
      return event.reason;
    case 'ISAKMP-DOWN':
      return event.silent ? 'peer-silent' : 'peer-closed';
    case 'IPSEC-DOWN':
      return event.expired ? 'lifetime' : 'peer-closed';
    case 'AWAITED':
      return 'negotiation-failed';
    default:
      return 'peer-closed';
  }
}

/** Tells the peer of every SA and lets them go, IPsec SAs first. */
export const takeDown = act(({ context, enqueue }) => {
  const through = context.isakmpSas.at(-1);
  if (through !== undefined && context.ipsecSas.length > 0) {
    enqueue.emit(
      deleteMessage(
        through,
        context.ipsecSas.map((sa) => sa.spi),
      ),
    );
  }
  for (const { id } of context.ipsecSas) enqueue.emit(tell<QuickModeHappening>(id, { type: 'DROP' }));
  for (const id of context.isakmpSas) enqueue.emit(tell<IsakmpSaHappening>(id, { type: 'CLOSE' }));
});

/** The same without a word to the peer, which is gone or has forgotten us. */
export const drop = act(({ context, enqueue }) => {
  for (const { id } of context.ipsecSas) enqueue.emit(tell<QuickModeHappening>(id, { type: 'DROP' }));
  for (const id of context.isakmpSas) enqueue.emit(tell<IsakmpSaHappening>(id, { type: 'DROP' }));
});

export const askClose = act(({ context, enqueue }) => {
  enqueue.emit({ type: 'l2tp.request', request: 'close', reason: context.reason });
});

export const tellEnded = act(({ context, enqueue }) => {
  const { reason } = context;
  enqueue.emit({ type: 'l2tp.request', request: 'session.ended', reason });
  enqueue.emit({ type: 'report', what: 'session ended', fields: { reason } });
});

const timer = (type: 'AWAITED' | 'GIVE-UP', delayOf: (context: SessionContext) => number) =>
  act(({ context, enqueue }) => {
    enqueue.cancel('session');
    enqueue.raise(unstamped({ type }), { id: 'session', delay: delayOf(context) });
  });

export const arm = timer('AWAITED', ({ ipsecSas }) =>
  ipsecSas.length === 0 ? QUICK_MODE_AWAITED_MS : TUNNEL_AWAITED_MS,
);
export const armClosing = timer('GIVE-UP', () => CLOSING_MS);
export const disarm = sessionSetup.cancel('session');
