import { type IkePacket, type IkeRequest, type Requested, subjects } from '@culvert/contracts';
import { createHost, type Host } from '@culvert/host';
import type { Runtime } from '@culvert/runtime';
import type { IkeInput } from './inputs.ts';
import { ikeProtocol } from './protocol.ts';
import type { IkeVault } from './vault.ts';

/** Hosts the ISAKMP SAs and IPsec SAs of all sessions: IKEv1 as a responder (RFC 2409, RFC 3193). */
export function createIkeService(runtime: Runtime): { start(): Promise<void> } {
  const { bus } = runtime;
  const host: Host<IkeInput, IkeVault> = createHost(
    ikeProtocol(runtime, () => host),
    runtime,
  );
  return {
    async start() {
      runtime.serveAdmin(host.admin);
      await host.start();
      const packets = bus.subscribe<IkePacket>(subjects.ike.packet('*'), ({ subject, payload, trace }) =>
        host.input({ type: 'packet', shard: shardOf(subject), packet: payload }, trace),
      );
      const requests = bus.respond<Requested<IkeRequest>>(subjects.ike.request('*'), ({ payload, trace }) =>
        host.request(
          payload.id,
          { type: 'request', session: payload.session, request: payload.request },
          trace,
        ),
      );
      runtime.onStop(async () => {
        packets.close();
        requests.close();
        await host.drain();
      });
    },
  };
}

/** The last token of the subject: the edge has chosen it, by our cookie or by shardOfCookie. */
function shardOf(subject: string): number {
  return Number(subject.slice(subject.lastIndexOf('.') + 1));
}
