import type { ActorId } from '@culvert/kernel';
import type { Chain } from '@culvert/wire/ike';
import type { NatVerdict, RequestDigest } from './isakmp-sa/events.ts';
import type { Path } from './path.ts';
import type { EndReason } from './session/reasons.ts';

/** A message as the service hands it over: decrypted, its HASH verified, no key in it. */
interface Received {
  /** Our cookie in hexadecimal: names the ISAKMP SA. */
  readonly isakmpSa: string;
  readonly messageId: number;
  readonly request: RequestDigest;
  readonly path: Path;
}

/** The body of a fact: what happened, before it has an RFC name for the machine it concerns. */
export type IkeBody =
  | (Received & {
      readonly type: 'MM1' | 'AM1';
      readonly initiatorCookie: string;
      readonly chain: Chain;
      readonly forceEncapsulation: boolean;
    })
  | (Received & { readonly type: 'MM3'; readonly chain: Chain; readonly nat?: NatVerdict | undefined })
  | (Received & { readonly type: 'MM5'; readonly chain: Chain; readonly psk: string })
  | (Received & { readonly type: 'MM5 unverified'; readonly candidates: readonly string[] })
  | (Received & {
      readonly type: 'QM1';
      readonly chain: Chain;
      /** A free inbound SPI of the session's shard. */
      readonly spi: number;
      /** Outer addresses as octets, 4 or 16: what NAT-OA says (RFC 3947 §5.2). */
      readonly addresses: { readonly initiator: Uint8Array; readonly responder: Uint8Array };
    })
  /** `contactDue`: with it the peer has proved its place, and its INITIAL-CONTACT counts. */
  | (Received & { readonly type: 'QM3'; readonly contactDue: boolean })
  | (Received & { readonly type: 'INFO'; readonly chain: Chain })
  | (Received & { readonly type: 'duplicate' })
  | {
      readonly type: 'dh';
      readonly actor: ActorId;
      readonly outcome:
        | { readonly ok: true; readonly publicValue: Uint8Array }
        | { readonly ok: false; readonly reason: string };
    }
  | { readonly type: 'admitted'; readonly isakmpSa: string }
  | { readonly type: 'activity'; readonly actor: ActorId; readonly idleMs?: number | undefined }
  | { readonly type: 'told'; readonly known: boolean }
  | { readonly type: 'tunnel.opened' }
  | { readonly type: 'tunnel.closed'; readonly reason: EndReason }
  | { readonly type: 'close'; readonly reason: EndReason }
  | { readonly type: 'superseded' }
  | { readonly type: 'probe' };
