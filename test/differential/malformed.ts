/** Entries that an engine must refuse one by one. They come out of a bus, so that no type protects from them. */
import type { ForwardEntry, SaEntry } from '@culvert/contracts';
import type { Dice } from './dice.ts';

type Bad = Readonly<Record<string, unknown>>;

const flow = (address: string) => ({
  local: { address: '198.51.100.1', port: 4500 },
  remote: { address, port: 1 },
});
const selector = (change: Bad = {}) => ({
  protocol: 0,
  from: '10.0.0.0',
  to: '10.0.0.255',
  fromPort: 0,
  toPort: 65_535,
  ...change,
});
const tunnel = (...local: Bad[]) => ({ tunnel: { local, remote: [selector()] } });
const rule = (change: Bad) => ({
  policy: {
    rules: [
      { permit: true, protocol: 0, prefix: '0.0.0.0/0', fromPort: 0, toPort: 65_535, class: 0, ...change },
    ],
  },
});
const keys = (encryption: number, integrity: number, salt: number) => ({
  encryption: new Uint8Array(encryption),
  integrity: new Uint8Array(integrity),
  salt: new Uint8Array(salt),
});

const BAD_SAS: readonly Bad[] = [
  { encryption: 'aes-cbc-128', integrity: 'none', inbound: keys(16, 0, 0), outbound: keys(16, 0, 0) },
  { encryption: 'aes-gcm-16-128', integrity: 'hmac-sha1-96' },
  { encryption: 'des-cbc', integrity: 'hmac-sha1-96' },
  {
    encryption: 'aes-cbc-256',
    integrity: 'hmac-md5-96',
    inbound: keys(32, 16, 0),
    outbound: keys(32, 16, 0),
  },
  { inbound: keys(15, 20, 4) },
  { outbound: keys(33, 31, 3) },
  { encryption: 'aes-gcm-16-256', integrity: 'none', inbound: keys(32, 0, 0), outbound: keys(32, 0, 4) },
  { flow: flow('203.0.113.256') },
  { flow: flow('') },
  { flow: flow('2001:db8::1::2') },
  tunnel(),
  tunnel(...Array.from({ length: 17 }, () => selector())),
  tunnel(selector({ to: '2001:db8::1' })),
  tunnel(selector({ from: '10.0.1.0' })),
  tunnel(selector({ from: 'here' })),
  tunnel(selector({ fromPort: 2, toPort: 1 })),
  tunnel(selector({ toPort: 65_536 })),
  tunnel(selector({ protocol: 256 })),
  tunnel(selector({ protocol: -1 })),
];

const BAD_LINKS: readonly Bad[] = [
  { ipv4: { address: '10.99.0' } },
  { ipv4: { address: '2001:db8::1' } },
  { ipv4: { address: '10.99.0.010' } },
  { ipv6: { prefix: '2001:db8:99:1::', prefixLength: 56, interfaceId: new Uint8Array(8) } },
  { ipv6: { prefix: '2001:db8:99:1:', prefixLength: 64, interfaceId: new Uint8Array(8) } },
  { routes: ['10.50.0.0/33'] },
  { routes: ['10.50.0.0/16', 'behind'] },
  { routes: ['2001:db8::/129'] },
  { routes: Array.from({ length: 65 }, (_, index) => `10.60.${index}.0/24`) },
  rule({ class: 4 }),
  rule({ class: -1 }),
  rule({ protocol: 256 }),
  rule({ fromPort: 81, toPort: 80 }),
  rule({ toPort: 65_536 }),
  rule({ prefix: '10.0.0.0/' }),
  rule({ prefix: '' }),
  { policy: { rules: Array.from({ length: 257 }, () => rule({}).policy.rules[0]) } },
  { policy: { rateFromPeer: { octetsPerSecond: 0, burstOctets: 1500 } } },
  { policy: { rateToPeer: { octetsPerSecond: 1000, burstOctets: 1499 } } },
  { policy: { dscp: 64 } },
  { policy: { dscp: -1 } },
  { policy: { dscp: 1.5 } },
];

/** One entry of the list made bad, and sometimes a bad form beside the good one. */
export function spoiled(dice: Dice, entries: readonly ForwardEntry[]): readonly ForwardEntry[] {
  if (entries.length === 0) return entries;
  const at = dice.below(entries.length);
  const entry = entries[at];
  if (entry === undefined || entry.kind === 'call') return entries;
  const bad = dice.pick(entry.kind === 'sa' ? BAD_SAS : BAD_LINKS);
  const made = { ...entry, ...bad } as ForwardEntry;
  if (dice.happens(0.1)) return [...entries, made];
  if (entry.kind === 'sa' && dice.happens(0.02)) return crowd(entry);
  return entries.with(at, made);
}

/** One more than a session may have; no SPI of these is anybody else's. */
function crowd(entry: SaEntry): readonly ForwardEntry[] {
  return Array.from({ length: 65 }, (_, index) => ({
    ...entry,
    inboundSpi: entry.inboundSpi + index * 0x1_0000,
    outboundSpi: entry.outboundSpi + index * 0x1_0000,
  }));
}
