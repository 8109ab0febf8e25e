/** ISAKMP numbers: RFC 2408 §3.1 and §3.14.1, RFC 2407 §4.6.3, RFC 2409 appendix A, RFC 3706 §5, RFC 3947 §8. */

export const PAYLOAD = {
  NONE: 0,
  SA: 1,
  PROPOSAL: 2,
  TRANSFORM: 3,
  KE: 4,
  ID: 5,
  CERT: 6,
  CR: 7,
  HASH: 8,
  SIG: 9,
  NONCE: 10,
  N: 11,
  D: 12,
  VID: 13,
  'NAT-D': 20,
  'NAT-OA': 21,
  /** draft-ietf-ipsec-nat-t-ike-02 §8 and -03 §8 take these from the private range. */
  'NAT-D-DRAFT': 130,
  'NAT-OA-DRAFT': 131,
  /** [MS-IKEE] §2.2.3.2: the same number that Cisco uses. */
  FRAGMENT: 132,
} as const;

export const EXCHANGE = {
  base: 1,
  /** Main Mode. */
  identityProtection: 2,
  authenticationOnly: 3,
  aggressive: 4,
  informational: 5,
  /** draft-ietf-ipsec-isakmp-mode-cfg: XAUTH and Mode Config travel in it. */
  transaction: 6,
  quickMode: 32,
  newGroupMode: 33,
} as const;

/** RFC 2408 §3.1. */
export const FLAG = { encryption: 1, commit: 2, authenticationOnly: 4 } as const;

export const PROTOCOL = { ISAKMP: 1, AH: 2, ESP: 3, IPCOMP: 4 } as const;

export const DOI = { ISAKMP: 0, IPSEC: 1 } as const;

/** RFC 2407 §4.2.1. */
export const SIT_IDENTITY_ONLY = 1;

export const NOTIFY = {
  'INVALID-PAYLOAD-TYPE': 1,
  'DOI-NOT-SUPPORTED': 2,
  'SITUATION-NOT-SUPPORTED': 3,
  'INVALID-COOKIE': 4,
  'INVALID-MAJOR-VERSION': 5,
  'INVALID-MINOR-VERSION': 6,
  'INVALID-EXCHANGE-TYPE': 7,
  'INVALID-FLAGS': 8,
  'INVALID-MESSAGE-ID': 9,
  'INVALID-PROTOCOL-ID': 10,
  'INVALID-SPI': 11,
  'INVALID-TRANSFORM-ID': 12,
  'ATTRIBUTES-NOT-SUPPORTED': 13,
  'NO-PROPOSAL-CHOSEN': 14,
  'BAD-PROPOSAL-SYNTAX': 15,
  'PAYLOAD-MALFORMED': 16,
  'INVALID-KEY-INFORMATION': 17,
  'INVALID-ID-INFORMATION': 18,
  'INVALID-CERT-ENCODING': 19,
  'INVALID-CERTIFICATE': 20,
  'CERT-TYPE-UNSUPPORTED': 21,
  'INVALID-CERT-AUTHORITY': 22,
  'INVALID-HASH-INFORMATION': 23,
  'AUTHENTICATION-FAILED': 24,
  'INVALID-SIGNATURE': 25,
  'ADDRESS-NOTIFICATION': 26,
  'NOTIFY-SA-LIFETIME': 27,
  'CERTIFICATE-UNAVAILABLE': 28,
  'UNSUPPORTED-EXCHANGE-TYPE': 29,
  'UNEQUAL-PAYLOAD-LENGTHS': 30,
  CONNECTED: 16384,
  'RESPONDER-LIFETIME': 24576,
  'REPLAY-STATUS': 24577,
  'INITIAL-CONTACT': 24578,
  'R-U-THERE': 36136,
  'R-U-THERE-ACK': 36137,
} as const;

/** The registry's name of a number, or `#number`: safe to log, whatever the peer sent. */
export function nameOf(table: Readonly<Record<string, number>>, id: number): string {
  for (const [name, number] of Object.entries(table)) if (number === id) return name;
  return `#${id}`;
}
