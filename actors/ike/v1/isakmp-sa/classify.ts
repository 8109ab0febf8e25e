import type { Delivery } from '@culvert/kernel';
import { linkOf, NOTIFY, payloadsOf, vendorName } from '@culvert/wire/ike';
import { isakmpSaId } from '../actor-ids.ts';
import type { IkeBody } from '../body.ts';
import type { IkePolicy } from '../policy.ts';
import { clientClass } from '../proposal/client-class.ts';
import { phase1Allowed, selectPhase1 } from '../proposal/phase-1.ts';
import { phase1Offer, phase1Text } from '../proposal/phase-1-offer.ts';
import { shown } from '../proposal/refusal.ts';
import { tell } from '../tell.ts';
import type { IsakmpSaContext, IsakmpSaInput } from './context.ts';
import type { IsakmpSaHappening } from './events.ts';
import { identityOf } from './identity.ts';
import { SA_BODY_OCTETS_MAX } from './limits.ts';

type Body<T extends IkeBody['type']> = Extract<IkeBody, { type: T }>;
type Answer = readonly Delivery[] | { readonly drop: string };

/** The first message begets the SA; a refused one too, so that its duplicates get the same answer. */
export function classifyFirst(body: Body<'MM1' | 'AM1'>, policy: IkePolicy): Answer {
  const sa = linkOf(body.chain, 'SA');
  if (sa === undefined || sa.body.length > SA_BODY_OCTETS_MAX) return { drop: 'sa-too-large' };
  const { path, request } = body;
  const input: IsakmpSaInput = {
    cookie: body.isakmpSa,
    initiatorCookie: body.initiatorCookie,
    path,
    halfOpenMs: policy.halfOpenMs,
    dpd: policy.dpd,
  };
  const id = isakmpSaId(body.isakmpSa);
  const vendors = payloadsOf(body.chain, 'VID').flatMap((payload) => vendorName(payload.data) ?? []);
  const client = clientClass(sa.payload, vendors);
  const first = (event: IsakmpSaHappening): Answer => [{ type: 'beget', id, input }, tell(id, event)];
  if (body.type === 'AM1') {
    const offers = sa.payload.proposals.flatMap((proposal) => proposal.transforms.map(phase1Offer));
    const refusal = {
      phase: 'phase 1',
      reason: 'Aggressive Mode is not allowed: remove the group name or IPsec identifier from the client',
      offered: shown(offers.map(phase1Text)),
      allowed: phase1Allowed(policy),
      looksLike: client,
    } as const;
    return first({ type: 'SA-', request, path, refusal, notifyType: NOTIFY['UNSUPPORTED-EXCHANGE-TYPE'] });
  }
  const outcome = selectPhase1(sa.payload, policy, client);
  if (!outcome.ok) {
    return first({
      type: 'SA-',
      request,
      path,
      refusal: outcome.refusal,
      notifyType: NOTIFY['NO-PROPOSAL-CHOSEN'],
    });
  }
  return first({
    type: 'SA+',
    request,
    path,
    selection: outcome.selection,
    saBody: sa.body.slice(),
    vendors: [...new Set(vendors)],
    client,
    forceEncapsulation: body.forceEncapsulation,
    fragmentation: policy.fragmentation,
  });
}

export function classifyKe(body: Body<'MM3'>, context: IsakmpSaContext): Answer {
  const ke = linkOf(body.chain, 'KE');
  const nonce = linkOf(body.chain, 'NONCE');
  if (ke === undefined || nonce === undefined) return { drop: 'missing' };
  // Reliability S-4: Diffie-Hellman only for the address and port that asked.
  if (!sameRemote(body, context)) return { drop: 'moved-before-authentication' };
  const { request, path, nat } = body;
  const id = isakmpSaId(body.isakmpSa);
  const values = { publicValue: ke.payload.data.slice(), nonce: nonce.payload.data.slice() };
  return [tell<IsakmpSaHappening>(id, { type: 'KE', request, path, ...values, nat })];
}

function sameRemote(body: Body<'MM3'>, context: IsakmpSaContext): boolean {
  const [now, then] = [body.path.flow.remote, context.path.flow.remote];
  return now.address === then.address && now.port === then.port;
}

export function classifyIdentity(body: Body<'MM5'>): Answer {
  const id = linkOf(body.chain, 'ID');
  if (id === undefined) return { drop: 'missing' };
  const { request, path, psk } = body;
  const initialContact = payloadsOf(body.chain, 'N').some(
    (payload) => payload.notifyType === NOTIFY['INITIAL-CONTACT'],
  );
  const identity = identityOf(id.payload);
  return [
    tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), {
      type: 'AUTH+',
      request,
      path,
      identity,
      psk,
      initialContact,
    }),
  ];
}
