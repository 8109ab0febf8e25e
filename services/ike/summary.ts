import type { IsakmpSaContext, QuickModeContext } from '@culvert/actors-ike';
import type { SessionView } from '@culvert/host';
import type { IkeVault } from './vault.ts';

/** What `culvert session` shows: the newest SA of each kind. */
export function summary({
  state,
}: SessionView<IkeVault>): Readonly<Record<string, string | number | boolean>> {
  const facts: Record<string, string | number | boolean> = {};
  let isakmpSas = 0;
  let ipsecSas = 0;
  for (const [id, snapshot] of Object.entries(state)) {
    if (id.startsWith('isakmp-sa/')) {
      const { path, identity, psk, suite, client, natted } = snapshot.context as IsakmpSaContext;
      const { address, port } = path.flow.remote;
      isakmpSas += 1;
      facts.peer = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      facts.identity = identity?.text ?? '';
      facts.psk = psk ?? '';
      facts.client = client;
      facts.natted = natted;
      if (suite !== undefined) facts.isakmpSuite = `${suite.encryption}/${suite.hash}/group ${suite.group}`;
    }
    if (id.startsWith('quick-mode/')) {
      const { encryption, integrity, encapsulation } = snapshot.context as QuickModeContext;
      ipsecSas += 1;
      facts.espSuite = `${encryption}/${integrity}`;
      facts.encapsulation = encapsulation;
    }
  }
  return { ...facts, isakmpSas, ipsecSas };
}
