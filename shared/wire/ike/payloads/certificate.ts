import { concat } from '../../octets.ts';
import { malformed, type Parsed, parsed } from '../../parsed.ts';

/** RFC 2408 §3.9 CERT and §3.10 CR: recognised, so that an offer with certificates can be explained. */
export interface CertificatePayload<K extends 'CERT' | 'CR' = 'CERT' | 'CR'> {
  readonly kind: K;
  readonly encoding: number;
  readonly data: Uint8Array;
}

export function parseCertificate<K extends 'CERT' | 'CR'>(
  kind: K,
  body: Uint8Array,
  at: number,
): Parsed<CertificatePayload<K>> {
  const encoding = body[0];
  if (encoding === undefined) return malformed('truncated', at);
  return parsed({ kind, encoding, data: body.subarray(1) });
}

export function emitCertificate(payload: CertificatePayload): Uint8Array {
  return concat(Uint8Array.of(payload.encoding), payload.data);
}
