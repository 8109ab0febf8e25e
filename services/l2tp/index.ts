import { type L2tpPacket, type L2tpRequest, type Requested, subjects } from '@culvert/contracts';
import { createHost } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { l2tpProtocol } from './protocol.ts';

/** Hosts the L2TP tunnels and calls of all sessions (RFC 2661), LNS side. */
export function createL2tpService(runtime: Runtime): { start(): Promise<void> } {
  const { bus } = runtime;
  const host = createHost(l2tpProtocol(runtime), runtime);
  return {
    async start() {
      runtime.serveAdmin(host.admin);
      await host.start();
      // The last movements of Ns and Nr may be missing from the records: adopt the peers' view, once.
      for (const { session } of host.sessions()) {
        host.input({ kind: 'fact', session, body: { kind: 'restored' } });
      }
      const packets = bus.subscribe<L2tpPacket>(subjects.l2tp.packet('*'), ({ payload, trace }) =>
        host.input({ kind: 'packet', packet: payload }, trace),
      );
      const requests = bus.respond<Requested<L2tpRequest>>(subjects.l2tp.request('*'), ({ payload, trace }) =>
        host.request(payload.id, { kind: 'request', requested: payload }, trace),
      );
      runtime.onStop(async () => {
        packets.close();
        requests.close();
        await host.drain();
      });
    },
  };
}
