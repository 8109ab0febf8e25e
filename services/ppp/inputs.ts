import { actorId, type PppBody, type PppSettings } from '@culvert/actors-ppp';
import type { PppPacket, PppRequest, Requested } from '@culvert/contracts';
import { papPasswordPlace } from '@culvert/crypto';
import type { Dropped, Sealer, SessionView, Vault } from '@culvert/host';
import {
  type Frame,
  papCodes,
  parseAuthenticateRequest,
  parseControlPacket,
  parseFrame,
  protocols,
} from '@culvert/wire/ppp';

/** All that enters a mailbox of this service. */
export type PppInput =
  | { readonly kind: 'packet'; readonly packet: PppPacket }
  | { readonly kind: 'request'; readonly requested: Requested<PppRequest> }
  /** An answer of aaa. */
  | { readonly kind: 'fact'; readonly session: string; readonly body: PppBody };

/** Only l2tp, with the call's set-up, founds the PPP part of a session. */
export function locate(input: PppInput): { readonly session: string; readonly create: boolean } {
  switch (input.kind) {
    case 'packet':
      return { session: input.packet.session, create: false };
    case 'request': {
      const { session, request } = input.requested;
      return { session, create: request.type === 'link.start' };
    }
    case 'fact':
      return { session: input.session, create: false };
  }
}

/** The impure half of reading an input: a PAP password is sealed for aaa before a fact can hold it. */
export function opened(
  input: PppInput,
  view: Pick<SessionView<Vault>, 'session' | 'state'>,
  settings: PppSettings,
  sealer: Sealer,
): PppBody | Dropped {
  if (input.kind === 'fact') return input.body;
  if (input.kind === 'request') return ofRequest(input.requested.request, settings);
  const { call, octets } = input.packet;
  const frame = parseFrame(octets);
  if (!frame.ok) return { drop: 'malformed' };
  if (frame.value.protocol === protocols.pap) return ofPap(frame.value, call, view, sealer);
  return { type: 'frame', call, ...frame.value };
}

function ofRequest(request: PppRequest, settings: PppSettings): PppBody {
  const { call } = request;
  if (request.type !== 'link.start') return { type: request.type, call, reason: request.reason };
  return { type: 'link.start', call, callingStation: request.callingStation, settings };
}

/** Nothing of a PAP packet passes but what is asked for, and of that no password in the clear. */
function ofPap(
  frame: Frame,
  call: number,
  view: Pick<SessionView<Vault>, 'session' | 'state'>,
  sealer: Sealer,
): PppBody | Dropped {
  if (view.state[actorId('auth', call)] === undefined) return { drop: 'wrong-phase' };
  const packet = parseControlPacket(frame.information);
  if (!packet.ok) return { drop: 'malformed' };
  const { code, identifier, data } = packet.value;
  if (code !== papCodes.authenticateRequest) return { drop: 'unexpected-verdict' };
  const request = parseAuthenticateRequest(data);
  if (!request.ok) return { drop: 'malformed' };
  const sealedPassword = sealer.seal(papPasswordPlace(view.session), request.value.password);
  return { type: 'pap.request', call, identifier, peerId: request.value.peerId.slice(), sealedPassword };
}
