import { callsOf } from '@culvert/actors-l2tp';
import type { CallEntry, ForwardPart } from '@culvert/contracts';
import type { SessionView, Vault } from '@culvert/host';

/**
 * A call is bound as soon as its ICRQ is accepted: the client may send PPP frames right behind its ICCN,
 * and they must find the call at the edge.
 */
const BOUND: ReadonlySet<string> = new Set(['waitConnect', 'established', 'closing']);

export function forward(view: SessionView<Vault>): ForwardPart | undefined {
  const bound = callsOf(view.state).filter(({ value }) => BOUND.has(value));
  if (bound.length === 0) return undefined;
  const entries = bound.map(({ context }): CallEntry => {
    const { localTunnel, peerTunnel, ours, theirs, innerPorts, sequencing } = context;
    return {
      kind: 'call',
      session: view.session,
      trace: view.trace,
      innerPorts,
      ours: { tunnel: localTunnel, call: ours },
      theirs: { tunnel: peerTunnel, call: theirs },
      sequencing,
    };
  });
  return { entries };
}
