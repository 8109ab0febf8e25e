import { type Reassembly, reassemble } from '@culvert/actors-ike';
import type { Clock, Dropped } from '@culvert/host';
import { checkMessage, type IsakmpHeader, linkOf, parseClearMessage } from '@culvert/wire/ike';
import { REASSEMBLIES_MAX } from './limits.ts';

/** Messages under reassembly, one per session; transient, so a crash costs the peer a retransmission. */
export interface Fragments {
  take(octets: Uint8Array, header: IsakmpHeader, session: string): { readonly message: Uint8Array } | Dropped;
  forget(session: string): void;
}

export function newFragments(clock: Clock, accept: boolean): Fragments {
  const pending = new Map<string, Reassembly>();
  return {
    take(octets, _header, session) {
      if (!accept) return { drop: 'fragmentation-off' };
      const message = parseClearMessage(octets);
      if (!message.ok) return { drop: `malformed-${message.reason}` };
      const checked = checkMessage('FRAGMENT', message.value.chain);
      if (!checked.ok) return { drop: `malformed-${checked.reason}` };
      const fragment = linkOf(message.value.chain, 'FRAGMENT')?.payload;
      if (fragment === undefined) return { drop: 'malformed-missing' };
      const outcome = reassemble(pending.get(session), fragment, clock.now());
      pending.delete(session);
      if (outcome.state === 'whole') return { message: outcome.message };
      if (outcome.state === 'refused') return { drop: outcome.reason };
      if (pending.size >= REASSEMBLIES_MAX) evictOldest(pending);
      pending.set(session, outcome.reassembly);
      return { drop: 'fragment-waiting' };
    },
    forget: (session) => pending.delete(session),
  };
}

/** Insertion order is age here: a session's entry is set anew with each of its fragments. */
function evictOldest(pending: Map<string, Reassembly>): void {
  const oldest = pending.keys().next().value;
  if (oldest !== undefined) pending.delete(oldest);
}
