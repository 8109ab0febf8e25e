import type { Stamped, Delivery as Told } from '@culvert/kernel';
import type { L2tpEffect } from '../effects.ts';
import type { Heard, InnerPorts } from '../messages.ts';
import type { EndReason } from '../reasons.ts';
import type { Turn } from '../turn.ts';

/** What a call is told when it is begotten. */
export interface CallInput {
  readonly role: 'lns' | 'lac';
  /** The actor that carries its messages. */
  readonly tunnel: string;
  readonly localTunnel: number;
  /** 0 until the tunnel is open. */
  readonly peerTunnel: number;
  /** The Session ID we assigned, and the peer's; 0 until it has assigned one. */
  readonly ours: number;
  readonly theirs: number;
  readonly innerPorts: InnerPorts;
  readonly callingStation: string;
}

/** Plain data. */
export interface CallContext extends CallInput {
  readonly serialNumber: number;
  /** The Sequencing Required AVP was there (RFC 2661 §5.4). */
  readonly sequencing: boolean;
  readonly ending?: EndReason;
}

interface From<T extends string> extends Stamped {
  readonly type: T;
  readonly heard: Heard;
  /** Given with the message that begot the call, when it shall be turned away. */
  readonly refuse?: EndReason;
}

interface Plain<T extends string> extends Stamped {
  readonly type: T;
}

/** RFC 2661 §7.4 and §7.5. */
export type CallEvent =
  | From<'ICRQ'>
  | From<'ICRP'>
  | From<'ICCN'>
  | From<'OCRQ'>
  | From<'OCRP'>
  | From<'OCCN'>
  | From<'CDN'>
  | From<'WEN'>
  | From<'SLI'>
  | From<'Fault'>
  /** LAC: bearer ring, and the answer of the tunnel. */
  | Plain<'LocalOpen'>
  | (Plain<'TunnelOpen'> & { readonly peerTunnel: number })
  | (Plain<'TunnelGone'> & { readonly reason: EndReason })
  /** Local close request, in order: PPP first. */
  | (Plain<'Close'> & { readonly reason: EndReason })
  /** Local close request of PPP itself, which has ended the link. */
  | (Plain<'Disconnect'> & { readonly reason: EndReason; readonly advice: string })
  | (Plain<'SessionEnded'> & { readonly reason: EndReason })
  | Plain<'SetupTimeout'>
  | Plain<'CloseTimeout'>;

export type CallEmitted = L2tpEffect | Told;
export type CallTurn = Turn<CallContext, CallEvent, CallEmitted>;

/** Also called by XState with no input at all, so it must be total. */
export function newCall({
  input,
}: {
  readonly input: (CallInput & Omit<Stamped, 'type'>) | undefined;
}): CallContext {
  const { role = 'lns', tunnel = '', callingStation = '' } = input ?? {};
  const { localTunnel = 0, peerTunnel = 0, ours = 0, theirs = 0 } = input ?? {};
  const innerPorts = input?.innerPorts ?? { local: 1701, remote: 1701 };
  const identifiers = { localTunnel, peerTunnel, ours, theirs };
  return { role, tunnel, ...identifiers, innerPorts, callingStation, serialNumber: 0, sequencing: false };
}
