import type { AuthMethod, OfferAnswer } from '@culvert/contracts';
import type { Directory } from './directory.ts';

/** The configured methods, in order, that at least one user can be checked with. */
export function offer(configured: readonly AuthMethod[], directory: Pick<Directory, 'anyChap'>): OfferAnswer {
  // RFC 1994 §2.1: CHAP-MD5 needs the password itself, which is kept only where it was asked for.
  return { methods: configured.filter((method) => method !== 'chap-md5' || directory.anyChap) };
}
