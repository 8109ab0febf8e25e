import type { Config, PskConfig } from '@culvert/config';
import { invariant } from '@culvert/kernel';
import { contains, isIpv4, type Prefix, parseAddress, parsePrefix } from '@culvert/wire/ip';
import { PSK_CANDIDATES_MAX } from './limits.ts';

/** Main Mode knows listener and address of the peer when it needs the key, and nothing more (RFC 2409 §5.4). */
export type PskChoice = (listener: string, remoteAddress: string) => readonly PskConfig[];

interface Row {
  readonly psk: PskConfig;
  readonly prefixes: readonly Prefix[];
}

/** The keys to try, the one with the longest matching prefix first; equals in the order of the file. */
export function pskChoice(psks: Config['psks']): PskChoice {
  const rows: readonly Row[] = psks.map((psk) => ({ psk, prefixes: psk.remotes.map(prefixOf) }));
  return (listener, remoteAddress) => {
    const address = parseAddress(remoteAddress);
    if (!address.ok) return [];
    const candidates = rows.flatMap(({ psk, prefixes }) => {
      if (psk.listeners.length > 0 && !psk.listeners.includes(listener)) return [];
      if (prefixes.length === 0) return [{ psk, bits: -1 }];
      const bits = prefixes.filter((prefix) => contains(prefix, address.value)).map((prefix) => prefix.bits);
      return bits.length === 0 ? [] : [{ psk, bits: Math.max(...bits) }];
    });
    return candidates
      .sort((a, b) => b.bits - a.bits)
      .slice(0, PSK_CANDIDATES_MAX)
      .map(({ psk }) => psk);
  };
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  invariant(prefix.ok, 'the configuration was checked');
  // `0.0.0.0/0` means every IPv4 address, not every mapped one of fewer bits.
  invariant(!isIpv4(prefix.value.address) || prefix.value.bits >= 96, 'IPv4 prefixes are mapped');
  return prefix.value;
}
