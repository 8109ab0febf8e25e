import { actorId, type Lease, type PppBody, type PppEffect } from '@culvert/actors-ppp';
import type { Bus } from '@culvert/bus';
import {
  type AuthAnswer,
  type AuthQuestion,
  type L2tpRequest,
  type LeaseAnswer,
  type LeaseQuestion,
  type LeaseRelease,
  type OfferAnswer,
  type OfferQuestion,
  subjects,
} from '@culvert/contracts';
import { ask, NotTaken, type Performing, type Vault } from '@culvert/host';
import { ipv4Octets, parseAddress } from '@culvert/wire/ip';
import type { PppInput } from './inputs.ts';
import { AUTHENTICATE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './limits.ts';

type Effect<T extends PppEffect['type']> = Extract<PppEffect, { type: T }>;
type Context = Performing<Vault>;

export async function askOffer(
  bus: Bus,
  { call }: Effect<'aaa.offer'>,
  context: Context,
): Promise<PppInput | undefined> {
  if (isGone(call, context)) return undefined;
  const { session, trace } = context;
  const question: OfferQuestion = { session };
  const options = { trace, timeoutMs: REQUEST_TIMEOUT_MS };
  const { methods } = await bus.request<OfferAnswer>(subjects.aaa.offer, question, options);
  return fact(context, { type: 'offered', call, methods });
}

export async function askVerdict(
  bus: Bus,
  { call, attempt, callingStation, user, proof }: Effect<'aaa.authenticate'>,
  context: Context,
): Promise<PppInput | undefined> {
  if (isGone(call, context)) return undefined;
  const { id, session, trace } = context;
  const question: AuthQuestion = { id, session, callingStation, user, proof };
  const options = { trace, timeoutMs: AUTHENTICATE_TIMEOUT_MS };
  const verdict = await bus.request<AuthAnswer>(subjects.aaa.authenticate, question, options);
  return fact(context, { type: 'verified', call, attempt, verdict });
}

/** A lease that a link no longer wants need not be asked for: its release follows. */
export async function askLease(
  bus: Bus,
  { call, user, wanted, families }: Effect<'aaa.lease'>,
  context: Context,
): Promise<PppInput | undefined> {
  if (isGone(call, context)) return undefined;
  const { id, session, trace } = context;
  const question: LeaseQuestion = {
    id,
    session,
    call,
    user,
    families,
    ...(wanted === undefined ? {} : { wanted }),
  };
  const options = { trace, timeoutMs: REQUEST_TIMEOUT_MS };
  const answer = await bus.request<LeaseAnswer>(subjects.aaa.lease, question, options);
  if (!answer.leased) return fact(context, { type: 'unleased', call, reason: answer.reason });
  return fact(context, { type: 'leased', call, lease: leaseOf(answer) });
}

export async function tellRelease(
  bus: Bus,
  { call }: Effect<'aaa.release'>,
  context: Context,
): Promise<void> {
  const { id, session, trace } = context;
  const release: LeaseRelease = { id, session, call };
  await bus.request(subjects.aaa.release, release, { trace, timeoutMs: REQUEST_TIMEOUT_MS });
}

export async function tellDisconnect(
  bus: Bus,
  { call, reason, advice }: Effect<'call.disconnect'>,
  context: Context,
): Promise<void> {
  const request: L2tpRequest = { type: 'call.disconnect', call, reason, advice };
  const subject = subjects.l2tp.request(context.shard);
  const taken = await ask(bus, subject, request, context, REQUEST_TIMEOUT_MS);
  // Without a session there is no call to disconnect.
  if (!taken.taken && taken.reason !== 'no-session') throw new NotTaken(`l2tp: ${taken.reason}`);
}

function isGone(call: number, { state }: Context): boolean {
  return state[actorId('link', call)] === undefined;
}

function fact({ session }: Context, body: PppBody): PppInput {
  return { kind: 'fact', session, body };
}

function leaseOf({ ipv4, ipv6 }: Extract<LeaseAnswer, { leased: true }>): Lease {
  return {
    ...(ipv4 && { ipv4: { address: octets4(ipv4.address), gateway: octets4(ipv4.gateway) } }),
    ...(ipv6 && {
      ipv6: { prefix: octets(ipv6.prefix.split('/')[0] ?? ''), prefixLength: ipv6.prefixLength },
    }),
  };
}

function octets4(text: string): Uint8Array {
  return ipv4Octets(octets(text)).slice();
}

/** What aaa leases is an address. */
function octets(text: string): Uint8Array {
  const address = parseAddress(text);
  if (!address.ok) throw new Error(`aaa leased ${text}`);
  return address.value;
}
