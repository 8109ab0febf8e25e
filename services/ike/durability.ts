import type { InformationalContext } from '@culvert/actors-ike';
import type { Durability } from '@culvert/host';
import type { SessionState } from '@culvert/kernel';

/**
 * Nothing is stored before the first IPsec SA: a half-open handshake is not migrated. From then on what
 * changes SAs is stored before it is said; that a tunnel opened, or a DPD number moved, follows in a batch.
 */
export function durability(before: SessionState, after: SessionState): Durability {
  if (!hasIpsecSa(before) && !hasIpsecSa(after)) return 'none';
  if (outline(before) !== outline(after)) return 'now';
  return moved(before, after) ? 'lazy' : 'none';
}

function hasIpsecSa(state: SessionState): boolean {
  return Object.entries(state).some(
    ([id, snapshot]) => id.startsWith('quick-mode/') && snapshot.matches('up'),
  );
}

/** Which SAs there are. */
function outline(state: SessionState): string {
  const lines: string[] = [];
  for (const [id, snapshot] of Object.entries(state)) {
    if (id.startsWith('quick-mode/')) lines.push(`${id} ${snapshot.matches('up')}`);
    if (id.startsWith('isakmp-sa/')) lines.push(`${id} ${snapshot.matches('established')}`);
  }
  return lines.sort().join('\n');
}

/** Anything but a probe's waiting, which starts anew after a crash. */
function moved(before: SessionState, after: SessionState): boolean {
  return Object.entries(after).some(([id, snapshot]) => {
    const was = before[id];
    if (was === snapshot) return false;
    if (!id.startsWith('informational/') || was === undefined) return true;
    const [a, b] = [was.context, snapshot.context] as [InformationalContext, InformationalContext];
    return a.sequence !== b.sequence || a.peerSequence !== b.peerSequence;
  });
}
