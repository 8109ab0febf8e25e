import {
  CDN_RESULTS,
  DISCONNECT_CODES,
  ERRORS,
  type PppDisconnectCause,
  type ResultCode,
  STOP_CCN_RESULTS,
} from '@culvert/wire/l2tp';

/** Why a tunnel or call ended, as the services say it to each other. */
export type EndReason =
  | 'peer-closed'
  | 'operator'
  | 'authentication-failed'
  | 'negotiation-failed'
  | 'no-address'
  | 'peer-silent'
  | 'lifetime'
  | 'session-ended'
  | 'protocol-error'
  | 'limit'
  | 'shutdown';

/** RFC 2661 §4.4.2, what StopCCN says. */
const STOP_CCN: Readonly<Record<EndReason, ResultCode>> = {
  'peer-closed': { result: STOP_CCN_RESULTS.clear },
  operator: { result: STOP_CCN_RESULTS.clear },
  'authentication-failed': { result: STOP_CCN_RESULTS.notAuthorized },
  'negotiation-failed': { result: STOP_CCN_RESULTS.clear },
  'no-address': { result: STOP_CCN_RESULTS.generalError, error: ERRORS.noResources },
  'peer-silent': { result: STOP_CCN_RESULTS.clear },
  lifetime: { result: STOP_CCN_RESULTS.clear },
  'session-ended': { result: STOP_CCN_RESULTS.clear },
  'protocol-error': { result: STOP_CCN_RESULTS.fsmError },
  limit: { result: STOP_CCN_RESULTS.generalError, error: ERRORS.noResources },
  shutdown: { result: STOP_CCN_RESULTS.shuttingDown },
};

/** RFC 2661 §4.4.2, what CDN says. */
const CDN: Readonly<Record<EndReason, ResultCode>> = {
  'peer-closed': { result: CDN_RESULTS.lossOfCarrier },
  operator: { result: CDN_RESULTS.administrative },
  'authentication-failed': { result: CDN_RESULTS.administrative },
  'negotiation-failed': { result: CDN_RESULTS.noFraming },
  'no-address': { result: CDN_RESULTS.noFacilitiesTemporary },
  'peer-silent': { result: CDN_RESULTS.lossOfCarrier },
  lifetime: { result: CDN_RESULTS.administrative },
  'session-ended': { result: CDN_RESULTS.administrative },
  'protocol-error': { result: CDN_RESULTS.generalError, error: ERRORS.badValue },
  limit: { result: CDN_RESULTS.noFacilitiesTemporary },
  shutdown: { result: CDN_RESULTS.administrative },
};

/** RFC 3145 §3. Codes that must name the authentication protocol are left out: it is PPP that knows it. */
const DISCONNECT: Partial<
  Record<EndReason, readonly [code: number, controlProtocol: number, direction: number]>
> = {
  'peer-closed': [DISCONNECT_CODES.normal, 0, 1],
  operator: [DISCONNECT_CODES.administrative, 0, 0],
  'peer-silent': [DISCONNECT_CODES.echoTimeout, 0xc021, 0],
  lifetime: [DISCONNECT_CODES.administrative, 0, 0],
  shutdown: [DISCONNECT_CODES.administrative, 0, 0],
};

export function stopResult(reason: EndReason): ResultCode {
  return STOP_CCN[reason];
}

/** `advice` is text for the client's user; §4.4.2 allows it behind an Error Code only. */
export function disconnectResult(reason: EndReason, advice = ''): ResultCode {
  const code = CDN[reason];
  return advice === '' ? code : { result: code.result, error: code.error ?? ERRORS.none, message: advice };
}

export function disconnectCause(reason: EndReason, advice: string): PppDisconnectCause {
  const [code, controlProtocol, direction] = DISCONNECT[reason] ?? [DISCONNECT_CODES.noInformation, 0, 0];
  return { code, controlProtocol, direction, message: advice };
}
