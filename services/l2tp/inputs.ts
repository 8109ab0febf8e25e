import { type Heard, type L2tpBody, tunnelsOf } from '@culvert/actors-l2tp';
import type { L2tpPacket, L2tpRequest, Requested } from '@culvert/contracts';
import { revealAvp, type Secret, tunnelAuthResponse, verifyTunnelAuthResponse } from '@culvert/crypto';
import type { Dropped } from '@culvert/host';
import type { SessionState } from '@culvert/kernel';
import { u16 } from '@culvert/wire';
import {
  type ControlMessage,
  MESSAGES,
  parseControlHeader,
  parseControlMessage,
  type Reveal,
} from '@culvert/wire/l2tp';

/** All that enters a mailbox of this service. */
export type L2tpInput =
  | { readonly kind: 'packet'; readonly packet: L2tpPacket }
  | { readonly kind: 'request'; readonly requested: Requested<L2tpRequest> }
  | { readonly kind: 'fact'; readonly session: string; readonly body: L2tpBody };

/** Only an SCCRQ, which names no tunnel of ours yet, may found the L2TP part of a session. */
export function locate(input: L2tpInput): { readonly session: string; readonly create: boolean } | Dropped {
  switch (input.kind) {
    case 'packet':
      return { session: input.packet.session, create: isSccrq(input.packet.octets) };
    case 'request':
      return { session: input.requested.session, create: false };
    case 'fact':
      return { session: input.session, create: false };
  }
}

function isSccrq(octets: Uint8Array): boolean {
  const outer = parseControlHeader(octets);
  if (!outer.ok || outer.value.header.tunnelId !== 0) return false;
  const { avps } = outer.value;
  return avps.length >= 8 && u16(avps, 6) === MESSAGES.SCCRQ.type;
}

/** The impure half of reading a packet: what needs the tunnel secret is done here, the secret stays here. */
export function opened(
  input: L2tpInput,
  state: SessionState,
  secret: Secret | undefined,
): L2tpBody | Dropped {
  if (input.kind === 'fact') return input.body;
  if (input.kind === 'request') return ofRequest(input.requested.request);
  const { octets, innerPorts, flow } = input.packet;
  const message = parseControlMessage(octets, secret === undefined ? undefined : revealWith(secret));
  if (!message.ok) return { drop: `malformed-${message.reason}` };
  const { header } = message.value;
  const control = { kind: 'control', innerPorts, callingStation: flow.remote.address, header } as const;
  const heard = hearing(message.value, state, secret);
  return heard === undefined ? control : { ...control, heard };
}

function ofRequest(request: L2tpRequest): L2tpBody {
  switch (request.type) {
    case 'close':
      return { kind: 'close', reason: request.reason };
    case 'session.ended':
      return { kind: 'ended', reason: request.reason };
    case 'call.disconnect': {
      const { call, reason, advice } = request;
      return { kind: 'disconnect', call, reason, advice };
    }
  }
}

const revealWith =
  (secret: Secret): Reveal =>
  (type, randomVector, hidden) =>
    revealAvp({ secret, type, randomVector }, hidden);

function hearing(
  { header, body }: ControlMessage,
  state: SessionState,
  secret: Secret | undefined,
): Heard | undefined {
  if (body === undefined) return undefined;
  const { type, values, fault } = body;
  const message = { type, sessionId: header.sessionId, values, ...(fault === undefined ? {} : { fault }) };
  // RFC 2661 §4.4.3: the Message Type of the message that carries a response stands for CHAP's Identifier.
  const { challenge, challengeResponse } = values;
  if (secret === undefined || (type !== 'SCCRQ' && type !== 'SCCRP' && type !== 'SCCCN')) {
    return { ...message, proof: 'absent' };
  }
  const answer =
    challenge === undefined
      ? {}
      : { response: tunnelAuthResponse(type === 'SCCRQ' ? 2 : 3, secret, challenge) };
  const ours = tunnelsOf(state).find(({ context }) => context.localId === header.tunnelId)?.context.challenge;
  if (ours === undefined || challengeResponse === undefined)
    return { ...message, ...answer, proof: 'absent' };
  const right = verifyTunnelAuthResponse(type === 'SCCRP' ? 2 : 3, secret, ours, challengeResponse);
  return { ...message, ...answer, proof: right ? 'right' : 'wrong' };
}
