import { be16, be32, concat, u16, u32 } from '../octets.ts';
import { malformed, type Parsed, parsed } from '../parsed.ts';
import type { CpOption } from './option.ts';
import { protocols } from './protocols.ts';

/** LCP option types (RFC 1661 §6 and the IANA list). */
export const lcpOptions = {
  mru: 1,
  accm: 2,
  authenticationProtocol: 3,
  qualityProtocol: 4,
  magicNumber: 5,
  pfc: 7,
  acfc: 8,
  callback: 13,
  mrru: 17,
  endpointDiscriminator: 19,
  linkDiscriminator: 23,
} as const;

/** RFC 1661 §6.1: what holds when MRU was not negotiated. */
export const MRU_DEFAULT = 1500;

/** RFC 1994 §3 and RFC 2759 §3: the Algorithm octet. */
export const chapAlgorithms = { md5: 5, msChapV1: 0x80, msChapV2: 0x81 } as const;

/** Names an authentication protocol whole: the Protocol number and, for CHAP, the algorithm. */
export interface AuthenticationProtocol {
  readonly protocol: number;
  /** Absent but for CHAP. */
  readonly algorithm?: number;
}

export function parseMru(data: Uint8Array): Parsed<number> {
  return data.length === 2 ? parsed(u16(data)) : malformed('bad-length', 0);
}

export function mruOption(octets: number): CpOption {
  return { type: lcpOptions.mru, data: be16(octets) };
}

export function parseMagicNumber(data: Uint8Array): Parsed<number> {
  return data.length === 4 ? parsed(u32(data)) : malformed('bad-length', 0);
}

export function magicNumberOption(magic: number): CpOption {
  return { type: lcpOptions.magicNumber, data: be32(magic) };
}

export function accmOption(map: number): CpOption {
  return { type: lcpOptions.accm, data: be32(map) };
}

export function parseAuthenticationProtocol(data: Uint8Array): Parsed<AuthenticationProtocol> {
  if (data.length < 2) return malformed('truncated', data.length);
  const protocol = u16(data);
  const algorithm = data[2];
  // RFC 1994 §3: CHAP's option has exactly one more octet; RFC 1334 §2: PAP's has none.
  if (protocol !== protocols.chap) return parsed({ protocol });
  if (algorithm === undefined || data.length !== 3) return malformed('bad-length', 2);
  return parsed({ protocol, algorithm });
}

export function authenticationProtocolOption(wanted: AuthenticationProtocol): CpOption {
  const algorithm = wanted.algorithm === undefined ? [] : [wanted.algorithm];
  return {
    type: lcpOptions.authenticationProtocol,
    data: concat(be16(wanted.protocol), Uint8Array.from(algorithm)),
  };
}

/** RFC 1661 §5.8, RFC 1570 §2.1 and §2.2: a Magic-Number, then octets whose meaning the code gives. */
export interface MagicData {
  readonly magic: number;
  readonly rest: Uint8Array;
}

/** Echo-Request, Echo-Reply, Discard-Request and Identification. */
export function parseMagicData(data: Uint8Array): Parsed<MagicData> {
  if (data.length < 4) return malformed('truncated', data.length);
  return parsed({ magic: u32(data), rest: data.subarray(4) });
}

export function emitMagicData(body: MagicData): Uint8Array {
  return concat(be32(body.magic), body.rest);
}

/** RFC 1570 §2.2. */
export interface TimeRemaining {
  readonly magic: number;
  readonly seconds: number;
  readonly message: Uint8Array;
}

export function parseTimeRemaining(data: Uint8Array): Parsed<TimeRemaining> {
  if (data.length < 8) return malformed('truncated', data.length);
  return parsed({ magic: u32(data), seconds: u32(data, 4), message: data.subarray(8) });
}

export function emitTimeRemaining(body: TimeRemaining): Uint8Array {
  return concat(be32(body.magic), be32(body.seconds), body.message);
}
