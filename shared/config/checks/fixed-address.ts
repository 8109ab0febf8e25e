import { contains, firstHost, prefixOf } from '../prefix.ts';

/**
 * Why a user cannot have this address for good; undefined when it can. What lies outside the pool is neither
 * routed to clients nor let in from them, and the pool's edges and the gateway are nobody's.
 */
export function fixedAddressFault(
  ipv4: string,
  pool: { readonly ipv4: string; readonly gateway4?: string | undefined },
): { readonly problem: string; readonly remedy: string } | undefined {
  const [prefix, fixed] = [prefixOf(pool.ipv4), prefixOf(ipv4)];
  if (!contains(prefix, fixed)) {
    return { problem: `is no address of the pool ${pool.ipv4}`, remedy: 'choose one of it' };
  }
  const gateway = pool.gateway4 ?? firstHost(pool.ipv4);
  if (ipv4 !== gateway && fixed.first !== prefix.first && fixed.last !== prefix.last) return undefined;
  const problem = 'is the gateway, network or broadcast address of the pool';
  return { problem, remedy: 'choose another one' };
}
