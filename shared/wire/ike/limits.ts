/** What one datagram may make us do. Beyond a limit the message is refused as `too-many`. */
export const ISAKMP_LIMITS = {
  datagramOctets: 65_535,
  payloadsMax: 256,
  proposalsMax: 64,
  /** Over all proposals of one SA payload. */
  transformsMax: 256,
  attributesPerTransformMax: 32,
  certificatesMax: 16,
  spisPerDeleteMax: 64,
  fragmentsMax: 64,
  fragmentedOctetsMax: 65_535,
} as const;
