import type { ActorId, Delivery } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import {
  type ControlPacket,
  type CpOption,
  codeRejectData,
  codes,
  optionsOctets,
  parseCodeReject,
  parseOptions,
  sameOption,
} from '@culvert/wire/ppp';
import { type Dropped, dropped } from '../dropped.ts';
import type { Failed } from '../link/events.ts';
import type { AutomatonContext } from './actions.ts';
import type { AutomatonEvent } from './events.ts';
import type { Judged } from './judge.ts';

/** What we ask next after a Configure-Nak or Configure-Reject; or that there is nothing left to ask. */
export type Revised = { readonly request: readonly CpOption[] } | Failed;

/** How LCP and each NCP differ: the rest of a control packet's meaning is the same for all. */
export interface Negotiation {
  judge(identifier: number, options: readonly CpOption[]): Judged;
  revise(code: 'nak' | 'reject', options: readonly CpOption[]): Revised;
  /** What the operator reads when the peer and we cannot agree. */
  readonly disagreement: string;
  readonly peerMru: number;
}

export interface Negotiating {
  readonly id: ActorId;
  readonly state: string;
  readonly context: AutomatonContext;
}

/** Codes 1 to 7 of RFC 1661 §5; `undefined` leaves the code to the caller. */
export function classifyConfiguration(
  packet: ControlPacket,
  at: Negotiating,
  negotiation: Negotiation,
): readonly Delivery[] | Dropped | undefined {
  switch (packet.code) {
    case codes.configureRequest:
      return configureRequest(packet, at, negotiation);
    case codes.configureAck:
      return configureAck(packet, at);
    case codes.configureNak:
    case codes.configureReject:
      return configureRefusal(packet, at, negotiation);
    case codes.terminateRequest:
      return told(at, { type: 'RTR', identifier: packet.identifier });
    case codes.terminateAck:
      return told(at, { type: 'RTA' });
    case codes.codeReject:
      return codeReject(packet, at);
    default:
      return undefined;
  }
}

export function unknownCode(packet: ControlPacket, at: Negotiating, peerMru: number): readonly Delivery[] {
  return told(at, { type: 'RUC', data: codeRejectData(packet, peerMru) });
}

export function told(at: Pick<Negotiating, 'id'>, event: AutomatonEvent): readonly Delivery[] {
  return [{ type: 'tell', to: at.id, event }];
}

function configureRequest(packet: ControlPacket, at: Negotiating, negotiation: Negotiation) {
  const options = parseOptions(packet.data);
  if (!options.ok) return dropped('malformed');
  const judged = negotiation.judge(packet.identifier, options.value);
  if (judged.type !== 'not-converging') return told(at, judged);
  return failed(at, { type: 'Failed', reason: 'negotiation-failed', message: negotiation.disagreement });
}

/** §5.2: the Identifier of our last request and, to the octet, its options. */
function configureAck(packet: ControlPacket, at: Negotiating) {
  if (packet.identifier !== at.context.requestIdentifier) return dropped('stale-identifier');
  if (!equal(packet.data, optionsOctets(at.context.request))) return dropped('ack-differs');
  return told(at, { type: 'RCA' });
}

/** §5.3, §5.4. An empty list turns down nothing, and would only make us repeat ourselves. */
function configureRefusal(packet: ControlPacket, at: Negotiating, negotiation: Negotiation) {
  if (packet.identifier !== at.context.requestIdentifier) return dropped('stale-identifier');
  const options = parseOptions(packet.data);
  if (!options.ok || options.value.length === 0) return dropped('malformed');
  const { request } = at.context;
  const reject = packet.code === codes.configureReject;
  const ours = (option: CpOption) => request.some((asked) => sameOption(asked, option));
  if (reject && !options.value.every(ours)) return dropped('reject-differs');
  const revised = negotiation.revise(reject ? 'reject' : 'nak', options.value);
  if ('type' in revised) return failed(at, revised);
  const refused = request.filter((asked) => options.value.some((option) => option.type === asked.type));
  return told(at, { type: 'RCN', request: revised.request, refused });
}

/** §5.6: to be without one of the codes that make the automaton work is catastrophic. */
function codeReject(packet: ControlPacket, at: Negotiating) {
  const rejected = parseCodeReject(packet.data);
  if (!rejected.ok) return dropped('malformed');
  const vital = rejected.value.code >= codes.configureRequest && rejected.value.code <= codes.codeReject;
  return told(at, { type: vital ? 'RXJ-' : 'RXJ+' });
}

function failed(at: Negotiating, event: Failed): readonly Delivery[] {
  return [{ type: 'tell', to: at.context.owner, event }];
}

/** How often the peer has turned down our option of this type. */
export function timesRefused(context: AutomatonContext, type: number): number {
  return context.refused.filter((option) => option.type === type).length;
}
