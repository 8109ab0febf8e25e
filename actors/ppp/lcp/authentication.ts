import {
  type AuthenticationProtocol,
  chapAlgorithms,
  parseAuthenticationProtocol,
  protocols,
} from '@culvert/wire/ppp';
import type { AuthMethod } from '../auth/proof.ts';

const PROTOCOLS: Readonly<Record<AuthMethod, AuthenticationProtocol>> = {
  pap: { protocol: protocols.pap },
  'chap-md5': { protocol: protocols.chap, algorithm: chapAlgorithms.md5 },
  'ms-chap-v2': { protocol: protocols.chap, algorithm: chapAlgorithms.msChapV2 },
};

export function protocolOf(method: AuthMethod): AuthenticationProtocol {
  return PROTOCOLS[method];
}

/** The method that an Authentication-Protocol option names; undefined for EAP, MS-CHAPv1 and the unknown. */
export function methodOf(data: Uint8Array): AuthMethod | undefined {
  const wanted = parseAuthenticationProtocol(data);
  if (!wanted.ok) return undefined;
  const { protocol, algorithm } = wanted.value;
  const found = Object.entries(PROTOCOLS).find(
    ([, known]) => known.protocol === protocol && known.algorithm === algorithm,
  );
  return found?.[0] as AuthMethod | undefined;
}
