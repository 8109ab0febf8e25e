import type { AuthMethod } from '../auth/proof.ts';
import type { AutomatonLimits } from '../automaton/limits.ts';

/** What the configuration says about PPP, as it enters the fact that starts a link. */
export interface PppSettings {
  /** The Name that our CHAP Challenge shows. */
  readonly name: string;
  /** The largest PPP information field that we take, octets. */
  readonly mru: number;
  /** Whether a peer's wish for field compression is granted (RFC 1661 §6.5, §6.6). */
  readonly pfcAcfc: boolean;
  /** In the order in which they are tried. */
  readonly methods: readonly AuthMethod[];
  readonly automaton: AutomatonLimits;
  /** From the start of LCP, or of its renegotiation, to its Opened state. */
  readonly establishMs: number;
  readonly authenticateMs: number;
  readonly echo: { readonly intervalMs: number; readonly failures: number };
  /** Four octets each, at most two. */
  readonly dns: readonly Uint8Array[];
  /** Sixteen octets each. */
  readonly dns6: readonly Uint8Array[];
  readonly families: readonly (4 | 6)[];
}
