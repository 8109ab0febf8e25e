import { type DhGroup, type DhResponse, respondDh } from '@culvert/crypto';

/**
 * Diffie-Hellman jobs run in libuv's thread pool, whose queue has no end of its own. While it is full,
 * messages that ask for another job are dropped before they change anything: their senders repeat them,
 * and a flood costs the others time, not the process its memory (reliability S-5).
 */
export interface Agreements {
  readonly full: boolean;
  respond(group: DhGroup, peerValue: Uint8Array): Promise<DhResponse>;
}

export function newAgreements(pendingMax: number, respond: typeof respondDh = respondDh): Agreements {
  let pending = 0;
  return {
    get full() {
      return pending >= pendingMax;
    },
    async respond(group, peerValue) {
      pending += 1;
      try {
        return await respond(group, peerValue);
      } finally {
        pending -= 1;
      }
    },
  };
}
