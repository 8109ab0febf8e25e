import type { Delivery, SessionState } from '@culvert/kernel';
import { toHex, u32 } from '@culvert/wire';
import { type DeletePayload, NOTIFY, type NotificationPayload, PROTOCOL } from '@culvert/wire/ike';
import { informationalId, isakmpSaId } from '../actor-ids.ts';
import type { IkeBody } from '../body.ts';
import type { IsakmpSaContext } from '../isakmp-sa/context.ts';
import type { IsakmpSaHappening } from '../isakmp-sa/events.ts';
import { samePath } from '../path.ts';
import type { QuickModeContext } from '../quick-mode/context.ts';
import type { QuickModeHappening } from '../quick-mode/events.ts';
import { tell } from '../tell.ts';
import type { InformationalHappening } from './events.ts';
import { SEQUENCE_OCTETS } from './limits.ts';
import type { InformationalContext } from './machine.ts';

type Body = Extract<IkeBody, { type: 'INFO' }>;

/** RFC 2409 §5.7. Only what came under HASH(1) gets here: an unprotected notification is never acted on. */
export function classifyInformational(
  body: Body,
  state: SessionState,
): readonly Delivery[] | { readonly drop: string } {
  const deliveries: Delivery[] = [];
  for (const { payload } of body.chain.links) {
    if (payload.kind === 'N') deliveries.push(...notification(body, payload, state));
    if (payload.kind === 'D') deliveries.push(...deletion(payload, state));
  }
  return deliveries.length === 0 ? { drop: 'nothing-to-act-on' } : once(deliveries);
}

/** A message may name one thing many times; one step must not have to do it many times. */
function once(deliveries: readonly Delivery[]): readonly Delivery[] {
  const kept = new Map<string, Delivery>();
  for (const delivery of deliveries) {
    const key = delivery.type === 'tell' ? `${delivery.to} ${delivery.event.type}` : delivery.id;
    if (!kept.has(key)) kept.set(key, delivery);
  }
  return [...kept.values()];
}

function notification(body: Body, payload: NotificationPayload, state: SessionState): readonly Delivery[] {
  const isakmpSa = isakmpSaId(body.isakmpSa);
  switch (payload.notifyType) {
    case NOTIFY['R-U-THERE']:
    case NOTIFY['R-U-THERE-ACK']: {
      if (payload.data.length !== SEQUENCE_OCTETS) return [];
      const type = payload.notifyType === NOTIFY['R-U-THERE'] ? 'R-U-THERE' : 'R-U-THERE-ACK';
      const id = informationalId(body.isakmpSa);
      const sequence = u32(payload.data);
      const told = tell<InformationalHappening>(id, { type, sequence });
      return movedBy(body, sequence, type, state)
        ? [tell<IsakmpSaHappening>(isakmpSa, { type: 'MOVED', path: body.path }), told]
        : [told];
    }
    case NOTIFY['INITIAL-CONTACT']:
      return [tell<IsakmpSaHappening>(isakmpSa, { type: 'INITIAL-CONTACT' })];
    case NOTIFY['INVALID-SPI']:
      return bySpi(payload.spi.length === 4 ? payload.spi : payload.data, state);
    default:
      return [];
  }
}

/** Only a message that cannot be a replay moves the path: a number that is new in its direction. */
function movedBy(
  body: Body,
  sequence: number,
  type: 'R-U-THERE' | 'R-U-THERE-ACK',
  state: SessionState,
): boolean {
  const sa = state[isakmpSaId(body.isakmpSa)]?.context as IsakmpSaContext | undefined;
  const dpd = state[informationalId(body.isakmpSa)]?.context as InformationalContext | undefined;
  if (sa === undefined || dpd === undefined || samePath(sa.path, body.path)) return false;
  if (type === 'R-U-THERE') return sequence > dpd.peerSequence;
  return sequence === dpd.sequence && dpd.probingSince !== 0;
}

function deletion(payload: DeletePayload, state: SessionState): readonly Delivery[] {
  if (payload.protocol === PROTOCOL.ESP) return payload.spis.flatMap((spi) => bySpi(spi, state));
  if (payload.protocol !== PROTOCOL.ISAKMP) return [];
  const deliveries: Delivery[] = [];
  for (const spi of payload.spis) {
    const cookies = toHex(spi);
    for (const [id, snapshot] of Object.entries(state)) {
      if (!id.startsWith('isakmp-sa/')) continue;
      const { initiatorCookie, cookie } = snapshot.context as IsakmpSaContext;
      if (initiatorCookie + cookie === cookies)
        deliveries.push(tell<IsakmpSaHappening>(id, { type: 'DELETED' }));
    }
  }
  return deliveries;
}

/** RFC 2408 §3.15: the SPI is that of the sender's inbound SA, our outbound one. */
function bySpi(spi: Uint8Array, state: SessionState): readonly Delivery[] {
  if (spi.length !== 4) return [];
  const number = u32(spi);
  const deliveries: Delivery[] = [];
  for (const [id, snapshot] of Object.entries(state)) {
    if (!id.startsWith('quick-mode/')) continue;
    const { outboundSpi } = snapshot.context as QuickModeContext;
    if (outboundSpi === number) deliveries.push(tell<QuickModeHappening>(id, { type: 'DELETED' }));
  }
  return deliveries;
}
