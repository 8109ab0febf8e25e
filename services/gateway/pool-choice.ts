import { overlap, prefixOf } from '@culvert/config';

/**
 * Ranges that home routers, container runtimes and mobile carriers seldom use. Clients come from anywhere:
 * a pool that equals their own network would cut them off from the gateway.
 */
const CANDIDATES = [
  '10.98.0.0/22',
  '10.199.76.0/22',
  '172.29.184.0/22',
  '10.67.212.0/22',
  '192.168.212.0/22',
  '10.233.124.0/22',
  '100.90.144.0/22',
];

/** The first candidate that none of this machine's routes covers; the default route does not count. */
export function choosePool(routes: readonly string[]): string | undefined {
  const taken = routes.filter((route) => !route.startsWith('default')).map(prefixOf);
  const real = taken.filter((prefix) => prefix.length > 0);
  return CANDIDATES.find((candidate) => !real.some((prefix) => overlap(prefix, prefixOf(candidate))));
}
