import { callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import type { Durability } from '@culvert/host';
import type { SessionState } from '@culvert/kernel';

/**
 * Nothing is stored before the first call is accepted: a client whose tunnel is lost half-way begins
 * again. From then on every change of a call or of a tunnel's state is stored before it is acknowledged
 * or said; movements of Ns and Nr alone follow in a batch.
 */
export function durability(before: SessionState, after: SessionState): Durability {
  if (!isStored(before) && !isStored(after)) return 'none';
  if (outline(before) !== outline(after)) return 'now';
  return sequence(before) === sequence(after) ? 'none' : 'lazy';
}

function isStored(state: SessionState): boolean {
  return tunnelsOf(state).some(({ context }) => context.durable) || callsOf(state).length > 0;
}

function outline(state: SessionState): string {
  const calls = callsOf(state).map(({ id, value, context }) => `${id} ${value} ${context.theirs}`);
  return [...calls, ...tunnelsOf(state).map(({ id, value }) => `${id} ${value}`)].sort().join('\n');
}

function sequence(state: SessionState): string {
  return tunnelsOf(state)
    .map(({ id, context: { delivery } }) => `${id} ${delivery.ns} ${delivery.nr} ${delivery.queue.length}`)
    .sort()
    .join('\n');
}
