import { concat } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/** RFC 1334 §2.2. */
export const papCodes = { authenticateRequest: 1, authenticateAck: 2, authenticateNak: 3 } as const;

/** RFC 1334 §2.2.1; both are views of the packet, as on the wire. */
export interface AuthenticateRequest {
  readonly peerId: Uint8Array;
  readonly password: Uint8Array;
}

export function parseAuthenticateRequest(data: Uint8Array): Parsed<AuthenticateRequest> {
  const peerId = counted(data, 0);
  if (!peerId.ok) return peerId;
  const at = 1 + peerId.value.length;
  const password = counted(data, at);
  if (!password.ok) return password;
  return parsed({ peerId: peerId.value, password: password.value });
}

export function emitAuthenticateRequest(request: AuthenticateRequest): Uint8Array {
  return concat(countedOctets(request.peerId), countedOctets(request.password));
}

/** RFC 1334 §2.2.2: Authenticate-Ack and -Nak. Some peers leave the Msg-Length out; that is an empty message. */
export function parsePapMessage(data: Uint8Array): Parsed<Uint8Array> {
  return data.length === 0 ? parsed(data) : counted(data, 0);
}

export function emitPapMessage(message: Uint8Array): Uint8Array {
  return countedOctets(message);
}

function counted(data: Uint8Array, offset: number): Parsed<Uint8Array> {
  const length = data[offset];
  if (length === undefined) return malformed('truncated', offset);
  const end = offset + 1 + length;
  return end > data.length ? malformed('bad-length', offset) : parsed(data.subarray(offset + 1, end));
}

function countedOctets(octets: Uint8Array): Uint8Array {
  if (octets.length > 0xff) throw new RangeError('a PAP field has at most 255 octets');
  return concat(Uint8Array.of(octets.length), octets);
}
