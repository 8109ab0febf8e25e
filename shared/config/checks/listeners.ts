import { overlap, prefixOf } from '../prefix.ts';
import { type Check, present } from './parts.ts';

export const checkListeners: Check = ({ listen }, report) => {
  const names = new Map<string, number>();
  const bound: { readonly field: string; readonly address: string; readonly ports: readonly number[] }[] = [];
  for (const [index, listener] of present(listen)) {
    const first = names.get(listener.name);
    if (first !== undefined) {
      report(
        ['listen', index, 'name'],
        `is also the name of listen[${first}]`,
        'give every listener its own name',
      );
    }
    names.set(listener.name, first ?? index);
    const ports = [listener.ikePort, listener.natTraversalPort];
    if (ports[0] === ports[1]) {
      report(['listen', index, 'natTraversalPort'], 'equals ikePort', 'stock clients want 500 and 4500');
    }
    for (const [place, address] of listener.addresses.entries()) {
      const field = `listen[${index}].addresses[${place}]`;
      const rival = bound.find(
        (other) => other.ports.some((port) => ports.includes(port)) && sameSocket(other.address, address),
      );
      if (rival !== undefined) {
        report(
          ['listen', index, 'addresses', place],
          `is already taken by ${rival.field}`,
          'remove one, or use other ports',
        );
      }
      bound.push({ field, address, ports });
    }
  }
};

/** A wildcard takes every address of its family. */
function sameSocket(a: string, b: string): boolean {
  return overlap(prefixOf(wide(a)), prefixOf(wide(b)));
}

function wide(address: string): string {
  return /^[0.]+$/.test(address) ? '0.0.0.0/0' : /^[0:]+$/.test(address) ? '::/0' : address;
}
