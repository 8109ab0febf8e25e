import { toHex, u32 } from '@culvert/wire';
import { parseAddress } from '@culvert/wire/ip';
import type { Declaration } from '../pipeline/index.ts';

/** Names of what a session has, under which a stray packet can be looked up: SPIs and inner addresses. */
export function keysOf(declarations: Iterable<Declaration>): readonly string[] {
  const keys: string[] = [];
  for (const { entries } of declarations) {
    for (const entry of entries) {
      if (entry.kind === 'sa') keys.push(spiKey(entry.inboundSpi));
      if (entry.kind !== 'link') continue;
      for (const text of [entry.ipv4?.address, entry.ipv6?.prefix.split('/')[0]]) {
        const address = text === undefined ? undefined : parseAddress(text);
        if (address?.ok) keys.push(addressKey(address.value));
      }
    }
  }
  return keys;
}

export function spiKey(spi: number): string {
  return `s${spi}`;
}

/** IPv4 whole, IPv6 by its /64. */
export function addressKey(address: Uint8Array): string {
  const mapped = address.length === 16 && u32(address, 0) === 0 && u32(address, 8) === 0xffff;
  return mapped || address.length === 4
    ? `4${toHex(address.subarray(-4))}`
    : `6${toHex(address.subarray(0, 8))}`;
}

export function destinationKey(packet: Uint8Array): string | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 20) return addressKey(packet.subarray(16, 20));
  if (version === 6 && packet.length >= 40) return addressKey(packet.subarray(24, 40));
  return undefined;
}

/** Which other worker serves what. */
export interface Elsewhere {
  learn(session: string, worker: number, keys: readonly string[]): void;
  find(key: string): number | undefined;
}

export function createElsewhere(): Elsewhere {
  const bySession = new Map<string, readonly string[]>();
  const byKey = new Map<string, number>();
  return {
    learn(session, worker, keys) {
      for (const key of bySession.get(session) ?? []) byKey.delete(key);
      if (keys.length === 0) bySession.delete(session);
      else bySession.set(session, keys);
      for (const key of keys) byKey.set(key, worker);
    },
    find: (key) => byKey.get(key),
  };
}
