/** Phase 2 numbers: RFC 2407 §4.4 to §4.6, RFC 3602, RFC 4106, RFC 4868, RFC 3947 §5.1, IANA isakmp-registry. */

export const PHASE_2_ATTRIBUTE = {
  lifeType: 1,
  lifeDuration: 2,
  group: 3,
  encapsulation: 4,
  authentication: 5,
  keyLength: 6,
  keyRounds: 7,
  compressDictionarySize: 8,
  compressPrivate: 9,
  ecnTunnel: 10,
  extendedSequenceNumber: 11,
} as const;

export const ESP_TRANSFORM = {
  'DES-IV64': 1,
  DES: 2,
  '3DES': 3,
  RC5: 4,
  IDEA: 5,
  CAST: 6,
  BLOWFISH: 7,
  NULL: 11,
  'AES-CBC': 12,
  'AES-CTR': 13,
  'AES-CCM-8': 14,
  'AES-CCM-12': 15,
  'AES-CCM-16': 16,
  'AES-GCM-8': 18,
  'AES-GCM-12': 19,
  'AES-GCM-16': 20,
  CAMELLIA: 22,
  'NULL-AUTH-AES-GMAC': 23,
} as const;

export const ESP_AUTHENTICATION = {
  'HMAC-MD5': 1,
  'HMAC-SHA1': 2,
  'DES-MAC': 3,
  KPDK: 4,
  'HMAC-SHA2-256': 5,
  'HMAC-SHA2-384': 6,
  'HMAC-SHA2-512': 7,
  'HMAC-RIPEMD': 8,
  'AES-XCBC-MAC': 9,
} as const;

export const ENCAPSULATION = {
  Tunnel: 1,
  Transport: 2,
  'UDP-Encapsulated-Tunnel': 3,
  'UDP-Encapsulated-Transport': 4,
  /** draft-ietf-ipsec-nat-t-ike-02 §5.1 and -03 §5.1. */
  'UDP-Encapsulated-Tunnel (draft)': 61443,
  'UDP-Encapsulated-Transport (draft)': 61444,
} as const;

export const ID_TYPE = {
  ID_IPV4_ADDR: 1,
  ID_FQDN: 2,
  ID_USER_FQDN: 3,
  ID_IPV4_ADDR_SUBNET: 4,
  ID_IPV6_ADDR: 5,
  ID_IPV6_ADDR_SUBNET: 6,
  ID_IPV4_ADDR_RANGE: 7,
  ID_IPV6_ADDR_RANGE: 8,
  ID_DER_ASN1_DN: 9,
  ID_DER_ASN1_GN: 10,
  ID_KEY_ID: 11,
} as const;
