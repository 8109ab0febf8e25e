import { callsOf, tunnelsOf } from '@culvert/actors-l2tp';
import type { SessionView, Vault } from '@culvert/host';
import { printableText } from '@culvert/telemetry';

/** A peer chose these names, and an operator's terminal shows them. */
const NAME_MAX = 64;

/** What `culvert session` shows of the L2TP part: the newest tunnel, and how much there is. */
export function summary({ state }: SessionView<Vault>): Readonly<Record<string, string | number | boolean>> {
  const tunnels = tunnelsOf(state);
  const calls = callsOf(state);
  const newest = tunnels.at(-1)?.context;
  if (newest === undefined) return { tunnels: 0, calls: 0 };
  return {
    tunnels: tunnels.length,
    calls: calls.length,
    tunnelId: newest.localId,
    peerTunnelId: newest.peerId,
    peerHostName: printableText(newest.peerHostName, NAME_MAX),
    peerVendorName: printableText(newest.peerVendorName, NAME_MAX),
    innerPort: newest.innerPorts.remote,
    unacknowledged: newest.delivery.queue.length,
    ...(newest.ending === undefined ? {} : { ending: newest.ending }),
  };
}
