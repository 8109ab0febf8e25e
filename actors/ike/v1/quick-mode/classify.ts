import type { Delivery } from '@culvert/kernel';
import { ID_TYPE, type IdPayload, linkOf, NOTIFY, nameOf, payloadsOf } from '@culvert/wire/ike';
import { isakmpSaId, quickModeId } from '../actor-ids.ts';
import type { IkeBody } from '../body.ts';
import type { IsakmpSaContext } from '../isakmp-sa/context.ts';
import type { IsakmpSaHappening } from '../isakmp-sa/events.ts';
import { samePath } from '../path.ts';
import type { IkePolicy } from '../policy.ts';
import { selectPhase2 } from '../proposal/phase-2.ts';
import type { Refusal } from '../proposal/refusal.ts';
import { tell } from '../tell.ts';
import type { QuickModeInput } from './context.ts';
import type { QuickModeHappening } from './events.ts';
import { IP_PROTOCOL_UDP, L2TP_PORT } from './limits.ts';

type QuickModeBody = Extract<IkeBody, { type: 'QM1' }>;
type Answer = readonly Delivery[] | { readonly drop: string };

/** HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] [, NAT-OAi, NAT-OAr]. */
export function classifyQuickMode(body: QuickModeBody, sa: IsakmpSaContext, policy: IkePolicy): Answer {
  const offer = linkOf(body.chain, 'SA');
  const nonce = linkOf(body.chain, 'NONCE');
  if (offer === undefined || nonce === undefined) return { drop: 'missing' };
  const moved: readonly Delivery[] = samePath(body.path, sa.path)
    ? []
    : [tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), { type: 'MOVED', path: body.path })];
  const spi = offer.payload.proposals[0]?.spi.slice() ?? new Uint8Array(0);
  const [initiator, responder] = payloadsOf(body.chain, 'ID');
  const refuse = (refusal: Refusal, notifyType: number): Answer => {
    const { path, messageId } = body;
    return [
      ...moved,
      tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), {
        type: 'QM-',
        path,
        refusal,
        notifyType,
        messageId,
        spi,
      }),
    ];
  };
  const selectors = selectorProblem(initiator, responder, sa.client);
  if (selectors !== undefined) return refuse(selectors, NOTIFY['INVALID-ID-INFORMATION']);
  const ke = linkOf(body.chain, 'KE');
  const setting = { natTraversal: sa.natT !== undefined, natted: sa.natted, keyExchange: ke !== undefined };
  const outcome = selectPhase2(offer.payload, policy, setting, sa.client);
  if (!outcome.ok) return refuse(outcome.refusal, NOTIFY['NO-PROPOSAL-CHOSEN']);
  if (initiator === undefined || responder === undefined) return { drop: 'missing' };
  const id = quickModeId(body.isakmpSa, body.messageId);
  const input: QuickModeInput = { id, isakmpSa: body.isakmpSa, messageId: body.messageId };
  const event: QuickModeHappening = {
    type: 'QM1',
    request: body.request,
    path: body.path,
    selection: outcome.selection,
    nonce: nonce.payload.data.slice(),
    publicValue: ke?.payload.data.slice(),
    ids: { initiator: kept(initiator), responder: kept(responder) },
    spi: body.spi,
    natOa: natOa(body, sa),
  };
  // Some peers announce it only here (RFC 2407 §4.6.3.3 leaves the message open).
  const contact = payloadsOf(body.chain, 'N').some(
    ({ notifyType }) => notifyType === NOTIFY['INITIAL-CONTACT'],
  )
    ? [tell<IsakmpSaHappening>(isakmpSaId(body.isakmpSa), { type: 'INITIAL-CONTACT' })]
    : [];
  return [...moved, ...contact, { type: 'beget', id, input }, tell<QuickModeHappening>(id, event)];
}

function natOa(body: QuickModeBody, sa: IsakmpSaContext) {
  const numbers = sa.natT;
  if (numbers === undefined || payloadsOf(body.chain, 'NAT-OA').length === 0) return undefined;
  return { numbers, ...body.addresses };
}

/** What is kept must not be a view of the datagram. */
function kept(id: IdPayload): IdPayload {
  return { ...id, data: id.data.slice() };
}

const SINGLE_HOST: readonly number[] = [ID_TYPE.ID_IPV4_ADDR, ID_TYPE.ID_IPV6_ADDR, ID_TYPE.ID_FQDN];

/**
 * RFC 3193 §4: UDP, port 1701 on our side, one host each. The initiator's port is 1701, or 0 where the
 * client means any, or the port it floats to. The addresses are those before NAT and say nothing here.
 */
function selectorProblem(
  initiator: IdPayload | undefined,
  responder: IdPayload | undefined,
  looksLike: string,
): Refusal | undefined {
  const fits =
    initiator !== undefined &&
    responder !== undefined &&
    [initiator, responder].every(
      (id) => id.ipProtocol === IP_PROTOCOL_UDP && SINGLE_HOST.includes(id.idType),
    ) &&
    responder.port === L2TP_PORT;
  if (fits) return undefined;
  const text = (id: IdPayload | undefined) =>
    id === undefined ? 'none' : `${nameOf(ID_TYPE, id.idType)} protocol ${id.ipProtocol} port ${id.port}`;
  return {
    phase: 'phase 2',
    reason: 'the identities do not select L2TP (RFC 3193 §4)',
    offered: [`initiator ${text(initiator)}`, `responder ${text(responder)}`],
    allowed: 'single hosts, UDP, responder port 1701',
    looksLike,
  };
}
