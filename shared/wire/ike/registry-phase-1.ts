/** Phase 1 attribute classes and values: RFC 2409 appendix A, RFC 3526, RFC 4868, RFC 5903, IANA ipsec-registry. */

export const PHASE_1_ATTRIBUTE = {
  encryption: 1,
  hash: 2,
  authentication: 3,
  group: 4,
  groupType: 5,
  groupPrime: 6,
  lifeType: 11,
  lifeDuration: 12,
  prf: 13,
  keyLength: 14,
  fieldSize: 15,
  groupOrder: 16,
} as const;

export const ENCRYPTION = {
  'DES-CBC': 1,
  'IDEA-CBC': 2,
  'Blowfish-CBC': 3,
  'RC5-CBC': 4,
  '3DES-CBC': 5,
  'CAST-CBC': 6,
  'AES-CBC': 7,
  'CAMELLIA-CBC': 8,
} as const;

export const HASH = { MD5: 1, SHA1: 2, TIGER: 3, 'SHA2-256': 4, 'SHA2-384': 5, 'SHA2-512': 6 } as const;

export const AUTHENTICATION = {
  'pre-shared key': 1,
  'DSS signatures': 2,
  'RSA signatures': 3,
  'RSA encryption': 4,
  'revised RSA encryption': 5,
  'ECDSA P-256': 9,
  'ECDSA P-384': 10,
  'ECDSA P-521': 11,
  /** draft-ietf-ipsec-isakmp-hybrid-auth. */
  HybridInitRSA: 64221,
  /** draft-ietf-ipsec-isakmp-xauth §7.2. */
  XAUTHInitPreShared: 65001,
  XAUTHRespPreShared: 65002,
  XAUTHInitRSA: 65005,
} as const;

export const GROUP = {
  MODP768: 1,
  MODP1024: 2,
  EC2N155: 3,
  EC2N185: 4,
  MODP1536: 5,
  MODP2048: 14,
  MODP3072: 15,
  MODP4096: 16,
  MODP6144: 17,
  MODP8192: 18,
  ECP256: 19,
  ECP384: 20,
  ECP521: 21,
} as const;

/** Octets of a KE payload's public value per group: RFC 2409 §5 pads MODP values, RFC 5903 §7 sends x and y. */
export const KE_OCTETS: Readonly<Record<number, number>> = {
  1: 96,
  2: 128,
  5: 192,
  14: 256,
  15: 384,
  16: 512,
  17: 768,
  18: 1024,
  19: 64,
  20: 96,
  21: 132,
};

export const LIFE_TYPE = { seconds: 1, kilobytes: 2 } as const;

/** RFC 2408 §3.6: the one transform of the ISAKMP protocol in the IPsec DOI (RFC 2407 §4.4.2.1). */
export const KEY_IKE = 1;
