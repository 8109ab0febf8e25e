import type {
  CallEntry,
  ForwardEntry,
  LinkEntry,
  LinkPolicy,
  OctetRate,
  PolicyRule,
  SaEntry,
  TrafficSelector,
} from '@culvert/contracts';
import { toHex } from '@culvert/wire';
import { SPI_MIN } from '@culvert/wire/esp';
import { isIpv4, parseAddress, parsePrefix } from '@culvert/wire/ip';
import { keyFault } from '../esp/index.ts';
import * as limits from './limits.ts';

/**
 * Whether an entry can be carried out, asked before any table changes: an entry comes over the bus, where no
 * type protects. One function for each kind; the answer is why not.
 */
export function refusalOf(entry: ForwardEntry): string | undefined {
  switch (entry.kind) {
    case 'sa':
      return saFault(entry);
    case 'call':
      return callFault(entry);
    case 'link':
      return linkFault(entry);
    default:
      return 'entry of an unknown kind';
  }
}

/** What a declaration comes to: entries to carry out, and rows that stay since their new form was refused. */
export interface Judged {
  readonly entries: readonly ForwardEntry[];
  readonly kept: Kept;
  readonly refusals: readonly string[];
}

export interface Kept {
  /** Inbound SPIs. */
  readonly sas: ReadonlySet<number>;
  /** Our Session IDs, for both kinds. */
  readonly calls: ReadonlySet<number>;
  readonly links: ReadonlySet<number>;
}

export function judged(declared: readonly ForwardEntry[]): Judged {
  const entries: ForwardEntry[] = [];
  const refused: ForwardEntry[] = [];
  const refusals: string[] = [];
  for (const entry of declared) {
    const why = refusalOf(entry);
    (why === undefined ? entries : refused).push(entry);
    if (why !== undefined) refusals.push(why);
  }
  // Where a good form is declared beside the bad one, the good one counts.
  const names = (kind: ForwardEntry['kind']) => {
    const of = (list: readonly ForwardEntry[]) => list.filter((entry) => entry.kind === kind).map(nameOf);
    const good = of(entries);
    return new Set(of(refused).filter((name) => !good.includes(name)));
  };
  return { entries, kept: { sas: names('sa'), calls: names('call'), links: names('link') }, refusals };
}

/** Under which number an entry's row is found. */
function nameOf(entry: ForwardEntry): number {
  if (entry.kind === 'sa') return entry.inboundSpi;
  return entry.kind === 'call' ? entry.ours.call : entry.call;
}

const U8 = 0xff;
const U16 = 0xffff;
const U32 = 0xffff_ffff;

const within = (value: number, from: number, to: number) =>
  Number.isInteger(value) && value >= from && value <= to;
const reversed = (from: number, to: number) => !within(from, 0, U16) || !within(to, from, U16);

function saFault(sa: SaEntry): string | undefined {
  // RFC 4303 §2.1: 0 is no SPI, 1 to 255 are reserved.
  if (!within(sa.inboundSpi, SPI_MIN, U32) || !within(sa.outboundSpi, SPI_MIN, U32))
    return 'SA: reserved SPI';
  const keys =
    keyFault(sa.encryption, sa.integrity, sa.inbound) ?? keyFault(sa.encryption, sa.integrity, sa.outbound);
  if (keys !== undefined) return keys;
  if (!sa.encryption.startsWith('aes-gcm') && sa.integrity === 'none') return 'SA without integrity';
  for (const { address, port } of [sa.flow.local, sa.flow.remote]) {
    if (!parseAddress(address).ok) return 'flow: not an address';
    if (!within(port, 0, U16)) return 'flow: not a port';
  }
  if (sa.encapsulation !== 'udp' && sa.encapsulation !== 'none') return 'SA: unknown encapsulation';
  if (!within(sa.selector.localPort, 0, U16) || !within(sa.selector.remotePort, 0, U16)) {
    return 'SA: selector is not a port';
  }
  if (!Number.isFinite(sa.createdAt) || !Number.isFinite(sa.expiresAt)) return 'SA: a time is not a number';
  if (sa.tunnel === undefined) return undefined;
  const { local, remote } = sa.tunnel;
  for (const side of [local, remote]) {
    if (!within(side.length, 1, limits.SELECTORS_MAX)) return 'SA: number of selectors out of range';
  }
  return firstFault([...local, ...remote], selectorFault);
}

function selectorFault(selector: TrafficSelector): string | undefined {
  if (!within(selector.protocol, 0, U8)) return 'selector: not a protocol';
  if (reversed(selector.fromPort, selector.toPort)) return 'selector: ports out of range or reversed';
  const [from, to] = [parseAddress(selector.from), parseAddress(selector.to)];
  if (!from.ok || !to.ok) return 'selector: not an address';
  if (isIpv4(from.value) !== isIpv4(to.value)) return 'selector: addresses of two families';
  return toHex(from.value) > toHex(to.value) ? 'selector: addresses reversed' : undefined;
}

/** RFC 2661 §3.1: no tunnel and no call has the number 0. */
function callFault(call: CallEntry): string | undefined {
  for (const { tunnel, call: id } of [call.ours, call.theirs]) {
    if (!within(tunnel, 1, U16) || !within(id, 1, U16)) return 'call: not a Tunnel or Session ID';
  }
  const { local, remote } = call.innerPorts;
  return within(local, 0, U16) && within(remote, 0, U16) ? undefined : 'call: not a port';
}

function linkFault(link: LinkEntry): string | undefined {
  if (!within(link.call, 0, U16)) return 'link: not a call';
  if (!within(link.mtuToPeer, 1, U16) || !within(link.mruFromPeer, 1, U16)) return 'link: not an MTU';
  if (link.ipv4 !== undefined) {
    const address = parseAddress(link.ipv4.address);
    if (!address.ok || !isIpv4(address.value)) return 'link: not an IPv4 address';
  }
  if (link.ipv6 !== undefined) {
    const prefix = parseAddress(link.ipv6.prefix.split('/')[0] ?? '');
    if (!prefix.ok || isIpv4(prefix.value)) return 'link: not an IPv6 prefix';
    if (link.ipv6.prefixLength !== 64) return 'link: IPv6 prefix is not a /64';
  }
  const routes = link.routes ?? [];
  if (routes.length > limits.ROUTES_MAX) return 'link: too many routes';
  if (!routes.every((route) => parsePrefix(route).ok)) return 'link: route is not a prefix';
  return link.policy && policyFault(link.policy);
}

const DSCP_MAX = 63;

function policyFault({ rules = [], rateFromPeer, rateToPeer, dscp }: LinkPolicy): string | undefined {
  if (rules.length > limits.RULES_MAX) return 'policy: too many rules';
  if (dscp !== undefined && !within(dscp, 0, DSCP_MAX)) return 'policy: not a DSCP';
  const rates = [rateFromPeer, rateToPeer].filter((rate) => rate !== undefined);
  return firstFault(rates, rateFault) ?? firstFault(rules, ruleFault);
}

function rateFault({ octetsPerSecond, burstOctets }: OctetRate): string | undefined {
  if (!Number.isFinite(octetsPerSecond) || !Number.isFinite(burstOctets))
    return 'policy: rate is not a number';
  if (octetsPerSecond < 1) return 'policy: rate without octets';
  return burstOctets < limits.BURST_OCTETS_MIN ? 'policy: burst is shorter than a packet' : undefined;
}

function ruleFault(rule: PolicyRule): string | undefined {
  if (typeof rule.permit !== 'boolean') return 'rule: neither permits nor refuses';
  if (!within(rule.protocol, 0, U8)) return 'rule: not a protocol';
  if (!parsePrefix(rule.prefix).ok) return 'rule: not a prefix';
  if (reversed(rule.fromPort, rule.toPort)) return 'rule: ports out of range or reversed';
  return within(rule.class, 0, limits.CLASSES - 1) ? undefined : 'rule: class out of range';
}

function firstFault<T>(all: readonly T[], faultOf: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const fault = faultOf(one);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
