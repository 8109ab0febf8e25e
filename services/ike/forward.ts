import type { QuickModeContext } from '@culvert/actors-ike';
import type { ForwardPart, SaEntry } from '@culvert/contracts';
import type { SessionView } from '@culvert/host';
import type { IkeVault } from './vault.ts';

/** After the negotiated lifetime the engine still takes what was under way; quick-mode deletes at this time. */
const LIFETIME_GRACE_MS = 30_000;

/** The SAs that the edge shall have, keys included; they stand sealed in the record. */
export function forward({ session, trace, state, vault }: SessionView<IkeVault>): ForwardPart | undefined {
  const entries: SaEntry[] = [];
  for (const [id, snapshot] of Object.entries(state)) {
    const secrets = vault.ipsec[id];
    if (secrets === undefined || !snapshot.matches('up')) continue;
    const context = snapshot.context as QuickModeContext;
    if (context.path === undefined) continue;
    const {
      inboundSpi,
      outboundSpi,
      encryption,
      integrity,
      encapsulation,
      createdAt,
      localPort,
      remotePort,
    } = context;
    entries.push({
      kind: 'sa',
      session,
      trace,
      inboundSpi,
      outboundSpi,
      encryption,
      integrity,
      inbound: secrets.inbound,
      outbound: secrets.outbound,
      flow: context.path.flow,
      encapsulation,
      selector: { localPort, remotePort },
      createdAt,
      expiresAt: createdAt + context.lifeSeconds * 1000 + LIFETIME_GRACE_MS,
    });
  }
  return entries.length === 0 ? undefined : { entries };
}
