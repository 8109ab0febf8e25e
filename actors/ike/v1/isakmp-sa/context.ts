import type { NatTNumbers } from '@culvert/wire/ike';
import type { Path } from '../path.ts';
import type { Phase1Suite } from '../proposal/phase-1.ts';
import type { Identity, RequestDigest } from './events.ts';

export interface IsakmpSaInput {
  /** Cookies in hexadecimal; ours is the name of the SA. */
  readonly cookie: string;
  readonly initiatorCookie: string;
  readonly path: Path;
  readonly halfOpenMs: number;
  readonly dpd: { readonly intervalMs: number; readonly timeoutMs: number };
}

export interface IsakmpSaContext extends IsakmpSaInput {
  readonly suite?: Phase1Suite | undefined;
  readonly lifeSeconds: number;
  readonly client: string;
  readonly vendors: readonly string[];
  readonly forceEncapsulation: boolean;
  /** Payload numbers agreed for NAT traversal; undefined when the peer has none of ours. */
  readonly natT?: NatTNumbers | undefined;
  readonly natted: boolean;
  /** Main Mode's exposed values, until MM4 is out. */
  readonly exchange?:
    | { readonly publicI: Uint8Array; readonly nonceI: Uint8Array; readonly nonceR: Uint8Array }
    | undefined;
  /** The message being answered while a Diffie-Hellman job or an admission runs. */
  readonly request: RequestDigest;
  readonly mismatchReported: boolean;
  readonly identity?: Identity | undefined;
  readonly psk?: string | undefined;
  readonly establishedAt: number;
}

/** XState evaluates this with no input on every step: it must be total. */
export function newContext(input: IsakmpSaInput | undefined): IsakmpSaContext {
  return {
    cookie: input?.cookie ?? '',
    initiatorCookie: input?.initiatorCookie ?? '',
    path: input?.path ?? NOWHERE,
    halfOpenMs: input?.halfOpenMs ?? 0,
    dpd: input?.dpd ?? { intervalMs: 0, timeoutMs: 0 },
    lifeSeconds: 0,
    client: '',
    vendors: [],
    forceEncapsulation: false,
    natted: false,
    request: '',
    mismatchReported: false,
    establishedAt: 0,
  };
}

const NOWHERE: Path = {
  node: '',
  listener: '',
  flow: { local: { address: '', port: 0 }, remote: { address: '', port: 0 } },
  nonEspMarker: false,
};

/** `198.51.100.7:4500`, for lines an operator reads. */
export function peerText(path: Path): string {
  const { address, port } = path.flow.remote;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
