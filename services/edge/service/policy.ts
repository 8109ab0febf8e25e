import type { Config } from '@culvert/config';
import { invariant } from '@culvert/kernel';
import { toHex } from '@culvert/wire';
import { ipv4Octets, type Prefix, parseAddress, parsePrefix } from '@culvert/wire/ip';
import type { EnginePolicy } from '../pipeline/index.ts';

/** The configuration was checked; an address that does not parse here is our fault. */
export function policyOf(config: Config, localAddresses: readonly string[]): EnginePolicy {
  const gateway = parseAddress(config.pool.gateway4);
  invariant(gateway.ok, 'pool.gateway4 is not an address');
  const listened = config.listen.flatMap((listener) => listener.addresses);
  const pools = [config.pool.ipv4, ...(config.pool.ipv6 === undefined ? [] : [config.pool.ipv6])];
  return {
    localAddresses: new Set([...localAddresses, ...listened, config.pool.gateway4].map(keyOf)),
    gateway4: ipv4Octets(gateway.value),
    pools: pools.map(prefix),
    corporate: config.routes.corporate.map(prefix),
    clientToClient: config.edge.clientToClient,
    outerMtu: config.edge.outerMtu,
  };
}

function keyOf(text: string): string {
  const address = parseAddress(text);
  invariant(address.ok, `not an address: ${text}`);
  return toHex(address.value);
}

function prefix(text: string): Prefix {
  const read = parsePrefix(text);
  invariant(read.ok, `not a prefix: ${text}`);
  return read.value;
}
