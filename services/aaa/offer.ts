import type { AuthMethod, OfferAnswer } from '@culvert/contracts';
import { type Algorithm, isUsable } from '@culvert/crypto';
import type { Directory } from './directory.ts';

/** RFC 2759 §8 and RFC 1994 §2.1: what a proof is computed with. A password in the clear needs none of it. */
const NEEDS: Readonly<Record<AuthMethod, readonly Algorithm[]>> = {
  pap: [],
  'chap-md5': ['md5'],
  'ms-chap-v2': ['md4', 'des', 'sha1'],
};

/** The configured methods, in order, that at least one user can be checked with. */
export function offer(configured: readonly AuthMethod[], directory: Pick<Directory, 'anyChap'>): OfferAnswer {
  // A method whose algorithms failed their known answers at start would only fail later, with a fault of ours.
  const usable = configured.filter((method) => NEEDS[method].every(isUsable));
  // RFC 1994 §2.1: CHAP-MD5 needs the password itself, which is kept only where it was asked for.
  return { methods: usable.filter((method) => method !== 'chap-md5' || directory.anyChap) };
}
