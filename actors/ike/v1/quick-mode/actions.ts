import { exposed } from '@culvert/kernel';
import { be32, concat } from '@culvert/wire';
import {
  DOI,
  emitAttribute,
  LIFE_TYPE,
  NOTIFY,
  numberAttribute,
  type Payload,
  PHASE_2_ATTRIBUTE,
  PROTOCOL,
} from '@culvert/wire/ike';
import { assertEvent, setup } from 'xstate';
import { SESSION } from '../actor-ids.ts';
import { peerText } from '../isakmp-sa/context.ts';
import type { SessionHappening } from '../session/events.ts';
import { tell } from '../tell.ts';
import type { QuickModeContext, QuickModeInput } from './context.ts';
import type { QuickModeEffect } from './effects.ts';
import type { QuickModeEvent, QuickModeHappening } from './events.ts';
import { LIFETIME_GRACE_MS, NONCE_OCTETS, PURPOSE, THIRD_MESSAGE_MS } from './limits.ts';

export const quickModeSetup = setup({
  types: {} as {
    context: QuickModeContext;
    events: QuickModeEvent;
    emitted: QuickModeEffect;
    input: QuickModeInput;
  },
});

/** A timer's event as it is armed: the host stamps it when it fires. */
function unstamped(event: QuickModeHappening): QuickModeEvent {
  return event as QuickModeEvent;
}

const act = quickModeSetup.enqueueActions;
type First = Extract<QuickModeHappening, { type: 'QM1' }>;

export const adopt = act(({ event, enqueue }) => {
  assertEvent(event, 'QM1');
  const { selection, ids } = event;
  enqueue.assign({
    path: event.path,
    first: event,
    encryption: selection.encryption,
    integrity: selection.integrity,
    encapsulation: selection.encapsulation,
    pfsGroup: selection.group ?? 0,
    inboundSpi: event.spi,
    outboundSpi: selection.peerSpi,
    localPort: ids.responder.port,
    // A client that says 1701 means it; one that says 0 (macOS, iOS, Android) may use any port.
    remotePort: ids.initiator.port,
    lifeSeconds: selection.lifeSeconds,
    lifeKilobytes: selection.lifeKilobytes ?? 0,
    createdAt: event.at,
  });
});

export const agree = act(({ context, enqueue }) => {
  const { first } = context;
  if (first?.publicValue === undefined) return;
  const group = first.selection.group ?? 0;
  enqueue.emit({ type: 'dh.agree', isakmpSa: context.isakmpSa, group, peerValue: first.publicValue });
});

export const sendQm2 = act(({ context, event, enqueue }) => {
  const { first } = context;
  if (first === undefined) return;
  const nonceR = exposed(event.entropy, PURPOSE.nonce, NONCE_OCTETS);
  const publicR = event.type === 'DH+' ? event.publicValue : undefined;
  enqueue.assign({ first: undefined });
  enqueue.emit({
    type: 'qm2.send',
    isakmpSa: context.isakmpSa,
    quickMode: context.id,
    path: first.path,
    request: first.request,
    messageId: context.messageId,
    payloads: answer(first, nonceR, publicR),
    nonceI: first.nonce,
    nonceR,
    encryption: context.encryption,
    integrity: context.integrity,
    inboundSpi: context.inboundSpi,
    outboundSpi: context.outboundSpi,
    pfs: publicR !== undefined,
  });
});

/** From its first message on the session counts the SA, so that it goes down with it. */
export const joinSession = act(({ context, enqueue }) => {
  const { id, inboundSpi: spi } = context;
  enqueue.emit(tell<SessionHappening>(SESSION, { type: 'IPSEC-UP', id, spi }));
});

export const leaveSession = act(({ context, enqueue }) => {
  enqueue.emit(tell<SessionHappening>(SESSION, { type: 'IPSEC-DOWN', id: context.id, expired: false }));
});

/** In the order of RFC 2409 §5.5 and RFC 3947 §5.2. */
function answer(first: First, nonceR: Uint8Array, publicR: Uint8Array | undefined): readonly Payload[] {
  const { selection, ids, natOa, spi } = first;
  const payloads: Payload[] = [
    { kind: 'SA', proposals: [{ ...selection.chosen, spi: be32(spi) }] },
    { kind: 'NONCE', data: nonceR },
  ];
  if (publicR !== undefined) payloads.push({ kind: 'KE', data: publicR });
  payloads.push(ids.initiator, ids.responder);
  if (natOa !== undefined && selection.encapsulation === 'udp') {
    const { numbers } = natOa;
    payloads.push({ kind: 'NAT-OA', numbers, address: natOa.initiator });
    payloads.push({ kind: 'NAT-OA', numbers, address: natOa.responder });
  }
  if (selection.shortened) payloads.push(responderLifetime(spi, selection.lifeSeconds));
  return payloads;
}

/** RFC 2407 §4.6.3.1. */
function responderLifetime(spi: number, seconds: number): Payload {
  const { lifeType, lifeDuration } = PHASE_2_ATTRIBUTE;
  const attributes = [numberAttribute(lifeType, LIFE_TYPE.seconds), numberAttribute(lifeDuration, seconds)];
  return {
    kind: 'N',
    doi: DOI.IPSEC,
    protocol: PROTOCOL.ESP,
    notifyType: NOTIFY['RESPONDER-LIFETIME'],
    spi: be32(spi),
    data: concat(...attributes.map(emitAttribute)),
  };
}

export const confirm = act(({ enqueue }) => enqueue.assign({ confirmed: true }));

export const repeat = act(({ context, event, enqueue }) => {
  assertEvent(event, 'DUPLICATE');
  const { isakmpSa, messageId } = context;
  enqueue.emit({ type: 'answer.repeat', isakmpSa, path: event.path, messageId });
});

export const armThird = act(({ enqueue }) => {
  enqueue.cancel('third');
  enqueue.raise(unstamped({ type: 'UNCONFIRMED' }), { id: 'third', delay: THIRD_MESSAGE_MS });
});

export const disarmThird = quickModeSetup.cancel('third');

export const armLifetime = act(({ context, enqueue }) => {
  enqueue.cancel('lifetime');
  enqueue.raise(unstamped({ type: 'LIFETIME' }), {
    id: 'lifetime',
    delay: context.lifeSeconds * 1000 + LIFETIME_GRACE_MS,
  });
});

export const disarmLifetime = quickModeSetup.cancel('lifetime');

export const reportUp = act(({ context, enqueue }) => {
  enqueue.emit({ type: 'report', what: 'ipsec sa established', fields: about(context) });
});

export const reportBadKey = act(({ context, event, enqueue }) => {
  assertEvent(event, 'DH-');
  enqueue.emit({
    type: 'report',
    what: 'key exchange refused',
    fields: { ...about(context), reason: event.reason },
  });
});

/** Our own end of the SA's life: the peer hears of it through the newest ISAKMP SA. */
export const announceDelete = act(({ context, enqueue }) => {
  enqueue.emit(tell<SessionHappening>(SESSION, { type: 'ANNOUNCE-DELETE', spis: [context.inboundSpi] }));
});

export const down = act(({ context, event, enqueue }) => {
  const expired = event.type === 'LIFETIME';
  enqueue.emit(tell<SessionHappening>(SESSION, { type: 'IPSEC-DOWN', id: context.id, expired }));
  const what = expired ? 'ipsec sa expired' : 'ipsec sa deleted';
  enqueue.emit({
    type: 'report',
    what,
    fields: { ...about(context), by: event.type === 'DELETED' ? 'peer' : 'gateway' },
  });
});

function about(context: QuickModeContext) {
  const hexadecimal = (spi: number) => spi.toString(16).padStart(8, '0');
  return {
    peer: context.path === undefined ? '' : peerText(context.path),
    suite: `${context.encryption}/${context.integrity}${context.pfsGroup === 0 ? '' : `/PFS group ${context.pfsGroup}`}`,
    encapsulation: context.encapsulation,
    inboundSpi: hexadecimal(context.inboundSpi),
    outboundSpi: hexadecimal(context.outboundSpi),
    lifeSeconds: context.lifeSeconds,
  };
}
