import type { Stamped } from '@culvert/kernel';
import type { IdPayload, NatTNumbers } from '@culvert/wire/ike';
import type { RequestDigest } from '../isakmp-sa/events.ts';
import type { Path } from '../path.ts';
import type { Phase2Selection } from '../proposal/phase-2.ts';

/** RFC 2409 §5.5 as the responder sees it. */
export type QuickModeHappening =
  | {
      readonly type: 'QM1';
      readonly request: RequestDigest;
      readonly path: Path;
      readonly selection: Phase2Selection;
      readonly nonce: Uint8Array;
      /** Only with PFS. */
      readonly publicValue?: Uint8Array | undefined;
      readonly ids: { readonly initiator: IdPayload; readonly responder: IdPayload };
      /** Our inbound SPI, free in this shard: chosen by the service, which sees all sessions. */
      readonly spi: number;
      /** The peer sent NAT-OA: ours go back (RFC 3947 §5.2). Addresses as we see them. */
      readonly natOa?:
        | { readonly numbers: NatTNumbers; readonly initiator: Uint8Array; readonly responder: Uint8Array }
        | undefined;
    }
  | { readonly type: 'DH+'; readonly publicValue: Uint8Array }
  | { readonly type: 'DH-'; readonly reason: string }
  /** HDR*, HASH(3), verified. */
  | { readonly type: 'QM3' }
  /** Neither the third message nor our own Diffie-Hellman came: see `THIRD_MESSAGE_MS`. */
  | { readonly type: 'UNCONFIRMED' }
  | { readonly type: 'DUPLICATE'; readonly path: Path }
  /** The peer's Delete named our outbound SPI, or its protected INVALID-SPI did. */
  | { readonly type: 'DELETED' }
  | { readonly type: 'DROP' }
  /** The session has as many IPsec SAs as it may, and a newer one needs the place. */
  | { readonly type: 'CROWDED' }
  | { readonly type: 'LIFETIME' };

export type QuickModeEvent = QuickModeHappening & Stamped;
