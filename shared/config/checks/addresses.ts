import { contains, overlap, prefixOf } from '../prefix.ts';
import { type Check, present } from './parts.ts';

const POOL4_LENGTH_MAX = 30;
const SESSION6_LENGTH = 64;

/** Never addresses of clients: this network, loopback, link-local, multicast and above. */
const UNUSABLE4 = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'];

export const checkAddresses: Check = ({ pool, listen, routes, ppp }, report) => {
  if (pool === undefined) return;
  const ipv4 = prefixOf(pool.ipv4);
  const ipv6 = pool.ipv6 === undefined ? undefined : prefixOf(pool.ipv6);
  if (ipv4.length > POOL4_LENGTH_MAX) {
    report(
      ['pool', 'ipv4'],
      'is too small',
      `use /${POOL4_LENGTH_MAX} or a shorter prefix: it holds the gateway and the clients`,
    );
  }
  if (UNUSABLE4.some((text) => overlap(ipv4, prefixOf(text)))) {
    report(
      ['pool', 'ipv4'],
      'holds addresses that hosts cannot have',
      'use a private range such as 10.98.0.0/22',
    );
  }
  if (ipv6 !== undefined && ipv6.length > SESSION6_LENGTH) {
    report(['pool', 'ipv6'], 'is too small', `each session gets a /${SESSION6_LENGTH}: use a shorter prefix`);
  }
  if (pool.gateway4 !== undefined && ipv4.length <= POOL4_LENGTH_MAX) {
    const gateway = prefixOf(pool.gateway4);
    const usable = contains(ipv4, gateway) && gateway.first !== ipv4.first && gateway.last !== ipv4.last;
    if (!usable)
      report(
        ['pool', 'gateway4'],
        `is not a host address inside ${pool.ipv4}`,
        'leave it out for the first one',
      );
  }
  const pools = [ipv4, ...(ipv6 === undefined ? [] : [ipv6])];
  const inPool = (text: string) => pools.some((prefix) => overlap(prefix, prefixOf(text)));
  for (const [index, listener] of present(listen)) {
    for (const [place, address] of listener.addresses.entries()) {
      if (inPool(address)) {
        report(
          ['listen', index, 'addresses', place],
          'lies inside the pool',
          'choose a pool that nothing else uses',
        );
      }
    }
  }
  for (const [place, prefix] of (routes?.corporate ?? []).entries()) {
    if (!inPool(prefix) || prefixOf(prefix).length === 0) continue;
    report(
      ['routes', 'corporate', place],
      'overlaps the pool',
      'choose a pool that no network behind the gateway uses',
    );
  }
  if (ppp !== undefined && ppp.dns6.length > 0 && ipv6 === undefined) {
    report(['ppp', 'dns6'], 'has no effect without an IPv6 pool', 'add pool.ipv6, or remove it');
  }
};
