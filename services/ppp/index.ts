import { type PppPacket, type PppRequest, type Requested, subjects } from '@culvert/contracts';
import { createHost } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import { earlyFrames } from './early.ts';
import { listens } from './links.ts';
import { pppProtocol } from './protocol.ts';

/** Hosts the PPP links of all sessions: LCP, authentication, IPCP, IPV6CP. */
export function createPppService(runtime: Runtime): { start(): Promise<void> } {
  const { bus } = runtime;
  const early = earlyFrames(runtime.clock);
  const host = createHost(pppProtocol(runtime, early), runtime);
  return {
    async start() {
      runtime.serveAdmin(host.admin);
      await host.start();
      const packets = bus.subscribe<PppPacket>(subjects.ppp.packet('*'), ({ payload, trace }) => {
        const view = host.view(payload.session);
        if (view !== undefined && listens(view.state, payload.call)) early.forget(payload);
        else if (early.hold(payload)) return;
        host.input({ kind: 'packet', packet: payload }, trace);
      });
      const requests = bus.respond<Requested<PppRequest>>(subjects.ppp.request('*'), ({ payload, trace }) =>
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
