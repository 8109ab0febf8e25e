import { exposed } from '@culvert/kernel';
import { type Payload, vendorId } from '@culvert/wire/ike';
import { assertEvent } from 'xstate';
import { refusalReport } from '../report.ts';
import { peerText } from './context.ts';
import type { IsakmpSaHappening } from './events.ts';
import { MAIN_MODE_MESSAGE_ID, NONCE_OCTETS, PURPOSE, VENDORS_MAX } from './limits.ts';
import { isakmpSaSetup, unstamped } from './setup.ts';

const act = isakmpSaSetup.enqueueActions;

/** Best first: the RFC, then the drafts that stock clients still send. */
const NAT_T = ['RFC 3947', 'nat-t-ike-03', 'nat-t-ike-02_n', 'nat-t-ike-02'] as const;

/**
 * Only Vendor IDs that were offered come back, one of them for NAT traversal, so that the answer is never
 * longer than the question (reliability S-4).
 */
function answeredVendors(event: Extract<IsakmpSaHappening, { type: 'SA+' }>): readonly string[] {
  const natT = NAT_T.find((name) => event.vendors.includes(name));
  const dpd = event.vendors.includes('DPD') ? ['DPD'] : [];
  const fragmentation =
    event.fragmentation && event.vendors.includes('FRAGMENTATION') ? ['FRAGMENTATION'] : [];
  return [...(natT === undefined ? [] : [natT]), ...dpd, ...fragmentation];
}

export const sendMm2 = act(({ context, event, enqueue }) => {
  assertEvent(event, 'SA+');
  const vendors = answeredVendors(event);
  const natT = vendors.includes('RFC 3947')
    ? 'rfc3947'
    : vendors.some((name) => name.startsWith('nat-t'))
      ? 'draft'
      : undefined;
  enqueue.assign({
    path: event.path,
    suite: event.selection.suite,
    lifeSeconds: event.selection.lifeSeconds,
    client: event.client,
    vendors: event.vendors.slice(0, VENDORS_MAX),
    forceEncapsulation: event.forceEncapsulation,
    natT,
  });
  const vendorPayloads = vendors.map((name): Payload => ({ kind: 'VID', data: vendorId(name) }));
  enqueue.emit({
    type: 'mm2.send',
    isakmpSa: context.cookie,
    path: event.path,
    request: event.request,
    initiatorCookie: context.initiatorCookie,
    payloads: [event.selection.answer, ...vendorPayloads],
    suite: event.selection.suite,
    saBody: event.saBody,
  });
});

export const refuse = act(({ context, event, enqueue }) => {
  assertEvent(event, 'SA-');
  enqueue.assign({ path: event.path, client: event.refusal.looksLike });
  enqueue.emit({
    type: 'notify.clear',
    isakmpSa: context.cookie,
    path: event.path,
    request: event.request,
    initiatorCookie: context.initiatorCookie,
    messageId: clearMessageId(exposed(event.entropy, PURPOSE.messageId, 4)),
    notifyType: event.notifyType,
  });
  enqueue.emit(refusalReport(event.refusal, peerText(event.path)));
});

export const agree = act(({ context, event, enqueue }) => {
  assertEvent(event, 'KE');
  const nonceR = exposed(event.entropy, PURPOSE.nonce, NONCE_OCTETS);
  const nat = event.nat;
  enqueue.assign({
    request: event.request,
    exchange: { publicI: event.publicValue, nonceI: event.nonce, nonceR },
    // RFC 3947 §3.2: without NAT-D payloads the peer does not do NAT traversal after all.
    natT: nat === undefined ? undefined : context.natT,
    natted: nat !== undefined && (!nat.localMatches || !nat.remoteMatches || context.forceEncapsulation),
  });
  enqueue.emit({
    type: 'dh.agree',
    isakmpSa: context.cookie,
    group: context.suite?.group ?? 0,
    peerValue: event.publicValue,
  });
});

export const sendMm4 = act(({ context, event, enqueue }) => {
  assertEvent(event, 'DH+');
  const { exchange, natT } = context;
  if (exchange === undefined) return;
  enqueue.assign({ exchange: undefined });
  enqueue.emit({
    type: 'mm4.send',
    isakmpSa: context.cookie,
    path: context.path,
    request: context.request,
    payloads: [
      { kind: 'KE', data: event.publicValue },
      { kind: 'NONCE', data: exchange.nonceR },
    ],
    ...exchange,
    publicR: event.publicValue,
    natD: natT === undefined ? undefined : { numbers: natT, misreport: context.forceEncapsulation },
  });
});

export const refuseKey = act(({ context, event, enqueue }) => {
  assertEvent(event, 'DH-');
  enqueue.assign({ exchange: undefined });
  const fields = { peer: peerText(context.path), reason: event.reason, looksLike: context.client };
  enqueue.emit({ type: 'report', what: 'key exchange refused', fields });
});

export const reportMismatch = act(({ context, event, enqueue }) => {
  assertEvent(event, 'AUTH-');
  if (context.mismatchReported) return;
  enqueue.assign({ mismatchReported: true });
  const fields = {
    peer: peerText(event.path),
    listener: event.path.listener,
    tried: event.candidates,
    looksLike: context.client,
  };
  enqueue.emit({ type: 'report', what: 'PSK mismatch likely', fields });
});

export const admit = act(({ context, event, enqueue }) => {
  assertEvent(event, 'AUTH+');
  const { identity, psk, path, initialContact, request } = event;
  enqueue.assign({ identity, psk, path, request });
  enqueue.emit({ type: 'session.admit', isakmpSa: context.cookie, identity, psk, path, initialContact });
});

export const repeat = act(({ context, event, enqueue }) => {
  assertEvent(event, 'DUPLICATE');
  enqueue.emit({
    type: 'answer.repeat',
    isakmpSa: context.cookie,
    path: event.path,
    messageId: event.messageId,
  });
});

export const reportHalfOpen = act(({ context, enqueue }) => {
  const fields = { peer: peerText(context.path), looksLike: context.client };
  enqueue.emit({ type: 'report', what: 'half-open expired', fields });
});

export const armHalfOpen = act(({ context, enqueue }) => {
  enqueue.cancel('half-open');
  enqueue.raise(unstamped({ type: 'HALF-OPEN' }), { id: 'half-open', delay: context.halfOpenMs });
});

export const disarmHalfOpen = isakmpSaSetup.cancel('half-open');

/** RFC 2408 §3.1: an Informational exchange has a Message ID of its own, never that of Main Mode. */
function clearMessageId(octets: Uint8Array): number {
  const id = octets.reduce((value, octet) => value * 256 + octet, 0);
  return id === MAIN_MODE_MESSAGE_ID ? 1 : id;
}
