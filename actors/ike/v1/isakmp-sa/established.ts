import { exposed } from '@culvert/kernel';
import { hex } from '@culvert/wire';
import { DOI, type Payload, PROTOCOL } from '@culvert/wire/ike';
import { assertEvent } from 'xstate';
import { informationalId, isakmpSaId, SESSION } from '../actor-ids.ts';
import type { InformationalHappening } from '../informational/events.ts';
import { refusalReport } from '../report.ts';
import type { SessionHappening } from '../session/events.ts';
import { tell } from '../tell.ts';
import { type IsakmpSaContext, peerText } from './context.ts';
import type { IsakmpSaEvent } from './events.ts';
import { PURPOSE } from './limits.ts';
import { isakmpSaSetup, unstamped } from './setup.ts';

const act = isakmpSaSetup.enqueueActions;

export const sendMm6 = act(({ context, event, enqueue }) => {
  assertEvent(event, 'ADMITTED');
  enqueue.assign({ establishedAt: event.at, request: '' });
  const { cookie, path, request } = context;
  enqueue.emit({ type: 'mm6.send', isakmpSa: cookie, path, request });
  const probes = context.vendors.includes('DPD');
  const cookies = context.initiatorCookie + cookie;
  const input = { isakmpSa: isakmpSaId(cookie), cookies, probes, ...context.dpd };
  enqueue.emit({ type: 'beget', id: informationalId(cookie), input });
  enqueue.emit(tell<SessionHappening>(SESSION, { type: 'ISAKMP-UP', id: isakmpSaId(cookie) }));
  enqueue.emit({
    type: 'report',
    what: 'isakmp sa established',
    fields: { ...about(context), natted: context.natted },
  });
});

export const armLifetime = act(({ context, enqueue }) => {
  enqueue.cancel('lifetime');
  enqueue.raise(unstamped({ type: 'LIFETIME' }), { id: 'lifetime', delay: context.lifeSeconds * 1000 });
});

export const disarmLifetime = isakmpSaSetup.cancel('lifetime');

export const move = act(({ event, enqueue }) => {
  assertEvent(event, 'MOVED');
  enqueue.assign({ path: event.path });
});

export const send = act(({ context, event, enqueue }) => {
  assertEvent(event, 'SEND');
  enqueue.emit(informational(context, event, event.payloads));
});

/** RFC 2409 §5.5 says nothing of a refusal; RFC 2408 §3.14 and all peers expect the notification by itself. */
export const refuseQuickMode = act(({ context, event, enqueue }) => {
  assertEvent(event, 'QM-');
  const { spi, notifyType } = event;
  const payload: Payload = {
    kind: 'N',
    doi: DOI.IPSEC,
    protocol: PROTOCOL.ESP,
    notifyType,
    spi,
    data: new Uint8Array(0),
  };
  enqueue.emit(informational({ ...context, path: event.path }, event, [payload]));
  enqueue.emit(refusalReport(event.refusal, peerText(event.path)));
});

/** Where the peer is, Main Mode has said: the source of a later message proves nothing. */
export const contact = act(({ context, enqueue }) => {
  const { identity, psk, cookie } = context;
  if (identity === undefined || psk === undefined) return;
  enqueue.emit({ type: 'contact.initial', isakmpSa: cookie, identity, psk });
});

/** RFC 2408 §3.15: the ISAKMP SA's own SPI is the pair of cookies. */
export const sendDelete = act(({ context, event, enqueue }) => {
  const spis = [hex(context.initiatorCookie + context.cookie)];
  enqueue.emit(
    informational(context, event, [{ kind: 'D', doi: DOI.IPSEC, protocol: PROTOCOL.ISAKMP, spis }]),
  );
});

export const reportDeleted = act(({ context, event, enqueue }) => {
  for (const effect of leave(context, 'isakmp sa deleted', event.type === 'DELETED' ? 'peer' : 'gateway')) {
    enqueue.emit(effect);
  }
});

export const reportExpired = act(({ context, enqueue }) => {
  for (const effect of leave(context, 'isakmp sa expired', 'lifetime')) enqueue.emit(effect);
});

export const reportDead = act(({ context, enqueue }) => {
  for (const effect of leave(context, 'peer silent', 'peer-silent')) enqueue.emit(effect);
});

/** The siblings that have to know, and the line. */
function leave(
  context: IsakmpSaContext,
  what: 'isakmp sa deleted' | 'isakmp sa expired' | 'peer silent',
  by: string,
) {
  const id = isakmpSaId(context.cookie);
  const silent = what === 'peer silent';
  return [
    tell<InformationalHappening>(informationalId(context.cookie), { type: 'STOP' }),
    tell<SessionHappening>(SESSION, { type: 'ISAKMP-DOWN', id, silent }),
    { type: 'report' as const, what, fields: { ...about(context), by } },
  ];
}

function informational(context: IsakmpSaContext, event: IsakmpSaEvent, payloads: readonly Payload[]) {
  const octets = exposed(event.entropy, PURPOSE.messageId, 4);
  const messageId = octets.reduce((value, octet) => value * 256 + octet, 0);
  // RFC 2408 §3.1: zero is phase 1's.
  return {
    type: 'informational.send',
    isakmpSa: context.cookie,
    path: context.path,
    messageId: messageId === 0 ? 1 : messageId,
    payloads,
  } as const;
}

function about(context: IsakmpSaContext) {
  const { encryption, hash, group } = context.suite ?? { encryption: '', hash: '', group: 0 };
  return {
    peer: peerText(context.path),
    identity: context.identity?.text ?? '',
    psk: context.psk ?? '',
    suite: `${encryption}/${hash}/group ${group}`,
    looksLike: context.client,
  };
}
