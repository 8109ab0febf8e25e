import type { IkePacket, IkeRequest } from '@culvert/contracts';

/** All that enters a mailbox of this service. */
export type IkeInput =
  /** `shard` is the one the edge addressed: for a first message the slice that its session will be in. */
  | { readonly type: 'packet'; readonly shard: number; readonly packet: IkePacket }
  | { readonly type: 'request'; readonly session: string; readonly request: IkeRequest }
  | {
      readonly type: 'dh';
      readonly session: string;
      readonly actor: string;
      readonly outcome:
        | { readonly ok: true; readonly publicValue: Uint8Array; readonly sharedSecret: Uint8Array }
        | { readonly ok: false; readonly reason: string };
    }
  | { readonly type: 'admitted'; readonly isakmpSa: string; readonly contact: Contact }
  | {
      readonly type: 'activity';
      readonly session: string;
      readonly actor: string;
      readonly idleMs: number | undefined;
    }
  | { readonly type: 'told'; readonly session: string; readonly known: boolean }
  | { readonly type: 'superseded'; readonly session: string }
  | { readonly type: 'probe'; readonly session: string };

/** Who a session belongs to, and where it was seen at MM5: charter 6. */
export interface Contact {
  readonly idType: number;
  readonly identity: string;
  readonly psk: string;
  readonly address: string;
  readonly port: number;
  /** The client has shown that it receives there. */
  readonly proven?: boolean;
}
