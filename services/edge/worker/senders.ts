import { equal } from '@culvert/wire';
import { isIpv4 } from '@culvert/wire/ip';
import type { SocketSpec } from '../machine/listeners.ts';
import type { Native } from '../native/index.ts';
import type { OuterFlow } from '../pipeline/index.ts';
import { type Outbox, socketOutbox } from './batch.ts';

/** Finds the socket for a flow: bound to its local address, or to every address. */
export interface Senders {
  datagram(flow: OuterFlow, octets: Uint8Array): boolean;
  esp(flow: OuterFlow, octets: Uint8Array): boolean;
  flush(): void;
}

export function createSenders(
  io: Native,
  specs: readonly SocketSpec[],
  done: (sent: number, failed: number) => void,
): Senders {
  const all = specs.map((spec) => ({ spec, every: isUnset(spec), outbox: socketOutbox(io, spec.fd, done) }));
  const find = (udp: boolean, flow: OuterFlow): Outbox | undefined => {
    const ipv6 = !isIpv4(flow.remote);
    const fitting = all.filter(
      ({ spec }) =>
        spec.ipv6 === ipv6 && (spec.via !== 'esp') === udp && (!udp || spec.port === flow.localPort),
    );
    const exact = fitting.find(({ spec }) => equal(spec.local, flow.local));
    return (exact ?? fitting.find((one) => one.every))?.outbox;
  };
  const send = (udp: boolean) => (flow: OuterFlow, octets: Uint8Array) => {
    const outbox = find(udp, flow);
    outbox?.add(octets, flow);
    return outbox !== undefined;
  };
  return {
    datagram: send(true),
    esp: send(false),
    flush() {
      for (const { outbox } of all) outbox.flush();
    },
  };
}

function isUnset(spec: SocketSpec): boolean {
  const octets = spec.ipv6 || spec.via === 'esp' ? spec.local : spec.local.subarray(12);
  return octets.every((octet) => octet === 0);
}
