import type { ActorId, Delivery, SessionState } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import { type ControlPacket, chapCodes, parseChapValue, parseMsChapV2Response } from '@culvert/wire/ppp';
import { type Dropped, dropped } from '../dropped.ts';
import type { AuthContext } from './actions.ts';
import type { ChapShown } from './events.ts';
import { USER_OCTETS_MAX } from './limits.ts';

/** A CHAP packet, RFC 1994 §4. Only Response is for an authenticator. */
export function classifyChap(
  packet: ControlPacket,
  id: ActorId,
  state: SessionState,
): readonly Delivery[] | Dropped {
  const context = state[id]?.context as AuthContext | undefined;
  if (context === undefined) return dropped('wrong-phase');
  if (context.method === 'pap') return dropped('method-not-agreed');
  // A peer that challenges us, or tells us that we have succeeded, is not what we agreed to in LCP.
  if (packet.code === chapCodes.challenge) return dropped('unexpected-challenge');
  if (packet.code === chapCodes.success || packet.code === chapCodes.failure)
    return dropped('unexpected-verdict');
  if (packet.code !== chapCodes.response) return dropped('malformed');
  const body = parseChapValue(packet.data);
  if (!body.ok || body.value.name.length > USER_OCTETS_MAX) return dropped('malformed');
  const { value, name } = body.value;
  const shown = shownBy(context.method, value);
  if (shown === undefined) return dropped('malformed');
  const reflected = shown.method === 'ms-chap-v2' && equal(shown.peerChallenge, context.challenge);
  const { identifier } = packet;
  const event = { type: 'Responded', identifier, user: userName(name), shown, reflected };
  return [{ type: 'tell', to: id, event }];
}

/** Copies: what goes into context and effects must not hold on to the datagram. */
function shownBy(method: 'chap-md5' | 'ms-chap-v2', value: Uint8Array): ChapShown | undefined {
  if (method === 'chap-md5') {
    // RFC 1994 §4.1: with MD5 the Value has 16 octets.
    return value.length === 16 ? { method, response: value.slice() } : undefined;
  }
  const response = parseMsChapV2Response(value);
  if (!response.ok) return undefined;
  const { peerChallenge, ntResponse } = response.value;
  return { method, peerChallenge: peerChallenge.slice(), ntResponse: ntResponse.slice() };
}

/** Octets that are no UTF-8 give a name that no user has. */
export function userName(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}
