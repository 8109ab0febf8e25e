import type { LinkEntry } from '@culvert/contracts';
import { type Prefix, parsePrefix } from '@culvert/wire/ip';
import type { Declaration } from '../pipeline/index.ts';

/** What leads to a session's clients: inner addresses, and the networks behind them. */
export function prefixesOf(declarations: Iterable<Declaration>): readonly string[] {
  const links = [...declarations].flatMap(({ entries }) => entries.filter((entry) => entry.kind === 'link'));
  return links.flatMap((link: LinkEntry) => [
    ...(link.ipv4 === undefined ? [] : [link.ipv4.address]),
    ...(link.ipv6 === undefined ? [] : [`${link.ipv6.prefix.split('/')[0]}/64`]),
    ...(link.routes ?? []),
  ]);
}

/** Which other worker serves what. An SPI needs no such memory: its low octet says whose it is. */
export interface Elsewhere {
  learn(session: string, worker: number, prefixes: readonly string[]): void;
}

const NOBODY = -1;

export function createElsewhere(set: (prefix: Prefix, worker: number) => void): Elsewhere {
  const bySession = new Map<string, readonly string[]>();
  const each = (texts: readonly string[], worker: number) => {
    for (const text of texts) {
      const prefix = parsePrefix(text);
      if (prefix.ok) set(prefix.value, worker);
    }
  };
  return {
    learn(session, worker, prefixes) {
      each(bySession.get(session) ?? [], NOBODY);
      if (prefixes.length === 0) bySession.delete(session);
      else bySession.set(session, prefixes);
      each(prefixes, worker);
    },
  };
}
