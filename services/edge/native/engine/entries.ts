import type {
  CallEntry,
  EspEncryption,
  EspIntegrity,
  ForwardEntry,
  LinkEntry,
  OctetRate,
  PolicyRule,
  SaEntry,
  TrafficSelector,
} from '@culvert/contracts';
import { parseAddress, parsePrefix, prefixOf } from '@culvert/wire/ip';
import { type Declaration, type EnginePolicy, judged, type Kept, outerFlow } from '../../pipeline/index.ts';
import { createWriter, type Writer } from './writer.ts';

/**
 * Forwarding entries in octets, in the order of fields in which entries.cc reads them. What is wrong with an
 * entry is found here, by the reference's own checks; in its place goes the name of the row that stays.
 */
const KIND = { sa: 1, call: 2, link: 3, keptSa: 4, keptCall: 5, keptLink: 6, nothing: 7 } as const;

const CIPHERS: readonly EspEncryption[] = [
  'aes-cbc-128',
  'aes-cbc-192',
  'aes-cbc-256',
  '3des-cbc',
  'aes-gcm-16-128',
  'aes-gcm-16-256',
];
const MACS: readonly EspIntegrity[] = [
  'none',
  'hmac-sha1-96',
  'hmac-sha2-256-128',
  'hmac-sha2-384-192',
  'hmac-sha2-512-256',
];

/** `refused` hears why an entry cannot be carried out. */
export function encodeDeclaration(
  declaration: Declaration,
  bucket: number,
  refused: (why: string) => void,
): Uint8Array {
  const out = createWriter();
  out.octets(sessionOctets(declaration.session));
  out.u8(bucket);
  out.text(declaration.entries.find((entry) => entry.trace !== '')?.trace ?? '');
  const { entries, kept, refusals } = judged(declaration.entries);
  for (const entry of entries) emitEntry(out, entry);
  emitKept(out, kept);
  // A declaration of which nothing is left is not one that is gone.
  if (declaration.entries.length > 0) out.u8(KIND.nothing);
  for (const why of refusals) refused(why);
  return out.taken();
}

function emitEntry(out: Writer, entry: ForwardEntry): void {
  if (entry.kind === 'sa') emitSa(out, entry);
  else if (entry.kind === 'call') emitCall(out, entry);
  else emitLink(out, entry);
}

function emitKept(out: Writer, kept: Kept): void {
  for (const spi of kept.sas) {
    out.u8(KIND.keptSa);
    out.u32(spi);
  }
  for (const call of kept.calls) {
    out.u8(KIND.keptCall);
    out.u16(call);
  }
  for (const call of kept.links) {
    out.u8(KIND.keptLink);
    out.u16(call);
  }
}

export function sessionOctets(session: string): Uint8Array {
  return Uint8Array.from({ length: 8 }, (_, index) =>
    Number.parseInt(session.slice(index * 2, index * 2 + 2), 16),
  );
}

function emitSa(out: Writer, sa: SaEntry): void {
  out.u8(KIND.sa);
  out.u32(sa.inboundSpi);
  out.u32(sa.outboundSpi);
  out.u8(CIPHERS.indexOf(sa.encryption));
  out.u8(MACS.indexOf(sa.integrity));
  out.u8(
    (sa.encapsulation === 'udp' ? 1 : 0) | (sa.esn === true ? 2 : 0) | (sa.tunnel !== undefined ? 4 : 0),
  );
  for (const keys of [sa.inbound, sa.outbound]) {
    out.octets(keys.encryption);
    out.octets(keys.integrity);
    out.octets(keys.salt);
  }
  const flow = outerFlow(sa.flow);
  out.octets(flow.local);
  out.u16(flow.localPort);
  out.octets(flow.remote);
  out.u16(flow.remotePort);
  out.u16(sa.selector.localPort);
  out.u16(sa.selector.remotePort);
  out.f64(sa.createdAt);
  out.f64(sa.expiresAt);
  if (sa.tunnel === undefined) return;
  for (const selectors of [sa.tunnel.local, sa.tunnel.remote]) {
    out.u8(selectors.length);
    for (const selector of selectors) emitSelector(out, selector);
  }
}

function emitSelector(out: Writer, selector: TrafficSelector): void {
  out.u8(selector.protocol);
  out.octets(addressOctets(selector.from));
  out.octets(addressOctets(selector.to));
  out.u16(selector.fromPort);
  out.u16(selector.toPort);
}

function emitCall(out: Writer, call: CallEntry): void {
  out.u8(KIND.call);
  out.u16(call.ours.tunnel);
  out.u16(call.ours.call);
  out.u16(call.theirs.tunnel);
  out.u16(call.theirs.call);
  out.u16(call.innerPorts.local);
  out.u16(call.innerPorts.remote);
  out.u8(call.sequencing ? 1 : 0);
}

function emitLink(out: Writer, link: LinkEntry): void {
  const { policy } = link;
  out.u8(KIND.link);
  out.u16(link.call);
  const flags = [
    link.ipv4 !== undefined,
    link.ipv6 !== undefined,
    link.pfcToPeer,
    link.acfcToPeer,
    policy?.rules !== undefined,
    policy?.rateFromPeer !== undefined,
    policy?.rateToPeer !== undefined,
    policy?.dscp !== undefined,
  ];
  out.u8(flags.reduce((octet, flag, bit) => octet | (flag ? 1 << bit : 0), 0));
  if (link.ipv4 !== undefined) out.octets(addressOctets(link.ipv4.address));
  if (link.ipv6 !== undefined) {
    out.octets(prefixOf(addressOctets(link.ipv6.prefix.split('/')[0] ?? ''), 64).address);
  }
  out.u16(link.mtuToPeer);
  out.u16(link.mruFromPeer);
  out.u8(link.routes?.length ?? 0);
  for (const route of link.routes ?? []) emitPrefix(out, route);
  if (policy?.rules !== undefined) {
    out.u16(policy.rules.length);
    for (const rule of policy.rules) emitRule(out, rule);
  }
  if (policy?.rateFromPeer !== undefined) emitRate(out, policy.rateFromPeer);
  if (policy?.rateToPeer !== undefined) emitRate(out, policy.rateToPeer);
  if (policy?.dscp !== undefined) out.u8(policy.dscp);
}

function emitRule(out: Writer, rule: PolicyRule): void {
  out.u8(rule.permit ? 1 : 0);
  out.u8(rule.protocol);
  emitPrefix(out, rule.prefix);
  out.u16(rule.fromPort);
  out.u16(rule.toPort);
  out.u8(rule.class);
}

function emitRate(out: Writer, rate: OctetRate): void {
  out.f64(rate.octetsPerSecond);
  out.f64(rate.burstOctets);
}

function emitPrefix(out: Writer, text: string): void {
  const prefix = parsePrefix(text);
  out.octets(prefix.ok ? prefix.value.address : new Uint8Array(16));
  out.u8(prefix.ok ? prefix.value.bits : 0);
}

function addressOctets(text: string): Uint8Array {
  const address = parseAddress(text);
  return address.ok ? address.value : new Uint8Array(16);
}

export function encodePolicy(policy: EnginePolicy): Uint8Array {
  const out = createWriter();
  out.u8((policy.clientToClient ? 1 : 0) | (policy.gateway4 !== undefined ? 2 : 0));
  out.u16(policy.outerMtu);
  if (policy.gateway4 !== undefined) out.octets(policy.gateway4);
  for (const prefixes of [policy.pools, policy.corporate]) {
    out.u16(prefixes.length);
    for (const { address, bits } of prefixes) {
      out.octets(address);
      out.u8(bits);
    }
  }
  out.u16(policy.localAddresses.size);
  for (const address of policy.localAddresses) {
    out.octets(
      Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(address.slice(i * 2, i * 2 + 2), 16)),
    );
  }
  return out.taken();
}
