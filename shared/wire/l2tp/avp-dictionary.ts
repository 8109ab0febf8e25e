import {
  accm,
  callErrors,
  octetString,
  octetsOf,
  pppDisconnectCause,
  presence,
  protocolVersion,
  proxyAuthenId,
  q931Cause,
  resultCode,
  text,
  uint16,
  uint16NonZero,
  uint32,
  type ValueCodec,
} from './values.ts';

/** One attribute of vendor 0. */
export interface AvpRow<T> {
  readonly type: number;
  readonly codec: ValueCodec<T>;
  /** What the specification wants of the M bit when we send it; on receipt M is taken as it comes. */
  readonly mandatory: boolean;
  readonly mayBeHidden: boolean;
  readonly section: string;
}

const M = true;
const m = false;
const H = true;
const h = false;

const row = <T>(
  type: number,
  mandatory: boolean,
  mayBeHidden: boolean,
  codec: ValueCodec<T>,
  section: string,
): AvpRow<T> => ({
  type,
  codec,
  mandatory,
  mayBeHidden,
  section,
});

/** Every AVP of RFC 2661 §4.4, and that of RFC 3145. Type 20 was never assigned. */
export const AVPS = {
  messageType: row(0, M, h, uint16, 'RFC 2661 §4.4.1'),
  randomVector: row(36, M, h, octetString(), 'RFC 2661 §4.4.1'),
  resultCode: row(1, M, h, resultCode, 'RFC 2661 §4.4.2'),
  protocolVersion: row(2, M, h, protocolVersion, 'RFC 2661 §4.4.3'),
  framingCapabilities: row(3, M, H, uint32, 'RFC 2661 §4.4.3'),
  bearerCapabilities: row(4, M, H, uint32, 'RFC 2661 §4.4.3'),
  tieBreaker: row(5, m, h, octetsOf(8), 'RFC 2661 §4.4.3'),
  firmwareRevision: row(6, m, H, uint16, 'RFC 2661 §4.4.3'),
  hostName: row(7, M, h, text(1), 'RFC 2661 §4.4.3'),
  vendorName: row(8, m, H, text(), 'RFC 2661 §4.4.3'),
  assignedTunnelId: row(9, M, H, uint16NonZero, 'RFC 2661 §4.4.3'),
  receiveWindowSize: row(10, M, h, uint16NonZero, 'RFC 2661 §4.4.3'),
  challenge: row(11, M, H, octetString(1), 'RFC 2661 §4.4.3'),
  challengeResponse: row(13, M, H, octetsOf(16), 'RFC 2661 §4.4.3'),
  q931CauseCode: row(12, M, h, q931Cause, 'RFC 2661 §4.4.4'),
  assignedSessionId: row(14, M, H, uint16NonZero, 'RFC 2661 §4.4.4'),
  callSerialNumber: row(15, M, H, uint32, 'RFC 2661 §4.4.4'),
  minimumBps: row(16, M, H, uint32, 'RFC 2661 §4.4.4'),
  maximumBps: row(17, M, H, uint32, 'RFC 2661 §4.4.4'),
  bearerType: row(18, M, H, uint32, 'RFC 2661 §4.4.4'),
  framingType: row(19, M, H, uint32, 'RFC 2661 §4.4.4'),
  calledNumber: row(21, M, H, text(), 'RFC 2661 §4.4.4'),
  callingNumber: row(22, M, H, text(), 'RFC 2661 §4.4.4'),
  subAddress: row(23, M, H, text(), 'RFC 2661 §4.4.4'),
  txConnectSpeed: row(24, M, H, uint32, 'RFC 2661 §4.4.4'),
  physicalChannelId: row(25, m, H, uint32, 'RFC 2661 §4.4.4'),
  privateGroupId: row(37, m, H, octetString(), 'RFC 2661 §4.4.4'),
  rxConnectSpeed: row(38, m, H, uint32, 'RFC 2661 §4.4.4'),
  sequencingRequired: row(39, M, h, presence, 'RFC 2661 §4.4.4'),
  initialReceivedLcpConfreq: row(26, m, H, octetString(), 'RFC 2661 §4.4.5'),
  lastSentLcpConfreq: row(27, m, H, octetString(), 'RFC 2661 §4.4.5'),
  lastReceivedLcpConfreq: row(28, m, H, octetString(), 'RFC 2661 §4.4.5'),
  proxyAuthenType: row(29, m, H, uint16, 'RFC 2661 §4.4.5'),
  proxyAuthenName: row(30, m, H, octetString(), 'RFC 2661 §4.4.5'),
  proxyAuthenChallenge: row(31, m, H, octetString(1), 'RFC 2661 §4.4.5'),
  proxyAuthenId: row(32, m, H, proxyAuthenId, 'RFC 2661 §4.4.5'),
  proxyAuthenResponse: row(33, m, H, octetString(), 'RFC 2661 §4.4.5'),
  callErrors: row(34, M, H, callErrors, 'RFC 2661 §4.4.6'),
  accm: row(35, M, H, accm, 'RFC 2661 §4.4.6'),
  pppDisconnectCauseCode: row(46, m, H, pppDisconnectCause, 'RFC 3145 §2'),
} as const;

export type AvpName = keyof typeof AVPS;

export type AvpValue<N extends AvpName> = (typeof AVPS)[N] extends AvpRow<infer T> ? T : never;

/** The values of a message by name. Message Type and Random Vector belong to the framing, not to it. */
export type AvpValues = { readonly [N in Exclude<AvpName, 'messageType' | 'randomVector'>]?: AvpValue<N> };

export type ValueName = keyof AvpValues;

const NAME_OF_TYPE: ReadonlyMap<number, AvpName> = new Map(
  Object.entries(AVPS).map(([name, { type }]) => [type, name as AvpName]),
);

export function avpName(type: number): AvpName | undefined {
  return NAME_OF_TYPE.get(type);
}
