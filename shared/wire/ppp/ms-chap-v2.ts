import { concat, hex, toHex } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';

const RESPONSE_OCTETS = 49;
export const MS_CHAP_CHALLENGE_OCTETS = 16;

/** RFC 2759 §4: the Value field of a Response. */
export interface MsChapV2Response {
  /** 16 octets. */
  readonly peerChallenge: Uint8Array;
  /** 24 octets. */
  readonly ntResponse: Uint8Array;
}

/** The reserved octets and Flags must be zero; RFC 2759 §4 says nothing of one who finds them otherwise. */
export function parseMsChapV2Response(value: Uint8Array): Parsed<MsChapV2Response> {
  if (value.length !== RESPONSE_OCTETS) return malformed('bad-length', 0);
  return parsed({ peerChallenge: value.subarray(0, 16), ntResponse: value.subarray(24, 48) });
}

export function emitMsChapV2Response(response: MsChapV2Response): Uint8Array {
  return concat(response.peerChallenge, new Uint8Array(8), response.ntResponse, new Uint8Array(1));
}

/** RFC 2759 §6. */
export interface MsChapFailure {
  /** 691 ERROR_AUTHENTICATION_FAILURE and its neighbours. */
  readonly error: number;
  readonly retry: boolean;
  /** 16 octets. */
  readonly challenge: Uint8Array;
  /** Version of the password changing protocol; 3 for MS-CHAPv2. */
  readonly version: number;
  readonly message: string;
}

export const msChapErrors = {
  restrictedLogonHours: 646,
  accountDisabled: 647,
  passwordExpired: 648,
  noDialinPermission: 649,
  authenticationFailure: 691,
  changingPassword: 709,
} as const;

const FAILURE = /^E=(\d{1,10}) R=([01]) C=([0-9A-Fa-f]{32}) V=(\d{1,10})(?: M=([\s\S]*))?$/;
const MESSAGE_OCTETS_MAX = 1500;

/** Fields in the order of RFC 2759 §6, which is the order in which every implementation writes them. */
export function parseMsChapFailure(message: Uint8Array): Parsed<MsChapFailure> {
  if (message.length > MESSAGE_OCTETS_MAX) return malformed('bad-length', 0);
  const match = FAILURE.exec(new TextDecoder().decode(message));
  if (match === null) return malformed('bad-value', 0);
  const [, error = '', retry = '', challenge = '', version = '', text = ''] = match;
  return parsed({
    error: Number(error),
    retry: retry === '1',
    challenge: hex(challenge),
    version: Number(version),
    message: text,
  });
}

export function emitMsChapFailure(failure: MsChapFailure): Uint8Array {
  if (failure.challenge.length !== MS_CHAP_CHALLENGE_OCTETS) throw new RangeError('C= holds 16 octets');
  const challenge = toHex(failure.challenge).toUpperCase();
  const { error, version, message } = failure;
  return new TextEncoder().encode(
    `E=${error} R=${failure.retry ? 1 : 0} C=${challenge} V=${version} M=${message}`,
  );
}

/** RFC 2759 §5: the Message of a Success packet. */
export interface MsChapSuccess {
  /** `S=` and 40 upper-case hexadecimal digits. */
  readonly authenticatorResponse: string;
  readonly message: string;
}

const SUCCESS = /^(S=[0-9A-Fa-f]{40})(?: M=([\s\S]*))?$/;

export function parseMsChapSuccess(message: Uint8Array): Parsed<MsChapSuccess> {
  if (message.length > MESSAGE_OCTETS_MAX) return malformed('bad-length', 0);
  const match = SUCCESS.exec(new TextDecoder().decode(message));
  if (match === null) return malformed('bad-value', 0);
  return parsed({ authenticatorResponse: match[1] ?? '', message: match[2] ?? '' });
}

export function emitMsChapSuccess(success: MsChapSuccess): Uint8Array {
  return new TextEncoder().encode(`${success.authenticatorResponse} M=${success.message}`);
}
