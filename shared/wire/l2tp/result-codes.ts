/** RFC 2661 §4.4.2, Result Codes of StopCCN. */
export const STOP_CCN_RESULTS = {
  clear: 1,
  generalError: 2,
  controlChannelExists: 3,
  notAuthorized: 4,
  /** The Error Code holds the highest version supported. */
  versionNotSupported: 5,
  shuttingDown: 6,
  fsmError: 7,
} as const;

/** RFC 2661 §4.4.2, Result Codes of CDN. */
export const CDN_RESULTS = {
  lossOfCarrier: 1,
  generalError: 2,
  administrative: 3,
  noFacilitiesTemporary: 4,
  noFacilitiesPermanent: 5,
  invalidDestination: 6,
  noCarrier: 7,
  busy: 8,
  noDialTone: 9,
  timedOut: 10,
  noFraming: 11,
} as const;

/** RFC 2661 §4.4.2, General Error codes. */
export const ERRORS = {
  none: 0,
  noControlConnection: 1,
  badLength: 2,
  badValue: 3,
  noResources: 4,
  badSessionId: 5,
  vendorSpecific: 6,
  tryAnother: 7,
  unknownMandatoryAvp: 8,
} as const;

/** RFC 3145 §3, Disconnect Codes. */
export const DISCONNECT_CODES = {
  noInformation: 0,
  administrative: 1,
  lcpRenegotiationDisabled: 2,
  normal: 3,
  encryptionRefused: 4,
  lcpTimeout: 5,
  noLcpPackets: 6,
  loopedBack: 7,
  echoTimeout: 8,
  unexpectedEndpointDiscriminator: 9,
  unexpectedMrru: 10,
  unexpectedShortSequenceNumbers: 11,
  callbackRefused: 12,
  authenticationTimeout: 13,
  unexpectedName: 14,
  authenticationProtocolUnacceptable: 15,
  authenticationFailed: 16,
  ncpTimeout: 17,
  noNcp: 18,
  addressesNotConverged: 19,
  addressNotPermitted: 20,
} as const;

const STOP_CCN_TEXTS: Readonly<Record<number, string>> = {
  1: 'general request to clear control connection',
  2: 'general error',
  3: 'control channel already exists',
  4: 'not authorized to establish a control channel',
  5: 'protocol version not supported',
  6: 'being shut down',
  7: 'finite state machine error',
};

const CDN_TEXTS: Readonly<Record<number, string>> = {
  1: 'loss of carrier',
  2: 'general error',
  3: 'administrative reasons',
  4: 'lack of facilities (temporary)',
  5: 'lack of facilities (permanent)',
  6: 'invalid destination',
  7: 'no carrier detected',
  8: 'busy signal',
  9: 'lack of a dial tone',
  10: 'not established within the time allotted',
  11: 'no appropriate framing detected',
};

const ERROR_TEXTS: Readonly<Record<number, string>> = {
  0: 'no general error',
  1: 'no control connection exists yet',
  2: 'length is wrong',
  3: 'field value out of range or reserved field non-zero',
  4: 'insufficient resources',
  5: 'Session ID is invalid in this context',
  6: 'vendor-specific error',
  7: 'try another LNS',
  8: 'unknown mandatory AVP',
};

/** One phrase for the operator. */
export function explainResult(
  of: 'StopCCN' | 'CDN',
  code: { readonly result: number; readonly error?: number; readonly message?: string },
): string {
  const texts = of === 'StopCCN' ? STOP_CCN_TEXTS : CDN_TEXTS;
  const result = texts[code.result] ?? `result code ${code.result}`;
  const error = code.error === undefined ? '' : `: ${ERROR_TEXTS[code.error] ?? `error code ${code.error}`}`;
  return code.message === undefined ? `${result}${error}` : `${result}${error} (${code.message})`;
}
