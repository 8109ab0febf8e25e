import type { Endpoint, Flow } from '@culvert/contracts';
import { invariant } from '@culvert/kernel';
import { equal } from '@culvert/wire';
import { type AddressOctets, formatAddress, parseAddress } from '@culvert/wire/ip';

/** A `Flow` as the engine and the sockets know it: addresses as 16 octets. */
export interface OuterFlow {
  readonly local: AddressOctets;
  readonly localPort: number;
  readonly remote: AddressOctets;
  readonly remotePort: number;
}

/** For flows that our services wrote; what they cannot mean is our fault. */
export function outerFlow(flow: Flow): OuterFlow {
  return {
    local: octetsOf(flow.local),
    localPort: flow.local.port,
    remote: octetsOf(flow.remote),
    remotePort: flow.remote.port,
  };
}

function octetsOf(endpoint: Endpoint): AddressOctets {
  const address = parseAddress(endpoint.address);
  invariant(address.ok, 'flow: not an address');
  return address.value;
}

export function textFlow(flow: OuterFlow): Flow {
  return {
    local: { address: formatAddress(flow.local), port: flow.localPort },
    remote: { address: formatAddress(flow.remote), port: flow.remotePort },
  };
}

export function sameFlow(a: OuterFlow, b: OuterFlow): boolean {
  return (
    a.remotePort === b.remotePort &&
    a.localPort === b.localPort &&
    equal(a.remote, b.remote) &&
    equal(a.local, b.local)
  );
}

/** Metadata rows are reused by the next batch: what is kept must be a copy. */
export function keptFlow(flow: OuterFlow): OuterFlow {
  return { ...flow, local: flow.local.slice(), remote: flow.remote.slice() };
}
